"""The first load of a company that has only today's customers, and the older states that come later and resolve it.

What docs/analyst.md says of it, in exact counts. Does not belong here: late rows in general (test_vanishing.py).
"""

from collections.abc import Iterable
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.agreement import assert_published
from tests.e2e.test_analyst_page import queries
from tests.oracle.by_hand import bill, campaign, contact, customer, notice, payment, point
from tests.oracle.columns import Row, frame, records
from tests.oracle.compare import published
from tests.oracle.write_bundle import write

MONTHS = [date(2024, 11, 1), date(2024, 12, 1), *(date(2025, month, 1) for month in (1, 2, 6, 7, 8))]
OF_2024, OF_2025H1, JULY, AUGUST = MONTHS[:2], MONTHS[2:5], MONTHS[5], MONTHS[6]
# Where customers are today, and where four of the five were since 2020: in Thanh Bình, now Hoa Lư; in Khánh Hải, now
# Yên Khánh; in Gia Tân, of which a part is now Tây Hoa Lư. Of C3 nobody has an older state.
TODAY = {
    "C1": ("14329", "PNNB00"),
    "C2": ("14560", "PNYK00"),
    "C3": ("14560", "PNYK00"),
    "C4": ("14533", "PNGV00"),
    "C5": ("14560", "PNYK00"),
}
BEFORE = {"C1": "14326", "C2": "14587", "C4": "14503", "C5": "14587"}
ON_TODAYS_MAP = {"14329": 1, "14560": 3, "14533": 1}
UNITS = {"PNNB00": 1, "PNYK00": 3, "PNGV00": 1}
NOWHERE = {"UNRESOLVED": 5}

Tables = dict[str, pd.DataFrame]


def channel(who: str, month: date) -> str | None:
    """C1 pays by app, C2 in cash until it was visited, C4 not at all, the others in cash."""
    in_cash = "evn_counter"
    visited = "momo" if month >= MONTHS[4] else in_cash
    return {"C1": "momo", "C2": visited, "C4": None}.get(who, in_cash)


def first_load() -> dict[str, list[Row]]:
    """Bills of all months, but customers since August only; what the company did in February and March."""
    bills = [(who, month, f"{who}-{month:%Y%m}") for month in MONTHS for who in TODAY]
    return {
        "customers": [
            customer(who, commune, "2025-08-01", power_unit_code=unit)
            for who, (commune, unit) in TODAY.items()
        ],
        "bills": [bill(code, who, 1000, month) for who, month, code in bills],
        "payments": [
            payment(
                code, who, 1000, f"{month:%Y-%m}-09 10:00", bill_id=code, channel_code=channel(who, month)
            )
            for who, month, code in bills
            if channel(who, month)
        ],
        "campaigns": [campaign()],
        "campaign_contacts": [contact("X1", "C2", "2025-02-20 09:00")],
        "notifications": [notice("N1", "C2", "2025-02-10 09:00")],
        "collection_points": [point("D1", "14587", "2020-01-01", closed_on=date(2025, 3, 31))],
    }


def older_states() -> dict[str, list[Row]]:
    """Where four of them have been since 2020."""
    return {
        "customers": [
            customer(who, commune, "2020-01-01", power_unit_code=TODAY[who][1])
            for who, commune in BEFORE.items()
        ]
    }


class Warehouse:
    """One load after the other, each from a folder of its own."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self._settings, self._monkeypatch, self._target = settings, monkeypatch, target
        self._came: dict[str, list[Row]] = {}

    def take(self, rows: dict[str, list[Row]], what: str) -> None:
        """Load these rows; then everything is as recomputed from all that came."""
        landing = self._target / what
        write(self._tables(rows), landing, 1, shuffle=False, only_csv=True)
        settings = self._settings.model_copy(update={"landing": str(landing)})
        pipeline.run(settings, self._monkeypatch, self._target)
        for source, more in rows.items():
            self._came.setdefault(source, []).extend(more)
        assert_published(settings, self._tables(self._came), f"after {what}")

    def rows(self, table: str, **where: Any) -> list[Row]:
        with closing(connect(self._settings)) as conn:
            rows = records(published(conn, table))
        return [row for row in rows if all(row[name] == value for name, value in where.items())]

    def billed(self, table: str, unit: str, **where: Any) -> dict[date, dict[str, int]]:
        """Customers billed by month and unit; each has one bill a month."""
        found: dict[date, dict[str, int]] = {}
        for row in self.rows(table, scope="electricity", **where):
            assert row["bills_issued"] == row["customers_billed"]
            found.setdefault(row["bill_month"], {})[row[unit]] = row["customers_billed"]
        return found

    def unresolved(self) -> list[tuple[date, int, int]]:
        """What the page's query says of it."""
        [query] = [query for before, query in queries() if "The first load of a company" in before]
        with closing(connect(self._settings)) as conn, conn.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    @staticmethod
    def _tables(rows: dict[str, list[Row]]) -> Tables:
        return {source: frame(source, of_source) for source, of_source in rows.items()}


