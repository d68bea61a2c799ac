"""A warehouse of the previous version, with rows in it, is brought to this one and goes on."""

from contextlib import closing
from datetime import date, datetime
from pathlib import Path

import psycopg2
import pytest
from landing_folder import Landing, csv_text, row

from dagster_project.raw.changes import Person
from dagster_project.raw.tables import ensure_tables
from dagster_project.raw.withdraw import unload
from dagster_project.settings import Settings
from dagster_project.warehouse import migrate as module
from dagster_project.warehouse.connection import connect
from dagster_project.warehouse.migrate import Migration, migrate, migrations
from tests.conftest import execute, url_of

OLD = Path(__file__).parent / "files" / "warehouse_0004.sql"
BEFORE = 5  # the first migration that the old warehouse does not have

SHAPE = """
    select 'column', relname, attname, format_type(atttypid, atttypmod) || case when attnotnull then '!' else '' end,
           row_number() over (partition by relname order by attnum)::text
    from pg_attribute inner join pg_class on pg_class.oid = attrelid
    where relnamespace in ('raw'::regnamespace, 'landing'::regnamespace) and relkind = 'r'
          and attnum > 0 and not attisdropped
    union all
    select 'index', tablename, indexname, indexdef, '' from pg_indexes where schemaname in ('raw', 'landing')
    union all
    select 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '' from pg_constraint
    where connamespace in ('raw'::regnamespace, 'landing'::regnamespace)
    union all
    select 'view', viewname, '', definition, '' from pg_views where schemaname in ('bi', 'bi_private')
    order by 1, 2, 3, 4
"""


def old_files() -> dict[str, str]:
    """The files the old warehouse was loaded from."""
    reversal = row(
        "payments",
        transaction_id="R1",
        kind="reversal",
        reverses_transaction_id="T1",
        paid_at="2024-06-01 08:00:00",
    )
    future = row("payments", transaction_id="T3", paid_at="2026-01-20 10:00:00", amount="1000")
    slice_of_payments = csv_text("payments", [row("payments"), reversal, row("payments"), future])
    second = row("payments", transaction_id="T2", paid_at="2024-05-12 09:30:00")
    return {
        "bills/a.csv": csv_text("bills", [row("bills"), row("bills", bill_id="BE2", status="lost")]),
        "payments/a.csv": slice_of_payments,
        "payments/b.csv": csv_text("payments", [row("payments"), second]),
        "payments/copy.csv": slice_of_payments,
        "payments/damaged.csv": "",
    }


