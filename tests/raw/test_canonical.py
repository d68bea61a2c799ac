"""The shortcut for rows in canonical form judges no row otherwise than the checks in the database, and is taken."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from landing_folder import Landing

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Column, Contract, Form
from dagster_project.landing.batches import batch_schema
from dagster_project.landing.records import Layout, RawText, Total
from dagster_project.raw import judge
from dagster_project.raw.canonical import canonical_rows
from dagster_project.raw.checks import RowChecks

TODAY = date(2026, 11, 30)

_DAYS = (
    "2024-09-03", "2024-02-29", "2026-11-30", "2026-12-01", "1999-12-31", "9999-12-31", "1000-01-01",
    "2023-02-29", "2024-13-01", "2024-00-10", "2024-09-31", "0000-01-01", "0999-01-01", "0001-01-01", "03/09/2024",
    "2024-9-3", "2024/09/03", "20240903", "45538", "infinity", "today", "2024-09-03 BC", "2024-09- 3", "+024-09-03",
    "２０24-09-03", "2024-09-03 00:00:00", "12024-09-03", "-024-09-03",
)  # fmt: skip
_MOMENTS = (
    "2024-09-03 07:05:09", "2026-11-30 23:59:59", "2026-12-01 00:00:00", "2024-02-30 00:00:00", "1000-01-01 00:00:00",
    "2024-09-03 24:00:00", "2024-09-03 23:59:60", "2024-09-03 23:60:00", "2024-09-03T07:05:09", "2024-09-03 07:05",
    "2024-09-03 07:05:09.5", "2024-09-03 07:05+07", "2024-09-03 07:05:09Z", "2024-09-03 07:05:09+07:00",
    "2024-09-03  7:05:09", "2024-09-03 7:05:09", "0999-01-01 00:00:00", "2024-09-03_07:05:09", "2024-09-03\t07:05:09",
)  # fmt: skip
_MONTHS = (
    "2024-09", "2026-11", "2026-12", "09/2024", "2024-9", "2024-13", "0999-01", "1000-01", "2024-09-01", "+024-09",
    "２024-09",
)  # fmt: skip
_NUMBERS = (
    "7", "0", "1", "6", "8", "12", "0012", "9999", "10000", "125000", "123456789012345", "1234567890123456", "-5", "+5",
    "1.0", "125.000", "1.234.567", "1,234", "1e3", "0x10", "0.5", "0.50", ".5", "5.", "182.25", "182.250",
    "0.0", "00.1",
    "1.00000000000000000001", "0.9999999999999999999", "0.99999999999999999999", "NaN", "inf", "1_000", "１２", "²",
    "12 đ", "5 VND", "1 000", "123456789012345.5", "-0",
)  # fmt: skip
_TEXTS = (
    "a", "Đặng Văn Ước", "x" * 200, "x" * 201, "đ" * 200, "đ" * 201, "tab\tin", "back\\slash", "\\", "\\.", "line\nend",
    "line\r\nend", "car\rriage", 'quo"te', "com,ma", "semi;colon", "null", "'", "\u2028", "\ufeffmark", "😀", "a  b",
)  # fmt: skip
_PHONES = (
    "0912345678", "0212345678", "+84912345678", "912345678", "01612345678", "0912 345 678", "091234567", "09123456789",
    "0912345678/0987654321", "9.12345678E8", "912345678.0", "0912345678\n",
)  # fmt: skip
_VALUES: dict[Form, tuple[str, ...]] = {
    Form.TEXT: _TEXTS,
    Form.PHONE: _PHONES,
    Form.DATE: _DAYS,
    Form.TIMESTAMP: _MOMENTS + _DAYS,
    Form.DATE_OR_TIMESTAMP: _DAYS + _MOMENTS,
    Form.MONTH: _MONTHS,
    Form.MONEY: _NUMBERS,
    Form.DECIMAL: _NUMBERS,
    Form.SMALL_INTEGER: _NUMBERS,
    Form.BOOLEAN: ("true", "false", "1", "0", "TRUE", "t", "có", "Không", "yes"),
}  # fmt: skip
# Of each form the first is canonical; a row has at most a few others, so that there are rows of both kinds.
_PLAIN = {form: values[0] for form, values in _VALUES.items()}


@dataclass
class Records:
    """Records without a file."""

    copy_columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    has_extras: bool
    form: str | None = None
    notes: list[str] = field(default_factory=list)
    totals: list[Total] = field(default_factory=list)

    @property
    def extra_names(self) -> tuple[str, ...]:
        return ("more",) if self.has_extras else ()

    def batches(self) -> Iterator[pa.RecordBatch]:
        schema = batch_schema(self.copy_columns, self.has_extras)
        for start in range(0, len(self.rows), 50):
            columns = zip(*self.rows[start : start + 50], strict=True)
            yield pa.RecordBatch.from_arrays(
                [pa.array(column, kind.type) for column, kind in zip(columns, schema, strict=True)],
                schema=schema,
            )

    def raw_texts(self, rows: Any) -> Iterator[RawText]:
        raise AssertionError("no row is quarantined here")

    def layouts(self) -> list[tuple[str | None, Layout]]:
        return []

    def sheet_starts(self) -> list[tuple[int, str]]:
        return []


def records(contract: Contract, random: Random, rows: int) -> Records:
    columns = [column for column in contract.columns if column.required or random.random() < 0.8]
    random.shuffle(columns)
    has_extras = random.random() < 0.3
    made = []
    for number in range(1, rows + 1):
        odd = random.choice((0, 0, 0, 0.1, 0.5))
        texts = [_text(column, random, odd) for column in columns]
        extra = ['{"more": "a\\tb"}'] if has_extras else []
        count = len(columns) + 1 if random.random() < 0.02 else None
        made.append((number, number + 1, count, *texts, *extra))
    return Records(tuple(column.name for column in columns), made, has_extras)


def _text(column: Column, random: Random, odd: float) -> str:
    if random.random() < odd:
        return random.choice(("", *_VALUES[column.form], *column.values))
    if not column.required and random.random() < 0.2:
        return ""
    return random.choice(column.values) if column.values else _PLAIN[column.form]


def judged(landing: Landing, checks: RowChecks, rows: Records, folder: Path) -> list[tuple[Any, ...]]:
    with landing.conn.cursor() as cursor:
        for statement in checks.create_tables():
            cursor.execute(statement)
        judge.judge_rows(cursor, checks, rows, TODAY, folder)
        names = ", ".join(f'"{name}"' for name in checks.contract.names)
        cursor.execute(
            f"select row_no, line, field_count, money, {names}, extra, bad from {checks.checked_table} order by row_no"
        )
        found = cursor.fetchall()
    landing.conn.rollback()
    # Decimals that differ in their zeros are equal to Python and not to a reader.
    return [tuple(str(value) if isinstance(value, Decimal) else value for value in row) for row in found]


def no_row_is_judged_otherwise(
    landing: Landing, contract: Contract, folder: Path, seed: int, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    checks = RowChecks(contract)
    made = records(contract, Random(f"{contract.source} {seed}"), rows)
    taken = {
        number
        for batch in made.batches()
        for number, is_taken in zip(
            batch.column("row_no").to_pylist(),
            canonical_rows(contract, batch, TODAY).to_pylist(),
            strict=True,
        )
        if is_taken
    }
    quick = judged(landing, checks, made, folder)
    with monkeypatch.context() as patch:
        patch.setattr(judge, "canonical_rows", lambda _, batch, __: pa.repeat(False, batch.num_rows))
        slow = judged(landing, checks, made, folder)
    assert quick == slow
    assert len(slow) == rows
    good = {row[0] for row in slow if row[-1] is None}
    assert taken <= good
    # A shortcut that is never taken would be right, too. Targets have a column that only the database judges.
    assert (len(taken) > rows / 5) == (contract.source != "targets")
    assert len(good) < rows


@pytest.mark.parametrize("source", sorted(contracts()))
def test_every_source(landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    no_row_is_judged_otherwise(landing, contracts()[source], tmp_path, 1, 400, monkeypatch)


@pytest.mark.extended
@pytest.mark.parametrize("seed", range(1000, 1050))
@pytest.mark.parametrize("source", sorted(contracts()))
def test_every_source_often(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, seed: int
) -> None:
    no_row_is_judged_otherwise(landing, contracts()[source], tmp_path, seed, 2_000, monkeypatch)


LIMITS: list[dict[str, Any]] = [
    {"minimum": Decimal(7)},
    {"minimum": Decimal("6.5")},
    {"exclusive_minimum": Decimal(7)},
    {"exclusive_minimum": Decimal("6.5")},
    {"minimum": Decimal(0)},
    {"minimum": Decimal(-1)},
    {"minimum": Decimal(-(10**19))},
    {"exclusive_minimum": Decimal("-1e20")},
]


@pytest.mark.parametrize("limit", LIMITS, ids=str)
@pytest.mark.parametrize("form", [Form.MONEY, Form.DECIMAL, Form.SMALL_INTEGER])
def test_limits(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Form, limit: dict[str, Any]
) -> None:
    """Of any contract that the operator may write, not only of those we ship."""
    assert_alike(landing, tmp_path, monkeypatch, form, _NUMBERS, **limit)


@pytest.mark.parametrize("form", [Form.DATE, Form.TIMESTAMP, Form.DATE_OR_TIMESTAMP, Form.MONTH])
def test_moments_that_must_not_lie_in_the_future(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Form
) -> None:
    assert_alike(landing, tmp_path, monkeypatch, form, _VALUES[form], not_after_today=True)


@pytest.mark.parametrize("is_required", [True, False])
@pytest.mark.parametrize("form", list(Form))
def test_forms(
    landing: Landing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Form, is_required: bool
) -> None:
    assert_alike(landing, tmp_path, monkeypatch, form, _VALUES[form], required=is_required)


def assert_alike(
    landing: Landing,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: Form,
    texts: tuple[str, ...],
    **changes: Any,
) -> None:
    """One column of the form, with all of these texts and none, judged both ways."""
    key = Column("id", Form.TEXT, "", required=True, key=True, personal=False)
    column = Column("one", form, "", required=False, key=False, personal=False)
    checks = RowChecks(Contract("tried", "", "", (key, replace(column, **changes)), "one", None, None))
    rows = [(number, number, None, "a", text) for number, text in enumerate(("", *texts), 1)]
    made = Records(("id", "one"), rows, has_extras=False)
    quick = judged(landing, checks, made, folder)
    monkeypatch.setattr(judge, "canonical_rows", lambda _, batch, __: pa.repeat(False, batch.num_rows))
    assert quick == judged(landing, checks, made, folder)
