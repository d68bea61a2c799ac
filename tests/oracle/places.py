"""Where a customer, a bill and a collection point are on a day: eras, versions, both geographies.

Belongs here: the second half of the definitions' terms. Does not belong here: anything about money.
"""

from __future__ import annotations

import calendar
from collections import defaultdict
from dataclasses import dataclass
from datetime import date

from .columns import Row, Rows
from .reference import CURRENT_ERA, UNKNOWN, UNRESOLVED, Reference, era_of
from .settlement import current_rows, row_order, rows_by_key


def month_end(month: date) -> date:
    """The last day of the month."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def add_months(month: date, count: int) -> date:
    """The first day of the month `count` months later (or earlier)."""
    index = month.year * 12 + month.month - 1 + count
    return date(index // 12, index % 12 + 1, 1)


def months_between(first: date, last: date) -> list[date]:
    """The first days of all months from the month of `first` to that of `last`."""
    months = []
    month = first.replace(day=1)
    while month <= last:
        months.append(month)
        month = add_months(month, 1)
    return months


@dataclass(frozen=True)
class Place:
    """Where a customer is."""

    commune_code: str
    district_code: str | None
    power_unit_code: str


class CustomerPlaces:
    """Where customers are, by month (as_recorded) and today (current)."""

    def __init__(self, customer_rows: Rows, reference: Reference) -> None:
        self._reference = reference
        self._versions: dict[str, Rows] = defaultdict(list)
        for row in sorted(current_rows("customers", customer_rows), key=lambda row: row["effective_from"]):
            self._versions[row["customer_code"]].append(row)

    def knows(self, customer_code: str) -> bool:
        """Whether the customer has any customers row."""
        return customer_code in self._versions

    def as_recorded(self, customer_code: str, month: date) -> Place:
        """The place of a customer's bills of a month."""
        return self.on_day(customer_code, month_end(month))

    def on_day(self, customer_code: str, day: date) -> Place:
        """Where a customer is on a day, on the map of that day (geography as_recorded)."""
        era = era_of(day)
        if not self.knows(customer_code):
            return Place(UNKNOWN, self._reference.district(UNKNOWN, era)[0], UNKNOWN)
        version = self.version_on(customer_code, day) or self._versions[customer_code][0]
        written_in = era_of(version["effective_from"])
        commune = self._reference.forward(
            self._reference.read(version["commune_code"], written_in), written_in, era
        )
        return Place(commune, self._reference.district(commune, era)[0], version["power_unit_code"])

    def version_on(self, customer_code: str, day: date) -> Row | None:
        """A customer's version that is valid on a day; before the first there is none."""
        valid = [row for row in self._versions.get(customer_code, []) if row["effective_from"] <= day]
        return valid[-1] if valid else None

    def versions(self, customer_code: str) -> list[tuple[Row, date]]:
        """A customer's versions in order, each with the day on which it no longer holds (the last: never)."""
        rows = self._versions.get(customer_code, [])
        ends = [row["effective_from"] for row in rows[1:]]
        return list(zip(rows, [*ends, date.max], strict=False))

    def customers(self) -> list[str]:
        """All customers with a customers row."""
        return list(self._versions)

    def active_on(self, day: date) -> list[str]:
        """The customers whose version valid on a day is active; before the first version nobody is."""
        versions = {code: self.version_on(code, day) for code in self._versions}
        return [code for code, row in versions.items() if row is not None and row["status"] == "active"]

    def current(self, customer_code: str) -> str:
        """The commune of today a customer belongs to, the same for all months."""
        if not self.knows(customer_code):
            return UNKNOWN
        latest = self._versions[customer_code][-1]
        written_in = era_of(latest["effective_from"])
        return self._reference.forward(
            self._reference.read(latest["commune_code"], written_in), written_in, CURRENT_ERA
        )


class CollectionPoints:
    """Open counters of the company and where they are."""

    def __init__(self, point_rows: Rows, reference: Reference) -> None:
        self._reference = reference
        self._current = current_rows("collection_points", point_rows)
        self._versions = rows_by_key("collection_points", point_rows)

    def open_on(self, day: date) -> list[str]:
        """The codes of the company's own counters open on a day (attributes of the current row)."""
        return [
            row["collection_point_code"]
            for row in self._current
            if row["operator"] == "power_unit"
            and row["opened_on"] <= day
            and not (row["closed_on"] is not None and row["closed_on"] <= day)
        ]

    def version_of(self, code: str, day: date) -> Row:
        """The version that says where the point is on a day: the latest up to it, else the earliest."""
        versions = self._versions[(code,)]
        known = [row for row in versions if row["updated_at"].date() <= day]
        if known:
            return max(known, key=lambda row: row_order("collection_points", row))
        earliest = min(row["updated_at"] for row in versions)
        return max(
            (row for row in versions if row["updated_at"] == earliest),
            key=lambda row: row_order("collection_points", row),
        )

    def commune(self, code: str, day: date, geography: str) -> str:
        """The commune of a point on a day, in the day's era (as_recorded) or today's (current)."""
        wanted = CURRENT_ERA if geography == "current" else era_of(day)
        version = self.version_of(code, day)
        return self._mapped(version["commune_code"], version, wanted)

    def served(self, code: str, day: date) -> set[str]:
        """The communes a point serves on a day, in the day's era; a code that leads nowhere serves nobody."""
        version = self.version_of(code, day)
        codes = [part.strip() for part in version["serves_commune_codes"].split(";") if part.strip()]
        return {self._mapped(part, version, era_of(day)) for part in codes} - {UNRESOLVED}

    def all_points(self) -> Rows:
        """The current row of every point, partners' points too."""
        return self._current

    def _mapped(self, commune_code: str, version: Row, wanted: int) -> str:
        written_in = era_of(version["updated_at"].date())
        return self._reference.forward(self._reference.read(commune_code, written_in), written_in, wanted)
