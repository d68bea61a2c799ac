"""The commands that take loaded files back or read them again."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from dagster_project.cli.door import check_before, person_of, run_and_print, settings_of
from dagster_project.errors import CashlessError

if TYPE_CHECKING:
    from dagster_project.settings import Settings


@click.command()
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
    person = person_of(by, reason)
    from dagster_project.raw.withdraw import unload as unload_files

    settings = settings_of()
    check_before(settings)
    for done in unload_files(settings, files, person, content):
        click.echo(str(done), err=True)
    sys.exit(_figures(settings))


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--landing", metavar="DIR", help="As for run.")
@click.option("--reason", help="Why; kept with the change.")
@click.option("--by", metavar="NAME", help="Who asks for it [the user of this system].")
def reload(files: tuple[str, ...], landing: str | None, reason: str | None, by: str | None) -> None:
    """Read files of the landing again: after a change of a contract, or after unload.

    FILE: as for unload. Builds, audits and publishes what follows.
    """
    person = person_of(by, reason)
    from dagster_project.raw.reload import reload as reload_files

    settings = settings_of(landing=landing)
    check_before(settings)
    for done in reload_files(settings, files, person):
        click.echo(str(done), err=True)
    sys.exit(_figures(settings))


def _figures(settings: Settings) -> int:
    """What follows from the change for the figures; the change stands whatever becomes of that."""
    try:
        return run_and_print(settings, with_landing=False)
    except CashlessError as error:
        raise CashlessError(f"{error} The change is made all the same: the next run publishes it.") from error
