"""What the operator declares: one file per pull in the overlay folder, and its typed form. No database is asked."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from dagster_project.contracts.catalog import contracts
from dagster_project.errors import CashlessError

# A mark: what the rows of a query are ordered by in time.
Mark = date | datetime | int
Kind = Literal["date", "timestamp", "integer"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")
_SPAN = re.compile(r"(\d+) (days?|hours?|minutes?)")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


class PullError(CashlessError):
    """A pull that cannot be made. The message holds no value of a row and no credentials."""


class HighWater(BaseModel):
    """The column of the result that grows with every change at the source."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str
    kind: Kind


class Pull(BaseModel):
    """One declared pull."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    source: str
    url_variable: str
    query: str
    high_water: HighWater
    overlap: timedelta | int
    first: Mark

    @field_validator("source")
    @classmethod
    def _known(cls, source: str) -> str:
        if source not in contracts():
            raise ValueError(f"no such source (sources: {', '.join(contracts())})")
        return source

    @field_validator("url_variable")
    @classmethod
    def _no_url(cls, name: str) -> str:
        if not _VARIABLE.fullmatch(name):
            # Not repeated: whoever wrote the URL itself here wrote a password.
            raise ValueError("must be the name of an environment variable that holds the URL, like CMIS_URL")
        return name

    @field_validator("overlap", mode="before")
    @classmethod
    def _span(cls, value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            return value
        match = _SPAN.fullmatch(str(value).strip())
        if match is None:
            raise ValueError("must be like 3 days, 12 hours or 30 minutes; a number if the mark is one")
        try:
            return timedelta(**{match[2].rstrip("s") + "s": int(match[1])})
        except OverflowError:
            raise ValueError("is longer than any calendar") from None

    @model_validator(mode="before")
    @classmethod
    def _first_of_kind(cls, given: Any) -> Any:
        high_water = given.get("high_water")
        kind = high_water.get("kind") if isinstance(high_water, dict) else None
        if kind in ("date", "timestamp", "integer") and "first" in given:
            try:
                return {**given, "first": parse_mark(kind, given["first"])}
            except ValueError:
                raise ValueError(f"first: is no {kind}") from None
        return given

    @model_validator(mode="after")
    def _fits(self) -> Pull:
        kind = self.high_water.kind
        if isinstance(self.overlap, timedelta) == (kind == "integer"):
            raise ValueError(
                "overlap: must be a number, as the mark is"
                if kind == "integer"
                else "overlap: must be a span"
            )
        if isinstance(self.overlap, timedelta) and kind == "date" and self.overlap % timedelta(days=1):
            raise ValueError("overlap: must be whole days, as the mark is a date")
        return self

    def since(self, high_water: Mark | None) -> Mark:
        """Where the next pull begins: `overlap` before the high-water, never before `first`."""
        if high_water is None:
            return self.first
        try:
            begin: Any = high_water - self.overlap  # type: ignore[operator]
        except OverflowError:  # before the calendar begins
            return self.first
        return max(self.first, begin)


def declared_pulls(folder: Path) -> list[Pull | PullError]:
    """The pulls declared in the folder in the order of their names; what cannot be read is its error."""
    found: list[Pull | PullError] = []
    for path in sorted(folder.glob("*.y*ml")):
        try:
            found.append(_read(path))
        except PullError as error:
            found.append(error)
    return found


def parse_mark(kind: Kind, value: Any) -> Mark:
    """A mark as it is declared, given on the command line, or remembered; ValueError if it is none of its kind."""
    if kind == "integer":
        return int(str(value))
    if kind == "date":
        return date.fromisoformat(str(value))
    moment = datetime.fromisoformat(str(value))
    if moment.tzinfo is not None:
        raise ValueError("give local time, without an offset")
    return moment


def mark_text(mark: Mark) -> str:
    """The mark as it is remembered."""
    return str(mark) if isinstance(mark, int) else mark.isoformat()


def mark_name(mark: Mark) -> str:
    """The mark as a part of a file name."""
    return str(mark) if isinstance(mark, int) else mark_text(mark).replace("-", "").replace(":", "")


def _read(path: Path) -> Pull:
    where = f"pulls/{path.name}"
    if not _NAME.fullmatch(path.stem):
        raise PullError(f"{where}: a pull is called by small letters, digits, _ and - only")
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, OSError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        raise PullError(
            f"{where}: cannot be read as YAML" + (f", line {line + 1}" if line is not None else "")
        ) from None
    if not isinstance(document, dict):
        raise PullError(f"{where}: must be a mapping (source, url_variable, query, …)")
    try:
        return Pull.model_validate({**document, "name": path.stem})
    except ValidationError as error:
        # Without the values: a password may stand where it should not.
        faults = "; ".join(
            ": ".join(filter(None, (".".join(str(part) for part in fault["loc"]), _said(fault["msg"]))))
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        )
        raise PullError(f"{where}: {faults}") from None


def _said(message: str) -> str:
    return message.removeprefix("Value error, ")
