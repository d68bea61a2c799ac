"""Which files lie in the landing location. Nothing of their contents, no SQL."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NamedTuple, Protocol, cast

from dagster_project.warehouse.connection import WarehouseError


class Mark(NamedTuple):
    """What tells, without reading, that a file is still the same."""

    size: int
    mtime_ns: int


class Place(Protocol):
    """A landing location: a folder, or an fsspec address."""

    unread: list[str]
    """Folders that could not be looked into; complete when `walk` has ended."""

    def walk(self) -> Iterator[str]:
        """Paths of all files under the location, posix form."""
        ...

    def mark(self, path: str) -> Mark:
        """Size and time of change; OSError if the file cannot be had."""
        ...

    def open(self, path: str) -> BinaryIO:
        """The bytes of the file; OSError if they cannot be had."""
        ...


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
    place = _place(location)
    files: dict[str, list[LandingFile]] = {source: [] for source in sources}
    strange: dict[str, int] = {}
    stray: list[str] = []
    for original in sorted(place.walk()):
        path = _storable(original)
        parts = PurePosixPath(path).parts
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
    findings += [
        f"{_storable(folder)}/: cannot be looked into; what lies there is not read" for folder in place.unread
    ]
    findings += [
        f"{folder}/: no such source, {count} file{'s' if count > 1 else ''} not read (sources: {known})"
        for folder, count in strange.items()
    ]
    return Found(files, tuple(findings))


def file_on_disk(source: str, path: Path) -> LandingFile:
    """A file that need not lie in the landing, as if it lay in the folder of the source."""
    parts = path.absolute().parts
    inside = parts[len(parts) - parts[::-1].index(source) :] if source in parts[:-1] else parts[-1:]
    return LandingFile(source, "/".join((source, *inside)), _OneFile(path))


def source_of(path: Path, sources: Collection[str]) -> str | None:
    """The source whose folder the file lies in: the innermost folder that is called after one."""
    return next((name for name in reversed(path.absolute().parts[:-1]) if name in sources), None)


def _storable(path: str) -> str:
    r"""The path with bytes that are no UTF-8 shown as \xNN: only so can it be written down."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _place(location: str) -> Place:
    if "://" not in location and "::" not in location:
        return _Folder(location)
    return _Address(location)


class _Folder:
    def __init__(self, location: str) -> None:
        self.unread: list[str] = []
        self._root = Path(location).expanduser()
        if not self._root.is_dir():
            raise WarehouseError(
                f"The landing folder {self._root} does not exist: create it, or name another one with "
                "--landing or CASHLESS_LANDING."
            )
        if not os.access(self._root, os.R_OK | os.X_OK):
            raise WarehouseError(f"The landing folder {self._root} may not be read by this user.")

    def walk(self) -> Iterator[str]:
        seen: set[tuple[int, int]] = set()
        for folder, folders, names in os.walk(self._root, onerror=self._note_unread, followlinks=True):
            status = os.stat(folder)
            if (status.st_dev, status.st_ino) in seen:
                folders.clear()  # a link that leads back to where we have been
                continue
            seen.add((status.st_dev, status.st_ino))
            for name in names:
                yield Path(folder, name).relative_to(self._root).as_posix()

    def _note_unread(self, error: OSError) -> None:
        self.unread.append(Path(error.filename).relative_to(self._root).as_posix())

    def mark(self, path: str) -> Mark:
        status = (self._root / path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return Mark(status.st_size, status.st_mtime_ns)

    def open(self, path: str) -> BinaryIO:
        return (self._root / path).open("rb")


class _OneFile:
    """A place that has one file, under whatever path it is asked for."""

    def __init__(self, file: Path) -> None:
        self.unread: list[str] = []
        self._file = file

    def walk(self) -> Iterator[str]:
        yield self._file.name

    def mark(self, _path: str) -> Mark:
        return _Folder(str(self._file.parent)).mark(self._file.name)

    def open(self, _path: str) -> BinaryIO:
        return self._file.open("rb")


class _Address:
    """Any file system that fsspec knows (its own package must be installed: s3fs, sshfs, …)."""

    def __init__(self, location: str) -> None:
        self.unread: list[str] = []
        from fsspec.core import url_to_fs  # noqa: PLC0415 - only for addresses, and slow to import

        try:
            self._files, root = url_to_fs(location)
            self._root = root.rstrip("/")
            there = self._files.isdir(self._root)
        except (ImportError, ValueError, OSError) as error:
            raise WarehouseError(f"The landing location {location} cannot be used: {error}") from None
        if not there:
            raise WarehouseError(f"The landing location {location} does not exist or is no folder.")

    def walk(self) -> Iterator[str]:
        for path in self._files.find(self._root):
            yield path[len(self._root) :].lstrip("/")

    def mark(self, path: str) -> Mark:
        info = self._files.info(f"{self._root}/{path}")
        return Mark(int(info.get("size") or 0), _changed_ns(info))

    def open(self, path: str) -> BinaryIO:
        return cast(BinaryIO, self._files.open(f"{self._root}/{path}", "rb"))


def _changed_ns(info: dict[str, Any]) -> int:
    for name in ("mtime", "LastModified", "last_modified", "updated", "modified", "created"):
        value = info.get(name)
        if isinstance(value, datetime):
            return int(value.timestamp() * 1_000_000) * 1000
        if isinstance(value, int | float):
            return int(value * 1_000_000) * 1000
    return -1  # unknown: snapshot.py then never takes the file for unchanged
