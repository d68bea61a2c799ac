"""The bills, month by month: who is billed, for how much, and which bills are cancelled or replaced."""

from __future__ import annotations

import numpy as np

from dagster_project.sample import curves
from dagster_project.sample.customers import PRESS_MONTH
from dagster_project.sample.reference import TIER_STARTS, tariffs
from dagster_project.sample.spans import NEVER, Ints, Span, Table, first_days, yymm

ELECTRICITY, SERVICE = 0, 1
ISSUED, CANCELLED, REPLACED = 0, 1, 2
TYPE_NAMES = np.array(["electricity", "service"])
STATUS_NAMES = np.array(["issued", "cancelled", "replaced"])
CYCLE_DAYS = np.array([0, 4, 13, 22])  # first possible day of issue of each cycle, counted from the 1st
SERVICE_FEES = np.array([55_000, 120_000, 264_000, 350_000, 486_500, 1_150_000, 2_380_000])
OTHER_TARIFFS = np.array([0.0, 1.22, 0.94, 1.1])  # by customer type, times the household's third tier

COLUMNS = {
    "customer": np.int32,
    "month": np.int32,
    "type": np.int8,
    "cycle": np.int8,
    "issued": np.int32,
    "due": np.int32,
    "kwh": np.int32,
    "net": np.int64,
    "vat": np.int64,
    "total": np.int64,
    "status": np.int8,
    "changed": np.int32,
    "replaced_by": np.int32,
    "id": np.int64,
}


def amounts_before_vat(kwh: Ints, kinds: Ints, days: Ints) -> Ints:
    """Households by tier, the others at one invented price, by the list of the day of issue."""
    starts, prices = tariffs()
    of_day = np.clip(np.searchsorted(starts, days, side="right") - 1, 0, None)
    widths = np.append(np.diff(TIER_STARTS), NEVER)
    in_tier = np.clip(kwh[:, None] - TIER_STARTS, 0, widths)
    household = (in_tier * prices[of_day]).sum(axis=1)
    other = np.rint(kwh * prices[of_day, 2] * OTHER_TARIFFS[kinds]).astype(np.int64)
    return np.where(kinds == 0, household, other)


def _electricity(rng: np.random.Generator, month: int, who: Table, billed: Ints) -> Table:
    counts = who["bills_a_month"][billed]
    customer = np.repeat(billed, counts)
    part = np.arange(len(customer)) - np.repeat(np.cumsum(counts) - counts, counts)
    book = who["commune"][customer]
    cycle = np.where(np.repeat(counts, counts) > 1, part + 1, book % 3 + 1)
    issued = int(first_days(month)) + CYCLE_DAYS[cycle] + (book // 3) % 4
    season = curves.SEASON[month % 12]
    kwh = who["kwh"][customer] * season * rng.lognormal(0.0, 0.16, len(customer)) / np.repeat(counts, counts)
    empty_house = (rng.random(len(customer)) < 0.003) & ~who["steady"][customer]
    kwh = np.where(empty_house, 0, np.maximum(np.rint(kwh), 1)).astype(np.int64)
    net = amounts_before_vat(kwh, who["kind"][customer], issued)
    # Corrections of past readings come as bills below zero, out of every figure's scope.
    correction = (rng.random(len(customer)) < 0.0002) & ~who["steady"][customer]
    net = np.where(correction, -net // 10, net)
    return {
        "customer": customer,
        "type": np.full(len(customer), ELECTRICITY),
        "cycle": cycle,
        "issued": issued,
        "due": issued + 8 + book % 3,
        "kwh": kwh,
        "net": net,
    }


def _services(rng: np.random.Generator, month: int, billed: Ints) -> Table:
    customer = billed[rng.random(len(billed)) < 0.02]
    issued = int(first_days(month)) + rng.integers(1, 27, len(customer))
    return {
        "customer": customer,
        "type": np.full(len(customer), SERVICE),
        "cycle": np.ones(len(customer), dtype=np.int64),
        "issued": issued,
        "due": issued + 10,
        "kwh": np.full(len(customer), -1),
        "net": SERVICE_FEES[rng.integers(0, len(SERVICE_FEES), len(customer))],
    }


def _joined(parts: list[Table]) -> Table:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def month_bills(rng: np.random.Generator, span: Span, month: int, who: Table, first_row: int) -> Table:
    """All bills of one month; `first_row` is the row the first of them gets in the whole table."""
    billed = np.flatnonzero((who["first_month"] <= month) & (who["end_month"] >= month))
    bills = _joined([_electricity(rng, month, who, billed), _services(rng, month, billed)])
    count = len(bills["customer"])
    fate = rng.random(count)
    # The pilot commune keeps all its bills in the month of the press figure: its 195 customers are billed.
    exempt = (who["steady"][bills["customer"]] & (month == PRESS_MONTH)) | (bills["net"] <= 0)
    status = np.where(
        exempt, ISSUED, np.where(fate < 0.001, CANCELLED, np.where(fate < 0.003, REPLACED, ISSUED))
    )
    changed = np.minimum(bills["issued"] + rng.integers(2, 45, count), span.horizon_day)
    replaced = np.flatnonzero(status == REPLACED)
    successor = {name: column[replaced] for name, column in bills.items()}
    changed[replaced] = np.minimum(
        bills["issued"][replaced] + rng.integers(2, 7, len(replaced)), span.horizon_day
    )
    successor["issued"] = changed[replaced]
    successor["due"] = changed[replaced] + 8
    successor["net"] = np.rint(successor["net"] * rng.uniform(0.7, 1.1, len(replaced))).astype(np.int64)
    replaced_by = np.full(count, -1)
    replaced_by[replaced] = first_row + count + np.arange(len(replaced))

    bills = _joined([bills, successor])
    extra = len(replaced)
    total_rows = count + extra
    bills["month"] = np.full(total_rows, month)
    bills["status"] = np.concatenate([status, np.zeros(extra, dtype=np.int64)])
    bills["changed"] = np.where(
        bills["status"] > 0, np.concatenate([changed, np.zeros(extra, dtype=np.int64)]), NEVER
    )
    bills["replaced_by"] = np.concatenate([replaced_by, np.full(extra, -1)])
    rate = curves.vat_per_cent(bills["issued"])
    bills["vat"] = np.sign(bills["net"]) * ((np.abs(bills["net"]) * rate + 50) // 100)
    bills["total"] = bills["net"] + bills["vat"]
    bills["id"] = yymm(bills["month"]) * 10_000_000 + np.arange(1, total_rows + 1)
    return {name: bills[name].astype(kind) for name, kind in COLUMNS.items()}
