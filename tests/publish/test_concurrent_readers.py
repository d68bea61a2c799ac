"""Readers of schema bi while publications happen: nobody waits, nobody sees a mixture.

Does not belong here: what a publication contains (test_publish.py).
"""

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import psycopg2
import pytest

from dagster_project.publish.relations import PublishedTable

MONTH = date(2024, 5, 1)
UNITS = 500

TABLES = [
    PublishedTable("kpi_company_month", ("bill_month",), "bill_month", with_status=True),
    PublishedTable("kpi_unit_month", ("bill_month", "unit"), "bill_month", with_status=True),
]

# The company equals the sum of its units, and both are of the day of the newest publication.
CONSISTENCY = """
select (select billed from bi.kpi_company_month),
       (select sum(billed)::bigint from bi.kpi_unit_month),
       (select count(*) from bi.kpi_unit_month),
       (select min(data_through) = max(data_through)
               and min(data_through) = date '2024-05-31' + max(billed)::int
        from bi.kpi_unit_month)
"""


def make_state(room: Any, number: int) -> None:
    """Every unit has `number` customers; units beyond 500 - number vanish."""
    room.execute(
        f"""
        drop table if exists candidate.kpi_company_month, candidate.kpi_unit_month;
        create table candidate.kpi_unit_month as
        select date '{MONTH}' as bill_month, u as unit, {number}::bigint as billed
        from generate_series(1, {UNITS} - {number}) as u;
        create table candidate.kpi_company_month as
        select bill_month, sum(billed)::bigint as billed from candidate.kpi_unit_month group by bill_month
        """
    )


@pytest.fixture
def two_tables(room: Any) -> Any:
    room.tables = TABLES
    make_state(room, 1)
    room.publish(data_through=date(2024, 6, 1))
    return room


class Readers:
    """Threads that read until told to stop; what they saw, and how long the slowest answer took."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: set[tuple[Any, ...]] = set()
        self.within_one_snapshot: list[set[tuple[Any, ...]]] = []
        self.slowest_seconds = 0.0
        self.faults: list[BaseException] = []
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(isolated,)) for isolated in (False, False, True)
        ]

    def __enter__(self) -> "Readers":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, isolated: bool) -> None:
        try:
            with closing(psycopg2.connect(self.url)) as conn:
                conn.set_session(isolation_level="REPEATABLE READ" if isolated else "READ COMMITTED")
                while not self._stop.is_set():
                    # Isolated: several looks in one transaction, as a dashboard export takes them.
                    looks = {self._look(conn) for _ in range(5 if isolated else 1)}
                    conn.rollback()
                    self.seen |= looks
                    if isolated:
                        self.within_one_snapshot.append(looks)
        except psycopg2.Error as fault:
            self.faults.append(fault)

    def _look(self, conn: Any) -> tuple[Any, ...]:
        with conn.cursor() as cur:
            start = time.monotonic()
            cur.execute(CONSISTENCY)
            row = cur.fetchone()
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - start)
            return tuple(row)


def test_readers_see_one_whole_publication_or_another(two_tables: Any) -> None:
    with Readers(two_tables.settings.database_url) as readers:
        for number in range(2, 12):
            make_state(two_tables, number)
            two_tables.publish(data_through=_day(number))
    assert readers.faults == []
    assert len(readers.seen) > 1, "the readers saw no publication happen"
    for company, units, rows, is_of_one_day in readers.seen:
        number = UNITS - rows
        assert (company, units, is_of_one_day) == (number * rows, number * rows, True)
    assert all(len(looks) == 1 for looks in readers.within_one_snapshot)
    assert readers.slowest_seconds < 2


def _day(number: int) -> date:
    return date(2024, 6, number)


@pytest.fixture
def open_reader(two_tables: Any) -> Iterator[Any]:
    """A reader in the middle of a transaction that has looked at both tables."""
    with closing(psycopg2.connect(two_tables.settings.database_url)) as conn:
        conn.set_session(isolation_level="REPEATABLE READ")
        with conn.cursor() as cur:
            cur.execute(CONSISTENCY)
        yield conn


def test_a_slow_reader_does_not_hold_up_a_publication(two_tables: Any, open_reader: Any) -> None:
    make_state(two_tables, 2)
    build = two_tables.build(data_through=_day(2))
    two_tables.execute("set lock_timeout = '100ms'")  # a publication that had to wait would fail

    two_tables.publish(build)

    assert two_tables.rows(CONSISTENCY) == [(996, 996, 498, True)]
    with open_reader.cursor() as cur:
        cur.execute(CONSISTENCY)
        assert cur.fetchall() == [(499, 499, 499, True)], "the old state, whole, until the transaction ends"
        open_reader.rollback()
        cur.execute(CONSISTENCY)
        assert cur.fetchall() == [(996, 996, 498, True)]
