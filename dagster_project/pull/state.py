"""How far each pull has come, in landing.pull. The caller commits."""

from __future__ import annotations

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
