"""Which rows and files count as new: duplicates, copies, changed files, other formats, and what is found."""

import os
import random
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from landing_folder import GOOD, Landing, csv_text, row, write_parquet, write_workbook

from dagster_project.contracts.catalog import contracts
from dagster_project.raw.checks import RowChecks
from dagster_project.raw.ledger import Counts
from dagster_project.raw.load import load_landing
from dagster_project.warehouse.connection import WarehouseError

AUDIT = (
    "select file, rows_in_file, rows_loaded, rows_duplicate, rows_quarantined "
    "from bi.load_audit order by file"
)


def test_duplicates_within_a_file(landing: Landing) -> None:
    same_otherwise_written = row("bills", issued_on="5/5/2024", total_amount="432.000 đ", kwh="182.50")
    other_version = row("bills", updated_at="2024-05-06")
    result = landing.load_rows("bills", row("bills"), other_version, same_otherwise_written, row("bills"))
    assert result.counts == Counts(2, 2, 0, 864000, 864000, 0)
    assert landing.query("select line, is_duplicate, is_key_repeated from raw.bills order by line") == [
        (2, False, False),
        (3, False, True),
        (4, True, True),
        (5, True, True),
    ]


def test_duplicates_over_files(landing: Landing) -> None:
    landing.put(
        "payments/a.csv", csv_text("payments", [row("payments"), row("payments", transaction_id="T2")])
    )
    landing.put("payments/b.csv", csv_text("payments", [row("payments"), row("payments", fee="0")], ";"))
    landing.load()
    assert landing.query(AUDIT) == [("payments/a.csv", 2, 2, 0, 0), ("payments/b.csv", 2, 1, 1, 0)]


def test_empty_is_not_zero_and_empty_equals_empty(landing: Landing) -> None:
    landing.put("payments/a.csv", csv_text("payments", [row("payments", fee="", bill_id="")]))
    landing.load()
    landing.put("payments/b.csv", csv_text("payments", [row("payments", fee="NULL", bill_id="\\N")], "|"))
    landing.put("payments/c.csv", csv_text("payments", [row("payments", fee="0", bill_id="")]))
    landing.load()
    assert [line[2:4] for line in landing.query(AUDIT)] == [(1, 0), (0, 1), (1, 0)]


def test_extra_columns_do_not_count_for_duplicates(landing: Landing) -> None:
    lines = csv_text("payments", [row("payments")]).splitlines()
    landing.put("payments/a.csv", f"{lines[0]},note\n{lines[1]},x\n{lines[1]},y\n")
    landing.load()
    assert landing.query(AUDIT) == [("payments/a.csv", 2, 1, 1, 0)]


def test_a_copy_has_its_own_line_all_duplicates(landing: Landing) -> None:
    text = csv_text(
        "payments", [row("payments"), row("payments"), row("payments", amount="0", customer_code="")]
    )
    landing.put("payments/a.csv", text)
    landing.put("payments/deep/er/copy.csv", text)
    report = landing.load()
    assert [file.status for file in report.files] == ["loaded", "copy"]
    assert landing.query(AUDIT) == [
        ("payments/a.csv", 3, 1, 1, 1),
        ("payments/deep/er/copy.csv", 3, 0, 2, 1),
    ]
    assert landing.query("select file, line, raw from bi.quarantine order by file") == [
        (path, 4, "VCB,T1,payment,,qr,,BE1,0,,2024-05-10 10:00:00,2024-05-11,")
        for path in ("payments/a.csv", "payments/deep/er/copy.csv")
    ]
    assert landing.query("select count(*) from raw.payments") == [(2,)]


def test_the_same_content_of_another_source_is_no_copy(landing: Landing) -> None:
    text = csv_text("bills", [row("bills")])
    landing.put("bills/a.csv", text)
    landing.put("payments/a.csv", text)
    report = landing.load()
    assert [(file.path, file.status) for file in report.files] == [
        ("bills/a.csv", "loaded"),
        ("payments/a.csv", "refused"),
    ]


