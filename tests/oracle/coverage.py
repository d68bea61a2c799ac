"""Who has been told and whose phone is known to be theirs, on any day and by commune and month.

Belongs here: notified and verified customers, kpi_notification_month, kpi_phone_month. Does not belong here:
counters (closure.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import date

from .columns import Row, Rows
from .places import month_end
from .world import World, ratio, text_order

TO_NOBODY_IN_PERSON = ("mass_media", "public_posting")


def notified(world: World, day: date) -> set[str]:
    """The customers who were told of a closure in person, and it arrived, up to a day."""
    return {
        row["customer_code"]
        for row in world.current["notifications"]
        if row["customer_code"] is not None
        and row["topic"] == "counter_closure"
        and row["delivery"] == "delivered"
        and row["medium"] not in TO_NOBODY_IN_PERSON
        and row["sent_at"].date() <= day
    }


def reviews_of_phones(world: World) -> dict[tuple[str, str], Rows]:
    """The reviews of every customer's every number; one without a number is of none."""
    reviews: dict[tuple[str, str], Rows] = defaultdict(list)
    for row in world.current["phone_reviews"]:
        if row["phone"] is not None:
            reviews[row["customer_code"], row["phone"]].append(row)
    return reviews


def latest_review(reviews: Rows, day: date = date.max) -> Row | None:
    """The latest of some reviews up to a day; of two in one moment the greater id."""
    known = [row for row in reviews if row["reviewed_at"].date() <= day]
    return max(known, key=lambda row: (row["reviewed_at"], text_order(row["review_id"])), default=None)


def verified(world: World, day: date) -> set[str]:
    """The customers whose phone of that day is theirs, by its latest review up to that day."""
    reviews = reviews_of_phones(world)
    found: set[str] = set()
    for customer in world.places.customers():
        version = world.places.version_on(customer, day)
        latest = latest_review(reviews.get((customer, version["phone"]), []), day) if version else None
        if latest and latest["result"] == "owner_confirmed":
            found.add(customer)
    return found


def by_commune_and_month(
    world: World, reaches: Callable[[World, date], set[str]], count_name: str, rate_name: str
) -> Rows:
    """Active customers at every month's end by commune, and how many of them are reached."""
    rows: Rows = []
    for month in world.bill_months():
        day = month_end(month)
        communes: dict[str, list[str]] = defaultdict(list)
        for customer in world.places.active_on(day):
            communes[world.places.on_day(customer, day).commune_code].append(customer)
        found = reaches(world, day)
        for commune, customers in communes.items():
            count = sum(customer in found for customer in customers)
            rows.append(
                {
                    "month": month,
                    "commune_code": commune,
                    "customers_active": len(customers),
                    count_name: count,
                    rate_name: ratio(count, len(customers)),
                }
            )
    return rows


def kpi_notification_month(world: World) -> Rows:
    """One row per month with bills, and commune with active customers: how many were told."""
    return by_commune_and_month(world, notified, "customers_notified", "coverage")


def kpi_phone_month(world: World) -> Rows:
    """The same, how many have a phone known to be theirs."""
    return by_commune_and_month(world, verified, "customers_verified", "verified_rate")
