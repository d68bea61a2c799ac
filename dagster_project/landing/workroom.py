"""Folders for what a run needs on disk for a moment. They go with the run that made them, or with the next one.

Does not belong here: what is put into them.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def workroom(temporary: Path) -> Iterator[Path]:
    """A new folder under `temporary` that only this user can read, gone afterwards."""
    temporary.mkdir(mode=0o700, parents=True, exist_ok=True)
    temporary.chmod(0o700)
    with _locked(temporary):
        _clear(temporary)
        folder = Path(tempfile.mkdtemp(prefix="run-", dir=temporary))
        # Held for as long as the process lives: so others know that somebody works there.
        descriptor = os.open(folder, os.O_RDONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)
        os.close(descriptor)


def clear_remains(temporary: Path) -> None:
    """Removes what killed runs left behind; what somebody works with stays."""
    if temporary.is_dir():
        with _locked(temporary):
            _clear(temporary)


def _clear(temporary: Path) -> None:
    for folder in temporary.glob("run-*"):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
        except BlockingIOError:
            continue  # its run is alive: of another warehouse with the same home
        finally:
            os.close(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
