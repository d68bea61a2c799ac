"""The published facts of who is told, whose number is known to be theirs, and whom a counter serves.

Belongs here: the rows behind the tables of coverage.py and closure.py. Does not belong here: campaigns, contacts,
feedback, staff (facts_outreach.py).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import cache, partial
from itertools import pairwise

from .closure import customers_served
from .columns import Rows, some
from .coverage import TO_NOBODY_IN_PERSON, latest_review, notified, reviews_of_phones, verified
from .world import World

KEYS = {
    "fct_notification": ["notification_id"],
    "fct_phone_review": ["review_id"],
    "fct_phone_stage": ["customer_code"],
    "fct_phone_verification": ["customer_code", "verified_from"],
    "fct_counter_customer": ["collection_point_code", "customer_code"],
}


def fct_notification(world: World) -> Rows:
    """Every notice, and whether it told a customer of a closure."""
    return [
        {
            **some(row, "notification_id", "campaign_id", "customer_code", "topic", "medium", "delivery"),
            "commune_code": world.as_written(row["commune_code"], row["sent_at"]),
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
            **some(row, "review_id", "customer_code", "result"),
            "reviewed_on": row["reviewed_at"].date(),
            "has_phone": row["phone"] is not None,
        }
        for row in world.current["phone_reviews"]
    ]


def fct_phone_stage(world: World) -> Rows:
    """What the latest review of every customer's number of today found."""
    reviews = reviews_of_phones(world)
    rows: Rows = []
    for customer in world.places.customers():
        version = world.places.version_on(customer, date.max)
        latest = latest_review(reviews.get((customer, version["phone"]), [])) if version else None
        if latest:
            found = {"reviewed_on": latest["reviewed_at"].date(), "result": latest["result"]}
            rows.append({"customer_code": customer, **found})
    return rows


def fct_phone_verification(world: World) -> Rows:
    """The spans of days on which every customer's number of then is verified.

    A span ends where the customer's version does, or where another review of the number comes, whatever that says:
    the next one may begin on the same day.
    """
    reviews = reviews_of_phones(world)
    rows: Rows = []
    for customer in world.places.customers():
        for version, until in world.places.versions(customer):
            since = version["effective_from"]
            of_phone = reviews.get((customer, version["phone"]), [])
            days = {row["reviewed_at"].date() for row in of_phone}
            starts = sorted({since, *(day for day in days if since < day < until)})
            for start, end in pairwise([*starts, until]):
                latest = latest_review(of_phone, start)
                if latest and latest["result"] == "owner_confirmed":
                    verified_to = end if end < date.max else None
                    rows.append(
                        {"customer_code": customer, "verified_from": start, "verified_to": verified_to}
                    )
    return rows


def fct_counter_customer(world: World) -> Rows:
    """Whom every counter serves on the day it closed, else as of data through, and what is known of them then."""
    told, known = cache(partial(notified, world)), cache(partial(verified, world))
    rows: Rows = []
    for point in world.points.all_points():
        code, as_of = point["collection_point_code"], point["closed_on"] or world.data_through
        if as_of is None:  # without any payment there is no day
            continue
        rows += [
            {
                "collection_point_code": code,
                "customer_code": customer,
                "as_of": as_of,
                "commune_code": world.places.on_day(customer, as_of).commune_code,
                "is_notified": customer in told(as_of),
                "is_phone_verified": customer in known(as_of),
            }
            for customer in customers_served(world, code, as_of)
        ]
    return rows


MAKERS: dict[str, Callable[[World], Rows]] = {
    "fct_notification": fct_notification,
    "fct_phone_review": fct_phone_review,
    "fct_phone_stage": fct_phone_stage,
    "fct_phone_verification": fct_phone_verification,
    "fct_counter_customer": fct_counter_customer,
}
