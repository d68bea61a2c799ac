"""What is special about workbooks: total rows, error cells, cells right of the header, damaged files."""

import io
import random
import shutil
import struct
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import openpyxl
import pytest
import xlsxwriter
from landing_folder import GOOD, Landing, row, write_workbook

from dagster_project.contracts.catalog import contracts
from dagster_project.raw.ledger import Counts
from dagster_project.raw.load import FileResult

FILES = Path(__file__).parent / "files"
BILL = list(contracts()["bills"].names)
CUSTOMER = list(contracts()["customers"].names)


def load_sheet(landing: Landing, source: str, rows: Sequence[Sequence[object]]) -> FileResult:
    write_workbook(landing.root / source / "a.xlsx", {"S": rows})
    (result,) = landing.load().sources[source].files
    return result


def bill(number: int, amount: object = 100) -> list[object]:
    return list(row("bills", bill_id=f"B{number}", total_amount=str(amount)).values())


def cells(names: Sequence[str], **filled: object) -> list[object]:
    return [filled.get(name) for name in names]


@pytest.mark.parametrize(
    "name", ["Công", "Tống Công Thủy", "Tổng Công ty Điện lực miền Bắc", "Tổng cộng", "TỔNG", "Cộng :"]
)
@pytest.mark.parametrize("first", ["customer_name", "customer_code"])
def test_a_customer_called_like_a_total_is_a_row(landing: Landing, name: str, first: str) -> None:
    names = sorted(CUSTOMER, key=lambda column: column != first)
    values = row("customers", customer_name=name)
    result = load_sheet(landing, "customers", [names, [values[column] for column in names]])
    assert result.counts.rows_loaded == 1
    assert landing.value("select customer_name from raw.customers") == name


def test_a_code_that_is_a_total_word_is_a_row_when_the_key_has_more(landing: Landing) -> None:
    result = load_sheet(
        landing, "customers", [CUSTOMER, list(row("customers", customer_code="CONG").values())]
    )
    assert result.counts.rows_loaded == 1


@pytest.mark.parametrize(
    "label",
    [
        *("Tổng cộng", "TỔNG CỘNG:", "Cộng", "tong", "Tổng số :", "To\u0302\u0309ng  cộng"),
        *(
            "Tổng tiền",
            "Tổng số tiền",
            "Cộng tiền",
            "Total",
            "GRAND TOTAL:",
            "Tổng cộng (VND)",
            "Tổng cộng (đồng)",
        ),
    ],
)
@pytest.mark.parametrize("place", ["bill_id", "customer_code", "updated_at"])
@pytest.mark.parametrize("amount", [300, "300 đ", None])
def test_a_total_row_wherever_its_label_stands(
    landing: Landing, label: str, place: str, amount: object
) -> None:
    total = cells(BILL, **{place: label, "total_amount": amount, "kwh": 365.0})
    result = load_sheet(landing, "bills", [BILL, bill(1), bill(2, 200), total])
    assert (result.refused_reason, result.counts) == (None, Counts(rows_loaded=2, money_loaded_vnd=300))


def test_a_total_left_of_its_label_is_compared(landing: Landing) -> None:
    names = ["total_amount", *(name for name in BILL if name != "total_amount")]
    values = row("bills", total_amount="108000")
    rows = [names, [values[name] for name in names], [999, "Tổng cộng"]]
    result = load_sheet(landing, "bills", rows)
    assert result.refused_reason == "sheet S, row 3: the total is 999, but its rows sum up to 108000"


def test_a_total_row_with_a_count_in_an_extra_column(landing: Landing) -> None:
    rows = [["STT", *BILL], [1, *bill(1)], [2, *bill(2)], [2, *cells(BILL, bill_id="Cộng", total_amount=200)]]
    assert load_sheet(landing, "bills", rows).counts == Counts(rows_loaded=2, money_loaded_vnd=200)


def test_a_total_without_an_amount_is_told(landing: Landing) -> None:
    result = load_sheet(landing, "bills", [BILL, bill(1), cells(BILL, bill_id="Tổng cộng")])
    assert result.counts.rows_in_file == 1
    assert result.notes == ("sheet S, row 3: a total without an amount, not compared",)


def test_bad_rows_are_named_where_a_total_disagrees(landing: Landing) -> None:
    bad = bill(2, "hai trăm")
    result = load_sheet(
        landing, "bills", [BILL, bill(1), bad, cells(BILL, bill_id="Tổng cộng", total_amount=300)]
    )
    told = "the total is 300, but its rows sum up to 100 (bad rows among them: 1)"
    assert result.refused_reason == f"sheet S, row 4: {told}"


