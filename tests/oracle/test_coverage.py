"""Hand-worked cases of notices and phones, the numbers worked out in comments.

Belongs here: active, notified and verified customers. Does not belong here: counters (test_closure.py).
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pandas as pd

from .by_hand import (
    JULY,
    JUNE,
    MAY,
    bill,
    billed_in,
    customer,
    facts_of,
    figures,
    notice,
    one,
)
from .by_hand import review as phone_review
from .columns import Row, records
from .read_landing import read_phone


def month_of(
    tables: dict[str, pd.DataFrame], table: str, month: dt.date, commune: str = "14587"
) -> list[Any]:
    """A commune's figures of a month."""
    return list(one(tables[table], month=month, commune_code=commune).values())[2:]


def told(tables: dict[str, pd.DataFrame], month: dt.date, commune: str = "14587") -> list[Any]:
    """Active and notified customers and their ratio."""
    return month_of(tables, "kpi_notification_month", month, commune)


def test_which_notices_count() -> None:
    # Of eight customers C1 and C8 are told: the others' notices failed, are under way, hang on a wall (though
    # they name somebody), went out by mass media, spoke of something else, or named nobody.
    codes = [f"C{number}" for number in range(1, 9)]
    tables = figures(
        customers=[customer(code) for code in codes],
        bills=billed_in(MAY),
        notifications=[
            notice("1", "C1", "2024-05-10 09:00"),
            notice("2", "C2", "2024-05-10 09:00", delivery="failed"),
            notice("3", "C3", "2024-05-10 09:00", delivery="unknown"),
            notice("4", "C4", "2024-05-10 09:00", medium="public_posting"),
            notice("5", "C5", "2024-05-10 09:00", medium="mass_media"),
            notice("6", "C6", "2024-05-10 09:00", topic="campaign"),
            notice("7", None, "2024-05-10 09:00", commune_code="14587"),
            notice("8", "C8", "2024-05-10 09:00", medium="letter"),
            notice("9", "C8", "2024-05-11 09:00"),
        ],
    )
    assert told(tables, MAY) == [8, 2, 0.25]


def test_the_current_row_of_a_notice() -> None:
    # First unknown, then delivered; then, in a later version, failed after all. Of two equal versions
    # `delivered` stands later in the list.
    later = dt.datetime(2024, 5, 12)
    tables = figures(
        customers=[customer("C1"), customer("C2"), customer("C3")],
        bills=billed_in(MAY),
        notifications=[
            notice("1", "C1", "2024-05-10 09:00", delivery="unknown"),
            notice("1", "C1", "2024-05-10 09:00", updated_at=later),
            notice("2", "C2", "2024-05-10 09:00"),
            notice("2", "C2", "2024-05-10 09:00", delivery="failed", updated_at=later),
            notice("3", "C3", "2024-05-10 09:00", delivery="failed"),
            notice("3", "C3", "2024-05-10 09:00"),
        ],
    )
    assert told(tables, MAY) == [3, 2, 2 / 3]


def test_months_of_notices() -> None:
    # Sent in May's last second it counts for May, a second later for June only; once told is told for ever.
    # June has no bill, but lies between the first and the last month of bills; August is cancelled: no month.
    tables = figures(
        customers=[customer("C1"), customer("C2")],
        bills=[
            *billed_in(MAY, JULY),
            bill("X", "C1", 1000, dt.date(2024, 8, 1), status="cancelled"),
            bill("Y", "C1", 0, dt.date(2024, 4, 1)),
        ],
        notifications=[
            notice("1", "C1", "2024-05-31 23:59:59", delivered_at=dt.datetime(2024, 6, 3)),
            notice("2", "C2", "2024-06-01 00:00"),
        ],
    )
    assert sorted(tables["kpi_notification_month"]["month"]) == [MAY, JUNE, JULY]
    assert [told(tables, month)[1] for month in (MAY, JUNE, JULY)] == [1, 2, 2]


def test_active_customers() -> None:
    # C1 is told in May, before its first version of June 30th: not active in May, active and told in June.
    # C2 closes on June 30th: no longer active that day. C3 moves on May 31st and takes its notice along.
    # C4 is in a commune that does not exist: a row of its own. C5 has no customers row, so it is nowhere.
    tables = figures(
        customers=[
            customer("C1", since="2024-06-30"),
            customer("C2"),
            customer("C2", since="2024-06-30", status="closed"),
            customer("C3"),
            customer("C3", "14566", "2024-05-31"),
            customer("C4", "99999"),
        ],
        bills=billed_in(MAY, JUNE),
        notifications=[notice(code, code, "2024-05-10 09:00") for code in ("C1", "C3", "C4", "C5")],
    )
    assert told(tables, MAY) == [1, 0, 0.0]  # C2
    assert told(tables, JUNE) == [1, 1, 1.0]  # C1
    assert told(tables, MAY, "14566") == [1, 1, 1.0]
    assert told(tables, MAY, "UNRESOLVED") == [1, 1, 1.0]
    assert len(tables["kpi_notification_month"]) == 6


def test_communes_of_customers_through_the_eras() -> None:
    # Thanh Bình is Vân Giang from 2025 and Hoa Lư from July 2025; Gia Tân is split in July 2025.
    tables = figures(
        customers=[customer("C1", "14326"), customer("C2", "14503")],
        bills=billed_in(dt.date(2024, 12, 1), dt.date(2025, 7, 1)),
    )
    table = tables["kpi_phone_month"]
    assert {(f"{row['month']:%y%m}", row["commune_code"]) for row in table.to_dict("records")} == {
        ("2412", "14326"),
        *{(f"25{month:02d}", "14329") for month in range(1, 8)},
        *{(month, "14503") for month in ("2412", "2501", "2502", "2503", "2504", "2505", "2506")},
        ("2507", "UNRESOLVED"),
    }


