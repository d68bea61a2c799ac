"""Loads landing files: one transaction per file, every row in raw or in quarantine, every file in the ledger.

What a file looks like is landing's, what a row must look like is checks.py's; here is the order of events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import psycopg2
import psycopg2.errors
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.catalog import contracts
from dagster_project.landing.finder import Found, LandingFile, find_files
from dagster_project.landing.place import Mark
from dagster_project.landing.reader import file_kind, open_records
from dagster_project.landing.records import RefusedError
from dagster_project.landing.settle import settled
from dagster_project.landing.snapshot import Snapshot, take_snapshot
from dagster_project.landing.workroom import clear_remains
from dagster_project.raw import changes, correction, ledger, quarantine
from dagster_project.raw.checks import row_checks
from dagster_project.raw.content import Load, accept, load_content, prepare, refresh_statistics
from dagster_project.raw.ledger import NOTHING, Counts
from dagster_project.raw.tables import ensure_tables
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import run_lock

# What makes a file refused, and no others with it.
REFUSALS = (RefusedError, psycopg2.DataError, psycopg2.errors.ProgramLimitExceeded)

Status = Literal["loaded", "copy", "unchanged", "refused"]


@dataclass(frozen=True)
class FileResult:
    """What became of one file. `is_new`: this run wrote its ledger line."""

    source: str
    path: str
    status: Status
    is_new: bool
    counts: Counts = NOTHING
    refused_reason: str | None = None
    extra_columns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class SourceReport:
    """What a load did for one source."""

    source: str
    files: tuple[FileResult, ...]
    repaired: Counts = NOTHING
    entries_closed: int = 0
    """Entries of the quarantine for which a corrected row came."""

    @property
    def rows_added(self) -> int:
        """Rows that raw did not have before: those that can change a figure."""
        return self.repaired.rows_loaded + sum(file.counts.rows_loaded for file in self.files if file.is_new)

    @property
    def changed(self) -> bool:
        return self.rows_added > 0


@dataclass(frozen=True)
class LoadReport:
    """What a load did, and what lies in the landing that belongs to no source."""

    sources: dict[str, SourceReport]
    findings: tuple[str, ...] = ()

    @property
    def files(self) -> Iterator[FileResult]:
        for report in self.sources.values():
            yield from report.files

    @property
    def refused(self) -> list[FileResult]:
        return [file for file in self.files if file.status == "refused"]

    @property
    def rows_added(self) -> dict[str, int]:
        return {source: report.rows_added for source, report in self.sources.items()}

    @property
    def changed(self) -> bool:
        """Whether raw has rows it did not have before."""
        return any(report.changed for report in self.sources.values())


Progress = Callable[[FileResult], None]


def find_landing(settings: Settings) -> Found:
    """The files of all sources; WarehouseError if there is no such landing location."""
    return find_files(settings.landing, contracts(settings.overlay_folder()).keys())


def without_moving(conn: Connection, settings: Settings, found: Found) -> Found:
    """What was found, without the new files that somebody is still writing; waits at most once."""
    marks: dict[str, list[Mark]] = {}
    for source in found.files:
        for path, entries in ledger.entries(conn, source).items():
            marks[path] = [entry.mark for entry in entries if entry.sha256]
    conn.rollback()
    return settled(found, lambda file: marks.get(file.path, ()), settings.settle_seconds)


def load_landing(
    settings: Settings,
    conn: Connection,
    sources: Iterable[str] | None = None,
    progress: Progress | None = None,
) -> LoadReport:
    """Loads what is new of all sources (or of some)."""
    found = without_moving(conn, settings, find_landing(settings))
    wanted = list(contracts(settings.overlay_folder()) if sources is None else sources)
    reports = {source: load_source(conn, settings, source, found, progress) for source in wanted}
    return LoadReport(reports, found.findings)


def load_source(
    conn: Connection,
    settings: Settings,
    source: str,
    found: Found | None = None,
    progress: Progress | None = None,
) -> SourceReport:
    """Loads what is new of one source. Commits after every file: a killed run loses one file at most.

    WarehouseError if another session is writing: of two loaders at once each would take the same file for new.
    """
    with run_lock(conn):
        return _load_source(conn, settings, source, found or find_landing(settings), progress)


def _load_source(
    conn: Connection, settings: Settings, source: str, found: Found, progress: Progress | None
) -> SourceReport:
    temporary = settings.temporary_folder()
    clear_remains(temporary)
    contract = contracts(settings.overlay_folder())[source]
    load = Load(conn, row_checks(contract), settings.today_local(), temporary)
    prepare(load)
    with conn.cursor() as cursor:
        begun_at = correction.now(cursor)
    repaired = _retest(load)
    known = ledger.entries(conn, source)
    conn.rollback()
    results: list[FileResult] = []
    for file in found.files[source]:
        result = _load_file(load, file, known.get(file.path, []))
        results.append(result)
        if progress is not None:
            progress(result)
        refresh_statistics(load, is_last=False)
    refresh_statistics(load, is_last=True)
    ensure_tables(conn, [load.contract])  # the lookup indexes, if these were the first rows
    with conn.cursor() as cursor:
        closed = correction.closed_since(cursor, source, begun_at)
    conn.commit()
    return SourceReport(source, tuple(results), repaired, closed)


def _load_file(load: Load, file: LandingFile, known: Sequence[ledger.Entry]) -> FileResult:
    """One file in one transaction; a refused one leaves nothing but its ledger line."""
    for entry in known:
        if entry.is_settled(load.fingerprint) and entry.sha256 and entry.mark == _mark(file):
            return _unchanged(file, entry)
    seen: Snapshot | None = None
    try:
        with take_snapshot(file, load.temporary) as snapshot:
            seen = snapshot
            with load.conn.cursor() as cursor:
                result = _load_snapshot(load, cursor, file, snapshot)
            load.conn.commit()
            load.unanalyzed += result.counts.rows_loaded + result.counts.rows_duplicate
            return result
    except REFUSALS as error:
        load.conn.rollback()
        return _refuse(load, file, seen, why_refused(error))
    except BaseException:
        load.conn.rollback()
        raise


def why_refused(error: Exception) -> str:
    """The reason, for people, of one of REFUSALS."""
    if isinstance(error, psycopg2.Error):
        # Rows that passed every check and that the database cannot take all the same: this file's trouble alone.
        # The message is not told, it may hold a value.
        return f"the database cannot take its rows (SQLSTATE {error.pgcode})"
    return str(error).replace("\0", "")  # it may quote a damaged file


def _refuse(load: Load, file: LandingFile, seen: Snapshot | None, reason: str) -> FileResult:
    with load.conn.cursor() as cursor:
        # Of a file that could not be read to its end no content is known: its line has an empty hash.
        sha256, mark = (seen.sha256, seen.mark) if seen else ("", _mark(file) or Mark(0, 0))
        file_id = ledger.open_entry(
            cursor, file, sha256, mark, load.fingerprint, declared_form(load, file.path)
        )
        ledger.refuse_entry(cursor, file_id, reason)
    load.conn.commit()
    return FileResult(file.source, file.path, "refused", is_new=True, refused_reason=reason)


def _load_snapshot(load: Load, cursor: Cursor, file: LandingFile, snapshot: Snapshot) -> FileResult:
    entry = ledger.entry_of(cursor, file.path, snapshot.sha256)
    if entry is not None and entry.is_settled(load.fingerprint):
        ledger.remember_mark(cursor, entry.file_id, snapshot.mark)
        return _unchanged(file, entry)
    original = same_content(load, cursor, file, snapshot.sha256)
    otherwise = ledger.first_with_content(cursor, load.contract, snapshot.sha256, file_kind(file.name), None)
    file_id = ledger.open_entry(
        cursor, file, snapshot.sha256, snapshot.mark, load.fingerprint, declared_form(load, file.path)
    )
    if original is not None:
        result = note_copy(cursor, file, file_id, original)
        correction.settle_resent(cursor, load.contract, [file_id])
        return result
    records = open_records(file.path, snapshot.path, load.contract)
    name_change = partial(changes.record, cursor, "load", file.source, file_id)
    counts, paid_through = load_content(load, cursor, file_id, records, name_change)
    extra, notes = records.extra_names, tuple(records.notes)
    if otherwise is not None:
        # If that one was read wrongly, its rows count beside these.
        notes += (
            f"the same bytes stand as {otherwise.path}, read in another form: one of the two may be wrong",
        )
    ledger.finish_entry(cursor, file_id, counts, paid_through=paid_through, extra_columns=extra, notes=notes)
    correction.settle_resent(cursor, load.contract, [file_id])
    return FileResult(
        file.source, file.path, "loaded", is_new=True, counts=counts, extra_columns=extra, notes=notes
    )


def same_content(load: Load, cursor: Cursor, file: LandingFile, sha256: str) -> ledger.Entry | None:
    """The file that brought the content of this one already; RefusedError if it is no kind of file that is read."""
    return ledger.first_with_content(
        cursor, load.contract, sha256, file_kind(file.name), declared_form(load, file.path)
    )


def declared_form(load: Load, path: str) -> str:
    """The fingerprint of the form in which the file is read today."""
    return load.contract.file_form(path).fingerprint


def note_copy(cursor: Cursor, file: LandingFile, file_id: int, original: ledger.Entry) -> FileResult:
    """The same content under another name: nothing is read, all its good rows are duplicates."""
    counts = Counts(
        rows_duplicate=original.counts.rows_loaded + original.counts.rows_duplicate,
        rows_quarantined=original.counts.rows_quarantined,
        money_duplicate_vnd=original.counts.money_loaded_vnd + original.counts.money_duplicate_vnd,
        money_quarantined_vnd=original.counts.money_quarantined_vnd,
    )
    quarantine.copy_entries(cursor, original.file_id, file_id)
    extra, notes = original.extra_columns, original.notes
    ledger.finish_entry(
        cursor,
        file_id,
        counts,
        content_of=original.file_id,
        paid_through=original.paid_through,
        extra_columns=extra,
        notes=notes,
    )
    return FileResult(
        file.source, file.path, "copy", is_new=True, counts=counts, extra_columns=extra, notes=notes
    )


def _retest(load: Load) -> Counts:
    """Tests quarantined rows again whose judgement may have changed; one transaction per file."""
    total = NOTHING
    with load.conn.cursor() as cursor:
        for file_id in quarantine.files_to_retest(cursor, load.checks, load.today):
            cursor.execute(f"truncate {load.checks.text_table}, {load.checks.checked_table}")
            quarantine.put_to_test(cursor, load.checks, file_id, load.today)
            cursor.execute(load.checks.check_rows(load.today))
            name_change = partial(changes.record, cursor, "repair", load.contract.source, file_id)
            repaired, paid_through = accept(load, cursor, file_id, name_change)
            quarantine.record_retest(cursor, load.checks, file_id, load.today)
            ledger.move_repaired(cursor, file_id, repaired, paid_through)
            correction.settle_entries_of(cursor, load.contract, file_id)
            if repaired != NOTHING:
                correction.close_by_new_rows(cursor, load.checks, file_id)
            copies = [copy.file_id for copy in ledger.copies_of(cursor, file_id)]
            correction.settle_resent(cursor, load.contract, [file_id, *copies])
            load.conn.commit()
            load.unanalyzed += repaired.rows_loaded + repaired.rows_duplicate
            total = Counts(*(sum(pair) for pair in zip(total, repaired, strict=True)))
    load.conn.rollback()
    return total


def _unchanged(file: LandingFile, entry: ledger.Entry) -> FileResult:
    return FileResult(
        file.source,
        file.path,
        "refused" if entry.refused_reason is not None else "unchanged",
        is_new=False,
        counts=entry.counts,
        refused_reason=entry.refused_reason,
        extra_columns=entry.extra_columns,
        notes=entry.notes,
    )


def _mark(file: LandingFile) -> Mark | None:
    """The file's mark, if it has one that can be relied on."""
    try:
        mark = file.place.glance(file.path)
    except file.place.errors:
        return None
    return mark if mark.mtime_ns >= 0 else None
