"""Hand-worked cases of feedback, the numbers worked out in comments.

Belongs here: what was received, answered and waits, by commune and month. Does not belong here: the feedback
that keeps a counter open (test_closure.py).
"""

from __future__ import annotations

import datetime as dt

import pandas as pd

from .by_hand import (
    JUNE,
    MAY,
    billed_in,
    complaint,
    figures,
)
from .columns import Row


def heard(
    rows: list[Row], bills: list[Row] | None = None
) -> dict[tuple[str, str], tuple[int, int, int, float | None, int]]:
    """received, closed, reopened, hours and backlog by month and commune."""
    tables = figures(bills=billed_in(MAY) if bills is None else bills, feedback=rows)
    return {
        (f"{row['month']:%y%m}", row["commune_code"]): (
            row["received"],
            row["closed"],
            row["reopened"],
            None if pd.isna(row["median_hours_to_close"]) else row["median_hours_to_close"],
            row["backlog"],
        )
        for row in tables["kpi_feedback_month"].to_dict("records")
    }


def test_feedback_closed_at_the_border_of_a_month() -> None:
    # Received on May 31st at 22:00 and closed in May's last second: no backlog. A second later: May's backlog.
    # Received in May's last second: May's. Hours: 1:59:59, 2 and 24: the median is 2.
    rows = [
        complaint("1", "2024-05-31 22:00", "2024-05-31 23:59:59"),
        complaint("2", "2024-05-31 22:00", "2024-06-01 00:00"),
        complaint("3", "2024-05-31 23:59:59", "2024-06-01 23:59:59"),
    ]
    assert heard(rows) == {("2405", "14587"): (3, 3, 0, 2.0, 2)}
    assert heard(rows[:1]) == {("2405", "14587"): (1, 1, 0, 7199 / 3600, 0)}


def test_backlog_over_months() -> None:
    # Received in March, before the first bills, and answered on July 10th. March to June have a backlog; June is
    # the last month of bills. Another one of July, later than all bills: a row, since it was received then.
    bills = billed_in(MAY, JUNE)
    rows = [complaint("1", "2024-03-10 08:00", "2024-07-10 08:00")]
    hours = 122 * 24.0
    assert heard(rows, bills) == {
        ("2403", "14587"): (1, 1, 0, hours, 1),
        **{(month, "14587"): (0, 0, 0, None, 1) for month in ("2404", "2405", "2406")},
    }
    rows = [complaint("1", "2024-03-10 08:00"), complaint("2", "2024-08-10 08:00")]
    found = heard(rows, bills)
    # July has a backlog only, and no bills: no row. August's backlog counts the one of March too.
    assert list(found) == [(month, "14587") for month in ("2403", "2404", "2405", "2406", "2408")]
    assert found["2408", "14587"] == (1, 0, 0, None, 2)


def test_status_and_times_are_each_taken_as_they_stand() -> None:
    # Reopened and open again, with the time of the first answer: not closed, but not in the backlog, and its 5
    # hours count. Two closed without a time: closed, in the backlog, and no hours.
    rows = [
        complaint("1", "2024-05-10 08:00", "2024-05-10 13:00", status="open", reopened=True),
        complaint("2", "2024-05-10 08:00", status="closed"),
        complaint("3", "2024-05-10 08:00", status="closed"),
    ]
    assert heard(rows) == {("2405", "14587"): (3, 2, 1, 5.0, 2)}


def test_the_current_row_of_feedback() -> None:
    # Closed in a later version, which also names another commune; of equal versions the closed one holds.
    rows = [
        complaint("1", "2024-05-10 08:00"),
        complaint(
            "1",
            "2024-05-10 08:00",
            "2024-05-10 09:00",
            commune_code="14566",
            updated_at=dt.datetime(2024, 5, 11),
        ),
        complaint("2", "2024-05-10 08:00", "2024-05-10 09:00"),
        complaint("2", "2024-05-10 08:00"),
    ]
    assert heard(rows) == {("2405", "14566"): (1, 1, 0, 1.0, 0), ("2405", "14587"): (1, 1, 0, 1.0, 0)}


def test_communes_of_feedback() -> None:
    # None given: UNKNOWN, wherever the customer lives. 14326 written in January 2025 is an old code: Vân Giang.
    # A code of nowhere, of a later era, or the word itself: UNRESOLVED.
    month = dt.date(2025, 1, 1)
    written = {"1": None, "2": "14326", "3": "99999", "4": "13285", "5": "UNKNOWN"}
    rows = [
        complaint(number, "2025-01-10 08:00", "2025-01-10 09:00", commune_code=code, customer_code="C1")
        for number, code in written.items()
    ]
    assert {key: row[0] for key, row in heard(rows, billed_in(month)).items()} == {
        ("2501", "UNKNOWN"): 1,
        ("2501", "14329"): 1,
        ("2501", "UNRESOLVED"): 3,
    }


def test_feedback_that_waits_through_a_change_of_eras() -> None:
    # Thanh Bình (14326) of December 2024 waits as Vân Giang from January and as Hoa Lư (one code, 14329) from
    # July; Gia Tân (14503) waits in its commune to June and nowhere from July.
    bills = billed_in(dt.date(2024, 12, 1), dt.date(2025, 7, 1))
    rows = [
        complaint("1", "2024-12-31 23:59:59", commune_code="14326"),
        complaint("2", "2025-06-30 23:59:59", commune_code="14503"),
        complaint("3", "2025-07-01 00:00", "2025-07-01 01:00", commune_code="14503"),
    ]
    found = heard(rows, bills)
    assert found["2412", "14326"] == (1, 0, 0, None, 1)
    assert found["2501", "14329"] == found["2507", "14329"] == (0, 0, 0, None, 1)
    assert found["2506", "14503"] == (1, 0, 0, None, 1)
    assert found["2507", "UNRESOLVED"] == (1, 1, 0, 1.0, 1)
    assert len(found) == 10
