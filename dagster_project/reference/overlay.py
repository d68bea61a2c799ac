"""Brings the tables of the overlay up to date with its files: all of them, or none and the faults of all.

How a file is read is rows.py's, what rows must be together agreement.py's; here is the order of events.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Contract
from dagster_project.contracts.reference_tables import overlay_table, reference_contracts
from dagster_project.raw.checks import fingerprint
from dagster_project.raw.ddl import quote
from dagster_project.reference.agreement import disagreements, expected_path
from dagster_project.reference.faults import Fault, OverlayError
from dagster_project.reference.files import OverlayFile, overlay_files
from dagster_project.reference.rows import OverlayRow, read_file
from dagster_project.reference.seeds import NEXT_ERA, seed_map, seeds_fingerprint
from dagster_project.settings import Settings

# To be raised when what is made of the same files changes: patterns, what rows must be together.
_RULES = "1"

# Seen by a view at once; no figure is made from it.
_NOT_IN_FIGURES = frozenset(("expected_files",))


@dataclass(frozen=True)
class Overlay:
    """The overlay as the tables hold it. `fingerprint`: of what figures are made from; `is_changed`: read just now."""

    fingerprint: str
    is_changed: bool = False
    notes: tuple[str, ...] = ()


def load_overlay(conn: Connection, settings: Settings) -> Overlay:
    """Reads the overlay's reference files, unless the tables hold them already. Commits.

    Raises OverlayError, with all faults, and leaves the tables as they were.
    """
    known = reference_contracts()
    folder = settings.overlay_folder()
    files, faults = overlay_files(folder, known.keys())
    files_now = _files_fingerprint(files)
    with conn, conn.cursor() as cursor:
        cursor.execute("select files_fingerprint, content_fingerprint, notes from reference.overlay")
        row = cursor.fetchone()
        assert row is not None
        if not faults and row[0] == files_now:
            return Overlay(row[1], notes=tuple(row[2]))
        rows: dict[str, Sequence[OverlayRow]] = {name: () for name in known}
        notes: list[str] = []
        for file in files:
            found = read_file(cursor, known[file.name], file, settings.today_local())
            rows[file.name] = found.rows
            faults += found.faults
            notes += found.notes
        # Rows that were left out would be missed by others: one kind of fault after the other.
        if not faults:
            faults += disagreements(rows, contracts().keys(), seed_map())
        if faults:
            raise OverlayError(folder, _in_order(faults))
        content = _content_fingerprint(rows)
        for name, contract in known.items():
            _replace(cursor, contract, rows[name])
        cursor.execute(
            "update reference.overlay set files_fingerprint = %s, content_fingerprint = %s, notes = %s, "
            "loaded_at = clock_timestamp()",
            (files_now, content, notes),
        )
    return Overlay(content, is_changed=True, notes=tuple(notes))


def _in_order(faults: Sequence[Fault]) -> list[Fault]:
    return sorted(faults, key=lambda fault: (fault.file, fault.sheet or "", fault.line or 0))


def _files_fingerprint(files: Sequence[OverlayFile]) -> str:
    if not files:
        return ""
    digest = hashlib.sha256(f"{_RULES} {seeds_fingerprint()}".encode())
    for contract in reference_contracts().values():
        digest.update(fingerprint(contract).encode())
    for file in files:
        digest.update(f"\0{file.path}\0{hashlib.sha256(file.content).hexdigest()}".encode())
    return digest.hexdigest()


def _content_fingerprint(rows: Mapping[str, Sequence[OverlayRow]]) -> str:
    values = {
        name: sorted(json.dumps(row.values, default=str) for row in found)
        for name, found in rows.items()
        if found and name not in _NOT_IN_FIGURES
    }
    return hashlib.sha256(json.dumps(values).encode()).hexdigest() if values else ""


def _replace(cursor: Cursor, contract: Contract, rows: Sequence[OverlayRow]) -> None:
    """The table holds these rows and no others."""
    table = f"reference.{overlay_table(contract.source)}"
    cursor.execute(f"delete from {table}")
    if rows:
        records = _RECORDS.get(contract.source, _as_they_are)(rows)
        names = ", ".join(map(quote, records[0]))
        execute_values(
            cursor, f"insert into {table} ({names}) values %s", [tuple(record.values()) for record in records]
        )
    cursor.execute(f"analyze {table}")


def _as_they_are(rows: Sequence[OverlayRow]) -> list[dict[str, Any]]:
    return [row.values for row in rows]


def _successions(rows: Sequence[OverlayRow]) -> list[dict[str, Any]]:
    successors = Counter((row.values["from_era"], row.values["from_commune_code"]) for row in rows)
    return [
        row.values
        | {
            "to_era": NEXT_ERA[row.values["from_era"]],
            "is_split": successors[row.values["from_era"], row.values["from_commune_code"]] > 1,
        }
        for row in rows
    ]


def _expected_files(rows: Sequence[OverlayRow]) -> list[dict[str, Any]]:
    records = []
    for row in rows:
        pattern = expected_path(row)
        groups = {
            "year_group": pattern.year_group,
            "month_group": pattern.month_group,
            "day_group": pattern.day_group,
        }
        records.append(row.values | {"path_regex": pattern.regex} | groups)
    return records


# Files whose table has more columns: what follows from the rows.
_RECORDS = {"commune_successions": _successions, "expected_files": _expected_files}
