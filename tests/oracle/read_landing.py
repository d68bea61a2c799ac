"""Reading a landing folder of clean files into typed rows, without the package under test.

Belongs here: a slow reader for every form that the landing contract allows, enough to check what the bundle
writer wrote. Does not belong here: quarantine and refusal; a value it cannot read is an error.
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import re
import unicodedata
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow.parquet as pq
from python_calamine import CalamineWorkbook

from .columns import SOURCES, Column, Row, Rows, Source, frame

HOME = ZoneInfo("Asia/Ho_Chi_Minh")
EMPTY = {"", "NULL", r"\N"}
HEADER_WITHIN = 30

VIETNAMESE_HEADERS = {
    "mã khách hàng": "customer_code",
    "tên khách hàng": "customer_name",
    "số hợp đồng": "contract_no",
    "điện thoại": "phone",
    "địa chỉ": "address",
    "mã xã": "commune_code",
    "mã điện lực": "power_unit_code",
    "loại khách hàng": "customer_type",
    "trạng thái": "status",
    "ngày hiệu lực": "effective_from",
    "ngày cập nhật": "updated_at",
    "mã hóa đơn": "bill_id",
    "loại hóa đơn": "bill_type",
    "tháng hóa đơn": "bill_month",
    "kỳ": "cycle",
    "ngày phát hành": "issued_on",
    "hạn thanh toán": "due_on",
    "điện năng": "kwh",
    "tiền trước thuế": "amount_before_vat",
    "tiền thuế": "vat_amount",
    "tổng tiền": "total_amount",
    "mã đối tác": "partner_code",
    "mã giao dịch": "transaction_id",
    "loại giao dịch": "kind",
    "mã kênh": "channel_code",
    "số tiền": "amount",
    "phí": "fee",
    "thời điểm thanh toán": "paid_at",
}

# 11-digit mobile prefixes of before September 2018, by today's prefix.
OLD_PREFIXES = {
    "0120": "070",
    "0121": "079",
    "0122": "077",
    "0123": "083",
    "0124": "084",
    "0125": "085",
    "0126": "076",
    "0127": "081",
    "0128": "078",
    "0129": "082",
    "0162": "032",
    "0163": "033",
    "0164": "034",
    "0165": "035",
    "0166": "036",
    "0167": "037",
    "0168": "038",
    "0169": "039",
    "0186": "056",
    "0188": "058",
    "0199": "059",
}


def fold(text: str) -> str:
    """A header without case and diacritics."""
    plain = unicodedata.normalize("NFD", text.strip().lower().replace("đ", "d"))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


TOTALS = {"tong cong", "tong", "cong", "tong so"}


def _is_total(line: Sequence[object], keys: Sequence[int]) -> bool:
    """A row whose label says so and that has no key; a customer called Công has one."""
    labels = [fold(str(cell)).rstrip(": ") in TOTALS for cell in line]
    return any(labels) and all(labels[key] or not str(line[key] or "").strip() for key in keys)


_HEADERS = {fold(vietnamese): name for vietnamese, name in VIETNAMESE_HEADERS.items()}


def header_name(cell: Any) -> str:
    """The contract's name of a header cell."""
    folded = fold(str(cell))
    return _HEADERS.get(folded, folded)


def read_date(value: Any) -> dt.date:
    """A date: ISO, day first, a date cell or an Excel serial."""
    if isinstance(value, dt.datetime):
        return value.date()
    if isinstance(value, dt.date):
        return value
    if isinstance(value, (int, float)):
        return dt.date(1899, 12, 30) + dt.timedelta(days=int(value))
    if match := re.fullmatch(r"(\d{4})-(\d{2})-(\d{2})", value):
        year, month, day = match.groups()
    elif match := re.fullmatch(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})", value):
        day, month, year = match.groups()
    else:
        raise ValueError(f"not a date: {value!r}")
    return dt.date(int(year), int(month), int(day))


def read_timestamp(value: Any) -> dt.datetime:
    """A timestamp as local time without an offset."""
    if isinstance(value, dt.datetime):
        when = value
    elif isinstance(value, str) and (
        match := re.fullmatch(
            r"(\S+?)[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:\d{2})?", value
        )
    ):
        day, hour, minute, second, fraction, offset = match.groups()
        time = dt.time(int(hour), int(minute), int(second or 0), int((fraction or "0").ljust(6, "0")))
        when = dt.datetime.combine(read_date(day), time)
        if offset:
            when = dt.datetime.fromisoformat(when.isoformat() + offset.replace("Z", "+00:00"))
    elif isinstance(value, float) and value != int(value):
        when = dt.datetime(1899, 12, 30) + dt.timedelta(seconds=round(value * 86400))
    else:
        when = dt.datetime.combine(read_date(value), dt.time())
    return when.astimezone(HOME).replace(tzinfo=None) if when.tzinfo else when


