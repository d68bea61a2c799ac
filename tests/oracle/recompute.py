"""The published tables of bills and payments from accepted raw rows, and recomputing all tables by name.

Belongs here: one function per table of bills and payments. Does not belong here: how bills get paid
(settlement.py), where they lie (places.py), and the tables about people and counters (outreach.py, coverage.py,
closure.py, feedback.py, progress.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import cache
from statistics import median

import pandas as pd

from . import closure, coverage, feedback, outreach, progress
from .columns import Row, Rows, records
from .places import month_end
from .reference import CURRENT_ERA, era_of
from .settlement import CASHLESS_REPORTED, CASHLESS_STRICT, Bill, current_rows
from .world import (
    FINAL_AFTER_DAYS,
    SCOPES,
    Gates,
    World,
    as_recorded,
    cashless_customers,
    group,
    make_world,
    ratio,
    units_of_levels,
)

MEASURES = [
    "customers_billed",
    "customers_cashless",
    "customers_cashless_strict",
    "cashless_rate_customers",
    "cashless_rate_customers_strict",
    "bills_issued",
    "bills_settled",
    "bills_cashless",
    "bills_cashless_strict",
    "bills_mixed",
    "bills_unpaid",
    "bills_partly_paid",
    "cashless_rate_bills",
    "cashless_rate_bills_strict",
    "amount_issued_vnd",
    "amount_collected_vnd",
    "amount_cashless_vnd",
    "amount_cashless_strict_vnd",
    "amount_open_vnd",
    "cashless_rate_amount",
    "cashless_rate_amount_strict",
    "bills_on_time",
    "on_time_rate",
    "median_days_to_pay",
    "customers_auto_debit",
    "collection_points_open",
    "target",
    "attainment",
    "status",
    "data_through",
]
GRAIN = ["bill_month", "geography", "scope"]

# The columns that identify a row of each published table.
KEYS = {
    "kpi_commune_month": [*GRAIN, "commune_code"],
    "kpi_district_month": [*GRAIN, "district_code"],
    "kpi_power_unit_month": [*GRAIN, "power_unit_code"],
    "kpi_company_month": GRAIN,
    "kpi_channel_month": [*GRAIN, "level", "code", "channel_code"],
    "reconciliation_partner_day": ["partner_code", "paid_date"],
    "kpi_employee_month": ["month", "employee_code"],
    "kpi_campaign": ["campaign_id"],
    "kpi_notification_month": ["month", "commune_code"],
    "kpi_phone_month": ["month", "commune_code"],
    "kpi_feedback_month": ["month", "commune_code"],
    "kpi_counter_closure": ["collection_point_code"],
    "kpi_progress": ["bill_month", "level", "code", "scope", "days_after"],
}
# Those about people and counters.
OUTREACH_TABLES = tuple(KEYS)[6:]

COLUMNS = {
    "kpi_commune_month": [
        *KEYS["kpi_commune_month"],
        "commune_name",
        "district_code",
        "district_name",
        "power_unit_code",
        *MEASURES,
    ],
    "kpi_district_month": [*KEYS["kpi_district_month"], "district_name", *MEASURES],
    "kpi_power_unit_month": [*KEYS["kpi_power_unit_month"], "power_unit_name", *MEASURES],
    "kpi_company_month": [*GRAIN, *MEASURES],
    "kpi_channel_month": [
        *KEYS["kpi_channel_month"],
        "channel_class",
        "amount_vnd",
        "share_amount",
        "bills",
    ],
    "reconciliation_partner_day": [
        *KEYS["reconciliation_partner_day"],
        "transactions",
        "total_vnd",
        "allocated_vnd",
        "unapplied_vnd",
        "reversed_vnd",
        "suspense_vnd",
        "conflict_vnd",
        "orphan_vnd",
    ],
    "kpi_employee_month": [
        *KEYS["kpi_employee_month"],
        "contacts",
        "contacts_not_reached",
        "conversions",
        "target",
        "attainment",
    ],
    "kpi_campaign": [
        *KEYS["kpi_campaign"],
        "contacts",
        "customers_contacted",
        "contacted_paying_cash",
        "converted",
        "conversion_rate",
        "baseline_paying_cash",
        "baseline_converted",
        "baseline_rate",
        "lift",
    ],
    "kpi_notification_month": [
        *KEYS["kpi_notification_month"],
        "customers_active",
        "customers_notified",
        "coverage",
    ],
    "kpi_phone_month": [
        *KEYS["kpi_phone_month"],
        "customers_active",
        "customers_verified",
        "verified_rate",
    ],
    "kpi_feedback_month": [
        *KEYS["kpi_feedback_month"],
        "received",
        "closed",
        "reopened",
        "median_hours_to_close",
        "backlog",
    ],
    "kpi_counter_closure": [
        *KEYS["kpi_counter_closure"],
        "as_of",
        "customers_served",
        "cashless_rate",
        "cashless_rate_strict",
        "notification_coverage",
        "phone_verified_rate",
        "feedback_open",
        "is_cashless_rate_ok",
        "is_coverage_ok",
        "is_phone_ok",
        "is_feedback_ok",
        "is_authority_reported",
        "is_ready",
        "on_time_rate_before",
        "on_time_rate_after",
    ],
    "kpi_progress": [
        *KEYS["kpi_progress"],
        "bills_issued",
        "bills_settled",
        "bills_cashless",
        "bills_cashless_strict",
    ],
}


def measures(bills: list[Bill], month: date, world: World) -> Row:
    """The figures that follow from a unit's bills of a month alone."""
    settled = [bill for bill in bills if bill.is_settled]
    customers = {bill.row["customer_code"] for bill in bills}
    issued = sum(bill.total for bill in bills)
    collected = sum(bill.collected for bill in bills)
    days_to_pay = [max((bill.settled_on - bill.row["issued_on"]).days, 0) for bill in settled]
    on_time = sum(bill.settled_on <= bill.row["due_on"] for bill in settled)
    row: Row = {
        "customers_billed": len(customers),
        "bills_issued": len(bills),
        "bills_settled": len(settled),
        "bills_mixed": sum(bill.is_mixed for bill in bills),
        "bills_unpaid": sum(bill.collected == 0 for bill in bills),
        "bills_partly_paid": sum(0 < bill.collected < bill.total for bill in bills),
        "amount_issued_vnd": issued,
        "amount_collected_vnd": collected,
        "amount_open_vnd": issued - collected,
        "bills_on_time": on_time,
        "on_time_rate": ratio(on_time, len(bills)),
        "median_days_to_pay": float(median(days_to_pay)) if days_to_pay else None,
        "customers_auto_debit": sum(world.has_auto_debit(code, month_end(month)) for code in customers),
        "status": world.status(month),
        "data_through": world.data_through,
    }
    for suffix, classes in (("", CASHLESS_REPORTED), ("_strict", CASHLESS_STRICT)):
        happy = len(cashless_customers(bills, classes))
        cashless = sum(bill.is_cashless(classes) for bill in bills)
        amount = sum(bill.cashless_amount(classes) for bill in bills)
        row[f"customers_cashless{suffix}"] = happy
        row[f"cashless_rate_customers{suffix}"] = ratio(happy, len(customers))
        row[f"bills_cashless{suffix}"] = cashless
        row[f"cashless_rate_bills{suffix}"] = ratio(cashless, len(bills))
        row[f"amount_cashless{suffix}_vnd"] = amount
        row[f"cashless_rate_amount{suffix}"] = ratio(amount, collected)
    return row


