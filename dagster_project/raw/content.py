"""The rows of one file's content into raw and quarantine, inside the caller's transaction.

Here is no ledger and no commit: which files are loaded, and when that counts, is load.py's and reload.py's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.model import Contract
from dagster_project.landing.records import RecordSource, RefusedError, Total
from dagster_project.raw import correction, quarantine
from dagster_project.raw.checks import RowChecks, fingerprint
from dagster_project.raw.ddl import change_index, key_index_statement, quote
from dagster_project.raw.ledger import NOTHING, Counts
from dagster_project.raw.tables import ensure_tables

_MONEY = "coalesce(sum(money), 0)::bigint"

# Gives the id of the change that so many added rows belong to.
NameChange = Callable[[int], int]


class Accepted(NamedTuple):
    """What became of the rows that were put to the test, and the moment the good ones reach to."""

    counts: Counts
    paid_through: datetime | None


@dataclass
class Load:
    """What the steps of one source's load share."""

    conn: Connection
    checks: RowChecks
    today: date
    # Where files are copied to while they are read.
    temporary: Path
    unanalyzed: int = 0
    # In the middle of a load the planner gets new statistics when so many rows are new, and next time twice as many.
    analyze_after: int = 200_000
    fingerprint: str = field(init=False)

    def __post_init__(self) -> None:
        self.fingerprint = fingerprint(self.checks.contract)

    @property
    def contract(self) -> Contract:
        return self.checks.contract


def prepare(load: Load) -> None:
    """The tables that a load works with, those of the session too. Commits."""
    make_tables(load)
    load.conn.commit()


def make_tables(load: Load) -> None:
    """As `prepare`; the caller commits."""
    ensure_tables(load.conn, [load.contract])
    with load.conn.cursor() as cursor:
        # Compiling the long check expression would take longer than most files do.
        cursor.execute("set jit to off")
        for statement in load.checks.create_tables():
            cursor.execute(statement)
        cursor.execute("create temp table if not exists repeated_row (row_no bigint, is_duplicate boolean)")
        cursor.execute(quarantine.create_table())


def load_content(
    load: Load, cursor: Cursor, file_id: int, records: RecordSource, name_change: NameChange
) -> Accepted:
    """All rows of a file: the good ones to raw, the others to quarantine; RefusedError if it is not to be taken."""
    # Imported when there is a file to read: it brings Arrow.
    from dagster_project.raw.judge import judge_rows  # noqa: PLC0415

    checks = load.checks
    judge_rows(cursor, checks, records, load.today, load.temporary)
    for total in records.totals:
        _compare_total(cursor, checks, total)
    good = accept(load, cursor, file_id, name_change)
    if good.counts != NOTHING:
        correction.close_by_new_rows(cursor, checks, file_id)
    cursor.execute(f"select count(*), {_MONEY} from {checks.checked_table} where bad is not null")
    bad_rows, bad_money = _row(cursor)
    if bad_rows:
        width = len(records.copy_columns) + len(records.extra_names)
        quarantine.add_bad_rows(cursor, checks, file_id, records, width=width, today=load.today)
        correction.settle_entries_of(cursor, load.contract, file_id)
    counts = good.counts._replace(rows_quarantined=bad_rows, money_quarantined_vnd=bad_money)
    return good._replace(counts=counts)


def accept(load: Load, cursor: Cursor, file_id: int, name_change: NameChange) -> Accepted:
    """Moves the good rows of the table of judged rows to raw; counts them."""
    checks = load.checks
    cursor.execute(f"select not exists (select from raw.{quote(load.contract.source)})")
    (is_raw_empty,) = _row(cursor)
    # Without statistics the planner takes a temporary table for small: it sorts, and joins row by row.
    keys = ", ".join(quote(name) for name in load.contract.key)
    cursor.execute(f"analyze {checks.checked_table} ({keys}, bad)")
    cursor.execute("truncate pg_temp.repeated_row")
    # Nothing tells the planner how many different keys there are, and a hash table that outgrows its memory is slow.
    cursor.execute("set local enable_hashagg to off")
    cursor.execute(checks.find_repeated(is_raw_empty))
    has_repeated = cursor.rowcount > 0
    cursor.execute("set local enable_hashagg to default")
    if has_repeated:
        cursor.execute("analyze pg_temp.repeated_row")
    cursor.execute(checks.count_rows())
    rows, money, paid_through = _row(cursor)
    repeated, money_repeated = 0, 0
    if has_repeated:
        cursor.execute(
            f"select count(*), {_MONEY} from {checks.checked_table} "
            "inner join pg_temp.repeated_row using (row_no) where is_duplicate"
        )
        repeated, money_repeated = _row(cursor)
    loaded, money_loaded = rows - repeated, money - money_repeated
    cursor.execute(checks.accept_rows(has_repeated), (file_id, name_change(loaded)))
    if is_raw_empty:
        # By it the steps that follow find rows.
        cursor.execute(key_index_statement(load.contract))
    counts = Counts(
        rows_loaded=loaded,
        rows_duplicate=repeated,
        money_loaded_vnd=money_loaded,
        money_duplicate_vnd=money_repeated,
    )
    return Accepted(counts, paid_through)


def refresh_statistics(load: Load, *, is_last: bool) -> None:
    """Tells the planner of the new rows, if there are many, or any and they are the last; commits."""
    if load.unanalyzed >= (1 if is_last else load.analyze_after):
        with load.conn.cursor() as cursor:
            cursor.execute(f"analyze raw.{quote(load.contract.source)}")
            # By itself the server does it later, and leaves out what it is not quick enough for.
            cursor.execute("select brin_summarize_new_values(%s)", (f"raw.{change_index(load.contract)}",))
        load.conn.commit()
        load.unanalyzed = 0
        load.analyze_after *= 2


def _compare_total(cursor: Cursor, checks: RowChecks, total: Total) -> None:
    """A total row must agree with the rows of its sheet, or with those since the total row before it."""
    cursor.execute(
        "select landing.as_money(%s), coalesce(sum(money), 0)::bigint, "
        "coalesce(sum(money) filter (where row_no >= %s), 0)::bigint, count(*) filter (where bad is not null) "
        f"from {checks.checked_table} where row_no between %s and %s",
        (total.amount, total.section_row_no, total.first_row_no, total.last_row_no),
    )
    written, whole, section, bad_rows = _row(cursor)
    if written is None:
        raise RefusedError(f"sheet {total.sheet}, row {total.line}: the total cannot be read as an amount")
    if written not in (whole, section):
        why = f" (bad rows among them: {bad_rows})" if bad_rows else ""
        raise RefusedError(
            f"sheet {total.sheet}, row {total.line}: the total is {written}, but its rows sum up to {whole}{why}"
        )


def _row(cursor: Cursor) -> tuple[Any, ...]:
    row = cursor.fetchone()
    assert row is not None
    return row
