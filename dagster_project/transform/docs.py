"""The catalogue of models and columns as one page: dbt's own, of the warehouse as it is."""

import tempfile
from pathlib import Path

from dagster_project.errors import CashlessError
from dagster_project.transform.dbt import TransformError, run_dbt


def write_docs(database_url: str, page: Path) -> None:
    """Writes dbt's documentation, with types and sizes of the warehouse's tables, as one HTML file.

    Raises TransformError if dbt cannot make it, CashlessError if the file cannot be written.
    """
    with tempfile.TemporaryDirectory(prefix="cashless-docs-") as scratch:
        done = run_dbt(database_url, ["docs", "generate", "--static"], Path(scratch))
        if done.returncode != 0:
            raise TransformError(f"dbt cannot write its documentation: {(done.stdout + done.stderr).strip()}")
        try:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_bytes((Path(scratch) / "static_index.html").read_bytes())
        except OSError as error:
            raise CashlessError(f"{page} cannot be written: {error}") from error
