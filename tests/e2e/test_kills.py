"""Real processes: `cashless run` and its server killed in the middle, two runs at once; then one run heals all.

What a run must not take for success when a part of it dies is in test_broken_runs.py; the server's and the
lock's own behaviour are in tests/warehouse.
"""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import psutil
import pytest
from pydantic import SecretStr

from dagster_project.settings import Settings
from dagster_project.warehouse.server import EmbeddedServer
from tests.e2e import pipeline
from tests.e2e.agreement import assert_files_balance, assert_identical, assert_published, snapshot
from tests.e2e.histories import Came, History
from tests.e2e.test_random_bundles import TODAY

SECRET = "a fixed secret for tests only"
PATIENCE_SECONDS = 400
MANY = range(3000, 3012)  # three drops each, so at least 36 kills


@dataclass(frozen=True)
class Kill:
    """Whom to kill, and when: at a share of the time a run takes, or once something has begun."""

    victim: str  # run, server, both
    moment: float | str  # a share, dbt, publishing


class Runs:
    """`cashless run` as processes, over a home with an embedded server of its own."""

    def __init__(self, folder: Path) -> None:
        self.settings = Settings(
            home=folder / "home",
            landing=str(folder / "landing"),
            today=TODAY,
            customer_key_secret=SecretStr(SECRET),
        )
        Path(self.settings.landing).mkdir()
        self._said = folder / "said"
        self._said.mkdir()
        self._seconds = 0.0

    def start(self) -> tuple[subprocess.Popen[bytes], Path]:
        """A run, and the file with all that it says."""
        said = self._said / f"{len(list(self._said.iterdir()))}.txt"
        variables = {
            "CASHLESS_HOME": str(self.settings.home),
            "CASHLESS_TODAY": TODAY.isoformat(),
            "CASHLESS_CUSTOMER_KEY_SECRET": SECRET,
        }
        with said.open("wb") as output:
            run = subprocess.Popen(
                [Path(sys.executable).with_name("cashless"), "run", "--landing", self.settings.landing],
                stdout=output,
                stderr=output,
                env={**os.environ, **variables},
            )
        return run, said

    def complete(self) -> None:
        """One run, which must succeed."""
        began = time.monotonic()
        run, said = self.start()
        code = run.wait(PATIENCE_SECONDS)
        assert code == 0, (code, said.read_text())
        self._seconds = max(self._seconds, time.monotonic() - began)

    def complete_two_at_once(self) -> None:
        """Two runs at once: one works, the other one says who does and since when."""
        began = time.monotonic()
        both = [self.start(), self.start()]
        codes = [run.wait(PATIENCE_SECONDS) for run, _ in both]
        self._seconds = max(self._seconds, time.monotonic() - began)
        assert sorted(codes) == [0, 1], (codes, [said.read_text() for _, said in both])
        (winner, _), (_, said) = both if codes[0] == 0 else reversed(both)
        last_line = said.read_text().strip().splitlines()[-1]
        assert f"(process {winner.pid} on " in last_line, last_line
        assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", last_line), last_line

    def kill(self, kill: Kill) -> None:
        """Start a run and kill at the moment; a moment by name must come, a share of the time may be too late."""
        run, said = self.start()
        try:
            came = self._wait_for(kill.moment, run, said)
            # A drop of copies alone leaves dbt nothing to do.
            is_idle = "Nothing new" in said.read_text()
            assert came or is_idle or isinstance(kill.moment, float), (kill, said.read_text())
            if kill.victim in ("server", "both"):
                self._kill_server()
            if kill.victim in ("run", "both"):
                self._kill_run(run)
            code = run.wait(PATIENCE_SECONDS)
        finally:
            self._kill_run(run)
        if kill.victim == "server" and code != 0:
            assert code == 1, (kill, code, said.read_text())
            assert "Traceback" not in said.read_text(), said.read_text()

    def interrupt(self, moment: str) -> None:
        """Start a run and interrupt it at the moment, as Ctrl-C does: it says so in a line, and ends with 130."""
        run, said = self.start()
        try:
            assert self._wait_for(moment, run, said), said.read_text()
            run.send_signal(signal.SIGINT)
            code = run.wait(PATIENCE_SECONDS)
        finally:
            self._kill_run(run)
        assert code == 130, (code, said.read_text())
        assert "Traceback" not in said.read_text(), said.read_text()
        assert "interrupted" in said.read_text().splitlines()[-1]

    def end(self) -> None:
        """Stop the server; a killed run leaves nothing else behind."""
        EmbeddedServer(self.settings.home).stop()

    def _wait_for(self, moment: float | str, run: subprocess.Popen[bytes], said: Path) -> bool:
        """Whether the moment came before the run's end."""
        has_come: dict[str, Callable[[], bool]] = {
            "dbt": lambda: "(dbt)" in said.read_text(),
            "publishing": lambda: "publishing" in said.read_text(),
        }
        began = time.monotonic()
        while run.poll() is None:
            passed = time.monotonic() - began
            assert passed < PATIENCE_SECONDS, said.read_text()
            if passed >= moment * self._seconds if isinstance(moment, float) else has_come[moment]():
                return True
            time.sleep(0.01)
        return False

    def _kill_run(self, run: subprocess.Popen[bytes]) -> None:
        if run.poll() is None:
            run.kill()
            run.wait()

    def _kill_server(self) -> None:
        number = self.settings.home / "postgres" / "data" / "postmaster.pid"
        if number.exists():  # else it is being made
            server = psutil.Process(int(number.read_text().split()[0]))
            assert "postgres" in server.name()
            server.kill()


