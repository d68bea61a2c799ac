"""The command `python -m benchmarks.load`: what loading a file costs, next to a plain COPY and to pandas.to_sql.

Does not belong here: the work itself (load_work.py) and the rest of the pipeline (`python -m benchmarks`).
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import click
import xlsxwriter

from benchmarks.measure import Measurement, Stages, measure
from benchmarks.product import RunFailed, environment
from dagster_project.warehouse.connection import connect_url
from dagster_project.warehouse.migrate import migrate
from dagster_project.warehouse.server import EmbeddedServer

ROOT = Path(__file__).parents[1]
DEFAULT_WORK = ROOT / ".cashless" / "benchmarks" / "load"
SEED = 1
BAD = 0.002
REPEATED = 0.002
# Slow by itself, so it gets at most so many rows; its rows per second do not grow with more.
PANDAS_ROWS = 100_000
EXCEL_ROWS = 100_000
HEADER = (
    "partner_code,transaction_id,kind,reverses_transaction_id,channel_code,customer_code,bill_id,amount,fee,paid_at,"
    "partner_settled_on,collection_point_code"
)
CHANNELS = ("auto_debit", "mobile_banking", "qr", "viettel_money", "momo", "bank_counter", "evn_counter")


@dataclass(frozen=True)
class Loaded:
    """One load: what it cost, and its memory by its own account."""

    rows: int
    cost: Measurement
    imports_mb: float
    peak_mb: float

    @property
    def rows_per_cpu_s(self) -> float:
        return self.rows / self.cost.cpu_s


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--rows", type=click.IntRange(min=1), multiple=True, default=(100_000, 1_000_000))
@click.option("--repeat", type=click.IntRange(min=1), default=1, help="How often everything is measured.")
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_WORK)
def main(rows: tuple[int, ...], repeat: int, work: Path) -> None:
    """Measure the load of payments files (0.2 % bad rows, 0.2 % repeated ones); prints a Markdown table."""
    work = work.absolute()
    server = EmbeddedServer(work / "home")
    url = server.start()
    lines = [
        f"{os.cpu_count()} CPUs, load average {os.getloadavg()[0]:.1f} before; medians of {repeat}.\n",
        "| rows | work | CPU s | client | server | wall s | rows per CPU s | of COPY | of typed COPY | "
        "MB above imports |",
        "|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    try:
        for count in rows:
            landing = write_csv(work / f"csv_{count}", count)
            runs: dict[str, list[Loaded]] = {"copy": [], "least": [], "typed": [], "product": []}
            for _ in range(repeat):
                for kind, found in runs.items():
                    found.append(_load(kind, server, url, landing, count))
            lines += [_line(kind, found, runs) for kind, found in runs.items()]
        count = min(PANDAS_ROWS, max(rows))
        landing = write_csv(work / f"csv_{count}", count)
        lines.append(_line("pandas", [_load("pandas", server, url, landing, count) for _ in range(repeat)]))
        count = min(EXCEL_ROWS, max(rows))
        landing = write_workbook(work / f"xlsx_{count}", count)
        lines.append(
            _line("product, .xlsx", [_load("product", server, url, landing, count) for _ in range(repeat)])
        )
    finally:
        server.stop()
        shutil.rmtree(work / "home")
    click.echo("\n".join(lines))


def write_csv(landing: Path, rows: int) -> Path:
    """A landing folder with one payments file of so many rows; the same number gives the same file."""
    file = landing / "payments" / "payments.csv"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        chance = random.Random(SEED)
        with file.with_suffix(".new").open("w", encoding="utf-8") as stream:
            stream.write(HEADER + "\n")
            before = ""
            for number in range(rows):
                line = before if before and chance.random() < REPEATED else ",".join(_fields(number, chance))
                stream.write(line + "\n")
                before = line
        file.with_suffix(".new").rename(file)
    return landing


def write_workbook(landing: Path, rows: int) -> Path:
    """The same as a workbook, amounts as numbers."""
    file = landing / "payments" / "payments.xlsx"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        chance = random.Random(SEED)
        with xlsxwriter.Workbook(str(file), {"constant_memory": True}) as book:
            sheet = book.add_worksheet("payments")
            sheet.write_row(0, 0, HEADER.split(","))
            for number in range(rows):
                for column, text in enumerate(_fields(number, chance)):
                    if column == 7 and text.isdecimal():
                        sheet.write_number(number + 1, column, int(text))
                    elif text:
                        sheet.write_string(number + 1, column, text)
    return landing


def _fields(number: int, chance: random.Random) -> list[str]:
    """A payment; the order of the times is that of the rows, as in a partner's file."""
    customer = chance.randrange(375_000)
    day = 1 + number * 27 // 10_000_000
    amount = str(chance.randrange(30_000, 3_000_000)) if chance.random() >= BAD else "n/a"
    seconds = number % 86_400
    paid_at = f"2024-05-{day:02} {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return [
        f"BANK{chance.randrange(12):02}",
        f"FT{number:012}",
        "payment",
        "",
        CHANNELS[chance.randrange(len(CHANNELS))],
        f"PN{customer:011}",
        f"HD2405{customer:08}",
        amount,
        "0",
        paid_at,
        "",
        "",
    ]


def _load(kind: str, server: EmbeddedServer, url: str, landing: Path, rows: int) -> Loaded:
    """One load into a fresh database."""
    fresh = urlsplit(url)._replace(path="/load").geturl()
    conn = connect_url(url)
    conn.autocommit = True
    with conn.cursor() as cursor:
        cursor.execute("drop database if exists load with (force)")
        cursor.execute("create database load template template0")
    conn.close()
    conn = connect_url(fresh)
    migrate(conn)
    conn.close()
    said: list[str] = []
    command = [sys.executable, "-m", "benchmarks.load_work", kind, fresh, str(landing), str(server.home)]

    def work(_stages: Stages) -> None:
        done = subprocess.run(
            command, cwd=ROOT, env=environment(server.home), capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RunFailed(f"{kind}: {done.stderr}")
        said.append(done.stdout)

    cost = measure(work, server, fresh)
    memory = json.loads(said[-1])
    click.echo(f"{kind} {rows:,}: {rows / cost.cpu_s:,.0f} rows per CPU second", err=True)
    return Loaded(rows, cost, memory["imports_mb"], memory["peak_mb"])


def _line(kind: str, runs: list[Loaded], beside: Mapping[str, list[Loaded]] | None = None) -> str:
    ratios = [_ratio(runs, (beside or {}).get(other)) if kind != other else "" for other in ("copy", "typed")]
    figures = (
        f"{median(run.cost.cpu_s for run in runs):.2f}",
        f"{median(run.cost.client_cpu_s for run in runs):.2f}",
        f"{median(run.cost.server_cpu_s for run in runs):.2f}",
        f"{median(run.cost.wall_s for run in runs):.2f}",
        f"{median(run.rows_per_cpu_s for run in runs):,.0f}",
        *ratios,
        f"{median(run.peak_mb - run.imports_mb for run in runs):.0f}",
    )
    return f"| {runs[0].rows:,} | {kind} | " + " | ".join(figures) + " |"


def _ratio(runs: list[Loaded], others: list[Loaded] | None) -> str:
    if not others:
        return ""
    pairs = zip(runs, others, strict=True)
    return f"{median(run.rows_per_cpu_s / other.rows_per_cpu_s for run, other in pairs):.2f} ×"


if __name__ == "__main__":
    main()
