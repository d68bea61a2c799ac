"""The load benchmark on a few rows: every kind loads the file it is given, and the table has a line for each."""

import json
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.load import ROOT, write_csv, write_workbook
from benchmarks.product import environment
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

ROWS = 5_000
BAD_ROWS = 11  # what the seed gives


@pytest.mark.parametrize(
    ("kind", "write", "table"),
    [
        ("product", write_csv, "raw.payments"),
        ("product", write_workbook, "raw.payments"),
        ("copy", write_csv, "plain_copy"),
        ("least", write_csv, "least_copy"),
        ("typed", write_csv, "typed_copy"),
        ("pandas", write_csv, "plain_pandas"),
    ],
)
def test_each_kind_loads_all_rows(warehouse: Settings, tmp_path: Path, kind: str, write, table: str) -> None:  # type: ignore[no-untyped-def]
    landing = write(tmp_path / "files", ROWS)
    assert warehouse.database_url
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.load_work"),
            *(kind, warehouse.database_url, str(landing), str(warehouse.home)),
        ],
        cwd=ROOT,
        env=environment(warehouse.home),
        capture_output=True,
        text=True,
        check=True,
    )
    memory = json.loads(done.stdout)
    assert 0 < memory["imports_mb"] <= memory["peak_mb"]
    with closing(connect(warehouse)) as conn, conn.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        (rows,) = cursor.fetchone() or (0,)
        if kind == "product":
            cursor.execute("select rows_in_file, rows_duplicate, rows_quarantined from bi.load_audit")
            in_file, repeated, bad = cursor.fetchone() or (0, 0, 0)
            assert in_file == ROWS
            assert rows == ROWS - bad
            assert bad > 0
            assert (repeated > 0) == (write is write_csv)
        else:
            assert rows == ROWS - (kind in ("typed", "least")) * BAD_ROWS


def test_the_same_number_of_rows_is_the_same_file(tmp_path: Path) -> None:
    one, other = (write_csv(tmp_path / name, 100) / "payments" / "payments.csv" for name in ("a", "b"))
    assert one.read_bytes() == other.read_bytes()
