"""The tables that the command line prints: KPIs of company and power units, and the state of the warehouse.

Does not belong here: figures of its own (it shows what schema bi holds), and the report for a browser.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from psycopg2.extensions import cursor as Cursor
from rich import box
from rich.console import Console
from rich.table import Table

from dagster_project.publish.build import newest_build, newest_gate_result
from dagster_project.settings import LOCAL_ZONE, Settings
from dagster_project.warehouse.connection import connect

PRESS_MONTH = date(2024, 5, 1)  # the month that the company's published figures are compared with

# A file or a pipe has no width of its own: wide enough for the KPI table. A narrow terminal breaks lines of
# the narrowest table that still holds every figure; nothing is cut off.
PLAIN_WIDTH = 160
NARROWEST_WIDTH = 130

_SCOPES = {
    "electricity": "Tiền điện / Electricity",
    "all": "Điện và dịch vụ / With services",
}
_ARRIVAL = {"missing": "chưa đến / missing", "refused": "bị từ chối / refused", "late": "đến muộn / late"}
_STATUS = {"final": "chốt / final", "provisional": "tạm tính / provisional"}

# Broken by hand, so that the figures decide the widths: (Vietnamese, English, justification).
_UNIT_HEADINGS = (
    ("\nĐơn vị", "Unit\n", "left"),
    ("KH có\nhóa đơn", "Customers\nbilled", "right"),
    ("Không dùng\ntiền mặt", "Cashless\ncustomers", "right"),
    ("\nTỷ lệ", "Cashless\nrate", "right"),
    ("Tỷ lệ\nchặt", "Strict\nrate", "right"),
    ("Tỷ lệ\ntheo tiền", "Rate by\namount", "right"),
    ("\nĐúng hạn", "Paid\non time", "right"),
    ("\nChỉ tiêu", "Target\n", "right"),
    ("Đạt so với\nchỉ tiêu", "Attainment\n", "right"),
    ("\nTrạng thái", "Status\n", "left"),
)

_UNIT_COLUMNS = (
    "customers_billed, customers_cashless, cashless_rate_customers, cashless_rate_customers_strict,"
    " cashless_rate_amount, on_time_rate, target, attainment, status"
)


def print_kpis(
    settings: Settings, months: Sequence[date] | None = None, console: Console | None = None
) -> None:
    """The company and every power unit, for these months; by default the latest and the press month."""
    console = console or new_console()
    with closing(connect(settings, "cashless report")) as conn, conn, conn.cursor() as cur:
        if not _exists(cur, "bi.kpi_company_month") or not _exists(cur, "bi.kpi_power_unit_month"):
            _say_nothing_published(console)
            return
        cur.execute(
            "select distinct bill_month from bi.kpi_company_month where geography = 'as_recorded' order by 1"
        )
        published = [month for (month,) in cur.fetchall()]
        if not published:
            console.print("Chưa có hóa đơn nào được công bố / No bills are published yet.")
            return
        wanted = months if months is not None else [published[-1], PRESS_MONTH]
        for month in dict.fromkeys(wanted):  # each once, in the order asked for
            if month in published:
                console.print(_kpi_table(cur, month))
            elif months is not None:
                console.print(
                    f"{month:%Y-%m}: chưa có số liệu / no figures; published are "
                    f"{published[0]:%Y-%m} to {published[-1]:%Y-%m}."
                )


def _kpi_table(cur: Cursor, month: date) -> Table:
    table = new_table(
        f"Thanh toán không dùng tiền mặt, kỳ hóa đơn {month:%m/%Y}"
        f" / Cashless payment, bill month {month:%Y-%m}"
    )
    for vietnamese, english, justify in _UNIT_HEADINGS:
        is_figure = justify == "right"
        table.add_column(
            f"{vietnamese}\n{english}",
            justify="right" if is_figure else "left",
            no_wrap=is_figure,
            overflow="fold",
        )
    data_through: date | None = None
    for scope, label in _SCOPES.items():
        cur.execute(
            f"""
            select data_through, 'Công ty / Company' as unit, {_UNIT_COLUMNS} from bi.kpi_company_month
            where bill_month = %(month)s and scope = %(scope)s and geography = 'as_recorded'
            """,
            {"month": month, "scope": scope},
        )
        company = cur.fetchall()
        cur.execute(
            f"""
            select power_unit_name || case when power_unit_name = power_unit_code then ''
                                           else ' (' || power_unit_code || ')' end, {_UNIT_COLUMNS}
            from bi.kpi_power_unit_month
            where bill_month = %(month)s and scope = %(scope)s and geography = 'as_recorded'
            order by power_unit_code
            """,
            {"month": month, "scope": scope},
        )
        units = cur.fetchall()
        if not company:
            continue
        data_through = company[0][0]
        table.add_section()
        table.add_row(f"[italic]{label}[/italic]")
        table.add_row(*_kpi_cells(company[0][1:]), style="bold")
        for unit in units:
            table.add_row(*_kpi_cells(unit))
    if data_through is not None:
        table.caption = f"Số liệu đến {data_through:%d/%m/%Y} / Data through {data_through:%Y-%m-%d}"
    return table


def _kpi_cells(row: tuple[Any, ...]) -> list[str]:
    unit, billed, cashless, *rates, status = row
    return [unit, number(billed), number(cashless), *map(percent, rates), _STATUS.get(status, status)]


def print_status(settings: Settings, console: Console | None = None) -> None:
    """The last publication, what was loaded, what waits in quarantine, which files were refused or withdrawn."""
    console = console or new_console()
    with closing(connect(settings, "cashless status")) as conn, conn, conn.cursor() as cur:
        if not _exists(cur, "bi.publication"):
            _say_nothing_published(console)
            return
        cur.execute(
            "select publication_id, published_at, months, data_through, checks_passed, checks_warned,"
            " checks_failed, build_id::text from bi.publication order by publication_id desc limit 1"
        )
        publication = cur.fetchone()
        if publication is None:
            _say_nothing_published(console)
        else:
            console.print(_publication_table(publication))
        _print_refused_build(cur, console, None if publication is None else publication[7])
        _print_sources(cur, console)
        _print_files_not_loaded(cur, console)
        _print_expected_files(cur, console)
        _print_quarantine(cur, console)


def _publication_table(publication: tuple[Any, ...]) -> Table:
    publication_id, published_at, months, data_through, passed, warned, failed, _ = publication
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
        f"{passed} đạt / passed, {warned} cảnh báo / warned, {failed} không đạt / failed",
    )
    return table


def _print_refused_build(cur: Cursor, console: Console, published_build: str | None) -> None:
    """Say so when BI does not show the newest build, and why."""
    build = newest_build(cur)
    if build is None or str(build.build_id) == published_build:
        return
    gate = newest_gate_result(cur, build.build_id)
    if gate is None:
        reason = "chưa được kiểm tra / it was not audited: the run was interrupted"
    elif gate.passed:
        reason = "đã đạt, chưa công bố / it passed and was not published: the run was interrupted"
    else:
        reason = (
            f"không đạt {gate.checks_failed} kiểm tra"
            f" / the quality gate refused it ({gate.checks_failed} failed)"
        )
    assert build.built_at is not None
    console.print(
        f"[bold]Bản dựng mới nhất chưa được công bố / The newest build, of {moment(build.built_at)}, is not "
        f"published[/bold]: {reason}. Run `cashless run` again once the cause is put right."
    )


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
    _add_first(table, rows)
    console.print(table)


def _print_expected_files(cur: Cursor, console: Console) -> None:
    """What should have come: all that is not there, and what came late in the last month."""
    if not _exists(cur, "bi.expected_file"):  # a warehouse that no run has brought up to date yet
        return
    cur.execute(
        """
        select covers::text, source, coalesce(partner_code, ''), coalesce(file, files), due_at, arrived_at, status
        from bi.expected_file
        where status in ('missing', 'refused') or (status = 'late' and due_at > now() - interval '31 days')
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


