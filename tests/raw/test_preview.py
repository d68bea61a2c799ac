"""`cashless contract check`: what a file would do, by the very code of a load, and nothing of it remains."""

import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from landing_folder import GOOD, Landing, csv_text, row, write_workbook

from dagster_project.cli import main
from dagster_project.contracts.catalog import CONTRACTS_DIR
from dagster_project.raw.preview import Header, preview
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect, run_lock
from dagster_project.warehouse.migrate import migrate
from tests.conftest import execute

Check = Callable[..., Result]


@pytest.fixture
def check(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Check:
    monkeypatch.setenv("CASHLESS_HOME", str(warehouse.home))
    monkeypatch.setenv("CASHLESS_DATABASE_URL", warehouse.database_url or "")
    monkeypatch.setenv("CASHLESS_TODAY", "2026-01-15")
    return lambda *arguments: CliRunner().invoke(main, ["contract", "check", *map(str, arguments)])


def everything(landing: Landing) -> dict[str, Any]:
    """All rows and tables of the warehouse, and the views on them; the lists of bi_private need a publication."""
    names = [
        name
        for (name,) in landing.query(
            "select format('%I.%I', nspname, relname) from pg_class inner join pg_namespace as n "
            "on n.oid = relnamespace where relkind in ('r', 'v') and nspname !~ '^pg_|information_schema' "
            "and relname not in ('cash_payer', 'not_notified_customer') order by 1"
        )
    ]
    return {name: landing.query(f"select t::text from {name} as t order by 1") for name in names}


MIXED = [
    row("payments"),
    row("payments"),
    row("payments", transaction_id="T2", amount="0", customer_code="PN01000000002"),
    row("payments", transaction_id="T3", paid_at="soon", kind="gift"),
    row("payments", transaction_id="T4"),
]


def test_it_counts_as_the_load_then_does(landing: Landing) -> None:
    landing.load_rows("payments", row("payments", transaction_id="T4"))
    before = everything(landing)
    path = landing.put("payments/two.csv", csv_text("payments", MIXED, ";"))
    seen = preview(landing.settings, path, "payments")
    assert everything(landing) == before
    assert (seen.path, seen.kind, seen.form) == ("payments/two.csv", ".csv", "utf-8, “;”")
    assert [(reason.reason, reason.rows, reason.lines) for reason in seen.reasons] == [
        ("amount: not greater than 0", 1, ("4",)),
        ("kind: not one of payment, reversal; paid_at: not a date with a time", 1, ("5",)),
    ]
    assert [bad.line for bad in seen.bad_rows] == ["4", "5"]
    landing.load()
    (loaded,) = landing.query(
        "select rows_loaded, rows_duplicate, rows_quarantined, money_loaded_vnd, money_duplicate_vnd, "
        "money_quarantined_vnd from landing.file where path = 'payments/two.csv'"
    )
    assert seen.counts == loaded == (1, 2, 2, 432000, 864000, 432000)
    assert preview(landing.settings, path, "payments").loaded_as == "payments/two.csv"


def test_what_it_says_of_columns_and_hides_of_persons(landing: Landing, check: Check) -> None:
    text = csv_text("payments", MIXED).replace("amount", "Số tiền", 1).replace("fee", "ghi chú", 1)
    path = landing.put("payments/two.csv", text)
    done = check(path)
    assert done.exit_code == 0, done.output
    for line in (
        "payments/two.csv: nguồn / source payments (.csv, utf-8, “,”)",
        "    Số tiền → amount",
        "    ghi chú → (thêm / extra: kept as it came)",
        "  không có trong tệp / not in the file: fee",
        "  5 dòng / rows: 2 nạp / loaded, 1 trùng / duplicate, 2 cách ly / quarantined",
        "    1 × amount: not greater than 0 (dòng / line 4)",
        "  được nhận / would be taken",
    ):
        assert line in done.output.splitlines(), done.output
    assert "PN01000000002" not in done.output
    assert "***" in done.output


def test_a_refused_file_shows_what_it_has_of_a_header(landing: Landing, check: Check) -> None:
    path = landing.put("payments/bad.csv", csv_text("payments", MIXED).replace("paid_at", "paid"))
    done = check(path)
    assert done.exit_code == 1
    assert (
        "  bị từ chối / would be refused: thiếu cột bắt buộc: paid_at / required column missing: paid_at"
        in done.output.splitlines()
    )
    assert "    paid → (thêm / extra: kept as it came)" in done.output.splitlines()
    # A file without a header: its first row is shown to nobody.
    values = landing.put("payments/none.csv", "\n".join(csv_text("payments", MIXED).splitlines()[1:]) + "\n")
    done = check(values)
    assert done.exit_code == 1
    assert "PN01" not in done.output
    assert "VCB" not in done.output


def test_a_workbook_and_its_total(landing: Landing, tmp_path: Path) -> None:
    names = list(GOOD["payments"])
    rows = [[each[name] for name in names] for each in MIXED]
    total = ["Tổng cộng", *([""] * (len(names) - 1))]
    total[names.index("amount")] = "1.728.000"
    path = tmp_path / "book.xlsx"
    write_workbook(path, {"May": [["Bảng kê"], names, *rows, total]})
    seen = preview(landing.settings, path, "payments")
    assert seen.refused_reason is None, seen.refused_reason
    assert [(each.sheet, each.line, each.amount) for each in seen.totals] == [("May", 8, "1.728.000")]
    assert seen.headers == (Header("May", tuple((name, name) for name in names)),)
    assert [reason.lines for reason in seen.reasons] == [("May:5",), ("May:6",)]
    total[names.index("amount")] = "5"
    write_workbook(path, {"May": [names, *rows, total]})
    assert "the total is 5, but its rows sum up to 1728000" in str(
        preview(landing.settings, path, "payments")
    )


def test_an_empty_database_stays_empty(landing: Landing, server_url: str, check: Check) -> None:
    url = landing.settings.database_url or ""
    path = landing.put("payments/one.csv", csv_text("payments", MIXED))
    landing.conn.close()
    execute(server_url, f"drop database {url.rpartition('/')[2]}")
    execute(
        server_url, f"create database {url.rpartition('/')[2]} template template0 encoding 'UTF8' locale 'C'"
    )
    done = check(path)
    assert done.exit_code == 0, done.output
    assert "2 nạp / loaded" in done.output
    with closing(connect(landing.settings)) as conn, conn.cursor() as cursor:
        cursor.execute("select count(*) from pg_namespace where nspname in ('raw', 'landing', 'bi')")
        assert cursor.fetchone() == (0,)
    landing.conn = connect(landing.settings)
    migrate(landing.conn)
    landing.load()


def test_the_source_is_the_folder_or_what_is_said(landing: Landing, tmp_path: Path, check: Check) -> None:
    path = tmp_path / "loose.csv"
    path.write_text(csv_text("payments", MIXED), encoding="utf-8")
    done = check(path)
    assert done.exit_code == 2
    assert "lies in no folder of a source; say which it is with --source" in done.output
    done = check(path, "--source", "payments")
    assert done.exit_code == 0
    assert done.output.startswith("payments/loose.csv: ")
    assert check(path, "--source", "paiments").exit_code == 2
    assert check(tmp_path / "nowhere.csv").exit_code == 2
    assert check("--source", "bills").exit_code == 2


def test_a_contract_that_has_changed_is_what_the_file_is_held_against(landing: Landing, check: Check) -> None:
    landing.load_rows("payments", row("payments", transaction_id="T4"))
    own = landing.settings.overlay_folder() / "contracts" / "payments.yaml"
    own.parent.mkdir(parents=True)
    shutil.copy(CONTRACTS_DIR / "payments.yaml", own)
    added = "      - {name: teller, description: Who., logicalType: string, physicalType: text, required: false}\n"
    own.write_text(own.read_text(encoding="utf-8") + added, encoding="utf-8")
    before = everything(landing)
    path = landing.put("payments/two.csv", csv_text("payments", MIXED).replace("fee", "teller", 1))
    done = check(path)
    assert "    teller → teller" in done.output.splitlines()
    assert everything(landing) == before
    assert check().output == "13 hợp đồng / contracts, 0 lỗi / faults\n"
    own.write_text(own.read_text(encoding="utf-8").replace("name: fee", "name: charge"), encoding="utf-8")
    done = check()
    assert done.exit_code == 1
    assert done.output.splitlines()[0] == (
        f"{own}, line 22, column 5: column fee of the shipped contract is missing: add it again"
    )
    assert check(path).exit_code == 1


def test_it_waits_for_no_run_and_says_who_is_writing(landing: Landing, check: Check) -> None:
    path = landing.put("payments/two.csv", csv_text("payments", MIXED))
    with closing(connect(landing.settings, "cashless run")) as conn, run_lock(conn):
        done = check(path)
    assert done.exit_code == 1
    assert "Another run is writing to the warehouse: cashless run" in done.output
    landing.load()
