"""Random tables written as files, in every form that is read without a declaration.

Belongs here: spellings of values, headers, layouts, encodings, and the line where each row then stands. What the
values are is not here (random_tables.py), nor what the pipeline makes of them.
"""

from __future__ import annotations

import gzip
import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter
from random_tables import Bad, Row, Value

from tests.oracle.columns import MONEY_COLUMN, SOURCES, Column, Source
from tests.oracle.read_landing import OLD_PREFIXES, VIETNAMESE_HEADERS
from tests.oracle.write_bundle import encode_cp1258

VIETNAMESE = {english: vietnamese for vietnamese, english in VIETNAMESE_HEADERS.items()}
EXTRA = ("Ghi chú", "STT", "note", "tên nhân viên thu, ngày", "x\ny", "")
_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_ZERO = datetime(1899, 12, 30)
_EXACT = 2**53


@dataclass
class Written:
    """A file and where its rows stand in it."""

    ending: str
    content: bytes = b""
    rows: list[tuple[int, Row]] = field(default_factory=list)
    extra_names: tuple[str, ...] = ()
    # Per row, in their order: the extra columns as they came, and the record as it stands in a CSV file.
    extras: list[dict[str, str]] = field(default_factory=list)
    records: list[str] = field(default_factory=list)
    encoding: str = ""


# -- spellings ---------------------------------------------------------------------------------------------


def spell(random: Random, column: Column, value: Value) -> str:
    """A value as text, in one of the forms of its kind."""
    if value is None:
        return random.choice(("", "", "", "NULL", "\\N", "  "))
    text = _SPELLERS.get(column.kind, _plain)(random, value)
    if isinstance(value, datetime) and column.name == "updated_at" and value == _midnight(value):
        text = random.choice((text, spell_date(random, value.date())))
    return random.choice((f" {text}", f"{text}  ", f"\u00a0{text} ")) if random.random() < 0.1 else text


def spell_bad(random: Random, column: Column, bad: Bad) -> str:
    return bad.value if isinstance(bad.value, str) else spell(random, column, bad.value)


def spell_date(random: Random, day: date) -> str:
    y, m, d = f"{day.year:04}", f"{day.month}", f"{day.day}"
    forms = (
        f"{y}-{m:0>2}-{d:0>2}",
        f"{d:0>2}/{m:0>2}/{y}",
        f"{d}/{m}/{y}",
        f"{d:0>2}-{m:0>2}-{y}",
        f"{d}-{m}-{y}",
    )
    serial = str((day - _ZERO.date()).days)
    return random.choice((*forms, f"{d:0>2}/{m}/{y}", serial, f"{serial}.0"))


def spell_moment(random: Random, moment: datetime) -> str:
    if random.random() < 0.1:
        return f"{serial_of(moment):.10f}"
    offset, hours = random.choice((("", 7.0),) * 4 + _OFFSETS)
    written = moment + timedelta(hours=hours - 7)
    day = spell_date(random, written.date())
    while day.partition(".")[0].isdigit():
        day = spell_date(random, written.date())  # a serial takes no time behind it
    clock = f"{written:%H:%M:%S}"
    if written.second == 0 and random.random() < 0.7:
        clock = f"{written:%H:%M}"
    elif random.random() < 0.2:
        clock += random.choice((".0", ".000", ".000000", ".0000000"))
    if clock.startswith("0") and random.random() < 0.1:
        clock = clock[1:]
    return day + random.choice("T ") + clock + offset


_OFFSETS = (
    ("Z", 0.0),
    ("+00:00", 0.0),
    ("+07:00", 7.0),
    ("+0700", 7.0),
    ("-04", -4.0),
    (" +05:30", 5.5),
    ("-09:00", -9.0),
)


def spell_month(random: Random, month: date) -> str:
    return random.choice((f"{month:%Y-%m}", f"{month:%m/%Y}", f"{month.month}/{month.year}"))


def spell_money(random: Random, amount: int) -> str:
    text = random.choice(
        (str(amount), str(amount), *(f"{amount:,}".replace(",", mark) for mark in ".,\u00a0 "))
    )
    text += random.choice(("", "", "", ".0", ".00"))
    return text + random.choice(("", "", "", "đ", " đ", " VND", "vnd", "VND"))


