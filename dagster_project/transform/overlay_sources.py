"""dbt's description of the overlay's tables, written from their contracts. Nothing here reads files or the warehouse.

`python -m dagster_project.transform.overlay_sources` writes it; a test fails when the committed file has drifted.
"""

from pathlib import Path

import yaml

from dagster_project.contracts.reference_tables import overlay_table, reference_contracts

SOURCES_FILE = Path(__file__).parents[2] / "dbt_models" / "models" / "reference" / "_overlay_sources.yml"
HEAD = (
    "# Written from dagster_project/contracts/reference by `python -m dagster_project.transform.overlay_sources`;\n"
    "# do not edit.\n"
)


def render() -> str:
    """The text of `_overlay_sources.yml`: schema reference, one table per file of the overlay."""
    tables = [
        {
            "name": overlay_table(name),
            "description": contract.description,
            "columns": [
                {"name": column.name, "description": column.description} for column in contract.columns
            ],
        }
        for name, contract in reference_contracts().items()
        if name != "expected_files"  # a view of the warehouse's own reads it, no model
    ]
    document = {
        "sources": [
            {
                "name": "reference",
                "schema": "reference",
                "description": "The operator's own reference data (overlay), as the files are now.",
                "tables": tables,
            }
        ]
    }
    return HEAD + yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=110)


if __name__ == "__main__":
    SOURCES_FILE.write_text(render(), encoding="utf-8")
