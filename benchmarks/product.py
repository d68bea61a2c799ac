"""The product as a user runs it: `cashless run` as a process, with its own home and embedded server."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import deque
from dataclasses import replace
from pathlib import Path

from benchmarks.measure import Measurement, Stages, measure
from dagster_project.warehouse.server import EmbeddedServer

CASHLESS = Path(sys.executable).with_name("cashless")
_TOLD_LINES = 20
STARTING = "start"
AUDIT = "audit"
# What `cashless run` says when a stage begins.
STAGES = {
    "loading": "load",
    "building the models": "models",
    "checking quality": AUDIT,
    "publishing": "publication",
}
_PROGRESS = re.compile(rf" *\d+ s  .* / ({'|'.join(STAGES)})\b")
# A line of dbt's log: "5 of 193 OK created sql table model staging.stg_payment ....... [SELECT 1209 in 0.12s]"
_DONE = re.compile(r" \d+ of \d+ (?:OK|PASS|WARN) .*?([a-z_0-9.]+) \.+ \[.* in ([\d.]+)s\]")


class RunFailed(Exception):
    """A run that should have worked did not."""


def environment(home: Path) -> dict[str, str]:
    """The environment of a command: no setting of the caller's own, and this home."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("CASHLESS_")}
    return own | {"CASHLESS_HOME": str(home)}


class Product:
    """A warehouse of the product, empty at first. The server runs before the first measured second."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.server = EmbeddedServer(home)
        if home.exists():
            self.server.stop()
            shutil.rmtree(home)
        self.url = self.server.start()

    @property
    def dbt_folder(self) -> Path:
        """Where the run's compiled queries are."""
        return self.home / "dbt"

    def run(self, landing: Path) -> Measurement:
        """One run over the landing folder, measured; a run that does not end with 0 is an error."""
        log = self.dbt_folder / "dbt.log"
        log.unlink(missing_ok=True)  # dbt appends; a run with nothing new calls no dbt
        measured = measure(lambda stages: self._run(landing, stages), self.server, self.url)
        return replace(measured, models=seconds_of_models(log))

    def close(self) -> None:
        """Stops the server and removes the warehouse."""
        self.server.stop()
        shutil.rmtree(self.home)

    def _run(self, landing: Path, stages: Stages) -> None:
        stages.begin(STARTING)
        said: deque[str] = deque(maxlen=_TOLD_LINES)
        with subprocess.Popen(
            [str(CASHLESS), "run", "--landing", str(landing)],
            env=environment(self.home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as running:
            assert running.stdout is not None
            for line in running.stdout:
                said.append(line)
                if begins := _PROGRESS.match(line):
                    stages.begin(STAGES[begins[1]])
        if running.returncode != 0:
            raise RunFailed(f"cashless run ended with {running.returncode}:\n{''.join(said)}")


def seconds_of_models(log: Path) -> dict[str, float]:
    """Wall seconds of each model that was built and each test that passed, as dbt's log tells them."""
    if not log.exists():
        return {}
    return {done[1]: float(done[2]) for done in _DONE.finditer(log.read_text(encoding="utf-8"))}
