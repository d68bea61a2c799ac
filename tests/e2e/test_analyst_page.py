"""The queries of the analyst's page answer: each finds rows in a warehouse with everything in it, and the right ones.

Does not belong here: that they run at all, as bi_reader and on empty tables (tests/test_docs.py); what the right rows
are (answers.py).
"""

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from typing import Any

import pytest
from pydantic import SecretStr

from dagster_project.settings import Settings
from dagster_project.transform.dbt import REPOSITORY
from dagster_project.warehouse.connection import connect
from tests.conftest import execute
from tests.e2e import pipeline
from tests.e2e.answers import (
    ITS_HEIR,
    PARTNER_NAMES,
    PILOT,
    QUESTIONS,
    Known,
    Question,
    campaigns,
    company,
    counters,
    days_by_name,
    former_provinces,
    pilot,
    rate_and_mix,
    review_stages,
    same_day,
    targets,
    told,
)
from tests.e2e.conftest import NAME, make_database
from tests.e2e.test_random_bundles import TODAY
from tests.oracle.bundle import random_bundle
from tests.oracle.by_hand import bill, contact, customer
from tests.oracle.columns import Row, frame, records
from tests.oracle.compare import plain, same
from tests.oracle.reference import UNKNOWN, UNRESOLVED
from tests.oracle.write_bundle import write

PAGE = REPOSITORY / "docs" / "analyst.md"
SEED = 6  # months of all three maps, the last still running; a counter that is ready, others that closed; conversions
ELSEWHERE = "HA01000000001"
# They ask about one month, what later publications changed (test_why_figures_changed.py has those), what was expected,
# or what the gate found (test_run.py): nothing of that is in this warehouse.
OF_ONE_MONTH_OR_CHANGE = re.compile(
    r"2024-05-01|2024-08-01|1 year|kpi_revision|signed_change|expected_file|quality_result"
)


def queries() -> list[tuple[str, str]]:
    """Every query of the page with the text between it and the one before."""
    return re.findall(r"(.*?)```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)


@pytest.fixture(scope="module")
def world() -> Known:
    """A random bundle, and what these seldom have: a customer of another former province, in a unit that nobody has
    paid, and a campaign that only a contact tells of.
    """
    more = {
        "customers": [customer(ELSEWHERE, "13285", "2025-07-01", power_unit_code="PHPL00")],
        "bills": [bill("B of Phủ Lý", ELSEWHERE, 1000, date(2025, 8, 1))],
        "campaign_contacts": [contact("TX Phủ Lý", ELSEWHERE, "2025-08-20 09:00", campaign_id="CD99")],
    }
    tables = random_bundle(SEED).tables
    return Known(
        {name: frame(name, [*records(table), *more.get(name, [])]) for name, table in tables.items()}
    )


@pytest.fixture(scope="module")
def filled(
    world: Known, server_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """A warehouse with that world in it, and one declared partner."""
    home = tmp_path_factory.mktemp("analyst")
    settings = Settings(
        home=home,
        database_url=make_database(server_url, _template),
        landing=str(home / "landing"),
        settle_seconds=0,
        today=TODAY,
        customer_key_secret=SecretStr("a fixed secret for tests only"),
    )
    partners = settings.overlay_folder() / "reference" / "partners.csv"
    partners.parent.mkdir(parents=True)
    lines = [f"{code},{name},wallet\n" for code, name in PARTNER_NAMES.items()]
    partners.write_text("partner_code,partner_name_vi,kind\n" + "".join(lines), encoding="utf-8")
    write(dict(world.bundle), home / "landing", SEED)
    with pytest.MonkeyPatch.context() as monkeypatch:
        pipeline.run(settings, monkeypatch, home)
    yield settings
    execute(server_url, f"drop database {NAME} with (force)")


def rows_of(settings: Settings, query: str) -> list[Row]:
    """What somebody at a BI tool gets."""
    with closing(connect(settings)) as conn, conn.cursor() as cursor:
        cursor.execute("set role bi_reader")
        cursor.execute(query)
        names = [column[0] for column in cursor.description or []]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def in_order(rows: list[Row]) -> list[Row]:
    """Rows in an order that both sides share: fractions, which are only nearly the same, decide last and rounded."""

    def key(row: Row) -> tuple[Any, ...]:
        values = [plain(value) for value in row.values()]
        exact = [isinstance(value, str | date | int | None) for value in values]
        return (
            [str(value) for value, is_exact in zip(values, exact, strict=True) if is_exact],
            [f"{value:.6f}" for value, is_exact in zip(values, exact, strict=True) if not is_exact],
        )

    return sorted(rows, key=key)


def test_each_question_of_the_company_is_answered(filled: Settings) -> None:
    silent = [
        query
        for _, query in queries()
        if not OF_ONE_MONTH_OR_CHANGE.search(query) and not rows_of(filled, query)
    ]
    assert silent == []


def test_the_world_has_what_the_questions_are_about(world: Known) -> None:
    """What a query could get wrong must be there to be got wrong."""

    def values(answer: Callable[[Known], list[Row]], name: str) -> set[Any]:
        return {row[name] for row in answer(world)}

    assert values(former_provinces, "former_province_code") == {"35", "37", UNRESOLVED, UNKNOWN}
    assert values(pilot, "commune_code") == {PILOT, ITS_HEIR}
    assert values(pilot, "collection_points_open") >= {0, 1}
    assert values(targets, "level") == {"power_unit", "employee"}
    assert None in values(rate_and_mix, "channel_code")
    assert values(rate_and_mix, "channel_class") == {
        None,
        "cashless",
        "agent_cash",
        "counter_cash",
        "unknown",
    }
    assert None in values(campaigns, "campaign_name")
    assert any(lift is not None and lift > 0 for lift in values(campaigns, "lift"))
    assert values(counters, "is_ready") == values(told, "is_coverage_ok") == {True, False}
    assert any(rate not in (None, 0, 1) for rate in values(counters, "on_time_rate_after"))
    assert values(review_stages, "stage") >= {"not reviewed", "owner_confirmed", "not_owner"}
    assert values(days_by_name, "partner") > set(PARTNER_NAMES.values())
    assert values(company, "status") == {"final", "provisional"}
    # The last month still runs: its day is before the last day that is followed.
    assert max(values(same_day, "days_after")) < 60
    conflicts = {(row.partner_code, row.transaction_id) for row in world.world.settlement.conflicts}
    of_fee = {(row["partner_code"], row["transaction_id"]) for row in world.transactions if row["fee"]}
    assert conflicts & of_fee


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.answer.__name__)
def test_the_answer_is_right(question: Question, filled: Settings, world: Known) -> None:
    [query] = [query for before, query in queries() if question.asked in before]
    for written, instead in question.replace:
        assert f"'{written}'" in query
        query = query.replace(f"'{written}'", f"'{instead}'")
    answer, expected = in_order(rows_of(filled, query)), in_order(question.answer(world))
    assert len(answer) == len(expected) > 0
    for row, right in zip(answer, expected, strict=True):
        assert list(row) == list(right)
        wrong = {name: (row[name], right[name]) for name in right if not same(row[name], right[name])}
        assert not wrong, f"{row}: (is, should be) {wrong}"
