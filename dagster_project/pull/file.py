"""Writes the rows of a query as CSV: text by text, with what must be known of them. No database, no landing."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from uuid import UUID

from dagster_project.contracts.model import Contract, Form, fold_header
from dagster_project.landing.cells import cell_text
from dagster_project.pull.declared import Kind, Mark, Pull, PullError
from dagster_project.settings import LOCAL_ZONE

_WRITABLE = (str, bool, int, float, Decimal, date, datetime, UUID)
_WITH_QUOTES = frozenset(',;|\t"\r\n')
_MODULUS = 1 << 128


@dataclass
class Written:
    """What was written: how many rows, their hash in any order, the greatest mark."""

    rows: int
    content: str
    mark: Mark | None


@dataclass(frozen=True)
class _Layout:
    """Where the columns of a result go: (position, contract name, form), and the position of the mark."""

    columns: tuple[tuple[int, str, Form], ...]
    mark: int


def write_rows(
    pull: Pull, contract: Contract, names: Sequence[str], rows: Iterator[Sequence[Any]], path: Path
) -> Written:
    """Writes all rows to a packed CSV file; PullError if the result is not what was declared."""
    layout = _layout(pull, contract, names)
    header = ",".join(name for _, name, _ in layout.columns)
    written = Written(0, "", None)
    total = 0
    with _packed(path) as stream:
        stream.write(f"{header}\n".encode())
        for row in rows:
            mark = _mark(pull, row[layout.mark])
            if mark is not None and (written.mark is None or mark > written.mark):  # type: ignore[operator]
                written.mark = mark
            line = ",".join(
                [_quoted(_text(pull, name, form, row[position])) for position, name, form in layout.columns]
            ).encode()
            # A sum: databases give rows in any order, and equal rows must not cancel out.
            total += int.from_bytes(hashlib.blake2b(line, digest_size=16).digest())
            written.rows += 1
            stream.write(line + b"\n")
    written.content = (
        f"{hashlib.sha256(header.encode()).hexdigest()[:16]}-{written.rows}-{total % _MODULUS:032x}"
    )
    return written


@contextmanager
def _packed(path: Path) -> Iterator[IO[bytes]]:
    # Without name and time: equal rows in equal order are an equal file.
    with (
        path.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0) as packed,
    ):
        yield packed  # type: ignore[misc]


def _layout(pull: Pull, contract: Contract, names: Sequence[str]) -> _Layout:
    folded = [fold_header(name) for name in names]
    marked = fold_header(pull.high_water.column)
    if folded.count(marked) != 1:
        raise PullError(f"{pull.name}: the result has no column {pull.high_water.column}, the high-water")
    known = [contract.headers.get(name) for name in folded]
    strange = [names[at] for at, name in enumerate(known) if name is None and folded[at] != marked]
    if strange:
        raise PullError(f"{pull.name}: the contract of {contract.source} has no column {', '.join(strange)}")
    found = [name for name in known if name is not None]
    missing = [column.name for column in contract.columns if column.required and column.name not in found]
    if missing:
        raise PullError(f"{pull.name}: the result lacks the required columns {', '.join(missing)}")
    if len(set(found)) < len(found):
        raise PullError(f"{pull.name}: two columns of the result are the same column of {contract.source}")
    columns = tuple(
        (at, name, contract.column(name).form) for at, name in enumerate(known) if name is not None
    )
    return _Layout(columns, folded.index(marked))


def _mark(pull: Pull, value: Any) -> Mark | None:
    """The value of the high-water column in the kind that was declared."""
    kind: Kind = pull.high_water.kind
    if value is None:
        return None
    if isinstance(value, datetime):
        value = _local(value)
        if kind == "timestamp":
            return value
        if kind == "date":
            return value.date()
    elif isinstance(value, date):
        if kind == "timestamp":
            return datetime(value.year, value.month, value.day)
        if kind == "date":
            return value
    elif kind == "integer" and isinstance(value, int | Decimal) and value == int(value):
        return int(value)
    raise PullError(
        f"{pull.name}: the high-water column {pull.high_water.column} is no {kind}, but {type(value).__name__}"
    )


def _text(pull: Pull, column: str, form: Form, value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, _WRITABLE):
        raise PullError(
            f"{pull.name}: column {column} is {type(value).__name__}: cast it to text in the query"
        )
    if isinstance(value, datetime):
        value = _local(value)
    text = cell_text(value, form)
    if "\0" in text:
        raise PullError(f"{pull.name}: column {column} holds a NUL character: take it out in the query")
    return text


def _local(moment: datetime) -> datetime:
    return moment if moment.tzinfo is None else moment.astimezone(LOCAL_ZONE).replace(tzinfo=None)


def _quoted(text: str) -> str:
    if text in ("NULL", "\\N") or text != text.strip() or not _WITH_QUOTES.isdisjoint(text):
        doubled = text.replace('"', '""')
        return f'"{doubled}"'
    return text
