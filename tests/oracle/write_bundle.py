"""Writing a bundle as landing files in any of the forms the landing contract allows.

Belongs here: delimiters, encodings, spellings of values, splitting, copies, bad rows and broken files, and
what the ledger and the quarantine must say about each file. Does not belong here: inventing the rows
(bundle.py).
"""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import shutil
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from .bundle import Bundle
from .columns import MONEY_COLUMN, SOURCES, Column, Row, Rows, Source, records
from .read_landing import OLD_PREFIXES, VIETNAMESE_HEADERS, decode, fold

ENGLISH_TO_VIETNAMESE = {english: vietnamese for vietnamese, english in VIETNAMESE_HEADERS.items()}
SOURCES_WITH_VIETNAMESE_HEADERS = ("customers", "bills", "payments")
TONES = "\u0300\u0301\u0303\u0309\u0323"
FAR_FUTURE = "2999-01-01 10:00:00"

AUDIT_COLUMNS = [
    "source",
    "file",
    "is_refused",
    "rows_in_file",
    "rows_accepted",
    "rows_quarantined",
    "money_in_file_vnd",
    "money_accepted_vnd",
    "money_quarantined_vnd",
]


@dataclass
class Written:
    """What was written and what must become of it.

    `audit`: one row per file; accepted = loaded + duplicate, for which file counts a row as which is open.
    `loaded`: per source the distinct rows and their money, which are fixed.
    `quarantine`: source, file, line, column_name, raw (None where the text of the row is not a line of text).
    """

    folder: Path
    audit: pd.DataFrame
    loaded: pd.DataFrame
    quarantine: pd.DataFrame


@dataclass
class BadRow:
    """A row spoilt in one place."""

    column: str | None
    cells: dict[str, str]
    fields: int = 0  # how many fields too many (or, negative, too few)
    money: int = 0


@dataclass
class FilePlan:
    """One file to be written: its rows in order, the bad ones among them."""

    source: Source
    rows: list[Row | BadRow]
    random: Random
    path: Path
    quarantine: list[Row] = field(default_factory=list)

    def columns_in_order(self) -> list[Column]:
        """The columns in the order of this file."""
        columns = list(self.source.columns)
        if self.random.random() < 0.5:
            self.random.shuffle(columns)
        return columns


# -- spellings of values -----------------------------------------------------------------------------------


def spell_date(random: Random, day: dt.date) -> str:
    """A date in one of the forms, day first."""
    return random.choice(
        [
            f"{day:%Y-%m-%d}",
            f"{day:%d/%m/%Y}",
            f"{day.day}/{day.month}/{day.year}",
            f"{day:%d-%m-%Y}",
        ]
    )


def spell_timestamp(random: Random, when: dt.datetime, date_is_enough: bool) -> str:
    """A timestamp, with or without an offset; a bare date where that says the same."""
    if date_is_enough and when.time() == dt.time() and random.random() < 0.5:
        return spell_date(random, when.date())
    offset = random.choice(["", "", "", "Z", "+00:00", "+07:00", "+09:00", "-05:00"])
    if offset:
        hours = 0 if offset == "Z" else int(offset[:3])
        when = when + dt.timedelta(hours=hours - 7)
    clock = f"{when:%H:%M:%S}"
    if when.microsecond:
        clock += f".{when.microsecond:06d}".rstrip("0")
    elif when.second == 0 and random.random() < 0.5:
        clock = f"{when:%H:%M}"
    return spell_date(random, when.date()) + random.choice(["T", " "]) + clock + offset


def spell_money(random: Random, amount: int) -> str:
    """Whole VND, plain or grouped, with or without a currency sign and a decimal nought."""
    style = random.choice(["plain", "plain", ".", ",", " ", ".0", ".00"])
    if style in (".0", ".00"):
        text = f"{amount}{style}"
    elif style == "plain":
        text = str(amount)
    else:
        text = f"{amount:,}".replace(",", style)
    return text + random.choice(["", "", "", "đ", " đ", " VND"])


