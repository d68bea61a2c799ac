"""What a run did, gathered while it runs, and how it is shown at the end. Queries and work are elsewhere."""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import partial
from typing import TYPE_CHECKING

from dagster_project.landing.refusals import in_both

if TYPE_CHECKING:
    from rich.console import Console

    from dagster_project.audit.gate import CheckResult
    from dagster_project.publish.hold import Hold
    from dagster_project.publish.publish import Force, Publication
    from dagster_project.pull.pull import Pulled
    from dagster_project.raw.load import FileResult


# The latest of the months whose figures should stand and changed; the others are in bi.kpi_revision.
_MONTHS_TO_EXPLAIN = 3


class ExitCode(IntEnum):
    """Exit codes of `cashless run`, part of the fixed command line."""

    DONE = 0
    ERROR = 1
    REFUSED = 3


@dataclass(frozen=True)
class DbtTests:
    """Outcome of the dbt tests of a build; `failures` are the names of those of severity error."""

    passed: int
    warned: int
    failures: tuple[str, ...]


def _silent(text: str) -> None:
    """Progress goes nowhere, unless whoever starts the run wants to see it."""


@dataclass
class RunReport:
    """Filled by the steps of one run."""

    progress: Callable[[str], None] = _silent
    pulls: list["Pulled"] = field(default_factory=list)
    files: list["FileResult"] = field(default_factory=list)
    rows_repaired: int = 0
    entries_closed: int = 0
    is_unchanged: bool = False
    findings: list[str] = field(default_factory=list)
    dbt_tests: DbtTests | None = None
    checks: list["CheckResult"] = field(default_factory=list)
    publication: "Publication | None" = None
    hold: "Hold | None" = None
    force: "Force | None" = None

    @property
    def is_refused(self) -> bool:
        """The gate, or a dbt test of severity error, held this build back."""
        return any(check.is_blocking for check in self.checks) or bool(
            self.dbt_tests and self.dbt_tests.failures
        )


@dataclass(frozen=True)
class RunResult:
    """The end of a run: its exit code and what to show. `has_rows`: the warehouse holds accepted rows."""

    report: RunReport
    has_rows: bool

    @property
    def exit_code(self) -> ExitCode:
        if self.report.is_refused:
            return ExitCode.REFUSED
        # What is there was published, and still somebody must look: nothing else tells that a source has dried up.
        if any(pull.fault is not None for pull in self.report.pulls):
            return ExitCode.ERROR
        # Refused files alone are no error, unless there is nothing else.
        if not self.has_rows and any(file.refused_reason for file in self.report.files):
            return ExitCode.ERROR
        # That publications are held is somebody's will, and `cashless status` says so.
        if (self.report.publication, self.report.hold) == (None, None) and not self.report.is_unchanged:
            return ExitCode.ERROR
        return ExitCode.DONE

    def print(self) -> None:
        """What changed, in tables on standard output; findings and refusals last, where they are seen."""
        from rich.console import Console  # noqa: PLC0415  (only when something is shown)

        # Without a terminal rich would fold the tables at 80 columns.
        width = None if sys.stdout.isatty() else 160
        console = Console(soft_wrap=True, highlight=False, width=width)
        new_files = [file for file in self.report.files if file.is_new]
        if new_files:
            _print_files(console, new_files)
        _print_pulls(console, self.report)
        _print_troubles(console, self.report)
        _print_outcome(console, self)


def _print_files(console: "Console", files: "list[FileResult]") -> None:
    from rich.table import Table  # noqa: PLC0415

    table = Table(title="Tệp mới / New files", title_justify="left")
    table.add_column("Nguồn / Source")
    for heading in (
        "Tệp/Files",
        "Dòng/Rows",
        "Nạp/Loaded",
        "Trùng/Duplicate",
        "Cách ly/Quarantined",
        "Từ chối/Refused",
    ):
        table.add_column(heading, justify="right")
    totals: dict[str, Counter[str]] = {}
    for file in files:
        row = totals.setdefault(file.source, Counter())
        row.update(
            files=1,
            rows=file.counts.rows_in_file,
            loaded=file.counts.rows_loaded,
            duplicate=file.counts.rows_duplicate,
            quarantined=file.counts.rows_quarantined,
            refused=int(file.refused_reason is not None),
        )
    for source, row in sorted(totals.items()):
        columns = ("files", "rows", "loaded", "duplicate", "quarantined", "refused")
        table.add_row(source, *(f"{row[name]:,}" for name in columns))
    console.print(table)


def _print_line(console: "Console", colour: str, label: str, text: str) -> None:
    # As text, never as markup: file names, headers and findings may hold square brackets.
    console.print(f"[{colour}]{label}[/{colour}]", end=" ")
    console.print(text, markup=False)


