"""The command `python -m benchmarks`: measures the product against the floor and prints the table.

It decides the order of things only: what the files are, what a run is and what it costs is told elsewhere.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median

import click

from benchmarks import duckdb_yardstick, reading
from benchmarks.bundle import SEED, SIZES, Bundle, Size, make_bundle
from benchmarks.equality import FiguresDiffer, assert_equal, postgres_tables
from benchmarks.floor import Floor
from benchmarks.measure import Cost, Measurement
from benchmarks.product import Product, RunFailed
from benchmarks.report import DAY, DUCKDB, FLOOR, FULL, LATE, MONTH, NOTHING, STEPS, markdown, write_json

DEFAULT_WORK = Path(__file__).parents[1] / ".cashless" / "benchmarks"


@click.command(context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.option("--size", "size_name", type=click.Choice(list(SIZES)), default="S")
@click.option("--repeat", type=click.IntRange(min=1), default=1, help="How often everything is measured.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Also write all figures as JSON."
)
@click.option("--work", type=click.Path(path_type=Path, file_okay=False), default=DEFAULT_WORK)
def main(size_name: str, repeat: int, out: Path | None, work: Path) -> None:
    """Measure the product against a hand-written floor and against DuckDB; prints Markdown tables.

    Exit code 1 without any timing if the figures of the three are not the same.
    """
    size, folder = SIZES[size_name], work.absolute() / size_name
    try:
        report(size, folder, repeat, out)
    except (FiguresDiffer, RunFailed) as error:
        click.echo(f"benchmarks: {error}", err=True)
        sys.exit(1)


def report(size: Size, folder: Path, repeat: int, out: Path | None) -> None:
    """Measures, proves, prints."""
    load_before = os.getloadavg()[0]
    _tell(f"writing {size.customers:,} customers, {size.first:%Y-%m} to {size.last:%Y-%m}")
    bundle = make_bundle(size, folder / "files")
    results: dict[str, list[Measurement]] = {step: [] for step in STEPS}
    floor = Floor(folder / "floor")
    cells = 0
    reads: list[tuple[dict[str, float], Cost]] = []
    try:
        for number in range(repeat):
            cells += _full_runs(size, folder, bundle, floor, results, reads, is_floor_first=number % 2 == 0)
            cells += _increments(size, folder, bundle, floor, results)
    finally:
        floor.close()
    rows = bundle.rows()
    per_row = [1e6 * run.cpu_s / rows for run in results[FULL]]
    facts = {
        "size": size.name,
        "customers": size.customers,
        "months": f"{size.first:%Y-%m} to {size.last:%Y-%m}",
        "bills_and_payments": rows,
        "seed": SEED,
        "repeats": repeat,
        "cells_compared": cells,
        "cpus": os.cpu_count(),
        "load_average_before": round(load_before, 1),
        "load_average_after": round(os.getloadavg()[0], 1),
    }
    notes = [
        f"repeats: {repeat} (medians); {os.cpu_count()} CPUs, load average {facts['load_average_before']} before and "
        f"{facts['load_average_after']} after; {cells:,} cells compared with the yardsticks, all equal. "
        f"{rows:,} bills and payments; a full run takes {median(per_row):.1f} µs of CPU for each."
    ]
    title = f"{size.name}: {size.customers:,} customers, {size.first:%Y-%m} to {size.last:%Y-%m}"
    if out is not None:
        write_json(out, facts, results)
    queries = {name: median(seconds[name] for seconds, _ in reads) for name in reading.QUERIES}
    click.echo(markdown(title, results, notes, queries, [once for _, once in reads]))


def _full_runs(
    size: Size,
    folder: Path,
    bundle: Bundle,
    floor: Floor,
    results: dict[str, list[Measurement]],
    reads: list[tuple[dict[str, float], Cost]],
    *,
    is_floor_first: bool,
) -> int:
    """The full run of all three, the product first or last; the number of cells found equal."""
    product = Product(folder / "product")
    duckdb = folder / "figures.duckdb"

    def run_product() -> None:
        results[FULL].append(_told(FULL, product.run(bundle.full)))

    def run_yardsticks() -> None:
        results[FLOOR].append(_told(FLOOR, floor.run(bundle.full, size.first)))
        results[DUCKDB].append(
            _told(DUCKDB, duckdb_yardstick.run(bundle.full, duckdb, floor.server, floor.url))
        )

    try:
        for run in (run_yardsticks, run_product) if is_floor_first else (run_product, run_yardsticks):
            run()
        cells = assert_equal(product.url, postgres_tables(floor.url, "public"))
        cells += assert_equal(product.url, duckdb_yardstick.tables(duckdb), "DuckDB", is_exact=False)
        reads.append(
            (
                reading.percentiles(product.url),
                reading.audit_pass(product.server, product.url, product.dbt_folder),
            )
        )
        return cells
    finally:
        product.close()


def _increments(
    size: Size, folder: Path, bundle: Bundle, floor: Floor, results: dict[str, list[Measurement]]
) -> int:
    """What comes to a warehouse that has all but the last month; the number of cells found equal at the end."""
    product = Product(folder / "product")
    landing = folder / "landing"
    try:
        _empty(landing)
        bundle.place(landing, bundle.rest)
        _told("all but the last month", product.run(landing))
        for step, files in ((MONTH, bundle.month), (DAY, bundle.day)):
            bundle.place(landing, files)
            results[step].append(_told(step, product.run(landing)))
        bundle.place_late_payment(landing)
        results[LATE].append(_told(LATE, product.run(landing)))
        results[NOTHING].append(_told(NOTHING, product.run(landing)))
        floor.run(landing, size.first)
        return assert_equal(product.url, postgres_tables(floor.url, "public"))
    finally:
        product.close()


def _empty(landing: Path) -> None:
    """No file of an earlier repeat; files only, so that a wrong --work removes no folder."""
    for file in landing.rglob("*.csv"):
        file.unlink()


def _told(step: str, run: Measurement) -> Measurement:
    _tell(f"{step}: {run.wall_s:.1f} s, CPU {run.client_cpu_s:.1f} + {run.server_cpu_s:.1f} s")
    return run


def _tell(text: str) -> None:
    click.echo(text, err=True)


if __name__ == "__main__":
    main()
