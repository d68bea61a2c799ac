"""What runs of the command line tell people, by a real run over an empty landing; and the commands about alerts."""

from contextlib import closing

import pytest
from click.testing import CliRunner, Result
from local_receivers import Receiver

from dagster_project.cli import main
from dagster_project.orchestration import run as orchestration
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect, run_lock

DUE = "expectation_code,source,partner_code,files,every,due_days,due_time,valid_from,valid_to\n"


@pytest.fixture
def told(warehouse: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The settings of the environment: this warehouse, and a receiver."""
    for name, value in {
        "HOME": str(warehouse.home),
        "DATABASE_URL": warehouse.database_url or "",
        "LANDING": warehouse.landing,
        "ALERT_URLS": receiver.address,
        "PING_URL": receiver.ping_url,
    }.items():
        monkeypatch.setenv(f"CASHLESS_{name}", value)
    return warehouse


def cashless(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_a_run_that_fails_is_told_once_and_the_next_good_one_ends_it(
    told: Settings, receiver: Receiver
) -> None:
    reference = told.overlay_folder() / "reference"
    reference.mkdir(parents=True)
    expected = reference / "expected_files.csv"
    expected.write_text(DUE + "BILLS,no such source,,bills*.csv,month,5,08:00,2025-01-01,2025-02-28\n")
    failed = cashless("run")
    assert (failed.exit_code, cashless("run").exit_code) == (2, 2)
    assert [message.title[-18:] for message in receiver.messages] == ["1 vấn đề mới / new"]
    assert "reference/expected_files.csv, line 2" in receiver.messages[0].body
    assert f"The run failed: {failed.stderr.strip().partition(': ')[2]}" in receiver.messages[0].body
    assert receiver.pings == 0
    status = cashless("status").stdout
    assert "Cảnh báo chưa hết / Alerts that stand" in status

    expected.write_text(DUE + "BILLS,bills,,bills*.csv,month,5,08:00,2025-01-01,2025-02-28\n")
    assert cashless("run").exit_code == 0
    title, body = receiver.messages[1]
    assert title.endswith("1 vấn đề mới / new, 1 đã hết / over")
    assert "Files missing, bills, BILLS: 2025-02-01, 2025-01-01" in body
    assert "found 1 more times without a message" in body
    assert receiver.pings == 1
    assert "The run failed" not in cashless("status").stdout


def test_only_what_was_written_for_people_goes_out(
    told: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("Nguyễn Văn A, 0912345678")

    monkeypatch.setattr(orchestration, "run_pipeline", broken)
    assert isinstance(cashless("run").exception, ValueError)
    [(_, body)] = receiver.messages
    assert "The run failed: ValueError\n" in body
    assert "Nguyễn" not in body


def test_a_run_that_meets_another_one_is_no_problem(told: Settings, receiver: Receiver) -> None:
    with closing(connect(told)) as conn, run_lock(conn):
        assert cashless("run").exit_code == 1
    assert (receiver.messages, receiver.pings) == ([], 0)


def test_the_receivers_can_be_tried(
    told: Settings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = cashless("alert", "test")
    assert (tried.exit_code, len(receiver.messages)) == (0, 1)
    assert "đã nhận / taken" in tried.stdout
    receiver.status = 500
    tried = cashless("alert", "test")
    assert (tried.exit_code, "không gửi được / not delivered" in tried.stdout) == (1, True)
    assert cashless("alert", "check").exit_code == 0  # nothing is wrong, so nothing had to be sent
    monkeypatch.setenv("CASHLESS_ALERT_URLS", "nonsense")
    for command in (("run",), ("alert", "test"), ("alert", "check")):
        wrong = cashless(*command)
        assert (wrong.exit_code, "CASHLESS_ALERT_URLS: address 1" in wrong.stderr) == (2, True)
    monkeypatch.delenv("CASHLESS_ALERT_URLS")
    for command in ("test", "check"):
        assert "nobody would be told" in cashless("alert", command).stderr
