"""Why a published figure changed: from the figure to its counts, the bills that moved, and the rows that moved them.

Nothing is computed from raw: what a unit had at an earlier publication is its bills as they are now, with those that
publications changed since (published.fct_bill_history) put back. How it is shown is explanation.py's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from dagster_project.errors import CashlessError
from dagster_project.publish.sign_off import Signature, signatures
from dagster_project.raw.said import Place, Said, said
from dagster_project.report.console import exists
from dagster_project.report.units import known_code
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

COUNTS = (
    *("customers_billed", "customers_cashless", "customers_cashless_strict"),
    *("bills_issued", "bills_settled", "bills_cashless", "amount_collected_vnd"),
)

# What a unit's figures depend on.
_STATE = sql.SQL(
    "bill_id, customer_key, bill_type, bill_month, commune_code, district_code, power_unit_code,"
    " current_commune_code, is_in_scope, total_vnd, collected_vnd, is_settled, is_cashless, is_cashless_strict,"
    " settled_on"
)


@dataclass(frozen=True)
class Question:
    """What became of a unit's figures of a month and scope after publication `since`. None: after that of the month's
    latest signature, if anything was published since; else after the last but one.

    `place`: the column of bi.fct_bill that says where a bill counts, and `code` its value; None for the company.
    """

    month: date
    scope: str = "electricity"
    place: str | None = None
    code: str = "COMPANY"
    since: int | None = None


@dataclass(frozen=True)
class Row:
    """A row of a landing file that came, or was withdrawn, since then; of a payment also what the row `said`, None if
    that is not kept.
    """

    source: str
    file: str
    line: int
    is_withdrawn: bool
    partner_code: str | None
    transaction_id: str | None
    said: Said | None


@dataclass(frozen=True)
class Moved:
    """A bill that is not as it was: its state then and now (None: it did not count for the unit)."""

    bill_id: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Answer:
    """The unit's counts at publication `since` and at the newest, and the bills between them: the first of `moved`.

    `question`: with the unit's code as it is known. `signature`: the month's latest, if its publication was taken.
    """

    question: Question
    since: int
    signature: Signature | None
    newest: int
    before: dict[str, int]
    after: dict[str, int]
    moved: int
    bills: tuple[Moved, ...]


def explain(settings: Settings, question: Question, limit: int) -> Answer:
    """Answers from schema bi and the history of bills, with at most `limit` bills, in order of their ids.

    Raises CashlessError if there is no such publication, what changed since then was not kept, nobody knows the unit,
    or it has no bill of that month.
    """
    with closing(connect(settings, "cashless explain")) as conn, conn, conn.cursor() as cur:
        cur.execute("set transaction isolation level repeatable read read only")
        if not exists(cur, "bi.fct_bill"):
            raise CashlessError("Nothing is published yet.")
        if question.place is not None:
            question = replace(question, code=_known_unit(cur, question))
        since, newest, signature = _publications(cur, question)
        bills = _bills(question, since)
        before, after = _counts(cur, bills, "then_bill"), _counts(cur, bills, "now_bill")
        cur.execute(bills + sql.SQL("select count(*) from moved"))
        (moved,) = cur.fetchone() or (0,)
        cur.execute(
            bills
            + sql.SQL("select bill_id, before, after from moved order by bill_id limit {}").format(
                sql.Literal(limit)
            )
        )
        shown = cur.fetchall()
        if not moved and not before["bills_issued"] and not after["bills_issued"]:
            raise CashlessError(_nothing(cur, question, since))
        return Answer(
            question,
            since,
            signature,
            newest,
            before,
            after,
            moved,
            tuple(Moved(bill, old, new, tuple(_rows(cur, bill, since))) for bill, old, new in shown),
        )


def _known_unit(cur: Cursor, question: Question) -> str:
    kind, month = {
        "commune_code": ("commune", question.month),
        "current_commune_code": ("commune", None),
        "district_code": ("district", question.month),
        "power_unit_code": ("power_unit", None),
    }[question.place or ""]
    return known_code(cur, kind, question.code, month)


def _nothing(cur: Cursor, question: Question, since: int) -> str:
    """Why there is nothing to explain: the month has no bill at all, or none that counts there."""
    month = f"{question.month:%Y-%m}"
    cur.execute(
        "select exists (select from bi.fct_bill where bill_month = %(month)s)"
        " or exists (select from bi.fct_bill_history where bill_month = %(month)s),"
        " (select min(bill_month) from bi.fct_bill), (select max(bill_month) from bi.fct_bill)",
        {"month": question.month},
    )
    is_known, first, last = cur.fetchone() or (False, None, None)
    if not is_known:
        known = "" if first is None else f"; {first:%Y-%m} … {last:%Y-%m}"
        return f"Chưa có hóa đơn nào của kỳ {month} / No bill of {month} is published{known}."
    return (
        f"Kỳ {month} không có hóa đơn nào của {question.code} / "
        f"No bill of {month} counts for {question.code}, or did at publication {since}."
    )


def _publications(cur: Cursor, question: Question) -> tuple[int, int, Signature | None]:
    """The publication that is compared, the newest one, and the signature that made it be taken."""
    cur.execute(
        "select publication_id, keeps_history from published.publication order by publication_id desc"
    )
    known = cur.fetchall()
    numbers = [number for number, _ in known]
    since, signature = question.since, None
    if since is None:
        if len(known) < 2:
            raise CashlessError("There is one publication only: nothing has changed since.")
        since = int(numbers[1])
        *_, latest = (None, *signatures(cur, question.month))
        if latest is not None and latest.publication_id < numbers[0]:
            since, signature = latest.publication_id, latest
    if since not in numbers:
        raise CashlessError(f"There is no publication {since}; there are {numbers[-1]} to {numbers[0]}.")
    gaps = [number for number, keeps in known if number > since and not keeps]
    if gaps:
        raise CashlessError(
            f"What publication {gaps[0]} changed bill by bill was not kept: ask for a change --since it."
        )
    return since, numbers[0], signature


def _bills(question: Question, since: int) -> sql.Composed:
    """The unit's bills then and now, and those that differ, as the beginning of a query."""
    place: sql.Composable = sql.SQL("true")
    if question.place is not None:
        place = sql.SQL("{} = {}").format(sql.Identifier(question.place), sql.Literal(question.code))
    return sql.SQL(
        """
        with first_change as (
            select bill_id, min(publication_id) as publication_id
            from published.fct_bill_history
            where publication_id > {since} and bill_id in (
                select bill_id from published.fct_bill_history
                where publication_id > {since} and bill_month = {month}
            )
            group by 1
        ),
        now_bill as (
            select {state} from bi.fct_bill where bill_month = {month} and {scope} and {place}
        ),
        then_bill as (
            select {state} from (
                select history.* from published.fct_bill_history as history
                join first_change using (bill_id, publication_id)
                where not history.is_new
            ) as was
            where bill_month = {month} and {scope} and {place}
            union all
            select * from now_bill where bill_id not in (select bill_id from first_change)
        ),
        moved as (
            select
                coalesce(old.bill_id, new.bill_id) as bill_id, to_jsonb(old) as before, to_jsonb(new) as after
            from then_bill as old
            full join now_bill as new on old.bill_id = new.bill_id
            where old is distinct from new
        )
        """
    ).format(
        since=sql.Literal(since),
        month=sql.Literal(question.month),
        state=_STATE,
        scope=sql.SQL("true" if question.scope == "all" else "bill_type = 'electricity'"),
        place=place,
    )