@pytest.mark.parametrize("form", ["{}", "({})"])
def test_a_row_that_numbers_the_columns_is_no_row(landing: Landing, form: str) -> None:
    numbers = [form.format(number) for number in range(1, len(BILL) + 1)]
    result = load_sheet(
        landing, "bills", [BILL, numbers, bill(1), cells(BILL, bill_id="Cộng", total_amount=100)]
    )
    assert (result.counts.rows_loaded, result.counts.rows_in_file, result.refused_reason) == (1, 1, None)


def test_a_total_that_is_no_amount_refuses_the_workbook(landing: Landing) -> None:
    result = load_sheet(landing, "bills", [BILL, bill(1), cells(BILL, bill_id="Tổng", total_amount="#REF!")])
    assert result.refused_reason == "sheet S, row 3: the total cannot be read as an amount"


def test_a_label_within_a_longer_text_is_no_total(landing: Landing) -> None:
    result = load_sheet(landing, "bills", [BILL, bill(1), cells(BILL, customer_code="Tổng cộng tiền điện")])
    assert (result.counts.rows_loaded, result.counts.rows_quarantined) == (1, 1)


@pytest.mark.parametrize("seed", range(8))
def test_random_total_rows(landing: Landing, seed: int) -> None:
    """Sections of rows, each perhaps with its total, and one for all at the end; one of them may be wrong."""
    generator = random.Random(seed)
    names = generator.sample(["STT", *BILL], len(BILL) + 1)
    is_wrong = seed % 2 == 1
    sheet: list[list[object]] = [names]
    amounts: list[int] = []
    section: list[int] = []

    def add_total(amount: int) -> None:
        place = generator.choice([name for name in names if name != "total_amount"])
        label = generator.choice(["Tổng cộng", "Cộng:", "TỔNG SỐ", "tong"])
        sheet.append(cells(names, **{place: label, "total_amount": amount}))

    for _ in range(generator.randrange(1, 4)):
        for _ in range(generator.randrange(1, 5)):
            amount = generator.randrange(1, 10**6)
            section.append(amount)
            amounts.append(amount)
            values = row("bills", bill_id=f"B{len(amounts)}", replaced_by="Tổng") | {"STT": "1"}
            sheet.append(cells(names, **(values | {"total_amount": amount})))
        if generator.random() < 0.5:
            add_total(sum(section))
            section.clear()
    add_total(sum(amounts) + is_wrong)
    result = load_sheet(landing, "bills", sheet)
    if is_wrong:
        assert result.refused_reason == (
            f"sheet S, row {len(sheet)}: the total is {sum(amounts) + 1}, "
            f"but its rows sum up to {sum(amounts)}"
        )
    else:
        assert result.counts == Counts(rows_loaded=len(amounts), money_loaded_vnd=sum(amounts))


def test_error_cells_are_text_and_no_empty_cells(landing: Landing) -> None:
    names = list(contracts()["payments"].names)
    rows: list[list[object]] = [[None, None, *names]]  # the sheet begins in column C, its table in row 3
    errors = {"bill_id": "#N/A", "fee": "#DIV/0!", "partner_settled_on": "#REF!", "channel_code": "#VALUE!"}
    for name, error in errors.items():
        values = row("payments", transaction_id=name, **{name: error})
        rows.append([None, None, *(values[column] for column in names)])
    result = load_sheet(landing, "payments", [["title"], [], *rows])
    assert (result.counts.rows_loaded, result.counts.rows_quarantined) == (2, 2)
    assert landing.query("select transaction_id, bill_id, channel_code from raw.payments order by 1") == [
        ("bill_id", "#N/A", "qr"),
        ("channel_code", "BE1", "#VALUE!"),
    ]
    assert [(line, reason) for _, line, _, reason, _ in landing.quarantine()] == [
        (5, "fee: not an amount in whole VND"),
        (6, "partner_settled_on: not a date"),
    ]
    assert "#DIV/0!" in landing.value("select raw from bi_private.quarantine where line = 5")


def test_error_cells_of_the_right_sheet_and_of_formulas(landing: Landing) -> None:
    book = openpyxl.Workbook()
    book.active.append(["#NAME?", "#NUM!"])  # a sheet without the columns
    sheet = book.create_sheet("Hóa đơn")
    sheet.append(BILL)
    sheet.append(bill(1))
    sheet.append(bill(2))
    sheet["M3"] = "=VLOOKUP(1,A1:A2,1)"
    buffer = io.BytesIO()
    book.save(buffer)

    # openpyxl writes no results of formulas; cells and rows without their references, as some programs write.
    def computed(name: str, content: bytes) -> bytes:
        if not name.endswith("sheet2.xml"):
            return content
        place, begin = content.index(b'<c r="M3">'), content.index(b"<sheetData>")
        cell = b'<c t="e"><f>VLOOKUP(1,A1:A2,1)</f><v>#N/A</v></c>'
        text = content[:place] + cell + content[content.index(b"</c>", place) + 4 :]
        assert begin < place
        for letter in "ABCDEFGHIJKLMN":
            text = text.replace(f'<c r="{letter}3"'.encode(), b"<c")
        return text.replace(b'<row r="3">', b"<row>")

    landing.put("bills/a.xlsx", rewritten(buffer.getvalue(), computed))
    (result,) = landing.load().sources["bills"].files
    assert result.refused_reason is None
    assert landing.query("select line, bill_id, replaced_by from raw.bills order by line") == [
        (2, "B1", None),
        (3, "B2", "#N/A"),
    ]


