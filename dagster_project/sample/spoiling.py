"""The dirty bundle: rewrites some files in other forms and adds bad ones; every clean row still arrives."""

from __future__ import annotations

import csv
import gzip
import io
import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import numpy as np

Rows = list[list[str]]

VIETNAMESE = {
    "customer_code": "mã khách hàng",
    "customer_name": "tên khách hàng",
    "contract_no": "số hợp đồng",
    "phone": "điện thoại",
    "address": "địa chỉ",
    "commune_code": "mã xã",
    "power_unit_code": "mã điện lực",
    "customer_type": "loại khách hàng",
    "status": "trạng thái",
    "effective_from": "ngày hiệu lực",
    "updated_at": "ngày cập nhật",
    "bill_id": "mã hóa đơn",
    "bill_type": "loại hóa đơn",
    "bill_month": "tháng hóa đơn",
    "cycle": "kỳ",
    "issued_on": "ngày phát hành",
    "due_on": "hạn thanh toán",
    "kwh": "điện năng",
    "amount_before_vat": "tiền trước thuế",
    "vat_amount": "tiền thuế",
    "total_amount": "tổng tiền",
    "partner_code": "mã đối tác",
    "transaction_id": "mã giao dịch",
    "kind": "loại giao dịch",
    "channel_code": "mã kênh",
    "amount": "số tiền",
    "fee": "phí",
    "paid_at": "thời điểm thanh toán",
}
TONES = "\u0300\u0301\u0303\u0309\u0323"  # grave, acute, tilde, hook above, dot below
MONEY = ("amount_before_vat", "vat_amount", "total_amount", "amount")


def _read(path: Path) -> tuple[list[str], Rows]:
    with path.open(encoding="utf-8", newline="") as handle:
        header, *rows = csv.reader(handle)
    return header, rows


def _text(header: list[str], rows: Rows, delimiter: str = ",", line_end: str = "\n") -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter=delimiter, lineterminator=line_end)
    writer.writerow(header)
    writer.writerows(rows)
    return buffer.getvalue()


def windows_1258(text: str) -> bytes:
    """Vietnamese in code page 1258: the letter with its mark where there is one, the tone after it."""
    text = unicodedata.normalize("NFC", text)
    spelled: dict[int, str] = {}
    for letter in set(text):
        try:
            letter.encode("cp1258")
        except UnicodeEncodeError:
            parts = unicodedata.normalize("NFD", letter)
            tones = "".join(mark for mark in parts if mark in TONES)
            spelled[ord(letter)] = (
                unicodedata.normalize("NFC", "".join(c for c in parts if c not in TONES)) + tones
            )
    return text.translate(spelled).encode("cp1258")


def _converted(header: list[str], rows: Rows, changes: dict[str, Callable[[str], str]]) -> Rows:
    at = [(header.index(name), change) for name, change in changes.items() if name in header]
    found = []
    for row in rows:
        copy = list(row)
        for place, change in at:
            copy[place] = change(copy[place])
        found.append(copy)
    return found


def _day_first(value: str) -> str:
    """2024-09-03 → 03/09/2024, 2024-09 → 09/2024; a time of day stays behind it."""
    parts = re.fullmatch(r"(\d{4})-(\d{2})(?:-(\d{2})(.*))?", value)
    if not parts:
        return value
    year, month, day, rest = parts.groups()
    return f"{day}/{month}/{year}{rest}" if day else f"{month}/{year}"


def _grouped(value: str) -> str:
    return f"{int(value):,}".replace(",", ".") if value else value


def _as_vietnamese_export(path: Path) -> None:
    """Semicolons, byte-order mark, Vietnamese headers, day-first dates, grouped money: as Excel saves it."""
    header, rows = _read(path)
    changes: dict[str, Callable[[str], str]] = {
        name: _day_first for name in ("bill_month", "issued_on", "due_on", "updated_at")
    }
    changes |= {name: _grouped for name in MONEY}
    rows = _converted(header, rows, changes)
    path.write_bytes(
        b"\xef\xbb\xbf" + _text([VIETNAMESE.get(n, n) for n in header], rows, ";", "\r\n").encode()
    )


def _as_utf16(path: Path) -> None:
    """Tabs, UTF-16 with its mark, an extra column, money with its unit."""
    header, rows = _read(path)
    rows = _converted(header, rows, {"amount": lambda value: f"{int(value):,} VND"})
    rows = [[*row, f"ca {1 + number % 3}"] for number, row in enumerate(rows)]
    path.write_bytes(b"\xff\xfe" + _text([*header, "ca_lam_viec"], rows, "\t").encode("utf-16-le"))


