"""What real files do, and what the pipeline owes them: one test per row of that table of the landing contract.

Each is short and whole; the finer cases are in the modules beside this one. Legacy fonts are declared, so they are
tested with what is declared. What only shows in the figures is in tests/e2e/test_what_late_files_do.py. Below: sizes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from landing_folder import GOOD, Landing, csv_text, row
from test_excel_files import xlsb

from dagster_project.contracts.catalog import contracts
from dagster_project.raw import load

BILL = list(contracts()["bills"].names)
PAYMENT = list(contracts()["payments"].names)


def reasons(landing: Landing) -> dict[str, str | None]:
    return dict(landing.query("select file, refused_reason from bi.load_audit"))


# -- the rows of the table ---------------------------------------------------------------------------------------


def test_forms_quoted_line_breaks_and_extra_columns(landing: Landing) -> None:
    text = (
        "Mã Khách Hàng;NGAY HIEU LUC;tên khách hàng;số hợp đồng;địa chỉ;mã xã;mã điện lực;loại khách hàng;"
        "trạng thái;Ghi chú;ngày cập nhật\r\n"
        'PN01000000001;3/9/2024;"Nguyễn ""Út""";HD1;"tổ 5;\r\nphố Phúc Thành";14587;PNYK00;household;active; x ;'
        "03-09-2024\r\n"
    )
    landing.put("customers/a.csv", text.encode("utf-16"))
    landing.put("bills/a.csv", "bill_id,customer_code\nBE1,PN01000000001\n")
    report = landing.load()
    (customers,) = report.sources["customers"].files
    assert customers.extra_columns == ("Ghi chú",)
    assert landing.query("select effective_from, customer_name, address, extra, line from raw.customers") == [
        (date(2024, 9, 3), 'Nguyễn "Út"', "tổ 5;\r\nphố Phúc Thành", {"Ghi chú": " x "}, 2)
    ]
    (refused,) = report.refused
    assert str(refused.refused_reason).startswith("required columns missing: bill_type, bill_month, cycle, ")


