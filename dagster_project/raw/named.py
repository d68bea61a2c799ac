"""Which file a person means by the name they give, and what there is to say against it. Nothing is changed here."""

from __future__ import annotations

from pathlib import PurePosixPath

from psycopg2.extensions import cursor as Cursor

from dagster_project.raw import ledger
from dagster_project.raw.ledger import Entry
from dagster_project.warehouse.connection import WarehouseError

# Of a hash so much is shown: enough to tell two contents apart, little enough to type.
_SHOWN = 12


def contents(cursor: Cursor, name: str) -> list[Entry]:
    """The ledger lines of the one path that is meant: as in bi.load_audit, or any path that ends in it."""
    # A name that is no UTF-8 stands in the ledger as it can be shown.
    written = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    path = PurePosixPath(written).as_posix()
    lines = ledger.entries_called(cursor, path)
    meant = sorted({line.path for line in lines})
    if path in meant:
        meant = [path]
    if not meant:
        raise WarehouseError(
            f"No file {written} is known here, neither loaded nor refused. The view bi.load_audit has the paths of "
            "all files (column file); cashless status says what was loaded."
        )
    if len(meant) > 1:
        raise WarehouseError(
            f"{written} may mean {' or '.join(meant)}: give the path as it stands in bi.load_audit."
        )
    return [line for line in lines if line.path == meant[0]]


def standing(cursor: Cursor, name: str, content: str | None = None) -> Entry:
    """The one line that is meant: one with rows, else the last that was refused.

    `content` is the beginning of its hash, if there are several.
    """
    lines = contents(cursor, name)
    path = lines[0].path
    if content is not None:
        lines = [line for line in lines if line.sha256.startswith(content.lower())]
        if not lines:
            raise WarehouseError(f"{path} never had a content whose SHA-256 begins with {content}.")
    refused = [line for line in lines if line.refused_reason is not None]
    found = [line for line in lines if line.is_standing] or refused[-1:]
    if len(found) > 1:
        raise WarehouseError(f"{several(path, found)}; say which one with --content.")
    if not found:
        raise WarehouseError(_why_not_standing(cursor, lines[-1]))
    return found[0]


def several(path: str, lines: list[Entry]) -> str:
    """Says that a path stands with several contents, and which."""
    listed = "; ".join(
        f"{line.sha256[:_SHOWN]} (loaded {line.loaded_at:%Y-%m-%d %H:%M}, {line.counts.rows_in_file} rows)"
        for line in lines
    )
    return f"{path} was loaded with {len(lines)} contents: {listed}"


def _why_not_standing(cursor: Cursor, line: Entry) -> str:
    # The view has the sentence of who withdrew it, when and why.
    cursor.execute(
        "select refused_reason from bi.load_audit where file = %s and sha256 = %s", (line.path, line.sha256)
    )
    row = cursor.fetchone()
    assert row is not None
    return f"{line.path} is {row[0]}. There is nothing left to take back; cashless reload reads it again."
