"""Hand-worked cases: the oracle gives what the definitions say, the numbers worked out in comments.

Belongs here: tiny bundles whose figures a person can check with pen and paper. Does not belong here: the
pipeline, or random bundles.
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
import pytest

from .by_hand import JUNE, MAY, bill, customer, figures, one, payment, point, reversal
from .columns import Row


def company(tables: dict[str, pd.DataFrame], month: dt.date = MAY, scope: str = "electricity") -> Row:
    """The company's row of a month."""
    return one(tables["kpi_company_month"], bill_month=month, scope=scope, geography="as_recorded")


def commune(tables: dict[str, pd.DataFrame], month: dt.date, geography: str = "as_recorded") -> Row:
    """The only commune's row of a month."""
    return one(tables["kpi_commune_month"], bill_month=month, scope="electricity", geography=geography)


def buckets(tables: dict[str, pd.DataFrame], day: str, partner: str = "P") -> dict[str, int]:
    """What a partner's day amounts to: the buckets that are not 0."""
    row = one(
        tables["reconciliation_partner_day"], partner_code=partner, paid_date=dt.date.fromisoformat(day)
    )
    return {name.removesuffix("_vnd"): row[name] for name in list(row)[2:] if row[name]}


def test_named_payment_pays_its_bill_on_time() -> None:
    # 100,000 issued on the 5th, paid whole on the 9th through MoMo: settled after 4 days, before the 15th.
    row = company(
        figures(
            customers=[customer("C1")],
            bills=[bill("B1", "C1", 100000)],
            payments=[payment("1", "C1", 100000, "2024-05-09 10:00", bill_id="B1")],
        )
    )
    assert (row["bills_issued"], row["bills_settled"], row["bills_unpaid"], row["bills_partly_paid"]) == (
        1,
        1,
        0,
        0,
    )
    assert (row["bills_on_time"], row["median_days_to_pay"]) == (1, 4.0)
    assert row["cashless_rate_customers"] == row["cashless_rate_customers_strict"] == 1.0
    # Data through 2024-05-09 is not more than 60 days after 2024-05-31.
    assert (row["status"], row["data_through"]) == ("provisional", dt.date(2024, 5, 9))


def test_unnamed_payment_pays_the_oldest_bill_first() -> None:
    # 250,000 for three bills of 100,000: May's is due first; June's two are due together, "B10" comes before
    # "B9" bytewise. So May 100,000, B10 100,000, B9 50,000: June has one settled and one partly paid bill.
    tables = figures(
        customers=[customer("C1")],
        bills=[bill("B9", "C1", 100000, JUNE), bill("B10", "C1", 100000, JUNE), bill("Z", "C1", 100000)],
        payments=[payment("1", "C1", 250000, "2024-05-20 10:00")],
    )
    assert company(tables)["bills_settled"] == 1
    june = company(tables, JUNE)
    assert (june["bills_settled"], june["bills_partly_paid"], june["amount_open_vnd"]) == (1, 1, 50000)
    # Paid on May 20th, B10 was issued on June 5th: 0 days, not a negative number.
    assert june["median_days_to_pay"] == 0.0
    # Two bills, one of them not cashless (not settled): the customer is not cashless.
    assert (june["customers_billed"], june["customers_cashless"]) == (1, 0)


def test_named_payments_go_before_unnamed_ones_and_do_not_spill() -> None:
    # The unnamed 100,000 came first, but the named 130,000 pays B1 first: 100,000, and 30,000 stay unapplied
    # although B2 is open. The unnamed one then pays 60,000 of B2; 40,000 are left.
    tables = figures(
        customers=[customer("C1")],
        bills=[bill("B1", "C1", 100000), bill("B2", "C1", 60000)],
        payments=[
            payment("1", "C1", 100000, "2024-05-06 10:00"),
            payment("2", "C2", 130000, "2024-05-07 10:00", bill_id="B1"),
        ],
    )
    assert buckets(tables, "2024-05-06") == {
        "transactions": 1,
        "total": 100000,
        "allocated": 60000,
        "unapplied": 40000,
    }
    assert buckets(tables, "2024-05-07") == {
        "transactions": 1,
        "total": 130000,
        "allocated": 100000,
        "unapplied": 30000,
    }
    assert company(tables)["amount_open_vnd"] == 0


