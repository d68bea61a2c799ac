"""Lists that people work from, as workbooks: who still pays cash, who was not told. They are personal.

Which rows are on a list is decided by the views of bi_private; here is what columns people see and how they are called.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from dagster_project.errors import CashlessError
from dagster_project.report.console import exists
from dagster_project.report.excel import Column, private_book, write_table
from dagster_project.report.units import TODAY, era_of, known_code
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
            "power_unit_name": ("Điện lực / Power unit", 22),
            "commune_code": ("Mã xã / Commune", 10),
            **_WHO,
            "is_phone_verified": ("Số chính chủ / Number verified", 12),
        },
        ("planned_close_on", "collection_point_code", "customer_code"),
        {
            "power_unit": "power_unit_code",
            "commune": "commune_code",
            "counter": "collection_point_code",
        },
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

# What the lists tell is the state on the last day of the newest publication's data.
_NEWEST = "(select data_through from bi.publication order by publication_id desc limit 1) as newest"


def write_list(settings: Settings, name: str, wanted: dict[str, str], path: Path) -> int:
    """Writes one of LISTS, narrowed down by `wanted` (filter to code), for its owner alone; returns how many rows.

    Raises CashlessError if nothing is published, nobody knows a code, nobody can be on the list, or the file cannot
    be written.
    """
    chosen = LISTS[name]
    with closing(connect(settings, "cashless list")) as conn, conn:
        with conn.cursor() as cur:
            if not exists(cur, "bi.fct_counter_customer"):
                raise CashlessError("Nothing is published yet: there is nobody to list.")
            # An empty list would read as: nobody is left. So whatever else makes it empty is an error.
            on = _map_of(cur) if name == "not-notified" else None
            wanted = {key: known_code(cur, key, code, on) for key, code in wanted.items()}
            if name == "not-notified" and "counter" in wanted:
                _refuse_unless_to_be_closed(cur, wanted["counter"])
            if {"power_unit", "commune"} <= wanted.keys():
                era = TODAY if on is None else era_of(on)
                _refuse_unless_together(cur, wanted["power_unit"], wanted["commune"], era)
        with conn.cursor("list") as rows, private_book(path) as book:
            rows.execute(_query(chosen, wanted))
            return write_table(book, chosen.sheet, list(chosen.columns.values()), rows)


def _query(chosen: List, wanted: dict[str, str]) -> sql.Composed:
    conditions = [
        sql.SQL("{} = {}").format(sql.Identifier(chosen.filters[key]), sql.Literal(code))
        for key, code in wanted.items()
    ]
    return sql.SQL("select {} from {} where {} order by {}").format(
        sql.SQL(", ").join(map(_shown, chosen.columns)),
        sql.Identifier("bi_private", chosen.view),
        sql.SQL(" and ").join([sql.SQL("true"), *conditions]),
        sql.SQL(", ").join(map(sql.Identifier, chosen.order)),
    )


def _map_of(cur: Cursor) -> date | None:
    """Counters that are open are judged on the last day of the data, and their customers stand on its map."""
    cur.execute(f"select newest.data_through from {_NEWEST}")
    (data_through,) = cur.fetchone() or (None,)
    return data_through


def _refuse_unless_to_be_closed(cur: Cursor, counter: str) -> None:
    cur.execute(
        f"""
        select
            coalesce(point.closed_on, point.planned_close_on) is not null, point.operator = 'power_unit',
            point.closed_on <= newest.data_through, point.closed_on
        from bi.dim_collection_point as point cross join {_NEWEST}
        where point.collection_point_code = %s
        """,
        (counter,),
    )
    for is_planned, is_own, is_closed, closed_on in cur.fetchall():
        if is_closed:
            raise CashlessError(
                f"Điểm thu {counter} đã đóng ngày {closed_on} / Counter {counter} closed on {closed_on}: "
                "the list is of counters that are still open."
            )
        if not is_planned and not is_own:
            raise CashlessError(
                f"Điểm thu {counter} là của đối tác / Counter {counter} is a partner's, not the company's, and nobody "
                "plans to close it (planned_close_on): nobody of its customers is to be told."
            )
        if not is_planned:
            raise CashlessError(
                f"Điểm thu {counter} chưa có ngày dự kiến đóng / Counter {counter} has no planned closing "
                "(planned_close_on): nobody of its customers is to be told yet."
            )


def _refuse_unless_together(cur: Cursor, power_unit: str, commune: str, era: str) -> None:
    """By the customers, and by the bills and counters of those whose commune only these tell."""
    cur.execute(
        f"""
        with recursive place as (
            select %(era)s collate "C" as era, %(commune)s collate "C" as commune_code
            union
            select step.from_era, step.from_commune_code
            from place
            join bi.dim_commune_succession as step
                on step.to_era = place.era and step.to_commune_code = place.commune_code
            where not step.is_split
        )
        select exists (
            select from bi.dim_customer as customer
            cross join {_NEWEST}
            where
                customer.power_unit_code = %(power_unit)s and customer.status = 'active'
                and customer.effective_from <= newest.data_through
                and coalesce(customer.effective_to > newest.data_through, true)
                and (
                    (customer.era, customer.commune_code) in (select era, commune_code from place)
                    or customer.customer_key in (
                        select customer_key from bi.fct_customer_paying where current_commune_code = %(commune)s
                        union all
                        select customer_key from bi.fct_counter_customer where commune_code = %(commune)s
                    )
                )
        )
        """,
        {"power_unit": power_unit, "commune": commune, "era": era},
    )
    if cur.fetchone() != (True,):
        raise CashlessError(
            f"{power_unit} không có khách hàng nào đang hoạt động ở xã {commune} / "
            f"No active customer of power unit {power_unit} is in commune {commune}."
        )


def _shown(column: str) -> sql.Composable:
    """A code that is in no list of names stays as it is."""
    name = sql.Identifier(column)
    return sql.SQL("coalesce({}, {})").format(sql.SQL(_LABELS[column]), name) if column in _LABELS else name
