"""The believable shapes: rise of cashless payment, seasons, VAT. Invented anchors; draws no rows."""

from __future__ import annotations

from datetime import date

import numpy as np
import numpy.typing as npt

from dagster_project.sample.spans import Ints, day_number, month_number

# Share of customers of a month who pay all of it without cash, in the reported reading.
RISE = (
    (date(2015, 1, 1), 0.06),
    (date(2019, 1, 1), 0.14),
    (date(2021, 7, 1), 0.45),
    (date(2023, 1, 1), 0.565),
    (date(2023, 12, 1), 0.718),
    (date(2024, 5, 1), 0.7836),
    (date(2024, 12, 1), 0.845),
    (date(2025, 6, 1), 0.891),
    (date(2025, 12, 1), 0.918),
    (date(2026, 12, 1), 0.935),
    (date(2036, 1, 1), 0.945),
)
CURVE_START = month_number(RISE[0][0])
SETTLED_CLEANLY = 0.982  # of the customers who mean to pay without cash, who ends up settled and unmixed
ADOPTED_PAYS_CASH = 0.015  # a month of cash in the life of a cashless customer
OTHERS_PAY_CASHLESS = 0.05  # and the other way round

SEASON = np.array([0.92, 0.86, 0.84, 0.94, 1.15, 1.42, 1.48, 1.34, 1.10, 0.94, 0.88, 0.93])

REDUCED_VAT = (
    (date(2022, 2, 1), date(2022, 12, 31)),
    (date(2023, 7, 1), date(2026, 12, 31)),
)


def adopted_share() -> npt.NDArray[np.float64]:
    """Share of customers who have adopted cashless payment, per month from CURVE_START."""
    anchors = [month_number(day) for day, _ in RISE]
    months = np.arange(anchors[0], anchors[-1] + 1)
    seen = np.interp(months, anchors, [share for _, share in RISE])
    drift = OTHERS_PAY_CASHLESS
    return (seen / SETTLED_CLEANLY - drift) / (1 - ADOPTED_PAYS_CASH - drift)


def adoption_months(rank: npt.NDArray[np.float64]) -> Ints:
    """The month each customer adopts, from the customer's rank (0 the most willing, 1 the least)."""
    return CURVE_START + np.searchsorted(adopted_share(), rank, side="right").astype(np.int64)


def vat_per_cent(days: Ints) -> Ints:
    """8 in the periods of the reduction, else 10."""
    reduced = np.zeros(len(days), dtype=bool)
    for start, end in REDUCED_VAT:
        reduced |= (days >= day_number(start)) & (days <= day_number(end))
    return np.where(reduced, 8, 10)
