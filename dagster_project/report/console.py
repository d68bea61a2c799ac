"""The KPIs of company and power units on the console, and what all tables for people there have in common.

Does not belong here: figures of its own (it shows what schema bi holds), the state of the warehouse (status.py).
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
_STATUS = {"final": "chính thức / final", "provisional": "tạm tính / provisional"}

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
        if not exists(cur, "bi.kpi_company_month") or not exists(cur, "bi.kpi_power_unit_month"):
            say_nothing_published(console)
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


def new_console() -> Console:
    console = Console()
    return Console(width=max(console.width, NARROWEST_WIDTH) if console.is_terminal else PLAIN_WIDTH)


def new_table(title: str) -> Table:
    return Table(title=title, title_justify="left", caption_justify="left", box=box.SIMPLE_HEAD)


def say_nothing_published(console: Console) -> None:
    """What to do first."""
    console.print(
        "Chưa có gì được công bố / Nothing is published yet:"
        " run `cashless run --landing DIR`, or `cashless demo`."
    )


def exists(cur: Cursor, relation: str) -> bool:
    """Whether the warehouse has the table or view."""
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
