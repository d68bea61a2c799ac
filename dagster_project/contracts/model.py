"""The typed form of the source contracts: what a row must look like. No files of the landing, no SQL."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

from dagster_project.contracts.file_form import FileForm, FileFormError, form_of, parse_file_forms
from dagster_project.contracts.least import Way, shortfalls
from dagster_project.contracts.yaml_places import Loader, Place, place_of, place_of_error
from dagster_project.errors import CashlessError

CONTRACTS_DIR = Path(__file__).parent


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

# The forms a pair of ODCS types stands for; `format` in logicalTypeOptions tells the finer ones apart.
_FORMS: dict[tuple[str, str, str | None], Form] = {
    ("string", "text", None): Form.TEXT,
    ("string", "text", "phone"): Form.PHONE,
    ("date", "date", None): Form.DATE,
    ("date", "date", "yyyy-MM"): Form.MONTH,
    ("timestamp", "timestamp", None): Form.TIMESTAMP,
    ("timestamp", "timestamp", "yyyy-MM-dd[ HH:mm:ss]"): Form.DATE_OR_TIMESTAMP,
    ("integer", "bigint", None): Form.MONEY,
    ("integer", "smallint", None): Form.SMALL_INTEGER,
    ("number", "numeric", None): Form.DECIMAL,
    ("boolean", "boolean", None): Form.BOOLEAN,
}


# What the rows of raw, and those on their way there, have besides the columns of their contract.
RESERVED_NAMES = frozenset(
    [
        "file_id",
        "line",
        "version_at",
        "version_rank",
        "is_duplicate",
        "extra",
        "change_id",
        "row_no",
        "field_count",
        "money",
        "bad",
    ]
)
# Short enough that the names of indexes fit.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

# What customProperties may say of a table and of a column: a misspelt one would mean nothing without a word.
_OF_TABLE = frozenset(("versionColumn", "rankColumn", "moneyColumn", "dataThrough", "lookups", "fileForms"))
_OF_COLUMN = frozenset(("fractionUnless", "notAfterToday", "formerNames", "aliases"))

_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)


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


def parse_contract(document: Any, origin: str, *, is_reference: bool = False) -> Contract:
    """Builds the model of one ODCS document; `origin` is named in errors."""
    if not isinstance(document, Mapping):
        raise ContractError(origin, "is empty, or no contract")
    try:
        if document["kind"] != "DataContract" or not str(document["apiVersion"]).startswith("v3."):
            raise ContractError(origin, "not an ODCS v3 data contract", ("apiVersion",))
        (table,) = document["schema"]
        properties = _custom(table, _OF_TABLE, origin, ("schema", 0))
        contract = Contract(
            source=table["name"],
            description=table["description"],
            grain=table["dataGranularityDescription"],
            columns=tuple(_column(entry, origin, number) for number, entry in enumerate(table["properties"])),
            version_column="" if is_reference else properties["versionColumn"],
            rank_column=properties.get("rankColumn"),
            money_column=properties.get("moneyColumn"),
            data_through=_data_through(properties.get("dataThrough")),
            lookups=tuple(tuple(columns) for columns in properties.get("lookups", ())),
            origin=origin,
            file_forms=parse_file_forms(
                properties.get("fileForms", ()), [entry["name"] for entry in table["properties"]], fold_header
            ),
        )
    except FileFormError as error:
        raise ContractError(origin, str(error), ("schema", 0, "customProperties")) from None
    except _MALFORMED as error:
        raise ContractError(origin, _malformed(error), ("schema", 0)) from error
    _verify(contract, origin)
    return contract


def load_contract(path: Path, *, is_reference: bool = False) -> Contract:
    return _load(str(path), read_text(path), is_reference=is_reference)


def read_text(path: Path) -> str:
    """The text of a contract file."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ContractError(str(path), f"cannot be read: {reason}") from None


def contracts(overlay: Path | None = None) -> Mapping[str, Contract]:
    """All contracts by source, in the order of their names: the shipped ones, and in the place of some of them those
    that the operator's folder `overlay` (settings.overlay_folder()) has under contracts/.
    """
    files = () if overlay is None else overlay_files(overlay)
    return _with_own(tuple((str(path), read_text(path)) for path in files)) if files else _shipped()


def overlay_files(overlay: Path) -> tuple[Path, ...]:
    """The contract files of an overlay folder; ContractError if one is called after no source."""
    files = tuple(sorted(path for path in (overlay / "contracts").glob("*.y*ml")))
    for path in files:
        if path.suffix != ".yaml" or path.stem not in _shipped():
            raise ContractError(
                str(path),
                f"is the contract of no source: the names are {', '.join(_shipped())}, each with .yaml",
            )
    return files


@cache
def _shipped() -> Mapping[str, Contract]:
    loaded = [load_contract(path) for path in sorted(CONTRACTS_DIR.glob("*.yaml"))]
    return {contract.source: contract for contract in loaded}


# By the text, not by the file's time: a process that lives long sees every change.
@lru_cache(maxsize=4)
def _with_own(files: tuple[tuple[str, str], ...]) -> Mapping[str, Contract]:
    own = {}
    for origin, text in files:
        contract = _load(origin, text)
        for reason, at in shortfalls(contract, _shipped()[Path(origin).stem]):
            raise ContractError(origin, reason, at, place_of(text, at))
        own[contract.source] = contract
    return {**_shipped(), **own}


