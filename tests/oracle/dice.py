"""A random stream with the small choices that inventing rows needs.

Belongs here: chances, days and moments. Does not belong here: anything about a source.
"""

from __future__ import annotations

import datetime as dt
from random import Random

FAMILY = ["Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Vũ", "Đặng", "Bùi", "Đỗ"]
GIVEN = ["Hưởng", "Thủy", "Ước", "Giang", "Bình", "Hòa", "Tuyền", "Quỳnh", "Đức", "Ngọc Ánh"]


class Dice:
    """A random stream of its own; the same seed gives the same choices."""

    def __init__(self, seed: int | str) -> None:
        self.random = Random(seed)

    def chance(self, probability: float) -> bool:
        """True with this probability."""
        return self.random.random() < probability

    def day(self, first: dt.date, last: dt.date) -> dt.date:
        """A day between two days, both included."""
        return first + dt.timedelta(days=self.random.randint(0, max((last - first).days, 0)))

    def moment(self, day: dt.date) -> dt.datetime:
        """A moment of a day, often at its edges, where time zones and day borders show."""
        clock = self.random.choice(
            [dt.time(0, 0), dt.time(0, 0, 1), dt.time(6, 30), dt.time(23, 59, 59), None, None, None, None]
        )
        if clock is None:
            clock = dt.time(
                self.random.randint(0, 23), self.random.randint(0, 59), self.random.randint(0, 59)
            )
            if self.chance(0.05):
                clock = clock.replace(microsecond=self.random.choice([500000, 250000, 125000]))
        return dt.datetime.combine(day, clock)

    def older(self, version: dt.datetime) -> dt.datetime:
        """An earlier version than a given one, from a second to months before it."""
        return version - self.random.choice(
            [dt.timedelta(seconds=1), dt.timedelta(days=1), dt.timedelta(days=self.random.randint(2, 120))]
        )

    def person(self) -> str:
        """Somebody's name."""
        return f"{self.random.choice(FAMILY)} {self.random.choice(GIVEN)}"
