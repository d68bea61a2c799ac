"""Which rows of quarantine a corrected row has made up for. No row is loaded or judged here.

A corrected row closes an entry, and the file that brought it is noted (`repaired_by`). Whether one is there is a
question to the accepted rows alone, never to the order in which files came:

- An entry whose key can be read is corrected by an accepted row of the same key and a newer version; of an equal
  version, or where the version itself is at fault, by one that is equal in all columns that are not at fault. (Two
  states of one day are two versions, and a payment that differs is a conflict: neither makes up for the other.)
- Of an entry without a key (also: wrong number of fields) nobody knows whose row it is. It is corrected by the whole
  file sent again: another content of the same path that has every accepted row of the file, and good rows where the
  entry has its line, which the file did not have. (Raw does not know sheets: in a workbook all sheets must be good at
  this line.) Without any accepted row nobody knows that it is the same file: its entry stays open.

An entry that was closed so goes on counting as quarantined in its own file's line, so that the line balances.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.model import Contract
from dagster_project.raw.checks import RowChecks, same_row, value_of
from dagster_project.raw.ddl import literal, quote

# An entry that counts as quarantined in its file's line.
HELD = "(status = 'open' or repaired_by is not null)"
# One whose key cannot be read; those that were not tested since the key is noted are left alone until they are.
_WITHOUT_KEY = "row_key is null and (fields is null or fault_columns is not null)"


# The version of a row that its source may change.
_CHANGED_AT = "updated_at"


def key_texts(contract: Contract, row: str) -> str:
    """The key of a typed row as it is noted in quarantine."""
    return "array[" + ", ".join(f'{row}.{quote(name)}::text collate "C"' for name in contract.key) + "]"


def close_by_new_rows(cursor: Cursor, checks: RowChecks, file_id: int) -> None:
    """Closes the open entries that the good rows of the table of judged rows correct; they are of this file."""
    contract = checks.contract
    cursor.execute(
        "select exists (select from landing.quarantine where source = %s and status = 'open')",
        (contract.source,),
    )
    if cursor.fetchone() == (False,):
        return
    key = key_texts(contract, "new_row")
    cursor.execute(
        # The outer join says to go from the rows to the entries: never through all rows once per entry, however few
        # entries the planner believes there are. offset 0 keeps the join as it is.
        f"""
        select distinct quarantine_id
        from (
            select entry.quarantine_id
            from {checks.checked_table} as new_row
            left join landing.quarantine as entry
                on entry.source = {literal(contract.source)} and entry.status = 'open'
                and entry.row_key = {key} and {_is_corrected(contract, "new_row")}
            where new_row.bad is null
            offset 0
        ) as joined
        where quarantine_id is not null
        """
    )
    closed = [quarantine_id for (quarantine_id,) in cursor.fetchall()]
    if closed:
        cursor.execute(
            "update landing.quarantine set status = 'repaired', repaired_by = %s, repaired_at = clock_timestamp() "
            "where quarantine_id = any(%s)",
            (file_id, closed),
        )


def settle_entries_of(cursor: Cursor, contract: Contract, file_id: int) -> None:
    """Looks for the corrected rows of a file's entries, which are new or were tested again."""
    _settle(cursor, contract, "entry.file_id = %s", (file_id,))


def settle_closed_by(cursor: Cursor, contract: Contract, file_ids: Sequence[int]) -> None:
    """Opens what rows of these files closed, which are gone, unless another row closes it."""
    _settle(cursor, contract, "entry.repaired_by = any(%s)", (list(file_ids),))


