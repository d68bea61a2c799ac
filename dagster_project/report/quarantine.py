"""The quarantine on the console: what is held back, and why. The workbooks for the owners are workbook.py's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from dagster_project.raw.quarantine_reading import Group, QuarantinedRow
from dagster_project.report.console import moment, new_console, new_table, number

STATUS = {"open": "chờ sửa / open", "repaired": "đã sửa / repaired"}

_NOTHING = "Không có dòng nào bị cách ly / No rows are in quarantine."


def print_groups(groups: Sequence[Group], console: Console | None = None) -> None:
    """One line per source, file, column and reason."""
    console = console or new_console()
    if not groups:
        console.print(_NOTHING)
        return
    table = new_table("Dòng bị cách ly / Rows in quarantine")
    for heading in ("Tệp\nFile", "Cột\nColumn", "Lý do\nReason"):
        table.add_column(heading, overflow="fold")
    table.add_column("Dòng\nRows", justify="right", no_wrap=True)
    table.add_column("Tiền (đ)\nVND", justify="right", no_wrap=True)
    table.add_column("Từ ngày\nSince", no_wrap=True)
    table.add_column("Trạng thái\nStatus", overflow="fold")
    source = None
    for group in groups:
        if group.source != source:
            source = group.source
            table.add_section()
            table.add_row(f"[bold]{source}[/bold]")
        table.add_row(
            plain(group.file),
            plain(group.column or "–"),
            plain(f"{group.reason_vi}\n{group.reason}"),
            number(group.rows),
            number(group.money),
            f"{group.oldest:%Y-%m-%d}",
            STATUS[group.status],
        )
    rows, money = sum(group.rows for group in groups), sum(group.money for group in groups)
    table.caption = f"{number(rows)} dòng, {number(money)} đ / rows, VND"
    console.print(table)


def print_rows(rows: Iterable[QuarantinedRow], *, total: int, console: Console | None = None) -> None:
    """Row by row; how many more there are (`total`) is said, not hidden."""
    console = console or new_console()
    shown = 0
    for row in rows:
        shown += 1
        sheet = f" [{row.sheet}]" if row.sheet is not None else ""
        console.print(plain(f"{row.file}{sheet}:{row.line}"), style="bold", end="  ")
        console.print(plain(f"{STATUS[row.status]}, {moment(row.since)}, {number(row.money)} đ / VND"))
        if row.repaired_at is not None:
            by = f": {row.repaired_by_file}" if row.repaired_by_file is not None else ""
            console.print(plain(f"    sửa lúc / repaired at {moment(row.repaired_at)}{by}"))
        console.print(plain(f"    {row.reason_vi}"))
        console.print(plain(f"    {row.reason}"))
        console.print(plain(f"    {row.raw}"))
    if not shown:
        console.print(_NOTHING)
    elif shown < total:
        console.print(f"và {number(total - shown)} dòng nữa / and {number(total - shown)} more: --limit")


def plain(text: str) -> Text:
    """Text out of files as it is: no markup, and nothing that steers a terminal."""
    return Text(
        "".join(char if char.isprintable() or char == "\n" else f"\\x{ord(char):02x}" for char in text)
    )
