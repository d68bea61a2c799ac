"""The customers: who they are, where they live over time, how they mean to pay; the rows of their files."""

from __future__ import annotations

from datetime import date

import numpy as np

from dagster_project.sample import curves, people
from dagster_project.sample.reference import Places, channels
from dagster_project.sample.spans import (
    ERA_STARTS,
    NEVER,
    SECONDS_PER_DAY,
    Ints,
    Span,
    Table,
    day_number,
    eras,
    first_days,
    month_number,
    months_of_days,
)

TYPES = np.array(["household", "business", "public", "other"])
PRESS_MONTH = month_number(date(2024, 5, 1))
PRESS_FROM_CUSTOMERS = 2_000
KHANH_HAI_CUSTOMERS = 195

# What a customer who has adopted cashless payment usually uses; auto-debit needs a mandate.
FAVOURITES = {
    "auto_debit": 0.17,
    "mobile_banking": 0.23,
    "internet_banking": 0.06,
    "qr": 0.08,
    "atm": 0.01,
    "bankplus": 0.03,
    "viettel_money": 0.13,
    "zalopay": 0.05,
    "momo": 0.09,
    "vnpay": 0.03,
    "evn_app": 0.05,
    "public_service_portal": 0.01,
    "bank_counter": 0.03,
    "partner_agent": 0.02,
    "post_office": 0.01,
}


def has_press_figures(span: Span, count: int) -> bool:
    """Whether this bundle promises the two published figures."""
    return count >= PRESS_FROM_CUSTOMERS and PRESS_MONTH in span.months


def _communes(rng: np.random.Generator, where: Places, count: int) -> Ints:
    """Khánh Hải has as many customers as the press figure needs; the others share by an invented weight."""
    weight = np.array([1.0, 1.5, 1.8])[where.kinds] * rng.lognormal(0.0, 0.3, len(where.kinds))
    weight[where.khanh_hai] = 0
    pilot = KHANH_HAI_CUSTOMERS if count >= PRESS_FROM_CUSTOMERS else count * KHANH_HAI_CUSTOMERS // 2_000
    chosen = rng.choice(len(weight), size=count, p=weight / weight.sum())
    chosen[rng.permutation(count)[:pilot]] = where.khanh_hai
    return chosen


def _ranks(rng: np.random.Generator, where: Places, commune: Ints, kind: Ints) -> np.ndarray:
    """0 for the most willing customer to 1: towns and firms ahead, communes apart from each other."""
    effect = np.array([0.0, 0.25, 0.4])[where.kinds] + rng.normal(0, 0.25, len(where.kinds))
    effect[where.khanh_hai] = 0.2
    score = rng.normal(0, 1, len(commune)) - effect[commune] - 0.5 * (kind > 0)
    rank = np.empty(len(commune))
    rank[np.argsort(score, kind="stable")] = (np.arange(len(commune)) + 0.5) / len(commune)
    return rank


def _lives(rng: np.random.Generator, span: Span, where: Places, who: Table, press: bool) -> None:
    """Start, end and move of each customer; nothing that would disturb the pilot commune's figure."""
    count = len(who["commune"])
    length = span.horizon_day - span.start_day
    steady = (who["commune"] == where.khanh_hai) & press
    start = day_number(date(2008, 1, 1)) + rng.integers(0, 5_000, count)
    start = np.minimum(start, span.start_day - 60 - rng.integers(0, 400, count))
    is_new = (rng.random(count) < 0.03) & ~steady
    start = np.where(is_new, span.start_day + rng.integers(0, length, count), start)
    end = np.where(
        (rng.random(count) < 0.01) & ~steady, span.start_day + rng.integers(30, length + 60, count), NEVER
    )
    end = np.where(end > start + 60, end, NEVER)
    # A few customers were entered into the register long after their first bill.
    late_row = (rng.random(count) < 0.0008) & ~steady & ~is_new
    who["row_from"] = np.where(late_row, span.start_day + rng.integers(0, length, count), start)
    who["first_month"] = np.where(is_new, months_of_days(start) + 1, span.first_month)
    who["end_day"] = end
    who["end_month"] = np.where(end < NEVER, months_of_days(np.minimum(end, span.horizon_day + 60)), NEVER)

    moves = (rng.random(count) < 0.015) & ~steady
    month = span.first_month + rng.integers(0, len(span.months), count)
    move_day = first_days(month) + rng.integers(1, 20, count)
    target = rng.integers(0, len(where.codes[0]), count)
    neighbour = np.clip(who["commune"] + rng.choice([-2, -1, 1, 2], count), 0, len(where.codes[0]) - 1)
    target = np.where(rng.random(count) < 0.7, neighbour, target)
    moves &= (target != who["commune"]) & (move_day > who["row_from"] + 30) & (move_day < end)
    if press:
        moves &= (target != where.khanh_hai) | (move_day >= int(first_days(PRESS_MONTH + 1)))
    who["move_day"] = np.where(moves, move_day, NEVER)
    who["move_to"] = np.where(moves, target, who["commune"])
    # Four in ten thousand are billed without being in the register; from 500 customers on there is one.
    others = rng.permutation(np.flatnonzero(~steady))
    who["no_row"] = np.zeros(count, dtype=bool)
    who["no_row"][others[: max(round(0.0004 * count), count >= 500)]] = True
    who["steady"] = steady


