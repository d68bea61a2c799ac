"""The commands that make figures, or data to make them from: run, demo, sample; and status."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

import shutil
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dagster_project.cli.door import MONTH, run_and_print, settings_of

if TYPE_CHECKING:
    from dagster_project.settings import Settings

DEMO_CUSTOMERS = 37_500  # a tenth of the company
DEMO_FIRST = date(2024, 1, 1)
DEMO_LAST = date(2025, 12, 1)
DEMO_SEED = 1
PRESS_MONTH = date(2024, 5, 1)  # the month of the published figures


@click.command()
@click.option(
    "--landing", metavar="DIR", help="The landing folder, or any fsspec address [CASHLESS_LANDING]."
)
@click.option("--full", is_flag=True, help="Make every figure anew; only what then differs is published.")
def run(*, landing: str | None, full: bool) -> None:
    """Load what is new, build, audit and publish."""
    sys.exit(run_and_print(settings_of(landing=landing), is_full=full))


@click.command()
def demo() -> None:
    """Generate sample data, run the whole pipeline on it and show the KPIs."""
    settings = settings_of()
    landing = _demo_landing(settings)
    settings = settings_of(landing=str(landing))
    from dagster_project.orchestration.run import refuse_files_from_elsewhere

    refuse_files_from_elsewhere(settings)
    exit_code = run_and_print(settings)
    if exit_code == 0:
        from dagster_project.report.console import print_kpis

        print_kpis(settings, [DEMO_LAST, PRESS_MONTH])
        click.echo(
            "\nWhere to look next:\n"
            "  .venv/bin/cashless status                    the last publication and what was loaded\n"
            "  .venv/bin/cashless db psql                   SQL; BI reads the views of bi: \\dv bi.*\n"
            "  .venv/bin/dagster dev -w workspace.yaml      the same job with its assets and checks\n"
            "  .venv/bin/cashless db stop                   stops the embedded PostgreSQL\n"
            f"  {landing}   the raw files"
        )
    sys.exit(exit_code)


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write."
)
@click.option("--customers", type=click.IntRange(min=1), required=True)
@click.option("--from", "first", type=MONTH, required=True, help="First bill month.")
@click.option("--to", "last", type=MONTH, required=True, help="Last bill month.")
@click.option("--seed", type=click.IntRange(min=0), required=True, help="The same seed gives the same files.")
@click.option("--dirty", is_flag=True, help="With the mess that real files bring.")
def sample(*, out: Path, customers: int, first: date, last: date, seed: int, dirty: bool) -> None:
    """Write a landing bundle of made-up data."""
    if last < first:
        raise click.UsageError("--to is before --from")
    from dagster_project.sample import write_sample

    write_sample(out, customers=customers, first=first, last=last, seed=seed, dirty=dirty)
    click.echo(f"{out}")


@click.command()
def status() -> None:
    """Show the last publication and what was loaded."""
    from dagster_project.report.status import print_status

    print_status(settings_of())


def _demo_landing(settings: Settings) -> Path:
    """The demo's landing folder; generated only if it is not there as this code would make it."""
    from dagster_project import sample as generator
    from dagster_project.sample import write_sample

    folder = settings.home / "sample"
    landing, mark = folder / "landing", folder / "made_with.txt"
    made_with = f"{DEMO_CUSTOMERS} {DEMO_FIRST} {DEMO_LAST} {DEMO_SEED} {_fingerprint(generator)}\n"
    if mark.exists() and mark.read_text(encoding="ascii") == made_with and landing.is_dir():
        return landing
    click.echo(
        f"Generating the sample: {DEMO_CUSTOMERS:,} customers, {DEMO_FIRST:%Y-%m} to {DEMO_LAST:%Y-%m}",
        err=True,
    )
    mark.unlink(missing_ok=True)
    for remains in (landing, folder / "landing.new"):
        shutil.rmtree(remains, ignore_errors=True)
    write_sample(
        folder / "landing.new",
        customers=DEMO_CUSTOMERS,
        first=DEMO_FIRST,
        last=DEMO_LAST,
        seed=DEMO_SEED,
        dirty=False,
    )
    (folder / "landing.new").rename(landing)
    mark.write_text(made_with, encoding="ascii")
    return landing


def _fingerprint(package: Any) -> str:
    import hashlib

    digest = hashlib.sha256()
    code = Path(package.__file__).parent
    seeds = code.parents[1] / "seeds"
    for file in [*sorted(code.rglob("*.py")), *sorted(seeds.rglob("*.csv"))]:
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]
