"""The command line: a thin door. It reads arguments, calls one function, makes its outcome an exit code.

Does not belong here: any work. Only click is imported at the top, so that `cashless --help` stays quick;
everything else is imported by the command that needs it.

Exit codes: 0 published, or nothing new; 1 error; 2 wrong usage; 3 the quality gate refused the publication.
"""

# ruff: noqa: PLC0415  (imports inside commands: see above)
from __future__ import annotations

import os
import shutil
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dagster_project.errors import CashlessError

if TYPE_CHECKING:
    from dagster_project.raw.changes import Person
    from dagster_project.settings import Settings

DEMO_CUSTOMERS = 37_500  # a tenth of the company
DEMO_FIRST = date(2024, 1, 1)
DEMO_LAST = date(2025, 12, 1)
DEMO_SEED = 1
PRESS_MONTH = date(2024, 5, 1)  # the month of the published figures


class _Door(click.Group):
    """A group whose commands may raise CashlessError: one line for people instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CashlessError as error:
            click.echo(f"cashless: {error}", err=True)
            ctx.exit(error.exit_code)


class _Month(click.ParamType):
    name = "YYYY-MM"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        if isinstance(value, date):
            return value
        year, dash, month = str(value).partition("-")
        if (
            len(year) == 4
            and len(month) == 2
            and dash
            and (year + month).isdecimal()
            and 1 <= int(month) <= 12
        ):
            return date(int(year), int(month), 1)
        self.fail(f"{value!r} is not a month like 2024-05", param, ctx)


@click.group(cls=_Door, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The cashless-payment warehouse: landing files to published KPIs.

    Settings come from CASHLESS_* variables; docs/operator.md has the table.
    """


@main.command()
@click.option(
    "--landing", metavar="DIR", help="The landing folder, or any fsspec address [CASHLESS_LANDING]."
)
@click.option("--full", is_flag=True, help="Make every figure anew; only what then differs is published.")
def run(*, landing: str | None, full: bool) -> None:
    """Load what is new, build, audit and publish."""
    sys.exit(_run_pipeline(_settings(landing=landing), is_full=full))


@main.command()
def demo() -> None:
    """Generate sample data, run the whole pipeline on it and show the KPIs."""
    settings = _settings()
    landing = _demo_landing(settings)
    settings = _settings(landing=str(landing))
    from dagster_project.orchestration.run import refuse_files_from_elsewhere

    refuse_files_from_elsewhere(settings)
    exit_code = _run_pipeline(settings)
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


@main.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder to write."
)
@click.option("--customers", type=click.IntRange(min=1), required=True)
@click.option("--from", "first", type=_Month(), required=True, help="First bill month.")
@click.option("--to", "last", type=_Month(), required=True, help="Last bill month.")
@click.option("--seed", type=click.IntRange(min=0), required=True, help="The same seed gives the same files.")
@click.option("--dirty", is_flag=True, help="With the mess that real files bring.")
def sample(*, out: Path, customers: int, first: date, last: date, seed: int, dirty: bool) -> None:
    """Write a landing bundle of made-up data."""
    if last < first:
        raise click.UsageError("--to is before --from")
    from dagster_project.sample import write_sample

    write_sample(out, customers=customers, first=first, last=last, seed=seed, dirty=dirty)
    click.echo(f"{out}")


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--content", metavar="SHA256", help="Which content of FILE, if it has several: how its hash begins."
)
@click.option("--reason", help="Why; kept with the change and seen in bi.load_audit.")
@click.option("--by", metavar="NAME", help="Who asks for it [the user of this system].")
def unload(files: tuple[str, ...], content: str | None, reason: str | None, by: str | None) -> None:
    """Take files back out: figures become as if they had never come.

    FILE: its path as in bi.load_audit, or one on disk that ends in it. It is not loaded again, even if it still
    lies in the landing. Builds, audits and publishes what follows.
    """
    if content is not None and len(files) > 1:
        raise click.UsageError("--content is for one FILE")
    person = _person(by, reason)
    from dagster_project.raw.withdraw import unload as unload_files

    settings = _settings()
    for done in unload_files(settings, files, person, content):
        click.echo(str(done), err=True)
    sys.exit(_run_pipeline(settings, with_landing=False))


