"""The rows of one overlay file, by the readers and the row checks of the sources. Not what rows are together."""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.model import Contract
from dagster_project.landing.reader import file_kind, open_records
from dagster_project.landing.records import RecordSource
from dagster_project.raw.checks import RowChecks, row_checks
from dagster_project.raw.ddl import quote
from dagster_project.raw.judge import judge_rows
from dagster_project.raw.load import REFUSALS, why_refused
from dagster_project.reference.faults import Fault
from dagster_project.reference.files import OverlayFile


@dataclass(frozen=True)
class OverlayRow:
    """One good row and where it stands."""

    file: str
    sheet: str | None
    line: int
    values: dict[str, Any]

    def fault(self, column: str, reason: str) -> Fault:
        return Fault(self.file, reason, self.line, column, self.sheet)


@dataclass
class FileRows:
    """What a file holds: good rows, faults, and what people should know besides."""

    rows: list[OverlayRow] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read_file(cursor: Cursor, contract: Contract, file: OverlayFile, today: date) -> FileRows:
    """All rows of the file, judged one by one; also two rows of one key are a fault."""
    checks = row_checks(contract)
    cursor.execute("savepoint overlay_file")
    try:
        for statement in checks.create_tables():
            cursor.execute(statement)
        with tempfile.TemporaryDirectory(prefix="cashless-") as folder:
            content = Path(folder) / f"content{file_kind(file.path)}"
            content.write_bytes(file.content)
            records = open_records(file.path, content, contract)
            judge_rows(cursor, checks, records, today, Path(folder))
        found = _found(cursor, checks, file.path, records)
        for table in (checks.text_table, checks.checked_table):
            cursor.execute(f"drop table {table}")
    except REFUSALS as error:
        cursor.execute("rollback to savepoint overlay_file")
        found = FileRows(faults=[Fault(file.path, why_refused(error))])
    cursor.execute("release savepoint overlay_file")
    return found


def _found(cursor: Cursor, checks: RowChecks, file: str, records: RecordSource) -> FileRows:
    names = checks.contract.names
    sheets = records.sheet_starts()
    starts = [start for start, _ in sheets]
    found = FileRows(notes=[f"{file}: {note}" for note in records.notes])
    if records.extra_names:
        found.notes.append(f"{file}: columns that are not used: {', '.join(records.extra_names)}")
    cursor.execute(
        f"select row_no, line, field_count, bad, {', '.join(map(quote, names))} "
        f"from {checks.checked_table} order by row_no"
    )
    for row_no, line, field_count, bad, *values in cursor.fetchall():
        place = bisect_right(starts, row_no)
        sheet = sheets[place - 1][1] if place else None
        if field_count is not None:
            found.faults.append(Fault(file, f"wrong number of fields: {field_count}", line, sheet=sheet))
        elif bad is not None:
            for number in bad:
                check = checks.checks[number - 1]
                reason = check.reason.removeprefix(f"{check.column}: ")
                found.faults.append(Fault(file, reason, line, check.column, sheet))
        else:
            values_by_name = dict(zip(names, values, strict=True))
            found.rows.append(OverlayRow(file, sheet, line, values_by_name))
    found.faults += _repeated(found.rows, checks.contract.key)
    return found


def _repeated(rows: Iterable[OverlayRow], key: tuple[str, ...]) -> list[Fault]:
    first: dict[tuple[Any, ...], OverlayRow] = {}
    faults = []
    for row in rows:
        before = first.setdefault(tuple(row.values[name] for name in key), row)
        if before is not row:
            where = f"line {before.line}" + (f" of sheet {before.sheet}" if before.sheet else "")
            faults.append(row.fault(", ".join(key), f"the same as in {where}"))
    return faults
