"""Which files lie in the landing location. Nothing of their contents, no SQL; where it lies is place.py's."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from dagster_project.landing.location import open_place
from dagster_project.landing.place import Folder, Mark, Place
from dagster_project.landing.reader import CSV, EXCEL, PARQUET

# How programs call a file while they write it: they rename it when it is whole.
BEING_WRITTEN = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload")
COPYING = "still being copied, by its name; it is read under its final one"


@dataclass(frozen=True)
class LandingFile:
    """One file of a source. `path` is under the landing location and begins with the source's folder."""

    source: str
    path: str
    place: Place
    # Why it cannot be taken, whatever it holds.
    fault: str | None = None

    @property
    def name(self) -> str:
        return PurePosixPath(self.path).name


@dataclass(frozen=True)
class Found:
    """The files by source, in the order of their paths, and what lies in the landing that is none of them."""

    files: dict[str, list[LandingFile]]
    findings: tuple[str, ...]


def find_files(location: str, sources: Collection[str]) -> Found:
    """All files of the sources; WarehouseError if the location does not exist."""
    return files_in(open_place(location), sources)


def files_in(place: Place, sources: Collection[str]) -> Found:
    """All files of the sources in a place that is open already."""
    files: dict[str, list[LandingFile]] = {source: [] for source in sources}
    strange: dict[str, int] = {}
    stray: list[str] = []
    unfinished: list[str] = []
    for original in sorted(place.walk()):
        path = _storable(original)
        parts = PurePosixPath(path).parts
        if parts[0] in files and _is_unfinished(parts):
            unfinished.append(path)
            continue
        if any(part.startswith((".", "~$")) for part in parts):
            continue  # hidden files, and the lock files of Excel
        if len(parts) == 1:
            stray.append(path)
        elif parts[0] in files:
            fault = None if path == original else "its name is not valid UTF-8: rename it"
            files[parts[0]].append(LandingFile(parts[0], path, place, fault))
        else:
            strange[parts[0]] = strange.get(parts[0], 0) + 1
    known = ", ".join(sorted(sources))
    findings = [f"{name}: lies in no source folder and is not read" for name in stray]
    findings += [f"{path}: {COPYING}" for path in unfinished]
    findings += [
        f"{_storable(folder)}/: cannot be looked into; what lies there is not read" for folder in place.unread
    ]
    findings += [
        f"{folder}/: no such source, {count} file{'s' if count > 1 else ''} not read (sources: {known})"
        for folder, count in strange.items()
    ]
    if not unfinished and not any(files.values()):
        # Files may be moved away once they are loaded, so that it is no fault.
        findings.insert(0, "no file of any source lies there: is it the right place, and mounted?")
    return Found(files, tuple(findings))


def file_on_disk(source: str, path: Path) -> LandingFile:
    """A file that need not lie in the landing, as if it lay in the folder of the source."""
    parts = path.absolute().parts
    inside = parts[len(parts) - parts[::-1].index(source) :] if source in parts[:-1] else parts[-1:]
    return LandingFile(source, "/".join((source, *inside)), _OneFile(path))


def source_of(path: Path, sources: Collection[str]) -> str | None:
    """The source whose folder the file lies in: the innermost folder that is called after one."""
    return next((name for name in reversed(path.absolute().parts[:-1]) if name in sources), None)


def _is_unfinished(parts: tuple[str, ...]) -> bool:
    """By its name: a program is still writing it. Of hidden files those that are called like one that is read."""
    *folders, name = (part.lower() for part in parts)
    if not folders or any(folder.startswith(".") for folder in folders):
        return False
    if name.startswith("."):
        # "._" begins what macOS writes beside a file.
        return not name.startswith("._") and any(kind in name for kind in CSV + EXCEL + PARQUET)
    return name.endswith(BEING_WRITTEN)


def _storable(path: str) -> str:
    r"""The path with bytes that are no UTF-8 shown as \xNN: only so can it be written down."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class _OneFile(Folder):
    """A place that has one file, under whatever path it is asked for."""

    def __init__(self, file: Path) -> None:
        super().__init__(str(file.parent))
        self._file = file

    def walk(self) -> Iterator[str]:
        yield self._file.name

    def mark(self, path: str) -> Mark:
        return super().mark(self._file.name)

    def open(self, path: str) -> BinaryIO:
        return self._file.open("rb")
