"""One whole bundle: draws the world in order and hands every source to its file. It decides no content."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.sample import billing, outreach, paying, press, spoiling
from dagster_project.sample.counters import Counters, collection_point_rows, plan_counters
from dagster_project.sample.customers import customer_rows, has_press_figures, mandate_rows, plan_customers
from dagster_project.sample.files import dates, numbered, times, write_plain, write_quoted
from dagster_project.sample.reference import Places, channels, places
from dagster_project.sample.spans import (
    NEVER,
    SECONDS_PER_DAY,
    Ints,
    Span,
    Table,
    month_text,
    months_of_days,
    yymm,
)

MONTHLY_FILES_UP_TO = 60  # months; longer ranges get a file per quarter, so that there are never too many


def _streams(seed: int) -> dict[str, np.random.Generator]:
    """A stream of its own for each part, so that a change in one leaves the others as they are."""
    names = ("places", "customers", "bills", "payments", "press", "rows", "outreach", "dirty")
    children = np.random.SeedSequence(seed).spawn(len(names))
    return {name: np.random.default_rng(child) for name, child in zip(names, children, strict=True)}


def _bills_and_payments(
    streams: dict[str, np.random.Generator], span: Span, who: Table, counters: Counters
) -> tuple[Table, Table]:
    bill_parts: list[Table] = []
    payment_parts: list[Table] = []
    bill_count = payment_count = 0
    for month in span.months:
        bills = billing.month_bills(streams["bills"], span, month, who, bill_count)
        payments = paying.month_payments(
            streams["payments"],
            span,
            month,
            who=who,
            counters=counters,
            bills=bills,
            first_bill=bill_count,
            first_row=payment_count,
        )
        bill_count += len(bills["id"])
        payment_count += len(payments["amount"])
        bill_parts.append(bills)
        payment_parts.append(payments)
    return tuple(  # type: ignore[return-value]
        {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}
        for parts in (bill_parts, payment_parts)
    )


def _periods(months: Ints, span: Span) -> tuple[Ints, dict[int, str]]:
    """The file number of each month number, and each file's label."""
    if len(span.months) <= MONTHLY_FILES_UP_TO:
        return months, {int(m): month_text(int(m)) for m in np.union1d(months, list(span.months))}
    quarters = months // 3
    return quarters, {int(q): f"{1970 + q // 4}-q{q % 4 + 1}" for q in np.unique(quarters)}


def _write_bills(out: Path, span: Span, who: Table, bills: Table) -> None:
    """A file per month: the bills issued in it, and those that were cancelled or replaced in it."""
    codes = pa.array(who["code"])
    prefixes = pa.array(["BE", "BS"])
    count = len(bills["id"])
    changed = np.flatnonzero(bills["status"] > 0)
    days = np.concatenate([bills["issued"], bills["changed"][changed]])
    period, labels = _periods(months_of_days(days).astype(np.int32), span)

    def ids(rows: Ints) -> pa.Array:
        return numbered(prefixes.take(pa.array(bills["type"][rows])), bills["id"][rows], 11)

    for number, label in labels.items():
        chosen = np.flatnonzero(period == number)
        change = chosen >= count
        rows = np.where(change, 0, chosen)
        rows[change] = changed[chosen[change] - count]
        when = days[chosen].astype(np.int64) * SECONDS_PER_DAY + np.where(change, 17 * 3600, 6 * 3600)
        status = np.where(change, bills["status"][rows], 0)
        successor = np.where(status == billing.REPLACED, bills["replaced_by"][rows], -1)
        replaced_by = np.full(len(rows), None, dtype=object)
        has_successor = np.flatnonzero(successor >= 0)
        replaced_by[has_successor] = ids(successor[has_successor]).to_pylist()
        kwh = bills["kwh"][rows]
        write_plain(
            out / "bills" / f"bills_{label}.csv",
            {
                "bill_id": ids(rows),
                "customer_code": codes.take(pa.array(bills["customer"][rows])),
                "bill_type": pa.array(billing.TYPE_NAMES.tolist()).take(pa.array(bills["type"][rows])),
                "bill_month": _month_texts(bills["month"][rows]),
                "cycle": pa.array(bills["cycle"][rows]),
                "issued_on": dates(bills["issued"][rows]),
                "due_on": dates(bills["due"][rows]),
                "kwh": pa.array(kwh, mask=kwh < 0),
                "amount_before_vat": pa.array(bills["net"][rows]),
                "vat_amount": pa.array(bills["vat"][rows]),
                "total_amount": pa.array(bills["total"][rows]),
                "status": pa.array(billing.STATUS_NAMES.tolist()).take(pa.array(status)),
                "replaced_by": pa.array(replaced_by, type=pa.string()),
                "updated_at": times(when),
            },
        )


