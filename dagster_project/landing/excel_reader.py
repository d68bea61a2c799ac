"""Excel workbooks (.xlsx, .xls, .xlsb) as records. No judgement of values, no SQL.

A total row is no record. Cells right of the header are extra columns named by their position in the sheet.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import pyarrow as pa
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum

from dagster_project.contracts.file_form import PLAIN, FileForm
from dagster_project.contracts.model import Contract, fold_header
from dagster_project.landing.batches import BatchWriter, batch_schema
from dagster_project.landing.cells import cell_text
from dagster_project.landing.declared import Declared, Kind, kind_of
from dagster_project.landing.excel_errors import ErrorCells, ErrorTexts
from dagster_project.landing.excel_trial import is_harmless
from dagster_project.landing.records import (
    Layout,
    RawText,
    RefusedError,
    Total,
    clean_fields,
    hide,
    join_fields,
    match_header,
    missing_columns,
    without_extras,
)

HEADER_ROWS = 30
_TOTAL_WORDS = frozenset(
    (
        *(
            "tong cong",
            "tong",
            "cong",
            "tong so",
            "tong tien",
            "tong so tien",
            "cong tien",
            "total",
            "grand total",
        ),
        *("tong cong (vnd)", "tong cong (dong)", "tong cong (d)"),
    )
)
_TOTAL_LETTERS = frozenset("tTcCgG")
# What the reader and the parts of a zip file raise for a workbook that is damaged.
_UNREADABLE = (
    CalamineError,
    zipfile.BadZipFile,
    zlib.error,
    ParseError,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    OverflowError,
    NotImplementedError,  # a way of packing that is unknown
    RuntimeError,  # an encrypted part
)


@dataclass(frozen=True)
class _Sheet:
    name: str
    header_row: int
    header_width: int
    # Positions of the columns right of the header that are not empty; they end the layout.
    beyond: tuple[int, ...]
    layout: Layout
    errors: ErrorTexts
    # Positions in the layout.
    keys: tuple[int, ...]
    required: tuple[int, ...]
    money: int | None


class ExcelSource:
    """One workbook, opened: the sheets that have the required columns are known."""

    form: str | None = None

    def __init__(self, path: Path, contract: Contract, form: FileForm = PLAIN) -> None:
        self._contract = contract
        self._declared = Declared(contract, form)
        self.notes: list[str] = []
        self.totals: list[Total] = []
        self._starts: list[tuple[int, str]] = []
        self._opened: CalamineSheet | None = None
        if not is_harmless(path):
            raise RefusedError(
                "cannot be read as an Excel workbook: damaged, or a cell far from the others makes it too large"
            )
        with _readable():
            self._book = CalamineWorkbook.from_path(str(path))
            self._error_cells = ErrorCells(path)
        self._sheets = self._find_sheets()
        found = {name for sheet in self._sheets for name in sheet.layout.contract_columns}
        self.copy_columns = tuple(name for name in contract.names if name in found)
        self.extra_names = tuple(
            dict.fromkeys(name for sheet in self._sheets for name in sheet.layout.extra_names)
        )
        self._translator = self._declared.translator(self.copy_columns)

    def layouts(self) -> list[tuple[str | None, Layout]]:
        return [(sheet.name, sheet.layout) for sheet in self._sheets]

    def sheet_starts(self) -> list[tuple[int, str]]:
        return self._starts

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Rows are numbered through all sheets, `line` is the row of the sheet."""
        self.totals.clear()
        self._starts.clear()
        writer = BatchWriter(batch_schema(self.copy_columns, bool(self.extra_names)))
        row_no = 0
        for sheet in self._sheets:
            self._starts.append((row_no + 1, sheet.name))
            first, section = row_no + 1, row_no + 1
            positions = {name: index for index, name in enumerate(sheet.layout.columns) if name}
            for line, cells, kinds in self._rows(sheet):
                label = _total_label(sheet, cells)
                if label is not None:
                    amount = self._amount_beside(sheet, cells, kinds, label)
                    if amount:
                        self.totals.append(Total(line, sheet.name, first, section, row_no, amount))
                    elif sheet.money is not None:
                        self.notes.append(
                            f"sheet {sheet.name}, row {line}: a total without an amount, not compared"
                        )
                    section = row_no + 1
                    continue
                row_no += 1
                values = self._values(sheet, cells, kinds, positions)
                writer.write(row_no, line, None, values)
                if writer.is_full:
                    yield writer.take()
        yield writer.take()

    def raw_texts(self, rows: Sequence[tuple[int, int]]) -> Iterator[RawText]:
        wanted = iter(rows)
        row_no, next_row = 0, next(wanted, None)
        for sheet in self._sheets:
            for _, cells, _ in self._rows(sheet):
                if next_row is None:
                    return
                if _total_label(sheet, cells) is not None:
                    continue
                row_no += 1
                if row_no == next_row[0]:
                    yield RawText(row_no, join_fields(cells), hide(cells, sheet.layout, ","))
                    next_row = next(wanted, None)

    def _find_sheets(self) -> list[_Sheet]:
        sheets: list[_Sheet] = []
        nearest: RefusedError | None = None
        fewest = len(self._contract.columns) + 1
        for position, described in enumerate(self._book.sheets_metadata):
            if described.typ is not SheetTypeEnum.WorkSheet:
                continue
            found = None
            start = self._first_column(described.name)
            for index, row in enumerate(self._head(described.name)):
                header = self._declared.header(_header(row, start))
                columns = [self._declared.headers.get(fold_header(name)) for name in header]
                lacking = len(missing_columns(columns, self._contract))
                if lacking == 0:
                    found = self._sheet(described.name, position, index + 1, header)
                    break
                if lacking < fewest:
                    fewest = lacking
                    nearest = self._fault(header)
            if found:
                sheets.append(found)
            else:
                self.notes.append(
                    f"sheet not read, it has no header with the required columns: {described.name}"
                )
        if not sheets:
            raise nearest or RefusedError("the workbook is empty")
        return sheets

    def _fault(self, header: Sequence[str]) -> RefusedError:
        try:
            match_header(header, self._contract, self._declared.headers)
        except RefusedError as error:
            return error
        raise AssertionError("a header that lacks columns was matched")

    def _sheet(self, name: str, position: int, header_row: int, header: list[str]) -> _Sheet:
        """The sheet with this header; RefusedError if that has a column twice."""
        match_header(header, self._contract, self._declared.headers)
        with _readable():
            errors = self._error_cells.of_sheet(position)
        start, width = self._first_column(name), self._open(name).width
        beyond: set[int] = set()
        if width > len(header):
            for _, row in self._data_rows(name, header_row, errors):
                cells = enumerate(row[len(header) :], len(header))
                beyond.update(index for index, value in cells if cell_text(value, None).strip())
        names = [f"column {start + index + 1}" for index in sorted(beyond)]
        layout = match_header([*header, *names], self._contract, self._declared.headers)
        keys = tuple(layout.columns.index(name) for name in self._contract.key)
        required = tuple(
            layout.columns.index(column.name) for column in self._contract.columns if column.required
        )
        money = self._contract.money_column
        return _Sheet(
            name,
            header_row,
            len(header),
            tuple(sorted(beyond)),
            layout,
            errors,
            keys,
            required,
            layout.columns.index(money) if money in layout.columns else None,
        )

    def _open(self, name: str) -> CalamineSheet:
        """The sheet, read by the library; only the last one stays in memory."""
        if self._opened is None or self._opened.name != name:
            self._opened = None
            with _readable():
                self._opened = self._book.get_sheet_by_name(name)
        return self._opened

    def _first_column(self, name: str) -> int:
        """How many columns are empty on the left of the sheet: its rows come without them."""
        start = self._open(name).start
        return start[1] if start else 0

    def _library_rows(self, name: str) -> Iterator[list[Any]]:
        with _readable():
            yield from self._open(name).iter_rows()

    def _head(self, name: str) -> Iterator[list[Any]]:
        """The rows a header may stand in. A cell merged over several rows is in all of them.

        So a header of two rows is found in the lower one. Of rows below the header nothing is filled: an amount
        merged over two bills would count twice.
        """
        sheet, start = self._open(name), self._first_column(name)
        merged = [(first, last) for first, last in sheet.merged_cell_ranges or () if first[0] < last[0]]
        tall: dict[tuple[int, int], Any] = {}
        for index, row in enumerate(islice(self._library_rows(name), HEADER_ROWS)):
            for first, last in merged:
                place = first[1] - start
                if index == first[0]:
                    tall[first] = row[place]
                elif first[0] < index <= last[0]:
                    row[place] = tall[first]
            yield row

    def _data_rows(self, name: str, header_row: int, errors: ErrorTexts) -> Iterator[tuple[int, list[Any]]]:
        """The rows below the header with their numbers; error cells as their texts."""
        start = self._first_column(name)
        for number, row in enumerate(self._library_rows(name), 1):
            if number > header_row:
                for column, text in errors.get(number, {}).items():
                    row[column - 1 - start] = text
                yield number, row

    def _rows(self, sheet: _Sheet) -> Iterator[tuple[int, list[str], Sequence[Kind]]]:
        """The rows below the header that are not empty: sheet row, texts and kinds of the layout's cells."""
        forms = [
            self._contract.column(name).form if name is not None else None for name in sheet.layout.columns
        ]
        width, beyond = sheet.header_width, sheet.beyond
        kinds: Sequence[Kind] = ()
        for number, row in self._data_rows(sheet.name, sheet.header_row, sheet.errors):
            values = row[:width]
            if beyond:
                values += [row[index] for index in beyond]
            if number == sheet.header_row + 1 and _numbers_columns(values[:width]):
                continue
            cells = [
                value if type(value) is str else cell_text(_whole(value), form)
                for value, form in zip(values, forms, strict=True)
            ]
            if not any(text.strip() for text in cells):
                continue
            if self._declared.is_legacy:
                cells = self._declared.decode_cells(cells, _place(sheet, number))
            if self._translator:
                kinds = [kind_of(value) for value in values]
            yield number, cells, kinds

    def _values(
        self, sheet: _Sheet, cells: list[str], kinds: Sequence[Kind], positions: dict[str, int]
    ) -> list[str]:
        """The cells in the order of the workbook's columns, since every sheet may have its own."""
        values = clean_fields(
            [cells[positions[name]] if name in positions else "" for name in self.copy_columns]
        )
        if self._translator:
            self._translator.cells(
                values,
                [kinds[positions[name]] if name in positions else Kind.TYPED for name in self.copy_columns],
            )
        if self.extra_names:
            values.append(without_extras(cells, sheet.layout)[-1] if sheet.layout.extra_names else "")
        return values

    def _amount_beside(self, sheet: _Sheet, cells: list[str], kinds: Sequence[Kind], label: int) -> str:
        """What a total row says the sum is; empty if nothing."""
        if sheet.money is None or sheet.money == label:
            return ""
        amount = clean_fields([cells[sheet.money]])
        translator = self._declared.translator([sheet.layout.columns[sheet.money] or ""])
        if translator:
            translator.cells(amount, [kinds[sheet.money]])
        return amount[0]


