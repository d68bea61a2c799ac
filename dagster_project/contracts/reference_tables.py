"""The contracts of the reference data that the operator owns, and the tables they go to. No reading, no SQL."""

from collections.abc import Mapping
from functools import lru_cache

from dagster_project.contracts.catalog import CONTRACTS_DIR, load_contract
from dagster_project.contracts.model import Contract

REFERENCE_DIR = CONTRACTS_DIR / "reference"


@lru_cache(maxsize=1)
def reference_contracts() -> Mapping[str, Contract]:
    """The contracts of the overlay's reference files, by the name of the file, in the order of their names."""
    loaded = [load_contract(path, is_reference=True) for path in sorted(REFERENCE_DIR.glob("*.yaml"))]
    return {contract.source: contract for contract in loaded}


def overlay_table(name: str) -> str:
    """The table of schema reference that a file's rows go to: the seeds have the plain names there."""
    return f"overlay_{name}"
