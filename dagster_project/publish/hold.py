"""Holding publications back, and letting them go on. Whether a build may be published is publish.py's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.errors import CashlessError


@dataclass(frozen=True)
class Hold:
    """Nothing is published since then, because somebody said so."""

    held_at: datetime
    held_by: str
    reason: str


class PublicationHeld(CashlessError):
    """Somebody holds publications back. The build is made and audited; BI keeps the last good figures."""

    def __init__(self, hold: Hold) -> None:
        self.hold = hold
        super().__init__(
            f"Publications are held since {hold.held_at:%Y-%m-%d %H:%M} by {hold.held_by}: {hold.reason}. "
            "`cashless release` lets them go on."
        )


def current_hold(cur: Cursor) -> Hold | None:
    """The hold that is on; None if there is none."""
    cur.execute("select held_at, held_by, reason from published.hold where released_at is null")
    row = cur.fetchone()
    return None if row is None else Hold(*row)


def hold(conn: Connection, by: str, reason: str) -> Hold:
    """Publish nothing from here on; commits. Raises CashlessError if somebody holds already.

    A publication that is under way is waited for: it is seen, or nothing more is.
    """
    with conn, conn.cursor() as cur:
        _wait_for_publications(cur)
        standing = current_hold(cur)
        if standing is not None:
            raise PublicationHeld(standing)
        cur.execute(
            "insert into published.hold (held_by, reason) values (%s, %s) returning held_at, held_by, reason",
            (by, reason),
        )
        row = cur.fetchone()
        assert row is not None
        return Hold(*row)


def release(conn: Connection, by: str, reason: str) -> Hold:
    """Let publications go on; commits. Returns the hold that ends here; CashlessError if there is none."""
    with conn, conn.cursor() as cur:
        _wait_for_publications(cur)
        standing = current_hold(cur)
        if standing is None:
            raise CashlessError("Publications are not held.")
        cur.execute(
            "update published.hold set released_at = clock_timestamp(), released_by = %s, release_reason = %s"
            " where released_at is null",
            (by, reason or None),
        )
        return standing


def _wait_for_publications(cur: Cursor) -> None:
    # The lock that a publication takes: of a hold and a publication one comes first.
    cur.execute("lock table published.publication in share row exclusive mode")
