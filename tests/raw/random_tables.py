"""Random tables of every source: what each value means, and what is wrong with the bad ones.

Belongs here: values, faults, and what raw and quarantine must say of them. How they are written is not here
(random_files.py). The columns are the oracle's, written from the landing contract's text; nothing of the pipeline
is asked.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from tests.oracle.columns import MONEY_COLUMN, SOURCES, Column, Source

TODAY = date(2026, 1, 15)

NAMES = (
    "Nguyễn Thị Ước", "Đặng Văn Ngữ", "Tống Công Thủy", "Ỷ Lan", "Phố Phúc Thành, tổ 5", "Xóm Đông; ngõ 2",
    'quán "Gió"', "a | b", "dòng một\ndòng hai", "\"", "''", "ơ", "O'Brien", "Công ty TNHH điện lực", "null", "N/A",
    "-", "%", "0", "00112", "=1+1", "@x", "nhà\tsau",
)  # fmt: skip
# Letters of Vietnamese, which Windows-1258 has too, and what CSV has a use for.
_LETTERS = " 0123456789-.,;:/|'\"()&<>\n" + (
    "aăâbcdđeêghiklmnoôơpqrstuưvxyAĂÂBĐÊHÔƠƯáàảãạấầẩẫậắằẳẵặéèẻẽẹíịóỏõọốờởỡợúùủũụứựýỳỷỹỵ"
)
_CODES = "ABCDEFXYZabcxyz0123456789-./"

# What is no value of a kind, and what can be mistaken for one.
NOT_OF_KIND: dict[str, tuple[str, ...]] = {
    "date": (
        "2024-02-30", "31/04/2024", "05/13/2024", "2024-9-3", "3/9-2024", "03/09/24", "2024/09/03", "today",
        "infinity", "2024-09-03 00:01", "45538.5", "hôm qua",
    ),
    "timestamp": (
        "2024-09-03 24:00", "2024-09-03 10:60", "10:00", "2024-09-03 10:00:60", "2024-09-03 10:00 PM",
        "2024-02-30 10:00", "05/13/2024 10:00", "now", "2024-09-03 10:00+15:00", "?",
    ),
    "month": ("2024-13", "13/2024", "2024-9", "2024-09-02", "09-2024", "tháng 9"),
    "money": (
        "1.234,567", "12.34", "1.2345", "125000.5", "1e5", "1_000", "NaN", "--5", "- 5", "+5", "đ", "5 USD",
        "1..000", "nhiều", "1234567890123456",
    ),
    "decimal": ("182,5", "1e3", ".5", "1.234.567", "x", "1_0"),
    "int": ("4", "0", "x", "1,0", "-1"),
    "bool": ("yes", "t", "2", "đúng", "-"),
}  # fmt: skip

Value = str | int | bool | date | datetime | Decimal | None


@dataclass(frozen=True)
class Bad:
    """A value that must not be accepted. A text stands in the file as it is; others are spelt like good ones."""

    value: Value
    money_vnd: int = 0


@dataclass(frozen=True)
class Row:
    """One row as it is meant. `surplus`: fields too many or (negative) too few, for formats that have lines."""

    source: Source
    cells: dict[str, Value | Bad]
    surplus: int = 0

    @property
    def bad_columns(self) -> list[str]:
        return [name for name, value in self.cells.items() if isinstance(value, Bad)]

    @property
    def is_good(self) -> bool:
        return not self.surplus and not self.bad_columns

    @property
    def typed(self) -> tuple[Value, ...]:
        """What raw must have of a good row."""
        values = tuple(self.cells[name] for name in self.source.names)
        assert not any(isinstance(value, Bad) for value in values)
        return values  # type: ignore[return-value]

    @property
    def money_vnd(self) -> int:
        """What the row adds to the money of its file: nothing if that cannot be read."""
        name = MONEY_COLUMN.get(self.source.name)
        if name is None or self.surplus:
            return 0
        value = self.cells[name]
        return value.money_vnd if isinstance(value, Bad) else int(value or 0)  # type: ignore[arg-type]


@dataclass
class Expected:
    """What must become of a file's rows, by the line where they stand."""

    loaded: list[tuple[int, tuple[Value, ...]]] = field(default_factory=list)
    duplicate: list[tuple[int, tuple[Value, ...]]] = field(default_factory=list)
    quarantined: list[tuple[int, str | None]] = field(default_factory=list)
    money_vnd: list[int] = field(default_factory=lambda: [0, 0, 0])

    @property
    def counts(self) -> tuple[int, ...]:
        """Rows loaded, duplicate and quarantined, and their money."""
        return (len(self.loaded), len(self.duplicate), len(self.quarantined), *self.money_vnd)


def expected(rows: Sequence[tuple[int, Row]], known: Sequence[tuple[Value, ...]] = ()) -> Expected:
    """What must become of rows that stand at these lines, when rows equal to `known` are there already."""
    found = Expected()
    seen = set(known)
    for line, row in rows:
        if not row.is_good:
            found.quarantined.append((line, None if row.surplus else row.bad_columns[0]))
            found.money_vnd[2] += row.money_vnd
        elif row.typed in seen:
            found.duplicate.append((line, row.typed))
            found.money_vnd[1] += row.money_vnd
        else:
            seen.add(row.typed)
            found.loaded.append((line, row.typed))
            found.money_vnd[0] += row.money_vnd
    return found


