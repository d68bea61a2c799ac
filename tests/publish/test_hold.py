"""Holding publications back, letting them go on, and letting one out against the gate."""

from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import main
from dagster_project.errors import CashlessError
from dagster_project.publish.hold import PublicationHeld, current_hold, hold, release
from dagster_project.publish.publish import Force, PublicationRefused, publish, publish_refused

FORCE = Force("An", "the partner confirmed it")
CHANGED = ("2024-05-01", "PNYK00", 195, 161, "0.8256")


@pytest.fixture
def changed(room: Any) -> Any:
    """One publication, and other candidates after it."""
    room.publish()
    room.make_kpis([CHANGED])
    return room


def rates(room: Any) -> list[tuple[Any, ...]]:
    return room.rows(
        "select rate::text from bi.kpi_unit_month where unit = 'PNYK00' and bill_month = '2024-05-01'"
    )


def test_nothing_is_published_while_somebody_holds(changed: Any) -> None:
    held = hold(changed.conn, "An", "figures are looked at")
    with pytest.raises(PublicationHeld, match="by An: figures are looked at") as raised:
        changed.publish()
    assert raised.value.hold == held
    assert rates(changed) == [("0.8205",)]
    with pytest.raises(PublicationHeld):
        hold(changed.conn, "Bình", "me too")
    assert release(changed.conn, "Bình", "") == held
    changed.publish()
    assert rates(changed) == [("0.8256",)]
    assert changed.rows("select held_by, reason, released_by, release_reason from bi.hold") == [
        ("An", "figures are looked at", "Bình", None)
    ]
    with pytest.raises(CashlessError, match="not held"):
        release(changed.conn, "Bình", "")


def test_a_refused_build_is_published_by_force_and_that_is_kept(changed: Any) -> None:
    build = changed.build()
    changed.audit(build, passed=False, failed=3)
    done = publish_refused(changed.conn, changed.tables, FORCE)
    assert (done.force, done.checks_failed) == (FORCE, 3)
    assert rates(changed) == [("0.8256",)]
    assert changed.rows(
        "select checks_failed, forced_by, forced_reason from bi.publication order by publication_id"
    ) == [(0, None, None), (3, "An", "the partner confirmed it")]
    # Once more changes nothing.
    assert publish_refused(changed.conn, changed.tables, Force("Bình", "again")).force == FORCE


def test_force_does_not_help_against_all_else(changed: Any) -> None:
    passed = changed.build()
    gate = changed.audit(passed)
    with pytest.raises(PublicationRefused, match="nothing to force"):
        publish(changed.conn, passed, gate, changed.tables, force=FORCE)
    refused = changed.build()
    changed.audit(refused, passed=False, failed=1)
    hold(changed.conn, "An", "wait")
    with pytest.raises(PublicationHeld):
        publish_refused(changed.conn, changed.tables, FORCE)
    release(changed.conn, "An", "")
    changed.make_kpis([CHANGED])
    with pytest.raises(PublicationRefused, match="what is there was not audited"):
        publish_refused(changed.conn, changed.tables, FORCE)
    changed.build()
    with pytest.raises(PublicationRefused, match="no audited build"):
        publish_refused(changed.conn, changed.tables, FORCE)
    assert rates(changed) == [("0.8205",)]


def test_the_commands(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASHLESS_DATABASE_URL", room.settings.database_url or "")
    monkeypatch.setenv("CASHLESS_HOME", str(room.settings.home))

    def cashless(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    room.publish()
    assert cashless("hold", "--reason", " ").exit_code == 2
    assert cashless("hold", "--reason", "wait [all]", "--by", "An").exit_code == 0
    again = cashless("hold", "--reason", "wait", "--by", "Bình")
    assert again.exit_code == 1
    assert "by An: wait [all]" in again.stderr
    status = cashless("status").stdout
    assert "Publications are held since" in " ".join(status.split())
    assert "by An: wait [all]" in status
    assert cashless("release", "--by", "Bình").exit_code == 0
    with room.conn.cursor() as cur:
        assert current_hold(cur) is None
    assert cashless("release").exit_code == 1
    assert cashless("publish", "--reason", "x").exit_code == 2
    assert cashless("publish", "--force").exit_code == 2