def spell_phone(random: Random, phone: str) -> str:
    if not re.fullmatch(r"0[35789]\d{8}", phone):
        return phone
    bare = phone[1:]
    grouped = f"{phone[:4]}{random.choice(' .-')}{phone[4:7]}{random.choice(' .-')}{phone[7:]}"
    forms = [phone, f"+84{bare}", f"84{bare}", bare, f"{bare}.0", f"84{bare}.0", grouped, f"+84 {bare}"]
    forms += [old + phone[3:] for old, new in OLD_PREFIXES.items() if phone.startswith(new)]
    return random.choice(forms)


def spell_bool(random: Random, value: bool) -> str:
    true = ("true", "TRUE", "True", "1", "có", "Có", "CÓ")
    false = ("false", "FALSE", "False", "0", "không", "Không", "KHÔNG")
    return random.choice(true if value else false)


def _plain(random: Random, value: Value) -> str:
    return str(value)


def _midnight(moment: datetime) -> datetime:
    return datetime(moment.year, moment.month, moment.day)


def serial_of(moment: datetime) -> float:
    """The days since the zero of Excel."""
    return (moment - _ZERO) / timedelta(days=1)


_SPELLERS: dict[str, Callable[[Random, Any], str]] = {
    "date": spell_date,
    "timestamp": spell_moment,
    "month": spell_month,
    "money": spell_money,
    "phone": spell_phone,
    "bool": spell_bool,
    "int": lambda random, value: random.choice((str(value), f"{value}.0")),
}


def header(random: Random, names: Sequence[str]) -> list[str]:
    """The header's cells: contract names in any case, or Vietnamese ones in any writing."""

    def one(name: str) -> str:
        text = VIETNAMESE.get(name, name)
        bare = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
        bare = bare.replace("đ", "d")
        forms = {
            "contract": (name,),
            "any case": (name.upper(), name.title(), f" {name} "),
            "vietnamese": (text, text.upper(), text.capitalize(), text.replace(" ", "  ")),
            "bare": (bare, bare.upper(), bare.title()),
            "decomposed": (unicodedata.normalize("NFD", text),),
        }
        return random.choice(forms[style if style != "mixed" else random.choice(tuple(forms))])

    style = random.choice(("contract", "any case", "vietnamese", "bare", "decomposed", "mixed"))
    return [one(name) for name in names]


# -- what all formats share ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Columns:
    """The columns of a file in their order: contract names, or None for an extra one."""

    names: tuple[str | None, ...]
    header: tuple[str, ...]
    extra_names: tuple[str, ...]


def _columns(random: Random, source: Source, rows: Sequence[Row], *, first: int | None = None) -> _Columns:
    """`first`: how many columns of a sheet lie before. A sheet begins where something stands in it."""
    names: list[str | None] = [
        column.name
        for column in source.columns
        if not column.optional
        or any(row.cells[column.name] is not None for row in rows)
        or random.random() < 0.6
    ]
    if random.random() < 0.5:
        random.shuffle(names)
    written = iter(header(random, [name for name in names if name]))
    heads = [next(written) for _ in names]
    for extra in random.sample(EXTRA, random.choice((0, 0, 0, 1, 3))):
        # Never last: Excel has no end of a header but its last cell.
        place = random.randint(0 if extra or first is None else 1, len(names) - 1)
        names.insert(place, None)
        heads.insert(place, extra)
    extras = [
        head or f"column {(first or 0) + number}"
        for number, (name, head) in enumerate(zip(names, heads, strict=True), 1)
        if name is None
    ]
    return _Columns(tuple(names), tuple(heads), tuple(extras))


def _noted(random: Random, columns: _Columns) -> dict[str, str]:
    texts = ("", "thu hộ", " giữ nguyên ", "NULL", "1.234,5", "a;b,c|d")
    return {name: random.choice(texts) for name in columns.extra_names}


def whole(rows: Sequence[Row]) -> list[Row]:
    """The rows for formats that have cells and no lines: none has too many or too few fields."""
    return [replace(row, surplus=0) for row in rows]


# -- CSV -----------------------------------------------------------------------------------------------------


