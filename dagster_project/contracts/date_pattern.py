"""Patterns of dates and moments that a contract may declare, such as yyyyMMdd or dd-MON-yy. No files, no columns.

`yyyy` `yy` (00–49 is 2000–2049, 50–99 is 1950–1999), `MM` `M` `MON` (JAN … DEC), `dd` `d`, `HH` `H` (0–23) or
`hh` `h` with `a` (AM/PM, SA/CH), `mm`, `ss`, `f` (parts of a second), `X` (an offset such as +07:00). Anything else
stands for itself; letters in single quotes, `T` also without. Day before month or year before month, never month-first.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import NamedTuple

MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
# The first year that two digits stand for: the rule of Oracle's RR, the same in every year.
_PIVOT = 50

_TOKEN = re.compile(r"yyyy|yy|MON|MM|M|dd|d|HH|H|hh|h|mm|ss|f|a|X|'[^']*'|.", re.DOTALL)
_DIGITS = {"yyyy": 4, "yy": 2, "MM": 2, "dd": 2, "HH": 2, "hh": 2, "mm": 2, "ss": 2}
_VARIABLE = ("d", "M", "H", "h")
_PART = {
    "yyyy": "year", "yy": "year", "MON": "month", "MM": "month", "M": "month", "dd": "day", "d": "day",
    "HH": "hour", "H": "hour", "hh": "hour", "h": "hour", "mm": "minute", "ss": "second", "f": "fraction",
    "a": "half", "X": "offset",
}  # fmt: skip
_ORDERS = (("year", "month", "day"), ("day", "month", "year"), ("year", "month"), ("month", "year"))
_TIMES = (
    (), ("hour", "minute"), ("hour", "minute", "second"), ("hour", "minute", "second", "fraction"),
)  # fmt: skip


class DatePatternError(ValueError):
    """A pattern that cannot be declared. The message says why."""


class Moment(NamedTuple):
    """What a text says: `day` is None for a month, `time` is "" where the pattern has none."""

    year: int
    month: int
    day: int | None
    time: str
    # What stands behind the offset-less time: an offset, or whatever follows a date.
    rest: str

    @property
    def is_midnight(self) -> bool:
        return not self.rest and not self.time.strip("0:. ")


@dataclass(frozen=True)
class DatePattern:
    """One declared pattern. DatePatternError if it is none."""

    pattern: str

    def __post_init__(self) -> None:
        if bad := re.sub(r"[^A-Za-z]|T", "", "".join(self._literals)):
            raise DatePatternError(
                f"{self.pattern}: {bad[0]} stands for nothing; letters are yyyy yy MM M MON dd d HH H hh h mm ss f a X"
            )
        parts = [_PART[token] for token in self._tokens if token in _PART]
        day = tuple(part for part in parts if part in ("year", "month", "day"))
        time = tuple(part for part in parts if part in ("hour", "minute", "second", "fraction"))
        if day[:2] == ("month", "day"):
            raise DatePatternError(
                f"{self.pattern}: month-first is never read; a date has its day before its month, or its year first"
            )
        if day not in _ORDERS:
            raise DatePatternError(
                f"{self.pattern}: a date is year, month, day or day, month, year; a month is year and month"
            )
        if len(set(parts)) != len(parts) or time not in _TIMES or (time and "day" not in day):
            raise DatePatternError(
                f"{self.pattern}: a time is HH:mm, HH:mm:ss or HH:mm:ss.f behind a whole date"
            )
        if ("half" in parts) != any(token in ("h", "hh") for token in self._tokens):
            raise DatePatternError(
                f"{self.pattern}: hh (1 to 12) goes with a (AM/PM), and HH (0 to 23) without"
            )
        if "offset" in parts and not time:
            raise DatePatternError(f"{self.pattern}: an offset (X) follows a time")
        for before, token in zip(self._tokens, self._tokens[1:], strict=False):
            loose = (before in _VARIABLE or before == "f") and (token in _DIGITS or token in _VARIABLE)
            if loose or (token in _VARIABLE and before in _DIGITS):
                raise DatePatternError(
                    f"{self.pattern}: digits without anything between them need a fixed width"
                )

    @cached_property
    def _tokens(self) -> tuple[str, ...]:
        return tuple(_TOKEN.findall(self.pattern))

    @property
    def _literals(self) -> list[str]:
        return [token for token in self._tokens if token not in _PART and not token.startswith("'")]

    @cached_property
    def _regex(self) -> re.Pattern[str]:
        pieces = [_piece(token) for token in self._tokens]
        if not self.has_time and not self.is_month:
            pieces.append("(?P<rest>[T ].*)?")
        return re.compile("".join(pieces), re.IGNORECASE | re.ASCII)

    @cached_property
    def parts(self) -> tuple[str, ...]:
        return tuple(_PART[token] for token in self._tokens if token in _PART)

    @property
    def has_time(self) -> bool:
        return "hour" in self.parts

    @property
    def is_month(self) -> bool:
        return "day" not in self.parts

    @cached_property
    def digits(self) -> int | None:
        """How many digits a text has, if it has nothing else."""
        if all(token in _DIGITS for token in self._tokens):
            return sum(_DIGITS[token] for token in self._tokens)
        return None

    @cached_property
    def shape(self) -> str:
        """Equal for two patterns that one text could have, so that nobody could tell which of them it has."""
        shape = ""
        for token in self._tokens:
            if token == "yyyy":
                shape += "9999"
            elif token in _DIGITS or token in _VARIABLE:
                shape += "99"
            elif token in _PART:
                shape += f"<{token}>"
            else:
                shape += token.strip("'")
        return shape

    def read(self, text: str) -> Moment | None:
        """What the text says by this pattern; None if it does not have its form or there is no such day."""
        found = self._regex.fullmatch(text)
        if found is None:
            return None
        part = found.groupdict()
        year = int(part["year"])
        if len(part["year"]) == 2:
            year += 2000 if year < _PIVOT else 1900
        month = MONTHS.index(part["month"].upper()) + 1 if part["month"].isalpha() else int(part["month"])
        day = int(part["day"]) if part.get("day") else None
        try:
            date(year, month, 1 if day is None else day)
        except ValueError:
            return None
        time = _time(part) if self.has_time else ""
        if time is None:
            return None
        return Moment(year, month, day, time, part.get("offset") or part.get("rest") or "")


def compile_patterns(texts: Sequence[str]) -> tuple[DatePattern, ...]:
    """The patterns of one declaration; DatePatternError if two of them could read one text differently."""
    patterns = tuple(DatePattern(text) for text in texts)
    seen: dict[tuple[str, bool], DatePattern] = {}
    for pattern in patterns:
        # Days and months are never asked about the same text: `days_of` and `months_of` part them.
        other = seen.setdefault((pattern.shape, pattern.is_month), pattern)
        if other.parts != pattern.parts:
            raise DatePatternError(
                f"{other.pattern} and {pattern.pattern}: one text could have both forms, and rows are never guessed"
            )
    return patterns


def days_of(patterns: Sequence[DatePattern]) -> tuple[DatePattern, ...]:
    """Those by which a date or a moment is read."""
    return tuple(pattern for pattern in patterns if not pattern.is_month)


def months_of(patterns: Sequence[DatePattern]) -> tuple[DatePattern, ...]:
    """Those by which a month is read: patterns of months, or if there are none, of a month's first day."""
    return tuple(pattern for pattern in patterns if pattern.is_month) or tuple(patterns)


_PIECES = {
    "MON": f"(?P<month>{'|'.join(MONTHS)})",
    "f": r"(?P<fraction>\d{1,9})",
    "a": r"(?P<half>[ap]\.?m\.?|sa|ch)",
    "X": r"(?P<offset>Z|[+-]\d\d(?::?\d\d)?)",
}


def _piece(token: str) -> str:
    if token in _PIECES:
        return _PIECES[token]
    if token in _DIGITS:
        return rf"(?P<{_PART[token]}>\d{{{_DIGITS[token]}}})"
    if token in _VARIABLE:
        return rf"(?P<{_PART[token]}>\d{{1,2}})"
    return re.escape(token.strip("'"))


def _time(part: dict[str, str]) -> str | None:
    hour, minute, second = int(part["hour"]), int(part["minute"]), int(part.get("second") or 0)
    half = (part.get("half") or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half[0] in "pc" else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = part.get("fraction")
    return f"{hour:02}:{minute:02}:{second:02}" + (f".{fraction}" if fraction else "")
