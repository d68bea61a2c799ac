"""The two published figures of May 2024: what the month comes to, and the few changes that make it exact.

The settlement here follows the definitions of the project's figures (named payments first, then unnamed ones
oldest bill first, net of reversals, conflicts apart), so that late, reversed, unnamed and mixed payments are
counted as what they are. Only customers whose bills of the month are each paid by one full named payment are
ever changed.
"""

from __future__ import annotations

import numpy as np

from dagster_project.sample.billing import ELECTRICITY, ISSUED
from dagster_project.sample.customers import PRESS_MONTH
from dagster_project.sample.paying import PAYMENT, REVERSAL, partners_of
from dagster_project.sample.reference import channels
from dagster_project.sample.spans import Ints, Table, months_of_days

KHANH_HAI_CASHLESS = 160
COMPANY_RATE = (7_836, 10_000)
REACH = 10**12  # more than anybody's bills together: the room of one customer or bill on the money line


def net_amounts(payments: Table) -> Ints:
    """Payments less their reversals; nothing for reversals and conflicts themselves."""
    net = np.where((payments["kind"] == PAYMENT) & ~payments["conflict"], payments["amount"], 0)
    back = (payments["kind"] == REVERSAL) & (payments["reverses"] >= 0)
    np.subtract.at(net, payments["reverses"][back], payments["amount"][back])
    return np.maximum(net, 0)


def _spread(owner_b: Ints, size_b: Ints, owner_p: Ints, size_p: Ints) -> tuple[Ints, Ints, Ints]:
    """(payment, bill, amount) when each owner's payments are laid along the owner's bills, in given order."""

    def line(owner: Ints, size: Ints) -> tuple[Ints, Ints]:
        end = np.cumsum(size)
        start = end - size
        first = np.ones(len(owner), dtype=bool)
        first[1:] = owner[1:] != owner[:-1]
        base = start[np.flatnonzero(first)[np.cumsum(first) - 1]] if len(owner) else start
        return start - base, end - base

    start_b, end_b = line(owner_b, size_b)
    start_p, end_p = line(owner_p, size_p)
    owners = np.union1d(owner_b, owner_p)
    room_b = np.searchsorted(owners, owner_b) * REACH
    room_p = np.searchsorted(owners, owner_p) * REACH
    start_b, end_b, start_p, end_p = start_b + room_b, end_b + room_b, start_p + room_p, end_p + room_p
    low = np.searchsorted(end_b, start_p, side="right")
    high = np.searchsorted(start_b, end_p, side="left")
    pieces = np.maximum(high - low, 0)
    payment = np.repeat(np.arange(len(owner_p)), pieces)
    bill = np.arange(int(pieces.sum())) - np.repeat(np.cumsum(pieces) - pieces, pieces) + low[payment]
    share = np.minimum(end_b[bill], end_p[payment]) - np.maximum(start_b[bill], start_p[payment])
    used = share > 0
    return payment[used], bill[used], share[used]


