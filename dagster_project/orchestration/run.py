"""Runs the one job in this process, for the command line and tests. The job itself is in job.py."""

import logging
from contextlib import closing

import dagster as dg
import psycopg2

from dagster_project.errors import CashlessError
from dagster_project.orchestration.job import JOB_NAME, build_definitions
from dagster_project.orchestration.report import RunReport, RunResult
from dagster_project.raw.load import find_landing
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect


def run_pipeline(
    settings: Settings,
    report: RunReport | None = None,
    *,
    with_landing: bool = True,
    is_full: bool = False,
) -> RunResult:
    """Loads what is new, builds, audits, publishes; raises CashlessError for what a person must put right.

    `with_landing` False: no file is looked at. `is_full`: everything is made anew, also what has not changed.
    """
    report = report or RunReport()
    # Dagster's own lines tell of steps; people are told by the report.
    for name in ("dagster", "dagster._core.execution.plan.active"):
        logging.getLogger(name).setLevel(logging.ERROR)
    job = build_definitions(settings, report, with_landing=with_landing, is_full=is_full).resolve_job_def(
        JOB_NAME
    )
    try:
        job.execute_in_process(
            instance=dg.DagsterInstance.ephemeral(),
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
    except dg.DagsterExecutionInterruptedError:
        raise KeyboardInterrupt from None
    except Exception as error:
        cause = _for_people(error)
        if cause is not None:
            raise cause from error
        # A failed blocking check ends Dagster's run; here it is an outcome, and the report has it.
        if not report.is_refused:
            raise
    with closing(connect(settings)) as conn, conn.cursor() as cursor:
        cursor.execute("select exists (select from landing.file where rows_loaded > 0)")
        return RunResult(report, has_rows=cursor.fetchone() == (True,))


def refuse_files_from_elsewhere(settings: Settings) -> None:
    """Raises CashlessError if the warehouse holds files that are not those of the landing: made-up data must not
    mix with the company's, nor one sample with another.
    """
    found = find_landing(settings)
    here = {(file.path, file.place.mark(file.path).size) for files in found.files.values() for file in files}
    with closing(connect(settings)) as conn, conn.cursor() as cursor:
        cursor.execute("select to_regclass('landing.file') is not null")
        if cursor.fetchone() != (True,):
            return
        cursor.execute("select path, size from landing.file")
        others = sorted({path for path, size in cursor.fetchall() if (path, size) not in here})
    if others:
        raise CashlessError(
            f"This warehouse holds {len(others)} files that are not the demo's (the first: {others[0]}): set "
            "CASHLESS_HOME to another folder, or CASHLESS_DATABASE_URL to an empty database."
        )


def _for_people(error: BaseException) -> CashlessError | None:
    """The error meant for people somewhere in a chain of Dagster's own wrappers (the chain may be a circle)."""
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    database_error: psycopg2.Error | None = None
    while waiting:
        link = waiting.pop()
        if link is None or id(link) in seen:
            continue
        if isinstance(link, CashlessError):
            return link
        if isinstance(link, psycopg2.Error):
            database_error = link
        seen.add(id(link))
        waiting += [link.__context__, link.__cause__]
    if database_error is not None:
        # Its message may hold values of rows: only the kind is told.
        kind = f"{type(database_error).__name__}, SQLSTATE {database_error.pgcode or 'none'}"
        return CashlessError(
            f"The database failed in the middle of the run ({kind}); nothing half-done is seen. Run again; if it "
            "comes back, the server's log says more."
        )
    return None
