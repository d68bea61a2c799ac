"""A contract that changes on a warehouse that has published: raw follows, and the next publication is what it was."""

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from dagster_project.contracts.catalog import CONTRACTS_DIR
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.agreement import assert_identical, snapshot

# What stands on raw in the database, besides its own indexes: nothing may, or a type could not be changed.
STANDS_ON_RAW = """
    select distinct dependent.relname::text
    from pg_depend
    inner join pg_class as raw_table on raw_table.oid = refobjid and raw_table.relnamespace = 'raw'::regnamespace
    inner join pg_rewrite on pg_rewrite.oid = objid and classid = 'pg_rewrite'::regclass
    inner join pg_class as dependent on dependent.oid = ev_class
"""


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as conn, conn.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def own_contract(settings: Settings, *columns: dict[str, Any]) -> None:
    """The operator's contract of payments: the shipped one and these columns."""
    document = yaml.safe_load((CONTRACTS_DIR / "payments.yaml").read_text(encoding="utf-8"))
    document["schema"][0]["properties"] += columns
    path = settings.overlay_folder() / "contracts" / "payments.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")


def column(name: str, logical: str, physical: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "x.", "logicalType": logical, "physicalType": physical, **more}


def test_raw_follows_a_contract_and_the_figures_stay(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    landing = Path(warehouse.landing)
    write_sample(landing, customers=60, first=date(2025, 6, 1), last=date(2025, 7, 1), seed=3, dirty=True)
    own_contract(warehouse, column("teller", "integer", "bigint"))
    assert pipeline.run(warehouse, monkeypatch, tmp_path / "dbt")
    before = snapshot(warehouse)
    assert rows(warehouse, STANDS_ON_RAW) == []

    former = [{"property": "formerNames", "value": ["teller"]}]
    own_contract(
        warehouse,
        column("cashier", "string", "text", customProperties=former),
        column("shift", "date", "date"),
    )
    (path,) = sorted((landing / "payments").glob("*.csv"))[:1]
    header, first, *_ = path.read_text(encoding="utf-8").splitlines()
    (landing / "payments" / "again.csv").write_text(f"{header},teller\n{first},\n", encoding="utf-8")
    assert pipeline.run(warehouse, monkeypatch, tmp_path / "dbt") == []  # a duplicate: nothing to publish
    (landing / "payments" / "more.csv").write_text(f"{header},teller\n{first},An\n", encoding="utf-8")
    assert pipeline.run(warehouse, monkeypatch, tmp_path / "dbt")
    assert_identical(snapshot(warehouse), before, "after the contract changed")
    assert rows(warehouse, "select cashier from raw.payments where cashier is not null") == [("An",)]
