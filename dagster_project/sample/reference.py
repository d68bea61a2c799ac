"""The published facts in ``seeds/`` the generator builds on, as arrays. Nothing here is invented or drawn."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dagster_project.sample.spans import Ints, day_number

SEEDS = Path(__file__).resolve().parents[2] / "seeds"
CITY_DISTRICT = "369"
KHANH_HAI = "14587"
GIA_TAN = "14503"
UNIT_TYPES = ("xã", "thị trấn", "phường")
TIER_STARTS = np.array([0, 50, 100, 200, 300, 400])


def seed_rows(name: str) -> list[dict[str, str]]:
    """The rows of one seed file."""
    with (SEEDS / name).open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@dataclass(frozen=True)
class Places:
    """The communes of 2024 (arrays over them) and what became of each in the two later eras."""

    codes: tuple[npt.NDArray, npt.NDArray, npt.NDArray]  # by era; a split commune has '' in the last
    full_names: tuple[npt.NDArray, npt.NDArray, npt.NDArray]
    district_names: tuple[npt.NDArray, npt.NDArray]
    districts: npt.NDArray  # codes of 2024
    units: Ints  # index into unit_codes
    kinds: Ints  # index into UNIT_TYPES
    unit_codes: tuple[str, ...]
    split_successors: tuple[str, ...]  # of Gia Tân
    era_communes: tuple[tuple[str, ...], ...]
    era_districts: tuple[tuple[str, ...], ...]
    khanh_hai: int
    gia_tan: int

    def code(self, communes: Ints, era: Ints) -> npt.NDArray:
        """The code of each commune in each era; the split commune keeps its old one."""
        stack = np.stack(self.codes)
        found = stack[era, communes]
        return np.where(found == "", self.codes[1][communes], found)


@cache
def places() -> Places:
    """Read once per process."""
    old = seed_rows("admin_units_2024.csv")
    middle = {row["commune_code"]: row for row in seed_rows("admin_units_2025h1.csv")}
    new = {row["commune_code"]: row for row in seed_rows("admin_units_2025.csv")}
    first_step = {row["old_code"]: row["new_code"] for row in seed_rows("commune_mapping_2024_to_2025h1.csv")}
    second_step: dict[str, list[str]] = {}
    for row in seed_rows("commune_mapping_2025.csv"):
        second_step.setdefault(row["old_code"], []).append(row["new_code"])
    unit_of = {
        row["district_code"]: row["power_unit_code"] for row in seed_rows("districts_power_units_2024.csv")
    }
    unit_codes = tuple(sorted(unit_of.values()))

    codes = [row["commune_code"] for row in old]
    codes_middle = [first_step[code] for code in codes]
    codes_new = [second_step[code][0] if len(second_step[code]) == 1 else "" for code in codes_middle]
    former = [row for row in new.values() if row["former_province_code"] == "37"]
    return Places(
        codes=(np.array(codes), np.array(codes_middle), np.array(codes_new)),
        full_names=(
            np.array([row["full_name"] for row in old]),
            np.array([middle[code]["full_name"] for code in codes_middle]),
            np.array([new[code]["full_name"] if code else "" for code in codes_new]),
        ),
        district_names=(
            np.array([row["district_name"] for row in old]),
            np.array([middle[code]["district_name"] for code in codes_middle]),
        ),
        districts=np.array([row["district_code"] for row in old]),
        units=np.array([unit_codes.index(unit_of[row["district_code"]]) for row in old]),
        kinds=np.array([UNIT_TYPES.index(row["unit_type"]) for row in old]),
        unit_codes=unit_codes,
        split_successors=tuple(second_step[GIA_TAN]),
        era_communes=(tuple(codes), tuple(middle), tuple(row["commune_code"] for row in former)),
        era_districts=(
            tuple(sorted({row["district_code"] for row in old})),
            tuple(sorted({row["district_code"] for row in middle.values()})),
            (),
        ),
        khanh_hai=codes.index(KHANH_HAI),
        gia_tan=codes.index(GIA_TAN),
    )


@cache
def tariffs() -> tuple[Ints, Ints]:
    """Household prices (VND per kWh before VAT): first day of each list, and its six tiers."""
    lists: dict[str, list[int]] = {}
    for row in seed_rows("tariff_residential_tiers.csv"):
        lists.setdefault(row["effective_from"], []).append(int(row["vnd_per_kwh_ex_vat"]))
    starts = sorted(lists)
    days = np.array([day_number(date.fromisoformat(start)) for start in starts])
    return days, np.array([lists[start] for start in starts])


@cache
def channels() -> tuple[tuple[str, ...], npt.NDArray, npt.NDArray]:
    """Channel codes, which count as cashless (reported reading), which are the company's own cash."""
    rows = seed_rows("channels.csv")
    classes = np.array([row["channel_class"] for row in rows])
    return (
        tuple(row["channel_code"] for row in rows),
        np.isin(classes, ["cashless", "agent_cash"]),
        classes == "counter_cash",
    )