def write_csv(random: Random, source_name: str, rows: Sequence[Row], ending: str = ".csv") -> Written:
    source = SOURCES[source_name]
    columns = _columns(random, source, rows)
    written = Written(ending, extra_names=columns.extra_names)
    delimiter = random.choice(",;\t|")
    line_end = random.choice(("\n", "\r\n", "\r", "mixed"))
    quoting = random.choice(("where needed", "where needed", "everywhere", "anywhere"))
    blanks = random.choice((0.0, 0.0, 0.2))

    def field_of(text: str) -> str:
        is_needed = any(char in text for char in (delimiter, '"', "\n", "\r"))
        if is_needed or quoting == "everywhere" or (quoting == "anywhere" and random.random() < 0.3):
            return '"' + text.replace('"', '""') + '"'
        return text

    def end() -> str:
        return random.choice(("\n", "\r\n")) if line_end == "mixed" else line_end

    text = ""

    def put(record: str, *, is_last: bool = False) -> int:
        nonlocal text
        while random.random() < blanks:
            text += random.choice(("", " ", "   ")) + end()
        line = len(re.findall("\r\n|\r|\n", text)) + 1
        text += record + ("" if is_last else end())
        return line

    put(delimiter.join(map(field_of, columns.header)))
    for number, row in enumerate(rows):
        noted = _noted(random, columns)
        extras = iter(noted.values())
        fields = []
        for name in columns.names:
            if name is None:
                fields.append(next(extras))
                continue
            column, value = source.column(name), row.cells[name]
            is_bad = isinstance(value, Bad)
            fields.append(spell_bad(random, column, value) if is_bad else spell(random, column, value))
        fields = fields[: row.surplus] if row.surplus < 0 else fields + ["thừa"] * row.surplus
        record = delimiter.join(map(field_of, fields))
        # A last row without its end and with too few fields would be a torn file.
        is_last = number == len(rows) - 1 and row.surplus >= 0 and random.random() < 0.3
        written.rows.append((put(record, is_last=is_last), row))
        written.extras.append(noted)
        written.records.append(record)
    written.encoding, data = _encoded(random, text)
    written.content = gzip.compress(data, mtime=0) if ending == ".csv.gz" else data
    return written


def _encoded(random: Random, text: str) -> tuple[str, bytes]:
    encoding = random.choice(
        ("utf-8", "utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "decomposed", "cp1258", "cp1258")
    )
    match encoding:
        case "utf-16-le":
            return encoding, b"\xff\xfe" + text.encode(encoding)
        case "utf-16-be":
            return encoding, b"\xfe\xff" + text.encode(encoding)
        case "decomposed":
            return encoding, unicodedata.normalize("NFD", text).encode()
        case "cp1258":
            data = encode_cp1258(unicodedata.normalize("NFC", text))
            try:
                data.decode()
            except UnicodeDecodeError:
                return encoding, data
            return "utf-8", text.encode()  # ASCII, or by chance also UTF-8: nobody could tell
    return encoding, text.encode(encoding)


# -- Excel ---------------------------------------------------------------------------------------------------


def write_openpyxl(random: Random, source_name: str, rows: Sequence[Row]) -> Written:
    written, sheets = _sheets(random, source_name, rows)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, cells in sheets.items():
        sheet = book.create_sheet(name)
        for (line, place), value in cells.items():
            cell = sheet.cell(line, place, value)
            if isinstance(value, str):
                cell.data_type = "s"  # also what begins like a formula
    stream = io.BytesIO()
    book.save(stream)
    written.content = stream.getvalue()
    return written


def write_xlsxwriter(random: Random, source_name: str, rows: Sequence[Row]) -> Written:
    written, sheets = _sheets(random, source_name, rows)
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "constant_memory": random.random() < 0.3})
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    moment = book.add_format({"num_format": "dd/mm/yyyy hh:mm:ss"})
    for name, cells in sheets.items():
        sheet = book.add_worksheet(name)
        for (line, place), value in sorted(cells.items()):
            match value:
                case bool():
                    sheet.write_boolean(line - 1, place - 1, value)
                case str():
                    sheet.write_string(line - 1, place - 1, value)
                case datetime():
                    sheet.write_datetime(line - 1, place - 1, value, moment)
                case date():
                    sheet.write_datetime(line - 1, place - 1, value, day)
                case int() | float():
                    sheet.write_number(line - 1, place - 1, value)
    book.close()
    written.content = stream.getvalue()
    return written


