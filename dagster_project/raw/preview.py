"""What a file would do if it lay in the landing: the very code of a load, in a transaction that is rolled back.

Nothing remains of it but numbers that sequences have given out. How it is told is here too; what a load does is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Contract
from dagster_project.landing.finder import LandingFile, file_on_disk
from dagster_project.landing.reader import file_kind, open_records
from dagster_project.landing.records import HeaderError, RecordSource, Total, shown_header
from dagster_project.landing.refusals import in_both
from dagster_project.landing.snapshot import Snapshot, take_snapshot
from dagster_project.raw import ledger
from dagster_project.raw.changes import NO_CHANGE
from dagster_project.raw.checks import row_checks
from dagster_project.raw.content import Load, load_content, make_tables
from dagster_project.raw.ledger import Counts
from dagster_project.raw.load import REFUSALS, declared_form, same_content, why_refused
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect, run_lock
from dagster_project.warehouse.migrate import migrate_within

# So many bad rows are shown, and so many line numbers of each reason.
_SHOWN = 10


@dataclass(frozen=True)
class Header:
    """The columns of a file or sheet: the name in the file, and the contract column (None: an extra one)."""

    sheet: str | None
    columns: tuple[tuple[str, str | None], ...]


@dataclass(frozen=True)
class Reason:
    """Why rows would go to quarantine: how many, and the first lines."""

    reason: str
    rows: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class BadRow:
    """A row that would go to quarantine, with everything personal hidden."""

    line: str
    reason: str
    masked: str


@dataclass(frozen=True)
class Preview:
    """What would become of a file."""

    path: str
    source: str
    kind: str = ""
    form: str | None = None
    headers: tuple[Header, ...] = ()
    missing: tuple[str, ...] = ()
    """Contract columns that the file does not have."""
    counts: Counts | None = None
    reasons: tuple[Reason, ...] = ()
    bad_rows: tuple[BadRow, ...] = ()
    totals: tuple[Total, ...] = ()
    notes: tuple[str, ...] = ()
    loaded_as: str | None = None
    """The file by which the same content stands already."""
    is_read_otherwise: bool = False
    """It stands by rows that were read in another form than the contract declares now."""
    refused_reason: str | None = None

    def __str__(self) -> str:
        return "\n".join(_told(self))


def preview(settings: Settings, path: Path, source: str) -> Preview:
    """What a run would do with the file as a file of the source.

    Takes the run lock: WarehouseError if a run is writing, for the two would wait for each other's rows.
    """
    contract = contracts(settings.overlay_folder())[source]
    with closing(connect(settings, "cashless contract check")) as conn, run_lock(conn):
        try:
            return _look(conn, settings, contract, file_on_disk(source, path))
        finally:
            conn.rollback()


def _look(conn: Connection, settings: Settings, contract: Contract, file: LandingFile) -> Preview:
    seen = Preview(file.path, contract.source)
    with conn.cursor() as cursor:
        migrate_within(cursor)
        load = Load(conn, row_checks(contract), settings.today_local(), settings.temporary_folder())
        make_tables(load)
        try:
            seen = replace(seen, kind=file_kind(file.name))
            with take_snapshot(file, load.temporary) as snapshot:
                records = open_records(file.path, snapshot.path, contract)
                seen = _layout(seen, contract, records)
                return _load(load, cursor, file, snapshot, records, seen)
        except HeaderError as error:
            return replace(
                seen,
                headers=_nearest(error),
                missing=_lacking(contract, error.columns),
                refused_reason=str(error),
            )
        except REFUSALS as error:
            return replace(seen, refused_reason=why_refused(error))


def _layout(seen: Preview, contract: Contract, records: RecordSource) -> Preview:
    headers = tuple(
        Header(sheet, tuple(zip(map(shown_header, layout.header), layout.columns, strict=True)))
        for sheet, layout in records.layouts()
    )
    missing = _lacking(contract, records.copy_columns)
    return replace(seen, form=records.form, headers=headers, missing=missing, notes=tuple(records.notes))


def _load(
    load: Load, cursor: Cursor, file: LandingFile, snapshot: Snapshot, records: RecordSource, seen: Preview
) -> Preview:
    line = ledger.entry_of(cursor, file.path, snapshot.sha256)
    form = declared_form(load, file.path)
    stands = line if line and line.is_standing else same_content(load, cursor, file, snapshot.sha256)
    # Under a name that no file of the landing has, whose entries would be mixed up with these.
    alias = replace(file, path=f"cashless contract check: {file.path}")
    file_id = ledger.open_entry(cursor, alias, snapshot.sha256, snapshot.mark, load.fingerprint, form)
    counts, _ = load_content(load, cursor, file_id, records, lambda _: NO_CHANGE)
    return replace(
        seen,
        counts=counts,
        reasons=_reasons(cursor, file_id),
        bad_rows=_bad_rows(cursor, file_id),
        totals=tuple(records.totals),
        notes=tuple(records.notes),
        loaded_as=stands.path if stands else None,
        is_read_otherwise=stands is not None and stands.read_in(load.contract) != form,
    )


_LINE = "case when sheet is null then line::text else sheet || ':' || line end"


def _reasons(cursor: Cursor, file_id: int) -> tuple[Reason, ...]:
    cursor.execute(
        f"select reason, count(*), (array_agg({_LINE} order by quarantine_id))[:{_SHOWN}] "
        "from landing.quarantine where file_id = %s group by reason order by count(*) desc, reason",
        (file_id,),
    )
    return tuple(Reason(reason, rows, tuple(lines)) for reason, rows, lines in cursor.fetchall())


def _bad_rows(cursor: Cursor, file_id: int) -> tuple[BadRow, ...]:
    cursor.execute(
        f"select {_LINE}, reason, raw_masked from landing.quarantine where file_id = %s "
        f"order by quarantine_id limit {_SHOWN}",
        (file_id,),
    )
    return tuple(BadRow(*row) for row in cursor.fetchall())


def _nearest(error: HeaderError) -> tuple[Header, ...]:
    """The header as far as it is one: where no name is known, it may be a row of values."""
    if not any(error.columns):
        return ()
    return (Header(None, tuple(zip(map(shown_header, error.header), error.columns, strict=True))),)


def _lacking(contract: Contract, columns: Sequence[str | None]) -> tuple[str, ...]:
    return tuple(name for name in contract.names if name not in columns)


def _told(seen: Preview) -> Iterator[str]:
    form = ", ".join(part for part in (seen.kind, seen.form) if part)
    yield f"{seen.path}: nguồn / source {seen.source}{f' ({form})' if form else ''}"
    for header in seen.headers:
        yield "  cột / columns" + (f", sheet {header.sheet}:" if header.sheet else ":")
        for name, column in header.columns:
            yield f"    {name} → {column or '(thêm / extra: kept as it came)'}"
    if seen.missing:
        yield f"  không có trong tệp / not in the file: {', '.join(seen.missing)}"
    for note in seen.notes:
        yield f"  {note}"
    for total in seen.totals:
        yield f"  dòng tổng / total row: sheet {total.sheet}, row {total.line}: {total.amount}"
    if seen.counts is not None:
        yield from _told_counts(seen.counts)
    for reason in seen.reasons:
        more = ", …" if reason.rows > len(reason.lines) else ""
        yield f"    {reason.rows:,} × {reason.reason} (dòng / line {', '.join(reason.lines)}{more})"
    for row in seen.bad_rows:
        yield f"      {row.line}: {row.masked}"
    if seen.is_read_otherwise:
        yield (
            f"  đã nạp theo dạng khai báo khi đó / loaded as {seen.loaded_as} in the form that was declared then: "
            "a run would not read it again, cashless reload would"
        )
    elif seen.loaded_as is not None:
        yield f"  đã nạp / the same content is loaded as {seen.loaded_as}: a run would not read it again"
    if seen.refused_reason is not None:
        yield f"  bị từ chối / would be refused: {in_both(seen.refused_reason)}"
    else:
        yield "  được nhận / would be taken"


def _told_counts(counts: Counts) -> Iterator[str]:
    yield (
        f"  {counts.rows_in_file:,} dòng / rows: {counts.rows_loaded:,} nạp / loaded, "
        f"{counts.rows_duplicate:,} trùng / duplicate, {counts.rows_quarantined:,} cách ly / quarantined"
    )
    if counts.money_in_file_vnd:
        yield (
            f"  {counts.money_in_file_vnd:,} VND: {counts.money_loaded_vnd:,} nạp / loaded, "
            f"{counts.money_duplicate_vnd:,} trùng / duplicate, {counts.money_quarantined_vnd:,} cách ly / quarantined"
        )