def _habits(rng: np.random.Generator, span: Span, who: Table) -> None:
    """How a customer pays: favourite channel, bank, mandate, and whether the partner sends the bill's id."""
    codes = channels()[0]
    count = len(who["commune"])
    favourite = np.array([codes.index(code) for code in FAVOURITES])
    chance = np.array(list(FAVOURITES.values()))
    who["favourite"] = favourite[rng.choice(len(favourite), size=count, p=chance / chance.sum())]
    who["second"] = favourite[1:][rng.choice(len(favourite) - 1, size=count, p=chance[1:] / chance[1:].sum())]
    who["bank"] = rng.choice(6, size=count, p=[0.33, 0.18, 0.07, 0.07, 0.15, 0.20])
    who["unnamed"] = rng.random(count) < 0.045
    who["pays_cash_at_home"] = rng.random(count) < 0.35
    adopted = who["adopt_month"]
    has_mandate = (who["favourite"] == codes.index("auto_debit")) & (adopted <= span.last_month)
    signed = first_days(adopted) - rng.integers(3, 45, count)
    who["signed_on"] = np.where(has_mandate, np.maximum(signed, who["row_from"]), NEVER)
    length = span.horizon_day - span.start_day
    ends = np.maximum(who["signed_on"], span.start_day) + 45 + rng.integers(0, length, count)
    ended = has_mandate & (rng.random(count) < 0.06) & (ends < span.horizon_day)
    who["mandate_end"] = np.where(ended, ends, NEVER)


def plan_customers(rng: np.random.Generator, span: Span, where: Places, count: int) -> Table:
    """Everything about the customers that the other files build on, one array each."""
    commune = _communes(rng, where, count)
    kind = rng.choice(4, size=count, p=[0.91, 0.06, 0.02, 0.01])
    rank = _ranks(rng, where, commune, kind)
    mean = np.array([160.0, 620.0, 480.0, 240.0])[kind] * np.array([0.9, 1.1, 1.25])[where.kinds[commune]]
    who: Table = {
        "commune": commune,
        "kind": kind,
        "adopt_month": curves.adoption_months(rank),
        "kwh": mean * rng.lognormal(-0.15, 0.55, count),
        "bills_a_month": np.where(kind > 0, rng.choice([1, 2, 3], size=count, p=[0.8, 0.15, 0.05]), 1),
    }
    _lives(rng, span, where, who, has_press_figures(span, count))
    _habits(rng, span, who)
    who["code"] = np.array(
        [f"PN{u + 1:02d}{i + 1:09d}" for i, u in enumerate(where.units[commune].tolist())], dtype=object
    )
    who["phone"] = people.phones(rng, count)
    who["phone"][rng.random(count) < 0.06] = None
    who["old_phone"] = people.phones(rng, count)
    who["phone_change"] = np.where(
        rng.random(count) < 0.03, rng.integers(span.start_day, span.horizon_day, count), NEVER
    )
    who["name"] = people.customer_names(rng, kind)
    who["lane"] = people.lanes(rng, where.kinds[commune] > 0)
    return who


def commune_on(who: Table, day: int) -> Ints:
    """The commune (of 2024) each customer lives in on a day."""
    return np.where(who["move_day"] <= day, who["move_to"], who["commune"])


def phone_on(who: Table, customers: Ints, days: Ints) -> np.ndarray:
    """The number the company has on file for each customer on each day."""
    old = days < np.where(who["phone_change"] < NEVER, who["phone_change"], 0)[customers]
    return np.where(old, who["old_phone"][customers], who["phone"][customers])