def test_the_same_files_again_change_nothing(landing: Landing) -> None:
    path = landing.put("bills/a.csv", csv_text("bills", [row("bills"), row("bills", status="lost")]))
    assert landing.load().changed
    before = landing.query("select * from landing.file")
    again = landing.load()
    assert (again.changed, [(file.status, file.is_new) for file in again.files]) == (
        False,
        [("unchanged", False)],
    )
    assert landing.query("select * from landing.file") == before
    path.touch()  # another time, the same content
    assert not landing.load().changed
    assert landing.query(AUDIT) == [("bills/a.csv", 2, 1, 0, 1)]


def test_new_content_under_an_old_name_is_a_new_line(landing: Landing) -> None:
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    landing.load()
    landing.put("bills/a.csv", csv_text("bills", [row("bills"), row("bills", bill_id="BE2")]))
    landing.load()
    assert landing.query(AUDIT.replace("order by file", "order by loaded_at")) == [
        ("bills/a.csv", 1, 1, 0, 0),
        ("bills/a.csv", 2, 1, 1, 0),
    ]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_any_order_of_files_gives_the_same_rows(landing: Landing, order: tuple[int, ...]) -> None:
    parts = [
        [row("bills"), row("bills", bill_id="BE2")],
        [row("bills", bill_id="BE2"), row("bills", bill_id="BE3", status="lost")],
        [row("bills"), row("bills"), row("bills", updated_at="2024-06-01")],
    ]
    for number in order:
        landing.put(f"bills/{number}.csv", csv_text("bills", parts[number]))
        landing.load()
    assert landing.query(
        "select bill_id, updated_at::date from raw.bills where not is_duplicate order by 1, 2"
    ) == [
        ("BE1", date(2024, 5, 5)),
        ("BE1", date(2024, 6, 1)),
        ("BE2", date(2024, 5, 5)),
    ]
    assert landing.query(
        "select sum(rows_loaded), sum(rows_duplicate), sum(rows_quarantined) from bi.load_audit"
    ) == [(3, 3, 1)]


def test_version_and_its_rank(landing: Landing) -> None:
    landing.put("bills/a.csv", csv_text("bills", [row("bills"), row("bills", status="replaced")]))
    landing.put("payments/a.csv", csv_text("payments", [row("payments")]))
    landing.load()
    assert landing.query("select status, version_at, version_rank from raw.bills order by line") == [
        ("issued", datetime(2024, 5, 5, 6), 1),
        ("replaced", datetime(2024, 5, 5, 6), 3),
    ]
    assert landing.query("select version_at, version_rank from raw.payments") == [
        (datetime(2024, 5, 10, 10), 0)
    ]


def test_every_source_has_its_table(landing: Landing) -> None:
    landing.load()
    for contract in contracts().values():
        columns = landing.query(
            "select column_name from information_schema.columns "
            f"where table_schema = 'raw' and table_name = '{contract.source}' order by ordinal_position"
        )
        assert [name for (name,) in columns] == [
            *contract.names,
            *(
                "file_id",
                "line",
                "version_at",
                "version_rank",
                "is_duplicate",
                "extra",
                "change_id",
                "is_key_repeated",
            ),
        ]


def test_strange_files_and_folders_are_found(landing: Landing) -> None:
    landing.put("readme.txt", "x")
    landing.put("invoices/a.csv", "x")
    landing.put("invoices/b.csv", "x")
    landing.put("bills/.DS_Store", "x")
    landing.put("bills/.checkpoints/a.csv", "x")
    landing.put("bills/~$open.xlsx", "x")
    report = landing.load()
    assert list(report.files) == []
    assert [finding.split(",")[0] for finding in report.findings] == [
        "no file of any source lies there: is it the right place",
        "readme.txt: lies in no source folder and is not read",
        "invoices/: no such source",
    ]


def test_folders_behind_links_are_read_and_circles_end(landing: Landing, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "a.csv").write_text(csv_text("bills", [row("bills")]), encoding="utf-8")
    landing.root.mkdir(exist_ok=True)
    (landing.root / "bills").symlink_to(elsewhere)
    (elsewhere / "circle").symlink_to(landing.root)
    assert landing.load().rows_added["bills"] == 1


