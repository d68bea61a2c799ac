"""The dbt project as a whole: its unit tests, one file per rule, its contracts and its own data tests.

Does not belong here: figures (tests/oracle), and what a single model means (the unit tests themselves).
"""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dagster_project.contracts.catalog import contracts
from dagster_project.orchestration.published import published_tables
from dagster_project.raw.tables import ensure_tables
from dagster_project.transform.dbt import PROJECT_DIR, build_args, manifest, run_dbt
from dagster_project.warehouse.connection import connect_url
from tests.conftest import execute, url_of

RULES = {
    "named_payment",
    "unnamed_oldest_first",
    "overpayment",
    "reversal_in_a_later_month",
    "partial_reversal",
    "excess_reversal",
    "orphan_reversal",
    "conflict",
    "mixed_bill",
    "two_bills_in_a_month",
    "cancelled_after_payment",
    "mover",
    "era_change",
    "recycled_code",
    "late_coded_customer",
    "split_commune",
    "unknown_customer",
    "active_customer",
    "conversion",
    "baseline",
    "contacted_twice",
    "closed_counter",
    "failed_notice",
    "verified_number",
    "reopened_feedback",
    "progress_of_a_month",
    "who_pays_cash",
}


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dbt writes; shared, so that the project is parsed once."""
    return tmp_path_factory.mktemp("target")


@pytest.fixture(scope="module")
def built(server_url: str, _template: str, target: Path) -> Iterator[str]:
    """The URL of a warehouse whose models are built over empty raw tables: all that dbt's own tests need.

    One for the module, because a build takes seconds: a test that spoils a table says so.
    """
    url = url_of(server_url, "dbt_rules")
    execute(server_url, f"create database dbt_rules template {_template}")
    with closing(connect_url(url)) as conn, conn:
        ensure_tables(conn)
    done = run_dbt(url, build_args(is_full=True), target)
    assert done.returncode == 0, done.stdout
    yield url
    execute(server_url, "drop database dbt_rules with (force)")


def results(target: Path) -> dict[str, dict[str, Any]]:
    """What the last dbt invocation found, by the name of the test."""
    names = {
        **{key: test["name"] for key, test in manifest()["unit_tests"].items()},
        **{key: node["name"] for key, node in manifest()["nodes"].items()},
    }
    document = json.loads((target / "run_results.json").read_text(encoding="utf-8"))
    return {names[result["unique_id"]]: result for result in document["results"]}


def rows(url: str, statement: str, parameters: tuple[object, ...] = ()) -> list[tuple[Any, ...]]:
    with closing(connect_url(url)) as conn, conn.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def test_each_rule_has_its_file() -> None:
    stems = {Path(test["original_file_path"]).stem for test in manifest()["unit_tests"].values()}
    assert stems == RULES


def test_unit_tests_pass(built: str, target: Path) -> None:
    run_dbt(built, ["test", "--select", "test_type:unit"], target)
    found = results(target)
    assert {name: result["message"] for name, result in found.items() if result["status"] != "pass"} == {}
    assert found.keys() == {test["name"] for test in manifest()["unit_tests"].values()}


def test_data_tests_find_what_they_are_for(built: str, target: Path) -> None:
    """Spoils dim_channel and dim_commune_succession, which no other test of the module looks into."""
    execute(
        built,
        "insert into candidate.dim_channel select * from candidate.dim_channel where channel_code = 'qr';"
        "update candidate.dim_channel set channel_class = 'Cashless' where channel_code = 'momo';"
        "delete from candidate.dim_commune_succession where from_commune_code = '14587';"
        "update candidate.dim_commune_succession set to_commune_code = '0' where from_commune_code = '14320'",
    )
    done = run_dbt(built, ["test", "--select", "dim_channel", "succession_leads_everywhere"], target)
    assert done.returncode == 1
    assert {name: result["failures"] for name, result in results(target).items()} == {
        "unique_key_dim_channel": 1,
        "accepted_channel_class_dim_channel": 1,
        # One commune without a successor and one led nowhere, in each of the two changes of the map.
        "succession_leads_everywhere": 4,
    }


def test_current_rows_are_asked_for_by_no_coarser_key_than_the_contracts() -> None:
    """Of a coarser key no row need say that it is not the only one (raw's is_key_repeated)."""
    asked = [
        (source, set(re.findall(r"'(\w+)'", key)))
        for model in (PROJECT_DIR / "models").rglob("*.sql")
        for source, key in re.findall(
            r"(?:current_rows|repeated_keys|equal_versions|count_keys)\(\s*'(\w+)',\s*\[([^]]*)\]",
            model.read_text("utf-8"),
        )
    ]
    assert len(asked) >= 10
    for source, key in asked:
        assert key >= set(contracts()[source].key), source


def test_every_column_is_described() -> None:
    missing = [
        f"{node['name']}.{column['name']}"
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "model"
        for column in node["columns"].values()
        if not column["description"]
    ]
    assert missing == []
    assert [
        node["name"]
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "model" and not (node["description"] and node["columns"])
    ] == []


def test_every_published_table_and_column_has_a_vietnamese_label() -> None:
    """Before the first slash of its description: catalogue, comments in the database and BI tools show it.

    What the views of the database say in the end, those of migrations too: tests/test_docs.py.
    """
    published = {table.name for table in published_tables()}
    missing = [
        f"{node['name']} {described['name']}"
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "model" and node["name"] in published
        for described in (node, *node["columns"].values())
        if described["description"].partition(" / ")[0].isascii() or " / " not in described["description"]
    ]
    assert missing == []


def test_what_is_published_is_under_contract_and_has_its_key_tested() -> None:
    nodes = manifest()["nodes"].values()
    models = {node["name"]: node for node in nodes if node["resource_type"] == "model"}
    tested = {
        node["attached_node"].split(".")[-1]: node["test_metadata"]["kwargs"]["columns"]
        for node in nodes
        if node["resource_type"] == "test" and (node.get("test_metadata") or {}).get("name") == "unique_key"
    }
    assert published_tables()
    for table in published_tables():
        model = models[table.name]
        assert model["config"]["contract"]["enforced"], table.name
        assert model["schema"] == table.schema, table.name
        assert tuple(tested[table.name]) == table.key
        for column in table.key:
            assert {"not_null"} == {rule["type"] for rule in model["columns"][column]["constraints"]}, column


def test_built_columns_are_the_described_ones(built: str) -> None:
    """Also in staging and settlement, which no contract holds."""
    described = {
        (node["schema"], node["alias"], column)
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "model"
        for column in node["columns"]
    }
    found = rows(
        built,
        "select table_schema::text, table_name::text, column_name::text from information_schema.columns"
        " where (table_schema, table_name) in %s",
        (tuple({(schema, name) for schema, name, _ in described}),),
    )
    assert set(found) == described


def test_text_under_contract_keeps_its_bytewise_order(built: str) -> None:
    [(bytewise, texts)] = rows(
        built,
        "select count(*) filter (where collation_name = 'C'), count(*) from information_schema.columns"
        " where table_schema in ('candidate', 'delta') and data_type = 'text'",
    )
    assert bytewise == texts > 0
