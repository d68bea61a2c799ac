"""Parquet files as records. No judgement of values, no SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.contracts.file_form import PLAIN, FileForm
from dagster_project.contracts.model import Contract, Form
from dagster_project.landing.batches import BatchWriter, batch_schema
from dagster_project.landing.cells import cell_text
from dagster_project.landing.declared import Declared, Kind
from dagster_project.landing.records import (
    Layout,
    RawText,
    RefusedError,
    Total,
    clean_fields,
    hide,
    join_fields,
    match_header,
    without_extras,
)

_BATCH = 20_000
# What Arrow raises for a file that is damaged, or of a kind that it does not know.
_UNREADABLE = (pa.ArrowException, OSError, ValueError, OverflowError)
# What it raises for a value that Python cannot have; unknown time zones are a LookupError.
_OUTLYING = (pa.ArrowException, ValueError, OverflowError, LookupError)


class ParquetSource:
    """One Parquet file, opened. A row's line is its number in the file, from 1: there is no header line."""

    form: str | None = None

    def __init__(self, path: Path, contract: Contract, form: FileForm = PLAIN) -> None:
        self._declared = Declared(contract, form)
        try:
            self._file = pq.ParquetFile(path)
            schema = self._file.schema_arrow
        except _UNREADABLE as error:
            raise _unreadable(error) from None
        self._layout = match_header(self._declared.header(schema.names), contract, self._declared.headers)
        kinds = [_kind(kind) for kind in schema.types]
        self._kinds = [
            kind for kind, name in zip(kinds, self._layout.columns, strict=True) if name is not None
        ]
        self._is_text = [kind is Kind.TEXT for kind in kinds]
        self._forms: list[Form | None] = [
            contract.column(name).form if name is not None else None for name in self._layout.columns
        ]
        self.copy_columns = self._layout.contract_columns
        self._translator = self._declared.translator(self.copy_columns)
        self.extra_names = self._layout.extra_names
        self.notes: list[str] = []
        self.totals: list[Total] = []

    def layouts(self) -> list[tuple[str | None, Layout]]:
        return [(None, self._layout)]

    def sheet_starts(self) -> list[tuple[int, str]]:
        return []

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The row number is the line."""
        writer = BatchWriter(batch_schema(self.copy_columns, bool(self.extra_names)))
        for row_no, cells in self._rows():
            values = without_extras(cells, self._layout) if self.extra_names else clean_fields(cells)
            if self._translator:
                self._translator.cells(values, self._kinds)
            writer.write(row_no, row_no, None, values)
            if writer.is_full:
                yield writer.take()
        yield writer.take()

    def raw_texts(self, rows: Sequence[tuple[int, int]]) -> Iterator[RawText]:
        wanted = iter(rows)
        next_row = next(wanted, None)
        for row_no, cells in self._rows():
            if next_row is None:
                return
            if row_no == next_row[0]:
                yield RawText(row_no, join_fields(cells), hide(cells, self._layout, ","))
                next_row = next(wanted, None)

    def _rows(self) -> Iterator[tuple[int, tuple[str, ...]]]:
        row_no = 0
        for batch in self._batches():
            columns = [_texts(column, form) for column, form in zip(batch.columns, self._forms, strict=True)]
            if self._declared.is_legacy:
                columns = [self._in_unicode(index, texts, row_no) for index, texts in enumerate(columns)]
            for row_no, cells in enumerate(zip(*columns, strict=True), row_no + 1):  # noqa: B020
                yield row_no, cells

    def _in_unicode(self, index: int, texts: list[str], rows_before: int) -> list[str]:
        if not self._is_text[index]:
            return texts
        name = self._layout.header[index]
        return self._declared.decode_cells(
            texts, lambda place: f"row {rows_before + place + 1}, column {name}"
        )

    def _batches(self) -> Iterator[pa.RecordBatch]:
        try:
            yield from self._file.iter_batches(batch_size=_BATCH)
        except _UNREADABLE as error:
            raise _unreadable(error) from None


def _kind(kind: pa.DataType) -> Kind:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return Kind.TEXT
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return Kind.NUMBER
    return Kind.TYPED


def _texts(column: pa.Array, form: Form | None) -> list[str]:
    kind = column.type
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        # Python's moments end at microseconds; what is finer is cut.
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        raise RefusedError("has text that is not valid UTF-8") from None
    except _OUTLYING:
        values = [_value(scalar) for scalar in column]
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [text or "" for text in values]
    return [cell_text(value, form) for value in values]


def _value(scalar: pa.Scalar) -> Any:
    """A value of a column with some that Python cannot have; of those a text that is no date for anyone."""
    kind = scalar.type
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        scalar = scalar.cast(pa.timestamp(kind.unit, "UTC"))
    try:
        return scalar.as_py()
    except _OUTLYING:
        if pa.types.is_timestamp(kind):
            scalar = scalar.cast(pa.timestamp(kind.unit))  # with a zone, Arrow writes nonsense for far years
        elif not pa.types.is_date(kind):
            return f"<unreadable: {kind}>"
        return scalar.cast(pa.string()).as_py()


def _unreadable(error: Exception) -> RefusedError:
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return RefusedError(f"cannot be read as Parquet, perhaps truncated: {lines[0][:200]}")