def test_partial_reversal_and_excess() -> None:
    # Of 100,000 first 30,000 are taken back, then 90,000: 70,000 of it match, 20,000 are orphan on their day.
    tables = figures(
        customers=[customer("C1")],
        bills=[bill("B1", "C1", 100000)],
        payments=[
            payment("1", "C1", 100000, "2024-05-09 10:00", bill_id="B1"),
            reversal("3", "1", 90000, "2024-07-02 10:00"),
            reversal("2", "1", 30000, "2024-06-02 10:00"),
        ],
    )
    assert buckets(tables, "2024-05-09") == {"transactions": 1, "total": 100000, "reversed": 100000}
    assert buckets(tables, "2024-07-02") == {"transactions": 1, "total": 20000, "orphan": 20000}
    assert len(tables["reconciliation_partner_day"]) == 2
    row = company(tables)
    assert (row["bills_unpaid"], row["amount_collected_vnd"], row["cashless_rate_amount"]) == (1, 0, None)
    assert row["median_days_to_pay"] is None


def test_partial_reversal_leaves_the_bill_partly_paid() -> None:
    # 100,000 less 1: 99,999 of 100,000 are paid.
    row = company(
        figures(
            customers=[customer("C1")],
            bills=[bill("B1", "C1", 100000)],
            payments=[
                payment("1", "C1", 100000, "2024-05-09 10:00", bill_id="B1"),
                reversal("2", "1", 1, "2024-08-02 10:00"),
            ],
        )
    )
    assert (row["bills_partly_paid"], row["amount_open_vnd"], row["cashless_rate_amount"]) == (1, 1, 1.0)
    assert row["bills_cashless"] == 0


def test_orphans() -> None:
    # Without reference, of nothing, of a reversal, of itself, and by another partner: five times 10,000.
    tables = figures(
        customers=[customer("C1")],
        payments=[
            payment("1", "C1", 10000, "2024-05-09 10:00"),
            reversal("2", "1", 10000, "2024-05-09 11:00"),
            reversal("3", None, 10000, "2024-05-10 11:00"),
            reversal("4", "no such", 10000, "2024-05-10 11:00"),
            reversal("5", "2", 10000, "2024-05-10 11:00"),
            reversal("6", "6", 10000, "2024-05-10 11:00"),
            reversal("7", "1", 10000, "2024-05-10 11:00", partner_code="Q"),
        ],
    )
    assert buckets(tables, "2024-05-10") == {"transactions": 4, "total": 40000, "orphan": 40000}
    assert buckets(tables, "2024-05-10", "Q") == {"transactions": 1, "total": 10000, "orphan": 10000}
    assert buckets(tables, "2024-05-09") == {"transactions": 1, "total": 10000, "reversed": 10000}


def test_conflict_takes_no_part() -> None:
    # One key with 100,000 and 120,000: one transaction, the greater amount, the later day. Its reversal is
    # orphan. The last row of kind payment loaded is the conflict's: data through.
    tables = figures(
        customers=[customer("C1")],
        bills=[bill("B1", "C1", 100000)],
        payments=[
            payment("1", "C1", 120000, "2024-05-09 10:00", bill_id="B1"),
            payment("1", "C1", 100000, "2024-05-12 10:00", bill_id="B1"),
            reversal("2", "1", 5000, "2024-05-13 10:00"),
        ],
    )
    assert buckets(tables, "2024-05-12") == {"transactions": 1, "total": 120000, "conflict": 120000}
    assert buckets(tables, "2024-05-13") == {"transactions": 1, "total": 5000, "orphan": 5000}
    assert company(tables)["bills_unpaid"] == 1
    assert company(tables)["data_through"] == dt.date(2024, 5, 12)


def test_rows_of_one_payment_that_agree_are_no_conflict() -> None:
    # The same kind, customer and amount: the later row holds, and it came through a counter.
    row = company(
        figures(
            customers=[customer("C1")],
            bills=[bill("B1", "C1", 100000)],
            payments=[
                payment("1", "C1", 100000, "2024-05-09 10:00"),
                payment("1", "C1", 100000, "2024-05-20 10:00", channel_code="evn_counter"),
            ],
        )
    )
    assert (row["bills_settled"], row["bills_cashless"], row["bills_on_time"]) == (1, 0, 0)