def test_a_folder_that_cannot_be_looked_into_is_told(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    landing.put("payments/closed/a.csv", csv_text("payments", [row("payments")]))
    real = os.scandir

    def scandir(path: str) -> object:  # root may look into everything, so modes would not do
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    report = landing.load()
    assert report.findings == ("payments/closed/: cannot be looked into; what lies there is not read",)
    assert report.rows_added["bills"] == 1


def test_what_is_no_regular_file_is_refused(landing: Landing) -> None:
    landing.put("bills/b.csv", csv_text("bills", [row("bills")]))
    os.mkfifo(landing.root / "bills" / "a.csv")
    report = landing.load()
    assert [(file.path, file.refused_reason) for file in report.files] == [
        ("bills/a.csv", "cannot be read: not a regular file"),
        ("bills/b.csv", None),
    ]


def test_what_the_database_cannot_take_refuses_that_file_alone(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    landing.put("payments/a.csv", csv_text("payments", [row("payments")]))
    real = RowChecks.accept_rows

    def accept_rows(self: RowChecks, has_duplicates: bool) -> str:
        statement = real(self, has_duplicates)
        return "select 'secret'::integer, %s, %s" if self.contract.source == "bills" else statement

    monkeypatch.setattr(RowChecks, "accept_rows", accept_rows)
    report = landing.load()
    assert [(file.path, file.refused_reason) for file in report.files] == [
        ("bills/a.csv", "the database cannot take its rows (SQLSTATE 22P02)"),
        ("payments/a.csv", None),
    ]


def test_what_is_beyond_a_limit_of_the_database_refuses_that_file_alone(landing: Landing) -> None:
    """No contract can foresee every limit; here an index that somebody made on a free text."""
    landing.load()
    with landing.conn.cursor() as cursor:
        cursor.execute("create index on raw.customers (address)")
    landing.conn.commit()
    long = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=20_000))
    landing.put("customers/a.csv", csv_text("customers", [row("customers", address=long)]))
    landing.put("customers/b.csv", csv_text("customers", [row("customers")]))
    refused, good = landing.load().sources["customers"].files
    assert refused.refused_reason == "the database cannot take its rows (SQLSTATE 54000)"
    assert good.counts.rows_loaded == 1


def test_a_file_name_that_is_not_utf8_refuses_that_file(landing: Landing) -> None:
    landing.put("bills/z.csv", csv_text("bills", [row("bills", bill_id="BE2")]))
    for path in (b"bills/k\xfd.csv", b"bills/d\xfd/a.csv", b"stray\xfd.csv", b"strange\xfd/a.csv"):
        target = os.fsencode(landing.root) + b"/" + path
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "w", encoding="utf-8") as stream:
            stream.write(csv_text("bills", [row("bills")]))
    reason = "its name is not valid UTF-8: rename it"
    for _ in range(2):
        report = landing.load()
        assert [(file.path, file.refused_reason) for file in report.files] == [
            ("bills/d\\xfd/a.csv", reason),
            ("bills/k\\xfd.csv", reason),
            ("bills/z.csv", None),
        ]
        assert [finding.split(":")[0] for finding in report.findings] == ["stray\\xfd.csv", "strange\\xfd/"]
        assert landing.query("select file, refused_reason from bi.load_audit order by file") == [
            ("bills/d\\xfd/a.csv", reason),
            ("bills/k\\xfd.csv", reason),
            ("bills/z.csv", None),
        ]
    os.rename(os.fsencode(landing.root) + b"/bills/k\xfd.csv", landing.root / "bills/k.csv")
    assert landing.load().rows_added["bills"] == 1


def test_a_landing_folder_that_does_not_exist(landing: Landing) -> None:
    landing.root.rmdir()
    with pytest.raises(WarehouseError, match=r"The landing folder .* does not exist"):
        landing.load()


def test_a_landing_address(landing: Landing) -> None:
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    landing.settings = landing.settings.model_copy(update={"landing": f"file://{landing.root}"})
    assert landing.load().sources["bills"].rows_added == 1
    assert not landing.load().changed
    landing.settings = landing.settings.model_copy(update={"landing": f"file://{landing.root}/none"})
    with pytest.raises(WarehouseError, match="does not exist"):
        landing.load()


