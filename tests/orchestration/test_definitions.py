"""The asset graph: every check stands on an existing asset, and nothing reaches the publication unaudited."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from dagster_project.audit.suites import suites
from dagster_project.contracts.catalog import contracts
from dagster_project.orchestration.assets import CUSTOMER_KEY, PUBLICATION
from dagster_project.orchestration.job import JOB_NAME, build_definitions
from dagster_project.orchestration.published import published_tables
from dagster_project.transform.dbt import REPOSITORY, manifest


@pytest.fixture(scope="module")
def definitions() -> dg.Definitions:
    return build_definitions()


@pytest.fixture(scope="module")
def graph(definitions: dg.Definitions):  # type: ignore[no-untyped-def]
    return definitions.resolve_asset_graph()


def test_every_check_is_on_an_asset_that_is_made_here(graph) -> None:  # type: ignore[no-untyped-def]
    made = graph.materializable_asset_keys
    keys = graph.asset_check_keys
    assert keys
    assert [key for key in keys if key.asset_key not in made] == []


def test_every_expectation_and_every_data_test_is_a_check(graph) -> None:  # type: ignore[no-untyped-def]
    names = {key.name for key in graph.asset_check_keys}
    expectations = {f"{suite.name}_{item.name}" for suite in suites() for item in suite.expectations}
    data_tests = {node["name"] for node in manifest()["nodes"].values() if node["resource_type"] == "test"}
    assert len(expectations) > 30
    assert data_tests
    assert expectations | data_tests <= names


def test_the_job_holds_every_asset_and_check(definitions: dg.Definitions, graph) -> None:  # type: ignore[no-untyped-def]
    job = definitions.resolve_job_def(JOB_NAME)
    assert set(job.asset_layer.executable_asset_keys) == set(graph.materializable_asset_keys)
    assert set(job.asset_layer.asset_graph.asset_check_keys) == set(graph.asset_check_keys)


def test_the_publication_comes_after_all_sources_candidates_and_critical_checks(graph) -> None:  # type: ignore[no-untyped-def]
    before = set()
    waiting = [PUBLICATION]
    while waiting:
        for parent in graph.get(waiting.pop()).parent_keys:
            if parent not in before:
                before.add(parent)
                waiting.append(parent)
    wanted = {dg.AssetKey(["raw", name]) for name in contracts()} | {CUSTOMER_KEY}
    wanted |= {dg.AssetKey([table.schema, table.name]) for table in published_tables()}
    wanted |= {dg.AssetKey(["audit", suite.table]) for suite in suites()}
    # A source without a model of its own yet is read by the metrics only, hence an ancestor all the same.
    assert wanted <= before
    blocking = {
        key.asset_key
        for key in graph.asset_check_keys
        if graph.get_check_spec(key).blocking  # type: ignore[union-attr]
    }
    assert blocking
    assert blocking <= before


def test_every_asset_has_a_room_an_owner_and_a_description(graph) -> None:  # type: ignore[no-untyped-def]
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.group_name != "default", key
        assert node.owners, key
        assert node.description, key


def test_the_workspace_file_loads_in_a_new_process(tmp_path: Path) -> None:
    """What `dagster dev -w workspace.yaml` does first; from another folder, without any settings."""
    dagster = Path(sys.executable).with_name("dagster")
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CASHLESS_")}
    done = subprocess.run(
        [str(dagster), "definitions", "validate", "-w", str(REPOSITORY / "workspace.yaml")],
        cwd=REPOSITORY,
        env={**clean, "DAGSTER_HOME": str(tmp_path)},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "cashless" in done.stdout + done.stderr


def test_a_candidate_shows_what_the_publication_will_leave() -> None:
    """The rows that a candidate view leaves out of what is published are those the publication replaces."""
    nodes = manifest()["nodes"]
    for table in published_tables():
        if table.rebuilt is not None:
            code = nodes[f"model.cashless.candidate_{table.name}"]["raw_code"]
            said = re.search(r"after_publication\(\s*'(\w+)', '(\w+)', (\{.*?\})\s*\)", code)
            assert said, table.name
            assert said.group(1, 2) == (table.name, table.rebuilt.keys)
            assert ast.literal_eval(said[3]) == dict(table.rebuilt.match)
