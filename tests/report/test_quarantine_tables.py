"""The quarantine as people see it: on the console, and in the workbooks for the owners of the data."""

import io
import stat
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from rich.console import Console

from dagster_project.errors import CashlessError
from dagster_project.raw.quarantine_reading import Group, QuarantinedRow, RefusedFile
from dagster_project.report import excel
from dagster_project.report.console import PLAIN_WIDTH
from dagster_project.report.excel import CELL_LENGTH, fitting
from dagster_project.report.quarantine import print_groups, print_rows
from dagster_project.report.workbook import write_workbook

DAY = date(2026, 1, 15)
AT = datetime(2026, 1, 14, 20, 30, tzinfo=UTC)  # 03:30 of the 15th in Vietnam
ROW = QuarantinedRow(
    file="bills/a[1].csv",
    sheet=None,
    line=7,
    column="status",
    reason="status: not one of issued",
    reason_vi="status: không thuộc danh sách issued",
    money=432000,
    since=AT,
    status="open",
    repaired_at=None,
    repaired_by_file=None,
    raw="BE1,lost",
)


def printed(function: Any, *arguments: Any, **options: Any) -> str:
    output = io.StringIO()
    function(*arguments, **options, console=Console(file=output, width=PLAIN_WIDTH))
    return output.getvalue()


def written(folder: Path, rows: list[QuarantinedRow], refused: list[RefusedFile] | None = None) -> Any:
    done = write_workbook(folder, "bills", DAY, iter(rows), refused or [])
    assert done.path == folder / "quarantine_bills_2026-01-15.xlsx"
    return openpyxl.load_workbook(done.path)


def test_groups_on_the_console() -> None:
    group = Group(
        "bills", "bills/a[1].csv", None, "wrong number", "sai số trường", "open", 1200, 5000000, DAY
    )
    text = printed(print_groups, [group, group._replace(source="payments", column="fee", status="repaired")])
    for said in (
        "bills/a[1].csv",
        "sai số trường",
        "wrong number",
        "1,200",
        "5,000,000",
        "2026-01-15",
        "fee",
    ):
        assert said in text
    assert "2,400 dòng, 10,000,000 đ" in text
    assert "đã sửa / repaired" in text
    assert "No rows are in quarantine" in printed(print_groups, [])


def test_rows_on_the_console_steer_no_terminal() -> None:
    repaired = ROW._replace(
        raw="a\x1b[2J[bold]b", sheet="T1", status="repaired", repaired_at=AT, repaired_by_file="bills/c.csv"
    )
    text = printed(print_rows, [ROW, repaired], total=9)
    assert "bills/a[1].csv:7" in text
    assert "bills/a[1].csv [T1]:7" in text
    assert "a\\x1b[2J[bold]b" in text
    assert "repaired at 2026-01-15 03:30:00: bills/c.csv" in text
    assert "and 7 more" in text
    assert "more" not in printed(print_rows, [ROW], total=1)
    assert "No rows are in quarantine" in printed(print_rows, [], total=0)


def test_the_workbook_tells_what_it_is_and_holds_the_rows(tmp_path: Path) -> None:
    book = written(
        tmp_path / "new" / "folder", [ROW, ROW._replace(line=8, sheet="T1", raw="=1+1", column=None)]
    )
    assert book.sheetnames == ["Hướng dẫn - Guide", "Dòng lỗi - Rows"]
    guide = [cell.value for cells in book["Hướng dẫn - Guide"] for cell in cells]
    assert "Rows in quarantine: bills" in guide
    assert "Ngày 15/01/2026" in guide
    assert any("dữ liệu cá nhân" in text for text in guide)
    assert any("personal data" in text for text in guide)
    assert any("gửi lại" in text for text in guide)
    sheet = book["Dòng lỗi - Rows"]
    first, second = [[cell.value for cell in cells] for cells in sheet.iter_rows(min_row=2)]
    assert first == [
        "bills/a[1].csv", None, 7, "status", "status: không thuộc danh sách issued", "status: not one of issued",
        432000, datetime(2026, 1, 15, 3, 30), "chờ sửa / open", None, None, "BE1,lost",
    ]  # fmt: skip
    assert (second[1], second[2], second[3], second[-1]) == ("T1", 8, None, "=1+1")
    assert sheet["L3"].data_type == "s"  # a text, no formula
    assert sheet.freeze_panes == "A2"
    assert sheet.auto_filter.ref == "A1:L3"
    assert sheet.column_dimensions["L"].width > 90


def test_refused_files_have_a_sheet_of_their_own(tmp_path: Path) -> None:
    book = written(tmp_path, [], [RefusedFile("bills/x.csv", "the file is empty", AT)])
    assert book.sheetnames[-1] == "Tệp bị từ chối - Refused"
    (cells,) = book[book.sheetnames[-1]].iter_rows(min_row=2, values_only=True)
    assert cells == ("bills/x.csv", "tệp rỗng", "the file is empty", datetime(2026, 1, 15, 3, 30))
    assert book["Dòng lỗi - Rows"].max_row == 1


@pytest.mark.parametrize(("rows", "sheets"), [(3, [3]), (4, [3, 1]), (6, [3, 3]), (7, [3, 3, 1])])
def test_more_rows_than_a_sheet_holds_go_on_in_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, sheets: list[int]
) -> None:
    monkeypatch.setattr(excel, "ROWS_PER_SHEET", 3)
    book = written(tmp_path, [ROW._replace(line=n) for n in range(rows)])
    assert [book[name].max_row - 1 for name in book.sheetnames[1:]] == sheets
    lines = [
        cells[2]
        for name in book.sheetnames[1:]
        for cells in book[name].iter_rows(min_row=2, values_only=True)
    ]
    assert lines == list(range(rows))


@pytest.mark.parametrize("char", ["a", "ữ", "𝄞", "\x01"])
def test_a_long_text_is_cut_to_what_a_cell_holds(tmp_path: Path, char: str) -> None:
    text = char * 40_000
    cut = fitting(text)
    written_as = cut.replace("\x01", "_x0001_").encode("utf-16-le")
    assert CELL_LENGTH - 8 < len(written_as) // 2 <= CELL_LENGTH
    assert cut.endswith("cut, 40000 characters in all]")
    assert fitting("b" * CELL_LENGTH) == "b" * CELL_LENGTH
    book = written(tmp_path, [ROW._replace(raw=text)])
    assert book["Dòng lỗi - Rows"]["L2"].value.endswith("40000 characters in all]")


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    written(folder, [ROW])
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_workbook_that_fails_leaves_the_old_one(tmp_path: Path) -> None:
    def failing() -> Iterator[QuarantinedRow]:
        yield ROW
        raise RuntimeError("the database is gone")

    written(tmp_path, [ROW])
    before = (tmp_path / "quarantine_bills_2026-01-15.xlsx").read_bytes()
    with pytest.raises(RuntimeError):
        write_workbook(tmp_path, "bills", DAY, failing(), [])
    assert [file.name for file in tmp_path.iterdir()] == ["quarantine_bills_2026-01-15.xlsx"]
    assert (tmp_path / "quarantine_bills_2026-01-15.xlsx").read_bytes() == before


def test_a_folder_that_cannot_be_written_to_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(CashlessError, match=r"quarantine_bills_2026-01-15\.xlsx cannot be written"):
        write_workbook(tmp_path / "file", "bills", DAY, [ROW], [])