def test_mixed_bill_and_the_two_readings() -> None:
    # B1: 40,000 MoMo + 60,000 at the counter: mixed. B2: all at a bank counter: cashless as reported, not
    # strictly, and not mixed. B3: no channel named: not cashless, counted as unknown.
    tables = figures(
        customers=[customer("C1"), customer("C2"), customer("C3")],
        bills=[bill("B1", "C1", 100000), bill("B2", "C2", 100000), bill("B3", "C3", 100000)],
        payments=[
            payment("1", "C1", 40000, "2024-05-09 10:00"),
            payment("2", "C1", 60000, "2024-05-10 10:00", channel_code="evn_counter"),
            payment("3", "C2", 100000, "2024-05-10 10:00", channel_code="bank_counter"),
            payment("4", "C3", 100000, "2024-05-10 10:00", channel_code=None),
        ],
    )
    row = company(tables)
    assert (row["bills_mixed"], row["bills_cashless"], row["bills_cashless_strict"]) == (1, 1, 0)
    assert (row["amount_cashless_vnd"], row["amount_cashless_strict_vnd"]) == (140000, 40000)
    assert row["cashless_rate_amount"] == pytest.approx(140 / 300)
    share = one(tables["kpi_channel_month"], level="company", scope="electricity", channel_code="unknown")
    assert (share["channel_class"], share["amount_vnd"], share["bills"]) == ("unknown", 100000, 1)
    assert share["share_amount"] == pytest.approx(1 / 3)


def test_bills_out_of_scope_and_their_money() -> None:
    # Cancelled after it was paid: out of scope, its money unapplied. A payment for a bill nobody knows, and
    # an unnamed one of a customer nobody knows: suspense. C2 has no customers row but a (cancelled) bill.
    tables = figures(
        customers=[customer("C1")],
        bills=[
            bill("B1", "C1", 100000),
            bill("B1", "C1", 100000, status="cancelled", updated_at=dt.datetime(2024, 6, 1)),
            bill("B2", "C2", 100000, status="replaced", replaced_by="B3"),
            bill("B3", "C1", -5000),
            bill("B4", "C1", 70000, bill_type="service"),
        ],
        payments=[
            payment("1", "C1", 100000, "2024-05-09 10:00", bill_id="B1"),
            payment("2", "C1", 3000, "2024-05-09 10:00", bill_id="B3"),
            payment("3", "C1", 200, "2024-05-09 10:00", bill_id="B99"),
            payment("4", "C9", 10, "2024-05-09 10:00"),
            payment("5", "C2", 4, "2024-05-09 10:00"),
        ],
    )
    assert buckets(tables, "2024-05-09") == {
        "transactions": 5,
        "total": 103214,
        "unapplied": 103004,
        "suspense": 210,
    }
    # Only the service bill is in scope, and only in scope `all`.
    assert list(tables["kpi_company_month"]["scope"]) == ["all", "all"]
    assert company(tables, scope="all")["amount_issued_vnd"] == 70000


def test_equal_versions() -> None:
    # Three rows of one bill with the same version: `cancelled` stands later in the list than `issued`, so it
    # holds although its amount is smaller. Of C1's equal rows the one with a phone holds (empty is lowest),
    # and of those the greater commune code.
    tables = figures(
        customers=[
            customer("C1", "14587", phone=None),
            customer("C1", "14566", phone="0912345678"),
            customer("C1", "14590", phone=None),
        ],
        bills=[
            bill("B1", "C1", 50000, status="cancelled"),
            bill("B1", "C1", 100000),
            bill("B2", "C1", 20000),
            bill("B2", "C1", 30000),
        ],
    )
    assert company(tables)["amount_issued_vnd"] == 30000
    assert commune(tables, MAY)["commune_code"] == "14566"


def test_mover() -> None:
    # Khánh Hải until June 20th, then Khánh Phú: June's bills already lie in Khánh Phú (valid on June 30th).
    # Today both months lie where Khánh Phú went: Phường Đông Hoa Lư.
    tables = figures(
        customers=[customer("C1"), customer("C1", "14566", "2024-06-20")],
        bills=[bill("B1", "C1", 100000), bill("B2", "C1", 100000, JUNE)],
    )
    assert commune(tables, MAY)["commune_name"] == "Xã Khánh Hải"
    assert commune(tables, JUNE)["commune_name"] == "Xã Khánh Phú"
    for month in (MAY, JUNE):
        row = commune(tables, month, "current")
        assert (row["commune_name"], row["district_code"]) == ("Phường Đông Hoa Lư", None)


