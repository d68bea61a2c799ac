"""The commands about published figures: close, explain, list."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

from datetime import date
from pathlib import Path

import click

from dagster_project.cli.door import MONTH, settings_of


@click.command()
@click.argument("month", type=MONTH)
@click.option("--by", metavar="NAME", required=True, help="Who signs.")
@click.option("--note", help="Kept beside the signature.")
def close(month: date, by: str, note: str | None) -> None:
    """Sign a month's figures off (chốt số liệu), as they are published now.

    They are kept as they stand (bi.sign_off, bi.signed_figure). What later publications change in them is told in
    bi.kpi_revision; `cashless explain --month MONTH` says why.
    """
    from contextlib import closing

    from dagster_project.orchestration.published import published_tables
    from dagster_project.publish.sign_off import sign_off
    from dagster_project.warehouse.connection import connect
    from dagster_project.warehouse.migrate import migrate

    if not by.strip():
        raise click.UsageError("--by is empty")
    with closing(connect(settings_of(), "cashless close")) as conn:
        migrate(conn)
        done = sign_off(conn, published_tables(), month, by.strip(), note)
    for before in done.before:
        click.echo(
            f"Đã chốt trước đó / signed before: {before.signed_at:%Y-%m-%d %H:%M}, {before.by}, "
            f"lần công bố / publication {before.publication_id}; vẫn giữ / kept."
        )
    click.echo(
        f"Đã chốt / signed: {done.month:%Y-%m}, lần công bố / publication {done.publication_id}, "
        f"{done.figures:,} dòng số liệu / rows of figures."
    )
    if done.status != "final":
        click.echo(
            "Tháng này còn tạm tính / The month is still provisional: late payments may change it, and "
            "bi.kpi_revision will tell.",
            err=True,
        )


@click.command()
@click.option("--month", type=MONTH, required=True, help="The billing month.")
@click.option("--commune", metavar="CODE", help="A commune, as recorded.")
@click.option("--current-commune", metavar="CODE", help="A commune of today's map (geography current).")
@click.option("--district", metavar="CODE", help="A district.")
@click.option("--power-unit", metavar="CODE", help="A power unit.")
@click.option("--scope", type=click.Choice(["electricity", "all"]), default="electricity", show_default=True)
@click.option(
    "--since",
    metavar="PUBLICATION",
    type=int,
    help="Since this publication [that of the month's latest signature, if anything was published after it; else the "
    "last but one].",
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Bills to show.")
def explain(*, month: date, scope: str, since: int | None, limit: int, **units: str | None) -> None:
    """Say why a month's figures changed: counts, bills that moved, files and lines that moved them.

    Of the company, unless a unit is named.
    """
    from dagster_project.report.explain import Question
    from dagster_project.report.explain import explain as find
    from dagster_project.report.explanation import print_answer

    named = [(f"{name}_code", code) for name, code in units.items() if code is not None]
    if len(named) > 1:
        raise click.UsageError("name one unit, or none for the company")
    question = (
        Question(month, scope, *named[0], since=since) if named else Question(month, scope, since=since)
    )
    print_answer(find(settings_of(), question, limit))


@click.group("list")
def list_() -> None:
    """Lists to work from, as Excel workbooks. They hold personal data: only you can read them."""


_OUT = click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The workbook to write (.xlsx).",
)
_POWER_UNIT = click.option("--power-unit", metavar="CODE", help="Only this power unit.")
_COMMUNE = click.option("--commune", metavar="CODE", help="Only this commune.")


@list_.command("cash-payers")
@_OUT
@_POWER_UNIT
@_COMMUNE
def cash_payers(out: Path, **wanted: str | None) -> None:
    """Who still pays cash: of their three latest electricity bills one was not paid cashless.

    With how they paid, auto-debit, last contact and its outcome, whether the number is verified and whether they were
    told that counters close. Communes are those of today's map.
    """
    _write("cash-payers", out, wanted)


@list_.command("not-notified")
@_OUT
@click.option("--counter", metavar="CODE", help="Only this collection point.")
@_POWER_UNIT
@_COMMUNE
def not_notified(out: Path, **wanted: str | None) -> None:
    """Whom a counter that is open and to be closed serves, and nobody has told."""
    _write("not-notified", out, wanted)


def _write(name: str, out: Path, wanted: dict[str, str | None]) -> None:
    from dagster_project.report.lists import write_list

    if out.suffix.lower() != ".xlsx":
        raise click.BadParameter(f"{out} must end with .xlsx", param_hint="--out")
    rows = write_list(
        settings_of(), name, {key: code for key, code in wanted.items() if code is not None}, out
    )
    click.echo(f"{out}: {rows:,} khách hàng / customers")
    click.echo("Có dữ liệu cá nhân / This workbook holds personal data.", err=True)