def add_target(row: Row, level: str, code: str, world: World) -> None:
    """Target and attainment; only the headline has one."""
    row["target"] = row["attainment"] = None
    if row["scope"] == "electricity" and row["geography"] == "as_recorded":
        row["target"] = world.target(level, code, row["bill_month"])
        if row["target"] is not None:
            row["attainment"] = ratio(row["cashless_rate_customers"], row["target"])


def unit_of_most_customers(bills: list[Bill], world: World) -> str:
    """The as_recorded power unit of most of the billed customers; on a tie the smallest code."""
    customers = {bill.row["customer_code"]: as_recorded(bill, world).power_unit_code for bill in bills}
    votes = Counter(customers.values())
    return min(votes, key=lambda code: (-votes[code], code.encode()))


def kpi_commune_month(world: World) -> Rows:
    """One row per month, geography, scope and commune."""
    rows: Rows = []
    for geography in ("as_recorded", "current"):
        for scope in SCOPES:

            def commune_of(bill: Bill, geography: str = geography) -> str:
                if geography == "current":
                    return world.places.current(bill.row["customer_code"])
                return str(as_recorded(bill, world).commune_code)

            for (month, commune), bills in group(world.bills(scope), commune_of).items():
                era = CURRENT_ERA if geography == "current" else era_of(month)
                day = month_end(month)
                district_code, district_name = world.reference.district(commune, era)
                row = {
                    "bill_month": month,
                    "geography": geography,
                    "scope": scope,
                    "commune_code": commune,
                    "commune_name": world.reference.commune_name(commune, era),
                    "district_code": district_code,
                    "district_name": district_name,
                    "power_unit_code": unit_of_most_customers(bills, world),
                    **measures(bills, month, world),
                    "collection_points_open": world.counters(day, geography).count(commune),
                }
                add_target(row, "commune", commune, world)
                rows.append(row)
    return rows


