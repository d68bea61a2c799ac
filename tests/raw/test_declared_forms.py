"""What a contract declares of the forms of its files, each by a real file of that kind into the typed row."""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from landing_folder import GOOD, Declare, Landing, csv_text, row, write_workbook
from test_excel_files import xlsb

from dagster_project.contracts.catalog import contracts
from dagster_project.raw import reload
from dagster_project.raw.changes import Person
from dagster_project.raw.ledger import Counts
from dagster_project.raw.load import FileResult
from dagster_project.warehouse.connection import WarehouseError

NAME = "Nguyễn Thị Ước"
TCVN3 = "NguyÔn ThÞ \u00a6íc"
VNI = "Nguyeãn Thò Öôùc"
LOOK_ALIKES = {"tcvn3": TCVN3, "vni": VNI}
PLACES = {"tcvn3": "Phè Phóc Thµnh", "vni": "Phoá Phuùc Thaønh"}


def customer(font: str) -> dict[str, str]:
    return row("customers", customer_name=LOOK_ALIKES[font], address=PLACES[font])


def only(landing: Landing, source: str) -> FileResult:
    (result,) = landing.load().sources[source].files
    return result


def payment(**values: object) -> list[object]:
    return [{**GOOD["payments"], **values}[name] for name in contracts()["payments"].names]


@pytest.mark.parametrize("font", ["tcvn3", "vni"])
@pytest.mark.parametrize("kind", ["bytes", "utf-8", "utf-8-sig", "utf-16", "gzip", "xlsx", "xlsb", "parquet"])
def test_legacy_fonts_in_every_kind_of_file(landing: Landing, declare: Declare, font: str, kind: str) -> None:
    declare("customers", {"encoding": font})
    text = csv_text("customers", [customer(font)])
    names = list(contracts()["customers"].names)
    match kind:
        case "bytes":
            landing.put("customers/a.csv", text.encode("cp1252"))
        case "gzip":
            landing.put("customers/a.csv.gz", text)
        case "xlsx":
            values = [customer(font)[name] for name in names]
            write_workbook(landing.root / "customers/a.xlsx", {"S": [names, values]})
        case "xlsb":
            landing.put("customers/a.xlsb", xlsb([names, [customer(font)[name] for name in names]]))
        case "parquet":
            (landing.root / "customers").mkdir()
            table = pa.table({name: [value] for name, value in customer(font).items()})
            pq.write_table(table, landing.root / "customers/a.parquet")
        case _:
            landing.put("customers/a.csv", text.encode(kind))
    assert only(landing, "customers").refused_reason is None
    assert landing.query("select customer_name, address from raw.customers") == [(NAME, "Phố Phúc Thành")]


@pytest.mark.parametrize("kind", ["bytes", "xlsx"])
@pytest.mark.parametrize("name", ["Tªn kh¸ch hµng", "tên khách hàng"])
def test_headers_may_be_in_the_font_or_in_unicode(
    landing: Landing, declare: Declare, kind: str, name: str
) -> None:
    declare("customers", {"encoding": "tcvn3"})
    names = [name if column == "customer_name" else column for column in contracts()["customers"].names]
    if kind == "xlsx":
        write_workbook(landing.root / "customers/a.xlsx", {"S": [names, list(customer("tcvn3").values())]})
    else:
        landing.put(
            "customers/a.csv", csv_text("customers", [customer("tcvn3")], header=names).encode("utf-8")
        )
    assert only(landing, "customers").refused_reason is None
    assert landing.value("select customer_name from raw.customers") == NAME


def test_a_file_of_ascii_is_in_every_font(landing: Landing, declare: Declare) -> None:
    declare("bills", {"encoding": "vni"})
    assert landing.load_rows("bills", row("bills")).counts.rows_loaded == 1


def broken(font: str) -> bytes:
    bad = {"tcvn3": b"\x81", "vni": "bø".encode("cp1252")}[font]
    rows = [customer(font), customer(font) | {"customer_code": "B", "address": "@"}]
    return csv_text("customers", rows).encode("cp1252").replace(b"@", b"x" + bad)


