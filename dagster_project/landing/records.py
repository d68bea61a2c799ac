"""What every file format becomes: batches of records as text, and the raw text of single rows.

Header recognition, trimming and hiding live here; how a format is read does not, nor is a value judged.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from dagster_project.contracts.model import Contract, fold_header

if TYPE_CHECKING:  # Arrow takes a fifth of a second, and is needed only when there is something to read
    import pyarrow as pa

NULLS = frozenset(("NULL", "\\N"))
HIDDEN = "***"
# Both characters, because Python before 3.13 quotes only those line ends that its own rows have, and COPY
# takes no bare carriage return.
LINE_END = "\r\n"
# What tells of a person in whatever column it stands: a customer code, a mobile number, two words of letters (a name).
# A name is looked for only where a word begins: from every letter of a long word it would take hours.
_TELLS_A_PERSON = re.compile(
    r"[A-Z]{2}[0-9]{11}|(?<![0-9])(?:\+?84|0)[35789][0-9]{8}(?![0-9])|(?<![^\W\d_])[^\W\d_]{2,}\s+[^\W\d_]{2,}"
)
# A personal value shorter than this is not looked for in the other fields: it would be found in everything.
_TELLING = 6

Field = str | None


class RefusedError(Exception):
    """The file as a whole cannot be taken. The message is the reason and contains none of its values."""


class HeaderError(RefusedError):
    """The header is not that of the source: `columns` has the contract column of each of its names, if there is one."""

    def __init__(self, reason: str, header: Sequence[str], columns: Sequence[str | None]) -> None:
        super().__init__(reason)
        self.header, self.columns = tuple(header), tuple(columns)


@dataclass(frozen=True)
class RawText:
    """One row as it stands in its file, and the same with everything personal hidden."""

    row_no: int
    raw: str
    masked: str


@dataclass(frozen=True)
class Total:
    """A total row of a sheet and the rows before it: all of them, and those since the total row before."""

    line: int
    sheet: str
    first_row_no: int
    section_row_no: int
    last_row_no: int
    amount: str


@dataclass(frozen=True)
class Layout:
    """How the columns of a file (or sheet) map to the contract."""

    header: tuple[str, ...]
    # Contract column per file column; None: an extra column.
    columns: tuple[str | None, ...]
    hidden: frozenset[int]

    @property
    def width(self) -> int:
        return len(self.header)

    @property
    def contract_columns(self) -> tuple[str, ...]:
        """The contract columns the file has, in the file's order."""
        return tuple(name for name in self.columns if name is not None)

    @property
    def extra_positions(self) -> tuple[int, ...]:
        return tuple(index for index, name in enumerate(self.columns) if name is None)

    @property
    def extra_names(self) -> tuple[str, ...]:
        """Names of the extra columns, made distinct and never empty."""
        names: list[str] = []
        for index in self.extra_positions:
            name = normalise(self.header[index]) or f"column {index + 1}"
            names.append(name if name not in names else f"{name} ({index + 1})")
        return tuple(names)


class RecordSource(Protocol):
    """One opened file of any format."""

    # How text is encoded and parted in the file; None where the format itself says it.
    form: str | None
    copy_columns: tuple[str, ...]
    extra_names: tuple[str, ...]
    notes: list[str]
    totals: list[Total]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """All records in their order, by `batches.batch_schema`."""
        ...

    def raw_texts(self, rows: Sequence[tuple[int, int]]) -> Iterator[RawText]:
        """The raw text of rows (row_no, line), which come in the order of row_no."""
        ...

    def layouts(self) -> list[tuple[str | None, Layout]]:
        """How columns are mapped, sheet by sheet (None: the file has no sheets)."""
        ...

    def sheet_starts(self) -> list[tuple[int, str]]:
        """First row_no of every sheet, for formats that have sheets."""
        ...


