"""What a build has to look at: everything, or what changed since the last publication. The keys that follow from it
are found by dbt_models/models/touched.
"""

from dataclasses import dataclass

from psycopg2.extensions import connection as Connection

# Before all changes: rows of warehouses that are older than the log of changes have change 0.
EVERYTHING = -1


@dataclass(frozen=True)
class Window:
    """The changes (landing.change) a build takes in: those after `changes_after`, up to `changes_through`.

    `is_full`: everything is made anew, whatever changed. `published_through`: the last change that the published
    figures know; None if nothing is published.
    """

    is_full: bool
    changes_after: int
    changes_through: int
    input_fingerprint: str
    published_through: int | None = None


def open_window(conn: Connection, window: Window) -> None:
    """Tells the models; commits. A build that makes everything anew has no finished reference tables from here on."""
    with conn, conn.cursor() as cursor:
        cursor.execute(
            "update touched.change_window set is_full = %(is_full)s, changes_after = %(changes_after)s,"
            " published_through = %(published_through)s,"
            " reference_fingerprint = case when %(is_full)s then '' else reference_fingerprint end",
            {
                "is_full": window.is_full,
                "changes_after": window.changes_after,
                "published_through": window.published_through,
            },
        )


def close_window(conn: Connection, window: Window) -> None:
    """The build came to its end, so that what it did not leave out is of its models and seeds; commits."""
    if window.is_full:
        with conn, conn.cursor() as cursor:
            cursor.execute(
                "update touched.change_window set reference_fingerprint = %s", (window.input_fingerprint,)
            )


def reference_fingerprint(conn: Connection) -> str:
    """What the reference tables were made by; empty if a build that makes them did not come to its end."""
    with conn, conn.cursor() as cursor:
        cursor.execute("select reference_fingerprint from touched.change_window")
        row = cursor.fetchone()
    assert row is not None
    return str(row[0])


def last_change(conn: Connection) -> int:
    """The newest change that moved rows; 0 if there is none. A copy that was taken back, say, moves none."""
    with conn, conn.cursor() as cursor:
        cursor.execute(
            "select coalesce(max(change_id), 0) from landing.change where rows_added + rows_withdrawn > 0"
        )
        row = cursor.fetchone()
    assert row is not None
    return int(row[0])
