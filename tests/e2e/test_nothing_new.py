"""A run that finds nothing new: it starts no dbt, publishes nothing and reads no table of rows or figures."""

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner

from dagster_project.cli import main
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from dagster_project.transform import dbt as dbt_project

# Rows and figures; bookkeeping (ledgers, builds, publications) may be read.
SCANS = """
select schemaname || '.' || relname, seq_scan, seq_tup_read + coalesce(idx_tup_fetch, 0)
from pg_stat_user_tables
where schemaname in ('raw', 'staging', 'settlement', 'candidate', 'published')
  and relname not in ('publication', 'bi_view', 'hold')
"""
# What a session counted is whole once it has ended; pools keep theirs open after a run.
END_SESSIONS = """
select pg_terminate_backend(pid, 10000) from pg_stat_activity
where datname = current_database() and pid <> pg_backend_pid()
"""


def _answer(url: str, query: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(url)) as conn, conn, conn.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def _scans(url: str) -> dict[str, tuple[int, int]]:
    """By table, how often it was read from end to end and how many of its rows were read."""
    _answer(url, END_SESSIONS)
    return {table: (scans, rows) for table, scans, rows in _answer(url, SCANS)}


def test_nothing_new_starts_no_dbt_and_reads_no_table(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = warehouse.database_url or ""
    monkeypatch.setenv("CASHLESS_HOME", str(warehouse.home))
    monkeypatch.setenv("CASHLESS_DATABASE_URL", url)
    monkeypatch.setenv("CASHLESS_CUSTOMER_KEY_SECRET", "a fixed secret for tests only")
    monkeypatch.setenv("CASHLESS_TODAY", "2026-01-15")
    month = date(2025, 7, 1)
    write_sample(Path(warehouse.landing), customers=60, first=month, last=month, seed=6, dirty=True)
    builds_begun = []
    build = dbt_project.build

    def noted_build(*given: Any) -> dbt_project.DbtOutcome:
        builds_begun.append(given)
        return build(*given)

    monkeypatch.setattr(dbt_project, "build", noted_build)
    run = ["run", "--landing", warehouse.landing]
    first = CliRunner().invoke(main, run, catch_exceptions=False)
    assert first.exit_code == 0, first.output
    assert len(builds_begun) == 1
    before = _scans(url)
    assert all(before[table][0] > 0 for table in ("raw.bills", "raw.payments"))
    published = _answer(url, "select publication_id, published_at from bi.publication")
    builds = _answer(url, "select count(*) from audit.build")

    second = CliRunner().invoke(main, run, catch_exceptions=False)
    assert second.exit_code == 0, second.output
    assert "Nothing new" in second.output
    assert len(builds_begun) == 1
    assert _answer(url, "select publication_id, published_at from bi.publication") == published
    assert _answer(url, "select count(*) from audit.build") == builds
    after = _scans(url)
    assert sorted(table for table, counts in after.items() if counts != before.get(table)) == []

    # What stands between the figures and their readers is said though nothing comes.
    assert "held" not in second.output + first.output
    assert CliRunner().invoke(main, ["hold", "--reason", "figures are looked at"]).exit_code == 0
    _answer(
        url, "update published.publication set forced_by = 'An', forced_reason = 'bank was right' returning 1"
    )
    third = CliRunner().invoke(main, run, catch_exceptions=False)
    assert third.exit_code == 0, third.output
    for said in (
        "Nothing new",
        "Publications are held",
        "figures are looked at",
        "forced by An: bank was right",
    ):
        assert said in third.output
