"""Error cells (#N/A, #REF! …) of Excel workbooks, which the reader gives as empty ones. Nothing of other cells.

In .xlsx they are found in the XML of the sheet. In .xls and .xlsb it is only found out that there are some:
such a workbook is refused, since an error taken for an empty cell would be a wrong value without a trace.
In .xls they are looked for by the form of their records, in the bytes of the file.
"""

from __future__ import annotations

import mmap
import posixpath
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO
from xml.etree import ElementTree

from dagster_project.landing.records import RefusedError

# Text by column by row, both from 1.
ErrorTexts = dict[int, dict[int, str]]

_READ = 1 << 20
_ERROR_TYPE = re.compile(rb"""\st\s*=\s*["']e["']""")
# One of these is in all of them, and they are quicker to look for.
_ERROR_LETTERS = (b'"e"', b"'e'", b"\"e'", b"'e\"")
_LONGEST_TYPE = 64
_REFERENCE = re.compile(r"([A-Z]{1,3})([0-9]+)")

_CODES = rb"[\x00\x07\x0f\x17\x1d\x24\x2a\x2b]"
# BOOLERR with an error, and FORMULA whose result is one; row, column and format stand in between.
_XLS_ERROR = re.compile(
    rb"\x05\x02\x08\x00.{6}" + _CODES + rb"\x01|\x06\x00.{8}\x02\x00" + _CODES + rb"\x00{3}\xff\xff",
    re.DOTALL,
)
# BrtCellError and BrtFmlaError
_XLSB_ERRORS = frozenset((3, 11))


class ErrorCells:
    """The error cells of one workbook."""

    def __init__(self, path: Path) -> None:
        """RefusedError if the workbook has error cells that cannot be told from empty ones."""
        self._path = path
        self._parts: list[str] = []
        with path.open("rb") as stream:
            is_zip = stream.read(2) == b"PK"
        if not is_zip:
            _refuse_if(_xls_has_error(path))
            return
        with zipfile.ZipFile(path) as book:
            names = {name.lower().replace("\\", "/"): name for name in book.namelist()}
            if "xl/workbook.bin" in names:
                sheets = (name for name in names if re.fullmatch(r"xl/worksheets/[^/]+\.bin", name))
                _refuse_if(any(_xlsb_has_error(book.read(names[name])) for name in sheets))
            elif "xl/workbook.xml" in names:
                self._parts = [names.get(part.lower(), part) for part in _sheet_parts(book, names)]
            else:
                raise RefusedError("cannot be read as an Excel workbook: its content is of another kind")

    def of_sheet(self, position: int) -> ErrorTexts:
        """The error cells of the sheet at this position in the workbook."""
        if not self._parts:
            return {}
        with zipfile.ZipFile(self._path) as book:
            with book.open(self._parts[position]) as stream:
                if not _has_error_type(stream):
                    return {}
            with book.open(self._parts[position]) as stream:
                return _error_texts(stream)


def _refuse_if(has_errors: bool) -> None:
    if has_errors:
        raise RefusedError(
            "has error cells such as #N/A, which only .xlsx tells from empty ones: save it as .xlsx"
        )


def _sheet_parts(book: zipfile.ZipFile, names: dict[str, str]) -> list[str]:
    """The parts of the workbook's sheets, in their order."""
    relations = ElementTree.fromstring(book.read(names["xl/_rels/workbook.xml.rels"]))
    targets = {relation.get("Id"): relation.get("Target", "") for relation in relations}
    workbook = ElementTree.fromstring(book.read(names["xl/workbook.xml"]))
    parts = []
    for element in workbook.iter():
        if _tag(element) == "sheet":
            (relation,) = (value for key, value in element.items() if key.endswith("}id"))
            parts.append(posixpath.normpath(posixpath.join("/xl", targets[relation])).lstrip("/"))
    return parts


def _has_error_type(stream: IO[bytes]) -> bool:
    """Whether any cell is of the error type: most sheets have none, and looking for it is quick."""
    end = b""
    while block := stream.read(_READ):
        text = end + block
        if any(letter in text for letter in _ERROR_LETTERS) and _ERROR_TYPE.search(text):
            return True
        end = block[-_LONGEST_TYPE:]
    return False


def _error_texts(stream: IO[bytes]) -> ErrorTexts:
    found: ErrorTexts = {}
    row = column = 0
    rows: ElementTree.Element | None = None
    for event, element in ElementTree.iterparse(stream, ("start", "end")):
        match event, _tag(element):
            case "start", "sheetData":
                rows = element
            case "start", "row":
                row, column = int(element.get("r", row + 1)), 0
            case "start", "c":
                place = _REFERENCE.fullmatch(element.get("r", "").upper())
                column = _column_number(place[1]) if place else column + 1
                row = int(place[2]) if place else row
            case "end", "c" if element.get("t") == "e":
                for child in element:
                    if _tag(child) == "v" and child.text:
                        found.setdefault(row, {})[column] = child.text
            case "end", "row" if rows is not None:
                rows.clear()  # or the whole sheet would stay in memory
    return found


def _tag(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


def _xls_has_error(path: Path) -> bool:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        return _XLS_ERROR.search(content) is not None


def _xlsb_has_error(part: bytes) -> bool:
    return any(kind in _XLSB_ERRORS for kind in _xlsb_records(part))


def _xlsb_records(part: bytes) -> Iterator[int]:
    """The types of the records; type and length are written in groups of seven bits, the lowest first."""
    place = 0

    def number(longest: int) -> int:
        nonlocal place
        value = 0
        for group in range(longest):
            byte = part[place]
            place += 1
            value |= (byte & 0x7F) << (7 * group)
            if byte < 0x80:
                break
        return value

    while place + 1 < len(part):
        yield number(2)
        length = number(4)  # moves the place itself
        place += length
