"""Comparing a published table with its recomputation, cell by cell.

Belongs here: reading a table as plain Python values and a difference people can act on. Does not belong here:
how either side was computed.
"""

from __future__ import annotations

import datetime as dt
import math
import unicodedata
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd

from .columns import records

RELATIVE = 1e-9
SHOWN = 10


class TablesDiffer(AssertionError):
    """Two tables that should be the same are not."""


def published(conn: Any, table: str, schema: str = "bi") -> pd.DataFrame:
    """All rows of a published table as plain Python objects (`conn`: an open psycopg2 connection)."""
    with conn.cursor() as cursor:
        cursor.execute(f'select * from "{schema}"."{table}"')
        names = [column[0] for column in cursor.description]
        rows = [list(row) for row in cursor.fetchall()]
    return pd.DataFrame(rows, columns=names, dtype=object)


def plain(value: Any) -> Any:
    """A value without its container's habits: missing is None, a numpy scalar is Python's."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if hasattr(value, "item") and not isinstance(value, (dt.date, str)):  # a numpy scalar
        value = value.item()
    return value


def same(actual: Any, expected: Any) -> bool:
    """Equal: fractions to 1e-9 relative; counts, money, texts and dates exactly and of the same type."""
    actual, expected = plain(actual), plain(expected)
    if actual is None or expected is None:
        return actual is None and expected is None
    if isinstance(actual, bool) or isinstance(expected, bool):
        return actual is expected
    numbers = (int, float, Decimal)
    if isinstance(actual, numbers) and isinstance(expected, numbers):
        if isinstance(expected, int):  # a count or money: published as bigint, never as numeric
            return isinstance(actual, int) and actual == expected
        return math.isclose(float(actual), float(expected), rel_tol=RELATIVE, abs_tol=0.0)
    return type(actual) is type(expected) and bool(actual == expected)


def differences(actual: pd.DataFrame, expected: pd.DataFrame, keys: Sequence[str]) -> Iterator[str]:
    """Every difference as one line: the key, then the column with both values. Columns as in `expected`."""
    missing = [name for name in expected.columns if name not in actual.columns]
    if missing:
        yield f"columns missing: {', '.join(missing)}"
        return

    def by_key(table: pd.DataFrame, side: str) -> tuple[dict[tuple[Any, ...], dict[str, Any]], list[str]]:
        found: dict[tuple[Any, ...], dict[str, Any]] = {}
        twice = []
        for row in records(table):
            key = tuple(plain(row[name]) for name in keys)
            if key in found:
                twice.append(f"{show(key)}: twice in {side}")
            found[key] = row
        return found, twice

    def show(key: tuple[Any, ...]) -> str:
        return "(" + ", ".join(str(part) for part in key) + ")"

    ours, ours_twice = by_key(actual, "actual")
    theirs, theirs_twice = by_key(expected, "expected")
    yield from ours_twice
    yield from theirs_twice
    for key in sorted(ours.keys() | theirs.keys(), key=lambda key: tuple(str(part) for part in key)):
        if key not in ours:
            yield f"{show(key)}: row missing"
        elif key not in theirs:
            yield f"{show(key)}: row not expected"
        else:
            for name in expected.columns:
                got, want = ours[key][name], theirs[key][name]
                if not same(got, want):
                    yield f"{show(key)} {name}: {plain(got)!r}, expected {plain(want)!r}"


def assert_same(
    actual: pd.DataFrame, expected: pd.DataFrame, keys: Sequence[str], name: str = "table"
) -> None:
    """Raise with the first differences unless every expected column agrees in every cell.

    Columns only `actual` has are ignored: published tables may have more than the fixed interface.
    """
    found = list(differences(actual, expected, keys))
    if found:
        more = f"\n  … and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
        lines = "\n  ".join(found[:SHOWN])
        raise TablesDiffer(
            f"{name}: {len(found)} differences"
            f" ({len(actual)} rows, {len(expected)} expected; key: {', '.join(keys)})\n  {lines}{more}"
        )


def assert_audit(audit: pd.DataFrame, expected: pd.DataFrame, loaded: pd.DataFrame) -> None:
    """Raise unless the ledger (`bi.load_audit`) accounts for every written file, in rows and in money.

    `expected` and `loaded` are those of the bundle writer: which file counts a row as loaded and which as
    duplicate is open, their sum per file and the rows loaded per source are not.
    """
    lines = [
        {
            "source": row["source"],
            "file": row["file"],
            "is_refused": row["refused_reason"] is not None,
            "rows_in_file": row["rows_in_file"],
            "rows_accepted": row["rows_loaded"] + row["rows_duplicate"],
            "rows_quarantined": row["rows_quarantined"],
            "money_in_file_vnd": row["money_in_file_vnd"],
            "money_accepted_vnd": row["money_loaded_vnd"] + row["money_duplicate_vnd"],
            "money_quarantined_vnd": row["money_quarantined_vnd"],
        }
        for row in records(audit)
    ]
    columns = list(expected.columns)
    ours = pd.DataFrame([[line[name] for name in columns] for line in lines], columns=columns, dtype=object)
    assert_same(ours, expected, ["source", "file"], "load_audit")

    totals: dict[str, list[int]] = {str(source): [0, 0] for source in loaded["source"]}
    for row in records(audit):
        total = totals.setdefault(row["source"], [0, 0])
        total[0] += row["rows_loaded"]
        total[1] += row["money_loaded_vnd"]
    names = ["source", "rows_loaded", "money_loaded_vnd"]
    sums = pd.DataFrame([[source, *total] for source, total in totals.items()], columns=names, dtype=object)
    assert_same(sums, loaded, ["source"], "load_audit by source")


def assert_quarantine(quarantine: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Raise unless exactly the expected rows are in quarantine, each with its file, line and column."""
    keys = ["source", "file", "line"]
    assert_same(quarantine, expected[[*keys, "column_name"]], keys, "quarantine")


def assert_quarantined_text(quarantine: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Raise unless the unmasked quarantine holds the rows' text as it stood in the file, line ends aside."""
    keys = ["source", "file", "line"]
    known = expected[[raw is not None for raw in expected["raw"]]]
    wanted = {tuple(row[key] for key in keys) for row in records(known)}
    rows = [
        {**row, "raw": unicodedata.normalize("NFC", str(row["raw"])).rstrip("\r\n")}
        for row in records(quarantine)
        if tuple(row[key] for key in keys) in wanted
    ]
    names = [*keys, "raw"]
    ours = pd.DataFrame([[row[name] for name in names] for row in rows], columns=names, dtype=object)
    assert_same(ours, known[names], keys, "quarantine text")
