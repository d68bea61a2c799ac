"""One ODCS document as a contract: what it says, and whether it says all that it must. No files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from dagster_project.contracts.file_form import FileFormError, parse_file_forms
from dagster_project.contracts.model import (
    Column,
    Contract,
    ContractError,
    DataThrough,
    Form,
    FractionUnless,
    fold_header,
)
from dagster_project.contracts.yaml_places import Way

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
        "is_key_repeated",
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


def parse_contract(document: Any, origin: str, *, is_reference: bool = False) -> Contract:
    """Builds the model of one ODCS document; `origin` is named in errors."""
    if not isinstance(document, Mapping):
        raise ContractError(origin, "is empty, or no contract")
    try:
        if document["kind"] != "DataContract" or not str(document["apiVersion"]).startswith("v3."):
            raise ContractError(origin, "not an ODCS v3 data contract", ("apiVersion",))
        (table,) = document["schema"]
        _refuse_misplaced(document, origin, ())
        _refuse_misplaced(table, origin, ("schema", 0))
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


def _malformed(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"


def _refuse_misplaced(entry: Mapping[str, Any], origin: str, at: Way) -> None:
    """What is ours but stands beside the standard's own words would mean nothing, without a word."""
    for name in entry:
        if name in _OF_TABLE | _OF_COLUMN:
            raise ContractError(
                origin,
                f"{name} belongs into customProperties: {{property: {name}, value: …}}",
                (*at, name),
            )


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
    _refuse_misplaced(entry, origin, at)
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
        maximum_length=_length(options.get("maxLength")),
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


def _length(value: object) -> int | None:
    if value is not None and (not isinstance(value, int) or not 0 < value < 1 << 30):
        raise ValueError(f"maxLength: {value!r} is no length")
    return value


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