TYPED_BILLS = {
    "bill_month": date(2024, 5, 1),
    "cycle": 1.0,
    "issued_on": date(2024, 5, 5),
    "due_on": datetime(2024, 5, 15),
    "kwh": 182.5,
    "amount_before_vat": 400000.0,
    "vat_amount": 32000,
    "total_amount": 432000.0,
    "replaced_by": None,
    "updated_at": datetime(2024, 5, 5, 6),
}


def test_parquet_and_excel_give_the_rows_that_csv_gives(landing: Landing) -> None:
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    write_parquet(landing.root / "bills/b.parquet", "bills", TYPED_BILLS)
    names = list(contracts()["bills"].names)
    write_workbook(
        landing.root / "bills/c.xlsx", {"Tháng 5": [names, [(GOOD["bills"] | TYPED_BILLS)[n] for n in names]]}
    )
    landing.load()
    assert landing.query(AUDIT) == [
        ("bills/a.csv", 1, 1, 0, 0),
        ("bills/b.parquet", 1, 0, 1, 0),
        ("bills/c.xlsx", 1, 0, 1, 0),
    ]


def test_typed_moments_and_numbers_of_payments(landing: Landing) -> None:
    paid_at = pa.scalar(datetime(2024, 5, 10, 3), pa.timestamp("ns", tz="UTC"))
    write_parquet(
        landing.root / "payments/a.parquet",
        "payments",
        {
            "paid_at": paid_at,
            "amount": 432000.0,
            "fee": float("nan"),
            "partner_settled_on": date(2024, 5, 11),
        },
    )
    landing.put("payments/b.csv", csv_text("payments", [row("payments")]))
    landing.load()
    assert landing.query(AUDIT) == [("payments/a.parquet", 1, 1, 0, 0), ("payments/b.csv", 1, 0, 1, 0)]


def workbook(total: object) -> dict[str, list[list[object]]]:
    names = list(contracts()["bills"].names)
    titled = [["Danh sách hóa đơn"], [], names, list(GOOD["bills"].values()), [None], ["Tổng cộng"]]
    titled[5] += [None] * (names.index("total_amount") - 1) + [total]
    second = [names[::-1], [row("bills", bill_id="BE2", status="lost")[name] for name in names[::-1]]]
    return {"Trang 1": titled, "Ghi chú": [["không có gì"]], "Trang 2": second}


def test_a_workbook_with_titles_a_total_and_several_sheets(landing: Landing) -> None:
    write_workbook(landing.root / "bills/a.xlsx", workbook(432000))
    (result,) = landing.load().sources["bills"].files
    assert result.counts == Counts(1, 0, 1, 432000, 0, 432000)
    assert result.notes == ("sheet not read, it has no header with the required columns: Ghi chú",)
    assert landing.query("select bill_id, line from raw.bills") == [("BE1", 4)]
    assert landing.query("select sheet, line, column_name from landing.quarantine") == [
        ("Trang 2", 2, "status")
    ]
    assert landing.value("select raw from bi.quarantine") == (
        "2024-05-05 06:00:00,,lost,432000,32000,400000,182.5,2024-05-15,2024-05-05,1,2024-05,electricity,"
        "***,BE2"
    )


def test_a_total_that_disagrees_refuses_the_workbook(landing: Landing) -> None:
    write_workbook(landing.root / "bills/a.xlsx", workbook("432.001"))
    (result,) = landing.load().sources["bills"].files
    assert result.refused_reason == "sheet Trang 1, row 6: the total is 432001, but its rows sum up to 432000"
    assert landing.query(AUDIT) == [("bills/a.xlsx", 0, 0, 0, 0)]


def test_progress_is_told_file_by_file(landing: Landing) -> None:
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    landing.put("bills/b.csv", "")
    told: list[str] = []
    load_landing(
        landing.settings, landing.conn, ["bills"], lambda file: told.append(f"{file.path} {file.status}")
    )
    assert told == ["bills/a.csv loaded", "bills/b.csv refused"]


