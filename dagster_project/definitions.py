"""What Dagster loads (`workspace.yaml`): the Definitions with the settings of the environment."""

from dagster_project.orchestration.job import build_definitions

defs = build_definitions()
