"""Takes files back out of raw: afterwards it is as if they had never come, but for the record that they did.

Loading again is reload.py's; what follows from the change for the figures is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import NamedTuple

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Contract
from dagster_project.landing.reader import file_kind
from dagster_project.landing.records import RefusedError
from dagster_project.raw import changes, correction, ledger, named, quarantine
from dagster_project.raw.changes import Person
from dagster_project.raw.checks import same_row
from dagster_project.raw.ddl import literal, quote
from dagster_project.raw.ledger import Entry
from dagster_project.raw.tables import ensure_tables
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import WarehouseError, connect, run_lock
from dagster_project.warehouse.migrate import migrate


class Moved(NamedTuple):
    """Rows that count now and did not before, and rows that counted and were withdrawn."""

    rows_added: int
    rows_withdrawn: int


@dataclass(frozen=True)
class Unloaded:
    """A file that was taken back. `still_stands_as`: another file with the same content, whose rows stay."""

    path: str
    moved: Moved
    still_stands_as: str | None
    was_refused: bool = False

    def __str__(self) -> str:
        if self.was_refused:
            return f"{self.path}: was refused; it is asked for no more"
        if self.still_stands_as is not None:
            return f"{self.path}: withdrawn, but the same content still stands as {self.still_stands_as}"
        text = f"{self.path}: withdrawn, {self.moved.rows_withdrawn:,} rows that counted"
        if self.moved.rows_added:
            text += f", {self.moved.rows_added:,} of which still count by other files"
        return text


def unload(
    settings: Settings, names: Sequence[str], person: Person, content: str | None = None
) -> list[Unloaded]:
    """Takes the files back, all or none; WarehouseError if one of them cannot be. The landing is not looked at."""
    with writing(settings, "cashless unload") as conn, conn, conn.cursor() as cursor:
        meant = {line.file_id: line for line in (named.standing(cursor, name, content) for name in names)}
        known = contracts(settings.overlay_folder())
        moved = {
            file_id: _take_back(cursor, known[line.source], file_id, person)
            for file_id, line in meant.items()
        }
        return [
            Unloaded(
                line.path,
                moved[line.file_id],
                standing_as(cursor, known[line.source], line),
                line.refused_reason is not None,
            )
            for line in meant.values()
        ]


@contextmanager
def writing(settings: Settings, what: str) -> Iterator[Connection]:
    """A connection that holds the run lock, to a warehouse of this code's version.

    WarehouseError, and nothing of it has happened, if the database fails in the middle of a transaction.
    """
    try:
        with closing(connect(settings, what)) as conn, run_lock(conn):
            migrate(conn)
            with conn:
                ensure_tables(conn, contracts(settings.overlay_folder()).values())
            yield conn
    except psycopg2.Error as error:
        # Its message may hold values of rows: only the kind is told.
        raise WarehouseError(
            f"The database failed in the middle of {what} ({type(error).__name__}, SQLSTATE "
            f"{error.pgcode or 'none'}); everything is as it was. Call it again."
        ) from error


def take_out(cursor: Cursor, contract: Contract, line: Entry, change_id: int) -> Moved:
    """Withdraws a standing file as a part of a change: its line stays, without rows."""
    copies = ledger.copies_of(cursor, line.file_id)
    if copies:
        _hand_over(cursor, contract, line, copies[0])
    moved = withdraw_rows(cursor, contract, [line.file_id], change_id)
    ledger.withdraw(cursor, line.file_id, change_id)
    correction.settle_resent(cursor, contract, [line.file_id, *(copy.file_id for copy in copies[:1])])
    return moved


def withdraw_rows(cursor: Cursor, contract: Contract, file_ids: Sequence[int], change_id: int) -> Moved:
    """Moves all rows of the files out of raw, duplicates too; where an equal row of another file stands as a
    duplicate, the earliest one counts now, and its file's line says so. The files' own lines are the caller's.
    """
    table = f"raw.{quote(contract.source)}"
    money = f"coalesce(heir.{quote(contract.money_column)}, 0)" if contract.money_column else "0"
    files = {"files": list(file_ids), "change_id": change_id}
    cursor.execute(
        f"""
        with inheritance as (
            select distinct on (gone.ctid) heir.ctid as place
            from {table} as gone
            inner join {table} as heir on {same_row(contract, "gone", "heir")}
            where gone.file_id = any(%(files)s) and not gone.is_duplicate and heir.file_id <> all(%(files)s)
            order by gone.ctid, heir.file_id, heir.line, heir.ctid
        ),

        promoted as (
            update {table} as heir set is_duplicate = false, change_id = %(change_id)s
            from inheritance where heir.ctid = inheritance.place
            returning heir.file_id, {money} as money
        )

        select file_id, count(*), sum(money)::bigint from promoted group by file_id
        """,
        files,
    )
    promoted = cursor.fetchall()
    for file_id, rows, sum_of_money in promoted:
        ledger.count_promoted(cursor, file_id, rows, sum_of_money)
    cursor.execute(
        f"""
        with gone as (
            delete from {table} where file_id = any(%(files)s) returning *
        ),

        kept as (
            insert into landing.withdrawn_row (change_id, source, file_id, line, fields)
            select %(change_id)s, {literal(contract.source)}, file_id, line, to_jsonb(gone) from gone
        )

        select count(*) filter (where not is_duplicate) from gone
        """,
        files,
    )
    ((rows_withdrawn,),) = cursor.fetchall()
    quarantine.withdraw(cursor, file_ids)
    correction.settle_closed_by(cursor, contract, file_ids)
    return Moved(sum(rows for _, rows, _ in promoted), rows_withdrawn)


def standing_as(cursor: Cursor, contract: Contract, line: Entry) -> str | None:
    """The file by which the content of this line, read in the same form, stands in raw."""
    try:
        kind = file_kind(line.path)
    except RefusedError:
        return None  # no kind of file that is read
    form = line.read_in(contract)
    other = ledger.first_with_content(cursor, contract, line.sha256, kind, form)
    return other.path if other else None


def _take_back(cursor: Cursor, contract: Contract, file_id: int, person: Person) -> Moved:
    line = ledger.entry(cursor, file_id)  # as the files before it have left it
    change_id = changes.begin(cursor, "unload", line.source, file_id, person)
    moved = take_out(cursor, contract, line, change_id)
    changes.finish(cursor, change_id, **moved._asdict())
    return moved


def _hand_over(cursor: Cursor, contract: Contract, original: Entry, heir: Entry) -> None:
    """The first copy takes over the rows and the quarantine of the original, which gets the copy's.

    The copy has few of its own, mostly none: rows that left its quarantine after it came. They equal rows of
    the original and are withdrawn in its stead.
    """
    cursor.execute(
        f"update raw.{quote(contract.source)} set file_id = %(one)s + %(other)s - file_id "
        "where file_id in (%(one)s, %(other)s)",
        {"one": original.file_id, "other": heir.file_id},
    )
    quarantine.exchange(cursor, original.file_id, heir.file_id)
    ledger.hand_over(cursor, original, heir)