@pytest.mark.parametrize(
    ("font", "fault"),
    [
        ("tcvn3", "a byte that is no letter of TCVN3"),
        ("vni", "U+00F8 has no meaning there in VNI"),
    ],
)
def test_undecodable_bytes_refuse_the_file(landing: Landing, declare: Declare, font: str, fault: str) -> None:
    declare("customers", {"encoding": font})
    landing.put("customers/a.csv", broken(font))
    assert only(landing, "customers").refused_reason == (f"line 3, column address: {fault}")
    assert landing.value("select count(*) from raw.customers") == 0


def test_unicode_declared_as_tcvn3_is_refused(landing: Landing, declare: Declare) -> None:
    declare("customers", {"encoding": "tcvn3"})
    landing.put("customers/a.csv", csv_text("customers", [row("customers")]))
    names = list(contracts()["customers"].names)
    write_workbook(landing.root / "customers/b.xlsx", {"KH": [["x"], names, list(row("customers").values())]})
    (landing.root / "customers/c.parquet").parent.mkdir(exist_ok=True)
    rows = [row("customers", customer_name="An"), row("customers")]
    pq.write_table(
        pa.table({name: [values[name] for values in rows] for name in names}),
        landing.root / "customers/c.parquet",
    )
    reasons = [file.refused_reason for file in landing.load().sources["customers"].files]
    fault = "column customer_name: U+1EC5 has no meaning there in TCVN3; is the text Unicode already?"
    assert reasons == [f"line 2, {fault}", f"sheet KH, row 3, {fault}", f"row 2, {fault}"]


def test_a_damaged_look_alike_file_is_not_taken_for_bytes(landing: Landing, declare: Declare) -> None:
    declare("customers", {"encoding": "tcvn3"})
    landing.put("customers/a.csv", csv_text("customers", [customer("tcvn3")]).encode() + b"x\xc3\n")
    assert only(landing, "customers").refused_reason == "damaged UTF-8: some of its bytes are no characters"


def test_a_python_codec_and_what_it_cannot_decode(landing: Landing, declare: Declare) -> None:
    declare("customers", {"encoding": "utf-16-le"})
    text = csv_text("customers", [row("customers")])
    landing.put("customers/a.csv", text.encode("utf-16-le"))
    assert only(landing, "customers").counts.rows_loaded == 1
    declare("customers", {"encoding": "cp1258"})
    landing.put("customers/a.csv", text.encode().replace("Phố".encode(), b"x\x9d"))
    assert only(landing, "customers").refused_reason == "line 2, column address: bytes that are no cp1258"


def test_quarantine_shows_the_line_as_it_stands_in_the_file(landing: Landing, declare: Declare) -> None:
    declare("payments", {"dates": ["dd-MON-yy"], "decimal": ",", "delimiter": "^", "nulls": ["-"]})
    line = "VCB^T1^gift^-^qr^PN01000000001^BE1^1.234,00^-^03-SEP-24 10:05:09^04-SEP-24^"
    landing.load_text("payments", csv_text("payments", [], "^") + line + "\n")
    assert landing.query("select column_name, raw from bi_private.quarantine") == [("kind", line)]
    assert landing.value("select fields from landing.quarantine") == {
        "partner_code": "VCB", "transaction_id": "T1", "kind": "gift", "channel_code": "qr", "bill_id": "BE1",
        "customer_code": "PN01000000001", "amount": "1234", "paid_at": "2024-09-03 10:05:09",
        "partner_settled_on": "2024-09-04",
    }  # fmt: skip
    assert landing.value("select money_quarantined_vnd from bi.load_audit") == 1234


