"""What the rows of an overlay must be together, and with the seeds. One row alone is judged by its contract."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from dagster_project.reference.faults import Fault
from dagster_project.reference.patterns import PathPattern, PatternError, path_pattern
from dagster_project.reference.rows import OverlayRow
from dagster_project.reference.seeds import NEXT_ERA, SeedMap

Rows = Mapping[str, Sequence[OverlayRow]]

# They are rows of the figures, for what cannot be placed; no unit has such a code.
_PSEUDO_CODES = ("UNRESOLVED", "UNKNOWN")
_NO_CHANNEL = "unknown"
_TIME = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9](:00)?")


def disagreements(rows: Rows, sources: Collection[str], seeds: SeedMap) -> Iterator[Fault]:
    """All that is wrong with rows that are good one by one."""
    yield from _channels(rows["channels"])
    yield from _communes(rows["communes"], seeds)
    yield from _left_behind(rows, seeds)
    yield from _successions(rows, seeds)
    yield from _power_units(rows, seeds)
    yield from _expected_files(rows["expected_files"], sources)


def expected_path(row: OverlayRow) -> PathPattern:
    """The pattern of a row of expected_files; PatternError."""
    return path_pattern(row.values["source"], row.values["files"], row.values["every"])


def _channels(rows: Sequence[OverlayRow]) -> Iterator[Fault]:
    for row in rows:
        if row.values["channel_code"] == _NO_CHANNEL and row.values["channel_class"] != _NO_CHANNEL:
            yield row.fault("channel_class", "the channel unknown stands for none: its class stays unknown")


def _communes(rows: Sequence[OverlayRow], seeds: SeedMap) -> Iterator[Fault]:
    replaced = {_key(row) for row in rows}
    names: dict[tuple[str, str], str] = {}
    for (era, code), district in seeds.communes.items():
        if district is not None and (era, code) not in replaced:
            names[era, district[0]] = district[1]
    for row in rows:
        values = row.values
        if values["commune_code"] in _PSEUDO_CODES:
            yield row.fault("commune_code", "stands for no commune")
        if not values["commune_name"].casefold().startswith(f"{values['commune_type']} ".casefold()):
            yield row.fault("commune_name", "does not begin with the type of the commune")
        if (
            None not in (values["valid_from"], values["valid_to"])
            and values["valid_to"] < values["valid_from"]
        ):
            yield row.fault("valid_to", "before valid_from")
        for column in ("district_code", "district_name"):
            if (values[column] is None) == (values["era"] in NEXT_ERA):
                word = "required" if values["era"] in NEXT_ERA else "districts were abolished: empty"
                yield row.fault(column, f"{word} in era {values['era']}")
        if values["district_code"] is not None and values["district_name"] is not None:
            name = names.setdefault((values["era"], values["district_code"]), values["district_name"])
            if name != values["district_name"]:
                yield row.fault("district_name", f"this district is called {name} elsewhere in this era")


def _left_behind(rows: Rows, seeds: SeedMap) -> Iterator[Fault]:
    succeeded = seeds.succeeded | {
        (row.values["from_era"], row.values["from_commune_code"]) for row in rows["commune_successions"]
    }
    for row in rows["communes"]:
        era = row.values["era"]
        if era in NEXT_ERA and _key(row) not in succeeded:
            yield row.fault(
                "commune_code", f"commune_successions does not say what became of it in {NEXT_ERA[era]}"
            )


def _successions(rows: Rows, seeds: SeedMap) -> Iterator[Fault]:
    known = seeds.communes.keys() | {_key(row) for row in rows["communes"]}
    for row in rows["commune_successions"]:
        values = row.values
        to_era = NEXT_ERA[values["from_era"]]
        if values["to_era"] not in (None, to_era):
            yield row.fault("to_era", f"after {values['from_era']} comes {to_era}")
        if (values["from_era"], values["from_commune_code"]) not in known:
            yield row.fault("from_commune_code", f"no such commune in era {values['from_era']}")
        if (to_era, values["to_commune_code"]) not in known:
            yield row.fault("to_commune_code", f"no such commune in era {to_era}")


def _power_units(rows: Rows, seeds: SeedMap) -> Iterator[Fault]:
    districts = {district[0] for district in seeds.communes.values() if district}
    districts |= {row.values["district_code"] for row in rows["communes"]}
    for row in rows["power_units"]:
        if row.values["power_unit_code"] in _PSEUDO_CODES:
            yield row.fault("power_unit_code", "stands for no power unit")
        if row.values["district_code"] is not None and row.values["district_code"] not in districts:
            yield row.fault("district_code", "no such district in any era")


def _expected_files(rows: Sequence[OverlayRow], sources: Collection[str]) -> Iterator[Fault]:
    told: dict[str, OverlayRow] = {}
    for row in rows:
        values = row.values
        if values["source"] not in sources:
            yield row.fault("source", f"no such source (there are {', '.join(sorted(sources))})")
        if not _TIME.fullmatch(values["due_time"]):
            yield row.fault("due_time", "not a time of day like 17:30")
        if values["valid_to"] is not None and values["valid_to"] < values["valid_from"]:
            yield row.fault("valid_to", "before valid_from")
        try:
            regex = expected_path(row).regex
        except PatternError as error:
            yield row.fault("files", str(error))
            continue
        before = told.setdefault(regex, row)
        if before.values["partner_code"] != values["partner_code"]:
            # Else the file of one would pass for the other's.
            yield row.fault("files", f"the same files as in line {before.line}, of another partner")


def _key(row: OverlayRow) -> tuple[str, str]:
    return row.values["era"], row.values["commune_code"]