def match_header(
    header: Sequence[str], contract: Contract, headers: Mapping[str, str | None] | None = None
) -> Layout:
    """Maps a header to the contract; RefusedError names what is missing or there twice.

    `headers` (folded header → column) if the file has others than those of the contract.
    """
    without_nul("".join(header))
    known = contract.headers if headers is None else headers
    columns = tuple(known.get(fold_header(name)) for name in header)
    present = [name for name in columns if name is not None]
    twice = sorted({name for name in present if present.count(name) > 1})
    if twice:
        raise HeaderError(f"two columns are both {', '.join(twice)}", header, columns)
    missing = missing_columns(columns, contract)
    if missing:
        raise HeaderError(
            f"required column{'s' if len(missing) > 1 else ''} missing: {', '.join(missing)}", header, columns
        )
    hidden = frozenset(
        index for index, name in enumerate(columns) if name is None or contract.column(name).personal
    )
    return Layout(tuple(header), columns, hidden)


def missing_columns(columns: Iterable[str | None], contract: Contract) -> list[str]:
    present = set(columns)
    return [column.name for column in contract.columns if column.required and column.name not in present]


def normalise(text: str) -> str:
    """Trimmed, and NFC: what is stored of a text."""
    text = text.strip()
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def clean_fields(fields: Sequence[Field]) -> list[str]:
    """Normalised fields; empty text stands for null."""
    cleaned = [text.strip() if text else "" for text in fields]
    if not "".join(cleaned).isascii():
        cleaned = [unicodedata.normalize("NFC", text) for text in cleaned]
    if "NULL" in cleaned or "\\N" in cleaned:
        cleaned = ["" if text in NULLS else text for text in cleaned]
    return cleaned


def without_nul(text: str) -> str:
    """The text as it is; RefusedError if it has what no text of the database can have."""
    if "\0" in text:
        raise RefusedError("contains NUL characters")
    return text


def without_extras(fields: Sequence[Field], layout: Layout) -> list[str]:
    """Contract fields, cleaned, then the extra columns as they came, as JSON."""
    kept = clean_fields([text for text, name in zip(fields, layout.columns, strict=True) if name is not None])
    extras = {
        name: fields[index] for name, index in zip(layout.extra_names, layout.extra_positions, strict=True)
    }
    # As JSON a NUL is escaped, so nobody would find it later.
    without_nul("".join(text for text in extras.values() if text))
    kept.append(json.dumps(extras, ensure_ascii=False))
    return kept


def join_fields(fields: Iterable[Field], delimiter: str = ",") -> str:
    """Fields as one CSV record without its line end."""
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator=LINE_END).writerow(
        ["" if text is None else text for text in fields]
    )
    return buffer.getvalue().removesuffix(LINE_END)


def shown_header(name: str) -> str:
    """A name of a header as it may be shown: of a file without a header it is a value."""
    return (
        HIDDEN if _TELLS_A_PERSON.search(name) and any(char.isdigit() for char in name) else normalise(name)
    )


def hide(fields: Sequence[Field], layout: Layout, delimiter: str) -> str:
    """A record with its personal and its extra fields hidden, also where their values stand elsewhere.

    In a record with a wrong number of fields nobody knows which is which: all of them are hidden.
    """
    if len(fields) != layout.width:
        return join_fields([HIDDEN] * len(fields), delimiter)
    personal = {
        value for index in layout.hidden if layout.columns[index] and (value := (fields[index] or "").strip())
    }
    telling = [value for value in personal if len(value) >= _TELLING]
    shown: list[Field] = []
    for index, text in enumerate(fields):
        if text is None or not text.strip():
            shown.append(text)
        elif (
            index in layout.hidden
            or text.strip() in personal
            or any(value in text for value in telling)
            # `name` is that of a campaign or a counter.
            or (layout.columns[index] != "name" and _TELLS_A_PERSON.search(text))
        ):
            shown.append(HIDDEN)
        else:
            shown.append(text)
    return join_fields(shown, delimiter)
