"""Dagster tells people too: sensors do after each run what the command line does after its own.

Does not belong here: what is told, and to whom (alert/).
"""

from collections.abc import Iterator

import dagster as dg
from dagster._utils.error import SerializableErrorInfo

from dagster_project.alert.watch import after_run
from dagster_project.errors import CashlessError
from dagster_project.settings import Settings, load_settings
from dagster_project.warehouse.connection import RunUnderWay

_REFUSED = "DagsterAssetCheckFailedError"


def alert_sensors(settings: Settings | None, job_name: str) -> list[dg.SensorDefinition]:
    """After a run that failed, and after one of the whole job that did not."""

    @dg.run_failure_sensor(name="alert_of_failed_run", default_status=dg.DefaultSensorStatus.RUNNING)
    def failed(context: dg.RunFailureSensorContext) -> None:
        """Tells why, once; a refusal is told by the checks that failed, and of two runs at once the other one tells."""
        of_steps = [event.step_failure_data.error for event in context.get_step_failure_events()]
        # What failed before the first step is no step's.
        found = of_steps or [context.failure_event.job_failure_data.error]
        errors = [error for error in found if error is not None]
        chains = [[link.cls_name for link in _chain(error)] for error in errors]
        if any(RunUnderWay.__name__ in chain for chain in chains):
            return
        is_refusal = bool(chains) and all(_REFUSED in chain for chain in chains)
        fault = None if is_refusal else _for_people(errors)
        for line in after_run(settings or load_settings(), fault, has_succeeded=False):
            context.log.warning(line)

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="alert_after_run",
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def done(context: dg.RunStatusSensorContext) -> dg.SkipReason | None:
        """Tells warnings, and what is over; pings the dead-man's switch."""
        if context.dagster_run.job_name != job_name:
            return dg.SkipReason("A part of the job says nothing about the whole.")
        for line in after_run(settings or load_settings(), None, has_succeeded=True):
            context.log.warning(line)
        return None

    return [failed, done]


def _for_people(errors: list[SerializableErrorInfo]) -> str:
    """What was written for people, somewhere in the chains of causes; else only kinds: other texts may hold rows."""
    links = [link for error in errors for link in _chain(error)]
    for link in links:
        if link.cls_name in _names(CashlessError):
            return link.message.partition(": ")[2].strip()
    return str(links[-1].cls_name) if links else "the run was stopped from outside, or its process died"


def _chain(error: SerializableErrorInfo) -> Iterator[SerializableErrorInfo]:
    """The error, what it was made of, and so on."""
    yield error
    for link in (error.cause, error.context):
        if link is not None:
            yield from _chain(link)


def _names(kind: type[Exception]) -> set[str]:
    return {kind.__name__}.union(*(_names(child) for child in kind.__subclasses__()))
