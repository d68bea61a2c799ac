"""Why a file was refused, in Vietnamese. The reasons themselves arise where a file is read, checked and loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable

# Where it is: before the reason proper, and again before what a font does not have.
_PLACES = (
    (r"line (\d+), column (.+)", r"dòng \1, cột \2"),
    (r"line (\d+), field (\d+)", r"dòng \1, trường thứ \2"),
    (r"line (\d+)", r"dòng \1"),
    (r"sheet (.+), row (\d+), column (.+)", r"trang tính \1, dòng \2, cột \3"),
    (r"sheet (.+), row (\d+)", r"trang tính \1, dòng \2"),
)
# The first that fits holds. What a library says of a damaged file stays as it says it.
_REASONS = (
    (r"the file is empty", r"tệp rỗng"),
    (r"the workbook is empty", r"sổ Excel rỗng"),
    (r"its name is not valid UTF-8: rename it", r"tên tệp không phải UTF-8 hợp lệ: hãy đổi tên tệp"),
    (r"not a kind of file that is read \((.+)\)", r"không phải loại tệp được đọc (\1)"),
    (r"changed while it was read", r"tệp bị thay đổi trong lúc đọc"),
    (r"truncated gzip file", r"tệp gzip bị cắt cụt"),
    (r"broken gzip file: (.*)", r"tệp gzip hỏng: \1"),
    (
        r"truncated: the last line \((\d+)\) has no end and (\d+) of (\d+) fields",
        r"bị cắt cụt: dòng cuối (\1) không có kết thúc và chỉ có \2 trên \3 trường",
    ),
    (
        r"the quote that opens in the record of line (\d+) is not closed",
        r'dấu ngoặc kép (") mở ở bản ghi của dòng \1 không được đóng',
    ),
    (r"truncated: it ends in the middle of a character", r"bị cắt cụt: tệp kết thúc giữa một ký tự"),
    (r"damaged UTF-8: some of its bytes are no characters", r"UTF-8 hỏng: có byte không phải là ký tự"),
    (
        r"not valid UTF-16, though it begins with its byte order mark",
        r"không phải UTF-16 hợp lệ dù bắt đầu bằng dấu BOM của nó",
    ),
    (
        r"neither UTF-8, UTF-16 with a byte order mark, nor Windows-1258",
        r"không phải UTF-8, UTF-16 có BOM hay Windows-1258",
    ),
    (r"(?:some of its )?bytes (?:are|that are) no (.+)", r"có byte không thuộc bảng mã \1"),
    (
        r"contains NUL characters: no text, or UTF-16 without a byte order mark",
        r"có ký tự NUL: không phải văn bản, hoặc là UTF-16 thiếu BOM",
    ),
    (r"contains NUL characters", r"có ký tự NUL"),
    (r"has text that is not valid UTF-8", r"có văn bản không phải UTF-8 hợp lệ"),
    (r"a byte that is no letter of (.+)", r"có byte không phải là chữ của bảng mã \1"),
    (
        r"(U\+[0-9A-F]+) has no meaning there in (.+); is the text Unicode already\?",
        r"\1 không có nghĩa ở đó trong bảng mã \2; văn bản đã là Unicode chăng?",
    ),
    (r"(U\+[0-9A-F]+) has no meaning there in (.+)", r"\1 không có nghĩa ở đó trong bảng mã \2"),
    (
        r"required columns? missing: (.+) "
        r"\(line (\d+) is taken for the header: titles above it are read in Excel only\)",
        r"thiếu cột bắt buộc: \1 (dòng \2 được coi là dòng tiêu đề: chỉ tệp Excel mới được có dòng khác ở trên)",
    ),
    (r"required columns? missing: (.+)", r"thiếu cột bắt buộc: \1"),
    (r"two columns are both (.+)", r"có hai cột cùng là \1"),
    (
        r"has error cells such as #N/A, which only \.xlsx tells from empty ones: save it as \.xlsx",
        r"có ô lỗi như #N/A mà chỉ .xlsx phân biệt được với ô trống: hãy lưu lại thành .xlsx",
    ),
    (
        r"cannot be read as an Excel workbook: its content is of another kind",
        r"không đọc được như sổ Excel: nội dung là loại khác",
    ),
    (
        r"cannot be read as an Excel workbook: damaged, or a cell far from the others makes it too large",
        r"không đọc được như sổ Excel: hỏng, hoặc có ô nằm quá xa làm trang tính quá lớn",
    ),
    (r"cannot be read as an Excel workbook: damaged", r"không đọc được như sổ Excel: hỏng"),
    (r"cannot be read as an Excel workbook: (.*)", r"không đọc được như sổ Excel: \1"),
    (
        r"cannot be read as Parquet, perhaps truncated: (.*)",
        r"không đọc được như Parquet, có thể bị cắt cụt: \1",
    ),
    (r"cannot be read as CSV: (.*)", r"không đọc được như CSV: \1"),
    (r"cannot be read: (.*)", r"không đọc được: \1"),
    (r"the total cannot be read as an amount", r"dòng tổng cộng không đọc được thành số tiền"),
    (
        r"the total is (-?\d+), but its rows sum up to (-?\d+) \(bad rows among them: (\d+)\)",
        r"dòng tổng cộng ghi \1, nhưng tổng các dòng là \2 (trong đó có \3 dòng lỗi)",
    ),
    (
        r"the total is (-?\d+), but its rows sum up to (-?\d+)",
        r"dòng tổng cộng ghi \1, nhưng tổng các dòng là \2",
    ),
    (
        r"the database cannot take its rows \(SQLSTATE (\w+)\)",
        r"cơ sở dữ liệu không nhận được các dòng của tệp (SQLSTATE \1)",
    ),
)


def in_vietnamese(reason: str) -> str | None:
    """A reason of a refusal in Vietnamese; None if it is not known here: another version wrote it."""
    known = _told(reason, _REASONS)
    if known is not None:
        return known
    for colon in re.finditer(": ", reason):  # the name of a column or sheet may have one, too
        place, rest = _told(reason[: colon.start()], _PLACES), _told(reason[colon.end() :], _REASONS)
        if place is not None and rest is not None:
            return f"{place}: {rest}"
    return None


def in_both(reason: str) -> str:
    """A reason for people: in Vietnamese and in English."""
    vietnamese = in_vietnamese(reason)
    return reason if vietnamese is None else f"{vietnamese} / {reason}"


def _told(reason: str, phrases: Iterable[tuple[str, str]]) -> str | None:
    for pattern, vietnamese in phrases:
        found = re.fullmatch(pattern, reason, re.DOTALL)
        if found:
            return found.expand(vietnamese)
    return None
