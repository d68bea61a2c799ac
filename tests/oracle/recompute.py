"""The published KPI tables from accepted raw rows.

Belongs here: one function per published table. Does not belong here: how bills get paid (settlement.py) and
where they lie (places.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

import pandas as pd

from .columns import Row, Rows, records
from .places import CollectionPoints, CustomerPlaces, month_end
from .reference import CURRENT_ERA, UNKNOWN, UNRESOLVED, Reference, era_of, reference
from .settlement import CASHLESS_REPORTED, CASHLESS_STRICT, Bill, Settlement, current_rows, settle

FINAL_AFTER_DAYS = 60
SCOPES = {"electricity": ("electricity",), "all": ("electricity", "service")}

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
}

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
}


def ratio(numerator: Any, denominator: Any) -> float | None:
    """A rate, null when there is nothing to divide by."""
    return float(numerator) / float(denominator) if denominator else None


@dataclass
class World:
    """What every table is computed from."""

    reference: Reference
    settlement: Settlement
    places: CustomerPlaces
    points: CollectionPoints
    mandates: Rows
    targets: Rows
    data_through: date | None
    final_after_days: int

    def bills(self, scope: str) -> list[Bill]:
        """The in-scope bills of a scope."""
        return [bill for bill in self.settlement.bills if bill.row["bill_type"] in SCOPES[scope]]

    def counters(self, day: date, geography: str = "as_recorded") -> list[str]:
        """The communes of the counters open on a day, one entry per counter."""
        return [self.points.commune(code, day, geography) for code in self.points.open_on(day)]

    def status(self, month: date) -> str:
        """Whether a month's figures still move."""
        if self.data_through is None:
            return "provisional"
        age = (self.data_through - month_end(month)).days
        return "final" if age > self.final_after_days else "provisional"

    def has_auto_debit(self, customer_code: str, day: date) -> bool:
        """Whether a mandate of the customer is active on a day."""
        return any(
            mandate["customer_code"] == customer_code
            and mandate["signed_on"] <= day
            and (mandate["ended_on"] is None or day <= mandate["ended_on"])
            for mandate in self.mandates
        )

    def target(self, level: str, code: str, month: date) -> Any:
        """The target of a unit's headline rate in a month; codes of communes are read in the month's era."""
        if code in (UNRESOLVED, UNKNOWN):
            return None
        era = era_of(month)
        fitting = []
        for row in self.targets:
            if (row["level"], row["metric"], row["month"]) != (level, "cashless_rate_customers", month):
                continue
            unit = self.reference.read(row["code"], era) if level == "commune" else row["code"]
            if unit == code:
                fitting.append(row)
        if not fitting:
            return None
        return max(fitting, key=lambda row: (row["updated_at"], row["code"].encode()))["target"]


def cashless_customers(bills: Iterable[Bill], classes: tuple[str, ...]) -> set[str]:
    """The customers all of whose bills are cashless."""
    all_cashless: dict[str, bool] = {}
    for bill in bills:
        code = bill.row["customer_code"]
        all_cashless[code] = all_cashless.get(code, True) and bill.is_cashless(classes)
    return {code for code, cashless in all_cashless.items() if cashless}


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


def group(bills: Iterable[Bill], unit: Callable[[Bill], Any]) -> dict[tuple[date, Any], list[Bill]]:
    """Bills by (month, unit)."""
    grouped: dict[tuple[date, Any], list[Bill]] = defaultdict(list)
    for bill in bills:
        grouped[bill.row["bill_month"], unit(bill)].append(bill)
    return grouped


def as_recorded(bill: Bill, world: World) -> Any:
    """The as_recorded place of a bill."""
    return world.places.as_recorded(bill.row["customer_code"], bill.row["bill_month"])


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
    units: dict[str, Callable[[Bill], Any]] = {
        "company": lambda _: "COMPANY",
        "power_unit": lambda bill: as_recorded(bill, world).power_unit_code,
        "district": lambda bill: as_recorded(bill, world).district_code,
        "commune": lambda bill: as_recorded(bill, world).commune_code,
    }
    rows: Rows = []
    for scope in SCOPES:
        for level, unit_of in units.items():
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
    bundle: Mapping[str, pd.DataFrame], final_after_days: int = FINAL_AFTER_DAYS
) -> dict[str, pd.DataFrame]:
    """The six published tables from the accepted, typed rows of every source (a missing source is empty)."""
    rows = {source: records(table) for source, table in bundle.items()}
    facts = reference()
    payment_rows = rows.get("payments", [])
    bill_rows = rows.get("bills", [])
    paid = [row["paid_at"].date() for row in payment_rows if row["kind"] == "payment"]
    world = World(
        reference=facts,
        settlement=settle(bill_rows, payment_rows, facts),
        places=CustomerPlaces(rows.get("customers", []), facts),
        points=CollectionPoints(rows.get("collection_points", []), facts),
        mandates=current_rows("auto_debit_mandates", rows.get("auto_debit_mandates", [])),
        targets=current_rows("targets", rows.get("targets", [])),
        data_through=max(paid, default=None),
        final_after_days=final_after_days,
    )
    communes = kpi_commune_month(world)
    tables = {
        "kpi_commune_month": communes,
        "kpi_district_month": kpi_district_month(world),
        "kpi_power_unit_month": kpi_power_unit_month(world, communes),
        "kpi_company_month": kpi_company_month(world),
        "kpi_channel_month": kpi_channel_month(world),
        "reconciliation_partner_day": reconciliation_partner_day(world, bill_rows),
    }
    return {
        name: pd.DataFrame(
            [[row[c] for c in COLUMNS[name]] for row in table], columns=COLUMNS[name], dtype=object
        )
        for name, table in tables.items()
    }
