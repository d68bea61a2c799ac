"""Days and months as whole numbers: the calendar the generator counts in. No drawing and no files here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Table = dict[str, npt.NDArray]

EPOCH = date(1970, 1, 1)
NEVER = 1 << 30  # a day after every other day; as a second it only marks 'none', it does not compare
DAYS_AFTER_THE_LAST_MONTH = 20  # how far payments and records run on after the last bill month
ERA_STARTS = (date(2025, 1, 1), date(2025, 7, 1))
SECONDS_PER_DAY = 86_400


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - EPOCH).days


def month_number(day: date) -> int:
    """Months since 1970-01."""
    return (day.year - 1970) * 12 + day.month - 1


def first_days(months: npt.ArrayLike) -> Ints:
    """The day number of the first day of each month number."""
    return np.asarray(months, dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)


def months_of_days(days: npt.ArrayLike) -> Ints:
    """The month number each day number lies in."""
    return np.asarray(days, dtype="datetime64[D]").astype("datetime64[M]").astype(np.int64)


def month_text(month: int) -> str:
    """``2024-05``"""
    return f"{1970 + month // 12}-{month % 12 + 1:02d}"


def yymm(months: Ints) -> Ints:
    """2405 for May 2024."""
    return (70 + months // 12) % 100 * 100 + months % 12 + 1


def eras(days: npt.ArrayLike) -> Ints:
    """0 to 2024, 1 in the first half of 2025, 2 from July 2025."""
    starts = [day_number(start) for start in ERA_STARTS]
    return np.searchsorted(starts, np.asarray(days), side="right").astype(np.int64)


@dataclass(frozen=True)
class Span:
    """The bill months of a bundle, and the last day anything in it may have happened."""

    first_month: int
    last_month: int

    @classmethod
    def of(cls, first: date, last: date) -> Span:
        if first.day != 1 or last.day != 1 or last < first:
            raise ValueError(f"not a range of months: {first} to {last}")
        return cls(month_number(first), month_number(last))

    @property
    def months(self) -> range:
        return range(self.first_month, self.last_month + 1)

    @property
    def start_day(self) -> int:
        return int(first_days(self.first_month))

    @property
    def horizon_day(self) -> int:
        return int(first_days(self.last_month + 1)) - 1 + DAYS_AFTER_THE_LAST_MONTH

    @property
    def horizon_second(self) -> int:
        return (self.horizon_day + 1) * SECONDS_PER_DAY - 1
