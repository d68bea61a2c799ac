"""A hand-made candidate schema, and the steps from it to a publication as the pipeline takes them.

Does not belong here: dbt, Great Expectations, and rows that come from landing files.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from dagster_project.publish.build import Build, GateResult, record_build, record_gate
from dagster_project.publish.publish import Publication, publish
from dagster_project.publish.relations import PublishedTable
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

KPI = PublishedTable("kpi_unit_month", ("bill_month", "unit"), "bill_month", with_status=True)
CHANNEL = PublishedTable("dim_channel", ("channel_code",))

FIRST_KPIS = [
    (date(2024, 5, 1), "PNYK00", 195, 160, "0.8205"),
    (date(2024, 5, 1), "PNHL00", 100, 40, "0.4000"),
    (date(2024, 6, 1), "PNYK00", 196, 170, "0.8673"),
    (date(2024, 7, 1), "PNYK00", 0, 0, None),
]


@dataclass
class Room:
    """The publish room of one test's warehouse."""

    settings: Settings
    conn: Connection
    tables: list[PublishedTable] = field(default_factory=lambda: [KPI, CHANNEL])

    def execute(self, statement: str, *parameters: Any) -> None:
        with self.conn, self.conn.cursor() as cur:
            cur.execute(statement, parameters or None)

    def rows(self, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
        with self.conn, self.conn.cursor() as cur:
            cur.execute(query, parameters or None)
            return cur.fetchall()

    def make_kpis(self, rows: Iterable[tuple[Any, ...]], extra: str = "") -> None:
        """candidate.kpi_unit_month made anew, as dbt does it: another table under the same name."""
        self.execute(
            f"""
            drop table if exists candidate.kpi_unit_month;
            create table candidate.kpi_unit_month (
                bill_month date not null, unit text collate "C" not null, billed bigint not null,
                cashless bigint not null, rate numeric{extra}
            );
            comment on table candidate.kpi_unit_month is 'KPIs of a unit and month.';
            comment on column candidate.kpi_unit_month.billed is 'Customers billed.';
            """
        )
        with self.conn, self.conn.cursor() as cur:
            execute_values(cur, "insert into candidate.kpi_unit_month values %s", list(rows))

    def make_channels(self, *rows: tuple[str, str]) -> None:
        self.execute(
            "drop table if exists candidate.dim_channel;"
            'create table candidate.dim_channel (channel_code text collate "C" not null, name text)'
        )
        with self.conn, self.conn.cursor() as cur:
            execute_values(cur, "insert into candidate.dim_channel values %s", rows)

    def build(self, data_through: date | None = date(2024, 8, 1), final_after_days: int = 60) -> Build:
        build = Build("fingerprint", data_through, final_after_days)
        record_build(self.conn, build, self.tables)
        return build

    def audit(self, build: Build, passed: bool = True, failed: int = 0) -> GateResult:
        gate = GateResult(build.build_id, passed, 40, 2, failed)
        record_gate(self.conn, gate)
        return gate

    def publish(self, build: Build | None = None, **build_options: Any) -> Publication:
        """Build, audit and publish what is in schema candidate."""
        build = build or self.build(**build_options)
        return publish(self.conn, build, self.audit(build), self.tables)

    def kpis(self) -> list[tuple[Any, ...]]:
        return self.rows(
            "select bill_month, unit, billed, cashless, rate::text from bi.kpi_unit_month order by 1, 2"
        )


@pytest.fixture
def room(warehouse: Settings) -> Iterator[Room]:
    with closing(connect(warehouse, "test")) as conn:
        room = Room(warehouse, conn)
        room.make_kpis(FIRST_KPIS)
        room.make_channels(("momo", "MoMo"), ("qr", "QR"))
        yield room
