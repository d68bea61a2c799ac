"""CSV files as they come: delimiters, encodings, headers, quoting, lines; and those that are refused."""

import gzip
import unicodedata
from datetime import date
from pathlib import Path

import pytest
from landing_folder import Landing, csv_text, row

from dagster_project.contracts.catalog import contracts

NAME = "Nguyễn Thị Ước"
CUSTOMERS = csv_text("customers", [row("customers")])
VIETNAMESE = "|".join(
    [
        "Mã khách hàng", "NGÀY HIỆU LỰC", "tên khách hàng", "Số hợp đồng", "Điện thoại", "ĐỊA CHỈ", "Mã xã",
        "mã điện lực", "loại khách hàng", "Trạng thái", "ngày cập nhật",
    ]
)  # fmt: skip


def with_header(header: str) -> str:
    return header + "\n" + csv_text("customers", [row("customers")], "|").split("\n", 1)[1]


def loaded_name(landing: Landing, content: str | bytes) -> object:
    result = landing.load_text("customers", content)
    assert (result.status, result.counts.rows_loaded) == ("loaded", 1), result.refused_reason
    return landing.value("select customer_name from raw.customers")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(landing: Landing, delimiter: str) -> None:
    assert loaded_name(landing, csv_text("customers", [row("customers")], delimiter)) == NAME


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom", "windows-1258"]
)
def test_encodings(landing: Landing, encoding: str) -> None:
    match encoding:
        case "utf-16-le-bom":
            data = b"\xff\xfe" + CUSTOMERS.encode("utf-16-le")
        case "utf-16-be-bom":
            data = b"\xfe\xff" + CUSTOMERS.encode("utf-16-be")
        case "windows-1258":
            data = windows_1258(CUSTOMERS)
        case _:
            data = CUSTOMERS.encode(encoding)
    assert loaded_name(landing, data) == NAME


def test_windows_1258_that_ends_with_a_letter(landing: Landing) -> None:
    """Its byte could begin a character of UTF-8, but none of a Vietnamese text."""
    header = "partner_code,transaction_id,kind,customer_code,paid_at,amount\n"
    content = header.encode() + b"VCB,T1,payment,PN01000000001,2024-05-01 08:00,100 \xf0"
    result = landing.load_text("payments", content)
    assert (result.status, result.counts.rows_loaded) == ("loaded", 1), result.refused_reason
    assert landing.value("select amount from raw.payments") == 100


def windows_1258(text: str) -> bytes:
    """Windows-1258 has the vowels of one mark as letters and the tones as marks that follow them."""
    data = b""
    for char in text:
        for part in (char, unicodedata.normalize("NFD", char)):
            try:
                data += part.encode("cp1258")
                break
            except UnicodeEncodeError:
                continue
        else:
            base, *marks = unicodedata.normalize("NFD", char)
            tones = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
            vowel = unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in tones))
            data += (vowel + "".join(tones)).encode("cp1258")
    return data


def test_gzip(landing: Landing) -> None:
    landing.put("customers/one.csv.gz", CUSTOMERS)
    (result,) = landing.load().sources["customers"].files
    assert (result.status, result.counts.rows_loaded) == ("loaded", 1)


def test_headers_in_any_case_and_order(landing: Landing) -> None:
    names = contracts()["customers"].names[::-1]
    text = ",".join(f" {name.upper()} " for name in names) + "\n"
    assert loaded_name(landing, text + ",".join(row("customers")[name] for name in names) + "\n") == NAME


def test_vietnamese_headers(landing: Landing) -> None:
    assert loaded_name(landing, with_header(VIETNAMESE)) == NAME


def test_vietnamese_headers_without_diacritics(landing: Landing) -> None:
    bare = "".join(c for c in unicodedata.normalize("NFD", VIETNAMESE) if not unicodedata.combining(c))
    assert loaded_name(landing, with_header(bare.replace("đ", "d").replace("Đ", "D"))) == NAME


def test_vietnamese_headers_decomposed(landing: Landing) -> None:
    assert loaded_name(landing, with_header(unicodedata.normalize("NFD", VIETNAMESE))) == NAME


def test_every_vietnamese_header_is_known() -> None:
    known = {column.vietnamese for contract in contracts().values() for column in contract.columns}
    assert {
        "mã khách hàng", "tên khách hàng", "số hợp đồng", "điện thoại", "địa chỉ", "mã xã", "mã điện lực",
        "loại khách hàng", "trạng thái", "ngày hiệu lực", "ngày cập nhật", "mã hóa đơn", "loại hóa đơn",
        "tháng hóa đơn", "kỳ", "ngày phát hành", "hạn thanh toán", "điện năng", "tiền trước thuế",
        "tiền thuế",
        "tổng tiền", "mã đối tác", "mã giao dịch", "loại giao dịch", "mã kênh", "số tiền", "phí",
        "thời điểm thanh toán",
    } == known - {None}  # fmt: skip