def _print_pulls(console: "Console", report: RunReport) -> None:
    for pull in report.pulls:
        if pull.fault is not None:
            _print_line(console, "red", "Không kéo được / Pull failed", pull.fault)
        elif pull.file is not None:
            _print_line(console, "green", "Đã kéo / Pulled", str(pull))


def _print_troubles(console: "Console", report: RunReport) -> None:
    line = partial(_print_line, console)

    for file in report.files:
        if file.refused_reason is not None:
            line("red", "Từ chối / Refused", f"{file.path}: {in_both(file.refused_reason)}")
        if not file.is_new:
            continue
        if file.counts.rows_quarantined:
            line(
                "yellow",
                "Cách ly / Quarantined",
                f"{file.path}: {file.counts.rows_quarantined:,} dòng / rows",
            )
        if file.extra_columns:
            line("yellow", "Cột lạ / Extra columns", f"{file.path}: {', '.join(file.extra_columns)}")
        for note in file.notes:
            line("yellow", "Lưu ý / Note", f"{file.path}: {note}")
    if report.rows_repaired:
        line("green", "Hết cách ly / Out of quarantine", f"{report.rows_repaired:,} dòng / rows")
    if report.entries_closed:
        line(
            "green",
            "Đã sửa / Corrected",
            f"{report.entries_closed:,} dòng cách ly đã có dòng đúng thay / "
            "rows in quarantine closed by corrected rows",
        )
    for finding in report.findings:
        line("yellow", "Lưu ý / Note", finding)
    for check in report.checks:
        if not check.passed and check.expectation.severity != "info":
            line(
                "red" if check.is_blocking else "yellow",
                check.expectation.severity,
                f"{check.suite.name}.{check.expectation.name} = {check.observed}: "
                f"{check.expectation.why_vi} / {check.expectation.why_en}",
            )
    for name in report.dbt_tests.failures if report.dbt_tests else ():
        line("red", "critical", f"dbt test failed: {name}")


def _print_outcome(console: "Console", result: RunResult) -> None:
    report = result.report
    publication = report.publication
    if publication is not None:
        months = ", ".join(f"{month:%Y-%m}" for month in publication.months) or "không có / none"
        console.print(
            f"[green]Đã công bố / Published[/green] số/no. {publication.publication_id}, dữ liệu đến / data through "
            f"{publication.data_through or '—'}; kiểm tra / checks: {publication.checks_passed} đạt/passed, "
            f"{publication.checks_warned} cảnh báo/warned. Tháng thay đổi / months changed: {months}"
        )
        _print_revisions(console, publication)
        for warning in publication.warnings:
            console.print(warning, markup=False)
    elif report.is_refused:
        console.print(
            "[red]Không công bố / Publication refused[/red]: BI giữ nguyên lần công bố trước / "
            "BI keeps the last good publication."
        )
    elif report.hold is not None and not report.is_unchanged:
        console.print("BI giữ nguyên lần công bố trước / BI keeps the last publication.")
    elif result.has_rows and not report.is_unchanged:
        console.print(
            "[red]Lỗi[/red]: không dựng được số liệu / the figures were neither built nor published."
        )
    elif result.has_rows:
        console.print("Không có gì mới / Nothing new: bi is up to date.")
    else:
        console.print("Chưa có dòng nào được nạp / No row has been loaded yet: nothing to publish.")
    if report.hold is not None:
        console.print(
            f"[yellow]Tạm dừng công bố / Publications are held[/yellow] since {report.hold.held_at:%Y-%m-%d %H:%M} by",
            end=" ",
        )
        console.print(f"{report.hold.held_by}: {report.hold.reason}", markup=False)
        console.print("`cashless release` lets them go on.")
    if report.force is not None:
        console.print("[yellow]Công bố bất chấp kiểm tra / The publication was forced[/yellow] by", end=" ")
        console.print(f"{report.force.by}: {report.force.reason}", markup=False)
    failed = sum(pull.fault is not None for pull in report.pulls)
    if failed:
        pulls = "pull" if failed == 1 else "pulls"
        console.print(
            f"[red]Lỗi[/red]: {failed} lần kéo dữ liệu không thành / {failed} {pulls} failed: the figures are those of "
            "the files that were there."
        )


def _print_revisions(console: "Console", publication: "Publication") -> None:
    """How many figures changed that should stand, and the commands that say why: of the latest months."""
    if not publication.revisions:
        return
    console.print(
        "[yellow]Số liệu chính thức hoặc đã chốt thay đổi / Figures of final or signed months changed[/yellow]: "
        f"{sum(publication.revisions.values()):,} (bi.kpi_revision)"
    )
    months = [*publication.revisions.items()]
    for month, figures in months[-_MONTHS_TO_EXPLAIN:]:
        console.print(f"  cashless explain --month {month:%Y-%m}  ({figures:,})")
    if len(months) > _MONTHS_TO_EXPLAIN:
        console.print(f"  và {len(months) - _MONTHS_TO_EXPLAIN} tháng trước nữa / and earlier months")
