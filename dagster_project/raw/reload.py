"""Reads files of the landing again, under the contracts of today: out and in again in one transaction.

How rows are taken out is withdraw.py's, how they are read is content.py's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.catalog import contracts
from dagster_project.landing.finder import LandingFile
from dagster_project.landing.reader import open_records
from dagster_project.landing.snapshot import Snapshot, take_snapshot
from dagster_project.raw import changes, correction, ledger, named
from dagster_project.raw.changes import Person
from dagster_project.raw.checks import row_checks
from dagster_project.raw.content import Load, load_content, prepare, refresh_statistics
from dagster_project.raw.ledger import NOTHING, Counts, Entry
from dagster_project.raw.load import (
    REFUSALS,
    declared_form,
    find_landing,
    note_copy,
    same_content,
    why_refused,
)
from dagster_project.raw.withdraw import Moved, standing_as, take_out, withdraw_rows, writing
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import WarehouseError


@dataclass(frozen=True)
class Reloaded:
    """A file that was read again: what became of its rows before and now.

    `was_another_content`: what stood before was withdrawn, and what lies in the landing now came instead;
    `former_stands_as`: another file by which the rows of the former content still count.
    """

    path: str
    before: Counts
    now: Counts
    was_another_content: bool
    same_content_as: str | None
    former_stands_as: str | None = None

    def __str__(self) -> str:
        text = f"{self.path}: {_told(self.now)} (before: {_told(self.before)})"
        if self.was_another_content:
            text += "; the file has another content now, the former one was withdrawn"
        if self.former_stands_as is not None:
            text += f", but it still stands as {self.former_stands_as}"
        if self.same_content_as is not None:
            text += f"; the same content stands as {self.same_content_as}"
        return text


def reload(settings: Settings, names: Sequence[str], person: Person) -> list[Reloaded]:
    """Reads the files again, all or none; WarehouseError if one of them is gone or is refused."""
    found = find_landing(settings)
    lying = {file.path: file for files in found.files.values() for file in files}
    known = contracts(settings.overlay_folder())
    with writing(settings, "cashless reload") as conn:
        with conn, conn.cursor() as cursor:
            meant = {named.contents(cursor, name)[0].path: name for name in names}
        files = []
        for path in meant:
            if path not in lying:
                raise WarehouseError(f"{path} lies no longer in the landing {settings.landing_shown()}.")
            files.append(lying[path])
        loads = {
            source: Load(conn, row_checks(known[source]), settings.today_local(), settings.temporary_folder())
            for source in dict.fromkeys(file.source for file in files)
        }
        for load in loads.values():
            prepare(load)
        with conn, conn.cursor() as cursor:
            done = [_reload(loads[file.source], cursor, file, person) for file in files]
        for load in loads.values():
            refresh_statistics(load, is_last=True)
        return done


def _reload(load: Load, cursor: Cursor, file: LandingFile, person: Person) -> Reloaded:
    try:
        with take_snapshot(file, load.temporary) as snapshot:
            line = ledger.entry_of(cursor, file.path, snapshot.sha256)
            if line is not None and line.is_standing:
                done = _read_again(load, cursor, file, snapshot, line, person)
            else:
                done = _read_instead(load, cursor, file, snapshot, person)
    except REFUSALS as error:
        raise WarehouseError(
            f"{file.path} would be refused, so everything stays as it was: {why_refused(error)}"
        ) from None
    load.unanalyzed += done.now.rows_loaded + done.now.rows_duplicate
    return done


def _read_again(
    load: Load, cursor: Cursor, file: LandingFile, snapshot: Snapshot, line: Entry, person: Person
) -> Reloaded:
    """The content that stands: read anew for all files that brought it."""
    original = ledger.entry(cursor, line.content_of or line.file_id)
    copies = ledger.copies_of(cursor, original.file_id)
    form = declared_form(load, file.path)
    for twin in (original, *copies):
        if declared_form(load, twin.path) != form:
            raise WarehouseError(
                f"{file.path} has the same content as {twin.path}, but the contract now declares them in different "
                "forms: take both back with cashless unload, then cashless reload reads each in its own."
            )
    change_id = changes.begin(cursor, "reload", file.source, line.file_id, person)
    file_ids = [original.file_id, *(copy.file_id for copy in copies)]
    out = withdraw_rows(cursor, load.contract, file_ids, change_id)
    now = _read(load, cursor, file, snapshot, original.file_id, change_id)
    read = ledger.entry(cursor, original.file_id)
    for copy in copies:
        note_copy(cursor, file, copy.file_id, read)
        ledger.judged_by(cursor, copy.file_id, load.fingerprint, form)
    correction.settle_resent(cursor, load.contract, file_ids)
    ledger.remember_mark(cursor, line.file_id, snapshot.mark)
    _finish(cursor, change_id, out, now)
    after = ledger.entry(cursor, line.file_id).counts
    other = original.path if original.file_id != line.file_id else None
    return Reloaded(file.path, line.counts, after, was_another_content=False, same_content_as=other)


def _read_instead(
    load: Load, cursor: Cursor, file: LandingFile, snapshot: Snapshot, person: Person
) -> Reloaded:
    """A content that does not stand (refused, withdrawn or new), in the place of the one that does, if any."""
    before = [line for line in named.contents(cursor, file.path) if line.is_standing]
    if len(before) > 1:
        raise WarehouseError(
            f"{named.several(file.path, before)}; what lies in the landing is none of them. Take back with cashless "
            "unload what is wrong; cashless run then loads what lies there."
        )
    original = same_content(load, cursor, file, snapshot.sha256)
    file_id = ledger.open_entry(
        cursor, file, snapshot.sha256, snapshot.mark, load.fingerprint, declared_form(load, file.path)
    )
    change_id = changes.begin(cursor, "reload", file.source, file_id, person)
    out = take_out(cursor, load.contract, before[0], change_id) if before else Moved(0, 0)
    if original is None:
        now = _read(load, cursor, file, snapshot, file_id, change_id)
    else:
        now = note_copy(cursor, file, file_id, ledger.entry(cursor, original.file_id)).counts
    correction.settle_resent(cursor, load.contract, [file_id])
    _finish(cursor, change_id, out, now)
    return Reloaded(
        file.path,
        before[0].counts if before else NOTHING,
        now,
        was_another_content=bool(before),
        same_content_as=original.path if original else None,
        former_stands_as=standing_as(cursor, load.contract, before[0]) if before else None,
    )


def _read(
    load: Load, cursor: Cursor, file: LandingFile, snapshot: Snapshot, file_id: int, change_id: int
) -> Counts:
    records = open_records(file.path, snapshot.path, load.contract)
    counts, paid_through = load_content(load, cursor, file_id, records, lambda _: change_id)
    ledger.finish_entry(
        cursor,
        file_id,
        counts,
        paid_through=paid_through,
        extra_columns=records.extra_names,
        notes=tuple(records.notes),
    )
    ledger.judged_by(cursor, file_id, load.fingerprint, declared_form(load, file.path))
    return counts


def _finish(cursor: Cursor, change_id: int, out: Moved, now: Counts) -> None:
    changes.finish(
        cursor, change_id, rows_added=out.rows_added + now.rows_loaded, rows_withdrawn=out.rows_withdrawn
    )


def _told(counts: Counts) -> str:
    return (
        f"{counts.rows_loaded:,} loaded, {counts.rows_duplicate:,} duplicate, "
        f"{counts.rows_quarantined:,} in quarantine"
    )
