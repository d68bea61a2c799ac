"""The payments of one month's bills: who pays when, through which channel, and what goes wrong on the way."""

from __future__ import annotations

import numpy as np

from dagster_project.sample import curves
from dagster_project.sample.billing import ISSUED, REPLACED
from dagster_project.sample.counters import Counters
from dagster_project.sample.reference import channels
from dagster_project.sample.spans import SECONDS_PER_DAY, Ints, Span, Table

PAYMENT, REVERSAL = 0, 1
NONE, UNKNOWN = -1, -2  # of a bill, a customer, a reversed transaction

# In byte order, so that the number of a partner orders like its code.
_PARTNERS = "AGRIBANK BIDV MBBANK MOMO PCNB TECHCOMBANK VCB VIETINBANK VIETTEL VNPAY VNPOST ZALOPAY"
PARTNERS = np.array(_PARTNERS.split())
BANKS = np.array([0, 1, 2, 5, 6, 7])
PARTNER_OF = {
    "bankplus": "VIETTEL",
    "viettel_money": "VIETTEL",
    "partner_agent": "VIETTEL",
    "zalopay": "ZALOPAY",
    "momo": "MOMO",
    "vnpay": "VNPAY",
    "evn_app": "VNPAY",
    "public_service_portal": "VNPAY",
    "post_office": "VNPOST",
    "evn_counter": "PCNB",
    "home_collector": "PCNB",
}

COLUMNS = {
    "kind": np.int8,
    "reverses": np.int32,  # row of the reversed payment
    "channel": np.int8,
    "partner": np.int8,
    "customer": np.int32,
    "bill": np.int32,  # row of the bill
    "amount": np.int64,
    "paid_at": np.int64,
    "conflict": np.bool_,
    "point": np.int16,
}

# What happens to a payable bill; what is left of 1 is one full payment.
FATES = {
    "unpaid": 0.007,
    "part": 0.003,
    "two_parts": 0.007,
    "reversed_repaid": 0.004,
    "reversed": 0.001,
    "reversed_in_part": 0.001,
    "overpaid": 0.003,
    "paid_twice": 0.002,
    "conflict": 0.0003,
    "wrong_bill": 0.0005,
    "by_another": 0.002,
}
FATE_NAMES = (*FATES, "full")


def partners_of(channel: Ints, bank: Ints) -> Ints:
    """The partner that reports a payment: the customer's bank unless the channel belongs to somebody."""
    codes = channels()[0]
    table = np.array(
        [int(np.flatnonzero(np.equal(PARTNERS, PARTNER_OF[c]))[0]) if c in PARTNER_OF else -1 for c in codes]
    )
    own = table[channel]
    return np.where(own >= 0, own, BANKS[bank])


def _cash_channel(
    rng: np.random.Generator, who: Table, counters: Counters, customer: Ints, day: Ints
) -> tuple[Ints, Ints]:
    """(channel, point) of cash: the commune's counter while open, for some the district's, or at home."""
    codes = channels()[0]
    commune = np.where(who["move_day"][customer] <= day, who["move_to"][customer], who["commune"][customer])
    chosen = np.full(len(customer), NONE)
    for points, chance in ((counters.nearest[commune], 1.0), (counters.fallback[commune], 0.3)):
        is_open = (points >= 0) & (counters.opened[points] <= day) & (day < counters.closed[points])
        chosen = np.where((chosen < 0) & is_open & (rng.random(len(customer)) < chance), points, chosen)
    chosen = np.where(who["pays_cash_at_home"][customer], NONE, chosen)
    return np.where(chosen >= 0, codes.index("evn_counter"), codes.index("home_collector")), chosen