def _place(sheet: _Sheet, number: int) -> Callable[[int], str]:
    return lambda index: f"sheet {sheet.name}, row {number}, column {sheet.layout.header[index].strip()}"


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except _UNREADABLE as error:
        raise RefusedError(f"cannot be read as an Excel workbook: {error}") from None
    except BaseException as error:
        # What the library did not foresee in a damaged file is a panic of its Rust code, no Exception.
        if type(error).__name__ == "PanicException":
            raise RefusedError("cannot be read as an Excel workbook: damaged") from None
        raise


def _header(row: list[Any], start: int) -> list[str]:
    """The texts of a header row without the empty cells at its end; the others are named by position."""
    header = [cell_text(value, None) for value in row]
    while header and not header[-1].strip():
        header.pop()
    return [text if text.strip() else f"column {start + index}" for index, text in enumerate(header, 1)]


def _numbers_columns(values: Sequence[Any]) -> bool:
    """Whether a row only numbers the columns, as forms do below their header: 1, 2, 3 … or (1), (2), (3) …"""
    texts = [cell_text(value, None).strip().removeprefix("(").removesuffix(")") for value in values]
    return len(texts) > 2 and texts == [str(number) for number in range(1, len(texts) + 1)]


def _total_label(sheet: _Sheet, cells: list[str]) -> int | None:
    """Where a total row has its label; None: a row like others.

    Of the key a total row has nothing, unless the label stands there. A name that is such a word is no label.
    """
    filled = [index for index, text in zip(sheet.keys, _key_texts(sheet, cells), strict=True) if text]
    if len(filled) > 1:
        return None
    places = filled or range(len(cells))
    label = next((index for index in places if _is_total_word(cells[index])), None)
    # Where there is no sum to tell it by, a total row says nothing else that a row must say.
    if (
        label is not None
        and sheet.money is None
        and any(cells[index].strip() for index in sheet.required if index != label)
    ):
        return None
    return label


def _key_texts(sheet: _Sheet, cells: list[str]) -> list[str]:
    return clean_fields([cells[index] for index in sheet.keys])


def _is_total_word(text: str) -> bool:
    return text.lstrip()[:1] in _TOTAL_LETTERS and _folds_to_total_word(text)


@lru_cache(1 << 12)
def _folds_to_total_word(text: str) -> bool:
    return fold_header(text).rstrip(" :") in _TOTAL_WORDS


def _whole(value: Any) -> Any:
    """A moment without the noise of the binary fraction that Excel keeps it in."""
    if isinstance(value, datetime) and value.microsecond:
        if value.year == MAXYEAR:  # the last of its moments cannot be rounded up
            return value
        value += timedelta(microseconds=500)
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    return value
