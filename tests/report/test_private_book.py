"""A workbook that cannot be written: the error names the file that was asked for, and why."""

from pathlib import Path

import pytest

from dagster_project.errors import CashlessError
from dagster_project.report.excel import private_book


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