@pytest.fixture
def warehouse(warehouse: Settings, server_url: str, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings that point at a warehouse of the version before."""
    assert warehouse.database_url is not None
    name = warehouse.database_url.rpartition("/")[2]
    execute(server_url, f"drop database {name}")
    execute(server_url, f"create database {name} template template0 encoding 'UTF8' locale 'C'")
    with monkeypatch.context() as patch, closing(connect(warehouse)) as conn:
        known = [migration for migration in migrations() if migration.version < BEFORE]
        patch.setattr(module, "migrations", lambda: known)
        assert migrate(conn)[-1] == "0004_customer_key"
        with conn, conn.cursor() as cursor:
            cursor.execute(OLD.read_text(encoding="utf-8"))
    return warehouse


@pytest.fixture
def upgraded(landing: Landing) -> Landing:
    """The landing of the old warehouse, which is brought to this version."""
    for path, text in old_files().items():
        landing.put(path, text)
    assert migrate(landing.conn)[0] == f"{BEFORE:04}_changes"
    return landing


def test_an_upgrade_that_fails_leaves_the_old_version(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = [landing.query(SHAPE), landing.query("select * from landing.file order by 1")]
    known = [*migrations(), Migration(9999, "broken", "select 1 / 0")]
    with monkeypatch.context() as patch:
        patch.setattr(module, "migrations", lambda: known)
        with pytest.raises(psycopg2.errors.DivisionByZero):
            migrate(landing.conn)
    assert [landing.query(SHAPE), landing.query("select * from landing.file order by 1")] == before
    assert landing.value("select max(version) from landing.schema_version") == BEFORE - 1
    migrate(landing.conn)  # and can be tried again


def test_the_rows_are_kept_and_belong_to_no_change(upgraded: Landing) -> None:
    assert upgraded.query("select bill_id, change_id from raw.bills") == [("BE1", 0)]
    assert upgraded.query(
        "select transaction_id, is_duplicate, change_id from raw.payments order by file_id, line"
    ) == [("T1", False, 0), ("R1", False, 0), ("T1", True, 0), ("T1", True, 0), ("T2", False, 0)]
    assert upgraded.value("select count(*) from landing.change") == 0


def test_rows_of_a_key_with_several_say_so(upgraded: Landing) -> None:
    assert upgraded.query(
        "select transaction_id, is_key_repeated from raw.payments order by file_id, line"
    ) == [("T1", True), ("R1", False), ("T1", True), ("T1", True), ("T2", False)]


def test_how_far_the_payments_reach_is_filled_in(upgraded: Landing) -> None:
    assert upgraded.query("select path, paid_through from landing.file order by path") == [
        ("bills/a.csv", None),
        ("payments/a.csv", datetime(2024, 5, 10, 10)),
        ("payments/b.csv", datetime(2024, 5, 12, 9, 30)),
        ("payments/copy.csv", datetime(2024, 5, 10, 10)),
        ("payments/damaged.csv", None),
    ]


def test_it_goes_on_as_if_it_had_always_been_of_this_version(upgraded: Landing, server_url: str) -> None:
    assert not upgraded.load().changed
    upgraded.put(
        "payments/c.csv",
        csv_text("payments", [row("payments"), row("payments", transaction_id="T4", bill_id="")]),
    )
    upgraded.put("bills/b.csv", csv_text("bills", [row("bills"), row("bills", bill_id="BE3")]))
    added = upgraded.load(today=date(2026, 1, 20)).rows_added
    assert {source: rows for source, rows in added.items() if rows} == {"bills": 1, "payments": 2}
    assert upgraded.query(
        "select kind, source, path, rows_added from landing.change inner join landing.file using (file_id, source)"
        " order by change_id"
    ) == [
        ("load", "bills", "bills/b.csv", 1),
        ("repair", "payments", "payments/a.csv", 1),
        ("load", "payments", "payments/c.csv", 1),
    ]
    ledger = """
        select path, rows_loaded, rows_duplicate, rows_quarantined, money_loaded_vnd, money_duplicate_vnd,
               money_quarantined_vnd, paid_through, refused_reason
        from landing.file order by path
    """
    rows = "select {0}, is_duplicate from raw.{1} order by 1, 2"
    found = [upgraded.query(ledger), upgraded.query(rows.format("transaction_id", "payments"))]
    found += [upgraded.query(rows.format("bill_id", "bills")), upgraded.query(SHAPE)]

    fresh_url = url_of(server_url, "test_fresh")
    execute(server_url, "create database test_fresh template test_template")
    try:
        with closing(connect(upgraded.settings.model_copy(update={"database_url": fresh_url}))) as conn:
            fresh = Landing(upgraded.settings, conn)
            (upgraded.root / "payments/c.csv").rename(upgraded.root / "c")
            (upgraded.root / "bills/b.csv").rename(upgraded.root / "b")
            fresh.load()
            (upgraded.root / "c").rename(upgraded.root / "payments/c.csv")
            (upgraded.root / "b").rename(upgraded.root / "bills/b.csv")
            fresh.load(today=date(2026, 1, 20))
            ensure_tables(conn)
            expected = [fresh.query(ledger), fresh.query(rows.format("transaction_id", "payments"))]
            expected += [fresh.query(rows.format("bill_id", "bills")), fresh.query(SHAPE)]
    finally:
        execute(server_url, "drop database test_fresh with (force)")
    assert found == expected


def test_a_file_from_before_can_be_taken_back(upgraded: Landing) -> None:
    unload(upgraded.settings, ["payments/a.csv"], Person("An", ""))
    assert upgraded.query(
        "select path, rows_loaded, rows_duplicate, rows_quarantined from landing.file"
        " where source = 'payments' order by 1"
    ) == [
        ("payments/a.csv", 0, 0, 0),
        ("payments/b.csv", 1, 1, 0),
        ("payments/copy.csv", 2, 1, 1),
        ("payments/damaged.csv", 0, 0, 0),
    ]
    unload(upgraded.settings, ["payments/copy.csv"], Person("An", ""))
    assert upgraded.query("select transaction_id, is_duplicate, change_id from raw.payments order by 1") == [
        ("T1", False, 2),
        ("T2", False, 0),
    ]


def test_numbers_get_their_one_written_form(landing: Landing) -> None:
    with landing.conn, landing.conn.cursor() as cursor:
        cursor.execute("update raw.bills set kwh = 182.500")
    migrate(landing.conn)
    assert landing.value("select kwh::text from raw.bills") == "182.5"


def test_a_row_that_lay_in_quarantine_before_is_closed_by_its_corrected_one(upgraded: Landing) -> None:
    upgraded.put("bills/b.csv", csv_text("bills", [row("bills", bill_id="BE2")]))
    states = "select status, reason_vi, repaired_by_file from bi.quarantine where source = 'bills'"
    assert upgraded.query(states) == [("open", None, None)]
    upgraded.load()
    assert upgraded.query(states) == [
        ("repaired", "status: không thuộc danh sách issued, cancelled, replaced", "bills/b.csv")
    ]
    unload(upgraded.settings, ["bills/b.csv"], Person("An", ""))
    assert upgraded.query(states)[0][0] == "open"


def test_what_lay_in_quarantine_before_without_a_key_or_repaired(landing: Landing) -> None:
    with landing.conn, landing.conn.cursor() as cursor:
        cursor.execute(
            "insert into landing.quarantine (file_id, source, line, reason_codes, reason, raw, raw_masked, money, "
            "status, fields, checked_on, contract_fingerprint) values "
            "(1, 'bills', 8, '{field_count}', 'wrong number of fields: 3 instead of 12', 'x', 'x', 0, 'open', null, "
            "'2026-01-02', 'old'), "
            "(1, 'bills', 9, '{list}', 'status: not one of', 'x', 'x', 0, 'repaired', '{}', '2026-01-02', 'old')"
        )
        cursor.execute(
            "update landing.file set rows_in_file = rows_in_file + 1, rows_quarantined = rows_quarantined + 1 "
            "where file_id = 1"
        )
    migrate(landing.conn)
    assert landing.query(
        "select line, reason_vi, repaired_at::date from bi.quarantine where line > 7 order by line"
    ) == [(8, "sai số trường: 3 thay vì 12", None), (9, None, date(2026, 1, 2))]
    for path, text in old_files().items():
        landing.put(path, text)
    landing.load()
    assert landing.value("select status from bi.quarantine where line = 8") == "open"


def test_what_pulls_landed_before_are_successes(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        known = [migration for migration in migrations() if migration.version < 14]
        patch.setattr(module, "migrations", lambda: known)
        migrate(landing.conn)
    with landing.conn, landing.conn.cursor() as cursor:
        cursor.execute(
            "insert into landing.pull (name, source, since, high_water, content, file, rows, pulled_at) "
            "select 'cmis', 'bills', '1', '2', '', '', 1, at from (values (timestamptz '2024-05-01 10:00+07'), "
            "('2024-05-02 10:00+07'), ('2024-05-01 11:00+07')) as pulls (at)"
        )
    migrate(landing.conn)
    assert landing.query(
        "select name, source, succeeded_at = '2024-05-02 10:00+07', failed_at from landing.pull_attempt"
    ) == [("cmis", "bills", True, None)]
