"""Forms of files that a contract declares, for a whole source or a pattern of its files. No files are read here.

The custom property `fileForms` of a contract's table is a list; the first declaration whose `files` fits a file holds:

- files: "agribank/*.csv"     under the source's folder, * within a folder, ** across; without /: the name; none: all
  encoding: tcvn3             tcvn3, vni or a name that Python knows (CSV only)
  delimiter: "^"              (CSV only)
  headers: {MA_KH: customer_code, GHI_CHU: null}   further headers; null: an extra column
  dates: [dd-MON-yy, yyyyMMdd]                     date_pattern.py
  decimal: ","                and grouping: ".", for money and numbers that are text
  nulls: ["-", "N/A"]         further texts that mean empty
  trueTexts: ["x"]            and falseTexts
"""

from __future__ import annotations

import codecs
import hashlib
import re
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from typing import Any

from dagster_project.contracts.date_pattern import DatePattern, DatePatternError, compile_patterns

LEGACY = ("tcvn3", "vni")
_KEYS = {
    "files", "encoding", "delimiter", "headers", "dates", "decimal", "grouping", "nulls", "trueTexts", "falseTexts",
}  # fmt: skip
_OPPOSITE = {".": ",", ",": "."}
_GROUPINGS = (".", ",", " ", "'", "")


class FileFormError(ValueError):
    """A declaration that says nothing or too much. The message says what is wrong with it."""


@dataclass(frozen=True)
class FileForm:
    """What is declared of some files. Without anything: the forms that are read without declaration."""

    files: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    # Folded header → contract column; None: an extra column whatever it is called.
    headers: tuple[tuple[str, str | None], ...] = ()
    dates: tuple[DatePattern, ...] = ()
    decimal: str | None = None
    # Where a decimal sign is declared: what groups the thousands; blanks if it is " ", nothing if it is "".
    grouping: str = ""
    nulls: frozenset[str] = frozenset()
    true_texts: frozenset[str] = frozenset()
    false_texts: frozenset[str] = frozenset()

    @property
    def legacy(self) -> str | None:
        """The legacy encoding, if it is one."""
        return self.encoding if self.encoding in LEGACY else None

    @cached_property
    def rules(self) -> str:
        """All of it, for the fingerprint of the contract: equal for equal declarations."""
        return repr([sorted(value) if isinstance(value, frozenset) else value for value in astuple(self)])

    @cached_property
    def fingerprint(self) -> str:
        """Equal for forms by which the same bytes become the same rows, whatever files they are declared for.

        The ledger keeps it. What is not declared is no part of it, so that a key that this class learns later
        leaves those of files read before as they are.
        """
        declared = [
            # Of several date patterns the first that fits a text reads it, so their order counts.
            (
                field.name,
                value if isinstance(value, str) else list(value) if field.name == "dates" else sorted(value),
            )
            for field, value in zip(fields(self), astuple(self), strict=True)
            if field.name != "files" and value != field.default
        ]
        return hashlib.sha256(repr(declared).encode()).hexdigest()

    def fits(self, path: str) -> bool:
        """Whether it is declared for the file with this path under the source's folder."""
        return self._regex is None or self._regex.fullmatch(_composed(path)) is not None

    @cached_property
    def _regex(self) -> re.Pattern[str] | None:
        if self.files is None:
            return None
        parts = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
        pieces = re.split(r"(\*\*/|\*\*|\*|\?)", _composed(self.files))
        pattern = "".join(parts.get(piece, re.escape(piece)) for piece in pieces)
        return re.compile(pattern if "/" in self.files else f"(?:.*/)?{pattern}")


PLAIN = FileForm()
# The folder of the files that pulls write (room pull): by themselves, in the forms that need no declaration.
PULLED = "pulled"


def form_of(forms: Sequence[FileForm], path: str) -> FileForm:
    """The form that holds for the path under the source's folder."""
    if path.startswith(f"{PULLED}/"):
        return PLAIN
    return next((form for form in forms if form.fits(path)), PLAIN)