def test_optional_columns_may_be_missing(landing: Landing) -> None:
    names = [column.name for column in contracts()["payments"].columns if column.required]
    text = ",".join(names) + "\n" + ",".join(row("payments")[name] for name in names) + "\n"
    result = landing.load_text("payments", text)
    assert result.counts.rows_loaded == 1
    assert landing.query("select fee, bill_id, paid_at::date from raw.payments") == [
        (None, None, date(2024, 5, 10))
    ]


def test_extra_columns_are_kept_as_they_came_and_reported(landing: Landing) -> None:
    lines = csv_text("payments", [row("payments")]).splitlines()
    result = landing.load_text("payments", f"{lines[0]},Ghi chú,\n{lines[1]}, thu hộ ,x\n")
    assert result.extra_columns == ("Ghi chú", "column 14")
    assert landing.value("select extra from raw.payments") == {"Ghi chú": " thu hộ ", "column 14": "x"}
    assert landing.value("select extra_columns from landing.file") == ["Ghi chú", "column 14"]


def test_quoted_fields_line_breaks_and_line_numbers(landing: Landing) -> None:
    rows = [
        row("customers", customer_code="A", address='"Tổ dân phố 5\nkhu B"'),
        row("customers", customer_code="B", address='"Xóm ""Đông""; số 1, ngõ 2"'),
        row("customers", customer_code="C", address='"one\r\ntwo\nthree"'),
        row("customers", customer_code="D", address='"old\rMac"', customer_name="An\u0323"),
        row("customers", customer_code="E", status="nobody"),
    ]
    landing.load_rows("customers", *rows)
    assert landing.query("select customer_code, line, address from raw.customers order by line") == [
        ("A", 2, "Tổ dân phố 5\nkhu B"),
        ("B", 4, 'Xóm "Đông"; số 1, ngõ 2'),
        ("C", 5, "one\r\ntwo\nthree"),
        ("D", 8, "old\rMac"),
    ]
    assert landing.query("select line, column_name from bi.quarantine") == [(10, "status")]