def kpi_district_month(world: World) -> Rows:
    """One row per month with districts, scope and district."""
    rows: Rows = []
    for scope in SCOPES:
        bills_with_district = [b for b in world.bills(scope) if era_of(b.row["bill_month"]) < CURRENT_ERA]
        by_district = group(bills_with_district, lambda bill: as_recorded(bill, world).district_code)
        for (month, district), bills in by_district.items():
            day, era = month_end(month), era_of(month)
            names = world.reference.district_names(era)
            row = {
                "bill_month": month,
                "geography": "as_recorded",
                "scope": scope,
                "district_code": district,
                "district_name": names.get(district, district),
                **measures(bills, month, world),
                "collection_points_open": sum(
                    world.reference.district(commune, era)[0] == district for commune in world.counters(day)
                ),
            }
            add_target(row, "district", district, world)
            rows.append(row)
    return rows


def kpi_power_unit_month(world: World, communes: Rows) -> Rows:
    """One row per month, scope and power unit; a counter belongs to the unit of its commune's row."""
    unit_of_commune = {
        (row["bill_month"], row["scope"], row["commune_code"]): row["power_unit_code"]
        for row in communes
        if row["geography"] == "as_recorded"
    }
    rows: Rows = []
    for scope in SCOPES:
        by_unit = group(world.bills(scope), lambda bill: as_recorded(bill, world).power_unit_code)
        for (month, unit), bills in by_unit.items():
            day = month_end(month)
            row = {
                "bill_month": month,
                "geography": "as_recorded",
                "scope": scope,
                "power_unit_code": unit,
                "power_unit_name": world.reference.power_unit_name(unit),
                **measures(bills, month, world),
                "collection_points_open": sum(
                    unit_of_commune.get((month, scope, commune)) == unit for commune in world.counters(day)
                ),
            }
            add_target(row, "power_unit", unit, world)
            rows.append(row)
    return rows


def kpi_company_month(world: World) -> Rows:
    """One row per month, geography and scope."""
    rows: Rows = []
    for geography in ("as_recorded", "current"):
        for scope in SCOPES:
            for (month, _), bills in group(world.bills(scope), lambda _: "COMPANY").items():
                row = {
                    "bill_month": month,
                    "geography": geography,
                    "scope": scope,
                    **measures(bills, month, world),
                    "collection_points_open": len(world.points.open_on(month_end(month))),
                }
                add_target(row, "company", "COMPANY", world)
                rows.append(row)
    return rows


