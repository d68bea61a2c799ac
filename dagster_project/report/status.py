"""The state of the warehouse on the console: the last publication, files and pulls, what is missing or in quarantine.

Does not belong here: figures (console.py), and single rows of the quarantine (quarantine.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date
from typing import Any

from psycopg2.extensions import cursor as Cursor
from rich.console import Console
from rich.table import Table

from dagster_project.alert.ledger import read_ledger
from dagster_project.landing.refusals import in_both
from dagster_project.publish.build import newest_build, newest_gate_result
from dagster_project.publish.hold import current_hold
from dagster_project.pull.declared import declared_pulls
from dagster_project.pull.state import standings
from dagster_project.report.console import (
    exists,
    moment,
    new_console,
    new_table,
    number,
    say_nothing_published,
)
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

# The older ones are in bi.sign_off.
_SIGNED_MONTHS = 12
_ARRIVAL = {"missing": "chưa đến / missing", "refused": "bị từ chối / refused", "late": "đến muộn / late"}


def print_status(settings: Settings, console: Console | None = None) -> None:
    """The last publication, what was loaded, what waits in quarantine, which files were refused or withdrawn."""
    console = console or new_console()
    with closing(connect(settings, "cashless status")) as conn, conn, conn.cursor() as cur:
        if not exists(cur, "bi.publication"):
            say_nothing_published(console)
            return
        cur.execute(
            "select publication_id, published_at, months, data_through, checks_passed, checks_warned,"
            " checks_failed, build_id::text, forced_by, forced_reason"
            " from bi.publication order by publication_id desc limit 1"
        )
        publication = cur.fetchone()
        if publication is None:
            say_nothing_published(console)
        else:
            console.print(_publication_table(publication))
        _print_signed_months(cur, console)
        _print_hold(cur, console)
        _print_refused_build(cur, console, None if publication is None else publication[7])
        _print_pulls(cur, console, settings)
        _print_sources(cur, console)
        _print_files_not_loaded(cur, console)
        _print_expected_files(cur, console)
        _print_quarantine(cur, console)
    _print_alerts(console, settings)


def _print_signed_months(cur: Cursor, console: Console) -> None:
    """The latest signed months, each by its latest signature, and how many of the figures are others now."""
    if not exists(cur, "bi.signed_change"):  # a warehouse that no run has brought up to date yet
        return
    cur.execute(
        """
        with signed as (
            select distinct on (bill_month) bill_month, signed_by, signed_at, publication_id
            from bi.sign_off order by bill_month desc, signed_at desc limit %s
        ),
        changed as (
            select bill_month, count(*) as figures from bi.signed_change group by 1
        )
        select bill_month, signed_by, signed_at, publication_id, coalesce(figures, 0)
        from signed left join changed using (bill_month)
        order by 1 desc
        """,
        (_SIGNED_MONTHS,),
    )
    rows = cur.fetchall()
    if not rows:
        return
    table = new_table("Tháng đã chốt / Signed months")
    for heading in ("Tháng / Month", "Người chốt / By", "Lúc / At", "Lần công bố / Publication"):
        table.add_column(heading)
    table.add_column("Số liệu nay khác lúc chốt / Figures unlike signed", justify="right")
    for month, by, at, publication, changed in rows:
        table.add_row(f"{month:%Y-%m}", by.replace("[", r"\["), moment(at), str(publication), number(changed))
    if any(changed for *_, changed in rows):
        table.caption = "bi.signed_change; vì sao / why: cashless explain --month YYYY-MM"
    console.print(table)


def _publication_table(publication: tuple[Any, ...]) -> Table:
    publication_id, published_at, months, data_through, passed, warned, failed, _, by, reason = publication
    table = new_table("Lần công bố gần nhất / Last publication")
    table.show_header = False
    table.add_column()
    table.add_column()
    table.add_row("Số / Number", str(publication_id))
    table.add_row("Lúc / Published at", moment(published_at))
    table.add_row(
        "Số liệu đến / Data through", f"{data_through:%Y-%m-%d}" if data_through else "chưa có / none"
    )
    table.add_row("Tháng thay đổi / Months changed", _months(months))
    table.add_row(
        "Kiểm tra chất lượng / Quality checks",
        f"{passed} đạt / passed (gồm mức info, chỉ ghi nhận / with those that only record), "
        f"{warned} cảnh báo / warned, {failed} không đạt mức nghiêm trọng / critical failed",
    )
    if by is not None:
        table.add_row("Công bố bất chấp kiểm tra / Forced by", f"{by}: {reason}".replace("[", r"\["))
    return table


def _print_hold(cur: Cursor, console: Console) -> None:
    hold = current_hold(cur)
    if hold is not None:
        console.print(
            "[bold]Tạm dừng công bố / Publications are held[/bold] since", moment(hold.held_at), end=" "
        )
        console.print(f"by {hold.held_by}: {hold.reason}", markup=False)


def _print_refused_build(cur: Cursor, console: Console, published_build: str | None) -> None:
    """Say so when BI does not show the newest build, and why."""
    build = newest_build(cur)
    if build is None or str(build.build_id) == published_build:
        return
    gate = newest_gate_result(cur, build.build_id)
    if gate is None:
        reason = "chưa được kiểm tra / it was not audited: the run was interrupted"
    elif gate.passed and current_hold(cur) is not None:
        return  # said above
    elif gate.passed:
        reason = "đã đạt, chưa công bố / it passed and was not published: the run was interrupted"
    else:
        reason = (
            f"không đạt {gate.checks_failed} kiểm tra mức nghiêm trọng"
            f" / the quality gate refused it (critical checks that failed: {gate.checks_failed})"
        )
    assert build.built_at is not None
    console.print(
        f"[bold]Bản dựng mới nhất chưa được công bố / The newest build, of {moment(build.built_at)}, is not "
        f"published[/bold]: {reason}. Run `cashless run` again once the cause is put right."
    )


def _print_pulls(cur: Cursor, console: Console, settings: Settings) -> None:
    """How the declared pulls from databases stand."""
    declared = declared_pulls(settings.overlay_folder() / "pulls")
    if not declared or not exists(cur, "landing.pull_attempt"):
        return
    table = new_table("Kéo dữ liệu từ cơ sở dữ liệu khác / Pulls from other databases")
    for heading in (
        "Tên\nName",
        "Nguồn\nSource",
        "Thành công lần cuối\nLast success",
        "Đã đến mốc\nHigh-water mark",
        "Tình trạng\nStatus",
        "Lỗi lần cuối\nLast failure",
    ):
        table.add_column(heading, overflow="fold")
    rows = []
    for pull in standings(cur, declared):
        if pull.is_failing:
            state = "lỗi / failing"
        else:
            state = "tốt / fine" if pull.succeeded_at else "chưa chạy / not made yet"
        failure = "–"
        if pull.fault is not None:
            at = "khai báo sai / declared wrongly" if pull.failed_at is None else moment(pull.failed_at)
            failure = f"{at}: {pull.fault.removeprefix(f'{pull.name}: ')}"
        succeeded = moment(pull.succeeded_at) if pull.succeeded_at else "–"
        rows.append((pull.name, pull.source or "–", succeeded, pull.high_water or "–", state, failure))
    _add_first(table, rows)
    console.print(table)


def _print_sources(cur: Cursor, console: Console) -> None:
    cur.execute(
        """
        select source, count(*), sum(rows_in_file), sum(rows_loaded), sum(rows_duplicate),
               sum(rows_quarantined), count(refused_reason), max(loaded_at)
        from bi.load_audit group by source order by source
        """
    )
    rows = cur.fetchall()
    if not rows:
        console.print("Chưa nạp tệp nào / No file has been loaded.")
        return
    table = new_table("Đã nạp, theo nguồn / Loaded, by source")
    for heading, justify in (
        ("Nguồn\nSource", "left"),
        ("Tệp\nFiles", "right"),
        ("Dòng trong tệp\nRows in files", "right"),
        ("Đã nạp\nLoaded", "right"),
        ("Trùng\nDuplicate", "right"),
        ("Cách ly\nQuarantined", "right"),
        ("Không nạp\nNot loaded", "right"),
        ("Lần cuối\nLast loaded", "left"),
    ):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]
    for source, *counts, last in rows:
        table.add_row(source, *map(number, counts), moment(last))
    console.print(table)


def _print_files_not_loaded(cur: Cursor, console: Console) -> None:
    cur.execute(
        "select source, path, refused_reason from landing.refused_file order by loaded_at desc, source, path"
    )
    rows = cur.fetchall()
    if not rows:
        return
    table = new_table("Tệp bị từ chối, chưa có bản thay thế / Files refused, and not made up for yet")
    for heading in ("Nguồn\nSource", "Tệp\nFile", "Lý do\nReason"):
        table.add_column(heading, overflow="fold")
    _add_first(table, [(source, path, in_both(reason)) for source, path, reason in rows])
    console.print(table)


def _print_expected_files(cur: Cursor, console: Console) -> None:
    """What should have come: all that is not there, and what came late in the last month."""
    if not exists(cur, "bi.expected_file"):  # a warehouse that no run has brought up to date yet
        return
    cur.execute(
        """
        select covers::text, source, coalesce(partner_code, ''), coalesce(file, files), due_at, arrived_at, status
        from bi.expected_file
        where
            status in ('missing', 'refused')
            or (status = 'late' and greatest(due_at, arrived_at) > now() - interval '31 days')
        order by due_at desc, status, source, partner_code, expectation_code
        """
    )
    rows = cur.fetchall()
    if not rows:
        return
    table = new_table("Tệp phải có: chưa đến, bị từ chối, đến muộn / Expected files: missing, refused, late")
    for heading in (
        "Cho ngày, tháng\nCovers",
        "Nguồn\nSource",
        "Đối tác\nPartner",
        "Tệp\nFile",
        "Hạn\nDue",
        "Đến lúc\nArrived",
        "Tình trạng\nStatus",
    ):
        table.add_column(heading, overflow="fold")
    _add_first(
        table,
        [
            (*row, moment(due_at), "–" if arrived_at is None else moment(arrived_at), _ARRIVAL[status])
            for *row, due_at, arrived_at, status in rows
        ],
    )
    console.print(table)


def _print_quarantine(cur: Cursor, console: Console) -> None:
    cur.execute(
        """
        select source, coalesce(column_name, ''), reason, count(*), max(quarantined_at)
        from bi.quarantine where status = 'open'
        group by source, column_name, reason
        order by count(*) desc, source, column_name, reason
        """
    )
    rows = cur.fetchall()
    if not rows:
        console.print("Không có dòng nào bị cách ly / No rows are in quarantine.")
        return
    table = new_table("Dòng đang bị cách ly / Rows in quarantine")
    for heading in ("Nguồn\nSource", "Cột\nColumn", "Lý do\nReason", "Dòng\nRows", "Lần cuối\nLast"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "Dòng\nRows" else "left")
    _add_first(table, [(*row[:3], number(row[3]), moment(row[4])) for row in rows])
    console.print(table)


def _print_alerts(console: Console, settings: Settings) -> None:
    """What people have been told and is not over, and what could not be delivered."""
    ledger = read_ledger(settings.home)
    if ledger.problems:
        table = new_table("Cảnh báo chưa hết / Alerts that stand")
        for heading, justify in (
            ("Vấn đề\nProblem", "left"),
            ("Phụ trách\nOwner", "left"),
            ("Từ lúc\nSince", "left"),
            ("Lần gặp không báo\nFound untold", "right"),
        ):
            table.add_column(heading, overflow="fold", justify=justify)  # type: ignore[arg-type]
        _add_first(
            table,
            [
                (told.what, told.owner, moment(told.began_at), number(told.unsaid))
                for told in ledger.problems.values()
            ],
        )
        console.print(table)
    if ledger.undelivered:
        console.print(
            f"[bold]{len(ledger.undelivered)} tin cảnh báo chưa gửi được / alert messages not delivered[/bold]: "
            "`cashless alert test`."
        )


def _add_first(table: Table, rows: Sequence[tuple[str, ...]], limit: int = 20) -> None:
    """The first rows; how many more there are is said, not hidden."""
    for row in rows[:limit]:
        # Text out of files: brackets in it are not rich's markup.
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    if len(rows) > limit:
        table.caption = f"và {len(rows) - limit} dòng nữa / and {len(rows) - limit} more"


def _months(months: Sequence[date]) -> str:
    if not months:
        return "không có / none"
    if len(months) <= 6:
        return ", ".join(f"{month:%Y-%m}" for month in months)
    return f"{len(months)}: {min(months):%Y-%m} … {max(months):%Y-%m}"
