"""Hand-worked cases of counters that close, the numbers worked out in comments.

Belongs here: whom a counter serves, its gates, how they paid before and after. Does not belong here: which
notices and reviews count (test_coverage.py).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from .by_hand import (
    MAY,
    MOMO,
    complaint,
    customer,
    facts_of,
    figures,
    history,
    notice,
    one,
    payment,
    point,
    together,
)
from .by_hand import review as phone_review
from .columns import Row, records


def closure(tables: dict[str, pd.DataFrame], code: str = "D1") -> Row:
    """A counter's row."""
    return one(tables["kpi_counter_closure"], collection_point_code=code)


def test_whom_a_counter_serves() -> None:
    # D1 serves Khánh Hải, and Khánh Phú twice; data through May 20th. C2 is closed, C3 moves there only on
    # May 21st, C4's commune is of nowhere, like one that D1 serves: three customers are not served.
    tables = figures(
        customers=[
            customer("C1"),
            customer("C2", status="closed"),
            customer("C3", "14533"),
            customer("C3", "14566", "2024-05-21"),
            customer("C4", "99999"),
            customer("C5", "14566"),
        ],
        payments=[payment("1", "C1", 1000, "2024-05-20 23:59:59")],
        collection_points=[
            point("D1", "14587", "2015-01-01", serves_commune_codes="14587; 14566;14566 ;99999;"),
            point("D2", "14587", "2015-01-01", operator="partner"),
        ],
    )
    assert (closure(tables)["as_of"], closure(tables)["customers_served"]) == (dt.date(2024, 5, 20), 2)
    assert closure(tables, "D2")["customers_served"] == 1
    # Nobody has a bill of April, nobody was told: no rate, which passes no gate.
    row = closure(tables)
    assert (row["cashless_rate"], row["notification_coverage"], row["phone_verified_rate"]) == (
        None,
        0.0,
        0.0,
    )
    assert (row["is_cashless_rate_ok"], row["is_feedback_ok"], row["is_ready"]) == (False, True, False)


def test_the_customers_behind_a_counters_rates() -> None:
    # As above, but D1 closed on May 19th and D2 is open on data through, May 20th: C1 is told, and its number is
    # verified, on the 20th only; C3 comes to Khánh Hải, which both serve, on that day. C2's review is of no number.
    # D3 serves nowhere.
    tables = facts_of(
        customers=[
            customer("C1", phone="0912345678"),
            customer("C2", "14566", phone=None),
            customer("C3", "14533"),
            customer("C3", "14587", "2024-05-20"),
            customer("C4", status="closed"),
        ],
        payments=[payment("1", "C1", 1000, "2024-05-20 23:59:59")],
        notifications=[notice("1", "C1", "2024-05-20 08:00"), notice("2", "C3", "2024-01-20 08:00")],
        phone_reviews=[
            phone_review("1", "C1", "0912345678", "2024-05-20 08:00"),
            phone_review("2", "C2", None, "2024-05-02 08:00"),
        ],
        collection_points=[
            point(
                "D1",
                "14587",
                "2015-01-01",
                serves_commune_codes="14587;14566;14587",
                closed_on=dt.date(2024, 5, 19),
            ),
            point("D2", "14587", "2015-01-01"),
            point("D3", "14587", "2015-01-01", serves_commune_codes="99999"),
        ],
    )
    assert {
        (row["collection_point_code"], row["customer_code"], row["as_of"].day): (
            row["commune_code"],
            row["is_notified"],
            row["is_phone_verified"],
        )
        for row in records(tables["fct_counter_customer"])
    } == {
        ("D1", "C1", 19): ("14587", False, False),
        ("D1", "C2", 19): ("14566", False, False),
        ("D2", "C1", 20): ("14587", True, True),
        ("D2", "C3", 20): ("14587", True, False),
    }
    assert len(tables["fct_counter_customer"]) == 4


def test_the_version_that_says_whom_a_counter_serves() -> None:
    # On its last day, June 9th, D1 serves Khánh Hải; the version of June 10th says Khánh Phú, too late. But what
    # that version says of the closure (June 9th, not planned later) holds.
    versions = [
        point("D1", "14587", "2015-01-01", planned_close_on=dt.date(2024, 5, 1)),
        point("D1", "14587", "2024-05-01", planned_close_on=dt.date(2024, 9, 1)),
        point("D1", "14566", "2024-06-10", closed_on=dt.date(2024, 6, 9)),
    ]
    who = [customer("C1"), customer("C2"), customer("C3", "14566")]
    row = closure(figures(customers=who, collection_points=versions))
    assert (row["as_of"], row["customers_served"]) == (dt.date(2024, 6, 9), 2)
    # Closed on June 10th it serves Khánh Phú that day.
    versions[-1]["closed_on"] = dt.date(2024, 6, 10)
    assert closure(figures(customers=who, collection_points=versions))["customers_served"] == 1


def test_what_a_counter_serves_through_the_eras() -> None:
    # Written in 2015: Thanh Bình and Gia Tân; closed in July 2025, when the first is Hoa Lư and the second is
    # split: C2 has nowhere to be, and is not served. Closed in 2024, but first written down in 2025: nobody.
    codes = "14326;14503"
    row = point("D1", "14326", "2015-01-01", serves_commune_codes=codes, closed_on=dt.date(2025, 7, 1))
    late = point("D2", "14326", "2025-01-05", serves_commune_codes=codes, closed_on=dt.date(2024, 12, 31))
    # Written in February 2025 with the code of before: read as Vân Giang, so that C1 is served; and Gia Tân.
    old = point("D3", "14326", "2025-02-05", serves_commune_codes=codes, closed_on=dt.date(2025, 3, 31))
    tables = figures(
        customers=[customer("C1", "14326"), customer("C2", "14503")], collection_points=[row, late, old]
    )
    assert [closure(tables, code)["customers_served"] for code in ("D1", "D2", "D3")] == [1, 0, 2]
    row = closure(tables, "D2")
    assert (row["notification_coverage"], row["is_coverage_ok"], row["is_phone_ok"]) == (None, False, False)


