"""The page of the sources for people (docs/sources.md), written from the contracts. Nothing here reads data.

`python -m dagster_project.contracts.page` writes it; a test fails when the committed page has drifted.
"""

from pathlib import Path

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Column, Contract

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"
HEAD = """# The sources

Written from `dagster_project/contracts` by `python -m dagster_project.contracts.page`; do not edit.

For those who send files, with examples: [your-files.md](your-files.md).

Files lie in `<landing>/<source>/`, at any depth, under any name that ends in `.csv`, `.csv.gz`, `.xlsx`, `.xls`,
`.xlsb` or `.parquet`. A file holds any slice of its source, any number of times; `customers`, `bills` and `payments`
are enough for a start.
CSV: delimiter `,` `;` tab or `|`; UTF-8, UTF-16 with byte order mark or Windows-1258. Columns in any order, under these
names or the Vietnamese ones, with or without diacritics. Dates `2024-09-03` or `03/09/2024` (day first, always);
timestamps have a time of day too (`2024-09-03 14:05`); months `2024-09` or `09/2024`; money in whole VND, perhaps
grouped (`1.234.567 đ`). Empty, `NULL` and `\\N` are empty. Commune and power unit codes: `seeds/`.
Anything else (TCVN3, VNI, other dates, numbers or headers) is declared in the contract, for the source or a pattern of
its files: `fileForms`, described in `dagster_project/contracts/file_form.py`.

`*`: part of the key. Columns that are not required may be empty or missing.
"""


def render() -> str:
    """The page: a table of columns for each source."""
    return HEAD + "".join(_section(contract) for contract in contracts().values())


def _section(contract: Contract) -> str:
    lines = [
        f"\n## {contract.source}\n{contract.description} One row: {contract.grain}\n",
        "| column | other headers | form | required | meaning |",
        "|---|---|---|---|---|",
        *(_row(column) for column in contract.columns),
    ]
    return "\n".join(lines) + "\n"


def _row(column: Column) -> str:
    form = " / ".join(column.values) if column.values else column.form.value.replace("_", " ")
    required = "yes" if column.required else ""
    name = f"`{column.name}`{'*' if column.key else ''}"
    return f"| {name} | {', '.join(column.written_as[1:])} | {form} | {required} | {column.description} |"


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
