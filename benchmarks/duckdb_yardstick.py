"""The second yardstick: the four KPI tables by DuckDB (duckdb_yardstick.sql), another engine, from the same files.

`python -m benchmarks.duckdb_yardstick LANDING FILE` fills a database file anew. Does not belong here: what is measured.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import duckdb

from benchmarks.equality import Row, Tables
from benchmarks.measure import MEGABYTE, Measurement, Stages, measure
from benchmarks.product import RunFailed
from dagster_project.warehouse.server import EmbeddedServer

ROOT = Path(__file__).parents[1]
SCRIPT = Path(__file__).with_suffix(".sql")


def fill(landing: Path, file: Path) -> None:
    """Makes the database file from the landing folder."""
    file.unlink(missing_ok=True)
    with closing(duckdb.connect(str(file))) as conn:
        for name, folder in (("landing", landing), ("seeds", ROOT / "seeds")):
            quoted = str(folder.absolute()).replace("'", "''")
            conn.execute(f"set variable {name} = '{quoted}'")
        conn.execute(SCRIPT.read_text(encoding="utf-8"))


def run(landing: Path, file: Path, idle: EmbeddedServer, url: str) -> Measurement:
    """The whole yardstick as a process of its own, measured; `idle`: a server that has nothing to do, at `url`."""

    def work(_stages: Stages) -> None:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.duckdb_yardstick", str(landing), str(file)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RunFailed(f"duckdb: {done.stderr.strip()}")

    return replace(measure(work, idle, url), database_mb=file.stat().st_size / MEGABYTE)


def tables(file: Path) -> Tables:
    """Its tables, for the comparison. Rates and medians are binary numbers here, as DuckDB divides."""

    def rows(table: str, wanted: tuple[str, ...]) -> tuple[set[str], list[Row]]:
        with closing(duckdb.connect(str(file), read_only=True)) as conn:
            found = conn.execute(f"select * from {table}")
            names = [column[0] for column in found.description or ()]
            places = [names.index(name) for name in wanted if name in names]
            return set(names), [tuple(_exact(row[place]) for place in places) for row in found.fetchall()]

    return rows


def _exact(value: object) -> object:
    return Decimal(value) if isinstance(value, float) else value


if __name__ == "__main__":
    fill(Path(sys.argv[1]), Path(sys.argv[2]))
