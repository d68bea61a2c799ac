"""Signing a month off (chốt số liệu): what stood in the KPI tables when somebody signed for it.

Does not belong here: what changes afterwards (revision.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.publish.relations import PublishedTable
from dagster_project.publish.revision import unit_code
from dagster_project.settings import LOCAL_ZONE
from dagster_project.warehouse.connection import WarehouseError


@dataclass(frozen=True)
class Signature:
    """Who signed, when, and at which publication."""

    signed_at: datetime
    by: str
    publication_id: int


@dataclass(frozen=True)
class SignOff:
    """A month that was signed. `status`: what it was then; `figures`: rows of the KPI tables that were kept;
    `before`: its earlier signatures, oldest first.
    """

    month: date
    publication_id: int
    signed_at: datetime
    status: str
    figures: int
    before: tuple[Signature, ...]


def sign_off(
    conn: Connection, tables: Sequence[PublishedTable], month: date, by: str, note: str | None
) -> SignOff:
    """Record that `by` signs the month as it is published now; commits. A month may be signed again.

    Raises WarehouseError if nothing of the month is published.
    """
    with conn, conn.cursor() as cur:
        cur.execute("set transaction isolation level repeatable read")
        # A publication that comes meanwhile waits: what is signed is one publication's.
        cur.execute("lock table published.publication in share mode")
        cur.execute(
            "select max(publication_id), to_regclass('bi.kpi_company_month') from published.publication"
        )
        publication_id, company = cur.fetchone() or (None, None)
        status = None
        if publication_id is not None and company is not None:
            cur.execute("select min(status) from bi.kpi_company_month where bill_month = %s", (month,))
            status = (cur.fetchone() or (None,))[0]
        if status is None:
            raise WarehouseError(f"{month:%Y-%m} cannot be signed: no figure of it is published.")
        before = signatures(cur, month)
        cur.execute(
            "insert into published.sign_off (bill_month, signed_by, note, publication_id)"
            " values (%s, %s, %s, %s) returning signed_at",
            (month, by, note or None, publication_id),
        )
        row = cur.fetchone()
        assert row is not None
        figures = 0
        for table in tables:
            if table.revised:
                cur.execute(
                    sql.SQL(
                        "insert into published.signed_figure"
                        " (bill_month, signed_at, table_name, geography, scope, code, figures)"
                        " select bill_month, %(signed_at)s, %(table)s, geography, scope, {code}, to_jsonb(figure)"
                        " from {view} as figure where bill_month = %(month)s"
                    ).format(code=unit_code(table), view=sql.Identifier("bi", table.name)),
                    {"signed_at": row[0], "table": table.name, "month": month},
                )
                figures += cur.rowcount
    return SignOff(month, publication_id, row[0], status, figures, before)


def signatures(cur: Cursor, month: date) -> tuple[Signature, ...]:
    """The month's signatures, oldest first; local times."""
    cur.execute(
        "select signed_at, signed_by, publication_id from published.sign_off where bill_month = %s order by signed_at",
        (month,),
    )
    return tuple(
        Signature(at.astimezone(LOCAL_ZONE), by, publication) for at, by, publication in cur.fetchall()
    )
