"""From accepted raw rows to settled bills: current rows, conflicts, reversals, allocation, settlement.

Belongs here: the first half of the definitions' terms, one function per term. Does not belong here: places
and KPIs.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from .columns import SOURCES, Row, Rows
from .reference import Reference

CASHLESS_REPORTED = ("cashless", "agent_cash")
CASHLESS_STRICT = ("cashless",)


def typed_order(row: Row, names: tuple[str, ...]) -> tuple[Any, ...]:
    """Sort key of a row by typed value, column by column, empty lowest; text bytewise as in UTF-8."""
    key: list[Any] = []
    for name in names:
        value = row[name]
        if isinstance(value, str):
            value = value.encode("utf-8")
        key.append((value is not None, value if value is not None else 0))
    return tuple(key)


def row_order(source: str, row: Row) -> tuple[Any, ...]:
    """Which of two rows of one key holds: version, then the place in the closed list, then typed values."""
    spec = SOURCES[source]
    rank = spec.column(spec.rank).allowed.index(row[spec.rank]) if spec.rank else 0
    return row[spec.version], rank, typed_order(row, spec.names)


def rows_by_key(source: str, rows: Rows) -> dict[tuple[Any, ...], Rows]:
    """The rows of every key."""
    grouped: dict[tuple[Any, ...], Rows] = defaultdict(list)
    for row in rows:
        grouped[tuple(row[name] for name in SOURCES[source].key)].append(row)
    return grouped


def current_rows(source: str, rows: Rows) -> Rows:
    """The current row of every key."""
    return [
        max(versions, key=lambda row: row_order(source, row))
        for versions in rows_by_key(source, rows).values()
    ]


@dataclass
class Conflict:
    """A payment key whose rows disagree on kind, customer or amount."""

    partner_code: str
    transaction_id: str
    amount: int
    paid_on: date


@dataclass
class Payment:
    """A payment with what its reversals took back and what bills took of it."""

    row: Row
    reversed: int = 0
    allocated: int = 0

    @property
    def open(self) -> int:
        """What can still be allocated."""
        return int(self.row["amount"]) - self.reversed - self.allocated

    @property
    def order(self) -> tuple[datetime, bytes, bytes]:
        """The order in which payments pay."""
        row = self.row
        return row["paid_at"], row["partner_code"].encode(), row["transaction_id"].encode()


@dataclass
class Orphan:
    """A reversal, or the part of one, that takes nothing back."""

    partner_code: str
    amount: int
    paid_on: date


@dataclass
class Allocation:
    """What one payment pays of one bill."""

    amount: int
    channel_code: str | None
    channel_class: str
    paid_on: date


@dataclass
class Bill:
    """An in-scope bill with what was paid of it."""

    row: Row
    allocations: list[Allocation] = field(default_factory=list)

    @property
    def total(self) -> int:
        """The amount to be paid."""
        return int(self.row["total_amount"])

    @property
    def collected(self) -> int:
        """The amount paid."""
        return sum(allocation.amount for allocation in self.allocations)

    @property
    def open(self) -> int:
        """The amount not paid."""
        return self.total - self.collected

    @property
    def is_settled(self) -> bool:
        """Paid in full."""
        return self.collected == self.total

    @property
    def settled_on(self) -> date:
        """The day the last đồng came (of a settled bill)."""
        return max(allocation.paid_on for allocation in self.allocations)

    def cashless_amount(self, classes: tuple[str, ...]) -> int:
        """The amount paid through channels of these classes."""
        return sum(a.amount for a in self.allocations if a.channel_class in classes)

    def is_cashless(self, classes: tuple[str, ...]) -> bool:
        """Settled, and nothing of it came another way."""
        return self.is_settled and self.cashless_amount(classes) == self.total

    @property
    def is_mixed(self) -> bool:
        """Settled, partly cashless, partly not (reported reading)."""
        return self.is_settled and 0 < self.cashless_amount(CASHLESS_REPORTED) < self.total


@dataclass
class Settlement:
    """The outcome for all bills and payments."""

    bills: list[Bill]
    payments: list[Payment]
    conflicts: list[Conflict]
    orphans: list[Orphan]


def in_scope(bill: Row) -> bool:
    """Whether a bill (its current row) counts at all."""
    return bill["status"] == "issued" and bill["total_amount"] > 0


def split_conflicts(payment_rows: Rows) -> tuple[Rows, list[Conflict]]:
    """Payment keys that agree with themselves (their current rows), and the conflicts."""
    agreed: Rows = []
    conflicts: list[Conflict] = []
    for (partner, transaction), versions in rows_by_key("payments", payment_rows).items():
        if len({(row["kind"], row["customer_code"], row["amount"]) for row in versions}) > 1:
            conflicts.append(
                Conflict(
                    partner,
                    transaction,
                    max(row["amount"] for row in versions),
                    max(row["paid_at"] for row in versions).date(),
                )
            )
        else:
            agreed.append(max(versions, key=lambda row: row_order("payments", row)))
    return agreed, conflicts


def net_payments(agreed: Rows) -> tuple[list[Payment], list[Orphan]]:
    """Payments less their reversals, and what of the reversals has nothing to take back."""
    payments = {
        (row["partner_code"], row["transaction_id"]): Payment(row)
        for row in agreed
        if row["kind"] == "payment"
    }
    orphans: list[Orphan] = []
    reversals = [row for row in agreed if row["kind"] == "reversal"]
    for row in sorted(reversals, key=lambda row: (row["paid_at"], row["transaction_id"].encode())):
        original = payments.get((row["partner_code"], row["reverses_transaction_id"]))
        matched = min(row["amount"], original.open) if original else 0
        if original:
            original.reversed += matched
        if matched < row["amount"]:
            orphans.append(Orphan(row["partner_code"], row["amount"] - matched, row["paid_at"].date()))
    return list(payments.values()), orphans


def allocate(bills: list[Bill], payments: list[Payment], reference: Reference) -> None:
    """Pay bills: first the payments that name one, then those that name none, oldest bill first."""

    def pay(payment: Payment, bill: Bill) -> None:
        amount = min(payment.open, bill.open)
        if amount > 0:
            channel = payment.row["channel_code"]
            bill.allocations.append(
                Allocation(amount, channel, reference.channel_class(channel), payment.row["paid_at"].date())
            )
            payment.allocated += amount

    by_id = {bill.row["bill_id"]: bill for bill in bills}
    by_customer: dict[str, list[Bill]] = defaultdict(list)
    for bill in sorted(bills, key=lambda bill: (bill.row["due_on"], bill.row["bill_id"].encode())):
        by_customer[bill.row["customer_code"]].append(bill)

    in_order = sorted(payments, key=lambda payment: payment.order)
    for payment in in_order:
        if payment.row["bill_id"] is not None and payment.row["bill_id"] in by_id:
            pay(payment, by_id[payment.row["bill_id"]])
    for payment in in_order:
        if payment.row["bill_id"] is None:
            for bill in by_customer[payment.row["customer_code"]]:
                pay(payment, bill)


def settle(bill_rows: Rows, payment_rows: Rows, reference: Reference) -> Settlement:
    """Everything above in order."""
    bills = [Bill(row) for row in current_rows("bills", bill_rows) if in_scope(row)]
    agreed, conflicts = split_conflicts(payment_rows)
    payments, orphans = net_payments(agreed)
    allocate(bills, payments, reference)
    return Settlement(bills, payments, conflicts, orphans)
