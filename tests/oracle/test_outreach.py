"""Hand-worked cases of campaigns and employees, the numbers worked out in comments.

Belongs here: conversions, baselines, credits. Does not belong here: notices, phones, counters
(test_coverage.py, test_closure.py).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pandas as pd

from .by_hand import CASH, MOMO, campaign, contact, customer, figures, history, one, reversal, together
from .columns import Row

CONVERTS = [CASH, CASH, CASH, MOMO, MOMO]  # bills of January to May, issued on the 5th of each month
STAYS = [CASH] * 5
MARCH, APRIL = dt.date(2024, 3, 1), dt.date(2024, 4, 1)


def of_campaign(tables: dict[str, pd.DataFrame], code: str = "CD1") -> tuple[Any, ...]:
    """contacts, contacted, paying cash, converted, the two rates and their difference."""
    row = one(tables["kpi_campaign"], campaign_id=code)
    counts = ("contacts", "customers_contacted", "contacted_paying_cash", "converted")
    return tuple(row[name] for name in (*counts, "conversion_rate", "baseline_rate", "lift"))


def of_employees(tables: dict[str, pd.DataFrame]) -> dict[tuple[str, str], tuple[Any, ...]]:
    """contacts, not reached, conversions by month and employee."""
    return {
        (f"{row['month']:%m}", row["employee_code"]): (
            row["contacts"],
            row["contacts_not_reached"],
            row["conversions"],
        )
        for row in tables["kpi_employee_month"].to_dict("records")
    }


def contacts(*rows: Row) -> dict[str, list[Row]]:
    """A campaign with these contacts."""
    return {"campaigns": [campaign()], "campaign_contacts": list(rows)}


def people(*codes: str, commune: str = "14587") -> dict[str, list[Row]]:
    """Customers of one commune."""
    return {"customers": [customer(code, commune) for code in codes]}


def test_conversion_and_baseline() -> None:
    # C1 pays January to March in cash and April and May through MoMo; contacted on March 20th: converted.
    # Baseline, all of Khánh Hải, not contacted: C2 and C3 pay cash, C3 converts by itself: 1/2. C4 was cashless
    # before, C5 has two bills before March 20th only, C6 lives in Khánh Phú: they take no part.
    tables = figures(
        **together(
            people("C1", "C2", "C3", "C4", "C5"),
            people("C6", commune="14566"),
            history("C1", CONVERTS),
            history("C2", STAYS),
            history("C3", CONVERTS),
            history("C4", [MOMO] * 5),
            history("C5", [CASH] * 4, dt.date(2024, 2, 1)),
            history("C6", STAYS),
            contacts(contact("1", "C1", "2024-03-20 09:00")),
            {
                "targets": [
                    {
                        "month": month,
                        "level": "employee",
                        "code": code,
                        "metric": metric,
                        "target": Decimal(target),
                        "updated_at": dt.datetime(2024, 1, 1),
                    }
                    for month, code, metric, target in [
                        (MARCH, "NV1", "conversions", "4"),
                        (MARCH, "NV2", "conversions", "0"),
                        (APRIL, "NV1", "cashless_rate_customers", "0.5"),
                    ]
                ]
            },
        )
    )
    assert of_campaign(tables) == (1, 1, 1, 1, 1.0, 0.5, 0.5)
    row = one(tables["kpi_employee_month"], month=MARCH, employee_code="NV1")
    assert (row["contacts"], row["conversions"], row["target"], row["attainment"]) == (1, 1, Decimal(4), 0.25)
    # A target and no contact: a row; of a target of 0 there is no attainment. Another metric is none.
    row = one(tables["kpi_employee_month"], month=MARCH, employee_code="NV2")
    assert (row["contacts"], row["conversions"], row["target"], row["attainment"]) == (0, 0, Decimal(0), None)
    assert len(tables["kpi_employee_month"]) == 2


def test_conversion_undone_by_a_reversal() -> None:
    # April's payment is taken back months later: April is unpaid, so C1 did not convert.
    bills = history("C1", CONVERTS)
    undone = reversal("R", "C1-202404", 1000, "2024-09-01 10:00")
    march = contacts(contact("1", "C1", "2024-03-20 09:00"))
    tables = figures(**together(people("C1"), bills, march, {"payments": [undone]}))
    assert of_campaign(tables) == (1, 1, 1, 0, 0.0, None, None)
    # March's is taken back instead: it is not cashless either way, and C1 converts.
    undone = reversal("R", "C1-202403", 1000, "2024-09-01 10:00")
    tables = figures(**together(people("C1"), bills, march, {"payments": [undone]}))
    assert of_campaign(tables)[3] == 1


def test_the_day_of_the_contact() -> None:
    # April's bill is issued on April 5th. Contacted that day: April is one of the next two bills, converted.
    # On April 6th: April is already one of the latest three, next are May and one that does not exist.
    # On March 5th, the day of March's bill, only two lie before: nobody knows whether C1 pays cash.
    for day, paying_cash, converted in [("04-05", 1, 1), ("04-06", 1, 0), ("03-05", 0, 0), ("03-06", 1, 1)]:
        tables = figures(
            **together(
                people("C1"), history("C1", CONVERTS), contacts(contact("1", "C1", f"2024-{day} 23:59:59"))
            )
        )
        assert of_campaign(tables)[2:4] == (paying_cash, converted), day


def test_the_next_bill_comes_within_sixty_days() -> None:
    # Nothing is issued in April and May; the next bill comes on June 5th: 60 days after April 6th, and 61 after
    # April 5th.
    for day, converted in [("04-06", 1), ("04-05", 0)]:
        tables = figures(
            **together(
                people("C1"),
                history("C1", [CASH] * 3),
                history("C1", [MOMO] * 2, dt.date(2024, 6, 1)),
                contacts(contact("1", "C1", f"2024-{day} 10:00")),
            )
        )
        assert of_campaign(tables)[2:4] == (1, converted), day


def test_one_customer_two_employees() -> None:
    # NV1 on March 20th and NV2 on April 2nd, both before April's bill: the customer counts once, for NV2.
    march, april = contact("1", "C1", "2024-03-20 09:00"), contact("2", "C1", "2024-04-02 09:00")
    who = together(people("C1"), history("C1", CONVERTS))
    tables = figures(**together(who, contacts(march, {**april, "employee_code": "NV2"})))
    assert of_campaign(tables)[:4] == (2, 1, 1, 1)
    assert of_employees(tables) == {("03", "NV1"): (1, 0, 0), ("04", "NV2"): (1, 0, 1)}
    # Without an employee the latter counts for nobody, not for NV1.
    tables = figures(**together(who, contacts(march, {**april, "employee_code": None})))
    assert of_campaign(tables)[3] == 1
    assert of_employees(tables) == {("03", "NV1"): (1, 0, 0)}
    # In the same moment the greater id counts, bytewise: "9" after "10", though the row of "10" is younger.
    tables = figures(
        **together(
            who,
            contacts(
                contact("10", "C1", "2024-03-20 09:00", updated_at=dt.datetime(2024, 6, 1)),
                contact("9", "C1", "2024-03-20 09:00", employee_code="NV2"),
            ),
        )
    )
    assert of_employees(tables) == {("03", "NV1"): (1, 0, 0), ("03", "NV2"): (1, 0, 1)}
    # A second campaign is credited for itself.
    second = {**april, "campaign_id": "CD2", "employee_code": "NV2"}
    tables = figures(**together(who, contacts(march, second)))
    assert of_employees(tables) == {("03", "NV1"): (1, 0, 1), ("04", "NV2"): (1, 0, 1)}


def test_the_later_contact_counts_only_if_it_converts() -> None:
    # On May 20th C1's latest three bills are not all cashless (March), but nothing follows: the conversion is
    # that of March, for NV1.
    tables = figures(
        **together(
            people("C1"),
            history("C1", CONVERTS),
            contacts(
                contact("1", "C1", "2024-03-20 09:00"),
                contact("2", "C1", "2024-05-20 09:00", employee_code="NV2"),
            ),
        )
    )
    assert of_employees(tables) == {("03", "NV1"): (1, 0, 1), ("05", "NV2"): (1, 0, 0)}


def test_not_reached() -> None:
    # Nobody answered at C1's, so C1 was not contacted and stands in the baseline that C2's contact opens. The
    # first contact of commune 14566 reached nobody: it opens none for C3.
    tables = figures(
        **together(
            people("C1", "C2"),
            people("C3", "C4", commune="14566"),
            history("C1", CONVERTS),
            history("C2", STAYS),
            history("C3", STAYS),
            contacts(
                contact("1", "C1", "2024-03-20 09:00", outcome="not_reached"),
                contact("2", "C2", "2024-03-21 09:00", outcome="refused"),
                contact("3", "C4", "2024-03-21 09:00", outcome="not_reached", employee_code=None),
            ),
        )
    )
    # Contacted: C2, who stays (0/1); baseline: C1, who converts (1/1).
    assert of_campaign(tables) == (3, 1, 1, 0, 0.0, 1.0, -1.0)
    assert of_employees(tables) == {("03", "NV1"): (2, 1, 0)}


def test_the_current_row_of_a_contact() -> None:
    # First registered, corrected later to not_reached; of two equal versions `agreed` stands later in the list.
    tables = figures(
        **together(
            people("C1", "C2"),
            history("C1", CONVERTS),
            history("C2", CONVERTS),
            contacts(
                contact("1", "C1", "2024-03-20 09:00", outcome="registered"),
                contact(
                    "1",
                    "C1",
                    "2024-03-20 09:00",
                    outcome="not_reached",
                    updated_at=dt.datetime(2024, 3, 21),
                ),
                contact("2", "C2", "2024-03-20 09:00", outcome="not_reached"),
                contact("2", "C2", "2024-03-20 09:00", employee_code="NV2"),
            ),
        )
    )
    assert of_campaign(tables)[:4] == (2, 1, 1, 1)
    assert of_employees(tables) == {("03", "NV1"): (1, 1, 0), ("03", "NV2"): (1, 0, 1)}


def test_unknown_campaign_unknown_customer_and_campaign_without_contacts() -> None:
    # CD9 is in no file of campaigns and has a row all the same. C9 has bills but no customers row: it converts,
    # but UNKNOWN is no commune, so nobody (C8 neither) is its baseline.
    tables = figures(
        **together(
            people("C1"),
            history("C8", CONVERTS),
            history("C9", CONVERTS),
            contacts(contact("1", "C9", "2024-03-20 09:00", campaign_id="CD9")),
        )
    )
    assert of_campaign(tables, "CD9") == (1, 1, 1, 1, 1.0, None, None)
    assert of_campaign(tables, "CD1") == (0, 0, 0, 0, None, None, None)
    assert of_employees(tables) == {("03", "NV1"): (1, 0, 1)}


def test_nobody_is_baseline_of_an_unresolved_commune_and_closed_customers_are() -> None:
    # C1 and C2 are written in a commune that does not exist. C3 is contacted, C4 closed its contract in
    # February; its bills go on, and it stands in the baseline of Khánh Hải.
    tables = figures(
        **together(
            people("C1", "C2", commune="99999"),
            people("C3", "C4"),
            {"customers": [customer("C4", since="2024-02-10", status="closed")]},
            history("C1", STAYS),
            history("C2", CONVERTS),
            history("C3", STAYS),
            history("C4", STAYS),
            contacts(contact("1", "C1", "2024-03-20 09:00"), contact("2", "C3", "2024-03-20 09:00")),
        )
    )
    assert of_campaign(tables) == (2, 2, 2, 0, 0.0, 0.0, 0.0)


def test_each_customer_is_baseline_once_on_the_earliest_day() -> None:
    # The campaign comes to Khánh Hải on March 20th, to Khánh Phú on April 20th. C2 moves from here to there on
    # April 1st: on March 20th C2 pays cash and converts afterwards; it counts once, with that day.
    # C3 moves too, but has only two bills before March 20th: it counts on April 20th (February to April in
    # cash), and does not convert, for May is followed by nothing.
    tables = figures(
        **together(
            people("C1", "C2", "C3"),
            people("C4", commune="14566"),
            {"customers": [customer(code, "14566", "2024-04-01") for code in ("C2", "C3")]},
            history("C2", CONVERTS),
            history("C3", [CASH] * 3 + [MOMO], dt.date(2024, 2, 1)),
            contacts(contact("1", "C1", "2024-03-20 09:00"), contact("2", "C4", "2024-04-20 09:00")),
        )
    )
    assert of_campaign(tables)[5] == 0.5


def test_a_campaign_over_a_change_of_eras() -> None:
    # Phường Vân Giang of 2024 and of 2025 have one code, 14329, and are two communes: the later one took in
    # Thanh Bình (14326), where C2 lives. The campaign comes on December 20th 2024 and on January 20th 2025.
    # On the first day C2 lies in another commune, on the second in this one: baseline, and it converts.
    first = dt.date(2024, 10, 1)
    tables = figures(
        **together(
            people("C1", "C3", commune="14329"),
            people("C2", commune="14326"),
            history("C2", [CASH] * 4 + [MOMO] * 2, first),
            contacts(contact("1", "C1", "2024-12-20 09:00"), contact("2", "C3", "2025-01-20 09:00")),
        )
    )
    assert of_campaign(tables) == (2, 2, 0, 0, None, 1.0, None)
    # With December's contact only, nobody is.
    tables = figures(
        **together(
            people("C1", commune="14329"),
            people("C2", commune="14326"),
            history("C2", [CASH] * 4 + [MOMO] * 2, first),
            contacts(contact("1", "C1", "2024-12-20 09:00")),
        )
    )
    assert of_campaign(tables)[5] is None


def test_only_electricity_bills_in_scope_show_how_somebody_pays() -> None:
    # A service bill in cash and a cancelled bill lie between: neither is one of the next two.
    tables = figures(
        **together(
            people("C1"),
            history("C1", CONVERTS),
            history("S1", [CASH], APRIL, customer_code="C1", bill_type="service"),
            history("S2", [None], APRIL, customer_code="C1", status="cancelled"),
            contacts(contact("1", "C1", "2024-03-20 09:00")),
        )
    )
    assert of_campaign(tables)[2:4] == (1, 1)
