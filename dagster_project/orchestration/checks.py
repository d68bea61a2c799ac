"""The quality gate as asset checks: one per expectation of expectations/. Validation is in audit/."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import dagster as dg

from dagster_project.audit.gate import CheckResult, run_gate
from dagster_project.audit.suites import Expectation, Suite, suites
from dagster_project.orchestration.session import RunSession
from dagster_project.publish.build import (
    GateResult,
    QualityResult,
    changed_table,
    newest_build,
    record_gate,
)
from dagster_project.transform.dbt import TransformError

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
    """Great Expectations over the metrics of the newest whole build; what it found is recorded for that build."""
    session.report.progress("Kiểm tra chất lượng / checking quality (Great Expectations)")
    with session.conn, session.conn.cursor() as cursor:
        build = newest_build(cursor)
        changed = changed_table(cursor, build.build_id) if build else None
    if build is None or build.tests_failed or changed is not None:
        why = f"{changed} is not as it left it" if changed else "there is none, or it failed dbt's tests"
        raise TransformError(f"There is no whole build to audit ({why}): run the whole job.")
    results = run_gate(session.url)
    session.report.checks = results
    failed = [result for result in results if not result.passed]
    blocking = sum(result.is_blocking for result in failed)
    record_gate(
        session.conn,
        GateResult(
            build_id=build.build_id,
            passed=blocking == 0,
            checks_passed=build.tests_passed + sum(not _counts_against(result) for result in results),
            checks_warned=build.tests_warned
            + sum(result.expectation.severity == "warning" for result in failed),
            checks_failed=blocking,
        ),
        map(_as_data, results),
    )
    for result in results:
        yield dg.AssetCheckResult(
            passed=result.passed,
            check_name=_check_name(result.suite, result.expectation),
            asset_key=dg.AssetKey(["audit", result.suite.table]),
            severity=_SEVERITY.get(result.expectation.severity, dg.AssetCheckSeverity.WARN),
            metadata={"observed": str(result.observed)},
        )


def _as_data(result: CheckResult) -> QualityResult:
    expectation = result.expectation
    return QualityResult(
        suite=result.suite.name,
        expectation=expectation.name,
        severity=expectation.severity,
        owner=expectation.owner,
        is_passed=result.passed,
        observed=_number(result.observed),
        least=_number(
            expectation.config["kwargs"].get("min_value", expectation.config["kwargs"].get("value"))
        ),
        most=_number(
            expectation.config["kwargs"].get("max_value", expectation.config["kwargs"].get("value"))
        ),
        why_vi=expectation.why_vi,
        why_en=expectation.why_en,
        rows_query=expectation.rows_query,
    )


def _number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _counts_against(result: CheckResult) -> bool:
    """An expectation of severity info records; it neither warns nor fails."""
    return not result.passed and result.expectation.severity != "info"
