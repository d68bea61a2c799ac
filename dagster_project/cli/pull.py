"""The command that pulls from databases without loading what came."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

import sys

import click

from dagster_project.cli.door import settings_of


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--landing", metavar="DIR", help="As for run.")
@click.option(
    "--since",
    metavar="MARK",
    help="From there on, instead of where the last pull ended: a date, a time or a number.",
)
def pull(names: tuple[str, ...], landing: str | None, since: str | None) -> None:
    """Bring new rows of other databases into the landing as files; `cashless run` does so by itself.

    NAME: a pull declared in the folder `pulls` of the overlay; all of them, if none is given.
    """
    if since is not None and len(names) != 1:
        raise click.UsageError("--since is for one NAME")
    settings = settings_of(landing=landing)
    from dagster_project.landing.location import open_place
    from dagster_project.pull.pull import pull_all
    from dagster_project.raw.withdraw import writing

    place = open_place(settings.landing)
    with writing(settings, "cashless pull") as conn:
        done = pull_all(conn, settings, place, names, since, lambda step: click.echo(step, err=True))
    for one in done:
        click.echo(f"Không kéo được / Pull failed: {one}" if one.fault else str(one))
    if not done:
        click.echo(f"Không có khai báo nào / No pull is declared in {settings.overlay_folder() / 'pulls'}.")
    sys.exit(1 if any(one.fault for one in done) else 0)
