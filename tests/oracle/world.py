"""What every published table is computed from: the settled bills and the current rows of all other sources.

Belongs here: the world of a bundle, and the terms that several tables share. Does not belong here: tables.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import pandas as pd

from .columns import SOURCES, Rows, records
from .places import CollectionPoints, CustomerPlaces, Place, month_end, months_between
from .reference import UNKNOWN, UNRESOLVED, Reference, era_of, reference
from .settlement import Bill, Settlement, current_rows, settle

FINAL_AFTER_DAYS = 60
SCOPES = {"electricity": ("electricity",), "all": ("electricity", "service")}


def ratio(numerator: Any, denominator: Any) -> float | None:
    """A rate, null when there is nothing to divide by."""
    return float(numerator) / float(denominator) if denominator else None


def text_order(code: str) -> bytes:
    """Codes are ordered bytewise."""
    return code.encode("utf-8")


@dataclass(frozen=True)
class Gates:
    """What a counter must reach before it may close (settings of the product, here their defaults)."""

    cashless_rate: Decimal = Decimal("0.90")
    coverage: Decimal = Decimal("0.95")
    phone: Decimal = Decimal("0.80")
    feedback_open: int = 0


@dataclass
class World:
    """What every table is computed from; `current` has the current rows of each source."""

    reference: Reference
    settlement: Settlement
    places: CustomerPlaces
    points: CollectionPoints
    current: dict[str, Rows]
    data_through: date | None
    final_after_days: int
    gates: Gates = field(default_factory=Gates)

    def bills(self, scope: str) -> list[Bill]:
        """The in-scope bills of a scope."""
        return [bill for bill in self.settlement.bills if bill.row["bill_type"] in SCOPES[scope]]

    @cached_property
    def electricity_bills(self) -> dict[str, list[Bill]]:
        """The in-scope electricity bills of every customer, in order of (issued_on, bill_id)."""
        found: dict[str, list[Bill]] = defaultdict(list)
        for bill in sorted(
            self.bills("electricity"), key=lambda b: (b.row["issued_on"], text_order(b.row["bill_id"]))
        ):
            found[bill.row["customer_code"]].append(bill)
        return dict(found)

    def bill_months(self) -> list[date]:
        """Every month from the first to the last month with an in-scope bill, those without one too."""
        months = [bill.row["bill_month"] for bill in self.settlement.bills]
        return months_between(min(months), max(months)) if months else []

    def counters(self, day: date, geography: str = "as_recorded") -> list[str]:
        """The communes of the counters open on a day, one entry per counter."""
        return [self.points.commune(code, day, geography) for code in self.points.open_on(day)]

    def as_written(self, code: str | None, moment: datetime) -> str | None:
        """The commune that a code names on the map of the day it was written on."""
        return self.reference.read(code, era_of(moment.date())) if code is not None else None

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
            for mandate in self.current["auto_debit_mandates"]
        )

    def target(self, level: str, code: str, month: date) -> Any:
        """The target of a unit's headline rate in a month; codes of communes are read in the month's era."""
        if code in (UNRESOLVED, UNKNOWN):
            return None
        era = era_of(month)
        fitting = []
        for row in self.current["targets"]:
            if (row["level"], row["metric"], row["month"]) != (level, "cashless_rate_customers", month):
                continue
            unit = self.reference.read(row["code"], era) if level == "commune" else row["code"]
            if unit == code:
                fitting.append(row)
        if not fitting:
            return None
        return max(fitting, key=lambda row: (row["updated_at"], text_order(row["code"])))["target"]


def cashless_customers(bills: Iterable[Bill], classes: tuple[str, ...]) -> set[str]:
    """The customers all of whose bills are cashless."""
    all_cashless: dict[str, bool] = {}
    for bill in bills:
        code = bill.row["customer_code"]
        all_cashless[code] = all_cashless.get(code, True) and bill.is_cashless(classes)
    return {code for code, cashless in all_cashless.items() if cashless}


def group(bills: Iterable[Bill], unit: Callable[[Bill], Any]) -> dict[tuple[date, Any], list[Bill]]:
    """Bills by (month, unit)."""
    grouped: dict[tuple[date, Any], list[Bill]] = defaultdict(list)
    for bill in bills:
        grouped[bill.row["bill_month"], unit(bill)].append(bill)
    return grouped


def as_recorded(bill: Bill, world: World) -> Place:
    """The as_recorded place of a bill."""
    return world.places.as_recorded(bill.row["customer_code"], bill.row["bill_month"])


def units_of_levels(world: World) -> dict[str, Callable[[Bill], Any]]:
    """The as_recorded unit of a bill at each level; None for a district of a month that has none."""
    return {
        "company": lambda _: "COMPANY",
        "power_unit": lambda bill: as_recorded(bill, world).power_unit_code,
        "district": lambda bill: as_recorded(bill, world).district_code,
        "commune": lambda bill: as_recorded(bill, world).commune_code,
    }


def make_world(
    bundle: Mapping[str, pd.DataFrame],
    final_after_days: int = FINAL_AFTER_DAYS,
    gates: Gates | None = None,
) -> World:
    """The world of the accepted, typed rows of every source (a missing source is empty)."""
    rows = {source: records(bundle.get(source)) for source in SOURCES}
    facts = reference()
    paid = [row["paid_at"].date() for row in rows["payments"] if row["kind"] == "payment"]
    return World(
        reference=facts,
        settlement=settle(rows["bills"], rows["payments"], facts),
        places=CustomerPlaces(rows["customers"], facts),
        points=CollectionPoints(rows["collection_points"], facts),
        current={source: current_rows(source, rows[source]) for source in SOURCES},
        data_through=max(paid, default=None),
        final_after_days=final_after_days,
        gates=gates or Gates(),
    )