def parse_file_forms(
    value: Sequence[Mapping[str, Any]], columns: Collection[str], fold: Callable[[str], str]
) -> tuple[FileForm, ...]:
    """The declarations of a contract with these columns; FileFormError names the one that is wrong."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise FileFormError("fileForms is a list of declarations")
    forms: list[FileForm] = []
    for number, entry in enumerate(value, 1):
        try:
            forms.append(_parse(entry, columns, fold))
        except (FileFormError, DatePatternError) as error:
            raise FileFormError(f"fileForms, declaration {number}: {error}") from None
    for number, form in enumerate(forms[:-1], 1):
        if form.files is None:
            raise FileFormError(
                f"fileForms, declaration {number} holds for every file, so those behind it are never asked: put it last"
            )
    return tuple(forms)


def _parse(entry: Mapping[str, Any], columns: Collection[str], fold: Callable[[str], str]) -> FileForm:
    if not isinstance(entry, Mapping):
        raise FileFormError("not a mapping such as {files: 'a/*.csv', encoding: tcvn3}")
    if unknown := sorted(map(str, entry.keys() - _KEYS)):
        raise FileFormError(f"{unknown[0]} is none of {', '.join(sorted(_KEYS))}")
    if not entry.keys() - {"files"}:
        raise FileFormError("declares nothing")
    decimal, grouping = _numbers(entry)
    true_texts, false_texts = _texts(entry, "trueTexts"), _texts(entry, "falseTexts")
    true_set = frozenset(text.casefold() for text in true_texts)
    false_set = frozenset(text.casefold() for text in false_texts)
    if both := sorted(true_set & false_set):
        raise FileFormError(f"{both[0]} is both true and false")
    return FileForm(
        files=_files(entry.get("files")),
        encoding=_encoding(entry.get("encoding")),
        delimiter=_delimiter(entry.get("delimiter")),
        headers=_headers(entry.get("headers"), columns, fold),
        dates=compile_patterns(_texts(entry, "dates")),
        decimal=decimal,
        grouping=grouping,
        nulls=frozenset(_texts(entry, "nulls")),
        true_texts=true_set,
        false_texts=false_set,
    )


def _files(files: object) -> str | None:
    if files is None:
        return None
    if not isinstance(files, str) or not files.strip() or files.startswith("/"):
        raise FileFormError('files is a pattern under the folder of the source, such as "agribank/*.csv"')
    return files


def _encoding(name: object) -> str | None:
    if name is None:
        return None
    if not isinstance(name, str):
        raise FileFormError(f"encoding: {name!r} is no text; put it in quotes")
    if name.lower() in LEGACY:
        return name.lower()
    try:
        return codecs.lookup(name).name if "".encode(name) is not None else None
    except (LookupError, UnicodeError):
        raise FileFormError(
            f"encoding: {name} is neither tcvn3, vni nor an encoding that Python knows"
        ) from None


def _delimiter(sign: object) -> str | None:
    if sign is None:
        return None
    is_sign = isinstance(sign, str) and len(sign) == 1 and sign.isascii()
    # The server's COPY reads the same sign, and blanks are trimmed from the ends of fields.
    if not is_sign or str(sign).isalnum() or sign in ('"', "\\", "\r", "\n", "\0", " "):
        raise FileFormError(
            "delimiter is one ASCII sign in quotes: no letter, digit, blank, quote, backslash or line end"
        )
    return str(sign)


def _headers(
    value: object, columns: Collection[str], fold: Callable[[str], str]
) -> tuple[tuple[str, str | None], ...]:
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        raise FileFormError("headers is a mapping of header to column")
    found: dict[str, str | None] = {}
    for header, column in value.items():
        if not isinstance(header, str):
            raise FileFormError(f"headers: {header!r} is no text; put it in quotes")
        if column is not None and column not in columns:
            raise FileFormError(f"headers: no column {column}")
        if found.setdefault(fold(header), column) != column:
            raise FileFormError(f"headers: {header} is there twice; case and diacritics do not count")
    return tuple(found.items())


def _numbers(entry: Mapping[str, Any]) -> tuple[str | None, str]:
    decimal, grouping = entry.get("decimal"), entry.get("grouping")
    if decimal is None and grouping is None:
        return None, ""
    if grouping is not None and grouping not in _GROUPINGS:
        raise FileFormError("""grouping is one of "." "," " " "'", or "" for none""")
    if decimal is None:
        decimal = _OPPOSITE.get(str(grouping))
    if decimal not in _OPPOSITE:
        raise FileFormError('decimal is "." or ","')
    if grouping is None:
        grouping = _OPPOSITE[decimal]
    if grouping == decimal:
        raise FileFormError("decimal and grouping are the same sign")
    return decimal, grouping


def _texts(entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = entry.get(key, ())
    if not isinstance(texts, Sequence) or isinstance(texts, str):
        raise FileFormError(f"{key} is a list of texts")
    for text in texts:
        if not isinstance(text, str):  # YAML takes yes, no and 0 for something else
            raise FileFormError(f"{key}: {text!r} is no text; put it in quotes")
        if not text.strip():
            raise FileFormError(f"{key}: an empty text; what is empty is always empty")
    return tuple(_composed(text.strip()) for text in texts)


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)