def spell_phone(random: Random, phone: str) -> str:
    """A ten-digit number as files have it; anything else as it is."""
    if len(phone) != 10 or not phone.isdigit():
        return phone
    forms = [phone, phone, "+84" + phone[1:], "84" + phone[1:], phone[1:], phone[1:] + ".0"]
    forms += [old + phone[3:] for old, new in OLD_PREFIXES.items() if phone.startswith(new)]
    return random.choice(forms)


def spell(random: Random, column: Column, value: Any) -> str:
    """A value as text."""
    if value is None:
        return random.choice(["", "", "", "NULL", r"\N"])
    spellers: dict[str, Callable[[], str]] = {
        "date": lambda: spell_date(random, value),
        "timestamp": lambda: spell_timestamp(random, value, column.name == "updated_at"),
        "month": lambda: random.choice([f"{value:%Y-%m}", f"{value:%m/%Y}"]),
        "money": lambda: spell_money(random, value),
        "phone": lambda: spell_phone(random, value),
        "bool": lambda: random.choice([["false", "0", "không"], ["true", "1", "có"]][value]),
    }
    text = spellers[column.kind]() if column.kind in spellers else str(value)
    return f" {text} " if random.random() < 0.02 else text


def headers(random: Random, source: Source, columns: list[Column]) -> list[str]:
    """The header cells: English in any case, or Vietnamese with or without diacritics."""
    style = random.choice(
        ["lower", "lower", "upper", "title", "vietnamese", "unaccented", "unaccented upper"]
    )
    if source.name not in SOURCES_WITH_VIETNAMESE_HEADERS and "lower" not in style:
        style = random.choice(["upper", "title"])

    def one(name: str) -> str:
        vietnamese = ENGLISH_TO_VIETNAMESE.get(name, name)
        return {
            "lower": name,
            "upper": name.upper(),
            "title": name.title(),
            "vietnamese": vietnamese,
            "unaccented": fold(vietnamese),
            "unaccented upper": fold(vietnamese).upper(),
        }[style]

    return [one(column.name) for column in columns]


def encode_cp1258(text: str) -> bytes:
    """Windows-1258: letters with their own code as they are, other tones as combining marks."""
    encoded = bytearray()
    for letter in text:
        try:
            encoded += letter.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", letter)
            shape = "".join(part for part in parts if part not in TONES)
            tones = "".join(part for part in parts if part in TONES)
            encoded += (unicodedata.normalize("NFC", shape) + tones).encode("cp1258")
    return bytes(encoded)


def encode(random: Random, text: str) -> bytes:
    """The bytes of a CSV file in one of the encodings that are read without declaration."""
    encoders: dict[str, Callable[[str], bytes]] = {
        "utf-8": lambda t: t.encode("utf-8"),
        "utf-8 decomposed": lambda t: unicodedata.normalize("NFD", t).encode("utf-8"),
        "utf-8 with mark": lambda t: t.encode("utf-8-sig"),
        "utf-16 little": lambda t: b"\xff\xfe" + t.encode("utf-16-le"),
        "utf-16 big": lambda t: b"\xfe\xff" + t.encode("utf-16-be"),
        "windows-1258": encode_cp1258,
    }
    name = random.choices(list(encoders), [40, 5, 20, 8, 7, 20])[0]
    data = encoders[name](text)
    if name == "windows-1258" and unicodedata.normalize("NFC", decode(data)) != text:
        return text.encode("utf-8")  # by chance also valid UTF-8: nobody could tell
    return data


# -- files -------------------------------------------------------------------------------------------------


def money_of(source: Source, row: Row | BadRow) -> int:
    """What a row adds to the money of its file."""
    if isinstance(row, BadRow):
        return row.money
    column = MONEY_COLUMN.get(source.name)
    return int(row[column]) if column else 0


