"""What the analyst's page answers in a world, recomputed from its accepted rows: the rows of each query, in no order.

Belongs here: one function per question, in terms of the oracle. Does not belong here: the queries (docs/analyst.md),
running and comparing them (test_analyst_page.py).
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

import pandas as pd

from tests.oracle.columns import Row, Rows, records, some
from tests.oracle.coverage import latest_review, reviews_of_phones, verified
from tests.oracle.facts import recompute_facts
from tests.oracle.places import add_months, month_end
from tests.oracle.recompute import recompute
from tests.oracle.reference import CURRENT_ERA, SEEDS, UNKNOWN, UNRESOLVED, era_of
from tests.oracle.settlement import CASHLESS_REPORTED, Bill, row_order, rows_by_key
from tests.oracle.world import (
    World,
    as_recorded,
    cashless_customers,
    group,
    make_world,
    ratio,
    units_of_levels,
)

NOWHERE = (UNRESOLVED, UNKNOWN)
PILOT, ITS_HEIR = "14587", "14560"  # Khánh Hải, and Yên Khánh from July 2025
COMMUNE_TODAY = "14329"  # Hoa Lư
# What the page's queries are about stands here in place of what the world has nothing of.
MONTH_ON_THE_PAGE, MONTH = date(2024, 5, 1), date(2024, 12, 1)
PARTNER_NAMES = {"VNPAY": "Công ty VNPAY"}  # the one partner that the operator has declared


@dataclass(frozen=True)
class Known:
    """The accepted rows, and what the oracle makes of them."""

    bundle: Mapping[str, pd.DataFrame]

    @cached_property
    def world(self) -> World:
        return make_world(self.bundle)

    @cached_property
    def figures(self) -> dict[str, pd.DataFrame]:
        return recompute(self.bundle)

    @cached_property
    def facts(self) -> dict[str, pd.DataFrame]:
        return recompute_facts(self.bundle)

    def table(self, name: str, **where: Any) -> Rows:
        """The rows of a recomputed table with these values."""
        table = self.figures[name] if name in self.figures else self.facts[name]
        return [row for row in records(table) if all(row[key] == value for key, value in where.items())]

    @cached_property
    def transactions(self) -> Rows:
        """Every transaction once, a conflict too: that with its greatest amount and latest time."""
        found: Rows = []
        for versions in rows_by_key("payments", records(self.bundle["payments"])).values():
            row = max(versions, key=lambda version: row_order("payments", version))
            if len({(v["kind"], v["customer_code"], v["amount"]) for v in versions}) > 1:
                row = {**row, "amount": max(v["amount"] for v in versions)}
                row["paid_at"] = max(v["paid_at"] for v in versions)
            channel = row["channel_code"] or "unknown"
            channel_class = self.world.reference.channel_class(channel)
            found.append({**row, "channel_code": channel, "channel_class": channel_class})
        return found

    def names(self, source: str, key: str) -> dict[str, Row]:
        """The current row of every key."""
        return {row[key]: row for row in self.world.current[source]}


@dataclass(frozen=True)
class Question:
    """`asked`: words of the page before the query, nowhere else before one. `replace`: literals of the query."""

    asked: str
    answer: Callable[[Known], Rows]
    replace: tuple[tuple[str, str], ...] = ()


QUESTIONS: list[Question] = []


def answers(
    asked: str, *replace: tuple[str, str]
) -> Callable[[Callable[[Known], Rows]], Callable[[Known], Rows]]:
    """Enter a function as the answer to a question of the page."""

    def enter(answer: Callable[[Known], Rows]) -> Callable[[Known], Rows]:
        QUESTIONS.append(Question(asked, answer, replace))
        return answer

    return enter


# -- how customers pay -------------------------------------------------------------------------------------


@answers("rate, auto-debit")
def rate_and_mix(known: Known) -> Rows:
    """Every unit's rate and auto-debit beside each channel's part of what was collected, from bills and allocations."""
    world = known.world
    found: Rows = []
    for level, unit_of in units_of_levels(world).items():
        for (month, unit), bills in group(world.bills("electricity"), unit_of).items():
            if unit is None:  # a month after the districts
                continue
            paid = _paid_by_channel(bills)
            billed = {bill.row["customer_code"] for bill in bills}
            by_bank = sum(world.has_auto_debit(code, month_end(month)) for code in billed)
            # A unit whose bills nobody has paid stands there without a channel.
            for channel in paid or [None]:
                found.append(
                    {
                        "level": level,
                        "bill_month": month,
                        "code": unit,
                        "name": _name_of_unit(known, level, unit, month),
                        "cashless_rate_customers": ratio(
                            len(cashless_customers(bills, CASHLESS_REPORTED)), len(billed)
                        ),
                        "auto_debit_rate": ratio(by_bank, len(billed)),
                        "channel_code": channel,
                        "channel_class": world.reference.channel_class(channel) if channel else None,
                        "share_amount": ratio(paid[channel], paid.total()) if channel else None,
                    }
                )
    return found


def _paid_by_channel(bills: list[Bill]) -> Counter[str]:
    paid: Counter[str] = Counter()
    for bill in bills:
        for part in bill.allocations:
            paid[part.channel_code or "unknown"] += part.amount
    return paid


def _name_of_unit(known: Known, level: str, code: str, month: date) -> str | None:
    reference, era = known.world.reference, era_of(month)
    if level == "power_unit":
        return reference.power_unit_name(code)
    if level == "commune":
        return reference.commune_name(code, era)
    return reference.district_names(era).get(code, code) if level == "district" else "PC Ninh Bình"


@answers("Which channels grow?", ("1 year", "1 month"))
def growth(known: Known) -> Rows:
    """Shares of two months; the page asks for those a year apart, and the world has not so many."""
    paid = {
        month: _paid_by_channel(bills)
        for (month, _), bills in group(known.world.bills("electricity"), lambda _: None).items()
    }
    found: Rows = []
    for month, amounts in paid.items():
        earlier = paid.get(add_months(month, -1), Counter())
        for channel in amounts if earlier else []:
            share, before = ratio(amounts[channel], amounts.total()), ratio(earlier[channel], earlier.total())
            assert share is not None
            assert before is not None
            found.append(
                {
                    "bill_month": month,
                    "channel_code": channel,
                    "share_amount": share,
                    "points_since_a_year": 100 * (share - before),
                }
            )
    return found


@answers("Does anybody take a fee?")
def fees(known: Known) -> Rows:
    taken: dict[tuple[str, str, date], list[int]] = defaultdict(list)
    for row in known.transactions:
        if row["fee"]:
            month = row["paid_at"].date().replace(day=1)
            taken[row["partner_code"], row["channel_code"], month].append(row["fee"])
    return [
        {
            "partner_code": partner,
            "channel_code": channel,
            "month": month,
            "transactions": len(amounts),
            "fee_vnd": Decimal(sum(amounts)),
        }
        for (partner, channel, month), amounts in taken.items()
    ]


@answers("What is the company's rate")
def company(known: Known) -> Rows:
    names = ["bill_month", "scope", "customers_cashless", "customers_billed", "cashless_rate_customers"]
    return [
        some(row, *names, "cashless_rate_customers_strict", "status")
        for row in known.table("kpi_company_month", geography="as_recorded")
    ]


@answers("Payments of channels that nobody declared")
def undeclared_channels(known: Known) -> Rows:
    amounts: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in known.transactions:
        if row["kind"] == "payment" and row["channel_class"] == "unknown":
            amounts[row["channel_code"], row["partner_code"]].append(row["amount"])
    return [
        {
            "channel_code": channel,
            "partner_code": partner,
            "payments": len(of_both),
            "amount_vnd": Decimal(sum(of_both)),
        }
        for (channel, partner), of_both in amounts.items()
    ]


@answers("What a partner reported that has not paid any bill")
def not_allocated(known: Known) -> Rows:
    buckets = ["unapplied_vnd", "suspense_vnd", "conflict_vnd", "orphan_vnd"]
    return [
        some(row, "partner_code", "paid_date", "total_vnd", *buckets)
        for row in known.table("reconciliation_partner_day")
        if any(row[bucket] for bucket in buckets)
    ]


@answers("`bi.dim_partner` has the names")
def days_by_name(known: Known) -> Rows:
    return [
        {
            "paid_date": row["paid_date"],
            "partner": PARTNER_NAMES.get(row["partner_code"], row["partner_code"]),
            "total_vnd": row["total_vnd"],
        }
        for row in known.table("reconciliation_partner_day")
    ]


# -- places ------------------------------------------------------------------------------------------------


@answers("How does the pilot commune stand")
def pilot(known: Known) -> Rows:
    """Khánh Hải as long as there is one, then what it became a part of."""
    world = known.world
    found: Rows = []
    by_commune = group(world.bills("electricity"), lambda bill: as_recorded(bill, world).commune_code)
    for (month, code), bills in by_commune.items():
        day = month_end(month)
        era = era_of(day)
        if code == (PILOT if era < CURRENT_ERA else ITS_HEIR):
            billed = {bill.row["customer_code"] for bill in bills}
            cashless = len(cashless_customers(bills, CASHLESS_REPORTED))
            found.append(
                {
                    "bill_month": month,
                    "commune_code": code,
                    "commune_name": "Xã Khánh Hải" if era < CURRENT_ERA else "Xã Yên Khánh",
                    "cashless_rate_customers": ratio(cashless, len(billed)),
                    "collection_points_open": world.counters(day).count(code),
                }
            )
    return found


@answers("Which communes have no collection point")
def communes_without_counter(known: Known) -> Rows:
    rows = known.table("kpi_commune_month", geography="as_recorded", scope="all")
    return [
        some(
            row,
            *("bill_month", "commune_code", "commune_name", "power_unit_code", "cashless_rate_customers"),
        )
        for row in rows
        if row["commune_code"] not in NOWHERE
        and row["commune_code"] not in known.world.counters(month_end(row["bill_month"]))
    ]


@answers("Which districts have none?")
def districts_without_counter(known: Known) -> Rows:
    world = known.world
    found: Rows = []
    for row in known.table("kpi_district_month", scope="all"):
        month = row["bill_month"]
        with_counter = {
            world.reference.district(commune, era_of(month))[0]
            for commune in world.counters(month_end(month))
        }
        if row["district_code"] not in {*NOWHERE, *with_counter}:
            found.append(some(row, "bill_month", "district_code", "district_name", "cashless_rate_customers"))
    return found


@answers("Which communes are behind", (MONTH_ON_THE_PAGE.isoformat(), MONTH.isoformat()))
def communes_behind(known: Known) -> Rows:
    names = ["commune_name", "power_unit_code", "customers_billed", "cashless_rate_customers"]
    where = {"bill_month": MONTH, "geography": "as_recorded", "scope": "electricity"}
    return [
        some(row, *names, "target", "attainment")
        for row in known.table("kpi_commune_month", **where)
        if row["commune_code"] not in NOWHERE
    ]


def rates_today(known: Known, place_of: Callable[[str], str]) -> dict[tuple[date, str], tuple[int, int]]:
    """Cashless and billed customers by month and what `place_of` makes of the commune where they are today."""
    world = known.world

    def place(bill: Bill) -> str:
        return place_of(world.places.current(bill.row["customer_code"]))

    return {
        key: (
            len(cashless_customers(bills, CASHLESS_REPORTED)),
            len({bill.row["customer_code"] for bill in bills}),
        )
        for key, bills in group(world.bills("electricity"), place).items()
    }


@answers("Across 2025-01-01 and 2025-07-01")
def like_for_like(known: Known) -> Rows:
    return [
        {
            "bill_month": month,
            "commune_name": "Phường Hoa Lư",
            "customers_billed": billed,
            "cashless_rate_customers": ratio(cashless, billed),
        }
        for (month, code), (cashless, billed) in rates_today(known, lambda code: code).items()
        if code == COMMUNE_TODAY
    ]


@answers("The old province inside the new company")
def former_provinces(known: Known) -> Rows:
    with (SEEDS / "admin_units_2025.csv").open(encoding="utf-8", newline="") as stream:
        provinces = {row["commune_code"]: row["former_province_code"] for row in csv.DictReader(stream)}
    rates = rates_today(known, lambda code: provinces.get(code, code))
    return [
        {
            "bill_month": month,
            "former_province_code": province,
            "cashless_rate_customers": ratio(cashless, billed),
        }
        for (month, province), (cashless, billed) in rates.items()
    ]


@answers("What became of an old commune")
def old_communes(known: Known) -> Rows:
    reference = known.world.reference
    found: Rows = []
    for (code, era), old in reference.communes.items():
        if era == 0:
            (middle,) = reference.successors[code, 0]
            heirs = reference.successors[middle, 1]
            found += [
                {
                    "district_name": old.district_name,
                    "commune_2024": old.full_name,
                    "commune_2025h1": reference.communes[middle, 1].full_name,
                    "commune_now": reference.communes[heir, CURRENT_ERA].full_name,
                    "is_split": len(heirs) > 1,
                }
                for heir in heirs
            ]
    return found


@answers("The first load of a company that has only today's customers")
def unresolved(known: Known) -> Rows:
    """All bills of every month, and those whose commune of then nobody can tell."""
    bills: Counter[date] = Counter()
    nowhere: Counter[date] = Counter()
    for row in known.table("fct_bill", is_in_scope=True):
        bills[row["bill_month"]] += 1
        nowhere[row["bill_month"]] += row["commune_code"] == UNRESOLVED
    return [
        {
            "bill_month": month,
            "bills": Decimal(count),
            "bills_unresolved": Decimal(nowhere[month]),
        }
        for month, count in bills.items()
    ]


# -- work with customers -----------------------------------------------------------------------------------


@answers("Who meets the target")
def targets(known: Known) -> Rows:
    units = known.table("kpi_power_unit_month", scope="electricity")
    employees = known.table("kpi_employee_month")
    return [
        {
            "level": level,
            "month": row[month],
            "code": row[code],
            "reached": Decimal(row[reached]),
            "target": row["target"],
            "attainment": row["attainment"],
        }
        for level, rows, month, code, reached in (
            ("power_unit", units, "bill_month", "power_unit_code", "cashless_rate_customers"),
            ("employee", employees, "month", "employee_code", "conversions"),
        )
        for row in rows
        if row["target"] is not None
    ]


@answers("Who has contacts and no target")
def without_target(known: Known) -> Rows:
    return [
        some(row, "month", "employee_code", "contacts", "conversions")
        for row in known.table("kpi_employee_month")
        if row["target"] is None
    ]


@answers("What did a campaign do")
def campaigns(known: Known) -> Rows:
    """Lift from the facts behind it: who paid cash and was reached, and who was not, and who changed of each."""
    declared = known.names("campaigns", "campaign_id")
    contacts, others = known.table("fct_campaign_contact"), known.table("fct_campaign_baseline")
    found: Rows = []
    for campaign in declared.keys() | {row["campaign_id"] for row in contacts}:
        spoken_to = [row for row in contacts if row["campaign_id"] == campaign and row["is_reached"]]
        paying_cash = {row["customer_code"] for row in spoken_to if row["is_paying_cash"]}
        converted = {row["customer_code"] for row in spoken_to if row["is_converted"]}
        baseline = [row["is_converted"] for row in others if row["campaign_id"] == campaign]
        rate, without = ratio(len(converted), len(paying_cash)), ratio(sum(baseline), len(baseline))
        found.append(
            {
                "campaign_name": declared[campaign]["name"] if campaign in declared else None,
                "customers_contacted": len({row["customer_code"] for row in spoken_to}),
                "contacted_paying_cash": len(paying_cash),
                "converted": len(converted),
                "conversion_rate": rate,
                "baseline_paying_cash": len(baseline),
                "baseline_rate": without,
                "lift": None if rate is None or without is None else rate - without,
            }
        )
    return found


@answers("Who was told before a counter closes?")
def told(known: Known) -> Rows:
    """Coverage counted from the customers that each counter serves."""
    served: dict[str, list[bool]] = defaultdict(list)
    for row in known.table("fct_counter_customer"):
        served[row["collection_point_code"]].append(row["is_notified"])
    found: Rows = []
    for code, point in known.names("collection_points", "collection_point_code").items():
        coverage = ratio(sum(served[code]), len(served[code]))
        found.append(
            {
                "collection_point_code": code,
                "as_of": point["closed_on"] or known.world.data_through,
                "customers_served": len(served[code]),
                "notification_coverage": coverage,
                "is_coverage_ok": coverage is not None and coverage >= 0.95,
            }
        )
    return found


@answers("Which notices did not arrive")
def failed_notices(known: Known) -> Rows:
    sent: dict[tuple[date, str], list[bool]] = defaultdict(list)
    for row in known.world.current["notifications"]:
        if row["customer_code"] is not None:
            month = row["sent_at"].date().replace(day=1)
            sent[month, row["medium"]].append(row["delivery"] == "failed")
    return [
        {
            "month": month,
            "medium": medium,
            "notices": len(failed),
            "failed": sum(failed),
            "failed_rate": ratio(sum(failed), len(failed)),
        }
        for (month, medium), failed in sent.items()
    ]


@answers("Which counters can close")
def counters(known: Known) -> Rows:
    closures = {row["collection_point_code"]: row for row in known.table("kpi_counter_closure")}
    gates = [
        *("as_of", "is_ready", "cashless_rate", "is_cashless_rate_ok", "notification_coverage"),
        *("is_coverage_ok", "phone_verified_rate", "is_phone_ok", "feedback_open", "is_feedback_ok"),
        *("is_authority_reported", "on_time_rate_before", "on_time_rate_after"),
    ]
    return [
        {
            "collection_point_name": point["name"],
            "planned_close_on": point["planned_close_on"],
            "closed_on": point["closed_on"],
            **some(closures[code], *gates),
        }
        for code, point in known.names("collection_points", "collection_point_code").items()
        if point["operator"] == "power_unit"
    ]


@answers("How many phone numbers are verified")
def verified_numbers(known: Known) -> Rows:
    world = known.world
    found: Rows = []
    for month in world.bill_months():
        active = set(world.places.active_on(month_end(month)))
        count = len(active & verified(world, month_end(month)))
        found.append(
            {
                "month": month,
                "customers_verified": Decimal(count),
                "customers_active": Decimal(len(active)),
                "verified_rate": ratio(count, len(active)),
            }
        )
    return found


@answers("Per power unit, of the customers who are active")
def verified_by_unit(known: Known) -> Rows:
    places, day = known.world.places, known.world.data_through
    assert day is not None
    verified_then = verified(known.world, day)
    found: dict[str, list[bool]] = defaultdict(list)
    for code in places.active_on(day):
        version = places.version_on(code, day)
        assert version is not None
        found[version["power_unit_code"]].append(code in verified_then)
    return [
        {
            "power_unit_code": unit,
            "customers_verified": sum(each),
            "customers_active": len(each),
            "verified_rate": ratio(sum(each), len(each)),
        }
        for unit, each in found.items()
    ]


@answers("What did the reviews of numbers find?")
def review_stages(known: Known) -> Rows:
    reviews = reviews_of_phones(known.world)
    stages: Counter[tuple[str, str]] = Counter()
    units: Counter[str] = Counter()
    for customer in known.world.places.customers():
        version, _ = known.world.places.versions(customer)[-1]
        if version["status"] == "active":
            latest = latest_review(reviews.get((customer, version["phone"]), []))
            stages[version["power_unit_code"], latest["result"] if latest else "not reviewed"] += 1
            units[version["power_unit_code"]] += 1
    return [
        {"power_unit_code": unit, "stage": stage, "customers": count, "share": ratio(count, units[unit])}
        for (unit, stage), count in stages.items()
    ]


@answers("How are requests and complaints answered?")
def complaints(known: Known) -> Rows:
    names = ["month", "commune_code", "received", "closed", "reopened", "median_hours_to_close", "backlog"]
    return [some(row, *names) for row in known.table("kpi_feedback_month")]


@answers("Which of them are open on the last day")
def open_complaints(known: Known) -> Rows:
    world, through = known.world, known.world.data_through
    assert through is not None
    found: Rows = []
    for row in known.table("fct_feedback"):
        closed_on = row["closed_on"]
        if row["received_on"] <= through and (closed_on is None or closed_on > through):
            code = row["commune_code"]
            name = None if code in NOWHERE else world.reference.commune_name(code, era_of(row["received_on"]))
            found.append(
                {
                    **some(row, "feedback_id", "received_on", "topic", "commune_code"),
                    "commune_name": name,
                    "days_open": (through - row["received_on"]).days,
                }
            )
    return found


@answers("A running month against the same day of earlier months")
def same_day(known: Known) -> Rows:
    """Every month as far as the last one has come, counted from the bills; not the months that ended sooner."""
    world = known.world
    months = {month: bills for (month, _), bills in group(world.bills("electricity"), lambda _: None).items()}
    starts = {month: min(bill.row["issued_on"] for bill in bills) for month, bills in months.items()}
    assert world.data_through is not None
    latest = max(month for month, start in starts.items() if start <= world.data_through)
    days_after = min((world.data_through - starts[latest]).days, 60)
    found: Rows = []
    for month, bills in months.items():
        day = starts[month] + pd.Timedelta(days=days_after).to_pytimedelta()
        if day <= world.data_through:
            issued = [bill for bill in bills if bill.row["issued_on"] <= day]
            settled = [bill for bill in issued if bill.is_settled and bill.settled_on <= day]
            cashless = sum(bill.is_cashless(CASHLESS_REPORTED) for bill in settled)
            found.append(
                {
                    "bill_month": month,
                    "days_after": days_after,
                    "bills_issued": len(issued),
                    "bills_settled": len(settled),
                    "bills_cashless": cashless,
                    "cashless_rate_bills": ratio(cashless, len(issued)),
                }
            )
    return found