_Sheet = dict[tuple[int, int], Any]


def _sheets(random: Random, source_name: str, rows: Sequence[Row]) -> tuple[Written, dict[str, _Sheet]]:
    """The rows in one sheet or two, with titles above and a total below, and perhaps a sheet of other things."""
    written = Written(".xlsx")
    rows = whole(rows)
    cut = random.randint(0, len(rows)) if random.random() < 0.3 else len(rows)
    parts = {"Tháng 5": rows[:cut], "Bảng 2": rows[cut:]} if cut < len(rows) else {"Sheet1": rows}
    sheets: dict[str, _Sheet] = {}
    if random.random() < 0.2:
        sheets["Ghi chú"] = {(1, 1): "Không phải dữ liệu", (3, 2): 7}
    for name, part in parts.items():
        sheets[name] = _sheet(random, source_name, part, written)
    if random.random() < 0.1:
        sheets["Trống"] = {}
    return written, sheets


def _sheet(random: Random, source_name: str, rows: Sequence[Row], written: Written) -> _Sheet:
    source = SOURCES[source_name]
    left = random.choice((0, 0, 0, 2))
    cells: _Sheet = {}
    line = random.choice((1, 1, 2, 6, 30))
    titles = ("CÔNG TY ĐIỆN LỰC NINH BÌNH", "Bảng kê", "tháng 5/2024", 2024)
    for above in range(1, line):
        if random.random() < 0.5:
            cells[above, left + random.randint(1, 6)] = random.choice(titles)  # not left of the table
    columns = _columns(random, source, rows, first=left)
    for place, head in enumerate(columns.header, left + 1):
        if head:
            cells[line, place] = head
    for row in rows:
        line += random.choice((1, 1, 1, 1, 1, 3))
        noted = _noted(random, columns)
        extras = iter(noted.values())
        for place, name in enumerate(columns.names, left + 1):
            if name is None:
                value: Any = next(extras)
            else:
                value = cell_of(random, source.column(name), row.cells[name])
            if value is not None and value != "":
                cells[line, place] = value
        written.rows.append((line, row))
        written.extras.append(noted)
    money = MONEY_COLUMN.get(source_name)
    if money and random.random() < 0.4:
        line += random.choice((1, 2))
        place = random.choice(
            [place for place, name in enumerate(columns.names) if name not in (None, money)]
        )
        cells[line, left + 1 + place] = random.choice(("Tổng cộng", "TỔNG CỘNG:", "Cộng", "tong so"))
        total = sum(row.money_vnd for row in rows)
        cells[line, left + 1 + columns.names.index(money)] = random.choice(
            (total, f"{total:,}", float(total))
        )
    written.extra_names = tuple(dict.fromkeys((*written.extra_names, *columns.extra_names)))
    return cells


def cell_of(random: Random, column: Column, value: Value | Bad) -> Any:  # noqa: PLR0911 - by kind
    """A value as Excel may keep it: a date or number, a serial, or text."""
    if isinstance(value, Bad):
        return value.value if isinstance(value.value, str) else cell_of(random, column, value.value)
    if value is None:
        return random.choice((None, None, "NULL", " "))
    if random.random() < 0.3:
        return spell(random, column, value)
    match column.kind:
        case "date":
            assert isinstance(value, date)
            return random.choice((value, (value - _ZERO.date()).days, float((value - _ZERO.date()).days)))
        case "timestamp":
            assert isinstance(value, datetime)
            return random.choice((value, value, serial_of(value)))
        case "decimal":
            assert isinstance(value, Decimal)
            return float(value)
        case "money" | "int":
            return random.choice((value, float(value)))  # type: ignore[arg-type]
        case "bool":
            return random.choice((value, int(value)))  # type: ignore[arg-type]
        case "phone" if re.fullmatch(r"0[35789]\d{8}", str(value)):
            return random.choice((value, int(str(value))))
        case "text" | "code" if _is_number(str(value)):
            return random.choice((value, int(str(value)), float(str(value))))
    return value


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"0|[1-9]\d{0,15}", text)) and int(text) <= _EXACT


