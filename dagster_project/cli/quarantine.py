"""The commands of the quarantine: list, show, export."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

from pathlib import Path

import click

from dagster_project.cli.door import settings_of

_SOURCE = click.option("--source", metavar="SOURCE", help="Only this source (a folder of the landing).")


@click.group()
def quarantine() -> None:
    """Rows that were not accepted: what, where, why, and workbooks for those who own the data."""


@quarantine.command("list")
@_SOURCE
@click.option(
    "--file", metavar="FILE", help="Only this file: its path as in bi.load_audit, or the end of one on disk."
)
@click.option("--all", "with_repaired", is_flag=True, help="Also what was repaired since.")
def list_(*, source: str | None, file: str | None, with_repaired: bool) -> None:
    """Count the rows by source, file, column and reason, with their money and the oldest day."""
    from dagster_project.raw import quarantine_reading as held
    from dagster_project.report.quarantine import print_groups

    _check_source(source)
    with held.reading(settings_of()) as conn:
        path = None if file is None else held.path_of(conn, file)
        groups = held.groups(conn, held.Wanted(source=source, file=path, with_repaired=with_repaired))
    print_groups(groups)


@quarantine.command()
@click.argument("name", metavar="FILE|SOURCE")
@click.option("--line", type=click.IntRange(min=1), help="Only the row that begins in this line.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many rows."
)
@click.option("--all", "with_repaired", is_flag=True, help="Also what was repaired since.")
@click.option("--unmasked", is_flag=True, help="As they stand in the file, with personal data.")
def show(*, name: str, line: int | None, limit: int, with_repaired: bool, unmasked: bool) -> None:
    """Show the rows of a file or a source; what is personal in them is hidden."""
    from dataclasses import replace

    from dagster_project.raw import quarantine_reading as held
    from dagster_project.report.quarantine import print_rows

    with held.reading(settings_of()) as conn:
        wanted = replace(held.meant_by(conn, name), line=line, with_repaired=with_repaired)
        if unmasked:
            click.echo("Dữ liệu cá nhân được hiển thị / Personal data are shown.", err=True)
        total = held.count_rows(conn, wanted)
        print_rows(held.rows(conn, wanted, is_masked=not unmasked, limit=limit), total=total)


@quarantine.command()
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="Folder for the workbooks."
)
@_SOURCE
@click.option("--all", "with_repaired", is_flag=True, help="Also what was repaired since.")
def export(*, out: Path, source: str | None, with_repaired: bool) -> None:
    """Write an Excel workbook per source that has bad rows or refused files.

    The workbooks are for the people who own the data and hold personal data: only you can read them.
    """
    from dagster_project.raw import quarantine_reading as held
    from dagster_project.report.workbook import write_workbook

    _check_source(source)
    settings = settings_of()
    with held.reading(settings) as conn:
        is_empty = True
        for name in held.sources() if source is None else (source,):
            wanted = held.Wanted(source=name, with_repaired=with_repaired)
            refused = held.refused_files(conn, name)
            if not refused and held.count_rows(conn, wanted) == 0:
                continue
            is_empty = False
            rows = held.rows(conn, wanted, is_masked=False)
            done = write_workbook(out, name, settings.today_local(), rows, refused)
            click.echo(
                f"{done.path}: {done.rows:,} dòng / rows, {done.refused:,} tệp bị từ chối / refused files"
            )
    if is_empty:
        click.echo("Không có gì bị cách ly hoặc từ chối / Nothing is in quarantine or refused.")
    else:
        click.echo("Có dữ liệu cá nhân / These workbooks hold personal data.", err=True)


def _check_source(source: str | None) -> None:
    from dagster_project.raw.quarantine_reading import is_source, sources

    if source is not None and not is_source(source):
        raise click.UsageError(f"no source is called {source}; there are {', '.join(sources())}")