def settle(bills: Table, payments: Table, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(settled, cashless) of every bill, right for the wanted ones (a mask over bills)."""
    in_scope = (bills["status"] == ISSUED) & (bills["total"] > 0)
    net = net_amounts(payments)
    by_name = np.flatnonzero((payments["bill"] >= 0) & (net > 0))
    unnamed = np.flatnonzero((payments["bill"] == -1) & (net > 0) & (payments["customer"] >= 0))
    reached = np.unique(payments["customer"][unnamed])
    considered = in_scope & (wanted | np.isin(bills["customer"], reached))
    by_name = by_name[considered[payments["bill"][by_name]]]

    def in_order(rows: Ints, owner: Ints) -> Ints:
        number = payments["number"][rows]
        return rows[np.lexsort((number, payments["partner"][rows], payments["paid_at"][rows], owner))]

    paid = np.zeros(len(bills["total"]), dtype=np.int64)
    other = np.zeros(len(paid), dtype=bool)
    not_cashless = ~channels()[1]

    rows = in_order(by_name, payments["bill"][by_name])
    target = np.unique(payments["bill"][rows])
    payment, bill, share = _spread(target, bills["total"][target], payments["bill"][rows], net[rows])
    np.add.at(paid, target[bill], share)
    other[target[bill][not_cashless[payments["channel"][rows[payment]]]]] = True

    rows = in_order(unnamed, payments["customer"][unnamed])
    still_open = np.flatnonzero(considered & (paid < bills["total"]) & np.isin(bills["customer"], reached))
    order = np.lexsort(
        (
            bills["id"][still_open],
            bills["type"][still_open],
            bills["due"][still_open],
            bills["customer"][still_open],
        )
    )
    target = still_open[order]
    left = bills["total"][target] - paid[target]
    payment, bill, share = _spread(bills["customer"][target], left, payments["customer"][rows], net[rows])
    np.add.at(paid, target[bill], share)
    other[target[bill][not_cashless[payments["channel"][rows[payment]]]]] = True

    settled = in_scope & (paid == bills["total"])
    return settled, settled & ~other


def number_payments(payments: Table) -> None:
    """Transaction numbers: the month of payment, then the row; they order like the ids written out."""
    months = months_of_days(payments["paid_at"] // 86_400)
    year_month = (70 + months // 12) % 100 * 100 + months % 12 + 1
    payments["number"] = year_month * 10**8 + np.arange(1, len(months) + 1)


class _Month:
    """The customers of the press month, scope by scope, and which of them may be changed."""

    def __init__(self, who: Table, bills: Table, payments: Table) -> None:
        self.who, self.bills, self.payments = who, bills, payments
        scope = (bills["status"] == ISSUED) & (bills["total"] > 0) & (bills["month"] == PRESS_MONTH)
        settled_cashless = settle(bills, payments, scope)[1]
        self.scope = scope
        self.count = len(who["code"])
        self.billed = self._per_customer(scope) > 0
        self.cashless = self.billed & (self._per_customer(scope & ~settled_cashless) == 0)
        electricity = scope & (bills["type"] == ELECTRICITY)
        self.billed_electricity = self._per_customer(electricity) > 0
        missed = self._per_customer(electricity & ~settled_cashless)
        self.cashless_electricity = self.billed_electricity & (missed == 0)
        self.plain = self.billed & (self._per_customer(scope & ~self._plain_bills()) == 0)

    def _per_customer(self, mask: np.ndarray) -> Ints:
        return np.bincount(self.bills["customer"][mask], minlength=self.count)

    def _plain_bills(self) -> np.ndarray:
        """Bills exactly one row names, a full payment by their own customer; auto-debit is left alone."""
        payments, bills = self.payments, self.bills
        names = np.flatnonzero(payments["bill"] >= 0)
        bill = payments["bill"][names]
        rows = np.bincount(bill, minlength=len(bills["total"]))
        net = net_amounts(payments)[names]
        good = (net == bills["total"][bill]) & (payments["amount"][names] == net)
        good &= payments["customer"][names] == bills["customer"][bill]
        good &= payments["channel"][names] != channels()[0].index("auto_debit")
        plain = np.zeros(len(rows), dtype=bool)
        plain[bill[good]] = True
        return plain & (rows == 1)

    def switch(self, rng: np.random.Generator, candidates: np.ndarray, cashless: bool, number: int) -> None:
        """Let so many of the plain candidates pay all their bills of the month the other way."""
        now = self.cashless
        # Nobody with bills of both classes: a switch of such a customer would change less than it says.
        pool = np.flatnonzero(candidates & self.plain & (now != cashless) & (self._mixed_customers() == 0))
        if number > len(pool):
            raise ValueError("too few plain customers to meet the published figures")
        chosen = np.zeros(self.count, dtype=bool)
        chosen[rng.permutation(pool)[:number]] = True
        payments = self.payments
        bill = payments["bill"]
        rows = np.flatnonzero(bill >= 0)
        rows = rows[self.scope[bill[rows]] & chosen[self.bills["customer"][bill[rows]]]]
        code = channels()[0].index("mobile_banking" if cashless else "home_collector")
        payments["channel"][rows] = code
        payments["partner"][rows] = partners_of(
            payments["channel"][rows], self.who["bank"][payments["customer"][rows]]
        )
        payments["point"][rows] = -1

    def _mixed_customers(self) -> Ints:
        """Per customer the bills of the month whose payment differs in class from another of them."""
        payments = self.payments
        rows = np.flatnonzero(payments["bill"] >= 0)
        rows = rows[self.scope[payments["bill"][rows]]]
        owner = self.bills["customer"][payments["bill"][rows]]
        is_cashless = channels()[1][payments["channel"][rows]]
        yes = np.bincount(owner[is_cashless], minlength=self.count)
        no = np.bincount(owner[~is_cashless], minlength=self.count)
        return np.minimum(yes, no)


def printable(billed: int) -> int | None:
    """How many of the billed customers make the published rate to two places, if any number does."""
    numerator, denominator = COMPANY_RATE
    cashless = (numerator * billed + denominator // 2) // denominator
    return cashless if abs(cashless * denominator - numerator * billed) * 2 < billed else None


def _without(bills: Table, payments: Table, dropped: np.ndarray) -> tuple[Table, Table]:
    """The bundle without some bills and the payments that name them; row references are renumbered."""
    new_bill = np.cumsum(~dropped) - 1
    named = payments["bill"] >= 0
    gone = np.zeros(len(named), dtype=bool)
    gone[named] = dropped[payments["bill"][named]]
    new_payment = np.cumsum(~gone) - 1
    bills = {name: column[~dropped] for name, column in bills.items()}
    payments = {name: column[~gone] for name, column in payments.items()}
    for table, column, renumber in (
        (bills, "replaced_by", new_bill),
        (payments, "bill", new_bill),
        (payments, "reverses", new_payment),
    ):
        known = table[column] >= 0
        table[column][known] = renumber[table[column][known]]
    return bills, payments


def meet_press_figures(
    rng: np.random.Generator, who: Table, bills: Table, payments: Table, khanh_hai: int
) -> tuple[Table, Table]:
    """Change as few payments as needed (and leave out a bill or two) so that May 2024 is exact."""
    month = _Month(who, bills, payments)
    billed = int(month.billed.sum())
    surplus = next((d for d in range(billed // 10) if printable(billed - d) is not None), None)
    if surplus is None:
        raise ValueError("no number of customers near this one prints the published rate")
    pilot = who["commune"] == khanh_hai
    if surplus:
        single = np.bincount(bills["customer"][bills["month"] == PRESS_MONTH], minlength=month.count) == 1
        pool = rng.permutation(np.flatnonzero(month.plain & single & ~pilot & (who["move_to"] != khanh_hai)))
        leaves = np.zeros(month.count, dtype=bool)
        leaves[pool[:surplus]] = True
        bills, payments = _without(bills, payments, month.scope & leaves[bills["customer"]])
        month = _Month(who, bills, payments)

    lacking = KHANH_HAI_CASHLESS - int(month.cashless_electricity[pilot].sum())
    only_electricity = month.billed_electricity & (
        np.bincount(bills["customer"][month.scope & (bills["type"] != ELECTRICITY)], minlength=month.count)
        == 0
    )
    month.switch(rng, pilot & only_electricity, lacking > 0, abs(lacking))
    month = _Month(who, bills, payments)
    target = printable(int(month.billed.sum()))
    assert target is not None
    lacking = target - int(month.cashless.sum())
    month.switch(rng, ~pilot, lacking > 0, abs(lacking))
    return bills, payments
