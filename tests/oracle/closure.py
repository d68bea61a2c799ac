"""Closing a counter: whom it serves, whether it may close, and how they paid before and after.

Belongs here: kpi_counter_closure. Does not belong here: who is told (coverage.py).
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from .columns import Row, Rows
from .coverage import notified, verified
from .feedback import is_open_at
from .places import add_months
from .settlement import CASHLESS_REPORTED, CASHLESS_STRICT, Bill
from .world import World, cashless_customers, ratio

MONTHS_AROUND = 3


def customers_served(world: World, code: str, day: date) -> set[str]:
    """The active customers of a day in the communes that a counter serves on that day."""
    communes = world.points.served(code, day)
    return {
        customer
        for customer in world.places.active_on(day)
        if world.places.on_day(customer, day).commune_code in communes
    }


def bills_of(world: World, customers: set[str], first: date, last: date) -> list[Bill]:
    """The electricity bills of some customers, of the months from `first` to `last`."""
    return [
        bill
        for customer in customers
        for bill in world.electricity_bills.get(customer, [])
        if first <= bill.row["bill_month"] <= last
    ]


def on_time_rate(bills: list[Bill]) -> float | None:
    """The part of bills settled up to their due day."""
    return ratio(sum(b.is_settled and b.settled_on <= b.row["due_on"] for b in bills), len(bills))


def reaches(rate: float | None, gate: Decimal) -> bool:
    """Whether a gate is passed; no rate passes none."""
    return rate is not None and rate >= float(gate)


def nothing_known(point: Row) -> Row:
    """A counter's row when there is no day to look at: it serves nobody, and nobody complains."""
    rates = ("cashless_rate", "cashless_rate_strict", "notification_coverage", "phone_verified_rate")
    gates = ("is_cashless_rate_ok", "is_coverage_ok", "is_phone_ok", "is_authority_reported", "is_ready")
    return {
        "collection_point_code": point["collection_point_code"],
        "as_of": None,
        "customers_served": 0,
        **dict.fromkeys(rates),
        "feedback_open": 0,
        "is_feedback_ok": True,
        **dict.fromkeys(gates, False),
        "on_time_rate_before": None,
        "on_time_rate_after": None,
    }


def closure(world: World, point: Row, as_of: date | None) -> Row:
    """The state of a counter on the day it closed, or as of data through; without any payment there is no day."""
    if as_of is None:
        return nothing_known(point)
    served = customers_served(world, point["collection_point_code"], as_of)
    month = add_months(as_of, -1)
    bills = bills_of(world, served, month, month)
    billed = {bill.row["customer_code"] for bill in bills}
    rate = ratio(len(cashless_customers(bills, CASHLESS_REPORTED)), len(billed))
    strict_rate = ratio(len(cashless_customers(bills, CASHLESS_STRICT)), len(billed))
    coverage = ratio(len(served & notified(world, as_of)), len(served))
    phones = ratio(len(served & verified(world, as_of)), len(served))
    feedback_open = sum(
        row["topic"] == "counter_closure" and row["customer_code"] in served and is_open_at(row, as_of)
        for row in world.current["feedback"]
    )
    reported = point["authority_reported_on"]
    gates = {
        "is_cashless_rate_ok": reaches(rate, world.gates.cashless_rate),
        "is_coverage_ok": reaches(coverage, world.gates.coverage),
        "is_phone_ok": reaches(phones, world.gates.phone),
        "is_feedback_ok": feedback_open <= world.gates.feedback_open,
        "is_authority_reported": reported is not None and reported <= as_of,
    }
    before = after = None
    if point["closed_on"] is not None:
        closed = point["closed_on"]
        before = on_time_rate(bills_of(world, served, add_months(closed, -MONTHS_AROUND), month))
        after = on_time_rate(
            bills_of(world, served, add_months(closed, 1), add_months(closed, MONTHS_AROUND))
        )
    return {
        "collection_point_code": point["collection_point_code"],
        "as_of": as_of,
        "customers_served": len(served),
        "cashless_rate": rate,
        "cashless_rate_strict": strict_rate,
        "notification_coverage": coverage,
        "phone_verified_rate": phones,
        "feedback_open": feedback_open,
        **gates,
        "is_ready": all(gates.values()),
        "on_time_rate_before": before,
        "on_time_rate_after": after,
    }


def kpi_counter_closure(world: World) -> Rows:
    """One row per collection point, partners' too."""
    return [
        closure(world, point, point["closed_on"] or world.data_through) for point in world.points.all_points()
    ]
