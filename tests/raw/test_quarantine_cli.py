"""`cashless quarantine` from the command line to the screen, the workbook and the exit code."""

from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result
from landing_folder import Landing, csv_text, row

from dagster_project.cli import main

CODE = "PN01000000001"


@pytest.fixture
def bad(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> Landing:
    monkeypatch.setenv("CASHLESS_DATABASE_URL", landing.settings.database_url or "")
    monkeypatch.setenv("CASHLESS_HOME", str(landing.settings.home))
    monkeypatch.setenv("CASHLESS_TODAY", "2026-01-15")
    landing.put(
        "bills/a.csv", csv_text("bills", [row("bills", status="lost"), row("bills", bill_id="B2", cycle="8")])
    )
    landing.put("bills/b.csv", csv_text("bills", [row("bills")]))
    landing.put("payments/empty.csv", "")
    landing.load()
    return landing


def cashless(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["quarantine", *arguments])


def test_list(bad: Landing) -> None:
    done = cashless("list")
    assert done.exit_code == 0
    assert "không thuộc danh sách 1, 2, 3" in done.stdout
    assert "issued" not in done.stdout  # repaired since
    assert "issued" in cashless("list", "--all", "--file", "bills/a.csv").stdout
    assert "No rows are in quarantine" in cashless("list", "--source", "payments").stdout


def test_show(bad: Landing) -> None:
    done = cashless("show", "bills")
    assert (done.exit_code, done.stderr) == (0, "")
    assert CODE not in done.stdout
    assert "bills/a.csv:3" in done.stdout
    assert "bills/a.csv:2" in cashless("show", "bills/a.csv", "--all", "--line", "2").stdout
    assert "and 1 more" in cashless("show", "bills", "--all", "--limit", "1").stdout
    unmasked = cashless("show", "bills/a.csv", "--unmasked")
    assert CODE in unmasked.stdout
    assert "Personal data are shown" in unmasked.stderr


def test_export(bad: Landing, tmp_path: Path) -> None:
    done = cashless("export", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0
    assert "personal data" in done.stderr
    names = ["quarantine_bills_2026-01-15.xlsx", "quarantine_payments_2026-01-15.xlsx"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == names
    book = openpyxl.load_workbook(tmp_path / "out" / names[0])
    (only,) = book["Dòng lỗi - Rows"].iter_rows(min_row=2, values_only=True)
    assert only[2] == 3
    assert CODE in only[-1]
    assert "Refused" in openpyxl.load_workbook(tmp_path / "out" / names[1]).sheetnames[-1]
    one = cashless("export", "--out", str(tmp_path / "all"), "--source", "bills", "--all")
    assert one.exit_code == 0
    (file,) = (tmp_path / "all").iterdir()
    rows = list(openpyxl.load_workbook(file)["Dòng lỗi - Rows"].iter_rows(min_row=2, values_only=True))
    assert [cells[10] for cells in rows] == ["bills/b.csv", None]


def test_nothing_to_export(bad: Landing, tmp_path: Path) -> None:
    done = cashless("export", "--out", str(tmp_path / "out"), "--source", "targets")
    assert done.exit_code == 0
    assert "Nothing is in quarantine or refused" in done.stdout
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["show", "bills/z.csv"], 1, "cashless: No file bills/z.csv is known here"),
        (["list", "--file", "z.csv"], 1, "cashless: No file z.csv is known here"),
        (["list", "--source", "bill"], 2, "no source is called bill; there are auto_debit_mandates, bills"),
        (["show"], 2, "Missing argument 'FILE|SOURCE'"),
        (["show", "bills", "--limit", "0"], 2, "--limit"),
        (["export"], 2, "--out"),
        (["export", "--out", "x", "--source", "bill"], 2, "no source is called bill"),
        (["nonsense"], 2, "No such command"),
    ],
)
def test_exit_codes(bad: Landing, arguments: list[str], exit_code: int, said: str) -> None:
    done = cashless(*arguments)
    assert done.exit_code == exit_code
    assert said in done.stderr


def test_a_folder_that_cannot_be_written_to_is_1(bad: Landing, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = cashless("export", "--out", str(tmp_path / "file" / "x"))
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("cashless: ")
