"""The ledger of files: one line per path and content. No reading of files, no rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.model import Contract
from dagster_project.landing.finder import LandingFile
from dagster_project.landing.place import Mark


class Counts(NamedTuple):
    """Rows and money of a file by what became of them."""

    rows_loaded: int = 0
    rows_duplicate: int = 0
    rows_quarantined: int = 0
    money_loaded_vnd: int = 0
    money_duplicate_vnd: int = 0
    money_quarantined_vnd: int = 0

    @property
    def rows_in_file(self) -> int:
        return self.rows_loaded + self.rows_duplicate + self.rows_quarantined

    @property
    def money_in_file_vnd(self) -> int:
        return self.money_loaded_vnd + self.money_duplicate_vnd + self.money_quarantined_vnd


NOTHING = Counts()


@dataclass(frozen=True)
class Entry:
    """One ledger line."""

    file_id: int
    source: str
    path: str
    sha256: str
    mark: Mark
    loaded_at: datetime
    refused_reason: str | None
    content_of: int | None
    withdrawn_change: int | None
    paid_through: datetime | None
    fingerprint: str
    form_fingerprint: str | None
    counts: Counts
    extra_columns: tuple[str, ...]
    notes: tuple[str, ...]

    def read_in(self, contract: Contract) -> str:
        """The fingerprint of the form it was read in: where that was not noted yet, the one declared now."""
        return self.form_fingerprint or contract.file_form(self.path).fingerprint

    @property
    def is_standing(self) -> bool:
        """Its rows are in raw, its own or those of the file it is a copy of."""
        return self.refused_reason is None and self.withdrawn_change is None

    def is_settled(self, fingerprint: str) -> bool:
        """Nothing to do for this content: loaded, withdrawn by a person, or refused by the rules of today."""
        return self.refused_reason is None or (bool(self.sha256) and self.fingerprint == fingerprint)


_COLUMNS = (
    "file_id, source, path, sha256, size, mtime_ns, loaded_at, "
    "refused_reason, content_of, withdrawn_change, paid_through, contract_fingerprint, form_fingerprint, "
    "rows_loaded, rows_duplicate, rows_quarantined, "
    "money_loaded_vnd, money_duplicate_vnd, money_quarantined_vnd, extra_columns, notes"
)


def entries(conn: Connection, source: str) -> dict[str, list[Entry]]:
    """The ledger of one source, by path."""
    with conn.cursor() as cursor:
        cursor.execute(f"select {_COLUMNS} from landing.file where source = %s order by file_id", (source,))
        found: dict[str, list[Entry]] = {}
        for row in cursor.fetchall():
            entry = _entry(row)
            found.setdefault(entry.path, []).append(entry)
        return found


def entry_of(cursor: Cursor, path: str, sha256: str) -> Entry | None:
    cursor.execute(f"select {_COLUMNS} from landing.file where path = %s and sha256 = %s", (path, sha256))
    row = cursor.fetchone()
    return _entry(row) if row else None


def entry(cursor: Cursor, file_id: int) -> Entry:
    """The line as it is now."""
    cursor.execute(f"select {_COLUMNS} from landing.file where file_id = %s", (file_id,))
    row = cursor.fetchone()
    assert row is not None
    return _entry(row)


def entries_called(cursor: Cursor, name: str) -> list[Entry]:
    """The lines whose path is `name`, or the end of it from a folder on."""
    cursor.execute(
        f"select {_COLUMNS} from landing.file "
        "where path = %(name)s or right(%(name)s, length(path) + 1) = '/' || path order by file_id",
        {"name": name},
    )
    return [_entry(row) for row in cursor.fetchall()]


def copies_of(cursor: Cursor, file_id: int) -> list[Entry]:
    """The files that brought the same content later, the first of them first."""
    cursor.execute(f"select {_COLUMNS} from landing.file where content_of = %s order by file_id", (file_id,))
    return [_entry(row) for row in cursor.fetchall()]


def first_with_content(
    cursor: Cursor, contract: Contract, sha256: str, kind: str, form_fingerprint: str | None
) -> Entry | None:
    """The file of this source and kind (its ending) that brought this content, if it was taken.

    Bytes that were read in another form are another content; None: in whatever form.
    """
    cursor.execute(
        f"select {_COLUMNS} from landing.file where source = %s and sha256 = %s "
        "and refused_reason is null and withdrawn_change is null and content_of is null "
        "and lower(path) like %s "
        "order by file_id",
        (contract.source, sha256, f"%{kind}"),
    )
    taken = map(_entry, cursor.fetchall())
    return next((entry for entry in taken if form_fingerprint in (None, entry.read_in(contract))), None)


def open_entry(
    cursor: Cursor, file: LandingFile, sha256: str, mark: Mark, fingerprint: str, form_fingerprint: str
) -> int:
    """A ledger line without rows yet (also one that was refused or withdrawn before); its id."""
    cursor.execute(
        """
        insert into landing.file (
            source, path, sha256, size, mtime_ns, contract_fingerprint, form_fingerprint,
            rows_in_file, rows_loaded, rows_duplicate, rows_quarantined,
            money_in_file_vnd, money_loaded_vnd, money_duplicate_vnd, money_quarantined_vnd
        )
        values (%s, %s, %s, %s, %s, %s, %s, 0, 0, 0, 0, 0, 0, 0, 0)
        on conflict (path, sha256) do update
        set size = excluded.size, mtime_ns = excluded.mtime_ns, loaded_at = excluded.loaded_at,
            contract_fingerprint = excluded.contract_fingerprint, form_fingerprint = excluded.form_fingerprint,
            refused_reason = null, withdrawn_change = null, extra_columns = '{}', notes = '{}'
        returning file_id
        """,
        (file.source, file.path, sha256, mark.size, mark.mtime_ns, fingerprint, form_fingerprint),
    )
    row = cursor.fetchone()
    assert row is not None
    _forget_unreadable(cursor, int(row[0]))
    return int(row[0])


def _forget_unreadable(cursor: Cursor, file_id: int) -> None:
    """Lines of this path whose bytes could not be read: now they could. What a person took back stays on record."""
    cursor.execute(
        """
        delete from landing.file as unread using landing.file as this
        where
            this.file_id = %s and unread.path = this.path and unread.sha256 = '' and unread.file_id <> this.file_id
            and not exists (select from landing.change where change.file_id = unread.file_id)
        """,
        (file_id,),
    )


def finish_entry(
    cursor: Cursor,
    file_id: int,
    counts: Counts,
    *,
    content_of: int | None = None,
    paid_through: datetime | None = None,
    extra_columns: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> None:
    cursor.execute(
        "update landing.file set "
        "rows_in_file = %s, rows_loaded = %s, rows_duplicate = %s, rows_quarantined = %s, "
        "money_in_file_vnd = %s, money_loaded_vnd = %s, "
        "money_duplicate_vnd = %s, money_quarantined_vnd = %s, "
        "content_of = %s, paid_through = %s, extra_columns = %s, notes = %s, "
        "loaded_at = clock_timestamp(), last_seen_at = clock_timestamp() where file_id = %s",
        (
            counts.rows_in_file,
            counts.rows_loaded,
            counts.rows_duplicate,
            counts.rows_quarantined,
            counts.money_in_file_vnd,
            counts.money_loaded_vnd,
            counts.money_duplicate_vnd,
            counts.money_quarantined_vnd,
            content_of,
            paid_through,
            list(extra_columns),
            list(notes),
            file_id,
        ),
    )


def refuse_entry(cursor: Cursor, file_id: int, reason: str) -> None:
    cursor.execute(
        "update landing.file set refused_reason = %s, loaded_at = clock_timestamp() where file_id = %s",
        (reason, file_id),
    )


def remember_mark(cursor: Cursor, file_id: int, mark: Mark) -> None:
    """The same content with another time: it lies there again, and need not be read."""
    cursor.execute(
        "update landing.file set size = %s, mtime_ns = %s, last_seen_at = clock_timestamp() where file_id = %s",
        (mark.size, mark.mtime_ns, file_id),
    )
    _forget_unreadable(cursor, file_id)


def move_repaired(cursor: Cursor, file_id: int, repaired: Counts, paid_through: datetime | None) -> None:
    """Moves rows that left quarantine to loaded and duplicate; what is in the file stays the same."""
    cursor.execute(
        "update landing.file set rows_loaded = rows_loaded + %s, rows_duplicate = rows_duplicate + %s, "
        "rows_quarantined = rows_quarantined - %s, money_loaded_vnd = money_loaded_vnd + %s, "
        "money_duplicate_vnd = money_duplicate_vnd + %s, money_quarantined_vnd = money_quarantined_vnd - %s, "
        "paid_through = greatest(paid_through, %s) where file_id = %s",
        (
            repaired.rows_loaded,
            repaired.rows_duplicate,
            repaired.rows_loaded + repaired.rows_duplicate,
            repaired.money_loaded_vnd,
            repaired.money_duplicate_vnd,
            repaired.money_loaded_vnd + repaired.money_duplicate_vnd,
            paid_through,
            file_id,
        ),
    )


def count_promoted(cursor: Cursor, file_id: int, rows: int, money: int) -> None:
    """Moves rows from duplicate to loaded: those they equal were withdrawn."""
    cursor.execute(
        "update landing.file set rows_loaded = rows_loaded + %(rows)s, "
        "rows_duplicate = rows_duplicate - %(rows)s, money_loaded_vnd = money_loaded_vnd + %(money)s, "
        "money_duplicate_vnd = money_duplicate_vnd - %(money)s where file_id = %(file_id)s",
        {"rows": rows, "money": money, "file_id": file_id},
    )


def hand_over(cursor: Cursor, original: Entry, heir: Entry) -> None:
    """A copy becomes the file that brought the content: its line tells of the original's rows."""
    finish_entry(
        cursor,
        heir.file_id,
        original.counts,
        paid_through=original.paid_through,
        extra_columns=original.extra_columns,
        notes=original.notes,
    )
    # A copy's form is its original's, and may be noted where that one's is not yet.
    judged_by(cursor, heir.file_id, original.fingerprint, heir.form_fingerprint)
    cursor.execute(
        "update landing.file set content_of = %s where content_of = %s and file_id <> %s",
        (heir.file_id, original.file_id, heir.file_id),
    )


