"""`cashless run` as a user meets it: the real job in process, its exit codes, and what BI sees after each."""

from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagster_project.audit.suites import suites
from dagster_project.cli import main
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.oracle.compare import assert_same, published
from tests.oracle.recompute import KEYS


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as conn, conn, conn.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def cashless(warehouse: Settings, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Calls the command line with the test's warehouse as its settings."""
    monkeypatch.setenv("CASHLESS_HOME", str(warehouse.home))
    monkeypatch.setenv("CASHLESS_DATABASE_URL", warehouse.database_url or "")
    monkeypatch.setenv("CASHLESS_CUSTOMER_KEY_SECRET", "a fixed secret for tests only")
    monkeypatch.setenv("CASHLESS_TODAY", "2026-01-15")
    monkeypatch.setenv("CASHLESS_SETTLE_SECONDS", "0")

    def call(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments), catch_exceptions=False)

    return call


def assert_results_are_data(warehouse: Settings) -> None:
    """Every check of the gate has its row, and the query of a failed one lists as many rows as it counted."""
    found = rows(
        warehouse,
        "select suite, expectation, outcome, severity, observed, failing_rows, rows_query from bi.quality_result"
        " where publication_id = 1",
    )
    assert {(suite, name) for suite, name, *_ in found} == {
        (suite.name, expectation.name) for suite in suites() for expectation in suite.expectations
    }
    failed = [(name, *rest) for _, name, outcome, _, *rest in found if outcome == "failed"]
    assert {name for name, *_ in failed} >= {"quarantine_open", "files_refused"}
    for name, observed, failing_rows, query in failed:
        if failing_rows is not None and query is not None:
            assert failing_rows == observed == len(rows(warehouse, query)), name


def test_a_warehouse_from_its_first_run_to_a_refused_publication(cashless, warehouse: Settings) -> None:  # type: ignore[no-untyped-def]
    landing = Path(warehouse.landing)
    write_sample(landing, customers=150, first=date(2025, 6, 1), last=date(2025, 7, 1), seed=3, dirty=True)
    (landing / "stray.csv").write_text("a,b\n", encoding="utf-8")
    (landing / "bills" / "no_total.csv").write_text("bill_id,customer_code\nB1,C1\n", encoding="utf-8")

    first = cashless("run", "--landing", str(landing))
    assert first.exit_code == 0, first.output
    # One line each for what was not read, with its name and reason; the other files went on.
    assert "stray.csv" in first.output
    assert "no_total.csv" in first.output
    assert "total_amount" in first.output
    refused = dict(
        rows(warehouse, "select file, refused_reason from bi.load_audit where refused_reason is not null")
    )
    assert "total_amount" in refused["bills/no_total.csv"]
    assert rows(warehouse, "select count(*) from bi.publication") == [(1,)]
    figures = pipeline.figures(warehouse)
    assert len(figures["kpi_company_month"]) > 0

    assert_results_are_data(warehouse)

    builds = rows(warehouse, "select count(*) from audit.build")
    again = cashless("run", "--landing", str(landing))
    assert again.exit_code == 0
    assert "Nothing new" in again.output
    assert rows(warehouse, "select count(*) from audit.build") == builds

    # The ledger loses a row: the files no longer account for what is in raw.
    lose = "update landing.file set rows_in_file = rows_in_file {0} 1, rows_loaded = rows_loaded {0} 1"
    one = (
        " where file_id = (select min(file_id) from landing.file where source = 'bills' and rows_loaded > 1)"
    )
    rows(warehouse, lose.format("-") + one)
    refusal = cashless("run", "--full", "--landing", str(landing))
    assert refusal.exit_code == 3, refusal.output
    assert "raw.rows_unaccounted" in refusal.output
    assert rows(warehouse, "select count(*) from bi.publication") == [(1,)]
    for name, table in pipeline.figures(warehouse).items():
        assert_same(table, figures[name], KEYS[name], name)

    judged = "select publication_id, outcome from bi.quality_result where expectation = 'rows_unaccounted'"
    assert rows(warehouse, judged + " order by audited_at") == [(1, "passed"), (None, "failed")]

    # Put right, the same inputs as those published: there is nothing to do.
    rows(warehouse, lose.format("+") + one)
    healed = cashless("run", "--landing", str(landing))
    assert healed.exit_code == 0
    assert "Nothing new" in healed.output


def test_nothing_personal_reaches_bi(cashless, warehouse: Settings) -> None:  # type: ignore[no-untyped-def]
    landing = Path(warehouse.landing)
    write_sample(landing, customers=60, first=date(2025, 7, 1), last=date(2025, 7, 1), seed=4, dirty=True)
    assert cashless("run", "--landing", str(landing)).exit_code == 0
    personal: set[str] = set()
    for column in ("customer_code", "customer_name", "contract_no", "phone", "address"):
        found = rows(warehouse, f"select distinct {column} from raw.customers where length({column}) >= 8")
        personal |= {value for (value,) in found}
    assert len(personal) > 100
    views = rows(warehouse, "select viewname from pg_views where schemaname = 'bi'")
    assert len(views) > 15
    with closing(connect(warehouse)) as conn:
        for (view,) in views:
            table = published(conn, view)
            text = " ".join(str(value) for value in table.to_numpy().ravel())
            assert [value for value in personal if value in text] == [], view


def test_a_landing_that_is_not_there(cashless, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    result = cashless("run", "--landing", str(tmp_path / "nowhere"))
    assert result.exit_code == 1
    assert "nowhere" in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_an_empty_landing_is_nothing_new(cashless, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    result = cashless("run", "--landing", str(tmp_path))
    assert result.exit_code == 0
    assert "nothing to publish" in result.output


def test_only_files_that_cannot_be_read_is_an_error(cashless, warehouse: Settings, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "bills").mkdir()
    (tmp_path / "bills" / "empty.csv").touch()
    result = cashless("run", "--landing", str(tmp_path))
    assert result.exit_code == 1
    assert "bills/empty.csv" in result.output
    assert rows(warehouse, "select file, refused_reason is not null from bi.load_audit") == [
        ("bills/empty.csv", True)
    ]


def test_the_press_figures(warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Khánh Hải 160 of 195 = 82.05 % (electricity) and the company 78.36 % (all), from raw files."""
    write_sample(
        Path(warehouse.landing),
        customers=2000,
        first=date(2024, 5, 1),
        last=date(2024, 5, 1),
        seed=1,
        dirty=False,
    )
    pipeline.run(warehouse, monkeypatch, tmp_path)
    assert rows(
        warehouse,
        "select customers_cashless, customers_billed from bi.kpi_commune_month where bill_month = '2024-05-01'"
        " and commune_code = '14587' and scope = 'electricity' and geography = 'as_recorded'",
    ) == [(160, 195)]
    assert rows(
        warehouse,
        "select round(100 * cashless_rate_customers, 2) from bi.kpi_company_month"
        " where bill_month = '2024-05-01' and scope = 'all' and geography = 'as_recorded'",
    ) == [(Decimal("78.36"),)]