PAID_AT = [
    ("dd-MON-yy", "03-SEP-24 10:05:09", datetime(2024, 9, 3, 10, 5, 9)),
    ("dd-MON-yy hh.mm.ss.f a", "03-Sep-24 10.05.09.123456 PM", datetime(2024, 9, 3, 22, 5, 9, 123456)),
    ("dd-MON-yy hh.mm.ss a X", "03-SEP-24 12.05.09 AM +08:00", datetime(2024, 9, 2, 23, 5, 9)),
    ("yyyyMMddHHmmss", "20240903100509", datetime(2024, 9, 3, 10, 5, 9)),
    ("yyyyMMdd", "20240903 10:05", datetime(2024, 9, 3, 10, 5)),
    ("dd.MM.yyyy", "03.09.2024 10:05:09.5", datetime(2024, 9, 3, 10, 5, 9, 500000)),
    ("d/M/yy H:mm", "3/9/24 7:05", datetime(2024, 9, 3, 7, 5)),
    ("dd/MM/yyyy hh:mm:ss a", "03/09/2024 02:00:00 CH", datetime(2024, 9, 3, 14)),
    ("yyyy/MM/dd HH:mm:ss", "2024/09/03 10:05:09", datetime(2024, 9, 3, 10, 5, 9)),
    # what does not have the declared form is read as ever
    ("dd-MON-yy", "2024-09-03 10:05:09", datetime(2024, 9, 3, 10, 5, 9)),
    ("dd-MON-yy", "03-SEP-24", None),
    ("dd-MON-yy", "03-SEPT-24 10:05", None),
    ("dd.MM.yyyy", "09.13.2024 10:05", None),
    ("yyyyMMddHHmmss", "45538", None),
    ("dd/MM/yyyy hh:mm:ss a", "03/09/2024 13:00:00 CH", None),
]


@pytest.mark.parametrize(("pattern", "text", "moment"), PAID_AT)
def test_moments(
    landing: Landing, declare: Declare, pattern: str, text: str, moment: datetime | None
) -> None:
    declare("payments", {"dates": [pattern]})
    landing.load_rows("payments", row("payments", paid_at=text))
    assert landing.query("select paid_at from raw.payments") == [(moment,)] * (moment is not None)


def test_days_and_months(landing: Landing, declare: Declare) -> None:
    declare("bills", {"dates": ["ddMMyy", "yyyyMM", "dd-MON-yy HH:mm:ss"]})
    rows = [
        row("bills", bill_id="A", issued_on="030949", due_on="030950", bill_month="202409"),
        row("bills", bill_id="B", issued_on="03-SEP-99 00:00:00", bill_month="09/2024"),
        row("bills", bill_id="C", issued_on="310224"),
        row("bills", bill_id="D", due_on="45538"),
        row("bills", bill_id="E", due_on="03-SEP-99 00:00:01"),
    ]
    landing.load_rows("bills", *rows)
    assert landing.query("select bill_id, issued_on, due_on, bill_month from raw.bills order by 1") == [
        ("A", date(2049, 9, 3), date(1950, 9, 3), date(2024, 9, 1)),
        ("B", date(1999, 9, 3), date(2024, 5, 15), date(2024, 9, 1)),
    ]
    assert [(line, column) for _, line, column, _, _ in landing.quarantine()] == [
        (4, "issued_on"),
        (5, "due_on"),
        (6, "due_on"),
    ]


def amounts(landing: Landing, *texts: str) -> list[object]:
    rows = [
        row("bills", bill_id=f"B{number}", kwh="", total_amount=text) for number, text in enumerate(texts)
    ]
    landing.load_text("bills", csv_text("bills", rows, "|"))
    found: dict[str, object] = dict(landing.query("select bill_id, total_amount from raw.bills"))
    return [found.get(f"B{number}") for number in range(len(texts))]


@pytest.mark.parametrize(
    ("form", "texts", "values"),
    [
        ({"decimal": ","}, ["1.234", "1.234,00", "1234", "-1.234.567 đ", "5,0"], [1234, 1234, 1234, -1234567, 5]),
        ({"decimal": ","}, ["1,234", "1,234,567", "12.34", "1,5", "1.2345", "1 234"], [None] * 6),
        ({"decimal": "."}, ["1,234", "1,234.0", "1,234,567VND"], [1234, 1234, 1234567]),
        # without declaration this is 234125
        ({"decimal": "."}, ["234.125", "1.234.567", "234.000"], [None, None, 234]),
        ({"grouping": "."}, ["1.234,0", "1.234"], [1234, 1234]),
        ({"decimal": ",", "grouping": " "}, ["1 234 567,00", "1\u00a0234", "1.234"], [1234567, 1234, None]),
        ({"decimal": ".", "grouping": "'"}, ["1'234'567.00"], [1234567]),
        ({"decimal": ",", "grouping": ""}, ["1234,0", "1.234"], [1234, None]),
    ],
)  # fmt: skip
def test_money(
    landing: Landing, declare: Declare, form: dict[str, str], texts: Sequence[str], values: list[object]
) -> None:
    declare("bills", form)
    assert amounts(landing, *texts) == values