def judged_by(cursor: Cursor, file_id: int, fingerprint: str, form_fingerprint: str | None) -> None:
    """By which contract its rows were judged, and in which form they were read."""
    cursor.execute(
        "update landing.file set contract_fingerprint = %s, form_fingerprint = %s where file_id = %s",
        (fingerprint, form_fingerprint, file_id),
    )


def withdraw(cursor: Cursor, file_id: int, change_id: int) -> None:
    """The line stays, without rows; one that was refused is asked for no more."""
    cursor.execute(
        "update landing.file set refused_reason = null, rows_in_file = 0, rows_loaded = 0, rows_duplicate = 0, "
        "rows_quarantined = 0, money_in_file_vnd = 0, money_loaded_vnd = 0, money_duplicate_vnd = 0, "
        "money_quarantined_vnd = 0, content_of = null, paid_through = null, withdrawn_change = %s "
        "where file_id = %s",
        (change_id, file_id),
    )


def _entry(row: tuple[Any, ...]) -> Entry:
    file_id, source, path, sha256, size, mtime_ns, loaded_at, *states, extra_columns, notes = row
    reason, content_of, withdrawn_change, paid_through, fingerprint, form_fingerprint, *numbers = states
    return Entry(
        file_id=file_id,
        source=source,
        path=path,
        sha256=sha256,
        mark=Mark(size, mtime_ns),
        loaded_at=loaded_at,
        refused_reason=reason,
        content_of=content_of,
        withdrawn_change=withdrawn_change,
        paid_through=paid_through,
        fingerprint=fingerprint,
        form_fingerprint=form_fingerprint,
        counts=Counts(*numbers),
        extra_columns=tuple(extra_columns),
        notes=tuple(notes),
    )