def test_recycled_code_through_the_eras() -> None:
    # Phường Thanh Bình (14326) became Vân Giang (14329) in 2025 and Phường Hoa Lư (14329 again) in July;
    # its district 369 became 374. C1 was recorded once, long ago.
    months = [dt.date(2024, 12, 1), dt.date(2025, 1, 1), dt.date(2025, 7, 1)]
    tables = figures(
        customers=[customer("C1", "14326", power_unit_code="PNNB00")],
        bills=[bill(f"B{month}", "C1", 1000, month) for month in months],
    )
    seen = [commune(tables, month) for month in months]
    assert [(row["commune_code"], row["commune_name"], row["district_code"]) for row in seen] == [
        ("14326", "Phường Thanh Bình", "369"),
        ("14329", "Phường Vân Giang", "374"),
        ("14329", "Phường Hoa Lư", None),
    ]
    assert list(tables["kpi_district_month"]["bill_month"].unique()) == months[:2]


def test_late_coded_and_too_early_versions() -> None:
    # Written 14326 in February 2025, when that code no longer existed: read in 2024 and mapped forward. The
    # bill of December 2024 lies before this first version, which is of a later era: nobody knows where.
    tables = figures(
        customers=[customer("C1", "14326", "2025-02-01")],
        bills=[
            bill("B1", "C1", 1000, dt.date(2024, 12, 1)),
            bill("B2", "C1", 1000, dt.date(2025, 1, 1)),
        ],
    )
    early = commune(tables, dt.date(2024, 12, 1))
    assert (early["commune_code"], early["district_name"], early["power_unit_code"]) == (
        "UNRESOLVED",
        "UNRESOLVED",
        "PNYK00",
    )
    assert commune(tables, dt.date(2025, 1, 1))["commune_code"] == "14329"


def test_split_commune() -> None:
    # Gia Tân (14503) exists to June 2025 and is then split: C1 is nowhere from July on, C2's own later record
    # places it. In geography current that holds for all months.
    tables = figures(
        customers=[
            customer("C1", "14503"),
            customer("C2", "14503"),
            customer("C2", "14488", "2025-08-10"),
        ],
        bills=[
            bill("B1", "C1", 1000, dt.date(2025, 6, 1)),
            bill("B2", "C1", 1000, dt.date(2025, 7, 1)),
            bill("B3", "C2", 1000, dt.date(2025, 8, 1)),
        ],
    )
    assert commune(tables, dt.date(2025, 6, 1))["commune_name"] == "Xã Gia Tân"
    assert commune(tables, dt.date(2025, 7, 1))["commune_code"] == "UNRESOLVED"
    assert commune(tables, dt.date(2025, 8, 1))["commune_name"] == "Xã Gia Vân"
    assert commune(tables, dt.date(2025, 6, 1), "current")["commune_code"] == "UNRESOLVED"


def test_unknown_customer_and_unknown_unit() -> None:
    # C9 has no row at all. C1's unit is in no list: its name is its code.
    tables = figures(
        customers=[customer("C1", power_unit_code="PHPL00")],
        bills=[bill("B1", "C9", 1000), bill("B2", "C1", 1000)],
    )
    row = one(tables["kpi_commune_month"], commune_code="UNKNOWN", geography="current", scope="all")
    assert (row["commune_name"], row["district_code"], row["power_unit_code"]) == ("UNKNOWN", None, "UNKNOWN")
    assert (
        one(tables["kpi_district_month"], district_code="UNKNOWN", scope="all")["district_name"] == "UNKNOWN"
    )
    assert (
        one(tables["kpi_power_unit_month"], power_unit_code="PHPL00", scope="all")["power_unit_name"]
        == "PHPL00"
    )