def test_decimals_and_small_numbers(landing: Landing, declare: Declare) -> None:
    declare("bills", {"decimal": ",", "files": "*.csv"})
    rows = [row("bills", bill_id="A", kwh='"1.182,5"', cycle='"2,0"'), row("bills", bill_id="B", kwh="182.5")]
    landing.load_rows("bills", *rows)
    assert landing.query("select bill_id, kwh, cycle from raw.bills") == [("A", Decimal("1182.5"), 2)]
    assert landing.quarantine() == [("bills/one.csv", 3, "kwh", "kwh: not a plain decimal number", "open")]


def test_words_for_empty_true_and_false(landing: Landing, declare: Declare) -> None:
    declare("feedback", {"nulls": ["-", "(null)"], "trueTexts": ["x", "Có rồi"], "falseTexts": ["Chưa"]})
    rows = [
        row("feedback", feedback_id="A", commune_code="-", closed_at="(null)", reopened="X"),
        row("feedback", feedback_id="B", text="x", reopened="CÓ RỒI"),
        row("feedback", feedback_id="C", reopened="chưa", customer_code=" - "),
        row("feedback", feedback_id="D", reopened="-"),
    ]
    landing.load_rows("feedback", *rows)
    columns = "feedback_id, commune_code, customer_code is null, text, reopened"
    assert landing.query(f"select {columns} from raw.feedback order by 1") == [
        ("A", None, False, None, True),
        ("B", "14587", False, "x", True),
        ("C", "14587", True, None, False),
    ]
    assert landing.query("select reason from bi.quarantine") == [("reopened: required, but empty",)]


def test_own_headers(landing: Landing, declare: Declare) -> None:
    headers = {"MA_KH": "customer_code", "Số tiền thực thu": "amount", "amount": None}
    declare("payments", {"headers": headers, "delimiter": "~"})
    names = {"customer_code": "ma_kh", "amount": "so tien  thuc thu", "fee": "amount"}
    header = [names.get(name, name) for name in contracts()["payments"].names]
    result = landing.load_text("payments", csv_text("payments", [row("payments", fee="7")], "~", header))
    assert (result.refused_reason, result.extra_columns) == (None, ("amount",))
    assert landing.query("select customer_code, amount, fee, extra from raw.payments") == [
        ("PN01000000001", 432000, None, {"amount": "7"})
    ]


