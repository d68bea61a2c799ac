"""Whether a workbook can be opened without harm. Nothing of what it holds, and no imports of the project.

The library keeps a sheet as the rectangle of its cells. One damaged number, or one forgotten cell far from the
others, and it asks for more memory than there is: that ends the whole process, and no error can be caught. So a
workbook that could do this is opened first in a process of its own (this file, run as a script).
"""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

_READ = 1 << 20
# A cell right of column Z, or a row of seven digits: only then can the rectangle be too large. The names are those
# that Excel writes; to look for other spellings of the attribute would take three times as long.
_FAR = re.compile(rb' r="(?:[A-Za-z]{2}|[A-Za-z]?[0-9]{7})')
_LONGEST = 16
# What the parts of a damaged zip archive raise; the library may see it otherwise.
UNREADABLE_ARCHIVE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    LookupError,
    ValueError,
    NotImplementedError,  # a way of packing that is unknown
    RuntimeError,  # an encrypted part
)
# All the rows that Excel has, with 50 columns, need less.
_MEMORY_BYTES = 2 << 30
_CPU_SECONDS = 600


def is_harmless(path: Path) -> bool:
    """Whether the library can open the workbook and its sheets, or says itself why not."""
    if not _may_be_too_large(path):
        return True
    trial = subprocess.run(
        [sys.executable, "-I", __file__, str(path)],
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    return trial.returncode == 0


def _may_be_too_large(path: Path) -> bool:
    """Of .xls and .xlsb, which are rare, that is not looked for."""
    with path.open("rb") as stream:
        if stream.read(2) != b"PK":
            return (
                path.suffix.lower() == ".xls"
            )  # the library takes no other for a workbook without a zip archive
    try:
        with zipfile.ZipFile(path) as book:
            names = book.namelist()
            if any(name.lower().endswith("workbook.bin") for name in names):
                return True
            sheets = (name for name in names if re.search(r"worksheets[/\\].+\.xml$", name.lower()))
            return any(_has_far_cell(book, name) for name in sheets)
    except UNREADABLE_ARCHIVE:
        return True


def _has_far_cell(book: zipfile.ZipFile, name: str) -> bool:
    end = b""
    with book.open(name) as stream:
        while block := stream.read(_READ):
            if _FAR.search(end + block):
                return True
            end = block[-_LONGEST:]
    return False


def _open_all(path: str) -> int:
    import resource  # noqa: PLC0415 - only the script needs them

    from python_calamine import CalamineWorkbook, SheetTypeEnum  # noqa: PLC0415

    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        book = CalamineWorkbook.from_path(path)
        for sheet in book.sheets_metadata:
            if sheet.typ is SheetTypeEnum.WorkSheet:
                book.get_sheet_by_name(sheet.name)
    except MemoryError:
        return 1
    except BaseException:  # noqa: BLE001 - the reader meets it too, and says what it is
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(_open_all(sys.argv[1]))
