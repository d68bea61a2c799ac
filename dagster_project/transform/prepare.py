"""Makes the dbt manifest; called at install, so that the first run does not wait for it."""

from dagster_project.transform.dbt import ensure_manifest

if __name__ == "__main__":
    ensure_manifest()
