"""A load that dies between any two statements leaves nothing half-loaded: the next one ends as if it had not."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from landing_folder import Landing, csv_text, row
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.raw.load import load_landing
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

SOURCES = ("bills", "payments")
FIRST, LATER = date(2026, 1, 15), date(2026, 1, 21)
STATE = (
    "select path, sha256, rows_loaded, rows_duplicate, rows_quarantined, money_loaded_vnd, money_duplicate_vnd, "
    "money_quarantined_vnd, paid_through, refused_reason, (select path from landing.file as original "
    "where original.file_id = file.content_of) as original from landing.file order by file.path",
    "select path, line, column_name, reason, raw, status from landing.quarantine inner join landing.file "
    "using (file_id) order by 1, 2",
    "select kind, path, rows_added from landing.change inner join landing.file using (file_id) order by change_id",
    "select path, line, bill_id, total_amount, is_duplicate, change_id > 0 from raw.bills inner join landing.file "
    "using (file_id) order by 1, 2",
    "select path, line, transaction_id, is_duplicate, change_id > 0 from raw.payments inner join landing.file "
    "using (file_id) order by 1, 2",
    "select indexname from pg_indexes where schemaname = 'raw' and tablename in ('bills', 'payments') "
    "order by 1",
)


class CrashError(Exception):
    """The process ends here."""


class Crashing(Cursor):
    """A cursor whose nth statement ends the connection instead, as a killed process would."""

    left: int | None = None
    count = 0

    def _one(self) -> None:
        Crashing.count += 1
        if Crashing.left is not None:
            if Crashing.left == 0:
                self.connection.close()
                raise CrashError
            Crashing.left -= 1

    def execute(self, *arguments: Any, **options: Any) -> None:
        self._one()
        super().execute(*arguments, **options)

    def copy_expert(self, *arguments: Any, **options: Any) -> None:
        self._one()
        super().copy_expert(*arguments, **options)


@pytest.fixture
def bundle(landing: Landing) -> Iterator[Landing]:
    """Good and bad rows, a payment of the future, duplicates, a copy, a workbook's rival and a refused file."""
    bills = csv_text("bills", [row("bills"), row("bills", bill_id="BE2", status="lost"), row("bills")])
    future = row("payments", transaction_id="T3", paid_at="2026-01-20 10:00:00")
    payments = csv_text("payments", [row("payments"), row("payments", amount="0"), future])
    landing.put("bills/a.csv", bills)
    landing.put("bills/b.csv", csv_text("bills", [row("bills"), row("bills", bill_id="BE3")]))
    landing.put("bills/broken.csv", csv_text("bills", [row("bills")]) + '"open')
    landing.put("payments/a.csv", payments)
    landing.put("payments/copy.csv", payments)
    yield landing
    Crashing.left = None


def load(settings: Settings, today: date, crash_at: int | None = None) -> int:
    """One load in a session of its own; how many statements it had."""
    conn: Connection
    with closing(connect(settings)) as conn:
        conn.cursor_factory = Crashing
        Crashing.left, Crashing.count = crash_at, 0
        load_landing(settings.model_copy(update={"today": today}), conn, SOURCES)
    return Crashing.count


def state(landing: Landing) -> list[list[tuple[Any, ...]]]:
    return [landing.query(query) for query in STATE]


def empty(landing: Landing) -> None:
    with landing.conn, landing.conn.cursor() as cursor:
        cursor.execute("drop schema raw cascade")
        cursor.execute("create schema raw")
        cursor.execute(
            "truncate landing.file, landing.quarantine, landing.change, landing.withdrawn_row restart identity"
        )


def crash_everywhere(landing: Landing, step: int, begin: int = 0) -> int:
    """Lets every `step`-th statement of a first and of a later load be the last one; how many it tried."""
    empty(landing)
    first = load(landing.settings, FIRST)
    later = load(landing.settings, LATER)
    undisturbed = state(landing)
    assert [len(found) for found in undisturbed] == [5, 5, 4, 4, 3, 10]
    tried = 0
    for day, statements in ((FIRST, first), (LATER, later)):
        for number in range(begin % step, statements, step):
            empty(landing)
            if day == LATER:
                load(landing.settings, FIRST)
            with pytest.raises((CrashError, psycopg2.InterfaceError)):
                load(landing.settings, day, crash_at=number)
            Crashing.left = None
            load(landing.settings, FIRST)
            load(landing.settings, LATER)
            assert state(landing) == undisturbed, (day, number)
            tried += 1
    assert list(Path(landing.settings.temporary_folder()).iterdir()) == []
    return tried


def test_a_crash_at_some_statements(bundle: Landing) -> None:
    assert crash_everywhere(bundle, step=23, begin=5) >= 5


@pytest.mark.extended
def test_a_crash_at_any_statement(bundle: Landing) -> None:
    assert crash_everywhere(bundle, step=1) > 100
