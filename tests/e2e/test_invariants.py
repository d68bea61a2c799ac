"""The invariants can fail: one spoiled cell of a candidate table, and the gate's metric for it is no longer zero."""

from contextlib import closing
from pathlib import Path

import pytest
from psycopg2.extensions import cursor as Cursor

from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.test_random_bundles import TODAY
from tests.oracle.bundle import random_bundle
from tests.oracle.write_bundle import write

# A row as_recorded where there are two geographies: only that one is held against the facts.
ONE_ROW = (
    "where ctid = (select ctid from {table} as spoiled where {condition}"
    " order by to_jsonb(spoiled) ->> 'geography', ctid limit 1)"
)
SPOILED = [
    # table, column that gets one more, metric that must notice
    ("delta.kpi_commune_month", "customers_cashless", "customers_difference"),
    ("delta.kpi_power_unit_month", "customers_billed", "customers_difference"),
    ("delta.kpi_district_month", "bills_cashless_strict", "bills_difference"),
    ("delta.kpi_commune_month", "amount_cashless_vnd", "amount_difference_vnd"),
    ("delta.kpi_company_month", "bills_issued", "facts_difference"),
    ("delta.kpi_company_month", "bills_settled", "rows_unbalanced"),
    ("delta.kpi_commune_month", "customers_cashless_strict + 1000", "rows_numerator_too_great"),
    ("delta.kpi_commune_month", "cashless_rate_customers", "rows_rate_wrong"),
    ("delta.kpi_channel_month", "amount_vnd", "channel_difference_vnd"),
    ("delta.kpi_channel_month", "share_amount", "channel_shares_wrong"),
    ("delta.reconciliation_partner_day", "suspense_vnd", "reconciliation_difference_vnd"),
    ("delta.reconciliation_partner_day", "total_vnd", "reconciliation_difference_vnd"),
]
SPOILED_OUTREACH = [
    ("candidate.kpi_campaign", "contacts", "contacts_difference"),
    ("candidate.kpi_campaign", "converted", "rows_rate_wrong"),
    ("candidate.kpi_campaign", "contacted_paying_cash", "rows_rate_wrong"),
    ("candidate.kpi_employee_month", "contacts", "contacts_difference"),
    ("candidate.kpi_employee_month", "conversions + 1000", "conversions_too_many"),
    ("delta.kpi_notification_month", "customers_active", "customers_active_difference"),
    ("delta.kpi_notification_month", "coverage", "rows_rate_wrong"),
    ("delta.kpi_phone_month", "customers_active", "customers_active_difference"),
    ("delta.kpi_phone_month", "customers_verified + 1000", "rows_numerator_too_great"),
    ("candidate.kpi_feedback_month", "received", "feedback_difference"),
    ("candidate.kpi_feedback_month", "closed + 1000", "rows_numerator_too_great"),
    ("delta.kpi_counter_closure", "customers_served", "customers_served_difference"),
    ("delta.kpi_counter_closure", "cashless_rate + 1", "rows_numerator_too_great"),
    ("delta.kpi_counter_closure", "notification_coverage + 1", "rows_numerator_too_great"),
    ("delta.kpi_counter_closure", "on_time_rate_before + 1", "rows_numerator_too_great"),
    ("delta.kpi_progress", "bills_issued", "progress_difference"),
    ("delta.kpi_progress", "bills_cashless_strict", "progress_difference"),
]
VANISHED_OUTREACH = [
    ("delta.fct_campaign_contact", "contacts_missing"),
    ("delta.fct_notification", "notifications_missing"),
    ("delta.fct_phone_review", "phone_reviews_missing"),
    ("candidate.fct_feedback", "feedback_missing"),
    ("delta.kpi_counter_closure", "counters_missing"),
    ("delta.kpi_notification_month", "customers_active_difference"),
    ("delta.kpi_phone_month", "customers_active_difference"),
]
# Findings about the data, not faults of the figures.
FINDINGS = {
    *("rows_published", "contacts_of_unknown_campaigns", "contacts_of_unplaced_customers"),
    *("communes_unresolved", "equal_versions"),
}
VANISHED = [
    ("delta.kpi_district_month", "bills_difference"),
    ("delta.kpi_power_unit_month", "amount_difference_vnd"),
    ("delta.kpi_company_month", "facts_difference"),
    ("delta.reconciliation_partner_day", "reconciliation_difference_vnd"),
    ("settlement.kpi_unit_month", "rows_unpublished"),
]


