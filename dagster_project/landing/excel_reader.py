"""Excel workbooks (.xlsx, .xls, .xlsb) as records. No judgement of values, no SQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum

from dagster_project.contracts.model import Contract, fold_header
from dagster_project.landing.cells import cell_text
from dagster_project.landing.records import (
    BlockWriter,
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
_TOTAL_WORDS = frozenset(("tong cong", "cong", "tong"))


@dataclass(frozen=True)
class _Sheet:
    name: str
    header_row: int
    layout: Layout


class ExcelSource:
    """One workbook, opened: the sheets that have the required columns are known."""

    delimiter = ","

    def __init__(self, path: Path, contract: Contract) -> None:
        self._contract = contract
        self.notes: list[str] = []
        self.totals: list[Total] = []
        self._starts: list[tuple[int, str]] = []
        with _readable():
            self._book = CalamineWorkbook.from_path(str(path))
            self._sheets = self._find_sheets()
        found = {name for sheet in self._sheets for name in sheet.layout.contract_columns}
        self.copy_columns = tuple(name for name in contract.names if name in found)
        self.extra_names = tuple(
            dict.fromkeys(name for sheet in self._sheets for name in sheet.layout.extra_names)
        )

    def sheet_starts(self) -> list[tuple[int, str]]:
        return self._starts

    def blocks(self) -> Iterator[str]:
        """Blocks for COPY; rows are numbered through all sheets, `line` is the row of the sheet."""
        self.totals.clear()
        self._starts.clear()
        writer = BlockWriter(self.delimiter)
        row_no = 0
        for sheet in self._sheets:
            self._starts.append((row_no + 1, sheet.name))
            first, section = row_no + 1, row_no + 1
            positions = {name: index for index, name in enumerate(sheet.layout.columns) if name}
            for line, cells in self._rows(sheet):
                if _is_total(cells):
                    self._note_total(sheet, line, cells, (first, section, row_no))
                    section = row_no + 1
                    continue
                row_no += 1
                values = self._values(sheet, cells, positions)
                writer.write((row_no, line, None, *values))
                if writer.is_full:
                    yield _without_nul(writer.take())
        yield _without_nul(writer.take())

    def raw_texts(self, rows: Sequence[tuple[int, int]]) -> Iterator[RawText]:
        wanted = iter(rows)
        row_no, next_row = 0, next(wanted, None)
        for sheet in self._sheets:
            for _, cells in self._rows(sheet):
                if next_row is None:
                    return
                if _is_total(cells):
                    continue
                row_no += 1
                if row_no == next_row[0]:
                    yield RawText(row_no, join_fields(cells), hide(cells, sheet.layout, ","))
                    next_row = next(wanted, None)

    def _find_sheets(self) -> list[_Sheet]:
        sheets: list[_Sheet] = []
        nearest: RefusedError | None = None
        fewest = len(self._contract.columns) + 1
        for described in self._book.sheets_metadata:
            if described.typ is not SheetTypeEnum.WorkSheet:
                continue
            found = None
            for index, row in enumerate(self._book.get_sheet_by_name(described.name).iter_rows()):
                if index >= HEADER_ROWS:
                    break
                header = _header(row)
                columns = [self._contract.headers.get(fold_header(name)) for name in header]
                lacking = len(missing_columns(columns, self._contract))
                if lacking == 0:
                    found = _Sheet(described.name, index + 1, match_header(header, self._contract))
                    break
                if lacking < fewest:
                    fewest = lacking
                    nearest = _fault(header, self._contract)
            if found:
                sheets.append(found)
            else:
                self.notes.append(
                    f"sheet not read, it has no header with the required columns: {described.name}"
                )
        if not sheets:
            raise nearest or RefusedError("the workbook is empty")
        return sheets

    def _rows(self, sheet: _Sheet) -> Iterator[tuple[int, list[str]]]:
        """The rows below the header that are not empty: sheet row and the text of the header's cells."""
        forms = [
            self._contract.column(name).form if name is not None else None for name in sheet.layout.columns
        ]
        width = sheet.layout.width
        with _readable():
            rows = self._book.get_sheet_by_name(sheet.name).iter_rows()
        for index, row in enumerate(rows, 1):
            if index <= sheet.header_row:
                continue
            cells = [cell_text(_whole(value), form) for value, form in zip(row[:width], forms, strict=False)]
            if any(text.strip() for text in cells):
                yield index, cells + [""] * (width - len(cells))

    def _values(self, sheet: _Sheet, cells: list[str], positions: dict[str, int]) -> list[str]:
        """The cells in the order of the workbook's columns, since every sheet may have its own."""
        values = clean_fields(
            [cells[positions[name]] if name in positions else "" for name in self.copy_columns]
        )
        if self.extra_names:
            values.append(without_extras(cells, sheet.layout)[-1] if sheet.layout.extra_names else "")
        return values

    def _note_total(self, sheet: _Sheet, line: int, cells: list[str], rows: tuple[int, int, int]) -> None:
        first, section, last = rows
        if self._contract.money_column not in sheet.layout.columns:
            return
        amount = cells[sheet.layout.columns.index(self._contract.money_column)].strip()
        if amount:
            self.totals.append(Total(line, sheet.name, first, section, last, amount))


@contextmanager
def _readable() -> Iterator[None]:
    try:
        yield
    except CalamineError as error:
        raise RefusedError(f"cannot be read as an Excel workbook: {error}") from None
    except BaseException as error:
        # What the library did not foresee in a damaged file is a panic of its Rust code, no Exception.
        if type(error).__name__ == "PanicException":
            raise RefusedError("cannot be read as an Excel workbook: damaged") from None
        raise


def _header(row: list[Any]) -> list[str]:
    """The texts of a header row without the empty cells at its end."""
    header = [cell_text(value, None) for value in row]
    while header and not header[-1].strip():
        header.pop()
    return header


def _fault(header: Sequence[str], contract: Contract) -> RefusedError:
    try:
        match_header(header, contract)
    except RefusedError as error:
        return error
    raise AssertionError("a header that lacks columns was matched")


def _is_total(cells: Sequence[str]) -> bool:
    first = next((text for text in cells if text.strip()), "")
    label = fold_header(first).rstrip(" :.")
    return label in _TOTAL_WORDS or label.startswith("tong cong")


def _whole(value: Any) -> Any:
    """A moment without the noise of the binary fraction that Excel keeps it in."""
    if isinstance(value, datetime) and value.microsecond:
        value += timedelta(microseconds=500)
        return value.replace(microsecond=value.microsecond // 1000 * 1000)
    return value


def _without_nul(block: str) -> str:
    if "\0" in block:
        raise RefusedError("contains NUL characters")
    return block
