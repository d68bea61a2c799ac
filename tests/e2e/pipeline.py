"""The whole pipeline in this process, without Dagster's seconds: for loops over many random bundles.

The same functions in the same order as orchestration/assets.py and checks.py; test_run.py runs the real job.
"""

from contextlib import closing
from functools import lru_cache
from pathlib import Path

import pandas as pd
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from dagster_project.audit.gate import CheckResult, run_gate
from dagster_project.audit.suites import suites
from dagster_project.orchestration.published import published_tables
from dagster_project.publish.build import Build, GateResult, record_build, record_gate
from dagster_project.publish.publish import publish
from dagster_project.raw.load import load_landing
from dagster_project.settings import Settings
from dagster_project.transform import dbt as dbt_project
from dagster_project.transform.customer_keys import assign_customer_keys
from dagster_project.warehouse.connection import connect
from tests.oracle.compare import published
from tests.oracle.recompute import KEYS

QUIET = ["--quiet", "--no-use-colors"]


@lru_cache(maxsize=1)
def _parsed() -> Manifest:
    return _invoke(["parse"]).result


def _invoke(args: list[str], manifest: Manifest | None = None):  # type: ignore[no-untyped-def]
    done = dbtRunner(manifest=manifest).invoke([*QUIET, *args, "--project-dir", str(dbt_project.PROJECT_DIR)])
    assert done.success, done.exception or [
        (result.node.name, result.message) for result in done.result if result.status in {"error", "fail"}
    ]
    return done


def run(settings: Settings, monkeypatch, target: Path) -> list[CheckResult]:  # type: ignore[no-untyped-def]
    """Load, build, audit, publish; returns what the gate found."""
    for name, value in dbt_project.environment(settings.database_url or "").items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DBT_PROFILES_DIR", str(dbt_project.PROJECT_DIR))
    monkeypatch.setenv("DBT_LOG_PATH", str(target))
    monkeypatch.setenv("DBT_TARGET_PATH", str(target))
    with closing(connect(settings)) as conn:
        load_landing(settings, conn)
        assign_customer_keys(conn, settings)
        _invoke(dbt_project.BUILD_ARGS, _parsed())
        tables = published_tables()
        with conn, conn.cursor() as cursor:
            cursor.execute("select data_through from audit.metric_marts")
            row = cursor.fetchone()
        build = Build("in process", row[0] if row else None, settings.final_after_days)
        record_build(conn, build, [table.name for table in tables], [suite.table for suite in suites()])
        checks = run_gate(settings.database_url or "")
        blocking = [check for check in checks if check.is_blocking]
        gate = GateResult(build.build_id, not blocking, len(checks) - len(blocking), 0, len(blocking))
        record_gate(conn, gate)
        assert not blocking, [
            (check.suite.name, check.expectation.name, check.observed) for check in blocking
        ]
        publish(conn, build, gate, tables)
    return checks


def figures(settings: Settings) -> dict[str, pd.DataFrame]:
    """The published tables that the oracle recomputes."""
    with closing(connect(settings)) as conn:
        return {name: published(conn, name) for name in KEYS}


def audit(settings: Settings) -> tuple[pd.DataFrame, pd.DataFrame]:
    """bi.load_audit and bi.quarantine."""
    with closing(connect(settings)) as conn:
        return published(conn, "load_audit"), published(conn, "quarantine")
