"""What Dagster's runs tell people: the sensors, given real runs of the job."""

from contextlib import closing
from datetime import date
from pathlib import Path

import dagster as dg
import pytest
from pydantic import SecretStr
from test_pulls import DECLARED

from dagster_project.alert.ledger import read_ledger
from dagster_project.orchestration.job import JOB_NAME, build_definitions
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect, run_lock

NOBODY = SecretStr("json://127.0.0.1:1")  # what is to be told is in the ledger also if nobody takes it


def told_after_a_run(
    settings: Settings, instance: dg.DagsterInstance, *, is_full: bool = False
) -> dict[str, str]:
    """Problems that people are told of by the sensor whose kind of run it was."""
    definitions = build_definitions(settings, is_full=is_full)
    run = definitions.resolve_job_def(JOB_NAME).execute_in_process(instance=instance, raise_on_error=False)
    name = "alert_after_run" if run.success else "alert_of_failed_run"
    ends = (dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE)
    [event] = [event for event in run.all_events if event.event_type in ends]
    context = dg.build_run_status_sensor_context(
        sensor_name=name, dagster_instance=instance, dagster_run=run.dagster_run, dagster_event=event
    )
    sensor = definitions.get_sensor_def(name)
    sensor(context if run.success else context.for_run_failure())
    return {key: told.what for key, told in read_ledger(settings.home).problems.items()}


@pytest.fixture
def settings(warehouse: Settings) -> Settings:
    return warehouse.model_copy(update={"alert_urls": NOBODY})


def test_a_failed_run_is_told_in_words_for_people_and_ends_with_the_next(settings: Settings) -> None:
    with dg.instance_for_test() as instance:
        wrong = settings.overlay_folder() / "reference" / "partners.csv"
        wrong.parent.mkdir(parents=True)
        wrong.write_text("nonsense\n", encoding="ascii")
        why = told_after_a_run(settings, instance)["run"]
        assert "/ The run failed: Nothing was loaded, the reference data in" in why
        wrong.unlink()
        assert told_after_a_run(settings, instance) == {}


def test_a_refusal_is_told_by_the_checks_and_is_no_failure(settings: Settings) -> None:
    write_sample(
        Path(settings.landing),
        customers=20,
        first=date(2025, 6, 1),
        last=date(2025, 6, 1),
        seed=3,
        dirty=False,
    )
    with dg.instance_for_test() as instance:
        before = told_after_a_run(settings, instance)
        with closing(connect(settings)) as conn, conn, conn.cursor() as cursor:
            # The ledger loses a row: the files no longer account for what is in raw.
            cursor.execute(
                "update landing.file set rows_in_file = rows_in_file - 1, rows_loaded = rows_loaded - 1"
                " where file_id = (select min(file_id) from landing.file where rows_loaded > 1)"
            )
        refused = told_after_a_run(settings, instance, is_full=True)
    assert "run" not in refused
    assert "check raw.rows_unaccounted" in refused.keys() - before.keys()


def test_what_was_not_written_for_people_is_not_told(settings: Settings) -> None:
    with closing(connect(settings)) as conn, conn, conn.cursor() as cursor:
        cursor.execute("drop table landing.pull_attempt")
    (settings.overlay_folder() / "pulls").mkdir(parents=True)
    (settings.overlay_folder() / "pulls" / "a.yaml").write_text(DECLARED, encoding="utf-8")
    with dg.instance_for_test() as instance:
        told = told_after_a_run(settings, instance)
    assert told["run"].endswith("The run failed: UndefinedTable")
    assert told["database"].endswith("does not answer: UndefinedTable")


def test_a_run_that_meets_another_one_is_no_problem(settings: Settings) -> None:
    with dg.instance_for_test() as instance, closing(connect(settings)) as conn, run_lock(conn):
        assert told_after_a_run(settings, instance) == {}
