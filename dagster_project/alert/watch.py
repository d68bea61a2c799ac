"""After a run, or between runs: compares what is wrong with what people know, and tells them the difference once.

Does not belong here: running anything. A run that ends badly is told by whoever ran it.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta

import psycopg2

from dagster_project.alert.ledger import Ledger, Told, Undelivered, open_ledger
from dagster_project.alert.message import News, body_of, title_of
from dagster_project.alert.problems import (
    DATABASE_AWAY,
    RUN_FAILED,
    Problem,
    database_away,
    run_failed,
    standing_problems,
)
from dagster_project.alert.send import Receiver, ping, receivers
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.server import WarehouseError


def after_run(settings: Settings, fault: str | None, *, has_succeeded: bool) -> list[str]:
    """Tells what is new since people were told last. `fault`: why the run failed, in words for people; None if it came
    to its end, also with a refusal, which the warehouse knows.

    Returns what could not be delivered, a line each. Never raises because of a receiver.
    """
    lines = _tell(settings, [run_failed(fault)] if fault is not None else [], is_run=True)
    if has_succeeded:
        wrong = ping(settings)
        if wrong is not None:
            lines.append(f"CASHLESS_PING_URL: {wrong}")
    return lines


def between_runs(settings: Settings) -> list[str]:
    """The same without a run: whether a file is late is a matter of the clock. That a run failed stays as it is."""
    return _tell(settings, [], is_run=False)


def _tell(settings: Settings, of_run: list[Problem], *, is_run: bool) -> list[str]:
    people = receivers(settings)
    if not people:
        return []
    problems = {problem.key: problem for problem in (*of_run, *_standing(settings))}

    def is_asked(key: str) -> bool:
        """Whether its absence now says that it is over."""
        if key == RUN_FAILED:
            return is_run
        return key == DATABASE_AWAY or DATABASE_AWAY not in problems

    with open_ledger(settings.home) as ledger:
        over = [key for key in ledger.problems if key not in problems and is_asked(key)]
        news = _news(ledger, problems, over, timedelta(hours=settings.alert_remind_hours))
        if news:
            ledger.undelivered += [
                Undelivered(receiver=one.name, title=title_of(news), body=body_of(news)) for one in people
            ]
        return _deliver(ledger, people)


def _standing(settings: Settings) -> list[Problem]:
    """What the warehouse says; that it says nothing, if so."""
    try:
        with closing(connect(settings, "cashless alert")) as conn, conn, conn.cursor() as cur:
            cur.execute("select to_regclass('bi.quality_result') is not null")
            return standing_problems(cur, settings) if cur.fetchone() == (True,) else []
    except WarehouseError as error:
        return [database_away(str(error))]
    except psycopg2.Error as error:
        return [database_away(type(error).__name__)]  # its text may hold values of rows


def _news(ledger: Ledger, problems: dict[str, Problem], over: Sequence[str], remind_after: timedelta) -> News:
    """What has to be said now; the ledger is brought up to it."""
    now = datetime.now(UTC)
    begun = [problem for key, problem in problems.items() if key not in ledger.problems]
    known = [(problem, ledger.problems[key]) for key, problem in problems.items() if key in ledger.problems]
    due = [(problem, told) for problem, told in known if now - told.told_at >= remind_after]
    news = News(
        begun,
        [(problem, told.model_copy()) for problem, told in due],
        [ledger.problems.pop(key) for key in over],
    )
    for problem, told in known:
        told.what, told.owner = problem.what, problem.owner
        told.unsaid += 1
    for _, told in due:
        told.told_at, told.unsaid = now, 0
    for problem in begun:
        ledger.problems[problem.key] = Told(what=problem.what, owner=problem.owner, began_at=now, told_at=now)
    return news


def _deliver(ledger: Ledger, people: Sequence[Receiver]) -> list[str]:
    """Delivers what waits, to each in order; what a receiver does not take waits for the next time."""
    by_name = {one.name: one for one in people}
    failing: set[str] = set()
    left: list[Undelivered] = []
    for waiting in ledger.undelivered:
        receiver = by_name.get(waiting.receiver)
        if receiver is None:  # it was taken out of the settings
            continue
        if receiver.name in failing or not receiver.deliver(waiting.title, waiting.body):
            failing.add(receiver.name)
            left.append(waiting)
    ledger.undelivered = left
    return [
        f"{name}: {sum(one.receiver == name for one in left)} tin chưa gửi được, lần sau gửi lại / "
        "messages not delivered, tried again next time"
        for name in sorted(failing)
    ]