def ready(**other: Any) -> dict[str, list[Row]]:
    """Ten customers of Khánh Hải, all told, nine cashless in May, eight with their own phone; D1 closes in June."""
    codes = [f"C{number}" for number in range(10)]
    phones = {code: f"091234567{number}" for number, code in enumerate(codes)}
    sources = together(
        {"customers": [customer(code, phone=phones[code]) for code in codes]},
        *[history(code, [MOMO], MAY) for code in codes[1:]],
        history("C0", ["evn_counter"], MAY),
    )
    sources["notifications"] = [notice(code, code, "2024-05-10 09:00") for code in codes]
    sources["phone_reviews"] = [phone_review(c, c, phones[c], "2024-05-10 09:00") for c in codes[2:]]
    changes: Row = {"closed_on": dt.date(2024, 6, 20), "authority_reported_on": dt.date(2024, 6, 20), **other}
    sources["collection_points"] = [point("D1", "14587", "2024-01-01", **changes)]
    return sources


def test_a_counter_that_is_ready() -> None:
    # 9/10 cashless, 10/10 told, 8/10 verified, reported on the very day, nothing open: every gate just passed.
    row = closure(figures(**ready()))
    assert (row["cashless_rate"], row["notification_coverage"], row["phone_verified_rate"]) == (0.9, 1.0, 0.8)
    assert row["is_ready"] is True
    assert row["feedback_open"] == 0


def test_gates_that_are_just_missed() -> None:
    # Reported a day late, or never.
    for reported in (dt.date(2024, 6, 21), None):
        row = closure(figures(**ready(authority_reported_on=reported)))
        assert (row["is_authority_reported"], row["is_ready"]) == (False, False)
    # One is told on the day after: 9/10. On the day itself: 10/10.
    sources = ready()
    sources["notifications"][0]["sent_at"] = dt.datetime(2024, 6, 21)
    assert closure(figures(**sources))["is_coverage_ok"] is False
    sources["notifications"][0]["sent_at"] = dt.datetime(2024, 6, 20, 23, 59, 59)
    assert closure(figures(**sources))["is_coverage_ok"] is True
    # One phone is denied on the last day: 7/10.
    sources["phone_reviews"][0]["reviewed_at"] = dt.datetime(2024, 6, 20, 23, 59, 59)
    sources["phone_reviews"][0]["result"] = "not_owner"
    assert closure(figures(**sources))["is_phone_ok"] is False


def test_open_feedback_of_those_served() -> None:
    # Open on June 20th: the first, which came that day and is closed the next. Not: closed that day; come the
    # day after; about a bill; of a stranger; of nobody, though from Khánh Hải.
    closed = dt.date(2024, 6, 20)
    row = closure(
        figures(
            **ready(closed_on=closed),
            feedback=[
                complaint("1", "2024-06-20 23:59:59", "2024-06-21 00:00", customer_code="C1"),
                complaint("2", "2024-06-01 08:00", "2024-06-20 23:59:59", customer_code="C1"),
                complaint("3", "2024-06-21 00:00", customer_code="C1"),
                complaint("4", "2024-06-01 08:00", customer_code="C1", topic="bill"),
                complaint("5", "2024-06-01 08:00", customer_code="C99"),
                complaint("6", "2024-06-01 08:00"),
            ],
        )
    )
    assert (row["feedback_open"], row["is_feedback_ok"], row["is_ready"]) == (1, False, False)


def test_the_last_month_that_ended() -> None:
    # On May 31st May has not ended before the day: April, of which there are no bills. On June 1st it has.
    # In July the last month is June, without bills too.
    for day, rate in [((5, 31), None), ((6, 1), 0.9), ((6, 30), 0.9), ((7, 1), None)]:
        assert closure(figures(**ready(closed_on=dt.date(2024, *day))))["cashless_rate"] == rate, day
    # Not closed: as of the last payment, May 9th.
    row = closure(figures(**ready(closed_on=None)))
    assert (row["as_of"], row["cashless_rate"]) == (dt.date(2024, 5, 9), None)
    assert (row["on_time_rate_before"], row["on_time_rate_after"]) == (None, None)


def test_on_time_before_and_after() -> None:
    # Bills of January to September, paid on the 9th (on time, due on the 15th) but March, June and July, which
    # nobody paid. Closed in May: February to April 2/3, June to August 1/3; May itself does not count.
    channels = [MOMO, MOMO, None, MOMO, MOMO, None, None, MOMO, MOMO]
    tables = figures(
        **together(
            {"customers": [customer("C1")]},
            history("C1", channels),
            {"collection_points": [point("D1", "14587", "2015-01-01", closed_on=dt.date(2024, 5, 31))]},
        )
    )
    row = closure(tables)
    assert (row["on_time_rate_before"], row["on_time_rate_after"]) == (2 / 3, 1 / 3)


def test_a_counter_without_any_day() -> None:
    # No payment was ever loaded and the counter is open: there is no day to look at.
    row = closure(figures(customers=[customer("C1")], collection_points=[point("D1", "14587", "2015-01-01")]))
    assert (row["as_of"], row["customers_served"], row["is_authority_reported"]) == (None, 0, False)
