"""Which reference files lie in the overlay, and their bytes. Not what is in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dagster_project.landing.reader import file_kind
from dagster_project.landing.records import RefusedError
from dagster_project.reference.faults import Fault

FOLDER = "reference"


@dataclass(frozen=True)
class OverlayFile:
    """A file of the overlay: what it is about, its path under the overlay, and its bytes, read once."""

    name: str
    path: str
    content: bytes


def overlay_files(overlay: Path, names: Collection[str]) -> tuple[list[OverlayFile], list[Fault]]:
    """The files of these names, and what lies there besides; no folder is as good as an empty one."""
    root = overlay / FOLDER
    if not root.exists():
        return [], []
    if not root.is_dir():
        return [], [Fault(FOLDER, "is no folder")]
    found: dict[str, OverlayFile] = {}
    faults: list[Fault] = []
    try:
        paths = sorted(root.iterdir())
    except OSError as error:
        return [], [Fault(FOLDER, _unreadable(error))]
    for path in paths:
        if path.name.startswith((".", "~$")):
            continue  # hidden files, and the lock files of Excel
        file, fault = _read(path, names)
        if file is not None and file.name in found:
            fault = Fault(file.path, f"there is {found[file.name].path} too: one of them must go")
        if fault is not None:
            faults.append(fault)
        elif file is not None:
            found[file.name] = file
    return [found[name] for name in sorted(found)], faults


def _read(path: Path, names: Collection[str]) -> tuple[OverlayFile | None, Fault | None]:
    shown = path.name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    label = f"{FOLDER}/{shown}"
    try:
        ending = file_kind(path.name)
    except RefusedError as error:
        return None, Fault(label, str(error))
    name = path.name[: -len(ending)].lower()
    if name not in names:
        return None, Fault(label, f"no such reference data (there are {', '.join(sorted(names))})")
    try:
        if not path.is_file():
            return None, Fault(label, "is no file")
        return OverlayFile(name, label, path.read_bytes()), None
    except OSError as error:
        return None, Fault(label, _unreadable(error))


def _unreadable(error: OSError) -> str:
    return f"cannot be read: {error.strerror or type(error).__name__}"