def _load(origin: str, text: str, *, is_reference: bool = False) -> Contract:
    """The contract of a file's text; its faults with their place."""
    try:
        return parse_contract(yaml.load(text, Loader=Loader), origin, is_reference=is_reference)
    except yaml.YAMLError as error:
        raise ContractError(origin, "this is no YAML", place=place_of_error(error)) from None
    except ContractError as error:
        raise ContractError(origin, error.reason, error.at, place_of(text, error.at)) from None


def _malformed(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"


def _custom(entry: Mapping[str, Any], known: frozenset[str], origin: str, at: Way) -> dict[str, Any]:
    for number, item in enumerate(entry.get("customProperties", ())):
        if item["property"] not in known:
            raise ContractError(
                origin,
                f"no such property: {item['property']} (there are {', '.join(sorted(known))})",
                (*at, "customProperties", number),
            )
    return {item["property"]: item["value"] for item in entry.get("customProperties", ())}


def _column(entry: Mapping[str, Any], origin: str, number: int) -> Column:
    at: Way = ("schema", 0, "properties", number)
    try:
        return _read_column(entry, origin, at)
    except _MALFORMED as error:
        raise ContractError(origin, f"column {number + 1}: {_malformed(error)}", at) from error


def _read_column(entry: Mapping[str, Any], origin: str, at: Way) -> Column:
    options = entry.get("logicalTypeOptions", {})
    kind = (entry["logicalType"], entry["physicalType"], options.get("format"))
    if kind not in _FORMS:
        raise ContractError(origin, f"column {entry['name']}: no such form: {kind}", at)
    custom = _custom(entry, _OF_COLUMN, origin, at)
    fraction = custom.get("fractionUnless")
    values: tuple[str, ...] = ()
    for rule in entry.get("quality", ()):
        if rule.get("metric") != "invalidValues":
            raise ContractError(origin, f"column {entry['name']}: unknown quality rule {rule}", at)
        values = tuple(str(value) for value in rule["arguments"]["validValues"])
    return Column(
        name=entry["name"],
        form=_FORMS[kind],
        description=entry["description"],
        required=bool(entry.get("required", False)),
        key=bool(entry.get("primaryKey", False)),
        personal=entry.get("classification") == "personal",
        vietnamese=entry.get("businessName"),
        values=values,
        minimum=_decimal(options.get("minimum")),
        exclusive_minimum=_decimal(options.get("exclusiveMinimum")),
        maximum_length=options.get("maxLength"),
        not_after_today=bool(custom.get("notAfterToday", False)),
        fraction_unless=FractionUnless(fraction["column"], tuple(fraction["values"])) if fraction else None,
        former_names=_texts(custom.get("formerNames", ())),
        aliases=_texts(custom.get("aliases", ())),
    )


def _texts(value: Any) -> tuple[str, ...]:
    if isinstance(value, str) or not all(isinstance(item, str) for item in value):
        raise TypeError(f"{value!r} is no list of names")
    return tuple(value)


def _data_through(value: Mapping[str, Any] | None) -> DataThrough | None:
    return None if value is None else DataThrough(value["column"], tuple(value.get("where", {}).items()))


def _decimal(value: int | float | str | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _verify(contract: Contract, origin: str) -> None:
    names = contract.names
    at_table: Way = ("schema", 0, "customProperties")
    if len(set(names)) != len(names):
        raise ContractError(origin, "a column is named twice", ("schema", 0, "properties"))
    if not contract.key:
        raise ContractError(origin, "no column is part of the primary key", ("schema", 0, "properties"))
    seen: dict[str, str] = {}
    for number, column in enumerate(contract.columns):
        fault = _column_fault(contract, column, seen)
        if fault is not None:
            raise ContractError(origin, f"column {column.name}: {fault}", ("schema", 0, "properties", number))
    mentioned = [contract.version_column, contract.rank_column, contract.money_column]
    mentioned += [column.fraction_unless.column for column in contract.columns if column.fraction_unless]
    mentioned += [name for columns in contract.lookups for name in columns]
    if contract.data_through:
        mentioned += [contract.data_through.column, *(name for name, _ in contract.data_through.where)]
    for name in mentioned:
        if name and name not in names:
            raise ContractError(origin, f"no column {name}", at_table)
    if contract.rank_column and not contract.column(contract.rank_column).values:
        raise ContractError(origin, f"the rank column {contract.rank_column} has no closed list", at_table)
    if contract.data_through and contract.column(contract.data_through.column).sql_type != "timestamp":
        raise ContractError(
            origin, f"{contract.data_through.column} is no moment that data reach to", at_table
        )
    if contract.money_column and contract.column(contract.money_column).form is not Form.MONEY:
        raise ContractError(origin, f"the money column {contract.money_column} is no amount", at_table)
    if not contract.version_column:
        return  # reference data: the file is the present state
    version = contract.column(contract.version_column)
    if version.sql_type not in ("date", "timestamp") or not version.required:
        raise ContractError(origin, f"the version column {version.name} is no required moment", at_table)


def _column_fault(contract: Contract, column: Column, seen: dict[str, str]) -> str | None:
    """What is wrong with a column; `seen`: the headers of those before it, which gets its own."""
    if not _NAME.fullmatch(column.name) or column.name in RESERVED_NAMES:
        return "its name must be lower-case letters, digits and _, at most 40, and none that raw uses itself"
    if column.key and not column.required:
        return "is part of the key, so it must be required"
    known = set(contract.names)
    for name in column.former_names:
        if name in known:
            return f"its former name {name} is that of a column"
    for header in column.written_as:
        other = seen.setdefault(fold_header(header), column.name)
        if other != column.name:
            return f"its header “{header}” is also that of {other}"
    return None