def _month_texts(months: Ints) -> pa.Array:
    values, inverse = np.unique(months, return_inverse=True)
    return pa.array([month_text(int(m)) for m in values], type=pa.string()).take(pa.array(inverse))


def _payment_columns(
    who: Table, bills: Table, payments: Table, *, rows: Ints, amount: Ints, paid_at: Ints
) -> dict[str, pa.Array]:
    """The printed columns of some payments; a conflict is printed twice with different amounts and times."""
    part = {
        name: payments[name][rows]
        for name in ("kind", "reverses", "channel", "partner", "customer", "bill", "point", "number")
    }
    own_number = part["number"]
    is_reversal = part["kind"] == paying.REVERSAL
    reversed_number = np.where(
        part["reverses"] >= 0, payments["number"][part["reverses"]], own_number + 40_000_000
    )
    has_reference = is_reversal & (part["reverses"] != paying.NONE)
    bill_row = np.maximum(part["bill"], 0)
    unknown_bill = part["bill"] == paying.UNKNOWN
    bill_number = np.where(
        unknown_bill,
        yymm(months_of_days(paid_at // 86_400)) * 10_000_000 + 9_000_000 + own_number % 1_000_000,
        bills["id"][bill_row],
    )
    bill_type = np.where(unknown_bill, 0, bills["type"][bill_row])
    bill_id = numbered(pa.array(["BE", "BS"]).take(pa.array(bill_type)), bill_number, 11)
    nobody = part["customer"] == paying.UNKNOWN
    customer = pa.array(who["code"]).take(pa.array(np.maximum(part["customer"], 0)))
    if nobody.any():
        stranger = numbered(pa.scalar("PN99"), own_number % 10**9, 9)
        customer = pc.if_else(pa.array(nobody), stranger, customer)
    channel_codes = channels()[0]
    # A payment whose channel got lost either says nothing or a code that is in nobody's list.
    printed = [*(code if code != "unknown" else None for code in channel_codes), "ussd"]
    shown = np.where(
        (part["channel"] == channel_codes.index("unknown")) & (own_number % 2 == 0),
        len(channel_codes),
        part["channel"],
    )
    own = part["partner"] == int(np.flatnonzero(paying.PARTNERS == "PCNB")[0])
    fee = np.where(own_number % 9_973 == 0, 1_100, 0)
    point = np.maximum(part["point"], 0)
    return {
        "partner_code": pa.array(paying.PARTNERS.tolist()).take(pa.array(part["partner"])),
        "transaction_id": numbered(pa.scalar(""), own_number, 12),
        "kind": pa.array(["payment", "reversal"]).take(pa.array(part["kind"])),
        "reverses_transaction_id": _masked(numbered(pa.scalar(""), reversed_number, 12), ~has_reference),
        "channel_code": pa.array(printed, type=pa.string()).take(pa.array(shown)),
        "customer_code": customer,
        "bill_id": _masked(bill_id, part["bill"] == paying.NONE),
        "amount": pa.array(amount),
        "fee": pa.array(fee, mask=own | (own_number % 3 == 0)),
        "paid_at": times(paid_at),
        "partner_settled_on": dates(np.where(own, NEVER, paid_at // SECONDS_PER_DAY + 1)),
        "collection_point_code": _masked(
            pa.array(who["point_codes"]).take(pa.array(point)), part["point"] < 0
        ),
    }


def _masked(column: pa.Array, empty: np.ndarray) -> pa.Array:
    return pc.if_else(pa.array(empty), pa.scalar(None, pa.string()), column)


def _write_payments(out: Path, span: Span, who: Table, bills: Table, payments: Table) -> None:
    """A file per month of payment, all partners together; the second row of a conflict comes a day later."""
    count = len(payments["amount"])
    conflict = np.flatnonzero(payments["conflict"])
    second = np.minimum(payments["paid_at"][conflict] + SECONDS_PER_DAY, span.horizon_second)
    paid_at = np.concatenate([payments["paid_at"], second])
    period, labels = _periods(months_of_days(paid_at // SECONDS_PER_DAY).astype(np.int32), span)
    for number, label in labels.items():
        chosen = np.flatnonzero(period == number)
        chosen = chosen[np.argsort(paid_at[chosen], kind="stable")]
        again = chosen >= count
        rows = np.where(again, 0, chosen)
        rows[again] = conflict[chosen[again] - count]
        amount = payments["amount"][rows] + np.where(again, 1_000, 0)
        columns = _payment_columns(who, bills, payments, rows=rows, amount=amount, paid_at=paid_at[chosen])
        write_plain(out / "payments" / f"payments_{label}.csv", columns)


def _write_registers(
    out: Path,
    streams: dict[str, np.random.Generator],
    span: Span,
    *,
    where: Places,
    who: Table,
    counters: Counters,
) -> None:
    """The ten sources that are one file each."""
    rng = streams["outreach"]
    campaigns, contacts = outreach.campaign_rows(rng, span, where, who)
    notice = campaigns["campaign_id"][campaigns["kind"] == "mass_notice"]
    tables: dict[str, Table] = {
        "customers": customer_rows(streams["rows"], span, where, who),
        "auto_debit_mandates": mandate_rows(span, who),
        "collection_points": collection_point_rows(counters, where, span.horizon_day),
        "campaigns": campaigns,
        "campaign_contacts": contacts,
        "notifications": outreach.notification_rows(
            rng, span, where, who, counters=counters, notice_campaign=str(notice[0]) if len(notice) else None
        ),
        "phone_reviews": outreach.phone_review_rows(rng, span, who),
        "feedback": outreach.feedback_rows(rng, span, where, who),
        "targets": outreach.target_rows(rng, span, where),
        "employees": outreach.employee_rows(rng, span, where),
    }
    for source, table in tables.items():
        write_quoted(out / source / f"{source}.csv", table)


def write_sample(out: Path, customers: int, first: date, last: date, seed: int, dirty: bool) -> None:
    """Write `<out>/<source>/*.csv` for all twelve sources; `first` and `last` are first days of months.

    With `dirty` some files come in other forms and bad ones are added; the same rows still arrive.
    """
    if customers < 1:
        raise ValueError("a sample needs at least one customer")
    span = Span.of(first, last)
    streams = _streams(seed)
    where = places()
    counters = plan_counters(streams["places"], where)
    who = plan_customers(streams["customers"], span, where, customers)
    who["point_codes"] = counters.codes
    bills, payments = _bills_and_payments(streams, span, who, counters)
    press.number_payments(payments)
    if has_press_figures(span, customers):
        bills, payments = press.meet_press_figures(streams["press"], who, bills, payments, where.khanh_hai)
    _write_bills(out, span, who, bills)
    bills = {name: bills[name] for name in ("id", "type")}  # all that payments print of a bill
    _write_payments(out, span, who, bills, payments)
    bills.clear()
    payments.clear()
    _write_registers(out, streams, span, where=where, who=who, counters=counters)
    if dirty:
        spoiling.spoil(out, streams["dirty"])
