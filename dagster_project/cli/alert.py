"""The commands about alerts: try the receivers, and look for problems between runs."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

import sys

import click

from dagster_project.cli.door import settings_of


@click.group()
def alert() -> None:
    """Tell people what is wrong: who is told stands in CASHLESS_ALERT_URLS."""


@alert.command()
def test() -> None:
    """Send a test message to every receiver, and say who took it."""
    from dagster_project.alert.send import receivers
    from dagster_project.errors import CashlessError

    people = receivers(settings_of())
    if not people:
        raise CashlessError("CASHLESS_ALERT_URLS is not set: nobody would be told.")
    title = "Kho số liệu / Cashless warehouse: tin thử / test message"
    taken = {
        one.name: one.deliver(title, "Không có gì phải làm. / Nothing has to be done.") for one in people
    }
    for name, is_taken in taken.items():
        click.echo(f"{name}: {'đã nhận / taken' if is_taken else 'không gửi được / not delivered'}")
    sys.exit(0 if all(taken.values()) else 1)


@alert.command()
def check() -> None:
    """Look for what is wrong now, without a run, and tell what is new: a file may be late though no run comes."""
    from dagster_project.alert.send import receivers
    from dagster_project.alert.watch import between_runs
    from dagster_project.errors import CashlessError

    settings = settings_of()
    if not receivers(settings):
        raise CashlessError("CASHLESS_ALERT_URLS is not set: nobody would be told.")
    lines = between_runs(settings)
    for line in lines:
        click.echo(f"Cảnh báo / alert: {line}", err=True)
    sys.exit(1 if lines else 0)