@main.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--landing", metavar="DIR", help="As for run.")
@click.option("--reason", help="Why; kept with the change.")
@click.option("--by", metavar="NAME", help="Who asks for it [the user of this system].")
def reload(files: tuple[str, ...], landing: str | None, reason: str | None, by: str | None) -> None:
    """Read files of the landing again: after a change of a contract, or after unload.

    FILE: as for unload. Builds, audits and publishes what follows.
    """
    person = _person(by, reason)
    from dagster_project.raw.reload import reload as reload_files

    settings = _settings(landing=landing)
    for done in reload_files(settings, files, person):
        click.echo(str(done), err=True)
    sys.exit(_run_pipeline(settings, with_landing=False))


@main.command()
def status() -> None:
    """Show the last publication and what was loaded."""
    from dagster_project.report.console import print_status

    print_status(_settings())


@main.group()
def db() -> None:
    """The database: the embedded server, or the one of CASHLESS_DATABASE_URL."""


@db.command()
def start() -> None:
    """Start the embedded server (every command that needs it does)."""
    from urllib.parse import urlsplit

    server = _embedded_server()
    parts = urlsplit(server.start())
    click.echo(f"running on {parts.hostname}:{parts.port}, data in {server.data}")


@db.command()
def stop() -> None:
    """Stop the embedded server."""
    click.echo("stopped" if _embedded_server().stop() else "was not running")


@db.command()
def url() -> None:
    """Print the URL, with its password, for scripts; starts the embedded server."""
    from dagster_project.warehouse.connection import database_url

    click.echo(database_url(_settings()))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the warehouse; ARGUMENTS go to psql (cashless db psql -c 'select …')."""
    from dagster_project.warehouse.connection import database_url, without_password
    from dagster_project.warehouse.server import EmbeddedServer

    settings = _settings()
    address, password = without_password(database_url(settings))
    # A server elsewhere may want SSL, which the bundled program cannot do.
    own = shutil.which("psql") if settings.database_url else None
    program = own or str(EmbeddedServer(settings.home).binary("psql"))
    environment = {
        **os.environ,
        "PGAPPNAME": "cashless psql",
        "PGCLIENTENCODING": "UTF8",
        "PGTZ": "Asia/Ho_Chi_Minh",
    }
    if password:
        environment["PGPASSWORD"] = password  # not as an argument, which every user of the machine can see
    sys.stdout.flush()
    os.execve(program, ["psql", address, *arguments], environment)


@db.command()
def grant() -> None:
    """Make or repair the roles that read the published tables."""
    from dagster_project.publish.roles import grant as grant_roles

    for shortcoming in grant_roles(_settings()):
        click.echo(shortcoming, err=True)
    click.echo("the role bi_reader reads the schema bi")


def _settings(**overrides: Any) -> Settings:
    from dagster_project.settings import load_settings

    return load_settings(**overrides)


def _person(by: str | None, reason: str | None) -> Person:
    """Who asks for a change of raw, and why: asked for if somebody is there to answer."""
    import getpass

    from dagster_project.raw.changes import Person

    if by is None:
        try:
            by = getpass.getuser()
        except (KeyError, OSError):  # a user without a name, as in some containers
            by = f"user {os.getuid()}"
    if not by.strip():
        raise click.UsageError("--by is empty")
    if reason is None:
        reason = click.prompt("Reason", default="", show_default=False) if sys.stdin.isatty() else ""
    return Person(by.strip(), reason.strip())


def _embedded_server() -> Any:
    from dagster_project.warehouse.server import EmbeddedServer, WarehouseError

    settings = _settings()
    if settings.database_url is not None:
        raise WarehouseError("CASHLESS_DATABASE_URL is set: that server is not started or stopped from here.")
    return EmbeddedServer(settings.home)


def _run_pipeline(settings: Settings, *, with_landing: bool = True, is_full: bool = False) -> int:
    import time

    from dagster_project.orchestration.report import RunReport
    from dagster_project.orchestration.run import run_pipeline

    start = time.monotonic()

    def progress(step: str) -> None:
        click.echo(f"{time.monotonic() - start:5.0f} s  {step}", err=True)

    result = run_pipeline(settings, RunReport(progress), with_landing=with_landing, is_full=is_full)
    result.print()
    return result.exit_code


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
