"""Which contracts there are: those shipped, and the operator's own in their place. Not what they say."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

import yaml

from dagster_project.contracts.least import shortfalls
from dagster_project.contracts.model import Contract, ContractError
from dagster_project.contracts.parse import parse_contract
from dagster_project.contracts.yaml_places import Loader, place_of, place_of_error

CONTRACTS_DIR = Path(__file__).parent


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