def write_csv(plan: FilePlan) -> None:
    """One CSV file, gzipped if its name says so."""
    random, columns = plan.random, plan.columns_in_order()
    delimiter = random.choice(",;\t|")
    line_end = random.choice(["\n", "\r\n"])
    quote_all = random.random() < 0.3
    extra = random.random() < 0.2
    lines: list[str] = []

    def render(cells: list[str]) -> str:
        buffer = io.StringIO()
        csv.writer(
            buffer,
            delimiter=delimiter,
            lineterminator="\r\n",  # both, so that either one inside a field gets it quoted
            quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
        ).writerow(cells)
        return buffer.getvalue().removesuffix("\r\n")

    lines.append(render(headers(random, plan.source, columns) + (["ghi_chu"] if extra else [])))
    for row in plan.rows:
        values: Row = row.cells if isinstance(row, BadRow) else row
        cells = [
            values[column.name] if isinstance(row, BadRow) else spell(random, column, values[column.name])
            for column in columns
        ]
        cells += ["nội bộ"] if extra else []
        if isinstance(row, BadRow):
            cells = cells[: row.fields] if row.fields < 0 else cells + ["thừa"] * row.fields
            # The physical line: line breaks inside earlier quoted fields count.
            begins = sum(line.count("\n") + 1 for line in lines) + 1
            plan.quarantine.append(
                {
                    "line": begins,
                    "column_name": row.column,
                    "raw": unicodedata.normalize("NFC", render(cells)),
                }
            )
        lines.append(render(cells))
    # Too few fields without a line end would be a torn file; a whole last line may well lack one.
    may_lack_end = plan.rows and not isinstance(plan.rows[-1], BadRow)
    last_end = "" if may_lack_end and random.random() < 0.2 else line_end
    data = encode(random, line_end.join(lines) + last_end)
    plan.path.write_bytes(gzip.compress(data, mtime=0) if plan.path.suffix == ".gz" else data)


def excel_value(random: Random, column: Column, value: Any, style: str) -> Any:
    """A cell as Excel keeps it: a real date or number, a serial, or text."""
    if value is None:
        return None
    if style == "text" or column.kind in ("text", "code", "month"):
        return spell(random, column, value)
    if column.kind == "date" and style == "serial":
        return (value - dt.date(1899, 12, 30)).days
    if column.kind == "timestamp" and value.microsecond:
        return spell_timestamp(random, value, False)
    if column.kind == "phone":
        return int(value) if len(value) == 10 and value.isdigit() and style == "serial" else value
    return value


def write_xlsx(plan: FilePlan, with_extras: bool) -> None:
    """One workbook; with extras: title rows, a second sheet with other content, and a total row."""
    random, columns = plan.random, plan.columns_in_order()
    style = random.choice(["cells", "cells", "serial", "text"])
    book = openpyxl.Workbook()
    sheet = book.active
    line = 0

    def append(cells: list[Any]) -> None:
        nonlocal line
        line += 1
        for number, cell in enumerate(cells, start=1):
            if cell is not None:
                sheet.cell(row=line, column=number, value=cell)

    if with_extras and random.random() < 0.5:
        append(["CÔNG TY ĐIỆN LỰC NINH BÌNH"])
        append(["Bảng kê", None, "tháng"])
    append(list(headers(random, plan.source, columns)))
    for row in plan.rows:
        if isinstance(row, BadRow):
            append([row.cells[column.name] or None for column in columns])
            plan.quarantine.append({"line": line, "column_name": row.column, "raw": None})
        else:
            append([excel_value(random, column, row[column.name], style) for column in columns])
    money = MONEY_COLUMN.get(plan.source.name)
    if with_extras and money and random.random() < 0.5:
        first_text = next(number for number, column in enumerate(columns) if column.name != money)
        total: list[Any] = [None] * len(columns)
        total[first_text] = "Tổng cộng"
        total[[column.name for column in columns].index(money)] = sum(
            money_of(plan.source, row) for row in plan.rows
        )
        append(total)
    if with_extras and random.random() < 0.5:
        book.create_sheet("Ghi chú")["A1"] = "Không phải dữ liệu"
    book.save(plan.path)


