"""The command that checks contracts, and files against them."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dagster_project.cli.door import settings_of

if TYPE_CHECKING:
    from dagster_project.settings import Settings


@click.group()
def contract() -> None:
    """The contracts: what a row of each source must look like."""


@contract.command()
@click.argument(
    "files", metavar="[FILE]...", nargs=-1, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--source", help="The source of FILE [the folder it lies in].")
def check(files: tuple[Path, ...], source: str | None) -> None:
    """Look for faults in the contracts; or show what FILE would do, without loading it.

    FILE: any file on disk. Nothing of it remains in the warehouse. Exit code 1: a contract is wrong, or a FILE would
    be refused.
    """
    if source is not None and not files:
        raise click.UsageError("--source is for a FILE")
    settings = settings_of()
    sys.exit(_check_files(settings, files, source) if files else _check_contracts(settings))


def _check_contracts(settings: Settings) -> int:
    from dagster_project.contracts.lint import contract_files, faults_of

    paths = contract_files(settings.overlay_folder())
    faults = [fault for path in paths for fault in faults_of(path)]
    for fault in faults:
        click.echo(str(fault))
    click.echo(f"{len(paths)} hợp đồng / contracts, {len(faults)} lỗi / faults")
    return 1 if faults else 0


def _check_files(settings: Settings, files: tuple[Path, ...], source: str | None) -> int:
    from dagster_project.contracts.catalog import contracts
    from dagster_project.landing.finder import source_of
    from dagster_project.raw.preview import preview

    known = contracts(settings.overlay_folder())
    meant = []
    for path in files:
        of = source or source_of(path, known)
        if of is None or of not in known:
            raise click.UsageError(
                f"{path} lies in no folder of a source; say which it is with --source: {', '.join(known)}"
            )
        meant.append((path, of))
    seen = [preview(settings, path, of) for path, of in meant]
    for each in seen:
        click.echo(str(each))
    return 1 if any(each.refused_reason is not None for each in seen) else 0
