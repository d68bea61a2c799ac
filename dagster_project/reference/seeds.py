"""What the seeds know of the map, for the checks of an overlay. The models read the seeds by themselves (dbt)."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

SEEDS = Path(__file__).parents[2] / "seeds"
COMMUNES = {
    "2024": "admin_units_2024.csv",
    "2025h1": "admin_units_2025h1.csv",
    "2025h2": "admin_units_2025.csv",
}
SUCCESSIONS = {"2024": "commune_mapping_2024_to_2025h1.csv", "2025h1": "commune_mapping_2025.csv"}

# The order of the eras, and what follows each.
ERAS = tuple(COMMUNES)
NEXT_ERA = dict(pairwise(ERAS))


@dataclass(frozen=True)
class SeedMap:
    """Communes by (era, code) with the district of each (code and name, none in the last era); who has successors."""

    communes: dict[tuple[str, str], tuple[str, str] | None]
    succeeded: frozenset[tuple[str, str]]


def seed_map() -> SeedMap:
    """The map as the seeds have it."""
    communes: dict[tuple[str, str], tuple[str, str] | None] = {}
    for era, file in COMMUNES.items():
        for row in _rows(file):
            district = (row["district_code"], row["district_name"]) if "district_code" in row else None
            communes[era, row["commune_code"]] = district
    succeeded = {(era, row["old_code"]) for era, file in SUCCESSIONS.items() for row in _rows(file)}
    return SeedMap(communes, frozenset(succeeded))


def seeds_fingerprint() -> str:
    """Changes with what an overlay is checked against."""
    digest = hashlib.sha256()
    for file in (*COMMUNES.values(), *SUCCESSIONS.values()):
        digest.update((SEEDS / file).read_bytes())
    return digest.hexdigest()


def _rows(file: str) -> list[dict[str, str]]:
    with (SEEDS / file).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
