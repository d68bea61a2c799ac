"""What people are told of the quarantine: groups, rows, refused files."""

from datetime import date

import pytest
from landing_folder import Landing, csv_text, row

from dagster_project.contracts.catalog import contracts
from dagster_project.raw import quarantine_reading as held
from dagster_project.raw.checks import row_checks
from dagster_project.raw.quarantine_reading import Wanted
from dagster_project.warehouse.connection import WarehouseError
from tests.conftest import execute

CODE = "PN01000000001"


@pytest.fixture
def bad(landing: Landing) -> Landing:
    """Two sources with bad rows, one of them repaired, and a refused file."""
    bills = [row("bills", bill_id=f"B{n}", status="lost", total_amount="1000") for n in range(3)]
    landing.put("bills/a.csv", csv_text("bills", [*bills, row("bills", bill_id="B9", cycle="8")]))
    landing.put("bills/b.csv", csv_text("bills", [row("bills", bill_id="B2", updated_at="2024-05-06")]))
    landing.put("payments/a.csv", csv_text("payments", [row("payments", fee="-1", paid_at="soon")]))
    landing.put("payments/empty.csv", "")
    landing.load()
    return landing


def test_groups_count_rows_and_money(bad: Landing) -> None:
    with held.reading(bad.settings) as conn:
        groups = held.groups(conn, Wanted())
        assert [(g.file, g.column, g.status, g.rows, g.money) for g in groups] == [
            ("bills/a.csv", "status", "open", 2, 2000),
            ("bills/a.csv", "cycle", "open", 1, 432000),
            ("payments/a.csv", "fee", "open", 1, 432000),
        ]
        assert groups[0].reason == "status: not one of issued, cancelled, replaced"
        assert groups[0].reason_vi == "status: không thuộc danh sách issued, cancelled, replaced"
        assert groups[2].reason_vi == "fee: nhỏ hơn 0; paid_at: không phải là ngày kèm giờ"
        assert isinstance(groups[0].oldest, date)
        repaired = held.groups(conn, Wanted(source="bills", with_repaired=True))
        assert [(g.status, g.rows) for g in repaired] == [("open", 2), ("open", 1), ("repaired", 1)]
        assert [g.source for g in held.groups(conn, Wanted(file="payments/a.csv"))] == ["payments"]


def test_rows_are_masked_unless_asked_for(bad: Landing) -> None:
    with held.reading(bad.settings) as conn:
        wanted = held.meant_by(conn, "bills")
        assert [r.line for r in held.rows(conn, wanted, is_masked=True)] == [2, 3, 5]
        assert [r.line for r in held.rows(conn, wanted, is_masked=True, limit=2)] == [2, 3]
        assert held.count_rows(conn, wanted) == 3
        assert all(CODE not in r.raw for r in held.rows(conn, wanted, is_masked=True))
        assert all(CODE in r.raw for r in held.rows(conn, wanted, is_masked=False))
        (one,) = held.rows(conn, Wanted(file="bills/a.csv", line=4, with_repaired=True), is_masked=True)
        assert (one.status, one.repaired_by_file) == ("repaired", "bills/b.csv")
        assert held.meant_by(conn, f"{bad.root}/payments/a.csv") == Wanted(file="payments/a.csv")
        with pytest.raises(WarehouseError, match=r"No file bills/z\.csv is known here"):
            held.meant_by(conn, "bills/z.csv")


def test_a_refused_file_is_listed_until_it_came(bad: Landing) -> None:
    with held.reading(bad.settings) as conn:
        (refused,) = held.refused_files(conn, "payments")
        assert (refused.file, refused.reason) == ("payments/empty.csv", "the file is empty")
        assert held.refused_files(conn, "bills") == []
    bad.put("payments/empty.csv", csv_text("payments", [row("payments")]))
    bad.load()
    with held.reading(bad.settings) as conn:
        assert held.refused_files(conn, "payments") == []


def test_reading_changes_nothing(bad: Landing) -> None:
    with (
        held.reading(bad.settings) as conn,
        conn.cursor() as cursor,
        pytest.raises(Exception, match="read-only"),
    ):
        cursor.execute("update landing.quarantine set reason = ''")


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("drop schema landing cascade", "Nothing was ever loaded"),
        ("alter table landing.quarantine drop column repaired_by cascade", "older than this code"),
    ],
)
def test_a_database_without_a_quarantine_of_today(
    warehouse: held.Settings, statement: str, said: str
) -> None:
    execute(warehouse.database_url or "", statement)
    with pytest.raises(WarehouseError, match=said), held.reading(warehouse):
        pass
    execute(warehouse.database_url or "", "drop schema if exists landing cascade; create schema landing")


def test_every_check_says_it_in_vietnamese() -> None:
    for contract in contracts().values():
        for check in row_checks(contract).checks:
            assert check.reason_vi.startswith(f"{check.column}: ")
            assert check.reason_vi != check.reason
            assert not check.reason_vi.isascii()
