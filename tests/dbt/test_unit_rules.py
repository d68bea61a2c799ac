"""The dbt project as a whole: its unit tests, one file per rule, its contracts and its own data tests.

Does not belong here: figures (tests/oracle), and what a single model means (the unit tests themselves).
"""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dagster_project.raw.ddl import ensure_tables
from dagster_project.settings import Settings
from dagster_project.transform.dbt import BUILD_ARGS, manifest, published_tables, run_dbt
from dagster_project.warehouse.connection import connect, database_url

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
}


@pytest.fixture
def built(warehouse: Settings, tmp_path: Path) -> Settings:
    """A warehouse whose models are built over empty raw tables: all that dbt's own tests need."""
    with closing(connect(warehouse)) as conn, conn:
        ensure_tables(conn)
    done = run_dbt(database_url(warehouse), BUILD_ARGS, tmp_path / "target")
    assert done.returncode == 0, done.stdout
    return warehouse


def results(target: Path) -> dict[str, dict[str, Any]]:
    """What the last dbt invocation found, by the name of the test."""
    document = json.loads((target / "run_results.json").read_text(encoding="utf-8"))
    return {result["unique_id"].split(".")[-1]: result for result in document["results"]}


def execute(settings: Settings, statement: str) -> None:
    with closing(connect(settings)) as conn, conn, conn.cursor() as cursor:
        cursor.execute(statement)


def test_each_rule_has_its_file() -> None:
    stems = {Path(test["original_file_path"]).stem for test in manifest()["unit_tests"].values()}
    assert stems == RULES


def test_unit_tests_pass(built: Settings, tmp_path: Path) -> None:
    target = tmp_path / "target"
    run_dbt(database_url(built), ["test", "--select", "test_type:unit"], target)
    found = results(target)
    assert {name: result["message"] for name, result in found.items() if result["status"] != "pass"} == {}
    assert found.keys() == {test["name"] for test in manifest()["unit_tests"].values()}


def test_a_second_row_of_a_key_is_found(built: Settings, tmp_path: Path) -> None:
    execute(built, "insert into candidate.dim_channel select * from candidate.dim_channel where channel_code = 'qr'")
    execute(built, "update candidate.dim_channel set channel_class = 'Cashless' where channel_code = 'momo'")
    target = tmp_path / "target"
    done = run_dbt(database_url(built), ["test", "--select", "dim_channel,test_type:data"], target)
    assert done.returncode == 1
    assert {name: result["failures"] for name, result in results_by_test(target).items()} == {
        "unique_key_dim_channel": 1,
        "accepted_channel_class_dim_channel": 1,
    }


def test_a_commune_without_successor_is_found(built: Settings, tmp_path: Path) -> None:
    execute(built, "delete from candidate.dim_commune_succession where from_commune_code = '14587'")
    execute(built, "update candidate.dim_commune_succession set to_commune_code = '0' where from_commune_code = '14320'")
    target = tmp_path / "target"
    done = run_dbt(database_url(built), ["test", "--select", "succession_leads_everywhere"], target)
    assert done.returncode == 1
    # Both happen in each of the two changes of the map.
    assert results(target)["succession_leads_everywhere"]["failures"] == 4


def results_by_test(target: Path) -> dict[str, dict[str, Any]]:
    """As `results`; a generic test's id ends in a hash after its name."""
    document = json.loads((target / "run_results.json").read_text(encoding="utf-8"))
    return {result["unique_id"].split(".")[2]: result for result in document["results"]}


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
        assert model["schema"] == "candidate", table.name
        assert tuple(tested[table.name]) == table.key
        for column in table.key:
            assert {"not_null"} == {rule["type"] for rule in model["columns"][column]["constraints"]}, column


def test_columns_of_a_build_are_those_of_the_contract(built: Settings) -> None:
    """Descriptions of staging and settlement models, which no contract holds, name exactly the built columns."""
    described = {
        (node["schema"], node["name"], column)
        for node in manifest()["nodes"].values()
        if node["resource_type"] == "model"
        for column in node["columns"]
    }
    with closing(connect(built)) as conn, conn.cursor() as cursor:
        cursor.execute(
            "select table_schema::text, table_name::text, column_name::text from information_schema.columns"
            " where (table_schema, table_name) in %s",
            (tuple({(schema, name) for schema, name, _ in described}),),
        )
        assert set(cursor.fetchall()) == described


def test_text_under_contract_keeps_its_bytewise_order(built: Settings) -> None:
    with closing(connect(built)) as conn, conn.cursor() as cursor:
        cursor.execute(
            "select count(*) filter (where collation_name = 'C'), count(*) from information_schema.columns"
            " where table_schema = 'candidate' and data_type = 'text'"
        )
        bytewise, texts = cursor.fetchone() or (0, 0)
    assert bytewise == texts > 0
