"""The floor: the four KPI tables by psql scripts alone (floor/*.sql), as quick as they could be made.

No dbt, Dagster, checks, ledger or history: clean files in, figures out. The scripts run in up to two sessions at
a time. Does not belong here: what is measured (measure.py), and SQL.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import closing
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.measure import Measurement, measure
from benchmarks.product import RunFailed
from dagster_project.warehouse.connection import connect_url, without_password
from dagster_project.warehouse.server import EmbeddedServer, binaries

DATABASE = "floor"
SCRIPTS = Path(__file__).parent / "floor"
SEEDS = Path(__file__).parents[1] / "seeds"
# One after the other; the scripts of a phase at the same time.
PHASES = (
    ("tables",),
    ("load_bills", "load_payments"),
    ("settle",),
    ("cells_bills", "cells_customers"),
    ("kpi",),
)


class Floor:
    """A server with the product's settings, and on it the floor's database, made anew for every run."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.server = EmbeddedServer(home)
        self._server_url = self.server.start()
        self.url = urlsplit(self._server_url)._replace(path=f"/{DATABASE}").geturl()

    def run(self, landing: Path, first_month: date) -> Measurement:
        """The whole floor into an empty database, measured."""
        with closing(connect_url(self._server_url)) as conn:
            conn.autocommit = True
            with conn.cursor() as cursor:
                cursor.execute(f"drop database if exists {DATABASE} with (force)")
                cursor.execute(f"create database {DATABASE} template template0")
        return measure(lambda _stages: run_scripts(self.url, landing, first_month), self.server, self.url)

    def close(self) -> None:
        """Stops the server and removes its data."""
        self.server.stop()
        shutil.rmtree(self.home)


def run_scripts(url: str, landing: Path, first_month: date) -> None:
    """Runs all phases against an empty database. `first_month`: the first bill month in the files."""
    address, password = without_password(url)
    environment = {
        **os.environ,
        "PGPASSWORD": password or "",
        "PGCLIENTENCODING": "UTF8",
        "SEEDS": str(SEEDS),
    }
    options = ["-X", "-q", "-v", "ON_ERROR_STOP=1", "-v", f"first_month={first_month}"]
    for phase in PHASES:
        running = [
            subprocess.Popen(
                [str(binaries() / "psql"), *options, "-f", str(SCRIPTS / f"{script}.sql"), address],
                cwd=landing,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            for script in phase
        ]
        said = [process.communicate()[1] for process in running]  # all of them, before any is judged
        for script, process, errors in zip(phase, running, said, strict=True):
            if process.returncode != 0:
                raise RunFailed(f"{script}.sql: {errors.strip()}")
