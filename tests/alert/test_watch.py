"""People are told once: when a problem begins, again after a while, and when it is over; and nothing told is lost."""

from contextlib import closing
from pathlib import Path

import pytest
from local_receivers import Mailbox, Receiver
from pydantic import SecretStr

from dagster_project.alert.ledger import read_ledger
from dagster_project.alert.send import receivers
from dagster_project.alert.watch import after_run, between_runs
from dagster_project.errors import CashlessError
from dagster_project.publish.build import Build, GateResult, QualityResult, record_build, record_gate
from dagster_project.publish.hold import hold, release
from dagster_project.settings import Settings, SettingsError
from dagster_project.warehouse.connection import connect

AWAY = "postgresql://nobody:secret-word@127.0.0.1:1/none"


def told(settings: Settings, *people: Mailbox | Receiver, **more: object) -> Settings:
    addresses = SecretStr(" ".join(one.address for one in people))
    return settings.model_copy(update={"alert_urls": addresses, **more})


def audited(settings: Settings, **found: tuple[str, int]) -> None:
    """A build in which these checks (name to severity and rows found) failed, and one passed."""
    results = [
        ("fine", "critical", True, 0),
        *((name, how, False, rows) for name, (how, rows) in found.items()),
    ]
    critical = sum(severity == "critical" for severity, _ in found.values())
    build = Build("", None, 60)
    with closing(connect(settings)) as conn:
        record_build(conn, build, [])
        record_gate(
            conn,
            GateResult(build.build_id, critical == 0, 1, len(found) - critical, critical),
            [
                QualityResult(
                    *("raw", name, severity, "billing-team", passed, rows, 0, 0),
                    why_vi="Vì sao",
                    why_en="Why",
                    rows_query=None,
                )
                for name, severity, passed, rows in results
            ],
        )


def test_a_mail_says_what_began_once_and_what_is_over(warehouse: Settings, mailbox: Mailbox) -> None:
    settings = told(warehouse, mailbox)
    audited(settings, late_rows=("warning", 1234), lost_rows=("critical", 7), noted=("info", 1))
    assert after_run(settings, None, has_succeeded=False) == []
    [(title, body)] = mailbox.messages
    assert title == "[KHẨN / URGENT] Kho số liệu / Cashless warehouse: 2 vấn đề mới / new"
    assert body.index("critical raw.lost_rows: Vì sao / Why") < body.index("warning raw.late_rows")
    assert "Số dòng / Rows: 1,234" in body
    assert "Owner: billing-team" in body
    assert "bi.quality_result where suite = 'raw' and expectation = 'lost_rows'" in body
    assert "noted" not in body

    # The same again, from another build: nobody is told. Then the critical one is over.
    audited(settings, late_rows=("warning", 1300), lost_rows=("critical", 8))
    after_run(settings, None, has_succeeded=False)
    between_runs(settings)
    assert len(mailbox.messages) == 1
    audited(settings, late_rows=("warning", 1))
    after_run(settings, None, has_succeeded=True)
    title, body = mailbox.messages[1]
    assert title == "Kho số liệu / Cashless warehouse: 1 đã hết / over"
    assert "critical raw.lost_rows" in body
    assert "found 2 more times without a message" in body
    assert "late_rows" not in body
    assert [*read_ledger(settings.home).problems] == ["check raw.late_rows"]


def test_what_stands_is_told_again_after_a_while(warehouse: Settings, receiver: Receiver) -> None:
    settings = told(warehouse, receiver)
    audited(settings, lost_rows=("critical", 7))
    for _ in range(3):
        after_run(settings, None, has_succeeded=False)
    assert len(receiver.messages) == 1
    after_run(told(warehouse, receiver, alert_remind_hours=1e-9), None, has_succeeded=False)
    title, body = receiver.messages[1]
    assert title.endswith("1 chưa hết / standing")
    assert "CHƯA HẾT / STANDING" in body
    assert "found 2 more times without a message" in body
    after_run(settings, None, has_succeeded=False)
    assert len(receiver.messages) == 2


def test_what_a_receiver_did_not_take_waits_for_it_alone(
    warehouse: Settings, receiver: Receiver, mailbox: Mailbox
) -> None:
    settings = told(warehouse, receiver, mailbox)
    receiver.status = 500
    audited(settings, lost_rows=("critical", 7))
    [line] = after_run(settings, None, has_succeeded=False)
    assert line.startswith("json ")
    assert "1 tin chưa gửi được" in line
    assert "secret-word" not in line
    audited(settings)
    [line] = after_run(settings, None, has_succeeded=True)
    assert "2 tin chưa gửi được" in line
    receiver.status = 200
    assert between_runs(settings) == []
    assert [message.title for message in receiver.messages] == [one.title for one in mailbox.messages]
    assert len(receiver.messages) == 2
    # One that is no longer in the settings is waited for by nobody.
    receiver.status = 500
    audited(settings, lost_rows=("critical", 7))
    after_run(settings, None, has_succeeded=False)
    assert between_runs(told(warehouse, mailbox)) == []
    assert read_ledger(settings.home).undelivered == []


