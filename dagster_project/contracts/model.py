"""The typed form of the source contracts: what a row must look like. No files of the landing, no SQL."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from dagster_project.contracts.file_form import FileForm, form_of
from dagster_project.contracts.yaml_places import Place, Way, place_of
from dagster_project.errors import CashlessError


class Form(StrEnum):
    """How a value is written in a file, and so how it is checked and cast."""

    TEXT = "text"
    PHONE = "phone"
    DATE = "date"
    TIMESTAMP = "timestamp"
    DATE_OR_TIMESTAMP = "date_or_timestamp"
    MONTH = "month"
    MONEY = "money"
    DECIMAL = "decimal"
    SMALL_INTEGER = "small_integer"
    BOOLEAN = "boolean"


SQL_TYPE: dict[Form, str] = {
    Form.TEXT: 'text collate "C"',
    Form.PHONE: 'text collate "C"',
    Form.DATE: "date",
    Form.TIMESTAMP: "timestamp",
    Form.DATE_OR_TIMESTAMP: "timestamp",
    Form.MONTH: "date",
    Form.MONEY: "bigint",
    Form.DECIMAL: "numeric",
    Form.SMALL_INTEGER: "smallint",
    Form.BOOLEAN: "boolean",
}


class ContractError(CashlessError):
    """A contract that does not say what it must say; `at`: the way to the fault in its document."""

    def __init__(self, origin: str, reason: str, at: Way = (), place: Place | None = None) -> None:
        where = f"{origin}, line {place.line}, column {place.column}" if place else origin
        super().__init__(f"{where}: {reason}")
        self.origin, self.reason, self.at, self.place = origin, reason, at, place


@dataclass(frozen=True)
class FractionUnless:
    """The value is a fraction from 0 to 1 unless another column has one of these values."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class DataThrough:
    """How far the data reach: the greatest value of the column, over rows with these values."""

    column: str
    where: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Column:
    """One contract column."""

    name: str
    form: Form
    description: str
    required: bool
    key: bool
    personal: bool
    vietnamese: str | None = None
    values: tuple[str, ...] = ()
    minimum: Decimal | None = None
    exclusive_minimum: Decimal | None = None
    # In characters. Codes have one: they stand in indexes, and no index takes a text of any length.
    maximum_length: int | None = None
    not_after_today: bool = False
    fraction_unless: FractionUnless | None = None
    # Names that the column had before: raw follows, and files that still have them are read.
    former_names: tuple[str, ...] = ()
    # Further headers under which the column comes in files.
    aliases: tuple[str, ...] = ()

    @property
    def written_as(self) -> tuple[str, ...]:
        """The headers it is recognised by."""
        shown = (self.name, *([self.vietnamese] if self.vietnamese else []))
        return (*shown, *self.former_names, *self.aliases)

    @property
    def sql_type(self) -> str:
        return SQL_TYPE[self.form]


@dataclass(frozen=True)
class Contract:
    """One source: its columns in contract order, its key and its version."""

    source: str
    description: str
    grain: str
    columns: tuple[Column, ...]
    # Empty for reference data: the file itself is the present state, so that a row has no versions.
    version_column: str
    rank_column: str | None
    money_column: str | None
    data_through: DataThrough | None = None
    # Columns by which rows are looked up besides the key: each gets an index.
    lookups: tuple[tuple[str, ...], ...] = ()
    # What is declared of the forms of its files; the first that fits a file holds.
    file_forms: tuple[FileForm, ...] = ()
    # The file, for those who are told what to edit.
    origin: str = field(default="", compare=False)
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_name", {column.name: column for column in self.columns})

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns if column.key)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        return self._by_name[name]

    def file_form(self, path: str) -> FileForm:
        """The form of a file of this source, by its path under the landing location."""
        return form_of(self.file_forms, path.removeprefix(f"{self.source}/"))

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Folded header (contract name, its Vietnamese name, former names, aliases) → contract column."""
        return {fold_header(header): column.name for column in self.columns for header in column.written_as}

    def place_of_column(self, name: str | None) -> str:
        """The file and the line of a column (None: of its columns as a whole), for people."""
        at: Way = ("schema", 0, "properties", *([] if name is None else [self.names.index(name)]))
        line = place_of(Path(self.origin).read_text(encoding="utf-8"), at).line
        return f"{self.origin}, line {line}"

    @cached_property
    def fingerprint(self) -> str:
        """Changes when the judgement of a row can change; descriptions do not take part."""
        rules: dict[str, Any] = {
            "version": self.version_column,
            "rank": self.rank_column,
            "money": self.money_column,
            "columns": [
                [
                    column.name,
                    column.form,
                    column.required,
                    column.key,
                    column.vietnamese,
                    column.values,
                    str(column.minimum),
                    str(column.exclusive_minimum),
                    column.maximum_length,
                    column.not_after_today,
                    [column.fraction_unless.column, column.fraction_unless.values]
                    if column.fraction_unless
                    else None,
                    # Said only where there are some: a contract without them is judged as it always was.
                    *([column.former_names, column.aliases] if column.former_names or column.aliases else ()),
                ]
                for column in self.columns
            ],
        }
        if self.file_forms:
            rules["file forms"] = [form.rules for form in self.file_forms]
        text = json.dumps(rules, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def fold_header(header: str) -> str:
    """A header as it is compared: no case, no diacritics, single spaces."""
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFC", header).casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(bare.replace("đ", "d").split())