def verified(customers: list[Row], *reviews: Row) -> list[int]:
    """Verified customers of Khánh Hải at the end of May and June."""
    tables = figures(customers=customers, bills=billed_in(MAY, JUNE), phone_reviews=list(reviews))
    return [month_of(tables, "kpi_phone_month", month)[1] for month in (MAY, JUNE)]


def test_reviews_of_the_current_phone() -> None:
    # C1 has phone 1 until June 20th, then phone 2, which a review of April, before anybody wrote it down as
    # C1's, confirms. In June phone 1 no longer counts.
    one_, two = "0912345678", "0987654321"
    first, second = customer("C1", phone=one_), customer("C1", since="2024-06-20", phone=two)
    assert verified([first, second], phone_review("1", "C1", one_, "2024-05-02 10:00")) == [1, 0]
    assert verified([first, second], phone_review("1", "C1", two, "2024-04-02 10:00")) == [0, 1]
    # A review of another phone, though younger, says nothing; one of another customer neither.
    assert verified(
        [first],
        phone_review("1", "C1", one_, "2024-05-02 10:00"),
        phone_review("2", "C1", two, "2024-05-03 10:00", result="not_owner"),
        phone_review("3", "C2", one_, "2024-05-03 10:00", result="not_owner"),
    ) == [1, 1]
    # The latest of the phone decides, from its day on: confirmed in May, denied in June, and the other way.
    confirmed = phone_review("1", "C1", one_, "2024-05-31 23:59:59")
    denied = phone_review("2", "C1", one_, "2024-06-01 00:00", result="not_owner")
    assert verified([first], confirmed, denied) == [1, 0]
    assert verified(
        [first], {**confirmed, "result": "unreachable"}, {**denied, "result": "owner_confirmed"}
    ) == [
        0,
        1,
    ]


def test_the_spans_on_which_a_number_is_verified() -> None:
    # Number 1 until June 20th, then 2, then 1 again from July 20th. Confirmed before anybody wrote it down as C1's,
    # again in June (a span of its own: something was found anew), and denied on July 25th: nothing from then on.
    # Number 2 is confirmed on July 5th, and unreachable, then confirmed after all, on the 10th: the latest counts.
    # C2's only review is of nobody's number; C3 is confirmed though closed, for ever.
    one_, two = "0912345678", "0987654321"
    found = facts_of(
        customers=[
            customer("C1", since="2024-05-01", phone=one_),
            customer("C1", since="2024-06-20", phone=two),
            customer("C1", since="2024-07-20", phone=one_),
            customer("C2", phone=two),
            customer("C3", since="2024-05-01", phone=one_, status="closed"),
        ],
        phone_reviews=[
            phone_review("1", "C1", one_, "2024-04-02 10:00"),
            phone_review("2", "C1", one_, "2024-06-10 23:59:59"),
            phone_review("3", "C1", one_, "2024-07-25 00:00", result="not_owner"),
            phone_review("4", "C1", two, "2024-07-05 08:00"),
            phone_review("5", "C1", two, "2024-07-10 08:00", result="unreachable"),
            phone_review("6", "C1", two, "2024-07-10 09:00"),
            phone_review("7", "C2", one_, "2024-05-02 10:00"),
            phone_review("8", "C3", one_, "2024-05-02 10:00"),
        ],
    )["fct_phone_verification"]
    assert [
        (
            row["customer_code"],
            f"{row['verified_from']:%m-%d}",
            row["verified_to"] and f"{row['verified_to']:%m-%d}",
        )
        for row in records(found)
    ] == [
        ("C1", "05-01", "06-10"),
        ("C1", "06-10", "06-20"),
        ("C1", "07-05", "07-10"),
        ("C1", "07-10", "07-20"),
        ("C1", "07-20", "07-25"),
        ("C3", "05-02", None),
    ]


def test_two_reviews_in_one_moment() -> None:
    # The greater id counts, bytewise: "9" after "10", though the row of "10" is younger.
    phone = "0912345678"
    who = [customer("C1", phone=phone)]
    ten = phone_review("10", "C1", phone, "2024-05-02 10:00", updated_at=dt.datetime(2024, 5, 3))
    nine = phone_review("9", "C1", phone, "2024-05-02 10:00", result="not_owner")
    assert verified(who, ten, nine) == [0, 0]
    assert verified(who, {**ten, "result": "missing"}, {**nine, "result": "owner_confirmed"}) == [1, 1]


def test_forms_of_a_phone_and_none() -> None:
    # The same number in the forms that files have; no number is never verified; one that cannot be normalised
    # is compared as it came.
    for written in ("+84912345678", "84912345678", "912345678", "912345678.0", "0912345678"):
        row = phone_review("1", "C1", read_phone(written), "2024-05-02 10:00")
        assert verified([customer("C1", phone="0912345678")], row) == [1, 1], written
    old = phone_review("1", "C1", read_phone("01691234567"), "2024-05-02 10:00")
    assert verified([customer("C1", phone="0391234567")], old) == [1, 1]
    assert verified([customer("C1", phone=None)], phone_review("1", "C1", None, "2024-05-02 10:00")) == [0, 0]
    landline = phone_review("1", "C1", "02293871234", "2024-05-02 10:00")
    assert verified([customer("C1", phone="02293871234")], landline) == [1, 1]


def test_the_current_row_of_a_review() -> None:
    # The review is corrected: it was of another phone.
    phone = "0912345678"
    row = phone_review("1", "C1", phone, "2024-05-02 10:00")
    corrected = {**row, "phone": "0987654321", "updated_at": dt.datetime(2024, 7, 1)}
    assert verified([customer("C1", phone=phone)], row, corrected) == [0, 0]
