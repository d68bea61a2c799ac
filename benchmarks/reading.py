"""What reading costs: the queries of a dashboard, and the audit's own queries as one hand-written pass.

Does not belong here: the pipeline's runs (product.py).
"""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from benchmarks.measure import Cost, Stages, measure
from dagster_project.warehouse.connection import connect_url
from dagster_project.warehouse.server import EmbeddedServer

REPEATS = 100
_LAST = "(select max(bill_month) from bi.kpi_company_month)"
# What a page of a dashboard asks of the four KPI tables: a trend, a ranking, a map, one unit's communes, a change.
QUERIES = {
    "company, all months": "select * from bi.kpi_company_month where geography = 'as_recorded' order by bill_month",
    "power units of a month": f"""
        select * from bi.kpi_power_unit_month
        where bill_month = {_LAST} and scope = 'electricity' order by cashless_rate_customers desc
    """,
    "districts, all months": """
        select bill_month, district_name, cashless_rate_bills from bi.kpi_district_month
        where scope = 'electricity' order by bill_month, district_name
    """,
    "communes of a month": f"""
        select * from bi.kpi_commune_month
        where bill_month = {_LAST} and geography = 'current' and scope = 'electricity'
    """,
    "one unit's communes, all months": """
        select * from bi.kpi_commune_month
        where power_unit_code = (select min(power_unit_code) from bi.kpi_power_unit_month) and scope = 'all'
    """,
    "communes against the month before": """
        select
            bill_month, commune_name,
            cashless_rate_customers - lag(cashless_rate_customers) over (
                partition by geography, scope, commune_code order by bill_month
            ) as change
        from bi.kpi_commune_month
    """,
}
_AUDIT = "compiled/cashless/models/metrics"


def percentiles(url: str) -> dict[str, float]:
    """The 95th percentile of each query, in seconds: with all of its rows fetched, warm."""
    with closing(connect_url(url)) as conn, conn.cursor() as cursor:
        return {
            name: sorted(_times(cursor, query))[int(0.95 * REPEATS) - 1] for name, query in QUERIES.items()
        }


def _times(cursor: Cursor, query: str) -> list[float]:
    times = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        cursor.execute(query)
        cursor.fetchall()
        times.append(time.perf_counter() - start)
    return times


def audit_pass(server: EmbeddedServer, url: str, dbt_folder: Path) -> Cost:
    """What the queries behind the gate's metrics cost by themselves, each run once, nothing written."""
    queries = audit_queries(dbt_folder)

    def work(_stages: Stages) -> None:
        with closing(connect_url(url)) as conn, conn.cursor() as cursor:
            for query in queries:
                cursor.execute(query)
                cursor.fetchall()

    return measure(work, server, url)


def audit_queries(dbt_folder: Path) -> list[str]:
    """The queries of the metric models, as the last run compiled them."""
    files = sorted((dbt_folder / _AUDIT).glob("metric_*.sql"))
    if not files:
        raise FileNotFoundError(f"no metric was compiled in {dbt_folder}")
    return [file.read_text(encoding="utf-8") for file in files]
