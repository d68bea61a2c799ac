"""How far each pull has come, and how it last ended: landing.pull, landing.pull_attempt. The caller commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from dagster_project.pull.declared import Mark, Pull, PullError, mark_text, parse_mark
from dagster_project.pull.file import Written


class State(NamedTuple):
    """Of the last file that the pull landed."""

    high_water: Mark
    content: str


def last(cursor: Cursor, pull: Pull) -> State | None:
    """Where the pull stands; None: it has landed nothing yet."""
    cursor.execute(
        "select high_water, content from landing.pull where name = %s and source = %s order by pull_id desc limit 1",
        (pull.name, pull.source),
    )
    row = cursor.fetchone()
    if row is None:
        return None
    try:
        return State(parse_mark(pull.high_water.kind, row[0]), row[1])
    except ValueError:
        raise PullError(
            f"{pull.name}: it has come to {row[0]}, which is no {pull.high_water.kind}: give the changed pull another "
            "name"
        ) from None


def remember(cursor: Cursor, pull: Pull, since: Mark, high_water: Mark, written: Written, file: str) -> None:
    """The file lies in the landing: the next pull goes on from there."""
    cursor.execute(
        "insert into landing.pull (name, source, since, high_water, content, file, rows) "
        "values (%s, %s, %s, %s, %s, %s, %s)",
        (
            pull.name,
            pull.source,
            mark_text(since),
            mark_text(high_water),
            written.content,
            file,
            written.rows,
        ),
    )


def note_end(cursor: Cursor, pull: Pull, fault: str | None) -> None:
    """The pull was made: it ended well, or with this fault."""
    cursor.execute(
        "insert into landing.pull_attempt as known (name, source, succeeded_at, failed_at, fault) "
        "values (%(name)s, %(source)s, case when %(fault)s::text is null then clock_timestamp() end, "
        "case when %(fault)s is not null then clock_timestamp() end, %(fault)s) "
        "on conflict (name, source) do update set "
        "succeeded_at = coalesce(excluded.succeeded_at, known.succeeded_at), "
        "failed_at = coalesce(excluded.failed_at, known.failed_at), fault = coalesce(excluded.fault, known.fault)",
        {"name": pull.name, "source": pull.source, "fault": fault},
    )


class Standing(NamedTuple):
    """What people are told of a declared pull. `high_water`: as it is remembered, and given to --since."""

    name: str
    source: str | None
    succeeded_at: datetime | None
    high_water: str | None
    failed_at: datetime | None
    fault: str | None

    @property
    def is_failing(self) -> bool:
        """It has not succeeded since it failed."""
        return self.fault is not None and (
            self.failed_at is None or self.succeeded_at is None or self.failed_at > self.succeeded_at
        )


def standings(cursor: Cursor, declared: Sequence[Pull | PullError]) -> list[Standing]:
    """How the declared pulls stand; of a declaration that cannot be read, what is wrong with it."""
    found = []
    for pull in declared:
        if isinstance(pull, PullError):
            where, _, fault = str(pull).partition(": ")
            found.append(Standing(where, None, None, None, None, fault))
            continue
        cursor.execute(
            "select succeeded_at, (select high_water from landing.pull where name = %(name)s and source = %(source)s "
            "order by pull_id desc limit 1), failed_at, fault "
            "from landing.pull_attempt where name = %(name)s and source = %(source)s",
            {"name": pull.name, "source": pull.source},
        )
        made = cursor.fetchone() or (None, None, None, None)
        found.append(Standing(pull.name, pull.source, *made))
    return found