def random_table(random: Random, source_name: str, *, is_dirty: bool = True, most: int = 6) -> list[Row]:
    """Up to `most` rows and, some of them, a second time; a few with one fault or two."""
    source = SOURCES[source_name]
    rows: list[Row] = []
    for number in range(random.randint(0, most)):
        if rows and random.random() < 0.2:
            rows.append(random.choice(rows))
            continue
        cells: dict[str, Value | Bad] = dict(random_values(random, source, number))
        surplus = 0
        if is_dirty and random.random() < 0.3:
            for _ in range(random.choice((1, 1, 2))):
                _spoil(random, source, cells)
            if random.random() < 0.2:
                surplus = random.choice((-2, -1, 1, 2))
        rows.append(Row(source, cells, surplus))
    return rows


def random_values(random: Random, source: Source, number: int) -> dict[str, Value]:
    """A good row. Keys seldom meet, and where they do the rows are versions of one key."""
    cells: dict[str, Value] = {}
    for column in source.columns:
        if column.optional and random.random() < 0.3:
            cells[column.name] = None
        elif column.key and column.kind == "code" and not column.allowed and random.random() < 0.8:
            cells[column.name] = f"K{number}"
        else:
            cells[column.name] = random_value(random, column)
    if source.name == "payments":
        cells["amount"] = random.choice((1, 432_000, 10**13 - 1, random.randint(1, 10**9)))
        cells["fee"] = random.choice((None, 0, 1100))
        cells["paid_at"] = _moment(random, datetime(2020, 1, 1), datetime(2026, 1, 15, 23, 59, 59))
    if source.name == "targets":
        share = Decimal(random.choice(("0", "1", "0.5", "0.8125", "0.10")))
        cells["target"] = Decimal(random.choice(("6", "1200"))) if cells["metric"] == "conversions" else share
    return cells


def random_value(random: Random, column: Column) -> Value:  # noqa: PLR0911 - one line per kind
    """A value of the column's kind that every format can hold: whole seconds, no control characters."""
    if column.allowed:
        value = random.choice(column.allowed)
        return int(value) if column.kind == "int" else value
    match column.kind:
        case "date":
            return _day(random)
        case "month":
            return _day(random).replace(day=1)
        case "timestamp":
            moment = _moment(random, datetime(1980, 1, 1), datetime(2090, 12, 31))
            is_midnight = column.name == "updated_at" and random.random() < 0.4
            return moment.replace(hour=0, minute=0, second=0) if is_midnight else moment
        case "money":
            return random.choice((0, -5, 999, 1000, 125_000, -1_234_567, random.randint(-(10**12), 10**12)))
        case "decimal":
            return Decimal(random.choice(("0", "182.5", "182", "-1.5", "0.001", "99999.25")))
        case "bool":
            return random.random() < 0.5
        case "phone":
            return _phone(random)
        case "text":
            return _text(random)
    return _code(random)


def _spoil(random: Random, source: Source, cells: dict[str, Value | Bad]) -> None:
    """One fault more."""
    column = random.choice(source.columns)
    money = MONEY_COLUMN.get(source.name)
    if source.name == "payments" and random.random() < 0.4:
        name = random.choice(("paid_at", "amount", "fee"))
        amount = random.choice((0, -1, -432_000))
        faults = {
            "paid_at": Bad(_moment(random, datetime(2026, 1, 16), datetime(2080, 1, 1))),
            "amount": Bad(amount, amount),
            "fee": Bad(-1),
        }
        cells[name] = faults[name]
    elif source.name == "targets" and cells["metric"] != "conversions" and random.random() < 0.3:
        cells["target"] = Bad(Decimal(random.choice(("1.01", "-0.1", "78.36"))))
    elif column.allowed and random.random() < 0.7:
        cells[column.name] = Bad(random.choice(("", "nobody", "Đã thu", column.allowed[0].upper() + "_")))
    elif not column.optional and random.random() < 0.3:
        cells[column.name] = Bad(random.choice(("", "NULL", "\\N")))
    elif column.kind == "code" and not column.allowed and column.name != "contract_no":
        cells[column.name] = Bad("X" * random.choice((201, 3000)))
    elif column.kind in NOT_OF_KIND:
        cells[column.name] = Bad(random.choice(NOT_OF_KIND[column.kind]))
    elif money is not None:
        cells[money] = Bad(random.choice(NOT_OF_KIND["money"]))


def _day(random: Random) -> date:
    if random.random() < 0.1:
        return random.choice((date(1930, 1, 1), date(2024, 2, 29), date(2100, 12, 31), date(2024, 12, 1)))
    return date(2023, 1, 1) + timedelta(days=random.randint(0, 1200))


def _moment(random: Random, first: datetime, last: datetime) -> datetime:
    return first + timedelta(seconds=random.randint(0, int((last - first).total_seconds())))


def _phone(random: Random) -> str:
    if random.random() < 0.2:
        return random.choice(("02293871234", "0912345678/0987654321", "12345", "khong co", "01001234567"))
    return f"0{random.choice('35789')}{random.randint(0, 99_999_999):08}"


def _text(random: Random) -> str:
    if random.random() < 0.7:
        return random.choice(NAMES)
    letters = "".join(random.choice(_LETTERS) for _ in range(random.randint(1, 12)))
    return unicodedata.normalize("NFC", letters).strip() or "x"


def _code(random: Random) -> str:
    if random.random() < 0.5:
        return random.choice(
            (
                "PN01000000001",
                "14587",
                "00112",
                "BE1",
                "qr",
                "VCB",
                "HĐ/1",
                "1e5",
                "9007199254740992",
                "Đ" * 200,
            )
        )
    return "".join(random.choice(_CODES) for _ in range(random.randint(1, 10))).strip() or "x"