def test_where_the_database_is_away_nothing_is_over(warehouse: Settings, receiver: Receiver) -> None:
    settings = told(warehouse, receiver)
    away = settings.model_copy(update={"database_url": AWAY})
    audited(settings, lost_rows=("critical", 7))
    after_run(settings, None, has_succeeded=False)
    after_run(away, "cannot be reached", has_succeeded=False)
    between_runs(away)
    title, body = receiver.messages[1]
    assert title.endswith("2 vấn đề mới / new")
    assert "The run failed: cannot be reached" in body
    assert "The database does not answer: " in body
    assert "secret-word" not in body
    assert len(receiver.messages) == 2
    # It is back: known without a run; that the run failed is over with the next run that does not.
    between_runs(settings)
    after_run(settings, None, has_succeeded=False)
    ended = [
        ("does not answer" in one.body, "cannot be reached" in one.body) for one in receiver.messages[2:]
    ]
    assert ended == [(True, False), (False, True)]
    assert [one.title[-13:] for one in receiver.messages[2:]] == ["đã hết / over"] * 2
    assert [*read_ledger(settings.home).problems] == ["check raw.lost_rows"]


def test_a_hold_is_told_to_all_and_its_end_too(warehouse: Settings, receiver: Receiver) -> None:
    settings = told(warehouse, receiver)
    with closing(connect(settings)) as conn:
        hold(conn, "An", "đối soát")
        between_runs(settings)
        release(conn, "An", "xong")
    between_runs(settings)
    assert "Publications are held by An: đối soát" in receiver.messages[0].body
    assert receiver.messages[1].title.endswith("1 đã hết / over")


def test_files_that_are_missing_or_refused_and_pulls_that_fail(
    warehouse: Settings, receiver: Receiver
) -> None:
    settings = told(warehouse, receiver)
    statements = (
        "insert into landing.file (source, path, sha256, size, mtime_ns, rows_in_file, rows_loaded, rows_duplicate,"
        " rows_quarantined, money_in_file_vnd, money_loaded_vnd, money_duplicate_vnd, money_quarantined_vnd,"
        " refused_reason, contract_fingerprint)"
        " values ('bills', 'bills/a.csv', '', 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 'the header is not known', '')",
    )
    with closing(connect(settings)) as conn, conn, conn.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
    pulls = settings.overlay_folder() / "pulls"
    pulls.mkdir(parents=True)
    (pulls / "cmis.yaml").write_text("nonsense: true\n", encoding="utf-8")
    between_runs(settings)
    [(title, body)] = receiver.messages
    assert title.endswith("2 vấn đề mới / new")
    assert "File refused: bills/a.csv" in body
    assert "Pull failing: pulls/cmis.yaml: source: Field required" in body


def test_the_ping_comes_after_success_alone(warehouse: Settings, receiver: Receiver) -> None:
    settings = warehouse.model_copy(update={"ping_url": SecretStr(receiver.ping_url)})
    after_run(settings, "it failed", has_succeeded=False)
    assert receiver.pings == 0
    assert after_run(settings, None, has_succeeded=True) == []
    assert receiver.pings == 1
    receiver.status = 404
    assert after_run(settings, None, has_succeeded=True) == ["CASHLESS_PING_URL: HTTP 404"]
    gone = settings.model_copy(update={"ping_url": SecretStr("http://127.0.0.1:1/secret-word")})
    assert after_run(gone, None, has_succeeded=True) == ["CASHLESS_PING_URL: ConnectionError"]


def test_an_address_that_nobody_knows_is_named_without_its_secrets(warehouse: Settings) -> None:
    addresses = SecretStr("json://127.0.0.1:1 nonsense://an:secret-word@host")
    with pytest.raises(SettingsError, match="address 2") as caught:
        receivers(warehouse.model_copy(update={"alert_urls": addresses}))
    assert "secret-word" not in str(caught.value)


def test_a_broken_ledger_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "alerts.json").write_text("{", encoding="ascii")
    with pytest.raises(CashlessError, match="delete it"):
        read_ledger(tmp_path)
