"""Applies what a contract declares of a file: header names, legacy fonts, and the texts of its columns.

Texts in declared forms become texts in the forms that are read without declaration, so that there is one judge.
A text that does not have the declared form goes on as it is, unless it could then be read otherwise than
declared. No files, no SQL.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from enum import Enum
from functools import lru_cache
from typing import Any

from dagster_project.contracts.date_pattern import DatePattern, days_of, months_of
from dagster_project.contracts.file_form import PLAIN, FileForm
from dagster_project.contracts.model import Column, Contract, Form, fold_header
from dagster_project.landing.legacy_fonts import FONTS, UndecodableError
from dagster_project.landing.records import RefusedError

# Behind a text that must not be read in any other form than the declared one.
NOT_AS_DECLARED = " (not as declared)"
_DATES = (Form.DATE, Form.TIMESTAMP, Form.DATE_OR_TIMESTAMP, Form.MONTH)
_NUMBERS = (Form.MONEY, Form.DECIMAL, Form.SMALL_INTEGER)
_BLANK = " \u00a0\u202f"
_UNIT = re.compile(rf"[{_BLANK}]*(?:đ|vnd)$", re.IGNORECASE)
# Amounts and days repeat; as many different ones of a column are remembered.
_REMEMBERED = 1 << 14

Translate = Callable[[str], str]


class Kind(Enum):
    """What a cell holds: a number is never read with a decimal comma, a date is read already."""

    TEXT = "text"
    NUMBER = "number"
    TYPED = "typed"


def kind_of(value: Any) -> Kind:
    if isinstance(value, str):
        return Kind.TEXT
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return Kind.NUMBER
    return Kind.TYPED


class Declared:
    """The form of one file: what its readers ask."""

    def __init__(self, contract: Contract, form: FileForm = PLAIN) -> None:
        self.form = form
        self._contract = contract
        self._font = FONTS[form.legacy] if form.legacy else None
        self.headers: Mapping[str, str | None] = {**contract.headers, **dict(form.headers)}

    @property
    def is_legacy(self) -> bool:
        return self._font is not None

    def header(self, texts: Sequence[str]) -> list[str]:
        """Header texts in Unicode. They may be in another font than the rows: a known one stays as it is."""
        return [text if fold_header(text) in self.headers else self._header(text) for text in texts]

    def _header(self, text: str) -> str:
        try:
            return self.decode(text)
        except UndecodableError:
            return text

    def decode(self, text: str) -> str:
        """Text of the file in Unicode; UndecodableError if the legacy font has no such character."""
        return text if self._font is None or text.isascii() else self._font.decode(text)

    def decode_cells(self, cells: Iterable[str], place: Callable[[int], str]) -> list[str]:
        """Cells in Unicode; RefusedError names the place of one (by its index) that cannot be."""
        if self._font is None:
            return list(cells)
        decoded: list[str] = []
        for index, text in enumerate(cells):
            try:
                decoded.append(self.decode(text))
            except UndecodableError as error:
                raise RefusedError(f"{place(index)}: {error}") from None
        return decoded

    def translator(self, columns: Sequence[str]) -> Translator | None:
        """What to do with records of these contract columns; None: nothing."""
        steps = [
            (index, step)
            for index, name in enumerate(columns)
            if (step := _Step.of(self.form, self._contract.column(name))) is not None
        ]
        return Translator(steps, self.form.nulls) if steps or self.form.nulls else None


class Translator:
    """Brings the declared texts of a record to the forms that are read without declaration."""

    def __init__(self, steps: Sequence[tuple[int, _Step]], nulls: frozenset[str]) -> None:
        self._nulls = nulls
        self._texts = [(index, lru_cache(_REMEMBERED)(step.text)) for index, step in steps]
        self._numbers = {index: step.number for index, step in steps}

    def texts(self, values: list[str]) -> None:
        """Translates cleaned fields in place, all of them text."""
        self._empty(values)
        for index, translate in self._texts:
            if text := values[index]:
                values[index] = translate(text)

    def cells(self, values: list[str], kinds: Sequence[Kind]) -> None:
        """The same for cells that may be more than text."""
        self._empty(values)
        for index, translate in self._texts:
            if not values[index] or kinds[index] is Kind.TYPED:
                continue
            if kinds[index] is Kind.TEXT:
                values[index] = translate(values[index])
            else:
                values[index] = self._numbers[index](values[index])

    def _empty(self, values: list[str]) -> None:
        if not self._nulls.isdisjoint(values):
            values[:] = ["" if text in self._nulls else text for text in values]


class _Step:
    """The translation of one column."""

    def __init__(self, form: FileForm, column: Column) -> None:
        is_boolean = column.form is Form.BOOLEAN
        self._true = form.true_texts if is_boolean else frozenset()
        self._false = form.false_texts if is_boolean else frozenset()
        self._column = column.form
        self._patterns: tuple[DatePattern, ...] = ()
        if column.form in _DATES:
            self._patterns = months_of(form.dates) if column.form is Form.MONTH else days_of(form.dates)
        self._of_digits = [pattern for pattern in self._patterns if pattern.digits]
        self._number: re.Pattern[str] | None = None
        if form.decimal and column.form in _NUMBERS:
            self._number = _number_pattern(form.decimal, form.grouping)

    @classmethod
    def of(cls, form: FileForm, column: Column) -> _Step | None:
        """None if nothing is declared that concerns the column."""
        step = cls(form, column)
        return step if step._true or step._false or step._patterns or step._number else None

    def text(self, text: str) -> str:
        known = self._word(text)
        if known is not None:
            return known
        if self._patterns:
            return self._day(text)
        if self._number:
            return self._amount(text, self._number)
        return text

    def number(self, text: str) -> str:
        """A number cell: it has lost the zeros that a day of digits alone begins with."""
        known = self._word(text)
        if known is not None:
            return known
        for pattern in self._of_digits:
            assert pattern.digits is not None
            found = self._read(pattern, text.zfill(pattern.digits))
            if found is not None:
                return found
        return self._undeclared_day(text)

    def _word(self, text: str) -> str | None:
        if self._true or self._false:
            folded = text.casefold()
            if folded in self._true:
                return "true"
            if folded in self._false:
                return "false"
        return None

    def _day(self, text: str) -> str:
        for pattern in self._patterns:
            found = self._read(pattern, text)
            if found is not None:
                return found
        return self._undeclared_day(text)

    def _undeclared_day(self, text: str) -> str:
        # Of digits alone there is one reading in a file: where days are declared so, none is an Excel serial.
        if self._of_digits and text.isascii() and text.isdigit():
            return text + NOT_AS_DECLARED
        return text

    def _read(self, pattern: DatePattern, text: str) -> str | None:
        moment = pattern.read(text)
        if moment is None:
            return None
        month = f"{moment.year:04}-{moment.month:02}"
        if moment.day is None:
            return month
        if self._column in (Form.DATE, Form.MONTH) and moment.is_midnight:
            if self._column is Form.MONTH and moment.day == 1:
                return month
            return f"{month}-{moment.day:02}"
        time = f" {moment.time}" if moment.time else ""
        return f"{month}-{moment.day:02}{time}{moment.rest}"

    def _amount(self, text: str, pattern: re.Pattern[str]) -> str:
        bare = _UNIT.sub("", text) if self._column is Form.MONEY else text
        found = pattern.fullmatch(bare)
        if found is None:
            return text + NOT_AS_DECLARED
        whole = found["sign"] + "".join(char for char in found["whole"] if char.isdigit())
        fraction = found["fraction"] or ""
        if self._column is Form.DECIMAL:
            return f"{whole}.{fraction}" if fraction else whole
        return text + NOT_AS_DECLARED if fraction.strip("0") else whole


def _number_pattern(decimal: str, grouping: str) -> re.Pattern[str]:
    whole = r"\d+"
    if grouping:
        sign = f"[{_BLANK}]" if grouping == " " else re.escape(grouping)
        whole = rf"\d{{1,3}}(?:{sign}\d{{3}})+|{whole}"
    return re.compile(rf"(?P<sign>-?)(?P<whole>{whole})(?:{re.escape(decimal)}(?P<fraction>\d+))?", re.ASCII)
