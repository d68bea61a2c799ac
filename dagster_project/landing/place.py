"""A landing location and what can be done there: list, look, read, put. A folder here.

Addresses are address.py's; which of the two a location names is location.py's.
Does not belong here: what the files are, and which of them are read.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from dagster_project.warehouse.connection import WarehouseError

# What a file is called while it is put; hidden, and always the same: the next one takes the place of what was left.
PART = ".put.part"


class Mark(NamedTuple):
    """What tells, without reading, that a file is still the same."""

    size: int
    mtime_ns: int


class Place(Protocol):
    """A landing location: a folder, or an fsspec address."""

    errors: tuple[type[Exception], ...]
    """What is raised where a file cannot be had."""
    unread: list[str]
    """Folders that could not be looked into; complete when `walk` has ended."""
    shows_half_files: bool
    """Whether a file can be seen before it is whole, and its mark tells so."""

    def walk(self) -> Iterator[str]:
        """Paths of all files under the location, posix form."""
        ...

    def glance(self, path: str) -> Mark:
        """The mark as it was when the place was walked, where that is at hand; else as it is now."""
        ...

    def mark(self, path: str) -> Mark:
        """Size and time of change as they are now."""
        ...

    def open(self, path: str) -> BinaryIO:
        """The bytes of the file."""
        ...

    def put(self, content: Path, path: str) -> None:
        """A local file as `path`, which is seen whole or not at all; one of that name gives way."""
        ...


class Folder:
    """A folder of this machine, or mounted there."""

    errors: tuple[type[Exception], ...] = (OSError,)
    shows_half_files = True

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
        self.unread.clear()
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

    def glance(self, path: str) -> Mark:
        return self.mark(path)

    def mark(self, path: str) -> Mark:
        status = (self._root / path).stat()
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        return Mark(status.st_size, status.st_mtime_ns)

    def open(self, path: str) -> BinaryIO:
        return (self._root / path).open("rb")

    def put(self, content: Path, path: str) -> None:
        target = self._root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(PART)
        with content.open("rb") as source, part.open("wb") as stream:
            shutil.copyfileobj(source, stream, 1 << 20)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(target)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the name too: what the warehouse remembers of it must not outlive it
        finally:
            os.close(folder)
