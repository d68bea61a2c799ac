"""Every fault of contract files, each with its place: YAML, the standard (ODCS), the model's own rules, and what the
shipped contracts demand of the operator's. Nothing of raw, no files of the landing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from dagster_project.contracts.catalog import CONTRACTS_DIR, contracts, overlay_files, read_text
from dagster_project.contracts.least import shortfalls
from dagster_project.contracts.model import ContractError
from dagster_project.contracts.parse import parse_contract
from dagster_project.contracts.yaml_places import Loader, Place, place_of, place_of_error, repeated_keys


@dataclass(frozen=True, order=True)
class Fault:
    """One thing that is wrong with a contract file."""

    file: str
    line: int
    column: int
    reason: str

    def __str__(self) -> str:
        return f"{self.file}, line {self.line}, column {self.column}: {self.reason}"


def contract_files(overlay: Path) -> tuple[Path, ...]:
    """The shipped contract files, then the operator's."""
    return (*sorted(CONTRACTS_DIR.glob("*.yaml")), *overlay_files(overlay))


def faults_of(path: Path) -> list[Fault]:
    """All faults of a contract file, by their place; one of the operator's must have what the shipped one has."""
    try:
        text = read_text(path)
    except ContractError as error:
        return [Fault(error.origin, 1, 1, error.reason)]
    try:
        document = yaml.load(text, Loader=Loader)
        found = [(place, f"{key} stands here twice") for key, place in repeated_keys(text)]
    except yaml.YAMLError as error:
        return [Fault(str(path), *place_of_error(error), "this is no YAML")]
    found += _against_the_standard(document, text)
    try:
        contract = parse_contract(document, str(path))
    except ContractError as error:
        # Mostly the standard's own words for the same fault, at the same place: both help.
        found.append((place_of(text, error.at), error.reason))
    else:
        if path.parent != CONTRACTS_DIR:
            shipped = contracts()[path.stem]
            found += [(place_of(text, at), reason) for reason, at in shortfalls(contract, shipped)]
        elif contract.source != path.stem:
            found.append((place_of(text, ("schema", 0, "name")), f"the file is called after {path.stem}"))
    return sorted({Fault(str(path), *place, reason) for place, reason in found})


def _against_the_standard(document: Any, text: str) -> Iterator[tuple[Place, str]]:
    for error in _standard().iter_errors(document):
        way = tuple(error.absolute_path)
        if error.validator in ("additionalProperties", "unevaluatedProperties"):
            # The names stand in the message only.
            for name in re.findall(r"'([^']+)'", error.message):
                if name in error.instance:
                    yield place_of(text, (*way, name)), f"the standard (ODCS) has no {name} here"
        else:
            yield place_of(text, way), f"not as the standard (ODCS) has it: {_told(error)}"


def _told(error: Any) -> str:
    """What is wrong, short: of a choice of forms, what the nearest of them lacks."""
    from jsonschema.exceptions import best_match  # noqa: PLC0415 - only a lint needs it

    inner = best_match(error.context) if error.context else error
    message = str((inner or error).message)
    return message if len(message) <= 200 else f"{message[:200]}…"


@cache
def _standard() -> Any:
    """The validator of the standard's own schema, as the package of the standard ships it."""
    from jsonschema.validators import validator_for  # noqa: PLC0415 - only a lint needs it

    schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
    return validator_for(schema)(schema)