def test_targets() -> None:
    # In January 2025 14326 and 14329 are one commune: of their targets the one with the later updated_at
    # (0.8) holds. Nobody is cashless: attainment 0. UNRESOLVED is no unit; scope all has no target.
    month = dt.date(2025, 1, 1)

    def target(level: str, code: str, value: str, day: int) -> Row:
        return {
            "month": month,
            "level": level,
            "code": code,
            "metric": "cashless_rate_customers",
            "target": Decimal(value),
            "updated_at": dt.datetime(2024, 1, day),
        }

    tables = figures(
        customers=[customer("C1", "14329"), customer("C2", "99999")],
        bills=[bill("B1", "C1", 1000, month), bill("B2", "C2", 1000, month)],
        payments=[payment("1", "C2", 1000, "2025-01-09 10:00")],
        targets=[
            target("commune", "14326", "0.8", 5),
            target("commune", "14329", "0.7", 4),
            target("commune", "99999", "0.9", 4),
            target("commune", "UNRESOLVED", "0.9", 4),
            target("company", "COMPANY", "0.4", 4),
        ],
    )
    row = one(tables["kpi_commune_month"], commune_code="14329", geography="as_recorded", scope="electricity")
    assert (row["target"], row["attainment"]) == (Decimal("0.8"), 0.0)
    row = one(
        tables["kpi_commune_month"], commune_code="UNRESOLVED", geography="as_recorded", scope="electricity"
    )
    assert (row["target"], row["attainment"]) == (None, None)
    # The company: one of two customers is cashless, 0.5 of a target of 0.4.
    assert company(tables, month)["attainment"] == pytest.approx(1.25)
    assert company(tables, month, "all")["target"] is None


def test_collection_points() -> None:
    # D1 lies in Khánh Hải to June 9th 2024 and in Khánh Phú from then on; it closes on July 31st, so July's
    # last day finds it closed. D2 is a partner's. D3 lies in a commune without bills: company and district
    # (375, which has a row) only.
    july = dt.date(2024, 7, 1)

    tables = figures(
        customers=[customer("C1")],
        bills=[bill("B1", "C1", 1000), bill("B2", "C1", 1000, JUNE), bill("B3", "C1", 1000, july)],
        collection_points=[
            point("D1", "14587", "2015-01-01"),
            point("D1", "14566", "2024-06-10", closed_on=dt.date(2024, 7, 31)),
            point("D2", "14587", "2015-01-01", operator="partner"),
            point("D3", "14563", "2015-01-01"),
        ],
    )
    assert [commune(tables, month)["collection_points_open"] for month in (MAY, JUNE, july)] == [1, 0, 0]
    assert [company(tables, month)["collection_points_open"] for month in (MAY, JUNE, july)] == [2, 2, 1]
    districts = [
        one(tables["kpi_district_month"], bill_month=month, scope="all") for month in (MAY, JUNE, july)
    ]
    assert [row["collection_points_open"] for row in districts] == [2, 2, 1]
    units = [
        one(tables["kpi_power_unit_month"], bill_month=month, scope="all") for month in (MAY, JUNE, july)
    ]
    assert [row["collection_points_open"] for row in units] == [1, 0, 0]


def test_mandates_and_status() -> None:
    # A mandate ends on May 31st: active on May's last day, not on June's. The last payment is of August 30th,
    # 61 days after June 30th: June is final, July (30 days after its end) is not.
    july = dt.date(2024, 7, 1)
    tables = figures(
        customers=[customer("C1")],
        bills=[bill("B1", "C1", 1000), bill("B2", "C1", 1000, JUNE), bill("B3", "C1", 1000, july)],
        payments=[payment("1", "C1", 1000, "2024-08-30 23:59:59")],
        auto_debit_mandates=[
            {
                "mandate_id": "M1",
                "customer_code": "C1",
                "bank_code": "VCB",
                "signed_on": dt.date(2024, 5, 31),
                "ended_on": dt.date(2024, 5, 31),
                "updated_at": dt.datetime(2024, 5, 31),
            }
        ],
    )
    assert [company(tables, month)["customers_auto_debit"] for month in (MAY, JUNE)] == [1, 0]
    assert [company(tables, month)["status"] for month in (JUNE, july)] == ["final", "provisional"]


def test_power_unit_of_a_commune_is_that_of_most_customers() -> None:
    # Two units with one customer each: the smaller code; PNYK00 gets a second customer in June and wins.
    tables = figures(
        customers=[customer("C1", power_unit_code="PNKS00"), customer("C2"), customer("C3")],
        bills=[
            bill("B1", "C1", 1000),
            bill("B2", "C2", 1000),
            *[bill(f"J{who}", who, 1000, JUNE) for who in ("C1", "C2", "C3")],
        ],
    )
    assert commune(tables, MAY)["power_unit_code"] == "PNKS00"
    assert commune(tables, JUNE)["power_unit_code"] == "PNYK00"
