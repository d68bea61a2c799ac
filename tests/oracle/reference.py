"""Reference facts for the oracle, read from the repository's seeds.

Belongs here: communes by (code, era), what became of them, districts, power units and channel classes.
Does not belong here: any rule about bills or customers.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

SEEDS = Path(__file__).resolve().parents[2] / "seeds"

UNRESOLVED = "UNRESOLVED"
UNKNOWN = "UNKNOWN"

# First days of the second and third era; eras are numbered 0, 1, 2.
ERA_STARTS = (date(2025, 1, 1), date(2025, 7, 1))
CURRENT_ERA = 2


def era_of(day: date) -> int:
    """The era of a local day: 0 to 2024, 1 in the first half of 2025, 2 since districts were abolished."""
    return sum(day >= start for start in ERA_STARTS)


@dataclass(frozen=True)
class Commune:
    """A commune of one era; the last era has no districts."""

    full_name: str
    district_code: str | None
    district_name: str | None


@dataclass(frozen=True)
class Reference:
    """Everything looked up, nothing computed."""

    communes: dict[tuple[str, int], Commune]
    successors: dict[tuple[str, int], frozenset[str]]
    power_unit_names: dict[str, str]
    channel_classes: dict[str, str]

    def read(self, code: str, era: int) -> str:
        """The commune a code written in `era` means in that era.

        A code the era does not have is read in the latest earlier era that has it and mapped forward.
        """
        for earlier in range(era, -1, -1):
            if (code, earlier) in self.communes:
                return self.forward(code, earlier, era)
        return UNRESOLVED

    def forward(self, code: str, from_era: int, to_era: int) -> str:
        """What commune `code` of `from_era` is in `to_era`; unresolved if split, or of a later era."""
        if code == UNRESOLVED or from_era > to_era:
            return UNRESOLVED
        for era in range(from_era, to_era):
            heirs = self.successors[code, era]
            if len(heirs) != 1:
                return UNRESOLVED
            (code,) = heirs
        return code

    def commune_name(self, code: str, era: int) -> str:
        """The name with its type; pseudo-codes are their own name."""
        return code if code in (UNRESOLVED, UNKNOWN) else self.communes[code, era].full_name

    def district(self, commune_code: str, era: int) -> tuple[str | None, str | None]:
        """District code and name of a commune in an era, (None, None) once districts are abolished."""
        if era == CURRENT_ERA:
            return None, None
        if commune_code in (UNRESOLVED, UNKNOWN):
            return commune_code, commune_code
        commune = self.communes[commune_code, era]
        return commune.district_code, commune.district_name

    def district_names(self, era: int) -> dict[str | None, str | None]:
        """The districts of an era by code."""
        return {
            commune.district_code: commune.district_name
            for (_, its_era), commune in self.communes.items()
            if its_era == era
        }

    def power_unit_name(self, code: str) -> str:
        """Name of a power unit; an unknown one is called by its code."""
        return self.power_unit_names.get(code, code)

    def channel_class(self, code: str | None) -> str:
        """Class of a channel; anything not in the list, or nothing, is unknown."""
        return self.channel_classes.get(code, "unknown") if code else "unknown"


def _rows(name: str) -> list[dict[str, str]]:
    with (SEEDS / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@lru_cache(maxsize=1)
def reference() -> Reference:
    """The reference facts of the repository."""
    communes: dict[tuple[str, int], Commune] = {}
    for era, name in enumerate(["admin_units_2024.csv", "admin_units_2025h1.csv", "admin_units_2025.csv"]):
        for row in _rows(name):
            communes[row["commune_code"], era] = Commune(
                row["full_name"], row.get("district_code"), row.get("district_name")
            )
    successors: dict[tuple[str, int], frozenset[str]] = {}
    for era, name in enumerate(["commune_mapping_2024_to_2025h1.csv", "commune_mapping_2025.csv"]):
        for row in _rows(name):
            key = row["old_code"], era
            successors[key] = successors.get(key, frozenset()) | {row["new_code"]}
    return Reference(
        communes,
        successors,
        {row["power_unit_code"]: row["power_unit_name"] for row in _rows("districts_power_units_2024.csv")},
        {row["channel_code"]: row["channel_class"] for row in _rows("channels.csv")},
    )