class Metrics:
    """The metrics of one model, measured anew at each call from the candidate tables as they are."""

    def __init__(self, cursor: Cursor, target: Path, model: str) -> None:
        self._cursor = cursor
        path = target / "compiled" / "cashless" / "models" / "metrics" / f"{model}.sql"
        self._query = path.read_text(encoding="utf-8")

    def __call__(self) -> dict[str, int]:
        self._cursor.execute(self._query)
        names = [column[0] for column in self._cursor.description or []]
        (row,) = self._cursor.fetchall()
        return dict(zip(names, row, strict=True))

    def notice(self, table: str, column: str, metric: str) -> None:
        """One cell gets one more, or what `column` adds, and the metric is no longer zero."""
        name = column.split(" ", maxsplit=1)[0]
        one_row = ONE_ROW.format(table=table, condition=f"{name} > 0")
        more = column if " " in column else f"{column} + 1"
        self._cursor.execute(f"update {table} set {name} = {more} {one_row}")
        assert self._cursor.rowcount == 1, table
        assert self()[metric] > 0, (table, column, metric)
        self._cursor.connection.rollback()

    def miss(self, table: str, metric: str) -> None:
        """One row vanishes."""
        self._cursor.execute(f"delete from {table} {ONE_ROW.format(table=table, condition='true')}")
        assert self._cursor.rowcount == 1, table
        assert self()[metric] > 0, (table, metric)
        self._cursor.connection.rollback()


def test_each_invariant_notices_what_it_is_for(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = warehouse.model_copy(update={"today": TODAY})
    write(random_bundle(11), Path(settings.landing), 11)
    pipeline.run(settings, monkeypatch, tmp_path)
    with closing(connect(settings)) as conn, conn.cursor() as cursor:
        kpi, outreach = Metrics(cursor, tmp_path, "metric_kpi"), Metrics(cursor, tmp_path, "metric_outreach")
        for clean in (kpi(), outreach()):
            assert {name for name, value in clean.items() if value} <= FINDINGS
        for table, column, metric in SPOILED:
            kpi.notice(table, column, metric)
        for table, metric in VANISHED:
            kpi.miss(table, metric)
        for unit in (
            "level = 'company' and bill_month = (select max(bill_month) from delta.kpi_channel_month)",
            "true",
        ):
            cursor.execute(f"delete from delta.kpi_channel_month where {unit}")
            assert cursor.rowcount > 1
            spoiled = kpi()
            assert spoiled["channel_difference_vnd"] > 0, unit
            assert spoiled["channel_shares_wrong"] > 0, unit
            conn.rollback()

        for table, column, metric in SPOILED_OUTREACH:
            outreach.notice(table, column, metric)
        for table, metric in VANISHED_OUTREACH:
            outreach.miss(table, metric)
        cursor.execute("update candidate.kpi_feedback_month set backlog = backlog + 1")
        assert outreach()["backlog_difference"] > 0
        conn.rollback()
        for gate in ("is_ready", "is_cashless_rate_ok", "is_coverage_ok", "is_phone_ok", "is_feedback_ok"):
            cursor.execute(f"update delta.kpi_counter_closure set {gate} = not {gate}")
            counters = cursor.rowcount
            assert outreach()["rows_gate_wrong"] == counters > 0, gate
            conn.rollback()
        for count in ("bills_issued", "bills_settled", "bills_cashless", "bills_cashless_strict"):
            cursor.execute(f"update delta.kpi_progress set {count} = {count} + 1000")
            assert outreach()["rows_beyond_month"] > 0, count
            conn.rollback()
        for count in ("bills_settled", "bills_cashless", "bills_cashless_strict"):
            cursor.execute(f"update delta.kpi_progress set {count} = {count} + 1000 where level = 'company'")
            assert outreach()["rows_numerator_too_great"] > 0, count
            conn.rollback()
        for level in ("company", "power_unit"):
            cursor.execute(f"delete from delta.kpi_progress where level = '{level}'")
            assert outreach()["progress_difference"] > 0, level
            conn.rollback()
        # Each metric that stops a publication has been seen to notice something.
        seen = {metric for *_, metric in SPOILED_OUTREACH + VANISHED_OUTREACH} | {
            *("rows_gate_wrong", "rows_beyond_month", "backlog_difference"),
        }
        assert set(outreach()) - FINDINGS == seen
        assert set(kpi()) - FINDINGS == {metric for *_, metric in SPOILED + VANISHED} | {
            "channel_shares_wrong"
        }