# -- Parquet -------------------------------------------------------------------------------------------------


def write_parquet(random: Random, source_name: str, rows: Sequence[Row]) -> Written:
    source = SOURCES[source_name]
    columns = _columns(random, source, rows)
    written = Written(".parquet", extra_names=columns.extra_names)
    rows = whole(rows)
    for number, row in enumerate(rows, 1):
        written.rows.append((number, row))
        written.extras.append(_noted(random, columns))
    arrays = []
    extras = iter(columns.extra_names)
    for name in columns.names:
        if name is None:
            extra = next(extras)
            arrays.append(pa.array([noted[extra] for noted in written.extras], pa.string()))
        else:
            arrays.append(_array(random, source.column(name), [row.cells[name] for row in rows]))
    stream = io.BytesIO()
    pq.write_table(
        pa.Table.from_arrays(arrays, names=list(columns.header)),
        stream,
        row_group_size=random.choice((1, 2, 1000)),
        compression=random.choice(("none", "snappy", "gzip", "zstd")),
    )
    written.content = stream.getvalue()
    return written


def _array(random: Random, column: Column, cells: Sequence[Value | Bad]) -> pa.Array:
    """A column in a type that can hold its values; text where one of them is no value."""
    values = [cell.value if isinstance(cell, Bad) else cell for cell in cells]
    is_text = any(isinstance(cell, Bad) and isinstance(cell.value, str) for cell in cells)
    kinds = _ARROW.get(column.kind, ())
    if kinds and not is_text and random.random() < 0.8:
        kind = random.choice(kinds)
        if pa.types.is_timestamp(kind) and kind.tz is not None:
            values = [value.replace(tzinfo=_LOCAL).astimezone(UTC) if value else None for value in values]  # type: ignore[union-attr]
        if pa.types.is_timestamp(kind):
            values = [_as_moment(value) for value in values]
        if pa.types.is_floating(kind):
            values = [None if value is None else float(value) for value in values]  # type: ignore[arg-type]
        if pa.types.is_decimal(kind):
            values = [None if value is None else Decimal(str(value)) for value in values]
        if pa.types.is_integer(kind):
            values = [None if value is None else int(value) for value in values]  # type: ignore[arg-type]
        return pa.array(values, kind)
    if column.kind in ("text", "code", "phone") and all(
        value is None or _is_number(str(value)) for value in values
    ):
        numbers = [None if value is None else int(str(value)) for value in values]
        return pa.array(numbers, random.choice((pa.int64(), pa.float64())))
    texts = [
        spell_bad(random, column, cell)
        if isinstance(cell, Bad)
        else random.choice((None, ""))
        if cell is None
        else spell(random, column, cell)
        for cell in cells
    ]
    return pa.array(
        texts, random.choice((pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())))
    )


def _as_moment(value: Any) -> Any:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return datetime(value.year, value.month, value.day) if is_day else value


_ARROW: dict[str, tuple[pa.DataType, ...]] = {
    "date": (pa.date32(), pa.date64(), pa.timestamp("ms")),
    "timestamp": (
        *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
        *(pa.timestamp("us", zone) for zone in ("UTC", "Asia/Ho_Chi_Minh", "+07:00")),
    ),
    "month": (pa.date32(), pa.timestamp("us")),
    "money": (pa.int64(), pa.float64(), pa.decimal128(18, 0), pa.decimal128(20, 2)),
    "decimal": (pa.float64(), pa.decimal128(18, 4)),
    "int": (pa.int8(), pa.int64(), pa.float64()),
    "bool": (pa.bool_(), pa.int8()),
}


WRITERS: dict[str, Callable[[Random, str, Sequence[Row]], Written]] = {
    "csv": write_csv,
    "csv.gz": lambda random, source, rows: write_csv(random, source, rows, ".csv.gz"),
    "xlsx by openpyxl": write_openpyxl,
    "xlsx by xlsxwriter": write_xlsxwriter,
    "parquet": write_parquet,
}
