"""The workbook of a source's quarantine, for the people who own the data: what is wrong, where, and how to answer.

It holds the rows as they stand in the files, so it is personal and only its owner may read it. What is in quarantine
is read elsewhere (raw/quarantine_reading.py).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import xlsxwriter
from xlsxwriter.exceptions import XlsxWriterException

from dagster_project.errors import CashlessError
from dagster_project.landing.refusals import in_vietnamese
from dagster_project.raw.quarantine_reading import QuarantinedRow, RefusedFile
from dagster_project.report.quarantine import STATUS
from dagster_project.settings import LOCAL_ZONE

# Excel's own bounds: rows of a sheet without the header, characters (as UTF-16) of a cell.
ROWS_PER_SHEET = 1_048_575
CELL_LENGTH = 32_767

_COLUMNS = (
    ("Tệp / File", 34),
    ("Trang tính / Sheet", 16),
    ("Dòng / Line", 10),
    ("Cột / Column", 22),
    ("Lý do (tiếng Việt)", 46),
    ("Reason (English)", 46),
    ("Số tiền (đ) / Amount (VND)", 18),
    ("Từ lúc / Since", 19),
    ("Trạng thái / Status", 18),
    ("Sửa lúc / Repaired at", 19),
    ("Sửa bởi tệp / Repaired by file", 34),
    ("Dòng gốc / Raw row", 100),
)
_REFUSED_COLUMNS = (
    ("Tệp / File", 44),
    ("Lý do (tiếng Việt)", 80),
    ("Reason (English)", 80),
    ("Lúc / When", 19),
)


@dataclass(frozen=True)
class Written:
    """A workbook and what is in it."""

    path: Path
    rows: int
    refused: int


def write_workbook(
    folder: Path, source: str, day: date, rows: Iterable[QuarantinedRow], refused: Sequence[RefusedFile]
) -> Written:
    """Writes `quarantine_<source>_<day>.xlsx`, whole or not at all and readable for its owner alone."""
    path = folder / f"quarantine_{source}_{day:%Y-%m-%d}.xlsx"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # What xlsxwriter keeps meanwhile is personal too: all of it in a folder that nobody else can enter.
        with tempfile.TemporaryDirectory(dir=folder, prefix=".quarantine-") as scratch:
            unfinished = Path(scratch) / "book.xlsx"
            count = _write(unfinished, source, day, rows, refused)
            unfinished.chmod(0o600)
            with unfinished.open("rb") as stream:
                os.fsync(stream.fileno())
            unfinished.replace(path)
    except (OSError, XlsxWriterException) as error:
        raise CashlessError(f"{path} cannot be written: {error}") from error
    return Written(path, count, len(refused))


def _write(
    path: Path, source: str, day: date, rows: Iterable[QuarantinedRow], refused: Sequence[RefusedFile]
) -> int:
    options = {
        "constant_memory": True,
        "tmpdir": str(path.parent),
        "default_date_format": "yyyy-mm-dd hh:mm:ss",
    }
    with xlsxwriter.Workbook(str(path), options) as book:
        heading = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "bg_color": "#DDE6F0"})
        _write_guide(book, source, day)
        count, number, remaining = 0, 0, iter(rows)
        while number == 0 or count == number * ROWS_PER_SHEET:
            part = islice(remaining, ROWS_PER_SHEET)
            first = next(part, None)
            if first is None and number > 0:
                break
            number += 1
            name = "Dòng lỗi - Rows" + (f" {number}" if number > 1 else "")
            sheet = _Sheet(book.add_worksheet(name), _COLUMNS, heading)
            for row in [] if first is None else _chain(first, part):
                sheet.add(_cells(row))
                count += 1
            sheet.close()
        if refused:
            sheet = _Sheet(book.add_worksheet("Tệp bị từ chối - Refused"), _REFUSED_COLUMNS, heading)
            for file in refused:
                sheet.add(
                    (file.file, in_vietnamese(file.reason) or file.reason, file.reason, file.refused_at)
                )
            sheet.close()
    return count


def _cells(row: QuarantinedRow) -> tuple[object, ...]:
    return (
        row.file,
        row.sheet,
        row.line,
        row.column,
        row.reason_vi,
        row.reason,
        row.money,
        row.since,
        STATUS[row.status],
        row.repaired_at,
        row.repaired_by_file,
        row.raw,
    )


def _chain(first: QuarantinedRow, others: Iterable[QuarantinedRow]) -> Iterable[QuarantinedRow]:
    yield first
    yield from others


class _Sheet:
    """A table under its header, row after row: what was written is not kept."""

    def __init__(self, sheet: Any, columns: Sequence[tuple[str, int]], heading: Any) -> None:
        self._sheet = sheet
        self._width = len(columns)
        self._row = 0
        sheet.freeze_panes(1, 0)
        for place, (title, width) in enumerate(columns):
            sheet.set_column(place, place, width)
            sheet.write_string(0, place, title, heading)

    def add(self, cells: Iterable[object]) -> None:
        self._row += 1
        for place, value in enumerate(cells):
            if isinstance(value, datetime):
                self._sheet.write_datetime(
                    self._row, place, value.astimezone(LOCAL_ZONE).replace(tzinfo=None)
                )
            elif isinstance(value, int):
                self._sheet.write_number(self._row, place, value)
            elif value is not None:
                # Always as text: what begins with = in a file is no formula here.
                self._sheet.write_string(self._row, place, fitting(str(value)))

    def close(self) -> None:
        self._sheet.autofilter(0, 0, self._row, self._width - 1)


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


def _write_guide(book: Any, source: str, day: date) -> None:
    title = book.add_format({"bold": True, "font_size": 14})
    warning = book.add_format({"bold": True, "font_color": "#9C0006", "text_wrap": True, "valign": "top"})
    text = book.add_format({"text_wrap": True, "valign": "top"})
    sheet = book.add_worksheet("Hướng dẫn - Guide")
    sheet.set_column(0, 1, 70)
    lines: list[tuple[str, str, Any]] = [
        (f"Dòng bị cách ly: {source}", f"Rows in quarantine: {source}", title),
        (f"Ngày {day:%d/%m/%Y}", f"As of {day:%Y-%m-%d}", text),
        (
            "Tệp này có dữ liệu cá nhân của khách hàng: chỉ gửi cho người phụ trách dữ liệu, xóa khi đã xong.",
            "This workbook holds customers' personal data: only for those who own the data; delete it when done.",
            warning,
        ),
        (
            "Mỗi dòng dưới đây nằm trong một tệp đã gửi nhưng chưa được tính vào số liệu, vì sai ở cột và theo lý do "
            "đã ghi. Các dòng khác của tệp đã được nạp.",
            "Each row below stands in a file that was sent and is not in the figures, because of the fault in the "
            "column named. The other rows of its file were loaded.",
            text,
        ),
        (
            "Cách sửa: sửa dữ liệu tại nguồn rồi gửi lại, cả tệp hoặc chỉ các dòng đã sửa (có dòng tiêu đề), vào cùng "
            f"thư mục {source}, tên tệp tùy ý. Dòng lỗi được thay bằng dòng "
            "cùng khóa, chỉ khác ở cột sai hoặc có ngày cập nhật mới hơn (thanh toán: chỉ khác ở cột sai).",
            "How to correct: put it right at the source and send it again, the whole file or only the corrected rows "
            f"(with the header), to the same folder {source}, under any name. What takes the place of a bad row "
            "is one of the same key that differs in the faulty columns alone, or has a newer updated_at (payments: "
            "that differs in the faulty columns alone).",
            text,
        ),
        (
            "Dòng sai số trường hoặc sai ở cột khóa: gửi lại cả tệp dưới cùng tên, các dòng giữ nguyên thứ tự.",
            "A row with a wrong number of fields or a fault in a key column: send the whole file again under the same "
            "name, with the rows in the same order.",
            text,
        ),
        (
            "Tệp bị từ chối (trang riêng, nếu có): không dòng nào được nạp; gửi lại cả tệp.",
            "Refused files (on a sheet of their own, if there are any): nothing of them was loaded; send them again, "
            "whole.",
            text,
        ),
        (
            "Sửa trong tệp Excel này không có tác dụng.",
            "Changes in this workbook have no effect.",
            text,
        ),
    ]
    for place, (vietnamese, english, form) in enumerate(lines):
        sheet.write_string(place, 0, vietnamese, form)
        sheet.write_string(place, 1, english, form)
