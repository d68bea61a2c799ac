"""The dbt documentation of the raw sources, written from the contracts. Nothing here reads files or the warehouse.

`python -m dagster_project.transform.raw_sources` writes it; a test fails when the committed file has drifted.
"""

from pathlib import Path

import yaml

from dagster_project.contracts.catalog import contracts
from dagster_project.raw.ddl import BOOK_COLUMNS

SOURCES_FILE = Path(__file__).parents[2] / "dbt_models" / "models" / "staging" / "_raw_sources.yml"
HEAD = "# Written from dagster_project/contracts by `python -m dagster_project.transform.raw_sources`; do not edit.\n"


def render() -> str:
    """The text of `_raw_sources.yml`: schema raw, one table per source with every column described."""
    tables = [
        {
            "name": contract.source,
            "description": f"{contract.description} Grain: {contract.grain}",
            "columns": [
                *({"name": column.name, "description": column.description} for column in contract.columns),
                *({"name": name, "description": text} for name, _, text in BOOK_COLUMNS),
            ],
        }
        for contract in contracts().values()
    ]
    document = {
        "sources": [
            {
                "name": "raw",
                "schema": "raw",
                "description": "Every accepted row of every file, typed; `cashless unload` alone takes rows out again.",
                "tables": tables,
            }
        ]
    }
    return HEAD + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=110)


if __name__ == "__main__":
    SOURCES_FILE.write_text(render(), encoding="utf-8")
