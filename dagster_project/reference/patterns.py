"""Patterns of file names as regular expressions of PostgreSQL. Which files have come is in bi.expected_file."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PLACEHOLDERS = {"yyyy": "([0-9]{4})", "MM": "(0[1-9]|1[0-2])", "dd": "(0[1-9]|[12][0-9]|3[01])"}
# Year first or day first, in the names as in the files; never month first.
_ORDERS = (("yyyy", "MM"), ("MM", "yyyy"), ("yyyy", "MM", "dd"), ("dd", "MM", "yyyy"))
_TOKEN = re.compile(r"\{([^{}]*)\}|\*\*/|\*\*|\*|\?|[^{}]|[{}]")
_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_SPECIAL = frozenset("\\^$.|?*+()[]{}")


class PatternError(ValueError):
    """A pattern that says nothing, or two things; the message is the reason."""


@dataclass(frozen=True)
class PathPattern:
    """A pattern as `regex` for the path under the landing; the groups that hold year, month and day, if any does."""

    regex: str
    year_group: int | None = None
    month_group: int | None = None
    day_group: int | None = None


def path_pattern(source: str, files: str, every: str) -> PathPattern:
    """The pattern `files` under the folder of the source, whose date is for a period of the length `every`.

    Capital and small letters are the same. Raises PatternError.
    """
    _check_path(files)
    parts: list[str] = []
    placeholders: list[str] = []
    for match in _TOKEN.finditer(files):
        token = match[0]
        if match[1] is not None:
            if match[1] not in _PLACEHOLDERS:
                raise PatternError(f"no such placeholder: {token} (there are {{yyyy}}, {{MM}} and {{dd}})")
            placeholders.append(match[1])
            parts.append(_PLACEHOLDERS[match[1]])
        elif token in "{}":
            raise PatternError(f"a {token} that belongs to no placeholder")
        else:
            parts.append(_WILD.get(token) or _escaped(token))
    groups = _groups(placeholders, every)
    return PathPattern(f"(?i)^{''.join(map(_escaped, source))}/{''.join(parts)}$", *groups)


def _check_path(files: str) -> None:
    if files.startswith("/") or files.endswith("/") or "\\" in files:
        raise PatternError("not a path under the folder of the source: no / at its ends, and no \\")
    if {"", ".", ".."} & set(files.split("/")):
        raise PatternError("not a path under the folder of the source: it has an empty part, . or ..")


def _groups(placeholders: list[str], every: str) -> tuple[int | None, int | None, int | None]:
    if not placeholders:
        return None, None, None
    written = " ".join(f"{{{name}}}" for name in placeholders)
    if len(set(placeholders)) < len(placeholders):
        raise PatternError(f"a placeholder stands there twice: {written}")
    if tuple(placeholders) not in _ORDERS:
        wanted = "{yyyy} {MM} {dd}, {dd} {MM} {yyyy}, or without {dd}"
        raise PatternError(f"the placeholders are {written}: wanted are {wanted}, in this order")
    if every != "month" and "dd" not in placeholders:
        raise PatternError("files for a day need {dd}, or no placeholder at all")
    day = placeholders.index("dd") + 1 if "dd" in placeholders else None
    return placeholders.index("yyyy") + 1, placeholders.index("MM") + 1, day


def _escaped(char: str) -> str:
    return f"\\{char}" if char in _SPECIAL else char
