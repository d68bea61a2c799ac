"""The quarantine: bad rows with file, line, raw text and reason. It neither judges nor knows file formats."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date

from psycopg2.extensions import cursor as Cursor

from dagster_project.landing.records import LINE_END, RecordSource
from dagster_project.raw.checks import FIELD_COUNT, IN_FUTURE, RowChecks, fingerprint
from dagster_project.raw.feed import copy_blocks

# Bad rows are fetched from their file in one pass per this many.
_AT_ONCE = 100_000


def create_table() -> str:
    """The temporary table of raw texts of a session."""
    return "create temp table if not exists row_text (row_no bigint, sheet text, raw text, raw_masked text)"


def add_bad_rows(
    cursor: Cursor, checks: RowChecks, file_id: int, records: RecordSource, *, width: int, today: date
) -> None:
    """Enters every bad row of the file that is being loaded."""
    sheets = records.sheet_starts()
    last = -1
    while True:
        cursor.execute(
            f"select row_no, line from {checks.checked_table} where bad is not null and row_no > %s "
            "order by row_no limit %s",
            (last, _AT_ONCE),
        )
        rows = cursor.fetchall()
        if not rows:
            return
        last = rows[-1][0]
        cursor.execute("truncate pg_temp.row_text")
        copy_blocks(
            cursor,
            "copy pg_temp.row_text (row_no, sheet, raw, raw_masked) from stdin (format csv)",
            _raw_texts(records, rows, sheets),
        )
        _enter(cursor, checks, file_id, width, today)


def copy_entries(cursor: Cursor, from_file: int, to_file: int) -> None:
    """The open entries of a file once more, for another file with the same content."""
    cursor.execute(
        """
        insert into landing.quarantine (
            file_id, source, sheet, line, column_name, reason_codes, reason, raw, raw_masked,
            fields, extra, money, checked_on, contract_fingerprint
        )
        select
            %s, source, sheet, line, column_name, reason_codes, reason, raw, raw_masked,
            fields, extra, money, checked_on, contract_fingerprint
        from landing.quarantine
        where file_id = %s and status = 'open'
        order by quarantine_id
        """,
        (to_file, from_file),
    )


def withdraw(cursor: Cursor, file_ids: Sequence[int]) -> None:
    """The entries of files whose rows are withdrawn: kept, but shown and tested no more."""
    cursor.execute(
        "update landing.quarantine set status = 'withdrawn' where file_id = any(%s)", (list(file_ids),)
    )


def exchange(cursor: Cursor, one: int, other: int) -> None:
    """Each of the two files gets the entries of the other."""
    cursor.execute(
        "update landing.quarantine set file_id = %(one)s + %(other)s - file_id "
        "where file_id in (%(one)s, %(other)s)",
        {"one": one, "other": other},
    )


def files_to_retest(cursor: Cursor, checks: RowChecks, today: date) -> list[int]:
    """Files with entries whose judgement may have changed: another contract, or another day that matters.

    A new day matters for rows that lay in the future: it repairs them, or takes that fault from their reasons.
    """
    cursor.execute(
        f"select distinct file_id from landing.quarantine where {_TO_RETEST} order by file_id",
        {"source": checks.contract.source, "today": today, "fingerprint": fingerprint(checks.contract)},
    )
    return [file_id for (file_id,) in cursor.fetchall()]


def put_to_test(cursor: Cursor, checks: RowChecks, file_id: int, today: date) -> None:
    """Fills the table of text with the entries of a file; their row number is the quarantine_id."""
    names = checks.contract.names
    columns = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(f"fields ->> '{name}'" for name in names)
    cursor.execute(
        f"insert into {checks.text_table} (row_no, line, {columns}, extra) "
        f"select quarantine_id, line, {values}, extra::text from landing.quarantine "
        f"where {_TO_RETEST} and file_id = %(file_id)s",
        {
            "source": checks.contract.source,
            "today": today,
            "fingerprint": fingerprint(checks.contract),
            "file_id": file_id,
        },
    )


def record_retest(cursor: Cursor, checks: RowChecks, today: date) -> None:
    """Good rows are repaired; for the others the faults are written anew."""
    cursor.execute(
        "update landing.quarantine as entry "
        "set status = 'repaired', checked_on = %s, contract_fingerprint = %s "
        f"from {checks.checked_table} as row where row.row_no = entry.quarantine_id and row.bad is null",
        (today, fingerprint(checks.contract)),
    )
    cursor.execute(
        f"update landing.quarantine as entry set {_faults('row')}, "
        "checked_on = %(today)s, contract_fingerprint = %(fingerprint)s "
        f"from {checks.checked_table} as row where row.row_no = entry.quarantine_id and row.bad is not null",
        _fault_names(checks) | {"today": today, "fingerprint": fingerprint(checks.contract)},
    )


_TO_RETEST = (
    "source = %(source)s and status = 'open' and fields is not null "
    "and (contract_fingerprint <> %(fingerprint)s "
    f"or (checked_on <> %(today)s and '{IN_FUTURE}' = any(reason_codes)))"
)


def _enter(cursor: Cursor, checks: RowChecks, file_id: int, width: int, today: date) -> None:
    cursor.execute(
        f"""
        insert into landing.quarantine (
            file_id, source, sheet, line, column_name, reason_codes, reason, raw, raw_masked,
            fields, extra, money, checked_on, contract_fingerprint
        )
        select
            %(file_id)s, %(source)s, row_text.sheet, checked.line,
            case when checked.field_count is null then (%(columns)s)[checked.bad[1]] end,
            case
                when checked.field_count is not null then array['{FIELD_COUNT}']
                else (
                    select array_agg((%(codes)s)[number] order by number)
                    from unnest(checked.bad) as number
                )
            end,
            case
                when checked.field_count is not null
                    then format('wrong number of fields: %%s instead of %%s', checked.field_count, %(width)s)
                else (
                    select string_agg((%(reasons)s)[number], '; ' order by number)
                    from unnest(checked.bad) as number
                )
            end,
            row_text.raw, row_text.raw_masked,
            case when checked.field_count is null then {checks.fields("written")} end,
            checked.extra, checked.money, %(today)s, %(fingerprint)s
        from pg_temp.row_text
        inner join {checks.checked_table} as checked using (row_no)
        inner join {checks.text_table} as written using (row_no)
        order by row_no
        """,
        _fault_names(checks)
        | {
            "file_id": file_id,
            "source": checks.contract.source,
            "width": width,
            "today": today,
            "fingerprint": fingerprint(checks.contract),
        },
    )


def _faults(row: str) -> str:
    each = f"order by number) from unnest({row}.bad) as number)"
    return (
        f"column_name = (%(columns)s)[{row}.bad[1]], "
        f"reason_codes = (select array_agg((%(codes)s)[number] {each}, "
        f"reason = (select string_agg((%(reasons)s)[number], '; ' {each}"
    )


def _fault_names(checks: RowChecks) -> dict[str, object]:
    return {
        "columns": [check.column for check in checks.checks],
        "codes": [check.code for check in checks.checks],
        "reasons": [check.reason for check in checks.checks],
    }


def _raw_texts(
    records: RecordSource, rows: list[tuple[int, int]], sheets: list[tuple[int, str]]
) -> Iterator[str]:
    starts = [start for start, _ in sheets]
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator=LINE_END).writerow
    for text in records.raw_texts(rows):
        place = bisect_right(starts, text.row_no)
        write((text.row_no, sheets[place - 1][1] if place else None, text.raw, text.masked))
        if buffer.tell() > 1 << 18:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()