def settle_resent(cursor: Cursor, contract: Contract, file_ids: Sequence[int]) -> None:
    """Looks anew for what whole files sent again correct, after rows of these files came or went.

    To be called when the ledger knows of them.
    """
    cursor.execute(
        f"select distinct file_id from landing.quarantine where {HELD} and {_WITHOUT_KEY} "
        "and (file_id = any(%(files)s) or repaired_by = any(%(files)s)) order by file_id",
        {"files": list(file_ids)},
    )
    for (file_id,) in cursor.fetchall():
        _settle_resent(cursor, contract, file_id)
    for file_id in file_ids:
        cursor.execute(
            f"""
            select distinct entry.file_id
            from landing.file as changed
            inner join landing.file as sibling using (source, path)
            inner join landing.quarantine as entry on entry.file_id = sibling.file_id
            where
                changed.file_id = %(file_id)s and sibling.file_id <> all(%(files)s)
                and entry.status = 'open' and {_WITHOUT_KEY}
            order by entry.file_id
            """,
            {"file_id": file_id, "files": list(file_ids)},
        )
        for (other,) in cursor.fetchall():
            _settle_resent(cursor, contract, other, only_by=file_id)


def now(cursor: Cursor) -> datetime:
    """The moment from which `closed_since` counts."""
    cursor.execute("select clock_timestamp()")
    (moment,) = cursor.fetchone() or (None,)
    assert isinstance(moment, datetime)
    return moment


def closed_since(cursor: Cursor, source: str, moment: datetime) -> int:
    """How many entries of the source corrected rows have closed since then. One that only changed its repairer has not
    been closed again: the time when it was repaired stays.
    """
    cursor.execute(
        "select count(*) from landing.quarantine "
        "where source = %s and status = 'repaired' and repaired_by is not null and repaired_at >= %s",
        (source, moment),
    )
    (entries,) = cursor.fetchone() or (0,)
    return int(entries)


def exchange(cursor: Cursor, one: int, other: int) -> None:
    """What rows of the two files closed, each of which has the rows of the other now.

    What a whole file sent again closed hangs on its path and is for settle_resent.
    """
    cursor.execute(
        "update landing.quarantine set repaired_by = %(one)s + %(other)s - repaired_by "
        "where repaired_by in (%(one)s, %(other)s) and row_key is not null",
        {"one": one, "other": other},
    )


def _settle(cursor: Cursor, contract: Contract, which: str, parameters: tuple[object, ...]) -> None:
    """By the key index of raw, entry by entry. What is closed by the same file as before stays untouched."""
    key = " and ".join(
        f"accepted.{quote(name)} = entry.row_key[{place}]::{contract.column(name).sql_type}"
        for place, name in enumerate(contract.key, 1)
    )
    cursor.execute(
        f"""
        update landing.quarantine as entry
        set
            status = case when settled.file_id is null then 'open' else 'repaired' end,
            repaired_by = settled.file_id,
            repaired_at = case when settled.file_id is not null then coalesce(entry.repaired_at, clock_timestamp()) end
        from (
            select
                entry.quarantine_id,
                entry.repaired_by,
                (
                    select min(accepted.file_id) from raw.{quote(contract.source)} as accepted
                    where {key} and {_is_corrected(contract, "accepted")}
                ) as file_id
            from landing.quarantine as entry
            where
                entry.source = {literal(contract.source)} and (entry.status = 'open' or entry.repaired_by is not null)
                and entry.row_key is not null and {which}
            offset 0
        ) as settled
        where entry.quarantine_id = settled.quarantine_id and settled.file_id is distinct from settled.repaired_by
        """,
        parameters,
    )


def _is_corrected(contract: Contract, row: str) -> str:
    """The condition that a row, of the same key, corrects the entry."""
    version = quote(contract.version_column)
    equal = [f"(entry.version_at is null or {row}.{version} = entry.version_at)"]
    for column in contract.columns:
        if not column.key and column.name != contract.version_column:
            written = value_of(column, f"(entry.fields ->> {literal(column.name)})")
            equal.append(
                f"({literal(column.name)} = any(entry.fault_columns) "
                f"or {row}.{quote(column.name)} is not distinct from {written})"
            )
    # A transaction has no later version of itself: one that differs is a conflict.
    is_newer = f"{row}.{version} > entry.version_at" if contract.version_column == _CHANGED_AT else "false"
    # No casts unless they are asked for: nearly always the version decides.
    return f"(case when {is_newer} then true else {' and '.join(equal)} end)"


