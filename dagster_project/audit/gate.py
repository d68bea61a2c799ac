"""The gate: validates every suite against the candidate's metrics. Recording and publishing are in publish/."""

import logging
import os
import warnings
from dataclasses import dataclass
from typing import Any

from dagster_project.audit.suites import Expectation, Suite, suites
from dagster_project.errors import CashlessError


class AuditError(CashlessError):
    """A check could not be made; the message names it and the reason."""


@dataclass(frozen=True)
class CheckResult:
    """What one expectation found."""

    suite: Suite
    expectation: Expectation
    passed: bool
    observed: Any

    @property
    def is_blocking(self) -> bool:
        """Whether this result alone refuses the publication."""
        return not self.passed and self.expectation.severity == "critical"


def run_gate(database_url: str) -> list[CheckResult]:
    """Validates all suites; AuditError if an expectation cannot be: that is no answer, neither yes nor no."""
    # Great Expectations reads this while it is imported.
    os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")
    import great_expectations as gx  # noqa: PLC0415  (4 s: only when a gate runs)
    from great_expectations.data_context.types.base import ProgressBarsConfig  # noqa: PLC0415

    # What it cannot validate it also writes to the log, with tracebacks; here that is raised.
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # `add_sql` rather than `add_postgres`: the latter refuses URLs of unix sockets. `$` would be a template.
    url = database_url.replace("postgres://", "postgresql://", 1).replace("$", r"\$")
    results = []
    with warnings.catch_warnings():
        # Both choices are deliberate, and the lines would stand among what a run tells people.
        warnings.filterwarnings("ignore", message="You are using a generic SQLDatasource")
        warnings.filterwarnings("ignore", message="`schema_name` is deprecated")
        source = context.data_sources.add_sql("warehouse", connection_string=url, create_temp_table=False)
        for suite in suites():
            table = source.add_table_asset(suite.table, table_name=suite.table, schema_name="audit")
            batch = table.add_batch_definition_whole_table("all").get_batch()
            for expectation in suite.expectations:
                results.append(_validate(gx, batch, suite, expectation))
    return results


def _validate(gx: Any, batch: Any, suite: Suite, expectation: Expectation) -> CheckResult:
    config = gx.expectations.core  # the library's own registry of expectation classes
    parts = "".join(word.capitalize() for word in expectation.config["type"].split("_"))
    validated = batch.validate(
        getattr(config, parts)(
            **expectation.config["kwargs"],
            severity=expectation.severity,
            meta=expectation.config["meta"],
        )
    )
    for fault in _faults(validated.exception_info or {}):
        raise AuditError(
            f"expectations/{suite.name}.json: {expectation.name} could not be validated: {fault}"
        )
    return CheckResult(suite, expectation, bool(validated.success), _observed(validated.result))


def _faults(info: dict[str, Any]) -> list[str]:
    """What was raised: told at the top, or by the metric that could not be had."""
    told = [info, *(part for part in info.values() if isinstance(part, dict))]
    # Below the first line stands a traceback.
    return [
        str(part.get("exception_message")).partition("\n")[0] for part in told if part.get("raised_exception")
    ]


def _observed(result: dict[str, Any]) -> Any:
    if "observed_value" in result:
        return result["observed_value"]
    return (result.get("partial_unexpected_list") or [None])[0]