def _channels(
    rng: np.random.Generator, month: int, who: Table, counters: Counters, *, customer: Ints, issued: Ints
) -> tuple[Ints, Ints]:
    """(channel, point) of each payment by what the customer has adopted by that month."""
    codes = channels()[0]
    auto_debit, unknown = codes.index("auto_debit"), codes.index("unknown")
    count = len(customer)
    adopted = who["adopt_month"][customer] <= month
    drift = rng.random(count)
    cashless = np.where(adopted, drift >= curves.ADOPTED_PAYS_CASH, drift < curves.OTHERS_PAY_CASHLESS)
    usual = np.where(rng.random(count) < 0.1, who["second"][customer], who["favourite"][customer])
    has_mandate = (who["signed_on"][customer] <= issued) & (issued + 6 <= who["mandate_end"][customer])
    # The bank collects for whoever has a mandate, whatever else the customer likes to use.
    cashless |= has_mandate
    usual = np.where(has_mandate, auto_debit, np.where(usual == auto_debit, who["second"][customer], usual))
    # Those who still pay cash, and whom the door-step or the counter loses, first go to agents.
    agents = [codes.index(c) for c in ("bank_counter", "partner_agent", "post_office")]
    first_try = np.array(agents)[rng.integers(0, 3, count)]
    recent = adopted & (month - who["adopt_month"][customer] < 8) & ~has_mandate
    usual = np.where(
        (recent & (rng.random(count) < 0.35)) | (~adopted & (rng.random(count) < 0.6)), first_try, usual
    )
    usual = np.where((usual == auto_debit) & ~has_mandate, who["second"][customer], usual)
    cash, point = _cash_channel(rng, who, counters, customer, issued + 5)
    channel = np.where(cashless, usual, cash)
    # The point of an agent, where the partner sends it.
    agent_point = counters.partner_point[who["commune"][customer]]
    sends_point = np.isin(channel, agents[1:]) & (rng.random(count) < 0.6)
    point = np.where(cashless, np.where(sends_point, agent_point, NONE), point)
    lost = (rng.random(count) < 0.001) & ~has_mandate
    return np.where(lost, unknown, channel), np.where(lost, NONE, point)


def _seconds_after_issue(rng: np.random.Generator, channel: Ints, cashless: np.ndarray) -> Ints:
    """How long people take: the bank's night run, wallets in days, collectors in weeks, some far too late."""
    count = len(channel)
    at_night = channel == channels()[0].index("auto_debit")
    days = np.where(cashless, rng.gamma(2.0, 1.9, count), rng.gamma(3.0, 1.9, count)).astype(np.int64)
    late = rng.random(count) < np.where(cashless, 0.035, 0.09)
    days += np.where(late & ~at_night, rng.exponential(28, count).astype(np.int64) + 6, 0)
    days = np.where(at_night, rng.integers(1, 5, count), days)
    clock = np.where(at_night, rng.integers(3600, 5 * 3600, count), rng.integers(7 * 3600, 21 * 3600, count))
    return days * SECONDS_PER_DAY + clock


def _new(count: int, **columns: Ints | int) -> Table:
    defaults = {"kind": PAYMENT, "reverses": NONE, "conflict": 0, "point": NONE, "bill": NONE}
    filled = {**defaults, **columns}
    return {
        name: np.broadcast_to(np.asarray(filled[name]), (count,)).astype(kind)
        for name, kind in COLUMNS.items()
    }


def _picked(payments: Table, rows: Ints, **changes: Ints | int) -> Table:
    taken = {name: column[rows] for name, column in payments.items()}
    return _new(len(rows), **{**taken, "conflict": 0, **changes})


