"""Which reader a file gets, by its name, and in which form it reads, by its path. Nothing else."""

from __future__ import annotations

from pathlib import Path

from dagster_project.contracts.model import Contract
from dagster_project.landing.records import RecordSource, RefusedError

CSV = (".csv", ".csv.gz")
EXCEL = (".xlsx", ".xls", ".xlsb")
PARQUET = (".parquet",)


def file_kind(name: str) -> str:
    """The ending that decides how the file is read; RefusedError if no reader takes it."""
    for ending in CSV + EXCEL + PARQUET:
        if name.lower().endswith(ending):
            return ending
    raise RefusedError(f"not a kind of file that is read ({', '.join(CSV + EXCEL + PARQUET)})")


def open_records(path: str, content: Path, contract: Contract) -> RecordSource:
    """The records of the file with this path under the landing location, in the form declared for it.

    Its bytes are in `content`. RefusedError if it cannot be read.
    """
    kind = file_kind(path)
    form = contract.file_form(path)
    if content.stat().st_size == 0:
        raise RefusedError("the file is empty")
    # The readers are imported when a file needs them: Arrow alone takes a fifth of a second.
    if kind in CSV:
        from dagster_project.landing.csv_reader import CsvSource  # noqa: PLC0415

        return CsvSource(content, kind.endswith(".gz"), contract, form)
    if kind in PARQUET:
        from dagster_project.landing.parquet_reader import ParquetSource  # noqa: PLC0415

        return ParquetSource(content, contract, form)
    from dagster_project.landing.excel_reader import ExcelSource  # noqa: PLC0415

    return ExcelSource(content, contract, form)