def _as_cp1258(path: Path) -> None:
    """The old Windows code page, headers without marks, line breaks inside addresses."""
    header, rows = _read(path)
    place = header.index("address")
    for number, row in enumerate(rows):
        if number % 50 == 0:
            row[place] = row[place].replace(", ", ",\n", 1)
    # Headers without their marks: đ has no decomposition of its own.
    plain = [
        "".join(
            c for c in unicodedata.normalize("NFD", VIETNAMESE.get(n, n)) if not unicodedata.combining(c)
        ).replace("đ", "d")
        for n in header
    ]
    path.write_bytes(windows_1258(_text(plain, rows, "|", "\r\n")))


def _zipped(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _bad_bills(header: list[str], row: list[str]) -> str:
    """Rows that go to quarantine, one fault each, between two good ones."""
    changes = [
        ("issued_on", "2024-02-30"),
        ("due_on", "31/31/2024"),
        ("bill_month", "2024-13"),
        ("customer_code", ""),
        ("status", "paid"),
        ("bill_type", "gas"),
        ("cycle", "4"),
        ("total_amount", "12x4"),
        ("kwh", "1,5x"),
    ]
    rows = [row]
    for number, (name, value) in enumerate(changes):
        bad = list(row)
        bad[0] = f"XX{number:012d}"
        bad[header.index(name)] = value
        rows.append(bad)
    rows.append([*row, "one too many"])
    rows.append(row[:5])
    rows.append(row)
    return _text(header, rows)


def _bad_payments(header: list[str], row: list[str]) -> str:
    changes = [
        ("amount", "0"),
        ("amount", "-50000"),
        ("amount", ""),
        ("kind", "refund"),
        ("paid_at", "2024-05-01 25:00:00"),
        ("paid_at", "2999-01-01 08:00:00"),
        ("fee", "-1"),
        ("partner_code", ""),
        ("partner_settled_on", "yesterday"),
    ]
    rows = [row]
    for number, (name, value) in enumerate(changes):
        bad = list(row)
        bad[1] = f"XX{number:010d}"
        bad[header.index(name)] = value
        rows.append(bad)
    rows.append(row[:4])
    rows.append(row)
    return _text(header, rows)


def _bad_customers(header: list[str], row: list[str]) -> str:
    changes = [
        ("effective_from", "từ năm ngoái"),
        ("customer_type", "VIP"),
        ("status", ""),
        ("updated_at", "32/01/2024"),
    ]
    rows = [row]
    for name, value in changes:
        bad = list(row)
        bad[header.index(name)] = value
        rows.append(bad)
    rows.append(row)
    return _text(header, rows)


def spoil(out: Path, rng: np.random.Generator) -> None:
    """Turn a clean bundle into a dirty one."""
    bills = sorted((out / "bills").glob("*.csv"))
    payments = sorted((out / "payments").glob("*.csv"))
    customers = out / "customers" / "customers.csv"
    bill_header, bill_rows = _read(bills[0])
    customer_header, customer_rows = _read(customers)

    # The same content again: a copy, a shuffled half, a zipped file, a slice with every row twice.
    (out / "bills" / "copy_of_bills.csv").write_bytes(bills[-1].read_bytes())
    half = [bill_rows[k] for k in rng.permutation(len(bill_rows))[: (len(bill_rows) + 1) // 2].tolist()]
    (out / "bills" / "again.csv.gz").write_bytes(_zipped(_text(bill_header, half, "|").encode()))
    first_customers = [row for row in customer_rows[:200] for _ in range(2)]
    (out / "customers" / "twice.csv").write_text(_text(customer_header, first_customers), encoding="utf-8")

    # Bad rows among good ones.
    if bill_rows:
        (out / "bills" / "bad_rows.csv").write_text(_bad_bills(bill_header, bill_rows[0]), encoding="utf-8")
    if customer_rows:
        bad = _bad_customers(customer_header, customer_rows[0])
        (out / "customers" / "bad_rows.csv").write_text(bad, encoding="utf-8")

    # Files that must be refused.
    whole = _zipped(bills[0].read_bytes())
    (out / "bills" / "truncated.csv.gz").write_bytes(whole[: max(20, len(whole) // 2)])
    (out / "bills" / "cut_off.csv").write_text(
        _text(bill_header, bill_rows[:3]).rstrip("\n")[:-60], encoding="utf-8"
    )
    (out / "customers" / "empty.csv").write_bytes(b"")
    place = customer_header.index("commune_code")
    without = [[value for k, value in enumerate(row) if k != place] for row in customer_rows[:100]]
    short_header = [name for name in customer_header if name != "commune_code"]
    (out / "customers" / "no_commune.csv").write_text(_text(short_header, without), encoding="utf-8")
    (out / "meters").mkdir(exist_ok=True)
    (out / "meters" / "meters.csv").write_text("meter_no,customer_code\n1,PN00000000000\n", encoding="utf-8")

    if payments:
        payment_header, payment_rows = _read(payments[0])
        if payment_rows:
            bad = _bad_payments(payment_header, payment_rows[0])
            (out / "payments" / "bad_rows.csv").write_text(bad, encoding="utf-8")
        _as_utf16(payments[0])
    _as_vietnamese_export(bills[0])
    _as_cp1258(customers)