@pytest.fixture
def runs(tmp_path: Path):  # type: ignore[no-untyped-def]
    folder = tmp_path / "killed"
    folder.mkdir()
    killed = Runs(folder)
    yield killed
    killed.end()


def _assert_healed(runs: Runs, came: Came, what: str) -> None:
    assert_published(runs.settings, came.rows, what)
    assert_files_balance(runs.settings, came.audit, came.rows_loaded, what)


def _assert_like_undisturbed(
    runs: Runs, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, target: Path, what: str
) -> None:
    undisturbed = warehouse.model_copy(update={"today": TODAY, "landing": runs.settings.landing})
    pipeline.run(undisturbed, monkeypatch, target)
    assert_identical(
        snapshot(runs.settings), snapshot(undisturbed), f"unlike an undisturbed warehouse {what}"
    )


def test_killed_runs_and_servers_leave_nothing_that_one_run_does_not_heal(
    runs: Runs, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    history = History(10, 6, drops=2)
    drops = history.deliver(Path(runs.settings.landing))

    came = next(drops)
    runs.kill(Kill("both", "dbt"))
    runs.kill(Kill("run", "publishing"))
    # The lock of the dead holder is free: for one of two.
    runs.complete_two_at_once()
    _assert_healed(runs, came, "after both and after a run were killed")

    came = next(drops)
    runs.interrupt("dbt")
    runs.kill(Kill("server", 0.6))
    runs.complete()
    _assert_healed(runs, came, "after the server was killed")

    _assert_like_undisturbed(runs, warehouse, monkeypatch, tmp_path, history.story)


@pytest.mark.extended
@pytest.mark.parametrize("seed", MANY)
def test_many_kills_leave_nothing_that_one_run_does_not_heal(
    seed: int, runs: Runs, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    random = Random(f"kills {seed}")
    history = History(seed, 10, drops=3)
    for number, came in enumerate(history.deliver(Path(runs.settings.landing))):
        kills = []
        for _ in range(random.choice([1, 1, 2])):
            # The first run knows no time yet: it is killed by name.
            by_name = number == 0 or random.random() < 0.4
            moment = random.choice(["dbt", "publishing"]) if by_name else random.uniform(0.05, 0.9)
            kills.append(Kill(random.choice(["run", "server", "both"]), moment))
        for kill in kills:
            runs.kill(kill)
        runs.complete()
        _assert_healed(runs, came, f"after {kills} in drop {number + 1} {history.story}")
    _assert_like_undisturbed(runs, warehouse, monkeypatch, tmp_path, history.story)
