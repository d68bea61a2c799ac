"""The quality gate as asset checks: one per expectation of expectations/. Validation is in audit/."""

from collections.abc import Iterator
from datetime import date

import dagster as dg

from dagster_project.audit.gate import CheckResult, run_gate
from dagster_project.audit.suites import Expectation, Suite, suites
from dagster_project.orchestration.published import published_tables
from dagster_project.orchestration.session import RunSession
from dagster_project.publish.build import Build, GateResult, record_build, record_gate

_SEVERITY = {"critical": dg.AssetCheckSeverity.ERROR}


def _check_name(suite: Suite, expectation: Expectation) -> str:
    return f"{suite.name}_{expectation.name}"


def _specs() -> list[dg.AssetCheckSpec]:
    return [
        dg.AssetCheckSpec(
            name=_check_name(suite, expectation),
            asset=dg.AssetKey(["audit", suite.table]),
            description=f"{expectation.why_vi} / {expectation.why_en}",
            blocking=expectation.severity == "critical",
            metadata={"owner": expectation.owner, "severity": expectation.severity},
        )
        for suite in suites()
        for expectation in suite.expectations
    ]


@dg.multi_asset_check(specs=_specs(), name="gate")
def gate(session: dg.ResourceParam[RunSession]) -> Iterator[dg.AssetCheckResult]:
    """Great Expectations over the candidate's metrics; what it found is recorded for this very build."""
    session.report.progress("Kiểm tra chất lượng / checking quality (Great Expectations)")
    tests = session.report.dbt_tests
    build = Build(
        input_fingerprint=session.input_fingerprint(),
        data_through=_data_through(session),
        final_after_days=session.settings.final_after_days,
    )
    record_build(session.conn, build, [table.name for table in published_tables()])
    results = run_gate(session.url)
    session.report.checks = results
    failed = [result for result in results if not result.passed]
    record_gate(
        session.conn,
        GateResult(
            build_id=build.build_id,
            passed=not session.report.is_refused,
            checks_passed=sum(not _counts_against(result) for result in results)
            + (tests.passed if tests else 0),
            checks_warned=sum(result.expectation.severity == "warning" for result in failed)
            + (tests.warned if tests else 0),
            checks_failed=sum(result.is_blocking for result in failed)
            + (len(tests.failures) if tests else 0),
        ),
    )
    for result in results:
        yield dg.AssetCheckResult(
            passed=result.passed,
            check_name=_check_name(result.suite, result.expectation),
            asset_key=dg.AssetKey(["audit", result.suite.table]),
            severity=_SEVERITY.get(result.expectation.severity, dg.AssetCheckSeverity.WARN),
            metadata={"observed": str(result.observed)},
        )


def _counts_against(result: CheckResult) -> bool:
    """An expectation of severity info records; it neither warns nor fails."""
    return not result.passed and result.expectation.severity != "info"


def _data_through(session: RunSession) -> date | None:
    with session.conn, session.conn.cursor() as cursor:
        cursor.execute("select data_through from audit.metric_marts")
        row = cursor.fetchone()
    return None if row is None else row[0]