def _counts(cur: Cursor, bills: sql.Composed, of: str) -> dict[str, int]:
    cur.execute(
        bills
        + sql.SQL(
            """
            , customer as (
                select
                    bool_and(is_cashless) as is_cashless, bool_and(is_cashless_strict) as is_cashless_strict,
                    count(*) as bills, count(*) filter (where is_settled) as settled,
                    count(*) filter (where is_cashless) as cashless, sum(collected_vnd) as collected_vnd
                from {} where is_in_scope group by customer_key
            )
            select
                count(*), count(*) filter (where is_cashless), count(*) filter (where is_cashless_strict),
                coalesce(sum(bills), 0)::bigint, coalesce(sum(settled), 0)::bigint,
                coalesce(sum(cashless), 0)::bigint, coalesce(sum(collected_vnd), 0)::bigint
            from customer
            """
        ).format(sql.Identifier(of))
    )
    return dict(zip(COUNTS, cur.fetchone() or (), strict=True))


def _rows(cur: Cursor, bill_id: str, since: int) -> Iterator[Row]:
    """What publications after `since` knew to have changed the bill."""
    cur.execute(
        """
        select cause.source, file.path, cause.line, cause.is_withdrawn, cause.partner_code, cause.transaction_id,
            cause.file_id, cause.publication_id
        from published.fct_bill_cause as cause
        inner join landing.file as file on cause.file_id = file.file_id
        where cause.bill_id = %s and cause.publication_id > %s
        order by cause.publication_id, cause.source, file.path, cause.line
        """,
        (bill_id, since),
    )
    for source, file, line, is_withdrawn, partner, transaction, file_id, publication in cur.fetchall():
        told = None
        if source == "payments":
            place = Place(file_id, line, partner, transaction)
            told = said(cur, place, publication, is_withdrawn=is_withdrawn)
        yield Row(source, file, line, is_withdrawn, partner, transaction, told)
