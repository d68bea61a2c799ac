"""The forms that are read without any declaration, in every kind of file: the same rows come of all of them."""

import gzip
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from landing_folder import GOOD, Landing, csv_text, write_workbook
from test_excel_files import xlsb

from dagster_project.contracts.catalog import contracts

TEXTS: list[dict[str, str]] = [
    {"issued_on": "03/09/2024", "bill_month": "9/2024", "total_amount": "1.234.567 đ", "kwh": "182.50"},
    {"issued_on": "3-9-2024", "bill_month": "09/2024", "total_amount": "1 234 567VND", "kwh": " 182.5 "},
    {"issued_on": "45538", "bill_month": "2024-09", "total_amount": "1,234,567.00", "kwh": "182.5"},
    {"updated_at": "03/09/2024 7:05", "replaced_by": "NULL", "cycle": "1.0"},
    {"updated_at": "2024-09-03T07:05:09.5+09:00", "replaced_by": "\\N", "kwh": ""},
    {"updated_at": "3/9/2024", "replaced_by": " BÒ\u0300 "},
]
READ = [
    ("B0", date(2024, 9, 3), date(2024, 9, 1), 1234567, Decimal("182.5"), 1, None, datetime(2024, 5, 5, 6)),
    ("B1", date(2024, 9, 3), date(2024, 9, 1), 1234567, Decimal("182.5"), 1, None, datetime(2024, 5, 5, 6)),
    ("B2", date(2024, 9, 3), date(2024, 9, 1), 1234567, Decimal("182.5"), 1, None, datetime(2024, 5, 5, 6)),
    ("B3", date(2024, 5, 5), date(2024, 5, 1), 432000, Decimal("182.5"), 1, None, datetime(2024, 9, 3, 7, 5)),
    ("B4", date(2024, 5, 5), date(2024, 5, 1), 432000, None, 1, None, datetime(2024, 9, 3, 5, 5, 9, 500000)),
    ("B5", date(2024, 5, 5), date(2024, 5, 1), 432000, Decimal("182.5"), 1, "BÒ\u0300", datetime(2024, 9, 3)),
]
TYPED: list[dict[str, object]] = [
    {"issued_on": date(2024, 9, 3), "bill_month": date(2024, 9, 1), "total_amount": 1234567.0, "kwh": 182.5},
    {"issued_on": datetime(2024, 9, 3), "bill_month": datetime(2024, 9, 1), "total_amount": 1234567, "kwh": 182.5},
    {"updated_at": datetime(2024, 9, 3, 7, 5), "replaced_by": None, "cycle": 1},
]  # fmt: skip
COLUMNS = "bill_id, issued_on, bill_month, total_amount, kwh, cycle, replaced_by, updated_at"


def bills(changes: list[Mapping[str, object]]) -> list[dict[str, object]]:
    return [{**GOOD["bills"], "bill_id": f"B{number}", **values} for number, values in enumerate(changes)]


@pytest.mark.parametrize("kind", ["csv", "csv.gz", "xlsx", "xlsb", "parquet"])
def test_texts(landing: Landing, kind: str) -> None:
    rows = [{name: str(value) for name, value in values.items()} for values in bills([*TEXTS])]
    names = list(contracts()["bills"].names)
    # Vietnamese headers, without diacritics or in capitals
    header = [
        {"bill_id": "MA HOA DON", "total_amount": "Tổng tiền"}.get(name, name.upper()) for name in names
    ]
    table = [[values[name] for name in names] for values in rows]
    path = landing.root / f"bills/a.{kind}"
    path.parent.mkdir()
    match kind:
        case "csv":
            path.write_bytes(csv_text("bills", rows, ";", header).encode("utf-16"))
        case "csv.gz":
            path.write_bytes(gzip.compress(csv_text("bills", rows, "\t", header).encode("utf-8-sig")))
        case "xlsx":
            write_workbook(path, {"S": [["Bảng kê"], [], header, *table]})
        case "xlsb":
            path.write_bytes(xlsb([header, *table]))
        case _:
            pq.write_table(
                pa.table(dict(zip(header, map(list, zip(*table, strict=True)), strict=True))), path
            )
    (result,) = landing.load().sources["bills"].files
    assert (result.refused_reason, landing.quarantine()) == (None, [])
    assert landing.query(f"select {COLUMNS} from raw.bills order by 1") == READ


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_typed_cells(landing: Landing, kind: str) -> None:
    path = landing.root / f"bills/a.{kind}"
    path.parent.mkdir()
    rows = bills([*TYPED])
    if kind == "xlsx":
        write_workbook(path, {"S": [list(rows[0]), *(list(values.values()) for values in rows)]})
    else:
        for number, values in enumerate(rows):  # a column of Parquet has one type
            pq.write_table(
                pa.table({name: [value] for name, value in values.items()}), path.with_stem(f"{number}")
            )
    assert landing.load().refused == []
    expected = [READ[0], ("B1", *READ[1][1:]), ("B2", *READ[3][1:])]
    assert landing.query(f"select {COLUMNS} from raw.bills order by 1") == expected


@pytest.mark.parametrize("kind", ["csv", "xlsx", "parquet"])
@pytest.mark.parametrize("phone", ["+84912345678", "84912345678", "912345678", "912345678.0", "0912345678"])
def test_phones(landing: Landing, kind: str, phone: str) -> None:
    """In workbooks and Parquet those that can be are numbers."""
    values: dict[str, object] = {**GOOD["customers"], "phone": phone}
    path = landing.root / f"customers/a.{kind}"
    path.parent.mkdir()
    if phone[0] in "89":
        values["phone"] = phone if kind == "csv" else float(phone)
    if kind == "csv":
        path.write_text(csv_text("customers", [{name: str(value) for name, value in values.items()}]))
    elif kind == "xlsx":
        write_workbook(path, {"S": [list(values), list(values.values())]})
    else:
        pq.write_table(pa.table({name: [value] for name, value in values.items()}), path)
    landing.load()
    assert landing.query("select phone from raw.customers") == [("0912345678",)]


def test_a_fraction_in_a_number_cell_is_no_group_of_thousands(landing: Landing) -> None:
    """As text 234.125 is 234125; a cell that holds the number 234.125 is no whole amount."""
    rows = bills([{"vat_amount": 234.125}, {"vat_amount": "234.125"}])
    write_workbook(
        landing.root / "bills/a.xlsx", {"S": [list(rows[0]), *(list(row.values()) for row in rows)]}
    )
    landing.load()
    assert landing.query("select bill_id, vat_amount from raw.bills") == [("B1", 234125)]
    assert [column for _, _, column, _, _ in landing.quarantine()] == ["vat_amount"]
