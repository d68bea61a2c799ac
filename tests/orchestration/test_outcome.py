"""How a run ends: its exit code, its last lines, and the one line for people out of Dagster's wrappers."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from test_pulls import run_a_part

from dagster_project.errors import CashlessError
from dagster_project.orchestration.report import DbtTests, ExitCode, RunReport, RunResult
from dagster_project.orchestration.run import _for_people
from dagster_project.publish.publish import Publication
from dagster_project.raw.ledger import Counts
from dagster_project.raw.load import FileResult
from dagster_project.settings import Settings


def refused(path: str) -> FileResult:
    return FileResult("bills", path, "refused", is_new=True, refused_reason="the file is empty")


def test_names_with_brackets_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    loaded = FileResult(
        "bills",
        "bills/[final].csv",
        "loaded",
        is_new=True,
        counts=Counts(1, 0, 1),
        extra_columns=("ghi chú [/VND]", "[kwh]"),
    )
    RunResult(
        RunReport(files=[loaded, refused("bills/[red].csv")], findings=["[x]/: no such source"]), True
    ).print()
    shown = capsys.readouterr().out
    for text in (
        "bills/[final].csv",
        "ghi chú [/VND], [kwh]",
        "bills/[red].csv: tệp rỗng / the file is empty",
        "[x]/: no such",
    ):
        assert text in shown


def test_exit_codes() -> None:
    unchanged = RunReport(is_unchanged=True)
    assert RunResult(unchanged, has_rows=True).exit_code == ExitCode.DONE
    assert RunResult(unchanged, has_rows=False).exit_code == ExitCode.DONE
    # Neither published, refused nor up to date: something broke on the way, and nobody may think all is well.
    assert RunResult(RunReport(), has_rows=True).exit_code == ExitCode.ERROR
    # Other files were loaded, now or before: a refused one is listed, and no error.
    assert (
        RunResult(RunReport(files=[refused("a")], is_unchanged=True), has_rows=True).exit_code
        == ExitCode.DONE
    )
    assert RunResult(RunReport(files=[refused("a")]), has_rows=False).exit_code == ExitCode.ERROR
    failed = RunReport(dbt_tests=DbtTests(3, 0, ("unique_key_fct_bill",)))
    assert RunResult(failed, has_rows=True).exit_code == ExitCode.REFUSED


def test_the_line_for_people_is_found_in_any_chain() -> None:
    line = CashlessError("no server")
    wrapper = RuntimeError("step failed")
    wrapper.__cause__ = ValueError("resource failed")
    wrapper.__cause__.__context__ = line
    assert _for_people(wrapper) is line


def test_a_chain_of_errors_that_is_a_circle_ends() -> None:
    first, second = RuntimeError("a"), RuntimeError("b")
    first.__cause__, second.__context__ = second, first
    assert _for_people(first) is None


def test_what_corrected_rows_closed_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    RunResult(RunReport(entries_closed=1234, is_unchanged=True), has_rows=True).print()
    told = [line for line in capsys.readouterr().out.splitlines() if "Corrected" in line]
    assert told == [
        "Đã sửa / Corrected 1,234 dòng cách ly đã có dòng đúng thay / rows in quarantine closed by corrected rows"
    ]
    RunResult(RunReport(is_unchanged=True), has_rows=True).print()
    assert "Corrected" not in capsys.readouterr().out


def test_changed_figures_that_should_stand_come_with_the_command_that_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    months = {date(2024, month, 1): month for month in range(1, 6)}
    publication = Publication(
        7, datetime(2026, 1, 1, tzinfo=UTC), [*months], None, 1, 0, 0, [], [], revisions=months
    )
    RunResult(RunReport(publication=publication), has_rows=True).print()
    shown = capsys.readouterr().out
    assert "months changed: 15 (bi.kpi_revision)" in shown
    assert [line.strip() for line in shown.splitlines() if "cashless explain" in line] == [
        f"cashless explain --month 2024-0{month}  ({month})" for month in (3, 4, 5)
    ]
    assert "và 2 tháng trước nữa / and earlier months" in shown


def test_a_run_counts_what_corrected_rows_closed(warehouse: Settings) -> None:
    folder = Path(warehouse.landing) / "targets"
    folder.mkdir(parents=True)
    header, row = (
        "month,level,code,metric,target,updated_at",
        "2024-05,company,COMPANY,conversions,{},2024-01-05",
    )
    closed = []
    for name, target in (("a", "much"), ("b", "3"), ("c", "3")):
        (folder / f"{name}.csv").write_text(f"{header}\n{row.format(target)}\n", encoding="utf-8")
        closed.append(run_a_part(warehouse, "raw/targets").entries_closed)
    assert closed == [0, 1, 0]
