"""Rows for hand-worked cases: the usual customer, bill, payment, contact, so that a case says only what matters.

Belongs here: rows with defaults, and finding the one row a case is about. Does not belong here: cases.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd

from .columns import Row, frame, records
from .facts import recompute_facts
from .places import add_months
from .recompute import recompute

MAY, JUNE, JULY = dt.date(2024, 5, 1), dt.date(2024, 6, 1), dt.date(2024, 7, 1)
CASH, MOMO = "evn_counter", "momo"


def customer(code: str, commune: str = "14587", since: str = "2020-01-01", **other: Any) -> Row:
    """A household of Khánh Hải unless told otherwise."""
    day = dt.date.fromisoformat(since)
    return {
        "customer_code": code,
        "effective_from": day,
        "customer_name": "Nguyễn Văn A",
        "contract_no": "HD1",
        "commune_code": commune,
        "power_unit_code": "PNYK00",
        "customer_type": "household",
        "status": "active",
        "updated_at": dt.datetime.combine(day, dt.time()),
        **other,
    }


def bill(code: str, who: str, total: int, month: dt.date = MAY, **other: Any) -> Row:
    """An electricity bill issued on the 5th and due on the 15th."""
    return {
        "bill_id": code,
        "customer_code": who,
        "bill_type": "electricity",
        "bill_month": month,
        "cycle": 1,
        "issued_on": month.replace(day=5),
        "due_on": month.replace(day=15),
        "amount_before_vat": total,
        "vat_amount": 0,
        "total_amount": total,
        "status": "issued",
        "updated_at": dt.datetime.combine(month.replace(day=5), dt.time(8)),
        **other,
    }


def payment(code: str, who: str, amount: int, when: str, **other: Any) -> Row:
    """A payment through MoMo that names no bill."""
    return {
        "partner_code": "P",
        "transaction_id": code,
        "kind": "payment",
        "channel_code": "momo",
        "customer_code": who,
        "amount": amount,
        "paid_at": dt.datetime.fromisoformat(when),
        **other,
    }


def reversal(code: str, of: str | None, amount: int, when: str, **other: Any) -> Row:
    """A reversal of a payment of the same partner."""
    return payment(code, "C1", amount, when, kind="reversal", reverses_transaction_id=of, **other)


def figures(**sources: list[Row]) -> dict[str, pd.DataFrame]:
    """Every published table of a bundle given as rows."""
    bundle = {name: frame(name, rows) for name, rows in sources.items()}
    return recompute(bundle)


def facts_of(**sources: list[Row]) -> dict[str, pd.DataFrame]:
    """Every published fact of a bundle given as rows."""
    return recompute_facts({name: frame(name, rows) for name, rows in sources.items()})


def one(table: pd.DataFrame, **where: Any) -> Row:
    """The only row with these values."""
    found = [row for row in records(table) if all(row[name] == value for name, value in where.items())]
    assert len(found) == 1, f"{len(found)} rows where {where}"
    return found[0]


def history(
    who: str, channels: Sequence[str | None], first: dt.date = dt.date(2024, 1, 1), **other: Any
) -> dict[str, list[Row]]:
    """Bills of 1000 of one month after the other, each paid on the 9th through its channel (None: not paid)."""
    sources: dict[str, list[Row]] = {"bills": [], "payments": []}
    for number, channel in enumerate(channels):
        month = add_months(first, number)
        code = f"{who}-{month:%Y%m}"
        sources["bills"].append(bill(code, who, 1000, month, **other))
        if channel is not None:
            paid = payment(code, who, 1000, f"{month:%Y-%m}-09 10:00", bill_id=code, channel_code=channel)
            sources["payments"].append(paid)
    return sources


def together(*parts: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """The rows of several histories as one bundle."""
    whole: dict[str, list[Row]] = {}
    for part in parts:
        for source, rows in part.items():
            whole.setdefault(source, []).extend(rows)
    return whole


def billed_in(*months: dt.date) -> list[Row]:
    """A bill of C1 in each month, so that the tables have these months."""
    return [bill(f"B{month}", "C1", 1000, month) for month in months]


def campaign(code: str = "CD1") -> Row:
    """A campaign of 2024."""
    return {
        "campaign_id": code,
        "name": code,
        "kind": "household_visit",
        "starts_on": dt.date(2024, 1, 1),
        "updated_at": dt.datetime(2024, 1, 1),
    }


def contact(code: str, who: str, when: str, **other: Any) -> Row:
    """A contact of campaign CD1 by NV1, after which the customer agreed."""
    moment = dt.datetime.fromisoformat(when)
    return {
        "contact_id": code,
        "campaign_id": "CD1",
        "customer_code": who,
        "employee_code": "NV1",
        "contacted_at": moment,
        "place": "home",
        "outcome": "agreed",
        "updated_at": moment,
        **other,
    }


def notice(code: str, who: str | None, when: str, **other: Any) -> Row:
    """A notice of a closure that arrived by SMS."""
    moment = dt.datetime.fromisoformat(when)
    return {
        "notification_id": code,
        "customer_code": who,
        "topic": "counter_closure",
        "medium": "sms",
        "sent_at": moment,
        "delivery": "delivered",
        "updated_at": moment,
        **other,
    }


def review(code: str, who: str, phone: str | None, when: str, **other: Any) -> Row:
    """A review of a phone that belongs to the customer."""
    moment = dt.datetime.fromisoformat(when)
    return {
        "review_id": code,
        "customer_code": who,
        "phone": phone,
        "reviewed_at": moment,
        "result": "owner_confirmed",
        "updated_at": moment,
        **other,
    }


def complaint(code: str, when: str, closed: str | None = None, **other: Any) -> Row:
    """Feedback on a closure from Khánh Hải, closed if it says when."""
    received = dt.datetime.fromisoformat(when)
    return {
        "feedback_id": code,
        "commune_code": "14587",
        "received_at": received,
        "topic": "counter_closure",
        "status": "closed" if closed else "open",
        "closed_at": dt.datetime.fromisoformat(closed) if closed else None,
        "reopened": False,
        "updated_at": received,
        **other,
    }


def point(code: str, place: str, updated: str, **other: Any) -> Row:
    """A counter of the company that serves its own commune."""
    return {
        "collection_point_code": code,
        "name": code,
        "operator": "power_unit",
        "commune_code": place,
        "serves_commune_codes": place,
        "opened_on": dt.date(2015, 1, 1),
        "updated_at": dt.datetime.fromisoformat(updated),
        **other,
    }
