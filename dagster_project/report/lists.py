"""Lists that people work from, as workbooks: who still pays cash, who was not told. They are personal.

Which rows are on a list is decided by the views of bi_private; here is what columns people see and how they are called.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from psycopg2 import sql

from dagster_project.errors import CashlessError
from dagster_project.report.console import exists
from dagster_project.report.excel import Column, private_book, write_table
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect


@dataclass(frozen=True)
class List:
    """A list: its view, what its sheet is called, its columns with their headings, what it is ordered by, and what rows
    it can be narrowed down to (option to column).
    """

    view: str
    sheet: str
    columns: dict[str, Column]
    order: tuple[str, ...]
    filters: dict[str, str]


_WHO: dict[str, Column] = {
    "customer_code": ("Mã khách hàng / Customer code", 16),
    "customer_name": ("Tên khách hàng / Name", 28),
    "contract_no": ("Số hợp đồng / Contract", 16),
    "phone": ("Điện thoại / Phone", 14),
    "address": ("Địa chỉ / Address", 40),
}

LISTS = {
    "cash-payers": List(
        "cash_payer",
        "Trả tiền mặt - Cash payers",
        {
            "power_unit_name": ("Điện lực / Power unit", 22),
            "commune_name": ("Xã, phường / Commune", 22),
            **_WHO,
            "last_bill_month": ("Kỳ hóa đơn gần nhất / Latest bill", 12),
            "bills_cashless": (
                "Trong 3 hóa đơn đã trả gần nhất: không dùng tiền mặt / Cashless of the latest 3 settled",
                14,
            ),
            "bills_unsettled": ("Chưa trả / Not settled", 12),
            "cash_channel_code": ("Trả qua / Paid by", 16),
            "has_auto_debit": ("Trích nợ tự động kỳ gần nhất / Auto-debit in that month", 12),
            "last_contacted_at": ("Tiếp xúc gần nhất / Last contact", 19),
            "last_outcome": ("Kết quả / Outcome", 14),
            "last_employee_code": ("Nhân viên / Employee", 14),
            "is_phone_verified": ("Số chính chủ / Number verified", 12),
            "is_notified": ("Đã được báo / Told of closing", 12),
        },
        ("power_unit_code", "commune_name", "customer_code"),
        {"power_unit": "power_unit_code", "commune": "commune_code"},
    ),
    "not-notified": List(
        "not_notified_customer",
        "Chưa được báo - Not notified",
        {
            "collection_point_code": ("Mã điểm thu / Counter", 16),
            "collection_point_name": ("Điểm thu / Name of the counter", 28),
            "planned_close_on": ("Dự kiến đóng / Planned to close", 12),
            "closed_on": ("Ngày đóng / Closes on", 12),
            "commune_code": ("Mã xã / Commune", 10),
            **_WHO,
            "is_phone_verified": ("Số chính chủ / Number verified", 12),
        },
        ("planned_close_on", "collection_point_code", "customer_code"),
        {"commune": "commune_code", "counter": "collection_point_code"},
    ),
}


# What people read instead of a code, by column.
_LABELS = {
    "cash_channel_code": "(select channel.channel_name_vi || ' / ' || channel.channel_name_en"
    " from bi.dim_channel as channel where channel.channel_code = cash_channel_code)",
    "last_outcome": "case last_outcome when 'not_reached' then 'không gặp / not reached'"
    " when 'refused' then 'từ chối / refused' when 'undecided' then 'chưa quyết / undecided'"
    " when 'agreed' then 'đồng ý / agreed' when 'registered' then 'đã đăng ký / registered' end",
}

_KNOWN = {
    "power_unit": "select %s in (select power_unit_code from bi.dim_power_unit"
    " union select power_unit_code from bi.dim_customer)",
    "commune": "select exists (select from bi.dim_commune where era = '2025h2' and commune_code = %s)",
    "counter": "select exists (select from bi.dim_collection_point where collection_point_code = %s)",
}


def write_list(settings: Settings, name: str, wanted: dict[str, str], path: Path) -> int:
    """Writes one of LISTS, narrowed down by `wanted` (filter to code), for its owner alone; returns how many rows.

    Raises CashlessError if nothing is published, nobody knows a code, or the file cannot be written.
    """
    chosen = LISTS[name]
    condition = sql.SQL(" and ").join(
        [sql.SQL("true")]
        + [
            sql.SQL("{} = {}").format(sql.Identifier(chosen.filters[key]), sql.Literal(code))
            for key, code in wanted.items()
        ]
    )
    query = sql.SQL("select {} from {} where {} order by {}").format(
        sql.SQL(", ").join(map(_shown, chosen.columns)),
        sql.Identifier("bi_private", chosen.view),
        condition,
        sql.SQL(", ").join(map(sql.Identifier, chosen.order)),
    )
    with closing(connect(settings, "cashless list")) as conn, conn:
        with conn.cursor() as cur:
            if not exists(cur, "bi.fct_counter_customer"):
                raise CashlessError("Nothing is published yet: there is nobody to list.")
            for key, code in wanted.items():
                on_the_list = sql.SQL("select exists (select from {} where {} = %s)").format(
                    sql.Identifier("bi_private", chosen.view), sql.Identifier(chosen.filters[key])
                )
                cur.execute(sql.SQL("{} or ({})").format(sql.SQL(_KNOWN[key]), on_the_list), (code, code))
                if cur.fetchone() != (True,):
                    # An empty list would read as: nobody is left.
                    raise CashlessError(f"No {key.replace('_', ' ')} {code} is known today.")
        with conn.cursor("list") as rows, private_book(path) as book:
            rows.execute(query)
            return write_table(book, chosen.sheet, list(chosen.columns.values()), rows)


def _shown(column: str) -> sql.Composable:
    """A code that is in no list of names stays as it is."""
    name = sql.Identifier(column)
    return sql.SQL("coalesce({}, {})").format(sql.SQL(_LABELS[column]), name) if column in _LABELS else name
