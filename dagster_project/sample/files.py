"""Writing the generator's arrays as CSV files, in the contract's column order. Decides no content."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from dagster_project.sample.spans import NEVER, Ints, Table

DATE_COLUMNS = {
    "effective_from",
    "issued_on",
    "due_on",
    "signed_on",
    "ended_on",
    "opened_on",
    "planned_close_on",
}
DATE_COLUMNS |= {"closed_on", "authority_reported_on", "starts_on", "ends_on", "partner_settled_on"}
TIME_COLUMNS = {
    "updated_at",
    "paid_at",
    "contacted_at",
    "sent_at",
    "delivered_at",
    "reviewed_at",
    "received_at",
}
TIME_COLUMNS |= {"closed_at"}


def dates(days: Ints) -> pa.Array:
    """Days as ISO dates; NEVER is empty."""
    days = np.asarray(days, dtype=np.int64)
    return pa.array(days.astype(np.int32), mask=days >= NEVER).cast(pa.date32())


def times(seconds: Ints) -> pa.Array:
    """Seconds as ``2024-05-01 08:00:00``; NEVER is empty (no real second is as small)."""
    seconds = np.asarray(seconds, dtype=np.int64)
    return pa.array(seconds, mask=seconds == NEVER).cast(pa.timestamp("s"))


def numbered(prefix: pa.Array | pa.Scalar, numbers: Ints, digits: int) -> pa.Array:
    """``BE`` and a number of fixed length."""
    text = pc.utf8_lpad(pa.array(numbers).cast(pa.string()), digits, "0")
    return pc.binary_join_element_wise(prefix, text, pa.scalar(""))


def write_plain(path: Path, columns: dict[str, pa.Array]) -> None:
    """A large table without a character that would need quotes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table(columns)
    with path.open("wb") as handle:
        handle.write((",".join(columns) + "\n").encode())
        arrow_csv.write_csv(table, handle, arrow_csv.WriteOptions(include_header=False, quoting_style="none"))


def write_quoted(path: Path, columns: Table) -> None:
    """A table of texts, dates and times; quotes where needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    texts = []
    for name, column in columns.items():
        if name in DATE_COLUMNS:
            texts.append(dates(column).cast(pa.string()).to_pylist())
        elif name in TIME_COLUMNS:
            texts.append(times(column).cast(pa.string()).to_pylist())
        else:
            texts.append(column.tolist())
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*texts, strict=True))
