"""What customers say: requests and complaints by commune and month, and what waits for an answer.

Belongs here: kpi_feedback_month, and what open means on a day. Does not belong here: counters (closure.py).
"""

from __future__ import annotations

from datetime import date, timedelta
from statistics import median

from .columns import Row, Rows
from .places import month_end, months_between
from .reference import UNKNOWN, era_of
from .world import World


def is_open_at(row: Row, day: date) -> bool:
    """Whether feedback had come by the end of a day and was not closed by then."""
    closed_at = row["closed_at"]
    return bool(row["received_at"].date() <= day and (closed_at is None or closed_at.date() > day))


def commune_of(world: World, row: Row, month: date) -> str:
    """The commune that feedback speaks of, on the map of a month: read when received, mapped forward."""
    if row["commune_code"] is None:
        return UNKNOWN
    received_in = era_of(row["received_at"].date())
    return world.reference.forward(
        world.reference.read(row["commune_code"], received_in), received_in, era_of(month)
    )


def hours_to_close(row: Row) -> float:
    """From receipt to answer."""
    return float((row["closed_at"] - row["received_at"]) / timedelta(hours=1))


def kpi_feedback_month(world: World) -> Rows:
    """One row per month and commune with feedback received, or waiting in a month up to the last with bills."""
    everything = world.current["feedback"]
    if not everything:
        return []
    days = [row["received_at"].date() for row in everything]
    bill_months = world.bill_months()
    rows: Rows = []
    for month in months_between(min(days), max([*days, *bill_months])):
        here = [row for row in everything if row["received_at"].date() <= month_end(month)]
        for commune in {commune_of(world, row, month) for row in here}:
            of_commune = [row for row in here if commune_of(world, row, month) == commune]
            received = [row for row in of_commune if row["received_at"].date() >= month]
            backlog = sum(is_open_at(row, month_end(month)) for row in of_commune)
            if not received and (backlog == 0 or not bill_months or month > bill_months[-1]):
                continue
            hours = [hours_to_close(row) for row in received if row["closed_at"] is not None]
            rows.append(
                {
                    "month": month,
                    "commune_code": commune,
                    "received": len(received),
                    "closed": sum(row["status"] == "closed" for row in received),
                    "reopened": sum(bool(row["reopened"]) for row in received),
                    "median_hours_to_close": median(hours) if hours else None,
                    "backlog": backlog,
                }
            )
    return rows