def write_parquet(plan: FilePlan) -> None:
    """One Parquet file, typed or all text."""
    random, columns = plan.random, plan.columns_in_order()
    style = random.choice(["typed", "typed utc", "text"])
    types = {
        "date": pa.date32(),
        "timestamp": pa.timestamp("us", tz="UTC") if style == "typed utc" else pa.timestamp("us"),
        "money": pa.int64(),
        "int": pa.int64(),
        "decimal": pa.float64(),
        "bool": pa.bool_(),
    }

    def value_of(column: Column, value: Any) -> Any:
        if value is None:
            return None
        if style == "text" or column.kind not in types:
            return spell(random, column, value)
        if isinstance(value, Decimal):
            return float(value)
        if column.kind == "timestamp" and style == "typed utc":
            return (value - dt.timedelta(hours=7)).replace(tzinfo=dt.UTC)
        return value

    arrays = [
        pa.array(
            [value_of(column, row[column.name]) for row in plan.rows if not isinstance(row, BadRow)],
            type=pa.string() if style == "text" else types.get(column.kind, pa.string()),
        )
        for column in columns
    ]
    pq.write_table(pa.table(arrays, names=headers(random, plan.source, columns)), plan.path)


# -- bad rows and broken files -----------------------------------------------------------------------------

BAD_VALUES: dict[str, list[str]] = {
    "date": ["2025-02-30", "31/13/2025", "today", "infinity", "hôm qua", "2025-3"],
    "timestamp": ["2025-03-01 25:00:00", "now", "2025-02-30 10:00:00", "sáng nay"],
    "month": ["2025-00", "13/2025", "tháng 3"],
    "money": ["12a", "1_000", "NaN", "12.5", "1.23.456", "1e6", "một trăm"],
    "decimal": ["abc", "1,5x", "NaN", "infinity"],
    "int": ["4", "0", "x"],
    "bool": ["maybe", "2"],
}


def spoil(random: Random, source: Source, row: Row) -> BadRow:
    """A good row spoilt in exactly one place."""
    cells = {
        column.name: "" if row[column.name] is None else spell(random, column, row[column.name])
        for column in source.columns
    }
    money_column = MONEY_COLUMN.get(source.name)
    money = int(row[money_column]) if money_column else 0
    how = random.choice(["fields", "empty", "list", "value", "value", "value", "rule"])
    if how == "fields":
        return BadRow(None, cells, random.choice([-1, -2, 1, 2]))
    if how == "list" and (closed := [c for c in source.columns if c.allowed and c.kind == "code"]):
        column = random.choice(closed)
        return BadRow(column.name, {**cells, column.name: "khac_la"}, money=money)
    if how == "rule" and source.name == "payments":
        name, text = random.choice(
            [("amount", "0"), ("amount", "-5.000"), ("fee", "-1"), ("paid_at", FAR_FUTURE)]
        )
        readable = int(text.replace(".", "")) if name == "amount" else money
        return BadRow(name, {**cells, name: text}, money=readable)
    if how == "value":
        column = random.choice([c for c in source.columns if c.kind in BAD_VALUES])
        text = random.choice(BAD_VALUES[column.kind])
        return BadRow(
            column.name, {**cells, column.name: text}, money=0 if column.name == money_column else money
        )
    column = random.choice([c for c in source.columns if not c.optional])
    return BadRow(column.name, {**cells, column.name: ""}, money=0 if column.name == money_column else money)


