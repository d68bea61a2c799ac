"""Batches of records as Arrow columns of text: their schema, and how they are collected. No files, no judgement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import pyarrow as pa

from dagster_project.landing.records import without_nul

# Arrow's own keeps whatever it once had.
pa.set_memory_pool(pa.system_memory_pool())

# So many records, or characters, make a batch: enough that what is done once for a batch costs little.
BATCH_ROWS = 4_000
BATCH_CHARS = 1 << 19


def batch_schema(columns: Iterable[str], has_extras: bool) -> pa.Schema:
    """Number of the row in the file, line, number of fields (null unless it is wrong), and the contract columns.

    Texts are normalised and never null: what is empty is an empty text. Extra columns are one JSON text.
    """
    texts = [*columns, *(["extra"] if has_extras else [])]
    return pa.schema(
        [("row_no", pa.int64()), ("line", pa.int32()), ("field_count", pa.int32())]
        + [(name, pa.string()) for name in texts]
    )


class BatchWriter:
    """Collects records (row_no, line, field_count, texts …) until there is a batch of them."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._rows: list[tuple[int | str | None, ...]] = []
        self._chars = 0

    def write(self, row_no: int, line: int, field_count: int | None, texts: Sequence[str]) -> None:
        self._rows.append((row_no, line, field_count, *texts))
        self._chars += sum(map(len, texts))

    @property
    def is_full(self) -> bool:
        return len(self._rows) >= BATCH_ROWS or self._chars >= BATCH_CHARS

    def take(self) -> pa.RecordBatch:
        """What has been collected; RefusedError if a text is none for the database."""
        columns: Iterable[Sequence[int | str | None]] = (
            zip(*self._rows, strict=True) if self._rows else [()] * len(self._schema)
        )
        arrays = []
        for column, field in zip(columns, self._schema, strict=True):
            if pa.types.is_string(field.type):
                without_nul("".join(cast("Sequence[str]", column)))
            arrays.append(pa.array(column, field.type))
        self._rows.clear()
        self._chars = 0
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)
