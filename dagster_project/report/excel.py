"""Excel workbooks: written whole or not at all, for their owner alone; a table under its header. No contents here."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from itertools import chain, islice
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from dagster_project.errors import CashlessError
from dagster_project.settings import LOCAL_ZONE

# Excel's own bounds: rows of a sheet without the header, characters (as UTF-16) of a cell.
ROWS_PER_SHEET = 1_048_575
CELL_LENGTH = 32_767

# Its title, and its width in characters.
Column = tuple[str, int]


@contextmanager
def private_book(path: Path) -> Iterator[Any]:
    """A workbook that stands at `path` when all is written, readable for its owner alone.

    Raises CashlessError if it cannot be written.
    """
    try:
        # For root, who may write everything, the mode of the file is what its owner means.
        if path.exists() and not (path.stat().st_mode & stat.S_IWUSR and os.access(path, os.W_OK)):
            raise CashlessError(f"{path} cannot be written: it is there and read-only")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What xlsxwriter keeps meanwhile is personal too: all of it in a folder that nobody else can enter.
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".cashless-") as scratch:
            unfinished = Path(scratch) / "book.xlsx"
            options = {
                "constant_memory": True,
                "tmpdir": scratch,
                "default_date_format": "yyyy-mm-dd hh:mm:ss",
            }
            with xlsxwriter.Workbook(str(unfinished), options) as book:
                yield book
            unfinished.chmod(0o600)
            with unfinished.open("rb") as stream:
                os.fsync(stream.fileno())
            unfinished.replace(path)
    except FileExistsError as error:
        raise CashlessError(f"{path} cannot be written: {path.parent} is no folder") from error
    except OSError as error:
        # Without the name in it, which is that of a temporary file.
        raise CashlessError(f"{path} cannot be written: {error.strerror or error}") from error
    except XlsxWriterException as error:
        raise CashlessError(f"{path} cannot be written: {error}") from error


def write_table(book: Any, name: str, columns: Sequence[Column], rows: Iterable[Iterable[object]]) -> int:
    """Writes rows under a header, on as many sheets as they need (at least one); returns how many rows there were."""
    heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#DDE6F0"})
    day = book.add_format({"num_format": "yyyy-mm-dd"})
    count, number, remaining = 0, 0, iter(rows)
    while number == 0 or count == number * ROWS_PER_SHEET:
        part = islice(remaining, ROWS_PER_SHEET)
        first = next(part, None)
        if first is None and number > 0:
            break
        number += 1
        sheet = book.add_worksheet(name + (f" {number}" if number > 1 else ""))
        sheet.freeze_panes(1, 0)
        for place, (title, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, title, heading)
        here = 0
        for here, row in enumerate([] if first is None else chain([first], part), start=1):
            _write_row(sheet, here, row, day)
        count += here
        sheet.autofilter(0, 0, here, len(columns) - 1)
    return count


def _write_row(sheet: Any, number: int, cells: Iterable[object], day: Any) -> None:
    for place, value in enumerate(cells):
        if isinstance(value, datetime):
            # Without a zone it is local already.
            local = value.astimezone(LOCAL_ZONE).replace(tzinfo=None) if value.tzinfo is not None else value
            sheet.write_datetime(number, place, local)
        elif isinstance(value, date):
            sheet.write_datetime(number, place, value, day)
        elif isinstance(value, bool):
            sheet.write_string(number, place, "có / yes" if value else "không / no")
        elif isinstance(value, int | Decimal):
            sheet.write_number(number, place, value)
        elif value is not None:
            # Always as text: what begins with = in a file is no formula here.
            sheet.write_string(number, place, fitting(str(value)))


def fitting(text: str) -> str:
    """The text, cut to what a cell can hold; the note at its end says so."""
    # A character that is not allowed in a workbook is written as seven.
    length = _length(text)
    if length <= CELL_LENGTH:
        return text
    note = f" … [cắt bớt, cả dòng có {len(text)} ký tự / cut, {len(text)} characters in all]"
    room, kept = CELL_LENGTH - len(note), []
    for char in text:
        room -= _length(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + note


def _length(text: str) -> int:
    """As Excel counts; a control character is written as _x0001_."""
    return len(text.encode("utf-16-le")) // 2 + 6 * sum(char < " " and char not in "\t\n" for char in text)
