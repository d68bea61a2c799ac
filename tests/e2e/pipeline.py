"""The whole pipeline in this process, without Dagster's seconds: for loops over many random bundles.

The same functions in the same order as orchestration/assets.py and checks.py; test_run.py runs the real job.
"""

from contextlib import closing
from pathlib import Path

import pandas as pd

from dagster_project.audit.gate import CheckResult, run_gate
from dagster_project.contracts.catalog import contracts
from dagster_project.orchestration.assets import record
from dagster_project.orchestration.published import published_tables
from dagster_project.orchestration.report import DbtTests, RunReport
from dagster_project.orchestration.session import open_session
from dagster_project.publish.build import GateResult, record_gate
from dagster_project.publish.publish import publish
from dagster_project.raw.load import load_source
from dagster_project.settings import Settings
from dagster_project.transform import dbt as dbt_project
from dagster_project.transform.customer_keys import assign_customer_keys
from dagster_project.transform.window import open_window
from dagster_project.warehouse.connection import connect
from tests.oracle.compare import published
from tests.oracle.recompute import KEYS


def run(settings: Settings, monkeypatch, target: Path) -> list[CheckResult]:  # type: ignore[no-untyped-def]
    """Load, build, audit, publish; returns what the gate found."""
    with open_session(settings, RunReport()) as session:
        conn = session.conn
        for source in contracts():
            load_source(conn, settings, source, session.found)
        assign_customer_keys(conn, settings)
        window = session.window()
        if window is None:
            return []
        open_window(conn, window)
        dbt_project.build(session.url, dbt_project.build_args(is_full=window.is_full), target)
        build = record(session, window, DbtTests(0, 0, ()))
        checks = run_gate(settings.database_url or "")
        blocking = [check for check in checks if check.is_blocking]
        gate = GateResult(build.build_id, not blocking, len(checks) - len(blocking), 0, len(blocking))
        record_gate(conn, gate)
        assert not blocking, [
            (check.suite.name, check.expectation.name, check.observed) for check in blocking
        ]
        publish(conn, build, gate, published_tables())
    return checks


def figures(settings: Settings) -> dict[str, pd.DataFrame]:
    """The published tables that the oracle recomputes."""
    with closing(connect(settings)) as conn:
        return {name: published(conn, name) for name in KEYS}


def audit(settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """bi.load_audit and bi.quarantine."""
    with closing(connect(settings)) as conn:
        return published(conn, "load_audit"), published(conn, "quarantine")
