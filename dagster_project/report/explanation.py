"""How `cashless explain` shows its answer: the figure, the counts behind it, the bills, the rows of files."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from rich.console import Console

from dagster_project.report.console import new_console, new_table, number, percent
from dagster_project.report.explain import Answer, Moved, Row
from dagster_project.report.quarantine import plain

_LABELS = {
    "customers_billed": "Khách hàng có hóa đơn / Customers billed",
    "customers_cashless": "Khách hàng không dùng tiền mặt / Cashless customers",
    "customers_cashless_strict": "… theo nghĩa chặt / … in the strict reading",
    "bills_issued": "Hóa đơn / Bills",
    "bills_settled": "Hóa đơn đã chấm nợ / Settled bills",
    "bills_cashless": "Hóa đơn không dùng tiền mặt / Cashless bills",
    "amount_collected_vnd": "Đã thu (đ) / Collected (VND)",
}
# What is told of a bill that stayed: column, and what its value means for people.
_TOLD = (
    ("customer_key", "khách hàng / customer"),
    ("commune_code", "xã / commune"),
    ("power_unit_code", "điện lực / power unit"),
    ("is_in_scope", "tính vào KPI / in scope"),
    ("total_vnd", "số tiền / total"),
    ("collected_vnd", "đã thu / collected"),
    ("is_settled", "đã chấm nợ / settled"),
    ("is_cashless", "không dùng tiền mặt / cashless"),
    ("is_cashless_strict", "nghĩa chặt / strictly cashless"),
    ("settled_on", "ngày chấm nợ / settled on"),
)


def print_answer(answer: Answer, console: Console | None = None) -> None:
    """The whole answer; bills beyond those shown are said, not hidden."""
    console = console or new_console()
    question = answer.question
    before, after = answer.before, answer.after
    table = new_table(
        f"{question.code}, {question.month:%Y-%m}, {question.scope}: "
        f"lần công bố / publication {answer.since} → {answer.newest}"
    )
    table.add_column("")
    for heading in ("Trước\nBefore", "Nay\nNow", "Thay đổi\nChange"):
        table.add_column(heading, justify="right", no_wrap=True)
    rates = [_rate(counts) for counts in (before, after)]
    table.add_row(
        "Tỷ lệ không dùng tiền mặt / Cashless rate", *map(percent, rates), _points(*rates), style="bold"
    )
    for name, label in _LABELS.items():
        table.add_row(label, number(before[name]), number(after[name]), f"{after[name] - before[name]:+,}")
    console.print(table)
    console.print(plain(_compared_with(answer)))
    if not answer.moved:
        console.print("Không hóa đơn nào thay đổi / No bill of it has changed.")
        return
    console.print(f"{number(answer.moved)} hóa đơn thay đổi / bills changed:")
    for bill in answer.bills:
        console.print(plain(f"  {bill.bill_id}"), style="bold", end="  ")
        console.print(plain(_what_happened(bill)))
        for row in bill.rows:
            what = "rút ra / withdrawn" if row.is_withdrawn else "nạp / loaded"
            console.print(plain(f"      {what}: {row.file}:{row.line}{_transaction(row)}"))
        if not bill.rows:
            console.print(
                "      không có dòng nào / no row of a file did it: reference data, a setting or a model moved it"
            )
    if answer.moved > len(answer.bills):
        console.print(f"và {number(answer.moved - len(answer.bills))} hóa đơn nữa / and more: --limit")


def _compared_with(answer: Answer) -> str:
    """Which publication "before" is, and why that one."""
    compared = f"Trước: lần công bố / Before: publication {answer.since}"
    if answer.question.since is not None:
        return f"{compared} (--since)."
    if answer.signature is not None:
        at, by = answer.signature.signed_at, answer.signature.by
        return f"{compared}, được chốt / signed: {at:%Y-%m-%d %H:%M}, {by}."
    return f"{compared}, lần áp chót / the last but one."


def _transaction(row: Row) -> str:
    if row.transaction_id is None:
        return ""
    told = f"  {row.partner_code} {row.transaction_id}"
    if row.said is None:
        return told
    kind, amount, channel = row.said
    return f"{told}, {number(amount)} đ, {kind}" + (f", {channel}" if channel is not None else "")


def _rate(counts: dict[str, int]) -> Decimal | None:
    billed = counts["customers_billed"]
    return Decimal(counts["customers_cashless"]) / billed if billed else None


def _points(before: Decimal | None, after: Decimal | None) -> str:
    return "–" if before is None or after is None else f"{(after - before) * 100:+.2f}"


def _what_happened(bill: Moved) -> str:
    if bill.before is None:
        return "mới tính vào / came: " + _state(bill.after or {})
    if bill.after is None:
        return "không còn tính / went: " + _state(bill.before)
    return "; ".join(
        f"{label}: {_value(bill.before[column])} → {_value(bill.after[column])}"
        for column, label in _TOLD
        if bill.before[column] != bill.after[column]
    )


def _state(state: dict[str, Any]) -> str:
    told = ("total_vnd", "collected_vnd", "is_in_scope", "is_settled", "is_cashless")
    return "; ".join(f"{label}: {_value(state[column])}" for column, label in _TOLD if column in told)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "có / yes" if value else "không / no"
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
