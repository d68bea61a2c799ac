"""The gate itself: severities decide, an empty or missing metrics table never passes."""

import json
from contextlib import closing
from typing import Any

import pytest

from dagster_project.audit import gate as gate_module
from dagster_project.audit import suites as suites_module
from dagster_project.audit.gate import AuditError, CheckResult, run_gate
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

SUITE = {
    "name": "kpi",
    "meta": {"table": "metric_test"},
    "expectations": [
        {
            "type": "expect_column_max_to_be_between",
            "kwargs": {"column": name, "min_value": 0, "max_value": 0},
            "severity": severity,
            "meta": {"owner": "nobody", "why_vi": "vì", "why_en": "because"},
        }
        for name, severity in (("must_be_zero", "critical"), ("should_be_zero", "warning"))
    ],
}


@pytest.fixture
def metrics(warehouse: Settings, tmp_path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """A metrics table with the given row, under a suite of its own; gives what the gate says."""
    folder = tmp_path / "expectations"
    folder.mkdir()
    (folder / "kpi.json").write_text(json.dumps(SUITE), encoding="utf-8")
    monkeypatch.setattr(suites_module, "SUITES_DIR", folder)
    suites_module.suites.cache_clear()

    def judge(rows: str) -> dict[str, tuple[bool, bool]]:
        with closing(connect(warehouse)) as conn, conn, conn.cursor() as cursor:
            cursor.execute("create table audit.metric_test (must_be_zero bigint, should_be_zero bigint)")
            cursor.execute(f"insert into audit.metric_test {rows}")
        results = run_gate(warehouse.database_url or "")
        return {result.expectation.name: (result.passed, result.is_blocking) for result in results}

    yield judge
    suites_module.suites.cache_clear()


def test_all_is_well(metrics) -> None:  # type: ignore[no-untyped-def]
    assert metrics("values (0, 0)") == {"must_be_zero": (True, False), "should_be_zero": (True, False)}


def test_a_critical_failure_blocks(metrics) -> None:  # type: ignore[no-untyped-def]
    assert metrics("values (1, 0)")["must_be_zero"] == (False, True)


def test_a_warning_does_not_block(metrics) -> None:  # type: ignore[no-untyped-def]
    assert metrics("values (0, 7)")["should_be_zero"] == (False, False)


def test_a_metric_without_a_value_does_not_pass(metrics) -> None:  # type: ignore[no-untyped-def]
    assert metrics("values (null, 0)")["must_be_zero"] == (False, True)


def test_a_metrics_table_without_a_row_does_not_pass(metrics) -> None:  # type: ignore[no-untyped-def]
    assert metrics("select 0, 0 where false")["must_be_zero"] == (False, True)


def test_a_database_that_goes_away_is_one_error_and_no_page_of_tracebacks(  # type: ignore[no-untyped-def]
    metrics, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    validate = gate_module._validate

    def validate_without_table(*arguments: Any) -> CheckResult:
        with closing(connect(warehouse)) as conn, conn, conn.cursor() as cursor:
            cursor.execute("drop table audit.metric_test")
        return validate(*arguments)

    monkeypatch.setattr(gate_module, "_validate", validate_without_table)
    with pytest.raises(AuditError, match="must_be_zero could not be validated") as raised:
        metrics("values (0, 0)")
    assert "Traceback" not in caplog.text
    assert "Traceback" not in str(raised.value)


def test_every_suite_of_the_project_says_why_for_whom_and_how_bad() -> None:
    for suite in suites_module.suites():
        names = [item.name for item in suite.expectations]
        assert len(set(names)) == len(names), suite.name
        assert "one_row_of_metrics" in names, suite.name
        for item in suite.expectations:
            assert item.severity in {"critical", "warning", "info"}
            assert all((item.owner, item.why_vi, item.why_en))
