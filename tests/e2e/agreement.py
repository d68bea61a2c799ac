"""Whether a warehouse shows what it must: against the oracle's recomputation, and against another warehouse.

Does not belong here: running the pipeline (pipeline.py), making rows and files (histories.py, cases.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from typing import Any

import pandas as pd

from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.oracle import facts
from tests.oracle.columns import records
from tests.oracle.compare import assert_same, published
from tests.oracle.recompute import KEYS, recompute

# Views of bi that tell of runs and files, not of figures: they differ by nature.
BOOKKEEPING = (
    *("publication", "load_audit", "quarantine", "hold", "quality_result", "sign_off", "signed_figure"),
    "signed_change",
    # What publications changed: it depends on how many there were.
    *("kpi_revision", "fct_bill_history", "fct_bill_cause"),
)
# Facts whose rows name a customer stand with the code here, as the oracle has no pseudonyms.
OF_A_CUSTOMER = (
    *("fct_bill", "dim_customer", "fct_campaign_contact", "fct_campaign_baseline", "fct_customer_paying"),
    *("fct_notification", "fct_phone_review", "fct_phone_stage", "fct_feedback"),
    *("fct_phone_verification", "fct_counter_customer"),
)
FACTS = {
    "fct_payment": "select * from bi.fct_payment",
    "fct_allocation": "select bill_id, channel_code, channel_class, paid_on, sum(amount_vnd)::bigint as amount_vnd"
    " from bi.fct_allocation group by 1, 2, 3, 4",
    **{name: f"select * from bi.{name}" for name in ("dim_collection_point", "dim_campaign", "dim_employee")},
    **{
        name: f"select customer_code, t.* from bi.{name} as t"
        " left join bi_private.customer_key using (customer_key)"
        for name in OF_A_CUSTOMER
    },
}


# Bills that a publication changed though no row of a file is said to have done it; figures of final months likewise.
UNEXPLAINED = """
    select publication_id, bill_id, max(to_jsonb(history)::text) filter (where is_new) as became
    from published.fct_bill_history as history
    where (publication_id, bill_id) not in (select publication_id, bill_id from published.fct_bill_cause)
    group by 1, 2
    union all
    select publication_id, table_name || ' ' || bill_month || ' ' || code, column_name
    from published.kpi_revision
    where files = '{}'
"""


def assert_published(settings: Settings, rows: Mapping[str, pd.DataFrame], what: str) -> None:
    """Raise unless every figure and fact that BI sees is the one recomputed from these accepted rows, and of every
    change it says which rows of files made it.
    """
    expected = recompute(rows, settings.final_after_days)
    behind = facts.recompute_facts(rows)
    with closing(connect(settings)) as conn:
        for name, keys in KEYS.items():
            assert_same(published(conn, name), expected[name], keys, f"{name} {what}")
        for name, query in FACTS.items():
            with conn.cursor() as cursor:
                cursor.execute(query)
                names = [column[0] for column in cursor.description or []]
                table = pd.DataFrame(cursor.fetchall(), columns=names, dtype=object)
            assert_same(table, behind[name], facts.KEYS[name], f"{name} {what}")
        with conn.cursor() as cursor:
            cursor.execute(UNEXPLAINED)
            unexplained = cursor.fetchall()
    assert not unexplained, f"changes without a cause {what}: {len(unexplained)}, the first: {unexplained[0]}"


Snapshot = dict[str, Counter[tuple[Any, ...]]]


def snapshot(settings: Settings) -> Snapshot:
    """Every row of every table of figures that BI sees, columns in the order of their names."""
    found: Snapshot = {}
    with closing(connect(settings)) as conn:
        with conn.cursor() as cursor:
            cursor.execute("select viewname from pg_views where schemaname = 'bi' order by viewname")
            views = [name for (name,) in cursor.fetchall() if name not in BOOKKEEPING]
        assert len(views) > 15, views
        for view in views:
            table = published(conn, view)
            table = table[sorted(table.columns)]
            found[view] = Counter(table.itertuples(index=False, name=None))
    return found


def assert_identical(ours: Snapshot, theirs: Snapshot, what: str) -> None:
    """Raise unless two warehouses show the same rows of the same tables."""
    assert ours.keys() == theirs.keys(), what
    for name, rows in ours.items():
        extra, missing = rows - theirs[name], theirs[name] - rows
        assert not extra, f"{name} {what}: {len(extra)} rows too many, the first: {next(iter(extra))}"
        assert not missing, f"{name} {what}: {len(missing)} rows missing, the first: {next(iter(missing))}"


AuditLine = tuple[Any, ...]


def assert_files_balance(
    settings: Settings, audit: Counter[AuditLine], rows_loaded: Mapping[str, int], what: str
) -> None:
    """Raise unless the ledger has exactly these lines, and every distinct row was loaded once.

    The lines are in the order of the writer's AUDIT_COLUMNS: which file counts a row as loaded and which as
    duplicate is open.
    """
    with closing(connect(settings)) as conn:
        load_audit = records(published(conn, "load_audit"))
    lines: Counter[AuditLine] = Counter()
    loaded: Counter[str] = Counter()
    for row in load_audit:
        loaded[row["source"]] += row["rows_loaded"]
        lines[
            row["source"],
            row["file"],
            row["refused_reason"] is not None,
            row["rows_in_file"],
            row["rows_loaded"] + row["rows_duplicate"],
            row["rows_quarantined"],
            row["money_in_file_vnd"],
            row["money_loaded_vnd"] + row["money_duplicate_vnd"],
            row["money_quarantined_vnd"],
        ] += 1
    assert lines == audit, f"load_audit {what}: {lines - audit} instead of {audit - lines}"
    assert +loaded == Counter(rows_loaded), f"rows loaded {what}"
