"""What the company does besides billing: staff, campaigns, notices, phone reviews, complaints, targets.

Built on the customers and counters; changes nothing about how anybody pays.
"""

from __future__ import annotations

from datetime import date

import numpy as np

from dagster_project.sample import curves, people
from dagster_project.sample.counters import Counters
from dagster_project.sample.customers import commune_on, phone_on
from dagster_project.sample.reference import Places
from dagster_project.sample.spans import (
    NEVER,
    SECONDS_PER_DAY,
    Ints,
    Span,
    Table,
    day_number,
    eras,
    first_days,
    month_number,
    month_text,
    months_of_days,
)

STAFF_PER_UNIT = 12
NOTICES_FROM = day_number(date(2024, 6, 1))
REVIEWS_FROM = day_number(date(2024, 3, 1))
BANK_CODES = np.array(["AGRIBANK", "BIDV", "MBBANK", "TECHCOMBANK", "VCB", "VIETINBANK"])
OUTCOMES = np.array(["not_reached", "refused", "undecided", "agreed", "registered"])
COMPLAINTS = {
    "counter_closure": (
        "Đề nghị giữ lại điểm thu vì nhà xa ngân hàng",
        "Người cao tuổi chưa biết dùng điện thoại thông minh, mong được hướng dẫn",
    ),
    "payment": ("Đã chuyển tiền nhưng chưa được gạch nợ", "Bị trừ tiền hai lần qua ví điện tử"),
    "bill": ("Hóa đơn tháng này tăng cao, đề nghị kiểm tra công tơ", "Chưa nhận được thông báo hóa đơn"),
    "other": ("Hỏi cách đăng ký trích nợ tự động", "Góp ý về giờ làm việc của phòng giao dịch"),
}


def _ids(prefix: str, count: int, digits: int = 7) -> np.ndarray:
    return np.array([f"{prefix}{k + 1:0{digits}d}" for k in range(count)], dtype=object)


def _office_hours(rng: np.random.Generator, days: Ints) -> Ints:
    return days * SECONDS_PER_DAY + rng.integers(8 * 3600, 17 * 3600, len(days))


def staff_codes(where: Places) -> np.ndarray:
    """Twelve employees per power unit, unit by unit."""
    return np.array([f"NV{k + 1:04d}" for k in range(STAFF_PER_UNIT * len(where.unit_codes))], dtype=object)


def employee_rows(rng: np.random.Generator, span: Span, where: Places) -> Table:
    """Everybody since before the range; one in twenty leaves, one in twenty changes the unit."""
    codes = staff_codes(where)
    count = len(codes)
    unit = np.arange(count) // STAFF_PER_UNIT
    start = span.start_day - rng.integers(200, 4_000, count)
    names = np.array(people.person_names(rng, count), dtype=object)
    change = span.start_day + rng.integers(20, max(21, span.horizon_day - span.start_day), count)
    leaves, moves = np.flatnonzero(np.arange(count) % 20 == 7), np.flatnonzero(np.arange(count) % 20 == 13)
    who = np.concatenate([np.arange(count), leaves, moves])
    day = np.concatenate([start, change[leaves], change[moves]])
    units = np.concatenate([unit, unit[leaves], (unit[moves] + 1) % len(where.unit_codes)])
    status = np.array(["active"] * count + ["left"] * len(leaves) + ["active"] * len(moves))
    kept = day <= span.horizon_day
    return {
        "employee_code": codes[who][kept],
        "effective_from": day[kept],
        "employee_name": names[who][kept],
        "power_unit_code": np.array(where.unit_codes)[units][kept],
        "status": status[kept],
        "updated_at": day[kept] * SECONDS_PER_DAY + 8 * 3600,
    }


