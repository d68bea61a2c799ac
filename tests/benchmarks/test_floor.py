"""Both yardsticks publish the product's figures: whoever changes a definition changes all three."""

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path

import psycopg2
import pytest

from benchmarks import duckdb_yardstick, reading
from benchmarks.equality import FiguresDiffer, assert_equal, postgres_tables
from benchmarks.floor import run_scripts
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from tests.conftest import execute, url_of
from tests.e2e import pipeline

FIRST, LAST = date(2024, 12, 1), date(2025, 7, 1)  # a month in the oldest and the newest era at least


@pytest.fixture
def floor_url(server_url: str) -> Iterator[str]:
    execute(server_url, "create database floor template template0")
    yield url_of(server_url, "floor")
    execute(server_url, "drop database floor with (force)")


def test_both_yardsticks_publish_the_same_figures(
    warehouse: Settings, floor_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    landing = Path(warehouse.landing)
    write_sample(landing, customers=300, first=FIRST, last=LAST, seed=7, dirty=False)
    pipeline.run(warehouse, monkeypatch, tmp_path / "target")
    run_scripts(floor_url, landing, FIRST)
    product_url = warehouse.database_url or ""

    floor = postgres_tables(floor_url, "public")
    cells = assert_equal(product_url, floor)
    assert cells > 10_000
    duckdb_yardstick.fill(landing, tmp_path / "figures.duckdb")
    assert (
        assert_equal(
            product_url, duckdb_yardstick.tables(tmp_path / "figures.duckdb"), "DuckDB", is_exact=False
        )
        == cells
    )

    # What the other measurements read is there.
    with closing(psycopg2.connect(product_url)) as conn, conn.cursor() as cursor:
        for query in (*reading.QUERIES.values(), *reading.audit_queries(tmp_path / "target")):
            cursor.execute(query)
            assert cursor.fetchone() is not None, query

    # It would notice one đồng, one missing row and one too many.
    cell = "where bill_month = '2025-03-01' and geography = 'as_recorded' and scope = 'all'"
    for change in (
        f"update kpi_company_month set amount_open_vnd = amount_open_vnd + 1 {cell}",
        f"delete from kpi_company_month {cell}",
        f"insert into kpi_company_month select * from kpi_company_month {cell}",
    ):
        with closing(psycopg2.connect(floor_url)) as conn, conn.cursor() as cursor:
            cursor.execute("create table kept as table kpi_company_month")
            cursor.execute(change)
            assert cursor.rowcount == 1
            conn.commit()
            with pytest.raises(FiguresDiffer, match="kpi_company_month"):
                assert_equal(product_url, floor)
            cursor.execute("drop table kpi_company_month")
            cursor.execute("alter table kept rename to kpi_company_month")
            conn.commit()