def _add_first(table: Table, rows: Sequence[tuple[str, ...]], limit: int = 20) -> None:
    """The first rows; how many more there are is said, not hidden."""
    for row in rows[:limit]:
        # Text out of files: brackets in it are not rich's markup.
        table.add_row(*(cell.replace("[", r"\[") for cell in row))
    if len(rows) > limit:
        table.caption = f"và {len(rows) - limit} dòng nữa / and {len(rows) - limit} more"


def new_console() -> Console:
    console = Console()
    return Console(width=max(console.width, NARROWEST_WIDTH) if console.is_terminal else PLAIN_WIDTH)


def new_table(title: str) -> Table:
    return Table(title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)


def _say_nothing_published(console: Console) -> None:
    console.print(
        "Chưa có gì được công bố / Nothing is published yet:"
        " run `cashless run --landing DIR`, or `cashless demo`."
    )


def _exists(cur: Cursor, relation: str) -> bool:
    cur.execute("select to_regclass(%s) is not null", (relation,))
    return cur.fetchone() == (True,)


def percent(rate: Decimal | float | None) -> str:
    """0.820512 as `82.05 %`; an undefined rate as a dash."""
    if rate is None:
        return "–"
    exact = rate if isinstance(rate, Decimal) else Decimal(str(rate))
    return f"{(exact * 100).quantize(Decimal('0.01'), rounding=ROUND_HALF_UP)} %"


def number(count: Any) -> str:
    return f"{int(count):,}"


def moment(at: datetime) -> str:
    local = at.astimezone(LOCAL_ZONE) if at.tzinfo is not None else at  # without a zone it is local already
    return f"{local:%Y-%m-%d %H:%M:%S}"


def _months(months: Sequence[date]) -> str:
    if not months:
        return "không có / none"
    if len(months) <= 6:
        return ", ".join(f"{month:%Y-%m}" for month in months)
    return f"{len(months)}: {min(months):%Y-%m} … {max(months):%Y-%m}"
