"""The workbook of a source's quarantine, for the people who own the data: what is wrong, where, and how to answer.

It holds the rows as they stand in the files, so it is personal and only its owner may read it. What is in quarantine
is read elsewhere (raw/quarantine_reading.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from dagster_project.landing.refusals import in_vietnamese
from dagster_project.raw.quarantine_reading import QuarantinedRow, RefusedFile
from dagster_project.report.excel import private_book, write_table
from dagster_project.report.quarantine import STATUS

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
    with private_book(path) as book:
        count = _write(book, source, day, rows, refused)
    return Written(path, count, len(refused))


def _write(
    book: Any, source: str, day: date, rows: Iterable[QuarantinedRow], refused: Sequence[RefusedFile]
) -> int:
    _write_guide(book, source, day)
    count = write_table(book, "Dòng lỗi - Rows", _COLUMNS, map(_cells, rows))
    if refused:
        write_table(
            book,
            "Tệp bị từ chối - Refused",
            _REFUSED_COLUMNS,
            (
                (file.file, in_vietnamese(file.reason) or file.reason, file.reason, file.refused_at)
                for file in refused
            ),
        )
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
