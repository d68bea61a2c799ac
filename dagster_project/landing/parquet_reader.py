"""Parquet files as records. No judgement of values, no SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.contracts.model import Contract, Form
from dagster_project.landing.cells import cell_text
from dagster_project.landing.records import (
    BlockWriter,
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


class ParquetSource:
    """One Parquet file, opened. A row's line is its number in the file, from 1: there is no header line."""

    delimiter = ","

    def __init__(self, path: Path, contract: Contract) -> None:
        try:
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise RefusedError(f"cannot be read as Parquet, perhaps truncated: {_brief(error)}") from None
        self._layout = match_header(self._file.schema_arrow.names, contract)
        self._forms: list[Form | None] = [
            contract.column(name).form if name is not None else None for name in self._layout.columns
        ]
        self.copy_columns = self._layout.contract_columns
        self.extra_names = self._layout.extra_names
        self.notes: list[str] = []
        self.totals: list[Total] = []

    def sheet_starts(self) -> list[tuple[int, str]]:
        return []

    def blocks(self) -> Iterator[str]:
        """Blocks for COPY; the row number is the line."""
        writer = BlockWriter(self.delimiter)
        for row_no, cells in self._rows():
            values = without_extras(cells, self._layout) if self.extra_names else clean_fields(cells)
            writer.write((row_no, row_no, None, *values))
            if writer.is_full:
                yield _without_nul(writer.take())
        yield _without_nul(writer.take())

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
        try:
            for batch in self._file.iter_batches(batch_size=_BATCH):
                columns = [
                    _texts(column, form) for column, form in zip(batch.columns, self._forms, strict=True)
                ]
                for row_no, cells in enumerate(zip(*columns, strict=True), row_no + 1):  # noqa: B020
                    yield row_no, cells
        except (pa.ArrowException, OSError) as error:
            raise RefusedError(f"cannot be read as Parquet, perhaps truncated: {_brief(error)}") from None


def _texts(column: pa.Array, form: Form | None) -> list[str]:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return [text or "" for text in column.to_pylist()]
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        # Python's moments end at microseconds; what is finer is cut.
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
    return [cell_text(value, form) for value in column.to_pylist()]


def _brief(error: Exception) -> str:
    return str(error).strip().splitlines()[0][:200] if str(error).strip() else type(error).__name__


def _without_nul(block: str) -> str:
    if "\0" in block:
        raise RefusedError("contains NUL characters")
    return block
