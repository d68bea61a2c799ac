"""The published facts and dimensions of work with customers: campaigns, contacts, notices, phones, feedback, staff.

Belongs here: the rows behind the tables of outreach.py, coverage.py, closure.py and feedback.py. Does not belong
here: bills, payments, customers, points (facts.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date, datetime

from .columns import Row, Rows
from .coverage import TO_NOBODY_IN_PERSON
from .feedback import hours_to_close
from .outreach import baseline, is_converted, pays_cash, reached
from .reference import UNKNOWN, era_of
from .settlement import CASHLESS_REPORTED, Bill
from .world import World, text_order

LATEST = 3
KEYS = {
    "fct_campaign_contact": ["contact_id"],
    "fct_campaign_baseline": ["campaign_id", "customer_code"],
    "fct_customer_paying": ["customer_code"],
    "fct_notification": ["notification_id"],
    "fct_phone_review": ["review_id"],
    "fct_phone_stage": ["customer_code"],
    "fct_feedback": ["feedback_id"],
    "dim_campaign": ["campaign_id"],
    "dim_employee": ["employee_code", "effective_from"],
}


def fct_campaign_contact(world: World) -> Rows:
    """Every contact, where its customer counted that day, and what it led to; nothing if nobody was reached."""
    rows: Rows = []
    for row in world.current["campaign_contacts"]:
        day = row["contacted_at"].date()
        place = world.places.on_day(row["customer_code"], day)
        is_reached = bool(reached([row]))
        rows.append(
            {
                **_some(row, "contact_id", "campaign_id", "customer_code", "employee_code", "outcome"),
                "contacted_on": day,
                "is_reached": is_reached,
                "commune_code": place.commune_code,
                "power_unit_code": place.power_unit_code,
                "is_paying_cash": is_reached and pays_cash(world, row["customer_code"], day),
                "is_converted": is_reached and is_converted(world, row),
            }
        )
    return rows


def fct_campaign_baseline(world: World) -> Rows:
    """Those with whom a campaign's customers are compared, of every campaign with contacts."""
    contacts: dict[str, Rows] = defaultdict(list)
    for row in reached(world.current["campaign_contacts"]):
        contacts[row["campaign_id"]].append(row)
    return [
        {"campaign_id": campaign, "customer_code": customer, "is_converted": converted}
        for campaign, rows in contacts.items()
        for customer, converted in baseline(world, rows).items()
    ]


def fct_customer_paying(world: World) -> Rows:
    """How customers paid the latest of their electricity bills that tell it: settled, or partly paid in cash."""
    rows: Rows = []
    for customer, bills in world.electricity_bills.items():
        latest = [bill for bill in bills if bill.is_settled or _has_cash(bill)][-LATEST:]
        cash = [bill for bill in latest if _has_cash(bill)]
        rows.append(
            {
                "customer_code": customer,
                "last_bill_month": bills[-1].row["bill_month"],
                "bills": len(latest),
                "bills_cashless": len(latest) - len(cash),
                "bills_unsettled": sum(not bill.is_settled for bill in bills),
                "is_paying_cash": bool(cash),
                "cash_bill_id": cash[-1].row["bill_id"] if cash else None,
                "cash_channel_code": _only_channel(cash[-1]) if cash else None,
            }
        )
    return rows


def fct_notification(world: World) -> Rows:
    """Every notice, and whether it told a customer of a closure."""
    return [
        {
            **_some(row, "notification_id", "campaign_id", "customer_code", "topic", "medium", "delivery"),
            "commune_code": _as_written(world, row["commune_code"], row["sent_at"]),
            "sent_on": row["sent_at"].date(),
            "is_closure_notice": row["topic"] == "counter_closure"
            and row["delivery"] == "delivered"
            and row["customer_code"] is not None
            and row["medium"] not in TO_NOBODY_IN_PERSON,
        }
        for row in world.current["notifications"]
    ]


def fct_phone_review(world: World) -> Rows:
    """Every review of a number."""
    return [
        {
            **_some(row, "review_id", "customer_code", "result"),
            "reviewed_on": row["reviewed_at"].date(),
            "has_phone": row["phone"] is not None,
        }
        for row in world.current["phone_reviews"]
    ]


def fct_phone_stage(world: World) -> Rows:
    """What the latest review of every customer's number of today found."""
    reviews: dict[tuple[str, str | None], Rows] = defaultdict(list)
    for row in world.current["phone_reviews"]:
        if row["phone"] is not None:
            reviews[row["customer_code"], row["phone"]].append(row)
    rows: Rows = []
    for customer in world.places.customers():
        version = world.places.version_on(customer, date.max)
        of_phone = reviews[customer, version["phone"] if version else None]
        if of_phone:
            latest = max(of_phone, key=lambda row: (row["reviewed_at"], text_order(row["review_id"])))
            found = {"reviewed_on": latest["reviewed_at"].date(), "result": latest["result"]}
            rows.append({"customer_code": customer, **found})
    return rows


def fct_feedback(world: World) -> Rows:
    """Every request or complaint."""
    return [
        {
            **_some(row, "feedback_id", "customer_code", "topic", "status"),
            "commune_code": _as_written(world, row["commune_code"], row["received_at"]) or UNKNOWN,
            "received_on": row["received_at"].date(),
            "closed_on": row["closed_at"].date() if row["closed_at"] else None,
            "is_reopened": bool(row["reopened"]),
            "hours_to_close": hours_to_close(row) if row["closed_at"] else None,
        }
        for row in world.current["feedback"]
    ]


def dim_campaign(world: World) -> Rows:
    """Every campaign's current row."""
    return [
        {**_some(row, "campaign_id", "kind", "starts_on", "ends_on"), "campaign_name": row["name"]}
        for row in world.current["campaigns"]
    ]


def dim_employee(world: World) -> Rows:
    """Every employee's versions, each until the next."""
    versions: dict[str, Rows] = defaultdict(list)
    for row in sorted(world.current["employees"], key=lambda row: row["effective_from"]):
        versions[row["employee_code"]].append(row)
    return [
        {
            **_some(row, "employee_code", "effective_from", "power_unit_code", "status"),
            "effective_to": following["effective_from"] if following else None,
        }
        for rows in versions.values()
        for row, following in zip(rows, [*rows[1:], None], strict=True)
    ]


MAKERS: dict[str, Callable[[World], Rows]] = {
    "fct_campaign_contact": fct_campaign_contact,
    "fct_campaign_baseline": fct_campaign_baseline,
    "fct_customer_paying": fct_customer_paying,
    "fct_notification": fct_notification,
    "fct_phone_review": fct_phone_review,
    "fct_phone_stage": fct_phone_stage,
    "fct_feedback": fct_feedback,
    "dim_campaign": dim_campaign,
    "dim_employee": dim_employee,
}


def _some(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}


def _as_written(world: World, code: str | None, moment: datetime) -> str | None:
    """The commune that a code names on the map of the day it was written on."""
    return world.reference.read(code, era_of(moment.date())) if code is not None else None


def _has_cash(bill: Bill) -> bool:
    return bill.collected > bill.cashless_amount(CASHLESS_REPORTED)


def _only_channel(bill: Bill) -> str | None:
    """The channel through which a bill was paid, unless there are several."""
    channels = {part.channel_code or "unknown" for part in bill.allocations}
    return next(iter(channels)) if len(channels) == 1 else None
