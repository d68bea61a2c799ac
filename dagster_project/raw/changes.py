"""The log of what came to raw and what was withdrawn. It changes no row of raw itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from psycopg2.extensions import cursor as Cursor

NO_CHANGE = 0


@dataclass(frozen=True)
class Person:
    """Who asks for a change, and why, in their own words (may be empty)."""

    name: str
    reason: str


def record(
    cursor: Cursor, kind: Literal["load", "repair"], source: str, file_id: int, rows_added: int
) -> int:
    """Enters what a run did with a file; the change's id, or NO_CHANGE if no row came to those that count."""
    if rows_added == 0:
        return NO_CHANGE
    cursor.execute(
        "insert into landing.change (kind, source, file_id, rows_added, rows_withdrawn) "
        "values (%s, %s, %s, %s, 0) returning change_id",
        (kind, source, file_id, rows_added),
    )
    return _new_id(cursor)


def begin(
    cursor: Cursor, kind: Literal["unload", "reload"], source: str, file_id: int, person: Person
) -> int:
    """Enters what a person is about to do with a file; the change's id."""
    cursor.execute(
        "insert into landing.change (kind, source, file_id, rows_added, rows_withdrawn, changed_by, reason) "
        "values (%s, %s, %s, 0, 0, %s, %s) returning change_id",
        (kind, source, file_id, person.name, person.reason),
    )
    return _new_id(cursor)


def finish(cursor: Cursor, change_id: int, *, rows_added: int, rows_withdrawn: int) -> None:
    """Completes what `begin` entered."""
    cursor.execute(
        "update landing.change set rows_added = %s, rows_withdrawn = %s where change_id = %s",
        (rows_added, rows_withdrawn, change_id),
    )


def _new_id(cursor: Cursor) -> int:
    row = cursor.fetchone()
    assert row is not None
    return int(row[0])