class _Campaigns:
    """Campaign and contact rows as they are decided."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str, str, int, int]] = []
        self.contacts: list[Table] = []

    def add(self, name: str, kind: str, starts: int, ends: int) -> str:
        self.rows.append((f"CD{len(self.rows) + 1:03d}", name, kind, starts, ends))
        return self.rows[-1][0]


def _contact(
    rng: np.random.Generator,
    where: Places,
    who: Table,
    customers: Ints,
    *,
    campaign: str,
    days: tuple[int, int],
    place: str,
) -> Table:
    """Visits on random days; who is about to adopt anyway more often agrees."""
    count = len(customers)
    day = rng.integers(days[0], days[1] + 1, count)
    soon = who["adopt_month"][customers] - months_of_days(day)
    agrees = (soon >= 0) & (soon <= 3)
    outcome = np.where(
        agrees,
        rng.choice([2, 3, 4], count, p=[0.15, 0.4, 0.45]),
        rng.choice([1, 2, 3], count, p=[0.4, 0.45, 0.15]),
    )
    outcome = np.where(rng.random(count) < 0.12, 0, outcome)
    unit = where.units[
        np.where(who["move_day"][customers] <= day, who["move_to"][customers], who["commune"][customers])
    ]
    employee = staff_codes(where)[unit * STAFF_PER_UNIT + rng.integers(0, STAFF_PER_UNIT, count)]
    employee[rng.random(count) < 0.03] = None
    bank = BANK_CODES[who["bank"][customers]].astype(object)
    bank[rng.random(count) < 0.4] = None
    return {
        "campaign_id": np.full(count, campaign, dtype=object),
        "customer_code": who["code"][customers],
        "employee_code": employee,
        "bank_code": bank,
        "contacted_at": _office_hours(rng, day),
        "place": np.where(rng.random(count) < 0.1, "phone", place),
        "outcome": OUTCOMES[outcome],
    }


def _candidates(
    rng: np.random.Generator, who: Table, communes: Ints, day: int, chance: tuple[float, float]
) -> Ints:
    """Customers of some communes who do not yet pay cashless: those about to adopt are met more often."""
    month = int(months_of_days(day))
    here = (
        np.isin(commune_on(who, day), communes) & (who["first_month"] <= month) & (who["end_month"] > month)
    )
    here &= who["adopt_month"] > month
    soon = who["adopt_month"] <= month + 3
    return np.flatnonzero(here & (rng.random(len(here)) < np.where(soon, chance[0], chance[1])))


def campaign_rows(rng: np.random.Generator, span: Span, where: Places, who: Table) -> tuple[Table, Table]:
    """Household visits by district each quarter, help at counters, the pilot commune, the notices of 2024."""
    plan = _Campaigns()
    found = plan.contacts
    plan.add(
        "Xã không dùng tiền mặt Khánh Hải",
        "pilot_commune",
        day_number(date(2022, 3, 1)),
        day_number(date(2022, 12, 31)),
    )
    districts = sorted(set(where.districts.tolist()))
    for month in span.months:
        if month % 3:
            continue
        start, end = int(first_days(month)), int(first_days(month + 2)) - 1
        for turn in range(3):
            district = districts[(month // 3 * 3 + turn) % len(districts)]
            communes = np.flatnonzero(where.districts == district)
            visited = np.sort(rng.permutation(communes)[: max(3, len(communes) // 2)])
            name = f"Vận động tại hộ gia đình, {where.district_names[0][communes[0]]}, {month_text(month)}"
            campaign = plan.add(name, "household_visit", start, end)
            chosen = _candidates(rng, who, visited, start, (0.8, 0.35))
            found.append(
                _contact(rng, where, who, chosen, campaign=campaign, days=(start, end), place="home")
            )
    for month in span.months:
        start, end = int(first_days(month)), int(first_days(month + 1)) - 1
        if month % 12 == 2:
            campaign = plan.add(f"Hướng dẫn tại quầy thu {1970 + month // 12}", "at_counter", start, end)
            chosen = _candidates(rng, who, np.arange(len(where.kinds)), start, (0.15, 0.06))
            found.append(
                _contact(rng, where, who, chosen, campaign=campaign, days=(start, end), place="counter")
            )
            campaign = plan.add(
                f"Duy trì xã không dùng tiền mặt Khánh Hải {1970 + month // 12}", "pilot_commune", start, end
            )
            chosen = _candidates(rng, who, np.array([where.khanh_hai]), start, (0.9, 0.5))
            found.append(
                _contact(rng, where, who, chosen, campaign=campaign, days=(start, end), place="home")
            )
        if month == month_number(date(2024, 6, 1)):
            plan.add("Thông báo chấm dứt thu tiền mặt tại quầy", "mass_notice", start, NEVER)
    ids, names, kinds, starts, ends = (
        np.array(column, dtype=object) for column in zip(*plan.rows, strict=True)
    )
    campaigns = {
        "campaign_id": ids,
        "name": names,
        "kind": kinds,
        "starts_on": starts.astype(np.int64),
        "ends_on": ends.astype(np.int64),
        "updated_at": starts.astype(np.int64) * SECONDS_PER_DAY + 8 * 3600,
    }
    found = found or [
        _contact(rng, where, who, np.zeros(0, dtype=np.int64), campaign="", days=(0, 0), place="home")
    ]
    contacts = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    kept = contacts["contacted_at"] <= span.horizon_second
    contacts = {name: column[kept] for name, column in contacts.items()}
    order = np.argsort(contacts["contacted_at"], kind="stable")
    contacts = {name: column[order] for name, column in contacts.items()}
    day_end = contacts["contacted_at"] // SECONDS_PER_DAY * SECONDS_PER_DAY + 20 * 3600
    return campaigns, {"contact_id": _ids("TX", len(order)), **contacts, "updated_at": day_end}


def _notices(customers: np.ndarray, communes: np.ndarray, topic: str, media: np.ndarray, sent: Ints) -> Table:
    return {
        "customer_code": customers,
        "commune_code": communes,
        "topic": np.full(len(sent), topic),
        "medium": media,
        "sent_at": sent,
    }


def _closure_notices(
    rng: np.random.Generator, span: Span, where: Places, who: Table, counters: Counters
) -> list[Table]:
    """Before a counter closes its customers are told one by one, its communes by posters and loudspeakers."""
    parts: list[Table] = []
    for k in np.flatnonzero((counters.planned < NEVER) & ~counters.is_partner).tolist():
        announced = max(int(counters.planned[k]) - 50, NOTICES_FROM)
        if counters.planned[k] < NOTICES_FROM or announced > span.horizon_day:
            continue
        lives = np.isin(commune_on(who, announced), counters.serves[k]) & ~who["no_row"]
        told = np.flatnonzero(lives & (who["row_from"] <= announced) & (who["end_day"] > announced))
        told = told[rng.random(len(told)) < (0.995 if k % 4 else 0.93)]
        sent = _office_hours(rng, announced + rng.integers(0, 35, len(told)))
        media = rng.choice(
            np.array(["zalo", "sms", "email", "app", "letter"]), len(told), p=[0.42, 0.38, 0.05, 0.1, 0.05]
        )
        parts.append(_notices(who["code"][told], np.full(len(told), None), "counter_closure", media, sent))
        served = np.array(counters.serves[k])
        codes = where.code(served, np.full(len(served), int(eras(announced)))).astype(object)
        for medium in ("public_posting", "mass_media"):
            sent = _office_hours(rng, np.full(len(served), announced))
            parts.append(
                _notices(
                    np.full(len(served), None), codes, "counter_closure", np.full(len(served), medium), sent
                )
            )
    return parts


def notification_rows(
    rng: np.random.Generator,
    span: Span,
    where: Places,
    who: Table,
    *,
    counters: Counters,
    notice_campaign: str | None,
) -> Table:
    """Closure notices and reminders from June 2024; a message that failed is sent again as a letter."""
    parts = _closure_notices(rng, span, where, who, counters)
    for month in span.months:
        start = int(first_days(month))
        if start < NOTICES_FROM:
            continue
        billed = np.flatnonzero((who["first_month"] <= month) & (who["end_month"] > month) & ~who["no_row"])
        told = billed[rng.random(len(billed)) < 0.012]
        sent = _office_hours(rng, start + rng.integers(5, 28, len(told)))
        media = rng.choice(np.array(["zalo", "sms", "app"]), len(told))
        parts.append(_notices(who["code"][told], np.full(len(told), None), "bill_due", media, sent))
    empty = np.zeros(0, dtype=object)
    parts.append(_notices(empty, empty, "other", empty, np.zeros(0, dtype=np.int64)))
    sent_out = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    sent_out = {name: column[sent_out["sent_at"] <= span.horizon_second] for name, column in sent_out.items()}
    personal = np.array([code is not None for code in sent_out["customer_code"]], dtype=bool)
    state = np.where(personal, rng.choice(3, len(personal), p=[0.02, 0.035, 0.945]), 0)
    again = np.flatnonzero(
        (state == 1)
        & (sent_out["topic"] == "counter_closure")
        & (sent_out["sent_at"] + 5 * SECONDS_PER_DAY <= span.horizon_second)
    )
    resent = {name: column[again] for name, column in sent_out.items()}
    resent["sent_at"] = resent["sent_at"] + 3 * SECONDS_PER_DAY
    resent["medium"] = np.full(len(again), "letter")
    sent_out = {name: np.concatenate([sent_out[name], resent[name]]) for name in sent_out}
    state = np.concatenate([state, np.where(rng.random(len(again)) < 0.9, 2, 0)])
    order = np.argsort(sent_out["sent_at"], kind="stable")
    sent_out, state = {name: column[order] for name, column in sent_out.items()}, state[order]

    sent = sent_out["sent_at"]
    delivered = np.where(
        state == 2, np.minimum(sent + rng.integers(5, 40_000, len(sent)), span.horizon_second), NEVER
    )
    campaign = np.full(len(sent), None, dtype=object)
    campaign[sent_out["topic"] == "counter_closure"] = notice_campaign
    rows: Table = {
        "notification_id": _ids("TB", len(sent)),
        "campaign_id": campaign,
        **sent_out,
        "delivery": np.array(["unknown", "failed", "delivered"])[state],
        "delivered_at": delivered,
        "updated_at": np.where(state == 2, delivered, sent + 60),
    }
    # For some the gateway's report came in a second row of the same notification.
    earlier = np.flatnonzero((state == 2) & (rng.random(len(sent)) < 0.03))
    first = {name: column[earlier] for name, column in rows.items()}
    first["delivery"] = np.full(len(earlier), "unknown")
    first["delivered_at"] = np.full(len(earlier), NEVER)
    first["updated_at"] = first["sent_at"]
    return {name: np.concatenate([rows[name], first[name]]) for name in rows}


def phone_review_rows(rng: np.random.Generator, span: Span, who: Table) -> Table:
    """From March 2024 most numbers are looked at, some twice."""
    start = max(span.start_day, REVIEWS_FROM)
    length = max(span.horizon_day - start, 0)
    everyone = np.flatnonzero(~who["no_row"])
    customers = np.concatenate(
        [everyone[rng.random(len(everyone)) < 0.88], everyone[rng.random(len(everyone)) < 0.15]]
    )
    # As many as the time since the beginning of the review allows; most of the work is done in ten months.
    day = start + rng.exponential(180, len(customers)).astype(np.int64)
    kept = (day < start + length) & (day >= who["row_from"][customers]) & (day < who["end_day"][customers])
    customers, day = customers[kept], day[kept]
    phone = phone_on(who, customers, day)
    result = rng.choice(
        np.array(["unreachable", "not_owner", "owner_confirmed"]), len(day), p=[0.06, 0.08, 0.86]
    ).astype(object)
    missing = np.array([number is None for number in phone], dtype=bool)
    result[missing] = "missing"
    order = np.argsort(day, kind="stable")
    reviewed = _office_hours(rng, day[order])
    return {
        "review_id": _ids("RS", len(day)),
        "customer_code": who["code"][customers][order],
        "phone": phone[order],
        "reviewed_at": reviewed,
        "result": result[order],
        "updated_at": reviewed,
    }


def feedback_rows(rng: np.random.Generator, span: Span, where: Places, who: Table) -> Table:
    """A few complaints a month, fewer still about closures; most are closed within days."""
    length = span.horizon_day - span.start_day
    count = int(rng.poisson(len(who["code"]) * length * 1.2e-5))
    customers = rng.integers(0, len(who["code"]), count)
    day = np.sort(span.start_day + rng.integers(0, length, count))
    topics = np.array(list(COMPLAINTS))
    topic = topics[rng.choice(4, count, p=[0.2, 0.4, 0.25, 0.15])]
    topic = np.where((topic == "counter_closure") & (day < NOTICES_FROM), "bill", topic)
    text = [COMPLAINTS[t][k] for t, k in zip(topic.tolist(), rng.integers(0, 2, count).tolist(), strict=True)]
    received = _office_hours(rng, day)
    closed = received + rng.exponential(3.5 * SECONDS_PER_DAY, count).astype(np.int64) + 1800
    closed = np.where((rng.random(count) < 0.96) & (closed <= span.horizon_second), closed, NEVER)
    reopened = rng.random(count) < 0.05
    lives = np.where(who["move_day"][customers] <= day, who["move_to"][customers], who["commune"][customers])
    commune = where.code(lives, eras(day)).astype(object)
    commune[rng.random(count) < 0.05] = None
    customer = who["code"][customers]
    customer[rng.random(count) < 0.1] = None
    # A reopened complaint is open again although it was closed once.
    status = np.where((closed != NEVER) & ~(reopened & (rng.random(count) < 0.3)), "closed", "open")
    return {
        "feedback_id": _ids("PA", count),
        "customer_code": customer,
        "commune_code": commune,
        "received_at": received,
        "topic": topic,
        "text": np.array(text, dtype=object),
        "status": status,
        "closed_at": closed,
        "reopened": np.where(reopened, "true", "false"),
        "updated_at": np.where(closed != NEVER, closed, received),
    }


def target_rows(rng: np.random.Generator, span: Span, where: Places) -> Table:
    """Targets around the expected rise, for every level; districts while there are any."""
    rows: list[tuple[int, str, str, str, str, int]] = []
    share = curves.adopted_share()
    for month in span.months:
        start = int(first_days(month))
        era = int(eras(start))
        year_start = int(first_days(month - month % 12))
        aim = min(0.99, float(share[min(max(month - curves.CURVE_START, 0), len(share) - 1)]) * 0.95 + 0.03)

        def add(
            level: str, codes: tuple[str, ...], spread: float, metric: str = "cashless_rate_customers"
        ) -> None:
            offsets = rng.normal(0, spread, len(codes))
            for code, offset in zip(codes, offsets.tolist(), strict=True):
                value = f"{min(0.99, max(0.3, aim + offset)):.2f}"  # noqa: B023 - called within the same turn
                rows.append((month, level, code, metric, value, year_start))  # noqa: B023

        add("company", ("COMPANY",), 0.0)
        add("company", ("COMPANY",), 0.0, "cashless_rate_bills")
        add("company", ("COMPANY",), 0.01, "cashless_rate_amount")
        add("power_unit", where.unit_codes, 0.02)
        add("district", where.era_districts[era], 0.02)
        add("commune", where.era_communes[era], 0.04)
        conversions = rng.integers(2, 9, STAFF_PER_UNIT * len(where.unit_codes)).tolist()
        for code, number in zip(staff_codes(where).tolist(), conversions, strict=True):
            rows.append((month, "employee", code, "conversions", str(number), year_start))
    month_column, level_column, code_column, metric_column, value_column, day_column = zip(*rows, strict=True)
    return {
        "month": np.array([month_text(m) for m in month_column], dtype=object),
        "level": np.array(level_column),
        "code": np.array(code_column),
        "metric": np.array(metric_column),
        "target": np.array(value_column),
        "updated_at": np.array(day_column) * SECONDS_PER_DAY,
    }