def _versions(rng: np.random.Generator, span: Span, where: Places, who: Table) -> Table:
    """(customer, first day, code, closed) of every version, before what came after the horizon is dropped."""
    count = len(who["commune"])
    everyone = np.arange(count)
    parts: list[tuple[Ints, Ints, np.ndarray]] = []

    def add(mask: np.ndarray, days: Ints, code_era: Ints, communes: Ints) -> None:
        chosen = everyone[mask]
        parts.append((chosen, days[chosen], where.code(communes[chosen], code_era[chosen])))

    zero = np.zeros(count, dtype=np.int64)
    # New in a later era: most get the code of the day, some are still entered with the old one.
    era = eras(who["row_from"])
    stale = rng.random(count) < 0.08
    add(zero == 0, who["row_from"], np.where(stale, np.maximum(era - 1, 0), era), who["commune"])
    era = eras(np.minimum(who["move_day"], span.horizon_day))
    add(
        who["move_day"] < NEVER, who["move_day"], np.where(stale, np.maximum(era - 1, 0), era), who["move_to"]
    )
    for step, start_date in enumerate(ERA_STARTS, start=1):
        start = day_number(start_date)
        lives_in = commune_on(who, start)
        lives = (who["row_from"] < start) & (who["end_day"] > start) & (start <= span.horizon_day)
        renamed = where.full_names[step] != where.full_names[step - 1]
        recoded = lives & renamed[lives_in] & (rng.random(count) < 0.88)
        late = lives & ~recoded & (rng.random(count) < 0.2)
        split = recoded & (lives_in == where.gia_tan) & (step == 2)
        add(recoded & ~split, zero + start, zero + step, lives_in)
        # Touched again after the change, by someone who typed the code they knew.
        add(late, zero + start + 9, zero + step - 1, lives_in)
        placed = everyone[split & (rng.random(count) < 0.7)]
        parts.append((placed, zero[placed] + start, np.array(where.split_successors)[placed % 2]))
    add(who["phone_change"] < NEVER, who["phone_change"], zero - 1, who["commune"])
    add(who["end_day"] < NEVER, who["end_day"], zero - 1, who["commune"])

    customer, day, code = (np.concatenate(column) for column in zip(*parts, strict=True))
    # The two kinds that change no address carry the code of the version before them.
    carried = np.zeros(len(customer), dtype=bool)
    carried[len(carried) - len(parts[-1][0]) - len(parts[-2][0]) :] = True
    kept = (day <= span.horizon_day) & (day >= who["row_from"][customer]) & (day <= who["end_day"][customer])
    kept &= ~who["no_row"][customer]
    customer, day, code, carried = (column[kept] for column in (customer, day, code, carried))
    order = np.lexsort((carried, day, customer))
    customer, day, code, carried = (column[order] for column in (customer, day, code, carried))
    first = np.ones(len(customer), dtype=bool)
    first[1:] = (customer[1:] != customer[:-1]) | (day[1:] != day[:-1])
    customer, day, code, carried = (column[first] for column in (customer, day, code, carried))
    source = np.maximum.accumulate(np.where(carried, 0, np.arange(len(customer))))
    return {"customer": customer, "day": day, "code": code[source], "closed": day >= who["end_day"][customer]}


def customer_rows(rng: np.random.Generator, span: Span, where: Places, who: Table) -> Table:
    """The rows of the customers file: every version, and a few corrected ones."""
    version = _versions(rng, span, where, who)
    customer, day = version["customer"], version["day"]
    moved = day >= who["move_day"][customer]
    commune = np.where(moved, who["move_to"][customer], who["commune"][customer])
    era = eras(day)
    lanes = who["lane"][customer]
    tails = [
        where.full_names[0].astype(object) + ", " + where.district_names[0].astype(object),
        where.full_names[1].astype(object) + ", " + where.district_names[1].astype(object),
        np.where(where.full_names[2] == "", where.full_names[1], where.full_names[2]).astype(object),
    ]
    tail = np.stack(tails)[era, commune]
    updated = day * SECONDS_PER_DAY + rng.integers(7 * 3600, 18 * 3600, len(day))
    rows: Table = {
        "customer_code": who["code"][customer],
        "effective_from": day,
        "customer_name": who["name"][customer],
        "contract_no": np.array([f"HD{c + 1:07d}" for c in customer.tolist()], dtype=object),
        "phone": phone_on(who, customer, day),
        "address": lanes + ", " + tail,
        "commune_code": version["code"],
        "power_unit_code": np.array(where.unit_codes)[where.units[commune]],
        "customer_type": TYPES[who["kind"][customer]],
        "status": np.where(version["closed"], "closed", "active"),
        "updated_at": updated,
    }
    corrected = np.flatnonzero((rng.random(len(day)) < 0.01) & (day < span.horizon_day))
    again = {name: column[corrected] for name, column in rows.items()}
    again["address"] = again["address"] + ", tỉnh Ninh Bình"
    again["updated_at"] = again["updated_at"] + SECONDS_PER_DAY
    return {name: np.concatenate([rows[name], again[name]]) for name in rows}


def mandate_rows(span: Span, who: Table) -> Table:
    """The auto-debit mandates: a row when signed, another when ended."""
    banks = np.array(["AGRIBANK", "BIDV", "MBBANK", "TECHCOMBANK", "VCB", "VIETINBANK"])
    signed = np.flatnonzero((who["signed_on"] <= span.horizon_day) & ~who["no_row"])
    ended = np.flatnonzero((who["mandate_end"] <= span.horizon_day) & ~who["no_row"])
    who_all = np.concatenate([signed, ended])
    end = np.concatenate([np.full(len(signed), NEVER), who["mandate_end"][ended]])
    since = who["signed_on"][who_all]
    return {
        "mandate_id": np.array([f"UT{c + 1:08d}" for c in who_all.tolist()], dtype=object),
        "customer_code": who["code"][who_all],
        "bank_code": banks[who["bank"][who_all]],
        "signed_on": since,
        "ended_on": end,
        "updated_at": np.where(end < NEVER, end, since) * SECONDS_PER_DAY + 8 * 3600,
    }
