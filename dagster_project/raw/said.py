"""What a row of a payments file said, as it stood when a publication was made: also if it was taken back or read anew.

Does not belong here: what became of the payment, which other rows may tell too (bi.fct_payment).
"""

from __future__ import annotations

from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor


class Said(NamedTuple):
    """A payment or reversal, by one row of a file."""

    kind: str
    amount_vnd: int
    channel_code: str | None


class Place(NamedTuple):
    """Where a row is, or was, and of which transaction."""

    file_id: int
    line: int
    partner_code: str
    transaction_id: str


def said(cur: Cursor, place: Place, publication_id: int, *, is_withdrawn: bool) -> Said | None:
    """What the row said in the publication, or if it was withdrawn since, in the one before; None if it is not kept."""
    cur.execute(
        """
        with moment as (
            select max(published_at) as at from published.publication
            where case when %(is_withdrawn)s then publication_id < %(publication)s
                else publication_id = %(publication)s end
        ),
        kept as (
            select kind, amount::numeric, channel_code, change_id as came, null::integer as went
            from raw.payments
            where (partner_code, transaction_id, file_id, line)
                = (%(partner_code)s, %(transaction_id)s, %(file_id)s, %(line)s)
            union all
            select fields ->> 'kind', (fields ->> 'amount')::numeric, fields ->> 'channel_code',
                (fields ->> 'change_id')::integer, change_id
            from landing.withdrawn_row
            where file_id = %(file_id)s and line = %(line)s and source = 'payments'
                and fields ->> 'partner_code' = %(partner_code)s
                and fields ->> 'transaction_id' = %(transaction_id)s
        )
        select kept.kind, kept.amount, kept.channel_code
        from kept
        cross join moment
        left join landing.change as came on kept.came = came.change_id
        left join landing.change as went on kept.went = went.change_id
        where coalesce(came.changed_at <= moment.at, true) and coalesce(went.changed_at > moment.at, true)
        order by kept.came desc
        limit 1
        """,
        {**place._asdict(), "publication": publication_id, "is_withdrawn": is_withdrawn},
    )
    row = cur.fetchone()
    return None if row is None else Said(row[0], int(row[1]), row[2])
