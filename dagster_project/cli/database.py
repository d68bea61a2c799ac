"""The commands of the database: start, stop, url, psql, grant."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

import os
import shutil
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from dagster_project.cli.door import settings_of
from dagster_project.errors import CashlessError


@click.group()
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
@click.option("--force", is_flag=True, help="Also while somebody is writing: that run ends with an error.")
def stop(*, force: bool) -> None:
    """Stop the embedded server."""
    server = _embedded_server()
    url = server.url()
    if url is not None and not force:
        from dagster_project.warehouse.connection import refuse_if_locked

        refuse_if_locked(url)
    click.echo("stopped" if server.stop() else "was not running")


@db.command()
def url() -> None:
    """Print the URL, with its password, for scripts; starts the embedded server."""
    from dagster_project.warehouse.connection import database_url

    click.echo(database_url(settings_of()))


@db.command(context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql(arguments: tuple[str, ...]) -> None:
    """Open psql on the warehouse; ARGUMENTS go to psql (cashless db psql -c 'select …')."""
    from dagster_project.warehouse.connection import database_url, without_password
    from dagster_project.warehouse.server import EmbeddedServer

    settings = settings_of()
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
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="The page to write (.html)."
)
def docs(out: Path) -> None:
    """Write the catalogue of all models and columns, with their Vietnamese labels, as one page."""
    from dagster_project.report.console import exists
    from dagster_project.transform.docs import write_docs
    from dagster_project.warehouse.connection import connect, database_url

    settings = settings_of()
    with closing(connect(settings, "cashless db docs")) as conn, conn, conn.cursor() as cur:
        if not exists(cur, "bi.fct_bill"):
            raise CashlessError("Nothing is published yet: there are no tables to describe.")
    write_docs(database_url(settings), out)
    click.echo(f"{out}: mở bằng trình duyệt / open it in a browser")


@db.command()
def grant() -> None:
    """Make or repair the roles that read the published tables."""
    from dagster_project.publish.roles import grant as grant_roles

    for shortcoming in grant_roles(settings_of()):
        click.echo(shortcoming, err=True)
    click.echo("the role bi_reader reads the schema bi")


def _embedded_server() -> Any:
    from dagster_project.warehouse.server import EmbeddedServer, WarehouseError

    settings = settings_of()
    if settings.database_url is not None:
        raise WarehouseError("CASHLESS_DATABASE_URL is set: that server is not started or stopped from here.")
    return EmbeddedServer(settings.home)