def _consequences(
    rng: np.random.Generator, who: Table, primary: Table, *, fate: Ints, total: Ints, first_row: int
) -> list[Table]:
    """What follows the first payment of a bill: second parts, reversals, repayments, second full payments."""
    codes = channels()[0]
    wallet, home = codes.index("mobile_banking"), codes.index("home_collector")

    def rows_of(*names: str) -> Ints:
        return np.flatnonzero(np.isin(fate, [FATE_NAMES.index(name) for name in names]))

    def later(rows: Ints, low: int, high: int) -> Ints:
        return primary["paid_at"][rows] + rng.integers(
            low * SECONDS_PER_DAY, high * SECONDS_PER_DAY, len(rows)
        )

    def other_way(rows: Ints, chance: float) -> tuple[Ints, Ints, Ints]:
        """(channel, partner, point): the same as before, or else the collector or the bank's application."""
        switch = rng.random(len(rows)) < chance
        is_cash = channels()[2][primary["channel"][rows]]
        channel = np.where(switch, np.where(is_cash, wallet, home), primary["channel"][rows])
        channel = np.where(channel == codes.index("auto_debit"), wallet, channel)
        point = np.where(channel == primary["channel"][rows], primary["point"][rows], NONE)
        return channel, partners_of(channel, who["bank"][primary["customer"][rows]]), point

    found: list[Table] = []
    rows = rows_of("two_parts")
    channel, partner, point = other_way(rows, 0.35)
    rest = total[rows] - primary["amount"][rows]
    found.append(
        _picked(
            primary,
            rows,
            amount=rest,
            channel=channel,
            partner=partner,
            point=point,
            paid_at=later(rows, 1, 25),
        )
    )
    rows = rows_of("paid_twice")
    channel, partner, point = other_way(rows, 0.5)
    found.append(
        _picked(primary, rows, channel=channel, partner=partner, point=point, paid_at=later(rows, 1, 12))
    )

    rows = rows_of("reversed_repaid", "reversed", "reversed_in_part")
    in_part = fate[rows] == FATE_NAMES.index("reversed_in_part")
    amount = np.where(in_part, primary["amount"][rows] // 3 + 1, primary["amount"][rows])
    # A few partners reverse more than was paid: the excess is an orphan.
    amount += np.where(rng.random(len(rows)) < 0.02, 10_000, 0)
    when = later(rows, 1, 40)
    found.append(
        _picked(
            primary, rows, kind=REVERSAL, reverses=first_row + rows, amount=amount, paid_at=when, point=NONE
        )
    )
    repaid = np.flatnonzero(fate[rows] == FATE_NAMES.index("reversed_repaid"))
    rows = rows[repaid]
    channel, partner, point = other_way(rows, 0.4)
    when = when[repaid] + rng.integers(3600, 15 * SECONDS_PER_DAY, len(rows))
    found.append(_picked(primary, rows, channel=channel, partner=partner, point=point, paid_at=when))
    return found


def _strays(rng: np.random.Generator, primary: Table) -> list[Table]:
    """Orphan reversals, and payments of customers nobody knows."""
    count = len(primary["amount"])
    orphans = np.flatnonzero(rng.random(count) < 0.00012)
    unknown = np.flatnonzero(rng.random(count) < 0.0001)
    shifted = rng.integers(0, 3 * SECONDS_PER_DAY, len(orphans))
    without_reference = np.where(np.arange(len(orphans)) % 3 == 0, NONE, UNKNOWN)
    return [
        _picked(
            primary,
            orphans,
            kind=REVERSAL,
            reverses=without_reference,
            paid_at=primary["paid_at"][orphans] + shifted,
            point=NONE,
        ),
        _picked(primary, unknown, customer=UNKNOWN, bill=NONE, point=NONE),
    ]


def month_payments(
    rng: np.random.Generator,
    span: Span,
    month: int,
    *,
    who: Table,
    counters: Counters,
    bills: Table,
    first_bill: int,
    first_row: int,
) -> Table:
    """All that is paid for one month's bills, by the horizon; rows count from `first_row`."""
    status, total = bills["status"], bills["total"]
    pays = (total > 0) & (
        rng.random(len(total)) < np.where(status == ISSUED, 1.0, np.where(status == REPLACED, 0.1, 0.4))
    )
    row = np.flatnonzero(pays)
    customer, due_amount = bills["customer"][row].astype(np.int64), total[row]
    count = len(row)
    channel, point = _channels(
        rng, month, who, counters, customer=customer, issued=bills["issued"][row].astype(np.int64)
    )
    cashless = channels()[1][channel]
    # Who pays cash also leaves more unpaid.
    draw = rng.random(count) * np.where(cashless, 1.0, 0.75)
    fate = np.searchsorted(np.cumsum(list(FATES.values())), draw, side="right")
    named = {name: fate == number for number, name in enumerate(FATE_NAMES)}
    unnamed = (
        who["unnamed"][customer] & ~named["paid_twice"] & ~named["by_another"] & (rng.random(count) < 0.9)
    )

    amount = np.where(
        named["part"] | named["two_parts"],
        (due_amount * rng.uniform(0.2, 0.8, count)).astype(np.int64) + 1,
        due_amount,
    )
    amount = np.minimum(amount, due_amount)
    amount = np.where(named["overpaid"], (due_amount // 10_000 + 1) * 10_000, amount)
    payer = np.where(named["by_another"], rng.integers(0, len(who["code"]), count), customer)
    bill = np.where(named["wrong_bill"], UNKNOWN, first_bill + row)
    primary = _new(
        count,
        channel=channel,
        partner=partners_of(channel, who["bank"][payer]),
        customer=payer,
        bill=np.where(unnamed, NONE, bill),
        amount=amount,
        paid_at=bills["issued"][row].astype(np.int64) * SECONDS_PER_DAY
        + _seconds_after_issue(rng, channel, cashless),
        conflict=named["conflict"],
        point=point,
    )
    # An amount of one đồng cannot be paid in two parts.
    fate = np.where(named["two_parts"] & (amount == due_amount), FATE_NAMES.index("full"), fate)
    kept = (fate != FATE_NAMES.index("unpaid")) & (primary["paid_at"] <= span.horizon_second)
    primary = {name: column[kept] for name, column in primary.items()}
    followers = _consequences(
        rng, who, primary, fate=fate[kept], total=due_amount[kept], first_row=first_row
    ) + _strays(rng, primary)
    followers = [
        {name: column[part["paid_at"] <= span.horizon_second] for name, column in part.items()}
        for part in followers
    ]
    return {name: np.concatenate([primary[name], *(part[name] for part in followers)]) for name in COLUMNS}
