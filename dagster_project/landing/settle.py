"""Leaves files alone that somebody is still writing: new ones that changed just now are looked at twice.

By their marks only; what a file's name says about it is finder.py's, and a change during the reading snapshot.py's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from dagster_project.landing.finder import Found, LandingFile
from dagster_project.landing.place import Mark

MOVING = "still being copied; the next run takes it"


def settled(
    found: Found,
    known: Callable[[LandingFile], Collection[Mark]],
    seconds: float,
    sleep: Callable[[float], None] = time.sleep,
) -> Found:
    """What was found, without the files that change within `seconds`; each is named as a finding.

    Waits once for all of them, and not at all if no new file changed less than `seconds` ago. `known`: the marks
    by which a file need not be read.
    """
    if seconds <= 0:
        return found
    young: dict[LandingFile, Mark] = {}
    for file in (file for files in found.files.values() for file in files):
        mark = _look(file, is_second=False) if file.place.shows_half_files else None
        # Without a time a mark tells nothing. One from the future is of a clock that differs: that file is young.
        if mark is not None and mark.mtime_ns >= 0 and mark not in known(file) and _age(mark) < seconds:
            young[file] = mark
    if not young:
        return found
    sleep(seconds)
    moving = {file for file, mark in young.items() if _look(file, is_second=True) != mark}
    if not moving:
        return found
    return Found(
        {source: [file for file in files if file not in moving] for source, files in found.files.items()},
        (*found.findings, *(f"{file.path}: {MOVING}" for file in sorted(moving, key=lambda file: file.path))),
    )


def _age(mark: Mark) -> float:
    return time.time() - mark.mtime_ns / 1e9


def _look(file: LandingFile, *, is_second: bool) -> Mark | None:
    """The mark, or None if it cannot be had: reading the file will say why."""
    try:
        return file.place.mark(file.path) if is_second else file.place.glance(file.path)
    except file.place.errors:
        return None
