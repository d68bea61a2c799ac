"""One steady copy of a file: read once, hashed, refused if it changed meanwhile. Not what the bytes mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from dagster_project.landing.finder import LandingFile
from dagster_project.landing.place import Mark
from dagster_project.landing.records import RefusedError
from dagster_project.landing.workroom import workroom

BLOCK = 1 << 20


@dataclass(frozen=True)
class Snapshot:
    """The copied bytes of a landing file, with their hash and the mark the file had."""

    path: Path
    sha256: str
    mark: Mark


@contextmanager
def take_snapshot(file: LandingFile, temporary: Path) -> Iterator[Snapshot]:
    """Copies the file into a folder of its own under `temporary`; RefusedError if it cannot be read or changes."""
    if file.fault is not None:
        raise RefusedError(file.fault)
    with workroom(temporary) as folder:
        copy = folder / f"content{PurePosixPath(file.path).suffix}"
        digest = hashlib.sha256()
        with copy.open("wb") as target:
            try:
                before = file.place.mark(file.path)
                with file.place.open(file.path) as original:
                    while block := original.read(BLOCK):
                        digest.update(block)
                        target.write(block)
                after = file.place.mark(file.path)
            except file.place.errors as error:
                reason = error.strerror if isinstance(error, OSError) else None
                raise RefusedError(f"cannot be read: {reason or type(error).__name__}") from None
        if before != after or copy.stat().st_size != after.size:
            raise RefusedError("changed while it was read")
        yield Snapshot(copy, digest.hexdigest(), after)
