"""Hand-worked cases of a month's progress, the numbers worked out in comments.

Belongs here: kpi_progress. Does not belong here: anything else.
"""

from __future__ import annotations

import datetime as dt

from .by_hand import (
    bill,
    customer,
    figures,
    one,
    payment,
)


def test_progress_of_a_running_month() -> None:
    # The company's first bill of May is issued on the 5th, C2's on the 7th. C2 paid in cash on the 6th, before its
    # bill was there: it counts from the 7th. C1 pays through MoMo on the 8th, the last payment: day 3.
    tables = figures(
        customers=[customer("C1"), customer("C2", power_unit_code="PNNB00")],
        bills=[bill("B1", "C1", 1000), bill("B2", "C2", 1000, issued_on=dt.date(2024, 5, 7))],
        payments=[
            payment("1", "C1", 1000, "2024-05-08 10:00"),
            payment("2", "C2", 1000, "2024-05-06 10:00", channel_code="evn_counter"),
        ],
    )

    def days(code: str) -> list[tuple[int, ...]]:
        table = tables["kpi_progress"]
        table = table[(table["code"] == code) & (table["scope"] == "electricity")].sort_values("days_after")
        names = ["days_after", "bills_issued", "bills_settled", "bills_cashless"]
        return list(table[names].itertuples(index=False, name=None))

    assert days("COMPANY") == [(0, 1, 0, 0), (1, 1, 0, 0), (2, 2, 1, 0), (3, 2, 2, 1)]
    # Days count from the company's first bill in every unit.
    assert days("PNNB00") == [(0, 0, 0, 0), (1, 0, 0, 0), (2, 1, 1, 0), (3, 1, 1, 0)]
    assert days("PNYK00") == [(0, 1, 0, 0), (1, 1, 0, 0), (2, 1, 0, 0), (3, 1, 1, 1)]


def test_progress_ends_after_sixty_days_and_begins_with_the_scope() -> None:
    # A service bill of May 1st begins scope `all` four days before scope `electricity`; a cancelled bill of
    # April 30th begins nothing. Day 60 of May 5th is July 4th; the bill settled on July 5th is not seen.
    tables = figures(
        customers=[customer("C1")],
        bills=[
            bill("B1", "C1", 1000),
            bill("B2", "C1", 1000, bill_type="service", issued_on=dt.date(2024, 5, 1)),
            bill("B3", "C1", 1000, status="cancelled", issued_on=dt.date(2024, 4, 30)),
        ],
        payments=[payment("1", "C1", 1000, "2024-07-05 00:00", bill_id="B1")],
    )
    table = tables["kpi_progress"]
    assert sorted(table["days_after"].unique()) == list(range(61))
    at = {"level": "company", "code": "COMPANY"}
    assert one(table, **at, scope="all", days_after=0)["bills_issued"] == 1
    assert one(table, **at, scope="all", days_after=4)["bills_issued"] == 2
    assert one(table, **at, scope="electricity", days_after=0)["bills_issued"] == 1
    assert one(table, **at, scope="electricity", days_after=60)["bills_settled"] == 0
    assert len(table) == 61 * 4
