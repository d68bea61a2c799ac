"""What a build has to look at: nothing, what changed since the publication, or everything. What follows from it for
the figures is tested in tests/e2e.
"""

from collections.abc import Iterator

import pytest

from dagster_project.orchestration import session as session_module
from dagster_project.orchestration.report import RunReport
from dagster_project.orchestration.session import RunSession, open_session
from dagster_project.publish.build import Build, GateResult, newest_publication, record_build, record_gate
from dagster_project.publish.publish import publish
from dagster_project.publish.relations import PublishedTable
from dagster_project.settings import Settings
from dagster_project.transform.window import EVERYTHING, Window, close_window, open_window

TABLE = PublishedTable("dim_channel", ("channel_code",))


@pytest.fixture
def session(warehouse: Settings) -> Iterator[RunSession]:
    with open_session(warehouse, RunReport()) as session:
        with session.conn, session.conn.cursor() as cursor:
            cursor.execute(
                "create table candidate.dim_channel as select 'qr'::text as channel_code;"
                "insert into landing.file (source, path, sha256, size, mtime_ns, rows_in_file, rows_loaded,"
                " rows_duplicate, rows_quarantined, money_in_file_vnd, money_loaded_vnd, money_duplicate_vnd,"
                " money_quarantined_vnd, contract_fingerprint)"
                " values ('bills', 'bills/a.csv', 'a', 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, '')"
            )
        yield session


def change(session: RunSession) -> None:
    """One more load that moved rows."""
    with session.conn, session.conn.cursor() as cursor:
        cursor.execute(
            "insert into landing.change (kind, source, file_id, rows_added, rows_withdrawn)"
            " select 'load', source, file_id, 1, 0 from landing.file"
        )


def build(session: RunSession, *, passed: bool = True) -> None:
    """What a run does with its window, but for the models."""
    window = session.window()
    assert window is not None
    open_window(session.conn, window)
    close_window(session.conn, window)
    with session.conn, session.conn.cursor() as cursor:
        based_on = newest_publication(cursor)
    done = Build(
        window.input_fingerprint,
        None,
        session.settings.final_after_days,
        is_full=window.is_full,
        changes_through=window.changes_through,
        based_on=based_on,
    )
    gate = GateResult(done.build_id, passed, 1, 0, 0 if passed else 1)
    record_build(session.conn, done, [TABLE])
    record_gate(session.conn, gate)
    if passed:
        publish(session.conn, done, gate, [TABLE])


def seen(window: Window | None) -> tuple[bool, int, int] | None:
    return window and (window.is_full, window.changes_after, window.changes_through)


def test_an_empty_warehouse_needs_no_build(warehouse: Settings) -> None:
    with open_session(warehouse, RunReport()) as session:
        assert session.window() is None


def test_a_build_looks_at_what_the_publication_does_not_know(session: RunSession) -> None:
    change(session)
    assert seen(session.window()) == (True, EVERYTHING, 1)
    build(session)
    assert session.window() is None
    change(session)
    change(session)
    assert seen(session.window()) == (False, 1, 3)
    build(session, passed=False)
    assert seen(session.window()) == (False, 1, 3), "a refused build is made up for"
    change(session)
    assert seen(session.window()) == (False, 1, 4)
    build(session)
    assert session.window() is None


def test_everything_is_made_anew_on_demand(session: RunSession) -> None:
    change(session)
    build(session)
    session.is_full = True
    assert seen(session.window()) == (True, EVERYTHING, 1)


@pytest.mark.parametrize("part", ["project_fingerprint", "suites_text"])
def test_other_models_seeds_or_expectations_change_everything(
    session: RunSession, part: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(session)
    build(session)
    with monkeypatch.context() as patched:
        patched.setattr(session_module, part, lambda: "other")
        assert seen(session.window()) == (True, EVERYTHING, 1)
        build(session, passed=False)
    # Back to what is published, but the refused build's reference tables are still there.
    assert session.window() is None
    change(session)
    assert seen(session.window()) == (True, EVERYTHING, 2)
    build(session)
    change(session)
    assert seen(session.window()) == (False, 2, 3)


def test_another_overlay_changes_everything(session: RunSession) -> None:
    change(session)
    build(session)
    session.overlay_fingerprint = "other"
    assert seen(session.window()) == (True, EVERYTHING, 1)
    build(session)
    assert session.window() is None
    session.overlay_fingerprint = ""
    assert seen(session.window()) == (True, EVERYTHING, 1)


def test_the_setting_of_final_months_is_published_without_any_row(session: RunSession) -> None:
    change(session)
    build(session)
    session.settings = session.settings.model_copy(update={"final_after_days": 90})
    assert seen(session.window()) == (False, 1, 1)
    build(session)
    assert session.window() is None


def test_a_full_build_that_died_is_made_again(session: RunSession) -> None:
    """It may have got as far as some of the reference tables, which a build of what changed leaves as they are."""
    change(session)
    build(session)
    change(session)
    assert seen(session.window()) == (False, 1, 2)
    session.is_full = True
    window = session.window()
    assert window is not None
    open_window(session.conn, window)  # and dies
    session.is_full = False
    assert seen(session.window()) == (True, EVERYTHING, 2)
    build(session)
    change(session)
    assert seen(session.window()) == (False, 2, 3)


def test_a_change_that_moved_no_row_is_nothing_new(session: RunSession) -> None:
    change(session)
    build(session)
    with session.conn, session.conn.cursor() as cursor:
        cursor.execute(
            "insert into landing.change (kind, source, file_id, rows_added, rows_withdrawn, changed_by)"
            " select 'unload', source, file_id, 0, 0, 'An' from landing.file"
        )
    assert session.window() is None