def write_broken(random: Random, folder: Path, rows: Rows) -> list[Path]:
    """Files that must be refused: nothing of them may be loaded (their bills exist nowhere else)."""
    source = SOURCES["bills"]
    names = list(source.names)
    strangers = [{**row, "bill_id": f"TORN{number}"} for number, row in enumerate(rows[:20])]

    def text_of(columns: list[str]) -> str:
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\n")
        writer.writerow(columns)
        for row in strangers:
            writer.writerow([spell(random, source.column(name), row[name]) for name in columns])
        return buffer.getvalue()

    whole = text_of(names)
    packed = gzip.compress(whole.encode("utf-8"), mtime=0)
    last_line = whole.rstrip("\n").rsplit("\n", 1)[1]
    table = io.BytesIO()
    pq.write_table(pa.table({name: [str(row[name]) for row in strangers] for name in names}), table)
    contents = {
        "empty.csv": b"",
        "no_total.csv": text_of([name for name in names if name != "total_amount"]).encode("utf-8"),
        "torn.csv.gz": packed[: len(packed) * 2 // 3],
        "torn.parquet": table.getvalue()[: len(table.getvalue()) * 2 // 3],
        "torn_line.csv": whole.rstrip("\n")[: -len(last_line) // 2].encode("utf-8"),
        "open_quote.csv": (whole + '"BE1,PN1,electricity\n').encode("utf-8"),
    }
    paths = []
    for name, data in contents.items():
        path = folder / source.name / f"hong_{name}"
        path.write_bytes(data)
        paths.append(path)
    return paths


# -- the whole folder --------------------------------------------------------------------------------------


def file_name(random: Random, number: int) -> str:
    """A name without its ending as people give them; some lie in a folder of their own."""
    stem = random.choice(["part", "kỳ", "xuất dữ liệu", "z"]) + f"_{number:03d}"
    return random.choice(["", "", "", "2025/"]) + stem


def split(random: Random, rows: Rows, shuffle: bool) -> list[Rows]:
    """The rows in one to four files, some rows more than once."""
    again = [row for row in rows if random.random() < 0.05]
    rows = [*rows, *again]
    if shuffle:
        random.shuffle(rows)
    count = min(random.randint(1, 4), max(len(rows), 1))
    cuts = [0, *sorted(random.sample(range(1, len(rows)), count - 1)), len(rows)] if rows else [0, 0]
    return [rows[start:end] for start, end in pairwise(cuts)]


def distinct(source: Source, rows: Rows) -> Rows:
    """The rows without duplicates."""
    return list({tuple(row[name] for name in source.names): row for row in rows}.values())


@dataclass(frozen=True)
class Options:
    """How unkind the files are."""

    shuffle: bool
    bad_rows: bool
    excel_extras: bool
    only_csv: bool


def plan_file(random: Random, source: Source, part: Rows, stem: Path, how: Options) -> FilePlan:
    """Which file a part of the rows becomes, bad rows mixed in; `stem`: its path without the ending."""
    ending = random.choices([".csv", ".csv.gz", ".xlsx", ".parquet"], [55, 15, 15, 15])[0]
    if how.only_csv or (not part and ending == ".parquet"):
        ending = ".csv"
    rows: list[Row | BadRow] = [*part]
    if how.bad_rows and part and ending != ".parquet":
        for _ in range(random.randint(0, 4)):
            bad = spoil(random, source, random.choice(part))
            if ending != ".xlsx" or bad.column is not None:  # a sheet has no number of fields
                rows.insert(random.randint(0, len(rows)), bad)
    path = stem.with_name(stem.name + ending)
    path.parent.mkdir(parents=True, exist_ok=True)
    return FilePlan(source, rows, random, path)


def write_file(plan: FilePlan, how: Options) -> None:
    """Write a planned file in the form its name says."""
    if plan.path.suffix == ".xlsx":
        write_xlsx(plan, how.excel_extras)
    elif plan.path.suffix == ".parquet":
        write_parquet(plan)
    else:
        write_csv(plan)


def audit_line(plan: FilePlan, file: str) -> Row:
    """What the ledger must say about a written file."""
    good = [row for row in plan.rows if not isinstance(row, BadRow)]
    bad = [row for row in plan.rows if isinstance(row, BadRow)]
    accepted = sum(money_of(plan.source, row) for row in good)
    spoilt = sum(row.money for row in bad)
    rows = [len(plan.rows), len(good), len(bad)]
    values = [plan.source.name, file, False, *rows, accepted + spoilt, accepted, spoilt]
    return dict(zip(AUDIT_COLUMNS, values, strict=True))


def write(
    bundle: Bundle | Mapping[str, pd.DataFrame],
    folder: Path,
    seed: int,
    *,
    shuffle: bool = True,
    bad_rows: bool = False,
    refused: bool = False,
    excel_extras: bool = False,
    only_csv: bool = False,
) -> Written:
    """Write a bundle to `folder` (made anew) and say what the ledger and the quarantine must hold.

    bad_rows: spoilt rows among the good ones, for the quarantine. refused: broken files besides.
    excel_extras: title rows, total rows and other sheets in workbooks. only_csv: no workbooks and no Parquet.
    """
    tables = bundle.tables if isinstance(bundle, Bundle) else bundle
    how = Options(shuffle, bad_rows, excel_extras, only_csv)
    random = Random(f"write {seed}")
    shutil.rmtree(folder, ignore_errors=True)
    audit: Rows = []
    loaded: Rows = []
    quarantine: Rows = []
    number = 0
    for name, source in SOURCES.items():
        rows = records(tables.get(name))
        if not rows:
            continue
        unique = distinct(source, rows)
        money = sum(money_of(source, row) for row in unique)
        loaded.append({"source": name, "rows_loaded": len(unique), "money_loaded_vnd": money})
        parts: list[Rows] = split(random, rows, how.shuffle)
        if random.random() < 0.1:
            parts.append([])  # a header and nothing else
        for part in parts:
            number += 1
            stem = folder / name / file_name(random, number)
            plan = plan_file(random, source, part, stem, how)
            write_file(plan, how)
            file = plan.path.relative_to(folder).as_posix()
            audit.append(audit_line(plan, file))
            quarantine += [{"source": name, "file": file, **row} for row in plan.quarantine]
            if not plan.quarantine and random.random() < 0.15:
                copy = plan.path.with_name(f"copy_of_{plan.path.name}")
                shutil.copyfile(plan.path, copy)
                audit.append(audit_line(plan, copy.relative_to(folder).as_posix()))
    if refused:
        for broken in write_broken(random, folder, records(tables["bills"])):
            file = broken.relative_to(folder).as_posix()
            audit.append(dict(zip(AUDIT_COLUMNS, ["bills", file, True, 0, 0, 0, 0, 0, 0], strict=True)))
    return Written(
        folder,
        pd.DataFrame(audit, columns=AUDIT_COLUMNS, dtype=object),
        pd.DataFrame(loaded, columns=["source", "rows_loaded", "money_loaded_vnd"], dtype=object),
        pd.DataFrame(quarantine, columns=["source", "file", "line", "column_name", "raw"], dtype=object),
    )


def deliver(written: Written, landing: Path, seed: int, runs: int) -> Iterator[int]:
    """Bring the written files to another landing folder in `runs` lots, one lot per step of the iterator.

    Each step yields how many files came. Copies keep their paths, so `written` describes the whole.
    """
    random = Random(f"deliver {seed}")
    files = sorted(path for path in written.folder.rglob("*") if path.is_file())
    lot_of = [random.randrange(runs) for _ in files]
    landing.mkdir(parents=True, exist_ok=True)
    for lot in range(runs):
        coming = [path for path, its_lot in zip(files, lot_of, strict=True) if its_lot == lot]
        for path in coming:
            target = landing / path.relative_to(written.folder)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        yield len(coming)
