"""What is wrong with an overlay, line by line, and the one error that tells it all. Nothing finds faults here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dagster_project.errors import CashlessError

# A file of another kind under a known name has a fault in every line: so many are shown.
_SHOWN = 50


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong. `line`: of the file, or row of the sheet, if it has to do with one."""

    file: str
    reason: str
    line: int | None = None
    column: str | None = None
    sheet: str | None = None

    def __str__(self) -> str:
        place = [self.file]
        if self.sheet is not None:
            place.append(f"sheet {self.sheet}")
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.column is not None:
            place.append(self.column)
        return f"{', '.join(place)}: {self.reason}"


class OverlayError(CashlessError):
    """The overlay cannot be used as it is: nothing of it was taken, and nothing else was loaded."""

    exit_code = 2

    def __init__(self, folder: object, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        lines = [str(fault) for fault in faults[:_SHOWN]]
        if len(faults) > _SHOWN:
            lines.append(f"… {len(faults) - _SHOWN} more")
        count = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        super().__init__(
            f"Nothing was loaded, the reference data in {folder} have {count}:\n" + "\n".join(lines)
        )