def banks_workbook(path: Path, total: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = xlsxwriter.Workbook(path)
    book.add_worksheet("Bìa").write(0, 0, "Ngân hàng TMCP")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    for name, numbers in (("Kỳ 1", (1, 2)), ("Kỳ 2", (3,))):
        sheet = book.add_worksheet(name)
        sheet.merge_range(0, 0, 0, 5, "BẢNG KÊ HÓA ĐƠN THÁNG 5/2024")
        sheet.merge_range(1, 1, 2, 3, "Đơn vị: đồng")
        sheet.write_row(4, 0, ["STT", *BILL])
        for number in numbers:
            values = list(row("bills", bill_id=f"BE{number}", total_amount="100.000 đ").values())
            sheet.write_row(4 + number, 0, [number, *values])
            sheet.write_datetime(4 + number, 1 + BILL.index("due_on"), date(2024, 5, 15), day)
        sheet.merge_range(8, 0, 8, 4, "Tổng cộng")
        sheet.write(8, 1 + BILL.index("total_amount"), total if name == "Kỳ 1" else 100_000)
    book.close()


def test_a_workbook_with_titles_merged_cells_totals_and_several_sheets(landing: Landing) -> None:
    banks_workbook(landing.root / "bills/good.xlsx", 200_000)
    banks_workbook(landing.root / "bills/wrong.xlsx", 300_000)
    good, wrong = landing.load().sources["bills"].files
    assert (good.counts.rows_loaded, good.counts.money_loaded_vnd) == (3, 300_000)
    assert good.notes == ("sheet not read, it has no header with the required columns: Bìa",)
    assert landing.query("select bill_id, due_on, line from raw.bills order by 1") == [
        ("BE1", date(2024, 5, 15), 6),
        ("BE2", date(2024, 5, 15), 7),
        ("BE3", date(2024, 5, 15), 8),
    ]
    assert wrong.refused_reason == "sheet Kỳ 1, row 9: the total is 300000, but its rows sum up to 200000"


def test_phone_numbers_of_all_times(landing: Landing) -> None:
    mobile = ("0912345678", "+84912345678", "84912345678", "912345678", "912345678.0", "0912.345.678")
    old = ("01232345678", "+841232345678")
    kept = ("02293871234", "0912345678/0987654321")
    rows = [
        row("phone_reviews", review_id=f"R{n:02}", phone=text) for n, text in enumerate(mobile + old + kept)
    ]
    landing.load_rows("phone_reviews", *rows)
    assert landing.query("select phone from raw.phone_reviews order by review_id") == [
        *[("0912345678",)] * len(mobile),
        *[("0832345678",)] * len(old),
        *((text,) for text in kept),
    ]


def test_bad_rows_go_to_quarantine_and_are_tested_again(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = csv_text(
        "payments",
        [
            row("payments"),
            row("payments", transaction_id="T2", amount="12.5"),
            row("payments", transaction_id=""),
            row("payments", transaction_id="T4", kind="gift"),
            row("payments", transaction_id="T5", amount="-100"),
            row("payments", transaction_id="T6", paid_at="2026-01-20 10:00:00"),
            row("payments", transaction_id="T7" * 200),
        ],
    ).splitlines()
    lines += ["VCB,T8", lines[1].replace("T1", "T9") + ",x"]
    result = landing.load_text("payments", "\n".join(lines) + "\n")
    assert tuple(result.counts) == (1, 0, 8, 432_000, 0, 4 * 432_000 - 100)
    reasons = [
        (3, "amount", "amount: not an amount in whole VND"),
        (4, "transaction_id", "transaction_id: required, but empty"),
        (5, "kind", "kind: not one of payment, reversal"),
        (6, "amount", "amount: not greater than 0"),
        (7, "paid_at", "paid_at: later than the day of loading"),
        (8, "transaction_id", "transaction_id: longer than 200 characters"),
        (9, None, "wrong number of fields: 2 instead of 12"),
        (10, None, "wrong number of fields: 13 instead of 12"),
    ]
    open_rows = [("payments/one.csv", *reason, "open") for reason in reasons]
    assert landing.quarantine() == open_rows
    assert landing.query("select raw from landing.quarantine order by line") == [
        (text,) for text in lines[2:]
    ]

    assert landing.load(today=date(2026, 1, 20)).sources["payments"].rows_added == 1  # its day has come
    payments = contracts()["payments"]
    columns = tuple(
        replace(c, values=(*c.values, "gift")) if c.name == "kind" else c for c in payments.columns
    )
    wider = {**contracts(), "payments": replace(payments, columns=columns)}
    monkeypatch.setattr(load, "contracts", lambda _: wider)
    assert landing.load(today=date(2026, 1, 20)).sources["payments"].rows_added == 1
    assert landing.query("select line from bi.quarantine where status = 'repaired' order by 1") == [
        (5,),
        (7,),
    ]
    assert landing.value("select rows_loaded from bi.load_audit") == 3


def test_the_same_file_the_same_rows_and_another_order(landing: Landing) -> None:
    rows = [row("bills", bill_id=f"BE{number}") for number in range(6)]
    files = {
        "a": csv_text("bills", rows[:4]),
        "b": csv_text("bills", rows[2:]),
        "c": csv_text("bills", rows[:4]),
        "d": csv_text("bills", rows[::-1], ";"),
    }
    found = []
    for order in ("abcd", "dcba", "bdac"):
        with landing.conn.cursor() as cursor:
            cursor.execute("select to_regclass('raw.bills')")
            if cursor.fetchone() != (None,):
                cursor.execute("delete from raw.bills; delete from landing.change; delete from landing.file")
        landing.conn.commit()
        for name in order:
            landing.put(f"bills/{name}.csv", files[name])
            landing.load()
        before = landing.query("select * from raw.bills order by bill_id, file_id, line")
        assert not landing.load().changed
        assert landing.query("select * from raw.bills order by bill_id, file_id, line") == before
        columns = ", ".join(BILL)
        found.append(
            landing.query(f"select {columns} from raw.bills where not is_duplicate order by bill_id")
        )
        assert landing.query("select sum(rows_loaded), sum(rows_duplicate) from bi.load_audit") == [(6, 12)]
        for path in (landing.root / "bills").glob("*"):
            path.unlink()
    assert found[0] == found[1] == found[2]


def torn_files() -> dict[str, tuple[str, bytes, bytes, str]]:
    """Name, torn and whole content, and the beginning of the reason."""
    text = csv_text("bills", [row("bills"), row("bills", bill_id="BE2")]).encode()
    table = pa.table({name: [value] * 3000 for name, value in GOOD["bills"].items()})
    table = table.set_column(0, "bill_id", pa.array([f"BE{number}" for number in range(3000)]))
    stream = io.BytesIO()
    pq.write_table(table, stream)
    packed, parquet = gzip.compress(text), stream.getvalue()
    return {
        "gzip": (".csv.gz", packed[:-9], packed, "truncated gzip file"),
        "parquet": (
            ".parquet",
            parquet[: len(parquet) // 2],
            parquet,
            "cannot be read as Parquet, perhaps truncated",
        ),
        "last line": (".csv", text[:-60], text, "truncated: the last line (3) has no end and "),
        "open quote": (
            ".csv",
            text.replace(b"BE2", b'"BE2'),
            text.replace(b"BE2", b'"BE2"'),
            "the quote that opens in the record of line 3 is not closed",
        ),
        "empty": (".csv", b"", text, "the file is empty"),
        "empty workbook": (".xlsx", b"", workbook([]), "the file is empty"),
    }


@pytest.mark.parametrize("name", ["gzip", "parquet", "last line", "open quote", "empty", "empty workbook"])
def test_a_torn_file_is_refused_and_loads_when_it_is_whole(landing: Landing, name: str) -> None:
    ending, torn, whole, reason = torn_files()[name]
    landing.put(f"bills/a{ending}", torn)
    (refused,) = landing.load().refused
    assert str(refused.refused_reason).startswith(reason)
    assert landing.query("select rows_in_file, money_in_file_vnd from bi.load_audit") == [(0, 0)]
    assert landing.value("select count(*) from raw.bills") == 0
    landing.put(f"bills/a{ending}", whole)
    (result,) = landing.load().sources["bills"].files
    assert result.status == "loaded"
    assert landing.value("select count(*) from raw.bills") == result.counts.rows_loaded


def test_a_file_that_changes_while_it_is_read_is_refused(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    real = Path.open

    def written_meanwhile(self: Path, *arguments: str, **options: str) -> object:
        stream = real(self, *arguments, **options)
        if self == path:
            with real(path, "a") as file:
                file.write(csv_text("bills", [row("bills", bill_id="BE2")]).splitlines()[1] + "\n")
        return stream

    monkeypatch.setattr(Path, "open", written_meanwhile)
    (refused,) = landing.load().refused
    assert refused.refused_reason == "changed while it was read"
    monkeypatch.undo()
    assert landing.load().sources["bills"].rows_added == 2


# -- sizes -------------------------------------------------------------------------------------------------------


def workbook(rows: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for values in ([*BILL], *rows):
        book.active.append(values)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def parquet(rows: list[list[str]]) -> bytes:
    columns = zip(*rows, strict=True) if rows else [[] for _ in BILL]
    stream = io.BytesIO()
    pq.write_table(pa.table([pa.array(list(column), pa.string()) for column in columns], names=BILL), stream)
    return stream.getvalue()


def plain(rows: list[list[str]]) -> bytes:
    return "".join(",".join(values) + "\n" for values in [BILL, *rows]).encode()


KINDS: dict[str, Callable[[list[list[str]]], bytes]] = {
    ".csv": plain,
    ".csv.gz": lambda rows: gzip.compress(plain(rows)),
    ".xlsx": workbook,
    ".xlsb": lambda rows: xlsb([BILL, *rows]),
    ".parquet": parquet,
}


@pytest.mark.parametrize("ending", KINDS)
def test_files_of_no_row_and_of_one(landing: Landing, ending: str) -> None:
    landing.put(f"bills/none{ending}", KINDS[ending]([]))
    landing.put(f"bills/one{ending}", KINDS[ending]([list(row("bills").values())]))
    none, one = landing.load().sources["bills"].files
    assert (none.status, tuple(none.counts)) == ("loaded", (0,) * 6)
    assert (one.status, tuple(one.counts)) == ("loaded", (1, 0, 0, 432_000, 0, 0))
    assert reasons(landing) == {f"bills/none{ending}": None, f"bills/one{ending}": None}


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_line_of_ten_megabytes(landing: Landing, quote: str) -> None:
    long = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz", k=10_000_000))
    changes = {"address": f"{quote}{long}{quote}"}
    rows = [
        row("customers"),
        row("customers", customer_code="LONG", **changes),
        row("customers", customer_code="BAD", status="gone", **changes),
        row("customers", customer_code=f"{quote}{long}{quote}"),
        row("customers", customer_code="LAST"),
    ]
    result = landing.load_rows("customers", *rows)
    assert (result.refused_reason, tuple(result.counts)[:3]) == (None, (3, 0, 2))
    assert landing.query("select customer_code, md5(address), line from raw.customers where line = 3") == [
        ("LONG", hashlib.md5(long.encode()).hexdigest(), 3)
    ]
    assert [(line, column) for _, line, column, _, _ in landing.quarantine()] == [
        (4, "status"),
        (5, "customer_code"),
    ]


def test_a_line_of_ten_megabytes_of_delimiters(landing: Landing) -> None:
    text = csv_text("bills", [row("bills")]) + "," * 10_000_000 + "\n"
    result = landing.load_text("bills", text)
    assert tuple(result.counts)[:3] == (1, 0, 1)
    reason = f"wrong number of fields: 10000001 instead of {len(BILL)}"
    assert landing.quarantine() == [("bills/one.csv", 3, None, reason, "open")]


@pytest.mark.parametrize("files", [100, pytest.param(1000, marks=pytest.mark.extended)])
def test_many_small_files_in_one_run(landing: Landing, files: int) -> None:
    endings = list(KINDS)
    for number in range(files):
        ending = endings[number % len(endings)] if number < 25 else ".csv"
        values = list(row("bills", bill_id=f"BE{number}").values())
        landing.put(f"bills/{number:04}{ending}", KINDS[ending]([values]))
    report = landing.load().sources["bills"]
    assert (len(report.files), report.rows_added) == (files, files)
    assert landing.query("select count(*), sum(rows_loaded), sum(money_loaded_vnd) from bi.load_audit") == [
        (files, files, files * 432_000)
    ]
    assert not landing.load().changed


def test_a_cell_far_from_the_others_ends_no_run(landing: Landing) -> None:
    """The reader keeps a sheet as a rectangle: this one would take all memory, and the process with it."""
    book = openpyxl.Workbook()
    book.active.append(BILL)
    book.active.append(list(row("bills").values()))
    book.active.cell(1_000_000, 16_000, "x")
    (landing.root / "bills").mkdir()
    book.save(landing.root / "bills/a.xlsx")
    landing.put("bills/b.csv", csv_text("bills", [row("bills")]))
    far, good = landing.load().sources["bills"].files
    assert far.refused_reason == (
        "cannot be read as an Excel workbook: damaged, or a cell far from the others makes it too large"
    )
    assert good.counts.rows_loaded == 1


def test_a_cell_not_so_far_is_an_extra_column(landing: Landing) -> None:
    book = openpyxl.Workbook()
    book.active.append(BILL)
    book.active.append(list(row("bills").values()))
    book.active.cell(2, 60, "x")
    (landing.root / "bills").mkdir()
    book.save(landing.root / "bills/a.xlsx")
    (result,) = landing.load().sources["bills"].files
    assert (result.refused_reason, result.counts.rows_loaded, result.extra_columns) == (
        None,
        1,
        ("column 60",),
    )
