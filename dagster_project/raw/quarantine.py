"""The quarantine: bad rows with file, line, raw text and reason. It neither judges nor knows file formats."""

from __future__ import annotations

import csv
import io
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from datetime import date

from psycopg2.extensions import cursor as Cursor

from dagster_project.landing.records import LINE_END, RecordSource
from dagster_project.raw import correction
from dagster_project.raw.checks import FIELD_COUNT, IN_FUTURE, RowChecks, fingerprint
from dagster_project.raw.correction import HELD, key_texts
from dagster_project.raw.ddl import quote
from dagster_project.raw.feed import copy_from

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
        copy_from(
            cursor,
            "copy pg_temp.row_text (row_no, sheet, raw, raw_masked) from stdin (format csv)",
            _raw_texts(records, rows, sheets),
        )
        _enter(cursor, checks, file_id, width, today)
        if len(rows) < _AT_ONCE:
            return


def copy_entries(cursor: Cursor, from_file: int, to_file: int) -> None:
    """The entries that count in a file's line once more, for another file with the same content.

    Those without a key are open: what closes them hangs on the path.
    """
    cursor.execute(
        f"""
        insert into landing.quarantine (
            file_id, source, sheet, line, column_name, reason_codes, reason, reason_vi, raw, raw_masked,
            fields, extra, money, checked_on, contract_fingerprint, fault_columns, row_key, version_at,
            status, repaired_by, repaired_at
        )
        select
            %s, source, sheet, line, column_name, reason_codes, reason, reason_vi, raw, raw_masked,
            fields, extra, money, checked_on, contract_fingerprint, fault_columns, row_key, version_at,
            case when row_key is null then 'open' else status end,
            case when row_key is not null then repaired_by end,
            case when row_key is not null then repaired_at end
        from landing.quarantine
        where file_id = %s and {HELD}
        order by quarantine_id
        """,
        (to_file, from_file),
    )


def withdraw(cursor: Cursor, file_ids: Sequence[int]) -> None:
    """The entries of files whose rows are withdrawn: kept, but shown and tested no more."""
    cursor.execute(
        "update landing.quarantine set status = 'withdrawn', repaired_by = null, repaired_at = null "
        "where file_id = any(%s)",
        (list(file_ids),),
    )


def exchange(cursor: Cursor, one: int, other: int) -> None:
    """Each of the two files gets the entries of the other, and what rows of the other closed."""
    correction.exchange(cursor, one, other)
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
        f"where {_TO_RETEST} and fields is not null and file_id = %(file_id)s",
        {
            "source": checks.contract.source,
            "today": today,
            "fingerprint": fingerprint(checks.contract),
            "file_id": file_id,
        },
    )


def record_retest(cursor: Cursor, checks: RowChecks, file_id: int, today: date) -> None:
    """Good rows are repaired, by themselves; for the others the faults are written anew."""
    contract = checks.contract
    judged = {
        "today": today,
        "fingerprint": fingerprint(contract),
        "source": contract.source,
        "file_id": file_id,
    }
    cursor.execute(
        "update landing.quarantine as entry "
        "set status = 'repaired', repaired_by = null, repaired_at = clock_timestamp(), "
        "checked_on = %(today)s, contract_fingerprint = %(fingerprint)s "
        f"from {checks.checked_table} as row where row.row_no = entry.quarantine_id and row.bad is null",
        judged,
    )
    faults = ", ".join(f"{name} = {value}" for name, value in _faults(checks, "row").items())
    cursor.execute(
        f"update landing.quarantine as entry set {faults}, "
        "checked_on = %(today)s, contract_fingerprint = %(fingerprint)s "
        f"from {checks.checked_table} as row where row.row_no = entry.quarantine_id and row.bad is not null",
        _fault_names(checks) | judged,
    )
    # With a wrong number of fields there is nothing to test.
    cursor.execute(
        "update landing.quarantine set contract_fingerprint = %(fingerprint)s "
        f"where {_TO_RETEST} and fields is null and file_id = %(file_id)s",
        judged,
    )


_TO_RETEST = (
    f"source = %(source)s and {HELD} "
    "and (contract_fingerprint <> %(fingerprint)s "
    f"or (checked_on <> %(today)s and '{IN_FUTURE}' = any(reason_codes)))"
)


def _enter(cursor: Cursor, checks: RowChecks, file_id: int, width: int, today: date) -> None:
    # What the tests say of a row goes for those that have the right number of fields.
    faults = {
        name: f"case when checked.field_count is null then {value} else {uncounted} end"
        for (name, value), uncounted in zip(
            _faults(checks, "checked").items(),
            (
                "null",
                f"array['{FIELD_COUNT}']",
                "format('wrong number of fields: %%s instead of %%s', checked.field_count, %(width)s)",
                "format('sai số trường: %%s thay vì %%s', checked.field_count, %(width)s)",
                "null",
                "null",
                "null",
            ),
            strict=True,
        )
    }
    cursor.execute(
        f"""
        insert into landing.quarantine (
            file_id, source, sheet, line, raw, raw_masked,
            fields, extra, money, checked_on, contract_fingerprint, {", ".join(faults)}
        )
        select
            %(file_id)s, %(source)s, row_text.sheet, checked.line, row_text.raw, row_text.raw_masked,
            case when checked.field_count is null then {checks.fields("written")} end,
            checked.extra, checked.money, %(today)s, %(fingerprint)s, {", ".join(faults.values())}
        from pg_temp.row_text
        inner join {checks.checked_table} as checked using (row_no)
        inner join {checks.text_table} as written using (row_no)
        where checked.bad is not null
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


def _faults(checks: RowChecks, row: str) -> dict[str, str]:
    """What is noted of a bad row that was tested, by column of the quarantine."""
    contract = checks.contract
    each = f"order by number) from unnest({row}.bad) as number)"
    return {
        "column_name": f"(%(columns)s)[{row}.bad[1]]",
        "reason_codes": f"(select array_agg((%(codes)s)[number] {each}",
        "reason": f"(select string_agg((%(reasons)s)[number], '; ' {each}",
        "reason_vi": f"(select string_agg((%(reasons_vi)s)[number], '; ' {each}",
        "fault_columns": f"(select array_agg((%(columns)s)[number] {each}",
        "row_key": f"case when not {row}.bad && %(key_faults)s::integer[] then {key_texts(contract, row)} end",
        "version_at": f"case when not {row}.bad && %(version_faults)s::integer[] "
        f"then {row}.{quote(contract.version_column)} end",
    }


def _fault_names(checks: RowChecks) -> dict[str, object]:
    return {
        "columns": [check.column for check in checks.checks],
        "codes": [check.code for check in checks.checks],
        "reasons": [check.reason for check in checks.checks],
        "reasons_vi": [check.reason_vi for check in checks.checks],
        "key_faults": checks.faults_of(checks.contract.key),
        "version_faults": checks.faults_of([checks.contract.version_column]),
    }


def _raw_texts(
    records: RecordSource, rows: list[tuple[int, int]], sheets: list[tuple[int, str]]
) -> Iterator[bytes]:
    starts = [start for start, _ in sheets]
    buffer = io.StringIO()
    write = csv.writer(buffer, lineterminator=LINE_END).writerow
    for text in records.raw_texts(rows):
        place = bisect_right(starts, text.row_no)
        write((text.row_no, sheets[place - 1][1] if place else None, text.raw, text.masked))
        if buffer.tell() > 1 << 18:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
