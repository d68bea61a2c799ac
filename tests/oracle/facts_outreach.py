"""The published facts and dimensions of work with customers: campaigns, contacts, feedback, staff.

Belongs here: the rows behind the tables of outreach.py and feedback.py. Does not belong here: bills, payments,
customers, points (facts.py), notices, phones, and whom counters serve (facts_coverage.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from .columns import Rows, some
from .feedback import hours_to_close
from .outreach import baseline, is_converted, pays_cash, reached
from .reference import UNKNOWN
from .settlement import CASHLESS_REPORTED, Bill
from .world import World

LATEST = 3
KEYS = {
    "fct_campaign_contact": ["contact_id"],
    "fct_campaign_baseline": ["campaign_id", "customer_code"],
    "fct_customer_paying": ["customer_code"],
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
                **some(row, "contact_id", "campaign_id", "customer_code", "employee_code", "outcome"),
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


def fct_feedback(world: World) -> Rows:
    """Every request or complaint."""
    return [
        {
            **some(row, "feedback_id", "customer_code", "topic", "status"),
            "commune_code": world.as_written(row["commune_code"], row["received_at"]) or UNKNOWN,
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
        {**some(row, "campaign_id", "kind", "starts_on", "ends_on"), "campaign_name": row["name"]}
        for row in world.current["campaigns"]
    ]


def dim_employee(world: World) -> Rows:
    """Every employee's versions, each until the next."""
    versions: dict[str, Rows] = defaultdict(list)
    for row in sorted(world.current["employees"], key=lambda row: row["effective_from"]):
        versions[row["employee_code"]].append(row)
    return [
        {
            **some(row, "employee_code", "effective_from", "power_unit_code", "status"),
            "effective_to": following["effective_from"] if following else None,
        }
        for rows in versions.values()
        for row, following in zip(rows, [*rows[1:], None], strict=True)
    ]


MAKERS: dict[str, Callable[[World], Rows]] = {
    "fct_campaign_contact": fct_campaign_contact,
    "fct_campaign_baseline": fct_campaign_baseline,
    "fct_customer_paying": fct_customer_paying,
    "fct_feedback": fct_feedback,
    "dim_campaign": dim_campaign,
    "dim_employee": dim_employee,
}


def _has_cash(bill: Bill) -> bool:
    return bill.collected > bill.cashless_amount(CASHLESS_REPORTED)


def _only_channel(bill: Bill) -> str | None:
    """The channel through which a bill was paid, unless there are several."""
    channels = {part.channel_code or "unknown" for part in bill.allocations}
    return next(iter(channels)) if len(channels) == 1 else None
