"""What one run holds while it runs: the connection, the run lock and the report. The steps are in assets.py."""

import hashlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cached_property

from psycopg2.extensions import connection as Connection

from dagster_project.audit.suites import suites_text
from dagster_project.contracts.catalog import contracts
from dagster_project.landing.finder import Found, files_in
from dagster_project.landing.location import open_place
from dagster_project.landing.place import Place
from dagster_project.orchestration.report import RunReport
from dagster_project.publish.build import Build, published_build
from dagster_project.raw.follow import order_of_rows
from dagster_project.raw.load import without_moving
from dagster_project.raw.tables import ensure_tables
from dagster_project.reference.closure_gate import load_closure_gate
from dagster_project.reference.overlay import load_overlay
from dagster_project.settings import Settings
from dagster_project.transform.dbt import project_fingerprint
from dagster_project.transform.window import EVERYTHING, Window, last_change, reference_fingerprint
from dagster_project.warehouse.connection import connect_url, database_url, run_lock
from dagster_project.warehouse.migrate import migrate


@dataclass
class RunSession:
    """One run: `conn` holds the run lock for as long as the session is open."""

    settings: Settings
    url: str
    conn: Connection
    report: RunReport
    # None: no file is looked at.
    landing: Place | None
    is_full: bool = False
    overlay_fingerprint: str = ""
    closure_gate: str = ""

    @cached_property
    def found(self) -> Found:
        """The files of the landing, looked for when the first source is loaded: after the pulls have put theirs."""
        known = contracts(self.settings.overlay_folder())
        if self.landing is None:
            return Found({source: [] for source in known}, ())
        found = without_moving(self.conn, self.settings, files_in(self.landing, known.keys()))
        self.report.findings += found.findings
        return found

    def input_fingerprint(self) -> str:
        """Of what a build is made from besides rows: models, seeds, expectations, the operator's reference data,
        thresholds of the settings, and by what raw's rows are put in order. A change of it changes everything.
        """
        known = contracts(self.settings.overlay_folder()).values()
        inputs = (
            *(project_fingerprint(), suites_text(), order_of_rows(known)),
            *(self.overlay_fingerprint, self.closure_gate),
        )
        return hashlib.sha256("\n".join(inputs).encode()).hexdigest()

    def window(self) -> Window | None:
        """What a build now has to look at; None: BI already sees what there is."""
        published = self._published()
        through = last_change(self.conn)
        fingerprint = self.input_fingerprint()
        known_through = None if published is None else published.changes_through
        everything = Window(True, EVERYTHING, through, fingerprint, known_through)
        if published is None:
            return everything if self._has_rows() else None
        if self.is_full or published.input_fingerprint != fingerprint:
            return everything
        # The setting moves months between provisional and final: that needs a publication, and no row.
        final_after_days = self.settings.final_after_days
        if (published.changes_through, published.final_after_days) == (through, final_after_days):
            return None
        # A full build that was not published, or died, has left its own reference tables behind.
        if reference_fingerprint(self.conn) != fingerprint:
            return everything
        return Window(False, published.changes_through, through, fingerprint, known_through)

    def _published(self) -> Build | None:
        with self.conn, self.conn.cursor() as cursor:
            return published_build(cursor)

    def _has_rows(self) -> bool:
        with self.conn, self.conn.cursor() as cursor:
            cursor.execute("select exists (select from landing.file where rows_loaded > 0)")
            return cursor.fetchone() == (True,)


@contextmanager
def open_session(
    settings: Settings, report: RunReport, *, with_landing: bool = True, is_full: bool = False
) -> Iterator[RunSession]:
    """Opens the landing, connects, takes the run lock, brings the warehouse's schemas and the overlay up to date."""
    landing = open_place(settings.landing) if with_landing else None
    known = contracts(settings.overlay_folder())
    url = database_url(settings)
    with closing(connect_url(url, "cashless run")) as conn, run_lock(conn):
        migrate(conn)
        with conn:
            ensure_tables(conn, known.values())
        # Before anything is loaded: what is wrong with it stops the run.
        overlay = load_overlay(conn, settings)
        if overlay.is_changed:
            report.progress("Dữ liệu tham chiếu đã đổi / the reference data of the overlay have changed")
        report.findings += overlay.notes
        gate = load_closure_gate(conn, settings)
        yield RunSession(settings, url, conn, report, landing, is_full, overlay.fingerprint, gate)
