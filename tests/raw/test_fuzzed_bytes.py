"""Files with damaged bytes, and bytes that never were a file: none of them ends a run or harms another file.

Each is either read, and then it balances, or refused with a reason, and its ledger line names it. How files are
damaged is in damage.py; every seed makes the same files again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from damage import damage, noise
from landing_folder import Landing, csv_text, row
from random_files import WRITERS
from random_tables import random_table
from test_excel_files import xlsb
from test_properties import empty, load

from dagster_project.contracts.catalog import contracts
from dagster_project.landing.reader import CSV, EXCEL, PARQUET, open_records
from dagster_project.landing.records import RefusedError

XLS = (Path(__file__).parent / "files" / "good.xls").read_bytes()
ENDINGS = (*CSV, *EXCEL, *PARQUET)
# The binary forms of workbooks that tests have are of these sources.
SOURCES = ("auto_debit_mandates", "bills", "payments", "customers", "feedback", "targets")
GOOD = "m_whole.csv"


def fuzzed(random: Random, source: str) -> tuple[str, bytes]:
    """The ending of a file and its bytes, which are wrong somewhere."""
    if random.random() < 0.1:
        ending = random.choice(ENDINGS)
        return ending, noise(random, real(random, source, ending))
    ending = random.choice(endings_of(source))
    content = damage(random, real(random, source, ending), ending)
    return (random.choice(ENDINGS) if random.random() < 0.05 else ending), content


def endings_of(source: str) -> tuple[str, ...]:
    rare = {"auto_debit_mandates": (".xls",), "bills": (".xlsb",)}.get(source, ())
    return (".csv", ".csv.gz", ".parquet", ".xlsx", *rare)


def real(random: Random, source: str, ending: str) -> bytes:
    if ending == ".xls":
        return XLS
    if ending == ".xlsb":
        return xlsb([list(row("bills")), *(list(row("bills", bill_id=f"B{n}").values()) for n in range(3))])
    forms = {".csv": ("csv",), ".csv.gz": ("csv.gz",), ".parquet": ("parquet",)}
    form = random.choice(forms.get(ending, ("xlsx by openpyxl", "xlsx by xlsxwriter")))
    return WRITERS[form](random, source, random_table(random, source, most=12)).content


def whole_row(source: str) -> str:
    """A file of one row that must load whatever lies beside it."""
    if source == "auto_debit_mandates":
        names = contracts()[source].names
        return ",".join(names) + "\nTHE WHOLE ONE,PN01000000001,VCB,2024-01-01,,2024-01-02\n"
    key = next(
        column.name for column in contracts()[source].columns if column.key and column.sql_type[:4] == "text"
    )
    changes = {"code": "THE WHOLE ONE"} if source == "targets" else {key: "THE WHOLE ONE"}
    return csv_text(source, [row(source, **changes)])


def no_run_ends(landing: Landing, seed: int, files: int) -> None:
    random = Random(seed)
    source = random.choice(SOURCES)
    empty(landing, source)
    names = {GOOD}
    landing.put(f"{source}/{GOOD}", whole_row(source))
    for number in range(files):
        ending, content = fuzzed(random, source)
        name = f"{random.choice('az')}{number}{ending}"
        (landing.root / source / name).write_bytes(content)
        names.add(name)
    results = load(landing, source)
    assert {file.path for file in results} == {f"{source}/{name}" for name in names}
    for file in results:
        assert file.status in ("loaded", "copy", "refused")
        assert bool(file.refused_reason) == (file.status == "refused")
    found = {file.path: file for file in results}
    assert found[f"{source}/{GOOD}"].counts.rows_loaded == 1
    ledger = landing.query(
        "select file, refused_reason, rows_in_file = rows_loaded + rows_duplicate + rows_quarantined, "
        "money_in_file_vnd = money_loaded_vnd + money_duplicate_vnd + money_quarantined_vnd from bi.load_audit"
    )
    assert sorted(ledger) == sorted((path, file.refused_reason, True, True) for path, file in found.items())
    assert_balanced(landing, source)
    again = load(landing, source)
    assert not any(file.is_new for file in again)
    assert {file.path: file.refused_reason for file in again} == {
        path: found[path].refused_reason for path in found
    }


def assert_balanced(landing: Landing, source: str) -> None:
    """What the ledger counts of each file that was read lies in raw and in quarantine."""
    assert (
        landing.query(
            f"""
            select path from landing.file where content_of is null and (rows_loaded, rows_duplicate, rows_quarantined)
            <> (
                (select count(*) from raw.{source} as r where r.file_id = file.file_id and not is_duplicate),
                (select count(*) from raw.{source} as r where r.file_id = file.file_id and is_duplicate),
                (select count(*) from landing.quarantine as q where q.file_id = file.file_id)
            )
            """
        )
        == []
    )


@pytest.mark.parametrize("seed", range(5))
def test_no_file_ends_a_run(landing: Landing, seed: int) -> None:
    no_run_ends(landing, seed, 10)


@pytest.mark.extended
@pytest.mark.parametrize("seed", range(1000, 1150))
def test_no_file_of_many_ends_a_run(landing: Landing, seed: int) -> None:
    no_run_ends(landing, seed, 30)


def read(path: Path, source: str, ending: str) -> str:
    """What the reader alone makes of it: rows, or the reason why not. Any other error is the test's failure."""
    try:
        records = open_records(f"a{ending}", path, contracts()[source])
        return f"{sum(batch.num_rows for batch in records.batches())} rows"
    except RefusedError as error:
        return str(error)


def read_many(folder: Path, seed: int, files: int) -> Iterator[str]:
    random = Random(seed)
    for _ in range(files):
        source = random.choice(SOURCES)
        ending, content = fuzzed(random, source)
        path = folder / f"content.{ending.rpartition('.')[2]}"
        path.write_bytes(content or b"\n")
        yield read(path, source, ending)


def test_readers_give_rows_or_a_reason(tmp_path: Path) -> None:
    assert all(read_many(tmp_path, seed=1, files=80))


@pytest.mark.extended
@pytest.mark.parametrize("seed", range(2000, 2050))
def test_readers_give_rows_or_a_reason_for_many(tmp_path: Path, seed: int) -> None:
    assert all(read_many(tmp_path, seed, 400))
