"""How far a month had come on each day since its first bill, so that a running month compares with earlier ones.

Belongs here: kpi_progress. Does not belong here: the figures of whole months (recompute.py).
"""

from __future__ import annotations

from datetime import timedelta

from .columns import Rows
from .settlement import CASHLESS_REPORTED, CASHLESS_STRICT
from .world import SCOPES, World, group, units_of_levels

LAST_DAY_AFTER = 60
LEVELS = ("company", "power_unit")


def kpi_progress(world: World) -> Rows:
    """One row per month, scope, unit with bills, and day up to data through."""
    levels = {level: unit_of for level, unit_of in units_of_levels(world).items() if level in LEVELS}
    rows: Rows = []
    for scope in SCOPES:
        whole = group(world.bills(scope), lambda _: "COMPANY")
        starts = {month: min(bill.row["issued_on"] for bill in bills) for (month, _), bills in whole.items()}
        for level, unit_of in levels.items():
            for (month, code), bills in group(world.bills(scope), unit_of).items():
                issued = [bill.row["issued_on"] for bill in bills]
                settled = [
                    (
                        max(bill.settled_on, bill.row["issued_on"]),
                        bill.is_cashless(CASHLESS_REPORTED),
                        bill.is_cashless(CASHLESS_STRICT),
                    )
                    for bill in bills
                    if bill.is_settled
                ]
                for days_after in range(LAST_DAY_AFTER + 1):
                    day = starts[month] + timedelta(days=days_after)
                    if world.data_through is None or day > world.data_through:
                        break
                    rows.append(
                        {
                            "bill_month": month,
                            "level": level,
                            "code": code,
                            "scope": scope,
                            "days_after": days_after,
                            "bills_issued": sum(issued_on <= day for issued_on in issued),
                            "bills_settled": sum(since <= day for since, *_ in settled),
                            "bills_cashless": sum(
                                cashless and since <= day for since, cashless, _ in settled
                            ),
                            "bills_cashless_strict": sum(
                                strict and since <= day for since, _, strict in settled
                            ),
                        }
                    )
    return rows