def rewritten(book: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target.getvalue()


def test_merged_cells_above_and_in_the_header(landing: Landing) -> None:
    """A header of two rows, as hand-kept workbooks have it: some names over both, some below a common title."""
    money = BILL.index("amount_before_vat")
    path = landing.root / "bills/a.xlsx"
    path.parent.mkdir()
    book = xlsxwriter.Workbook(str(path))
    sheet = book.add_worksheet("Hóa đơn")
    sheet.merge_range(0, 1, 1, len(BILL), "DANH SÁCH HÓA ĐƠN")
    for column, name in enumerate(BILL, 1):
        if money <= column - 1 < money + 3:
            sheet.write(4, column, name)
        else:
            sheet.merge_range(3, column, 4, column, name)
    sheet.merge_range(3, money + 1, 3, money + 3, "Tiền (đồng)")
    sheet.write_row(5, 1, bill(1))
    sheet.write_row(6, 1, bill(2))
    sheet.merge_range(7, 1, 7, 1 + BILL.index("kwh"), "Tổng cộng")
    sheet.write(7, 1 + BILL.index("total_amount"), 200)
    # A key merged over two rows stands in the upper one only.
    sheet.write_row(8, 1, bill(3))
    sheet.write_row(9, 2, bill(4)[1:])
    sheet.merge_range(8, 1, 9, 1, "B3")
    book.close()
    (result,) = landing.load().sources["bills"].files
    assert (result.refused_reason, result.counts.rows_loaded) == (None, 3)
    assert landing.query("select bill_id, line from raw.bills order by 1") == [
        ("B1", 6),
        ("B2", 7),
        ("B3", 9),
    ]
    assert landing.quarantine() == [("bills/a.xlsx", 10, "bill_id", "bill_id: required, but empty", "open")]


NOT_TOLD_APART = "has error cells such as #N/A, which only .xlsx tells from empty ones: save it as .xlsx"


def test_error_cells_of_xls_refuse_the_workbook(landing: Landing) -> None:
    folder = landing.root / "auto_debit_mandates"
    folder.mkdir(parents=True)
    for name in ("error_cell.xls", "good.xls"):  # equal but for one cell, ended_on: #N/A
        shutil.copy(FILES / name, folder)
    results = landing.load().sources["auto_debit_mandates"].files
    assert [(file.path[20:], file.refused_reason) for file in results] == [
        ("error_cell.xls", NOT_TOLD_APART),
        ("good.xls", None),
    ]
    assert landing.query("select mandate_id, ended_on from raw.auto_debit_mandates") == [("M1", None)]


def record(kind: int, content: bytes = b"") -> bytes:
    length = len(content)
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    return head + (bytes([length]) if length < 128 else bytes([length & 0x7F | 0x80, length >> 7])) + content


def binary_text(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def xlsb(rows: Sequence[Sequence[str]]) -> bytes:
    """The least that is a binary workbook; #N/A is written as the error that it is."""
    described = struct.pack("<II", 0, 1) + binary_text("rId1") + binary_text("S")
    workbook = record(131) + record(143) + record(156, described) + record(144) + record(132)
    corners = struct.pack("<IIII", 0, len(rows) - 1, 0, len(rows[0]) - 1)
    sheet = record(129) + record(148, corners) + record(145)
    for row_no, values in enumerate(rows):
        sheet += record(0, struct.pack("<I", row_no) + bytes(13))
        for column, text in enumerate(values):
            place = struct.pack("<II", column, 0)
            sheet += record(3, place + b"\x2a") if text == "#N/A" else record(6, place + binary_text(text))
    sheet += record(146) + record(130)
    relation = '<Relationships><Relationship Id="rId1" Target="worksheets/sheet1.bin"/></Relationships>'
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as book:
        book.writestr("xl/workbook.bin", workbook)
        book.writestr("xl/worksheets/sheet1.bin", sheet)
        book.writestr("xl/_rels/workbook.bin.rels", relation)
    return buffer.getvalue()


def test_error_cells_of_xlsb_refuse_the_workbook(landing: Landing) -> None:
    for name, replaced_by in (("bad", "#N/A"), ("good", "N/A")):
        values = row("bills", replaced_by=replaced_by)
        landing.put(f"bills/{name}.xlsb", xlsb([BILL, list(values.values())]))
    results = landing.load().sources["bills"].files
    assert [file.refused_reason for file in results] == [NOT_TOLD_APART, None]
    assert landing.query("select bill_id, replaced_by from raw.bills") == [("BE1", "N/A")]


def test_cells_right_of_the_header_are_extra_columns(landing: Landing) -> None:
    # The table begins in column B; of the columns behind it only S and T have anything below the header.
    rows: list[list[object]] = [["title", *[None] * 30, "right of all"], [None, *BILL]]
    rows += [[None, *bill(1), None, None, None, 7], [None, *bill(2), *[None] * 4, "#N/A"]]
    rows += [[None, *bill(3)], [None, *bill(4)]]
    result = load_sheet(landing, "bills", rows)
    assert result.extra_columns == ("column 1", "column 19", "column 20")
    assert result.counts.rows_loaded == 4
    empty = {"column 1": "", "column 19": "", "column 20": ""}
    assert landing.query("select bill_id, extra from raw.bills order by line") == [
        ("B1", {**empty, "column 19": "7"}),
        ("B2", {**empty, "column 20": "#N/A"}),
        ("B3", empty),
        ("B4", empty),
    ]


def test_extra_columns_are_named_by_their_place_in_the_sheet(landing: Landing) -> None:
    rows = [[None, None, *BILL], [None, None, *bill(1), "behind"]]
    result = load_sheet(landing, "bills", rows)
    assert result.extra_columns == ("column 17",)


def test_dates_beyond_the_calendar_go_to_quarantine(landing: Landing) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append([*BILL, "note"])
    for number, serial in enumerate((45538, 3_000_000, -5, 1e12, 2958465.9999999), 1):
        sheet.append([*bill(number), serial])
        place = sheet.cell(number + 1, BILL.index("due_on") + 1, serial)
        place.number_format = sheet.cell(number + 1, len(BILL) + 1).number_format = "yyyy-mm-dd"
    (landing.root / "bills").mkdir()
    book.save(landing.root / "bills/a.xlsx")
    (result,) = landing.load().sources["bills"].files
    assert (result.refused_reason, result.counts.rows_loaded, result.counts.rows_quarantined) == (None, 1, 4)
    assert {reason for _, _, _, reason, _ in landing.quarantine()} == {"due_on: not a date"}


def test_the_last_moment_of_the_calendar(landing: Landing) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, 999_900)
    values = {**GOOD["bills"], "updated_at": last}
    result = load_sheet(landing, "bills", [BILL, [values[name] for name in BILL]])
    assert result.refused_reason is None


def test_damaged_workbooks_are_refused_and_the_others_go_on(landing: Landing) -> None:
    write_workbook(landing.root / "bills/good.xlsx", {"S": [BILL, bill(1)]})
    good = (landing.root / "bills/good.xlsx").read_bytes()
    landing.put("bills/cut.xlsx", good[: len(good) // 2])
    for name, part in (
        ("no_sheet", "xl/worksheets/sheet1.xml"),
        ("no_relations", "xl/_rels/workbook.xml.rels"),
    ):
        cut = rewritten(good, lambda found, content, part=part: content[:99] if found == part else content)
        landing.put(f"bills/{name}.xlsx", cut)
    landing.put("bills/a_duration.xlsx", duration_of_a_million_years())
    results = {file.path: file for file in landing.load().sources["bills"].files}
    assert results.pop("bills/good.xlsx").status == "loaded"
    assert len(results) == 4
    for file in results.values():
        assert (file.status, (file.refused_reason or "")[:35]) == (
            "refused",
            "cannot be read as an Excel workbook",
        )


def duration_of_a_million_years() -> bytes:
    """The reader's library raises OverflowError for it."""
    book = openpyxl.Workbook()
    book.active.append([*BILL, "note"])
    book.active.append([*bill(1), 1e12])
    book.active.cell(2, len(BILL) + 1).number_format = "[h]:mm"
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_row_without_a_key_that_says_total_somewhere_is_still_a_row(landing: Landing) -> None:
    names = list(contracts()["feedback"].names)
    rows = [row("feedback"), row("feedback", feedback_id="", text="Tổng cộng")]
    cells = [names, *([values[name] for name in names] for values in rows)]
    write_workbook(landing.root / "feedback" / "a.xlsx", {"Sheet1": cells})
    landing.load()
    assert landing.query("select rows_in_file, rows_loaded, rows_quarantined from bi.load_audit") == [
        (2, 1, 1)
    ]
