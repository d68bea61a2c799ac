"""The commands that decide about publications: hold, release, publish."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

from contextlib import closing
from typing import Any

import click

from dagster_project.cli.door import person_of, settings_of

_BY = click.option("--by", metavar="NAME", help="Who decides it [the user of this system].")


@click.command()
@click.option("--reason", required=True, help="Why; seen by everybody who asks for the status.")
@_BY
def hold(reason: str, by: str | None) -> None:
    """Publish nothing until release: runs load, build and audit, and BI keeps its figures."""
    from dagster_project.publish.hold import hold as hold_publications

    person = person_of(by, reason)
    if not person.reason:
        raise click.UsageError("--reason is empty")
    with closing(_warehouse("cashless hold")) as conn:
        held = hold_publications(conn, person.name, person.reason)
    click.echo(f"Tạm dừng công bố / publications are held, by {held.held_by}: {held.reason}")


@click.command()
@click.option("--reason", default="", help="Why; kept with the hold.")
@_BY
def release(reason: str, by: str | None) -> None:
    """Let publications go on: the next run publishes what there is then."""
    from dagster_project.publish.hold import release as release_publications

    person = person_of(by, reason)
    with closing(_warehouse("cashless release")) as conn:
        ended = release_publications(conn, person.name, person.reason)
    click.echo(
        f"Công bố trở lại / publications go on; they were held by {ended.held_by}: {ended.reason}. "
        "`cashless run` publishes what waits."
    )


@click.command()
@click.option("--force", is_flag=True, required=True, help="Although critical checks failed.")
@click.option("--reason", required=True, help="Why; seen beside the publication by everybody.")
@_BY
def publish(*, force: bool, reason: str, by: str | None) -> None:
    """Publish the newest build although the quality gate refused it.

    All else must be right: it is the newest build, exactly as it was audited, and nobody holds publications back.
    """
    from dagster_project.orchestration.published import published_tables
    from dagster_project.publish.publish import Force, publish_refused
    from dagster_project.warehouse.connection import run_lock

    if not force:
        raise click.UsageError(
            "a build that passes is published by `cashless run`; --force is for a refused one"
        )
    person = person_of(by, reason)
    if not person.reason:
        raise click.UsageError("--reason is empty")
    with closing(_warehouse("cashless publish")) as conn, run_lock(conn):
        done = publish_refused(conn, published_tables(), Force(person.name, person.reason))
    click.echo(
        f"Đã công bố bất chấp kiểm tra / published against the gate: no. {done.publication_id}, "
        f"{done.checks_failed} kiểm tra nghiêm trọng không đạt / critical checks failed. "
        "bi.publication says who and why."
    )


def _warehouse(what: str) -> Any:
    from dagster_project.warehouse.connection import connect
    from dagster_project.warehouse.migrate import migrate

    conn = connect(settings_of(), what)
    migrate(conn)
    return conn
