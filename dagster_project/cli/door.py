"""What the commands share: errors for people, settings, who asks, running the pipeline. No command is here."""

# ruff: noqa: PLC0415  (imports inside commands: see the package)
from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from dagster_project.errors import CashlessError

if TYPE_CHECKING:
    from dagster_project.raw.changes import Person
    from dagster_project.settings import Settings


INTERRUPTED = 130  # as shells have it


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


MONTH = _Month()


class Door(click.Group):
    """A group whose commands may raise CashlessError: one line for people instead of a traceback."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        if args is None:  # the process's own command line: tests bring theirs
            _collect_garbage_seldom()
        return super().main(args, *rest, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CashlessError as error:
            click.echo(f"cashless: {error}", err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo(
                "cashless: đã dừng, lần sau chạy tiếp / interrupted; nothing half-done is seen, the next run goes on.",
                err=True,
            )
            ctx.exit(INTERRUPTED)


def _collect_garbage_seldom() -> None:
    """For a process that ends after one command: what it imports (Dagster, dbt, Great Expectations) are millions of
    objects that stay. Looking through them again and again, and once more at the end, took a quarter of the CPU of a
    run that finds nothing new, and a tenth of a small one.
    """
    gc.set_threshold(50_000, 20, 50)
    atexit.register(gc.freeze)


def settings_of(**overrides: Any) -> Settings:
    """The settings, and over them what the command line says."""
    from dagster_project.settings import load_settings

    return load_settings(**overrides)


def person_of(by: str | None, reason: str | None) -> Person:
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


def check_before(settings: Settings) -> None:
    """Raises what would stop a run before its first step: for commands that change raw, and then run."""
    from dagster_project.orchestration.report import RunReport
    from dagster_project.orchestration.session import open_session

    with open_session(settings, RunReport(), with_landing=False):
        pass


def run_and_print(settings: Settings, *, with_landing: bool = True, is_full: bool = False) -> int:
    """Runs the pipeline, with progress, and tells who receives alerts; the exit code."""
    import time

    from dagster_project.alert.send import receivers
    from dagster_project.orchestration.report import RunReport
    from dagster_project.orchestration.run import run_pipeline
    from dagster_project.warehouse.connection import RunUnderWay

    receivers(settings)  # a wrong address is told before anything is done, not when it is needed
    start = time.monotonic()

    def progress(step: str) -> None:
        click.echo(f"{time.monotonic() - start:5.0f} s  {step}", err=True)

    try:
        result = run_pipeline(settings, RunReport(progress), with_landing=with_landing, is_full=is_full)
    except RunUnderWay:  # the other run will tell
        raise
    except Exception as error:
        # Only what was written for people goes out: any other text may hold values of rows.
        _alert(settings, str(error) if isinstance(error, CashlessError) else type(error).__name__)
        raise
    result.print()
    _alert(settings, None, has_succeeded=not result.report.is_refused)
    return result.exit_code


def _alert(settings: Settings, fault: str | None, *, has_succeeded: bool = False) -> None:
    from dagster_project.alert.watch import after_run

    for line in after_run(settings, fault, has_succeeded=has_succeeded):
        click.echo(f"Cảnh báo / alert: {line}", err=True)
