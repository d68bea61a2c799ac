"""The invariants can fail: one spoiled cell of a candidate table, and the gate's metric for it is no longer zero."""

from contextlib import closing
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.test_random_bundles import TODAY
from tests.oracle.bundle import random_bundle
from tests.oracle.write_bundle import write

# A row as_recorded where there are two geographies: only that one is held against the facts.
ONE_ROW = (
    "where ctid = (select ctid from delta.{table} as spoiled where {condition}"
    " order by to_jsonb(spoiled) ->> 'geography', ctid limit 1)"
)
SPOILED = [
    # table, column that gets one more, metric that must notice
    ("kpi_commune_month", "customers_cashless", "customers_difference"),
    ("kpi_power_unit_month", "customers_billed", "customers_difference"),
    ("kpi_district_month", "bills_cashless_strict", "bills_difference"),
    ("kpi_commune_month", "amount_cashless_vnd", "amount_difference_vnd"),
    ("kpi_company_month", "bills_issued", "facts_difference"),
    ("kpi_company_month", "bills_settled", "rows_unbalanced"),
    ("kpi_commune_month", "cashless_rate_customers", "rows_rate_wrong"),
    ("kpi_channel_month", "amount_vnd", "channel_difference_vnd"),
    ("kpi_channel_month", "share_amount", "channel_shares_wrong"),
    ("reconciliation_partner_day", "suspense_vnd", "reconciliation_difference_vnd"),
    ("reconciliation_partner_day", "total_vnd", "reconciliation_difference_vnd"),
]
VANISHED = [
    ("kpi_district_month", "bills_difference"),
    ("kpi_power_unit_month", "amount_difference_vnd"),
    ("kpi_company_month", "facts_difference"),
    ("reconciliation_partner_day", "reconciliation_difference_vnd"),
]


def test_each_invariant_notices_what_it_is_for(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = warehouse.model_copy(update={"today": TODAY})
    write(random_bundle(11), Path(settings.landing), 11)
    pipeline.run(settings, monkeypatch, tmp_path)
    metrics = (Path(pipeline.dbt_project.PROJECT_DIR) / "models" / "metrics" / "metric_kpi.sql").stem
    query = Path(tmp_path / "compiled" / "cashless" / "models" / "metrics" / f"{metrics}.sql").read_text(
        encoding="utf-8"
    )
    with closing(connect(settings)) as conn, conn.cursor() as cursor:

        def measured() -> dict[str, int]:
            cursor.execute(query)
            names = [column[0] for column in cursor.description or []]
            (row,) = cursor.fetchall()
            return dict(zip(names, row, strict=True))

        clean = measured()
        assert {name for name, value in clean.items() if value} == {"rows_published"}
        for table, column, metric in SPOILED:
            one_row = ONE_ROW.format(table=table, condition=f"{column} > 0")
            cursor.execute(f"update delta.{table} set {column} = {column} + 1 {one_row}")
            assert cursor.rowcount == 1, table
            assert measured()[metric] > 0, (table, column, metric)
            conn.rollback()
        for table, metric in VANISHED:
            cursor.execute(f"delete from delta.{table} {ONE_ROW.format(table=table, condition='true')}")
            assert measured()[metric] > 0, (table, metric)
            conn.rollback()
        for unit in (
            "level = 'company' and bill_month = (select max(bill_month) from delta.kpi_channel_month)",
            "true",
        ):
            cursor.execute(f"delete from delta.kpi_channel_month where {unit}")
            assert cursor.rowcount > 1
            assert measured()["channel_difference_vnd"] > 0, unit
            assert measured()["channel_shares_wrong"] > 0, unit
            conn.rollback()