def test_every_load_that_adds_rows_is_a_change(landing: Landing) -> None:
    landing.put("payments/a.csv", csv_text("payments", [row("payments"), row("payments")]))
    landing.put("payments/b.csv", csv_text("payments", [row("payments")], ";"))
    landing.put("payments/c.csv", csv_text("payments", [row("payments")]))
    landing.put("payments/copy.csv", csv_text("payments", [row("payments"), row("payments")]))
    landing.put("payments/d.csv", csv_text("payments", [row("payments", amount="x")]))
    landing.put("bills/a.csv", csv_text("bills", [row("bills"), row("bills", bill_id="BE2")]))
    landing.load()
    landing.put(
        "payments/e.csv", csv_text("payments", [row("payments"), row("payments", transaction_id="T2")])
    )
    landing.load()
    log = (
        "select kind, change.source, path, rows_added, rows_withdrawn, changed_by, reason from landing.change"
    )
    assert landing.query(f"{log} inner join landing.file using (file_id) order by change_id") == [
        ("load", "bills", "bills/a.csv", 2, 0, None, None),
        ("load", "payments", "payments/a.csv", 1, 0, None, None),
        ("load", "payments", "payments/e.csv", 1, 0, None, None),
    ]
    assert landing.query(
        "select path, line, change_id from raw.payments inner join landing.file using (file_id) order by 1, 2"
    ) == [
        ("payments/a.csv", 2, 2),
        ("payments/a.csv", 3, 2),
        ("payments/b.csv", 2, 0),  # it changed nothing
        ("payments/c.csv", 2, 0),
        ("payments/e.csv", 2, 3),
        ("payments/e.csv", 3, 3),
    ]
    before = landing.query("select * from landing.change")
    landing.load()
    assert landing.query("select * from landing.change") == before


def test_a_refused_file_is_no_change(landing: Landing) -> None:
    landing.put("payments/a.csv", "")
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]).replace("bill_id", "id"))
    landing.load()
    assert landing.value("select count(*) from landing.change") == 0


def test_how_far_the_payments_of_a_file_reach(landing: Landing) -> None:
    reversal = row("payments", transaction_id="R", kind="reversal", paid_at="2025-01-01 10:00")
    bad = row("payments", transaction_id="T9", amount="0", paid_at="2025-02-01 10:00")
    later = row("payments", transaction_id="T2", paid_at="2024-05-12 10:00")
    landing.put("payments/a.csv", csv_text("payments", [later, row("payments"), reversal, bad]))
    landing.put("payments/b.csv", csv_text("payments", [reversal]))
    landing.put("payments/c.csv", csv_text("payments", [later], ";"))
    landing.put("payments/copy.csv", csv_text("payments", [later, row("payments"), reversal, bad]))
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    landing.load()
    reached = datetime(2024, 5, 12, 10)
    assert landing.query("select path, paid_through from landing.file order by path") == [
        ("bills/a.csv", None),
        ("payments/a.csv", reached),
        ("payments/b.csv", None),
        ("payments/c.csv", reached),
        ("payments/copy.csv", reached),
    ]


def test_lookups_of_the_contract_have_their_index_after_the_first_load(landing: Landing) -> None:
    indexes = (
        "select indexname from pg_indexes where schemaname = 'raw' and tablename = 'payments' order by 1"
    )
    always = [("payments_change_idx",), ("payments_file_idx",)]
    landing.load()
    assert landing.query(indexes) == always
    landing.put("payments/a.csv", csv_text("payments", [row("payments")]))
    landing.load()
    assert landing.query(indexes) == [
        ("payments_bill_id_idx",),
        *always[:1],
        ("payments_customer_code_idx",),
        *always[1:],
        ("payments_key_idx",),
        ("payments_partner_code_reverses_transaction_id_idx",),
    ]
    definition = landing.value(
        "select indexdef from pg_indexes where indexname = 'payments_partner_code_reverses_transaction_id_idx'"
    )
    assert definition.endswith(
        "(partner_code, reverses_transaction_id) WHERE (reverses_transaction_id IS NOT NULL)"
    )


def test_the_rows_of_new_changes_are_found_by_their_index(landing: Landing) -> None:
    rows = [row("payments", transaction_id=f"T{number}") for number in range(20_000)]
    landing.put("payments/a.csv", csv_text("payments", rows))
    landing.load()
    landing.put("payments/b.csv", csv_text("payments", [row("payments", transaction_id="new")]))
    landing.load()
    plan = landing.query("explain select * from raw.payments where change_id > 1")
    assert "payments_change_idx" in "".join(line for (line,) in plan)
