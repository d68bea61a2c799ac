"""A workbook that cannot be written: the error names the file that was asked for, and why."""

import os
from pathlib import Path

import pytest

from dagster_project.errors import CashlessError
from dagster_project.report.excel import private_book


def test_a_file_that_is_somebody_elses_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though the folder would allow it. The tests may run as root, whom nothing is denied."""
    kept = tmp_path / "kept.xlsx"
    kept.write_text("theirs", encoding="ascii")
    monkeypatch.setattr(os, "access", lambda path, _: path != kept)
    with pytest.raises(CashlessError, match="it is there and read-only"), private_book(kept):
        pass
    assert kept.read_text(encoding="ascii") == "theirs"


def test_the_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    """Not the one that is used meanwhile."""
    kept, blocked = tmp_path / "kept.xlsx", tmp_path / "file"
    kept.write_text("mine", encoding="ascii")
    kept.chmod(0o400)
    blocked.touch()
    too_long = tmp_path / ("x" * 300 + ".xlsx")
    for path, reason in (
        (kept, "it is there and read-only"),
        (blocked / "a.xlsx", f"{blocked} is no folder"),
        (too_long, "File name too long"),
    ):
        with pytest.raises(CashlessError) as refused, private_book(path):
            pass
        assert str(refused.value) == f"{path} cannot be written: {reason}"
    assert kept.read_text(encoding="ascii") == "mine"
