"""What one run holds while it runs: the connection, the run lock and the report. The steps are in assets.py."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection

from dagster_project.audit.suites import suites_text
from dagster_project.landing.finder import Found
from dagster_project.orchestration.report import RunReport
from dagster_project.raw.ddl import ensure_tables
from dagster_project.raw.load import find_landing
from dagster_project.settings import Settings
from dagster_project.transform.dbt import project_fingerprint
from dagster_project.warehouse.connection import connect_url, database_url, run_lock
from dagster_project.warehouse.migrate import migrate


@dataclass
class RunSession:
    """One run: `conn` holds the run lock for as long as the session is open."""

    settings: Settings
    url: str
    conn: Connection
    report: RunReport
    found: Found

    def input_fingerprint(self) -> str:
        """Of everything a build is made from: accepted rows, models, seeds, expectations, settings that figures see.

        Rows are only ever added and a repaired row counts as loaded, so the ledger's counts tell every change.
        """
        with self.conn, self.conn.cursor() as cursor:
            cursor.execute(
                "select source, sum(rows_loaded) from landing.file group by source order by source"
            )
            loaded = cursor.fetchall()
        parts = [project_fingerprint(), suites_text(), str(self.settings.final_after_days), repr(loaded)]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def has_rows(self) -> bool:
        """Whether any row was ever accepted."""
        with self.conn, self.conn.cursor() as cursor:
            cursor.execute("select exists (select from landing.file where rows_loaded > 0)")
            return cursor.fetchone() == (True,)

    def published_fingerprint(self) -> str | None:
        """The input fingerprint of the build that BI sees; None before the first publication."""
        with self.conn, self.conn.cursor() as cursor:
            cursor.execute(
                "select build.input_fingerprint from published.publication"
                " join audit.build using (build_id) order by publication_id desc limit 1"
            )
            row = cursor.fetchone()
        return None if row is None else row[0]


@contextmanager
def open_session(settings: Settings, report: RunReport) -> Iterator[RunSession]:
    """Looks at the landing, connects, takes the run lock and brings the warehouse's own schemas up to date."""
    found = find_landing(settings)
    report.findings += found.findings
    url = database_url(settings)
    with closing(connect_url(url, "cashless run")) as conn, run_lock(conn):
        migrate(conn)
        with conn:
            ensure_tables(conn)
        yield RunSession(settings, url, conn, report, found)