def kpi_channel_month(world: World) -> Rows:
    """One row per month, scope, unit of any level, and channel that paid something."""
    rows: Rows = []
    for scope in SCOPES:
        for level, unit_of in units_of_levels(world).items():
            for (month, unit), bills in group(world.bills(scope), unit_of).items():
                if unit is None:  # a month after the districts
                    continue
                collected = sum(bill.collected for bill in bills)
                amounts: Counter[str] = Counter()
                paid_bills: dict[str, set[str]] = defaultdict(set)
                for bill in bills:
                    for allocation in bill.allocations:
                        channel = allocation.channel_code or "unknown"
                        amounts[channel] += allocation.amount
                        paid_bills[channel].add(bill.row["bill_id"])
                rows += [
                    {
                        "bill_month": month,
                        "geography": "as_recorded",
                        "scope": scope,
                        "level": level,
                        "code": unit,
                        "channel_code": channel,
                        "channel_class": world.reference.channel_class(channel),
                        "amount_vnd": amount,
                        "share_amount": ratio(amount, collected),
                        "bills": len(paid_bills[channel]),
                    }
                    for channel, amount in amounts.items()
                ]
    return rows


def reconciliation_partner_day(world: World, bill_rows: Rows) -> Rows:
    """One row per partner and day: every đồng a partner reported, in exactly one bucket."""
    known_bills = {row["bill_id"] for row in bill_rows}
    billed_customers = {row["customer_code"] for row in current_rows("bills", bill_rows)}
    days: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)

    def add(partner: str, day: date, **parts: int) -> None:
        line = days[partner, day]
        line["transactions"] += 1
        for bucket, amount in parts.items():
            line[f"{bucket}_vnd"] += amount
            line["total_vnd"] += amount

    for payment in world.settlement.payments:
        row = payment.row
        if row["bill_id"] is not None:
            nobody_knows = row["bill_id"] not in known_bills
        else:
            customer = row["customer_code"]
            nobody_knows = not world.places.knows(customer) and customer not in billed_customers
        add(
            row["partner_code"],
            row["paid_at"].date(),
            allocated=payment.allocated,
            reversed=payment.reversed,
            **{"suspense" if nobody_knows else "unapplied": payment.open},
        )
    for conflict in world.settlement.conflicts:
        add(conflict.partner_code, conflict.paid_on, conflict=conflict.amount)
    for orphan in world.settlement.orphans:
        add(orphan.partner_code, orphan.paid_on, orphan=orphan.amount)
    return [
        {
            "partner_code": partner,
            "paid_date": day,
            **{name: line[name] for name in COLUMNS["reconciliation_partner_day"][2:]},
        }
        for (partner, day), line in days.items()
    ]


def recompute(
    bundle: Mapping[str, pd.DataFrame],
    final_after_days: int = FINAL_AFTER_DAYS,
    *,
    tables: Collection[str] = tuple(KEYS),
    gates: Gates | None = None,
) -> dict[str, pd.DataFrame]:
    """Published tables from the accepted, typed rows of every source (a missing source is empty).

    tables: which ones; all unless told otherwise.
    """
    world = make_world(bundle, final_after_days, gates)
    communes = cache(lambda: kpi_commune_month(world))
    makers: dict[str, Callable[[], Rows]] = {
        "kpi_commune_month": communes,
        "kpi_district_month": lambda: kpi_district_month(world),
        "kpi_power_unit_month": lambda: kpi_power_unit_month(world, communes()),
        "kpi_company_month": lambda: kpi_company_month(world),
        "kpi_channel_month": lambda: kpi_channel_month(world),
        "reconciliation_partner_day": lambda: reconciliation_partner_day(world, records(bundle.get("bills"))),
        "kpi_employee_month": lambda: outreach.kpi_employee_month(world),
        "kpi_campaign": lambda: outreach.kpi_campaign(world),
        "kpi_notification_month": lambda: coverage.kpi_notification_month(world),
        "kpi_phone_month": lambda: coverage.kpi_phone_month(world),
        "kpi_counter_closure": lambda: closure.kpi_counter_closure(world),
        "kpi_feedback_month": lambda: feedback.kpi_feedback_month(world),
        "kpi_progress": lambda: progress.kpi_progress(world),
    }
    return {
        name: pd.DataFrame(
            [[row[c] for c in COLUMNS[name]] for row in makers[name]()], columns=COLUMNS[name], dtype=object
        )
        for name in tables
    }