def test_the_first_declaration_that_fits_holds(landing: Landing, declare: Declare) -> None:
    declare(
        "bills",
        {"files": "agribank/**", "decimal": "."},
        {"files": "**/*_dot.csv", "decimal": ",", "grouping": "."},
        {"files": "dot_*", "decimal": ",", "grouping": " "},
        {"files": "*/x/?.csv", "decimal": ",", "grouping": "'"},
    )
    for number, (path, amount) in enumerate(
        {
            "agribank/2024/a_dot.csv": "1,000.0", "vcb/b_dot.csv": "1.001", "vcb/2024/dot_c.csv": "1 002",
            "vcb/x/d.csv": "1'003", "e.csv": "1,004",
        }.items()
    ):  # fmt: skip
        rows = [row("bills", bill_id=f"B{number}", kwh="", total_amount=amount)]
        landing.put(f"bills/{path}", csv_text("bills", rows, "|"))
    landing.load()
    assert landing.query("select total_amount from raw.bills order by bill_id") == [
        (1000,), (1001,), (1002,), (1003,), (1004,),
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_number_cells_and_date_cells_are_no_text(landing: Landing, declare: Declare, kind: str) -> None:
    declare("bills", {"decimal": ",", "dates": ["ddMMyyyy"], "nulls": ["0"]})
    cells: dict[str, object] = {
        "kwh": 182.5, "total_amount": "1.234,0", "issued_on": 3092024, "due_on": date(2024, 9, 4),
        "vat_amount": 1000, "updated_at": datetime(2024, 9, 4, 10), "amount_before_vat": 234.0,
    }  # fmt: skip
    values = {**GOOD["bills"], **cells}
    other = values | {"bill_id": "B2", "kwh": 0, "amount_before_vat": 234.125}
    if kind == "xlsx":
        total = ["Tổng cộng" if name == "bill_id" else None for name in values]
        total[list(values).index("total_amount")] = "2.468,00"
        write_workbook(
            landing.root / "bills/a.xlsx",
            {"S": [list(values), list(values.values()), list(other.values()), total]},
        )
    else:
        (landing.root / "bills").mkdir()
        columns = {name: [values[name], other[name]] for name in values}
        pq.write_table(pa.table(columns), landing.root / "bills/a.parquet")
    result = only(landing, "bills")
    assert result.refused_reason is None
    assert result.counts == Counts(
        rows_loaded=1, rows_quarantined=1, money_loaded_vnd=1234, money_quarantined_vnd=1234
    )
    assert landing.query("select kwh, total_amount, issued_on, due_on, vat_amount from raw.bills") == [
        (Decimal("182.5"), 1234, date(2024, 9, 3), date(2024, 9, 4), 1000)
    ]
    assert landing.query("select column_name, raw like '%1.234,0%' from bi_private.quarantine") == [
        ("amount_before_vat", True)
    ]


def test_a_new_declaration_tries_refused_files_again(landing: Landing, declare: Declare) -> None:
    text = csv_text("customers", [row("customers")]).replace("customer_name", "TEN_KH")
    landing.put("customers/a.csv", text)
    assert only(landing, "customers").refused_reason == "required column missing: customer_name"
    declare("customers", {"headers": {"TEN_KH": "customer_name"}})
    assert only(landing, "customers").counts.rows_loaded == 1


def test_the_same_bytes_in_another_form_are_another_content(landing: Landing, declare: Declare) -> None:
    declare("bills", {"files": "vcb/*", "decimal": "."})
    text = csv_text("bills", [row("bills", kwh="", total_amount="1.001")], "|")
    landing.put("bills/a.csv", text)
    landing.put("bills/vcb/a.csv", text)
    landing.put("bills/vcb/b.csv", text)
    results = {
        file.path: (file.status, file.counts.rows_quarantined)
        for file in landing.load().sources["bills"].files
    }
    assert results == {
        "bills/a.csv": ("loaded", 0),
        "bills/vcb/a.csv": ("loaded", 1),
        "bills/vcb/b.csv": ("copy", 1),
    }


def test_rows_already_loaded_are_read_anew_by_reload(landing: Landing, declare: Declare) -> None:
    text = csv_text("bills", [row("bills", kwh="", total_amount="1.001")], "|")
    landing.put("bills/a.csv", text)
    landing.put("bills/vcb/b.csv", text)
    landing.load()
    person = Person("an", "")
    declare("bills", {"decimal": ","})
    reload.reload(landing.settings, ["bills/a.csv"], person)
    declare("bills", {"files": "vcb/*", "decimal": "."})
    with pytest.raises(WarehouseError, match="declares them in different forms"):
        reload.reload(landing.settings, ["bills/a.csv"], person)
    declare("bills", {"decimal": "."})
    reload.reload(landing.settings, ["bills/a.csv"], person)
    assert (
        landing.query("select rows_loaded, rows_quarantined from bi.load_audit order by file") == [(0, 1)] * 2
    )


def test_utf_16_without_its_mark_is_refused_if_declared_so(landing: Landing, declare: Declare) -> None:
    declare("customers", {"encoding": "utf-16"})
    landing.put("customers/a.csv", csv_text("customers", [row("customers")]).encode("utf-16-le"))
    assert only(landing, "customers").refused_reason == "some of its bytes are no utf-16"


def test_a_file_without_a_header_tells_no_name(landing: Landing, declare: Declare) -> None:
    declare("customers", {"encoding": "tcvn3"})
    line = ",".join(row("customers", customer_name="Tran Van Cuong", address="Pho Moi").values()).encode()
    landing.put("customers/a.csv", line + b"\n" + line.replace(b"Cuong", b"C\x81ng") + b"\n")
    reason = str(only(landing, "customers").refused_reason)
    assert "Cuong" not in reason
    assert "line 2, field 3: " in reason


def test_declared_forms_do_not_hold_for_pulled_files(landing: Landing, declare: Declare) -> None:
    declare("bills", {"decimal": ",", "delimiter": ";"})
    landing.put("bills/pulled/cmis/cmis_1_2.csv", csv_text("bills", [row("bills", kwh="182.5")]))
    assert only(landing, "bills").status == "loaded"
    assert landing.value("select kwh::text from raw.bills") == "182.5"