def in_all(months: Iterable[date], units: dict[str, int]) -> dict[date, dict[str, int]]:
    return dict.fromkeys(months, units)


def assert_complete(runs: Warehouse) -> None:
    """What does not depend on where a customer was: today's map, the power units and the company."""
    assert runs.billed("kpi_commune_month", "commune_code", geography="current") == in_all(
        MONTHS, ON_TODAYS_MAP
    )
    assert runs.billed("kpi_power_unit_month", "power_unit_code") == in_all(MONTHS, UNITS)
    for geography in ("as_recorded", "current"):
        company = runs.rows("kpi_company_month", geography=geography, scope="electricity")
        assert {
            row["bill_month"]: (
                *(row["customers_billed"], row["customers_cashless"]),
                *(row["bills_settled"], row["amount_issued_vnd"], row["amount_collected_vnd"]),
            )
            for row in company
        } == {
            month: (5, 2 if month in MONTHS[4:] else 1, 4, 5000, 4000)  # C1, and C2 once it was visited
            for month in MONTHS
        }


def test_only_todays_customers_and_then_their_past(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    runs = Warehouse(warehouse, monkeypatch, tmp_path)
    runs.take(first_load(), "first load")
    assert_complete(runs)
    # A version of August says where a bill of July was, which is on the same map, and nothing of those before.
    assert runs.billed("kpi_commune_month", "commune_code", geography="as_recorded") == {
        **in_all([*OF_2024, *OF_2025H1], NOWHERE),
        **in_all([JULY, AUGUST], ON_TODAYS_MAP),
    }
    assert runs.billed("kpi_district_month", "district_code") == in_all([*OF_2024, *OF_2025H1], NOWHERE)
    assert runs.unresolved() == [
        *[(month, 5, 5) for month in (*OF_2024, *OF_2025H1)],
        (JULY, 5, 0),
        (AUGUST, 5, 0),
    ]
    # Closed in March, the counter served nobody that anybody knows; coverage begins in August; C2 was in no known
    # commune in February, so that nobody is compared with it, though it changed.
    [counter] = runs.rows("kpi_counter_closure")
    assert (counter["customers_served"], counter["cashless_rate"], counter["notification_coverage"]) == (
        0,
        None,
        None,
    )
    assert {
        (row["month"], row["commune_code"]): (row["customers_active"], row["customers_notified"])
        for row in runs.rows("kpi_notification_month")
    } == {(AUGUST, "14329"): (1, 0), (AUGUST, "14560"): (3, 1), (AUGUST, "14533"): (1, 0)}
    [visits] = runs.rows("kpi_campaign")
    assert (visits["contacted_paying_cash"], visits["baseline_paying_cash"], visits["lift"]) == (1, 0, None)

    runs.take(older_states(), "older states")
    assert_complete(runs)
    # Only C3 is still nowhere before July. In July C4 is: it was in Gia Tân until August, which is split that month.
    assert runs.billed("kpi_commune_month", "commune_code", geography="as_recorded") == {
        **in_all(OF_2024, {"14326": 1, "14587": 2, "14503": 1, "UNRESOLVED": 1}),
        **in_all(OF_2025H1, {"14329": 1, "14587": 2, "14503": 1, "UNRESOLVED": 1}),
        JULY: {"14329": 1, "14560": 3, "UNRESOLVED": 1},
        AUGUST: ON_TODAYS_MAP,
    }
    assert runs.billed("kpi_district_month", "district_code") == {
        **in_all(OF_2024, {"369": 1, "375": 2, "373": 1, "UNRESOLVED": 1}),
        **in_all(OF_2025H1, {"374": 1, "375": 2, "373": 1, "UNRESOLVED": 1}),
    }
    assert runs.unresolved() == [
        *[(month, 5, 1) for month in (*OF_2024, *OF_2025H1, JULY)],
        (AUGUST, 5, 0),
    ]
    # C2 and C5 were served, C2 was told; C5 is whom C2 is compared with.
    [counter] = runs.rows("kpi_counter_closure")
    assert (counter["customers_served"], counter["notification_coverage"]) == (2, 0.5)
    told = {row["month"]: row for row in runs.rows("kpi_notification_month", commune_code="14587")}
    assert min(told) == MONTHS[0]
    assert [told[month]["customers_active"] for month in (*OF_2024, *OF_2025H1)] == [2] * 5
    assert [told[month]["customers_notified"] for month in (*OF_2024, *OF_2025H1)] == [0, 0, 0, 1, 1]
    [visits] = runs.rows("kpi_campaign")
    assert (visits["contacted_paying_cash"], visits["baseline_paying_cash"]) == (1, 1)