def test_careless_quotes_within_a_line_are_read(landing: Landing) -> None:
    rows = [
        row("customers", customer_code="A", address='"Xóm" Đông'),
        row("customers", customer_code="B", address='5" ngõ'),
        row("customers", customer_code="C", address='"Số 1"'),
    ]
    assert landing.load_rows("customers", *rows).counts.rows_loaded == 3
    assert landing.query("select address from raw.customers order by line") == [
        ("Xóm Đông",),
        ('5" ngõ',),
        ("Số 1",),
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_and_blank_lines(landing: Landing, line_end: str) -> None:
    lines = csv_text("bills", [row("bills"), row("bills", bill_id="BE2")]).splitlines()
    text = line_end.join(["", lines[0], "", lines[1], "   ", lines[2]])
    result = landing.load_text("bills", text)
    assert (result.counts.rows_loaded, result.counts.rows_in_file) == (2, 2)
    assert landing.query("select line from raw.bills order by 1") == [(4,), (6,)]


def test_a_header_alone_is_a_file_of_no_rows(landing: Landing) -> None:
    result = landing.load_rows("bills")
    assert (result.status, result.counts.rows_in_file) == ("loaded", 0)
    assert landing.query("select rows_in_file, refused_reason from bi.load_audit") == [(0, None)]


def test_a_large_file_of_quick_and_slow_blocks(landing: Landing) -> None:
    rows = [row("bills", bill_id=f"BE{number:06}") for number in range(30_000)]
    rows[12_000]["replaced_by"] = '"two\nlines"'
    rows[15_000]["kwh"] = " 7 "
    rows[20_000]["status"] = "lost"
    rows[25_000]["kwh"] = "NULL"
    result = landing.load_rows("bills", *rows)
    assert (result.counts.rows_loaded, result.counts.rows_quarantined) == (29_999, 1)
    places = "select line, replaced_by, kwh::text from raw.bills where bill_id = 'BE{:06}'"
    assert landing.query(places.format(11_999)) == [(12_001, None, "182.5")]
    assert landing.query(places.format(12_000)) == [(12_002, "two\nlines", "182.5")]
    assert landing.query(places.format(15_000)) == [(15_003, None, "7")]
    assert landing.query(places.format(25_000)) == [(25_003, None, None)]
    assert landing.query(places.format(29_999)) == [(30_002, None, "182.5")]
    assert landing.query("select line from bi.quarantine") == [(20_003,)]


BILLS = csv_text("bills", [row("bills"), row("bills", bill_id="BE2")])
PACKED = gzip.compress(BILLS.encode())

REFUSED: dict[str, tuple[str, str | bytes, str]] = {
    "empty": ("one.csv", "", "the file is empty"),
    "empty when unpacked": ("one.csv.gz", gzip.compress(b""), "the file is empty"),
    "only blank lines": ("one.csv", "\n \n\n", "the file is empty"),
    "truncated gzip": ("one.csv.gz", PACKED[:-12], "truncated gzip file"),
    "no gzip": ("one.csv.gz", BILLS.encode(), "broken gzip file"),
    "truncated last line": ("one.csv", BILLS[:-40], "truncated: the last line (3)"),
    "open quote at the end": ("one.csv", BILLS + '"BE3,PN', "the quote that opens in the record of line 4"),
    "open quote in the middle": (
        "one.csv",
        BILLS + '"' + BILLS.splitlines()[1] + "\n" + BILLS.splitlines()[2].replace("BE2", '"BE3"') + "\n",
        "the quote that opens in the record of line 4 is not closed",
    ),
    "missing columns": (
        "one.csv",
        "bill_id;customer_code;kwh\nA;B;1\n",
        "required columns missing: bill_type, bill_month, cycle, issued_on, due_on, amount_before_vat, "
        "vat_amount, total_amount, status, updated_at",
    ),
    "titles above the header": (
        "one.csv",
        "BẢNG KÊ THÁNG 5\n" + BILLS,
        "updated_at (line 1 is taken for the header: titles above it are read in Excel only)",
    ),
    "a column twice": ("one.csv", BILLS.replace("kwh", "Mã hóa đơn"), "two columns are both bill_id"),
    "another kind of file": ("one.docx", "x", "not a kind of file that is read"),
    "NUL characters": ("one.csv", BILLS.replace("BE2", "B\0"), "contains NUL characters"),
    "UTF-16 without its mark": ("one.csv", BILLS.encode("utf-16-le"), "contains NUL characters"),
    "half a UTF-16 character": (
        "one.csv",
        b"\xff\xfe" + BILLS.encode("utf-16-le") + b"x",
        "not valid UTF-16",
    ),
    "half a UTF-8 character": ("one.csv", (BILLS + "Ướ").encode()[:-1], "in the middle of a character"),
    "damaged UTF-8": ("one.csv", BILLS.encode() + "Đặng\n".encode() + b"\xff\n", "damaged UTF-8"),
    "no encoding fits": ("one.csv", BILLS.encode() + b"\xd2\x9d\x90\x8e\n", "neither UTF-8"),
    "truncated parquet": ("one.parquet", b"PAR1 and then nothing", "cannot be read as Parquet"),
    "truncated workbook": ("one.xlsx", b"PK\x03\x04 and then nothing", "cannot be read as an Excel workbook"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(landing: Landing, case: str) -> None:
    name, content, reason = REFUSED[case]
    landing.put("bills/good.csv", BILLS)
    landing.put(f"bills/{name}", content)
    report = landing.load()
    (refused,) = report.refused
    assert refused.path == f"bills/{name}"
    assert reason in str(refused.refused_reason)
    assert landing.query(
        "select rows_in_file, money_in_file_vnd, refused_reason from bi.load_audit "
        "where refused_reason is not null"
    ) == [(0, 0, refused.refused_reason)]
    assert landing.quarantine() == []
    assert landing.value("select count(*) from raw.bills") == 2

    again = landing.load()
    assert [(file.path, file.is_new) for file in again.refused] == [(f"bills/{name}", False)]

    landing.put(f"bills/{name}" if name.endswith(".csv") else "bills/whole.csv", BILLS.replace("BE", "BX"))
    assert landing.load().sources["bills"].rows_added == 2


def test_a_file_that_changes_while_it_is_read(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    path = landing.put("bills/one.csv", BILLS)
    marks = iter([path.stat()])
    real = Path.stat

    def changing(self: Path, **options: bool) -> object:
        found = real(self, **options)
        if self == path and next(marks, None) is not None:
            with path.open("a") as file:
                file.write(BILLS.splitlines()[1].replace("BE1", "BE3") + "\n")
        return found

    monkeypatch.setattr(Path, "stat", changing)
    (refused,) = landing.load().refused
    assert refused.refused_reason == "changed while it was read"
    monkeypatch.undo()
    assert landing.load().sources["bills"].rows_added == 3
    assert landing.query("select rows_in_file, refused_reason from bi.load_audit") == [(3, None)]


def test_a_file_that_cannot_be_read(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    path = landing.put("bills/one.csv", BILLS)
    real = Path.open

    def locked(self: Path, *args: str, **options: str) -> object:
        if self == path:
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **options)

    # Not by its mode: root reads everything.
    monkeypatch.setattr(Path, "open", locked)
    for _ in range(2):
        (refused,) = landing.load().refused
        assert refused.refused_reason == "cannot be read: Permission denied"
    assert landing.query("select sha256, rows_in_file from bi.load_audit") == [("", 0)]
    monkeypatch.undo()
    assert landing.load().sources["bills"].rows_added == 2
    assert landing.query("select rows_in_file, refused_reason from bi.load_audit") == [(2, None)]