@dataclass(frozen=True)
class _Content:
    """A ledger line and the one whose rows in raw are its content's: itself, or the one that it is a copy of."""

    file_id: int
    rows_of: int
    rows_in_file: int


def _settle_resent(cursor: Cursor, contract: Contract, file_id: int, only_by: int | None = None) -> None:
    """The entries without a key of one file: all that count; `only_by`: open ones that this other file closes."""
    cursor.execute(
        "select other.file_id, coalesce(other.content_of, other.file_id), other.rows_in_file "
        "from landing.file as this inner join landing.file as other using (source, path) "
        "where this.file_id = %s and other.refused_reason is null and other.withdrawn_change is null "
        "order by other.file_id",
        (file_id,),
    )
    contents = {row[0]: _Content(*row) for row in cursor.fetchall()}
    this = contents.pop(file_id, None)
    if this is None:
        return
    others = [other for other in contents.values() if only_by in (None, other.file_id)]
    found: dict[int, int] = {}
    for other in others:
        lines = [line for line in _good_lines(cursor, contract, this, other) if line not in found]
        if lines and _has_all_rows(cursor, contract, this, other):
            found |= dict.fromkeys(lines, other.file_id)
    if only_by is not None and not found:
        return
    cursor.execute(
        f"""
        update landing.quarantine as entry
        set
            status = case when settled.repairer is null then 'open' else 'repaired' end,
            repaired_by = settled.repairer,
            repaired_at = case when settled.repairer is not null then coalesce(entry.repaired_at, clock_timestamp()) end
        from (
            select quarantine_id, repaired_by, repairer
            from landing.quarantine left join unnest(%(lines)s::integer[], %(repairers)s::integer[])
                as resent (line, repairer) using (line)
            where file_id = %(file_id)s and {HELD} and {_WITHOUT_KEY}
                and (not %(is_part)s or (repairer is not null and status = 'open'))
        ) as settled
        where entry.quarantine_id = settled.quarantine_id and settled.repairer is distinct from settled.repaired_by
        """,
        {
            "lines": list(found),
            "repairers": list(found.values()),
            "file_id": file_id,
            "is_part": only_by is not None,
        },
    )


def _good_lines(cursor: Cursor, contract: Contract, this: _Content, other: _Content) -> list[int]:
    """Lines of entries without a key where the other content has as many good rows that this one has nowhere."""
    if other.rows_in_file < this.rows_in_file:
        return []  # the bad line was taken out: another row stands there now
    cursor.execute(
        f"""
        with entry as (
            select line, count(*) as held from landing.quarantine
            where file_id = %(this)s and {HELD}
            group by line having bool_or({_WITHOUT_KEY})
        ),

        good as (
            select there.line, count(*) as new_rows
            from raw.{quote(contract.source)} as there
            where
                there.file_id = %(other)s and there.line in (select entry.line from entry)
                and not exists (
                    select from raw.{quote(contract.source)} as here
                    where here.file_id = %(rows_of)s and {same_row(contract, "here", "there")}
                )
            group by there.line
        )

        select line from entry inner join good using (line) where new_rows >= held order by line
        """,
        {"this": this.file_id, "rows_of": this.rows_of, "other": other.rows_of},
    )
    return [line for (line,) in cursor.fetchall()]


def _has_all_rows(cursor: Cursor, contract: Contract, this: _Content, other: _Content) -> bool:
    """Every good row of this content, and there is one, has an equal one in the other."""
    table = f"raw.{quote(contract.source)}"
    cursor.execute(f"select exists (select from {table} where file_id = %s)", (this.rows_of,))
    if cursor.fetchone() == (False,):
        return False
    cursor.execute(
        f"select not exists (select from {table} as here where here.file_id = %s and not exists "
        f"(select from {table} as there where there.file_id = %s and {same_row(contract, 'here', 'there')}))",
        (this.rows_of, other.rows_of),
    )
    return bool(cursor.fetchone() == (True,))