def read_month(value: Any) -> dt.date:
    """A month as its first day."""
    if match := re.fullmatch(r"(\d{4})-(\d{2})", value):
        year, month = match.groups()
    elif match := re.fullmatch(r"(\d{1,2})/(\d{4})", value):
        month, year = match.groups()
    else:
        raise ValueError(f"not a month: {value!r}")
    return dt.date(int(year), int(month), 1)


def read_money(value: Any) -> int:
    """Whole VND."""
    text = re.sub(r"\s*(đ|VND)$", "", str(value).strip())
    text = re.sub(r"\.00?$", "", text)
    if not re.fullmatch(r"-?\d+|-?\d{1,3}([., ]\d{3})+", text):
        raise ValueError(f"not money: {value!r}")
    return int(re.sub(r"[., ]", "", text))


def read_phone(value: Any) -> str:
    """Today's ten digits where they can be told, else as it came."""
    text = re.sub(r"\.0$", "", str(value).strip())
    digits = re.sub(r"^(\+84|84(?=\d{9,10}$))", "0", text)
    if re.fullmatch(r"[1-9]\d{8,9}", digits):
        digits = "0" + digits
    if re.fullmatch(r"\d{11}", digits) and digits[:4] in OLD_PREFIXES:
        digits = OLD_PREFIXES[digits[:4]] + digits[4:]
    return digits if re.fullmatch(r"0\d{9}", digits) else text


READERS: dict[str, Callable[[Any], Any]] = {
    "date": read_date,
    "timestamp": read_timestamp,
    "month": read_month,
    "money": read_money,
    "phone": read_phone,
    "decimal": lambda value: Decimal(str(value)),
    "int": lambda value: int(float(value)),
    "bool": lambda value: str(value).lower() in {"true", "1", "1.0", "có"},
    "code": str,
    "text": str,
}


def read_value(column: Column, value: Any) -> Any:
    """A cell as the contract's type, None if empty."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return None
    if isinstance(value, str):
        value = unicodedata.normalize("NFC", value.strip())
        if value in EMPTY:
            return None
    return READERS[column.kind](value)


def decode(data: bytes) -> str:
    """Text of a CSV file in any of the encodings read without declaration."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1258")


def tables_of(path: Path) -> list[list[list[Any]]]:
    """The sheets of a file, each as rows of cells."""
    name = path.name.lower()
    if name.endswith(".parquet"):
        table = pq.read_table(path)
        columns = [column.to_pylist() for column in table.columns]
        return [[list(table.column_names), *[list(row) for row in zip(*columns, strict=True)]]]
    if name.endswith((".csv", ".csv.gz")):
        data = gzip.decompress(path.read_bytes()) if name.endswith(".gz") else path.read_bytes()
        text = decode(data)
        first = text.split("\n", 1)[0]
        delimiter = max(",;\t|", key=first.count)
        return [list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))]
    workbook = CalamineWorkbook.from_path(str(path))
    return [workbook.get_sheet_by_name(sheet).to_python() for sheet in workbook.sheet_names]


def read_file(path: Path, source: Source) -> Rows:
    """The typed rows of one file."""
    rows: Rows = []
    for table in tables_of(path):
        start = next(
            (
                number
                for number, line in enumerate(table[:HEADER_WITHIN])
                if set(source.names) <= {header_name(cell) for cell in line}
            ),
            None,
        )
        if start is None:
            continue
        names = [header_name(cell) for cell in table[start]]
        for line in table[start + 1 :]:
            if not any(str(cell).strip() for cell in line if cell is not None):
                continue
            if _is_total(line, [names.index(name) for name in source.key]):
                continue
            if len(line) != len(names):
                raise ValueError(f"{path}: {len(line)} cells for {len(names)} columns: {line}")
            cells: Row = dict(zip(names, line, strict=True))
            rows.append({column.name: read_value(column, cells[column.name]) for column in source.columns})
    return rows


def read_landing(folder: Path) -> dict[str, pd.DataFrame]:
    """All typed rows of all files of a landing folder, by source."""
    return {
        name: frame(
            name,
            [
                row
                for path in sorted((folder / name).rglob("*"))
                if path.is_file()
                for row in read_file(path, source)
            ],
        )
        for name, source in SOURCES.items()
    }
