"""The typed form of the source contracts: what a row must look like. No files of the landing, no SQL."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import yaml

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


class ContractError(Exception):
    """A contract file that does not say what a contract must say."""


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
    not_after_today: bool = False
    fraction_unless: FractionUnless | None = None

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

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Folded header (contract name or its Vietnamese name) → contract column."""
        found: dict[str, str] = {}
        for column in self.columns:
            for header in (column.name, column.vietnamese):
                if header is not None:
                    found[fold_header(header)] = column.name
        return found

    @cached_property
    def fingerprint(self) -> str:
        """Changes when the judgement of a row can change; descriptions do not take part."""
        rules = {
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
                    column.not_after_today,
                    [column.fraction_unless.column, column.fraction_unless.values]
                    if column.fraction_unless
                    else None,
                ]
                for column in self.columns
            ],
        }
        text = json.dumps(rules, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def fold_header(header: str) -> str:
    """A header as it is compared: no case, no diacritics, single spaces."""
    decomposed = unicodedata.normalize("NFD", unicodedata.normalize("NFC", header).casefold())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(bare.replace("đ", "d").split())


def parse_contract(document: Mapping[str, Any], origin: str, *, is_reference: bool = False) -> Contract:
    """Builds the model of one ODCS document; `origin` is named in errors."""
    try:
        if document["kind"] != "DataContract" or not str(document["apiVersion"]).startswith("v3."):
            raise ContractError(f"{origin}: not an ODCS v3 data contract")
        (table,) = document["schema"]
        properties = _custom(table)
        columns = tuple(_column(entry, origin) for entry in table["properties"])
        contract = Contract(
            source=table["name"],
            description=table["description"],
            grain=table["dataGranularityDescription"],
            columns=columns,
            version_column="" if is_reference else properties["versionColumn"],
            rank_column=properties.get("rankColumn"),
            money_column=properties.get("moneyColumn"),
            data_through=_data_through(properties.get("dataThrough")),
            lookups=tuple(tuple(columns) for columns in properties.get("lookups", ())),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ContractError(f"{origin}: {type(error).__name__}: {error}") from error
    _verify(contract, origin)
    return contract


def load_contract(path: Path, *, is_reference: bool = False) -> Contract:
    with path.open(encoding="utf-8") as stream:
        document = yaml.load(stream, Loader=_Loader)
    return parse_contract(document, path.name, is_reference=is_reference)


@lru_cache(maxsize=1)
def contracts() -> Mapping[str, Contract]:
    """All contracts of the project, by source, in the order of their names."""
    loaded = [load_contract(path) for path in sorted(CONTRACTS_DIR.glob("*.yaml"))]
    return {contract.source: contract for contract in loaded}


# The C loader reads the twelve files in a tenth of the time; it is not in every build of PyYAML.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _custom(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {item["property"]: item["value"] for item in entry.get("customProperties", ())}


def _column(entry: Mapping[str, Any], origin: str) -> Column:
    options = entry.get("logicalTypeOptions", {})
    kind = (entry["logicalType"], entry["physicalType"], options.get("format"))
    if kind not in _FORMS:
        raise ContractError(f"{origin}: column {entry['name']}: no such form: {kind}")
    custom = _custom(entry)
    fraction = custom.get("fractionUnless")
    values: tuple[str, ...] = ()
    for rule in entry.get("quality", ()):
        if rule.get("metric") != "invalidValues":
            raise ContractError(f"{origin}: column {entry['name']}: unknown quality rule {rule}")
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
        not_after_today=bool(custom.get("notAfterToday", False)),
        fraction_unless=FractionUnless(fraction["column"], tuple(fraction["values"])) if fraction else None,
    )


def _data_through(value: Mapping[str, Any] | None) -> DataThrough | None:
    return None if value is None else DataThrough(value["column"], tuple(value.get("where", {}).items()))


def _decimal(value: int | float | str | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _verify(contract: Contract, origin: str) -> None:
    names = contract.names
    if len(set(names)) != len(names):
        raise ContractError(f"{origin}: a column is named twice")
    if not contract.key:
        raise ContractError(f"{origin}: no column is part of the primary key")
    mentioned = [contract.version_column, contract.rank_column, contract.money_column]
    mentioned += [column.fraction_unless.column for column in contract.columns if column.fraction_unless]
    mentioned += [name for columns in contract.lookups for name in columns]
    if contract.data_through:
        mentioned += [contract.data_through.column, *(name for name, _ in contract.data_through.where)]
    for name in mentioned:
        if name and name not in names:
            raise ContractError(f"{origin}: no column {name}")
    if contract.rank_column and not contract.column(contract.rank_column).values:
        raise ContractError(f"{origin}: the rank column {contract.rank_column} has no closed list")
    if contract.data_through and contract.column(contract.data_through.column).sql_type != "timestamp":
        raise ContractError(f"{origin}: {contract.data_through.column} is no moment that data reach to")
