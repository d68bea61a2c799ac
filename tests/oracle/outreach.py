"""Campaigns and employees: who was contacted, who pays without cash since, and who does without a contact.

Belongs here: kpi_campaign, kpi_employee_month, and the conversion and baseline behind them. Does not belong
here: notices and phones (coverage.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date
from typing import Any

from .columns import Row, Rows
from .reference import UNKNOWN, UNRESOLVED, era_of
from .settlement import CASHLESS_REPORTED
from .world import World, ratio, text_order

BILLS_BEFORE, BILLS_AFTER, FIRST_WITHIN_DAYS = 3, 2, 60

# A commune's key: codes are recycled, so the code alone names different communes.
CommuneInEra = tuple[str, int]


def pays_cash(world: World, customer_code: str, day: date) -> bool:
    """Whether the three latest bills before a day exist and not all of them are cashless."""
    before = [bill for bill in world.electricity_bills.get(customer_code, []) if bill.row["issued_on"] < day]
    latest = before[-BILLS_BEFORE:]
    return len(latest) == BILLS_BEFORE and not all(bill.is_cashless(CASHLESS_REPORTED) for bill in latest)


def converts(world: World, customer_code: str, day: date) -> bool:
    """Whether who pays cash on a day pays the next two bills without: the first comes soon, both are cashless."""
    if not pays_cash(world, customer_code, day):
        return False
    after = [bill for bill in world.electricity_bills.get(customer_code, []) if bill.row["issued_on"] >= day]
    following = after[:BILLS_AFTER]
    return (
        len(following) == BILLS_AFTER
        and (following[0].row["issued_on"] - day).days <= FIRST_WITHIN_DAYS
        and all(bill.is_cashless(CASHLESS_REPORTED) for bill in following)
    )


def reached(contacts: Rows) -> Rows:
    """The contacts in which the customer was spoken to."""
    return [row for row in contacts if row["outcome"] != "not_reached"]


def is_converted(world: World, contact: Row) -> bool:
    """Whether this contact was followed by a conversion."""
    return converts(world, contact["customer_code"], contact["contacted_at"].date())


def credited_contacts(world: World) -> Rows:
    """Of every customer converted in a campaign the one contact that the conversion is credited to."""
    converted: dict[tuple[str, str], Rows] = defaultdict(list)
    for row in reached(world.current["campaign_contacts"]):
        if is_converted(world, row):
            converted[row["campaign_id"], row["customer_code"]].append(row)
    return [
        max(rows, key=lambda row: (row["contacted_at"], text_order(row["contact_id"])))
        for rows in converted.values()
    ]


def kpi_employee_month(world: World) -> Rows:
    """One row per month and employee with a contact or a target of conversions."""
    contacts: Counter[tuple[date, str]] = Counter()
    not_reached: Counter[tuple[date, str]] = Counter()
    conversions: Counter[tuple[date, str]] = Counter()
    for row in world.current["campaign_contacts"]:
        key = (row["contacted_at"].date().replace(day=1), row["employee_code"])
        contacts[key] += 1
        not_reached[key] += row["outcome"] == "not_reached"
    for row in credited_contacts(world):
        conversions[row["contacted_at"].date().replace(day=1), row["employee_code"]] += 1
    targets: dict[tuple[date, str], Any] = {
        (row["month"], row["code"]): row["target"]
        for row in world.current["targets"]
        if (row["level"], row["metric"]) == ("employee", "conversions")
    }
    return [
        {
            "month": month,
            "employee_code": employee,
            "contacts": contacts[month, employee],
            "contacts_not_reached": not_reached[month, employee],
            "conversions": conversions[month, employee],
            "target": targets.get((month, employee)),
            "attainment": ratio(conversions[month, employee], targets.get((month, employee))),
        }
        for month, employee in contacts.keys() | targets.keys()
        if employee is not None
    ]


def first_contact_days(world: World, contacts: Rows) -> dict[CommuneInEra, date]:
    """The communes a campaign came to, each with its first day there; pseudo-communes are none."""
    days: dict[CommuneInEra, date] = {}
    for row in contacts:
        day = row["contacted_at"].date()
        commune = world.places.on_day(row["customer_code"], day).commune_code
        if commune not in (UNRESOLVED, UNKNOWN):
            key = (commune, era_of(day))
            days[key] = min(day, days.get(key, day))
    return days


def baseline(world: World, contacts: Rows) -> dict[str, bool]:
    """Those who could have been contacted, paid cash, and were not: whether they converted all the same."""
    contacted = {row["customer_code"] for row in contacts}
    days = first_contact_days(world, contacts)
    found: dict[str, bool] = {}
    for (commune, _), day in sorted(days.items(), key=lambda item: item[1]):
        for customer in world.places.customers():
            if (
                customer not in contacted
                and customer not in found
                and world.places.on_day(customer, day).commune_code == commune
                and pays_cash(world, customer, day)
            ):
                found[customer] = converts(world, customer, day)
    return found


def kpi_campaign(world: World) -> Rows:
    """One row per campaign, also one without contacts, and one that only its contacts tell of."""
    contacts: dict[str, Rows] = {row["campaign_id"]: [] for row in world.current["campaigns"]}
    for row in world.current["campaign_contacts"]:
        contacts.setdefault(row["campaign_id"], []).append(row)
    rows: Rows = []
    for campaign, of_campaign in contacts.items():
        spoken_to = reached(of_campaign)
        paying_cash = {
            row["customer_code"]
            for row in spoken_to
            if pays_cash(world, row["customer_code"], row["contacted_at"].date())
        }
        converted = {row["customer_code"] for row in spoken_to if is_converted(world, row)}
        others = baseline(world, spoken_to)
        conversion_rate = ratio(len(converted), len(paying_cash))
        baseline_rate = ratio(sum(others.values()), len(others))
        rows.append(
            {
                "campaign_id": campaign,
                "contacts": len(of_campaign),
                "customers_contacted": len({row["customer_code"] for row in spoken_to}),
                "contacted_paying_cash": len(paying_cash),
                "converted": len(converted),
                "conversion_rate": conversion_rate,
                "baseline_paying_cash": len(others),
                "baseline_converted": sum(others.values()),
                "baseline_rate": baseline_rate,
                "lift": None
                if conversion_rate is None or baseline_rate is None
                else conversion_rate - baseline_rate,
            }
        )
    return rows
