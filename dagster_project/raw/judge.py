"""Judges the rows of a file: canonical ones by themselves, the others in the database. No ledger, no raw tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import pyarrow.compute as pc
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.model import Contract
from dagster_project.landing.records import RecordSource
from dagster_project.raw.canonical import canonical_rows, typed_text
from dagster_project.raw.checks import RowChecks
from dagster_project.raw.columns import copy_text
from dagster_project.raw.ddl import quote
from dagster_project.raw.feed import copy_from

# Rows that wait in a file are read back in pieces of so many bytes.
_PIECE = 1 << 18


def judge_rows(
    cursor: Cursor, checks: RowChecks, records: RecordSource, today: date, temporary: Path
) -> None:
    """Fills the table of judged rows with all rows of a file; RefusedError if it cannot be read to its end.

    Rows in canonical form go there at once. The others wait in a nameless file in `temporary` until these are through,
    go into the table of text, and are judged.
    """
    cursor.execute(f"truncate {checks.text_table}, {checks.checked_table}")
    names = [*records.copy_columns, *(["extra"] if records.extra_names else [])]
    with TemporaryFile(dir=temporary) as others:
        copy_from(
            cursor,
            _copy(checks.checked_table, ["row_no", "line", *names]),
            _canonical(checks.contract, records, today, others),
        )
        others.seek(0)
        copy_from(
            cursor,
            _copy(checks.text_table, ["row_no", "line", "field_count", *names]),
            iter(partial(others.read, _PIECE), b""),
        )
    cursor.execute(checks.check_rows(today))


def _canonical(contract: Contract, records: RecordSource, today: date, others: IO[bytes]) -> Iterator[bytes]:
    """The rows in canonical form, for COPY; the other ones are written to `others`."""
    for batch in records.batches():
        is_canonical = canonical_rows(contract, batch, today)
        others.write(copy_text(batch.filter(pc.invert(is_canonical)).columns))
        rows = batch.filter(is_canonical).drop_columns("field_count")
        yield copy_text(
            [
                typed_text(contract.column(name), texts) if name in records.copy_columns else texts
                for name, texts in zip(rows.schema.names, rows.columns, strict=True)
            ]
        )


def _copy(table: str, columns: Sequence[str]) -> str:
    return f"copy {table} ({', '.join(map(quote, columns))}) from stdin (null '')"
