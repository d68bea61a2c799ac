"""Every form of "Formats read without any declaration" (values), through a file into the typed row."""

from datetime import date, datetime
from decimal import Decimal

import pytest
from landing_folder import Landing, csv_text, row


def read(landing: Landing, source: str, column: str, *texts: str) -> list[object]:
    """The typed values of one column, in order; a bad value is reported as such."""
    key = {"bills": "bill_id", "payments": "transaction_id", "customers": "customer_code"}.get(source)
    key = key or {"feedback": "feedback_id", "phone_reviews": "review_id", "targets": "code"}[source]
    rows = [row(source, **{key: f"K{number:03}", column: text}) for number, text in enumerate(texts)]
    result = landing.load_text(source, csv_text(source, rows, "|"))
    assert result.status == "loaded", result.refused_reason
    values: dict[str, object] = dict(landing.query(f'select {key}, "{column}" from raw.{source}'))
    bad = landing.query(
        f"select fields ->> '{key}', column_name from landing.quarantine where source = '{source}'"
    )
    values |= {name: f"bad {faulty}" for name, faulty in bad}
    return [values[f"K{number:03}"] for number in range(len(texts))]


def test_dates_iso_and_day_first(landing: Landing) -> None:
    texts = ("2024-09-03", "03/09/2024", "3/9/2024", "03-09-2024", "3-9-2024")
    assert read(landing, "bills", "issued_on", *texts) == [date(2024, 9, 3)] * 5


def test_dates_as_excel_serials(landing: Landing) -> None:
    assert read(landing, "bills", "issued_on", "45538", "45538.0") == [date(2024, 9, 3)] * 2


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30", "31/04/2024", "05/13/2024", "2024-9-3", "3/9-2024", "03/09/24", "2024/09/03", "today",
        "infinity", "2024-09-03 00:00", "45538.5", "0000-01-01", "sept-05-24", "٢٠٢٤-٠٩-٠٣",
    ],
)  # fmt: skip
def test_what_is_no_date(landing: Landing, text: str) -> None:
    assert read(landing, "bills", "issued_on", text) == ["bad issued_on"]


def test_timestamps_with_blank_or_t_and_parts_of_a_second(landing: Landing) -> None:
    texts = (
        "2024-09-03 07:05:09", "2024-09-03T07:05:09", "2024-09-03 07:05", "3/9/2024 7:05:09",
        "03-09-2024T07:05:09.5", "2024-09-03  07:05:09.123456",
    )  # fmt: skip
    assert read(landing, "payments", "paid_at", *texts) == [
        datetime(2024, 9, 3, 7, 5, 9),
        datetime(2024, 9, 3, 7, 5, 9),
        datetime(2024, 9, 3, 7, 5),
        datetime(2024, 9, 3, 7, 5, 9),
        datetime(2024, 9, 3, 7, 5, 9, 500000),
        datetime(2024, 9, 3, 7, 5, 9, 123456),
    ]


def test_timestamps_with_an_offset_become_local(landing: Landing) -> None:
    texts = (
        "2024-09-03T17:30:00Z", "2024-09-04 00:30:00+07:00", "2024-09-03 17:30+0000",
        "03/09/2024 13:30:00 -04", "2024-09-03T17:30:00.0Z",
    )  # fmt: skip
    assert read(landing, "payments", "paid_at", *texts) == [datetime(2024, 9, 4, 0, 30)] * 5


def test_timestamps_finer_than_microseconds_are_cut(landing: Landing) -> None:
    texts = ("2024-09-03 23:59:59.9999999", "2024-09-03T16:59:59.999999999Z")
    assert read(landing, "payments", "paid_at", *texts) == [datetime(2024, 9, 3, 23, 59, 59, 999999)] * 2


def test_timestamps_as_excel_serials(landing: Landing) -> None:
    texts = ("45538.75", "45538.4236111111")
    assert read(landing, "payments", "paid_at", *texts) == [
        datetime(2024, 9, 3, 18),
        datetime(2024, 9, 3, 10, 10),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "2024-09-03", "03/09/2024", "2024-09-03 24:00", "2024-09-03 24:00:00", "2024-09-03 10:60", "10:00",
        "2024-09-03 10:00:60", "2024-09-03 10:00 PM", "2024-02-30 10:00", "now", "2024-09-03 10:00+15:00",
    ],
)  # fmt: skip
def test_what_is_no_timestamp(landing: Landing, text: str) -> None:
    assert read(landing, "payments", "paid_at", text) == ["bad paid_at"]


def test_updated_at_is_a_date_or_a_timestamp(landing: Landing) -> None:
    texts = ("2024-09-03", "3/9/2024", "2024-09-03T00:00:00", "45538", "2024-09-02T17:00:00Z")
    assert read(landing, "bills", "updated_at", *texts) == [datetime(2024, 9, 3)] * 5


def test_months(landing: Landing) -> None:
    assert read(landing, "bills", "bill_month", "2024-09", "09/2024", "9/2024") == [date(2024, 9, 1)] * 3


@pytest.mark.parametrize(
    "text", ["2024-13", "13/2024", "2024-9", "2024-09-01", "09-2024", "45536", "0000-01"]
)
def test_what_is_no_month(landing: Landing, text: str) -> None:
    assert read(landing, "bills", "bill_month", text) == ["bad bill_month"]


def test_money_digits_and_groups(landing: Landing) -> None:
    texts = ("1234567", "1.234.567", "1,234,567", "1 234 567", "1\u00a0234\u00a0567", "001234567")
    assert read(landing, "bills", "total_amount", *texts) == [1234567] * 6


def test_money_point_groups_unless_it_is_a_trailing_zero(landing: Landing) -> None:
    texts = ("125000.0", "125000.00", "125.000", "125.00", "1.234.567.0", "1,234,567.00")
    assert read(landing, "bills", "total_amount", *texts) == [125000, 125000, 125000, 125, 1234567, 1234567]


def test_money_with_its_unit(landing: Landing) -> None:
    texts = ("125.000 đ", "125000đ", "125000 VND", "125,000vnd", "125.000.0 Đ")
    assert read(landing, "bills", "total_amount", *texts) == [125000] * 5


def test_money_below_zero(landing: Landing) -> None:
    assert read(landing, "bills", "total_amount", "-5", "-1.250 đ", "0") == [-5, -1250, 0]


@pytest.mark.parametrize(
    "text",
    [
        "1.234,567", "12.34", "1.2345", "125000.5", "125000.000", "1e5", "1_000", "NaN", "--5", "- 5", "+5",
        "đ", "1234567890123456", "$5", "5 USD", "1..000", "１２",
    ],
)  # fmt: skip
def test_what_is_no_money(landing: Landing, text: str) -> None:
    assert read(landing, "bills", "total_amount", text) == ["bad total_amount"]


def test_kwh_is_a_plain_decimal(landing: Landing) -> None:
    texts = ("182", "182.50", "-1.5", "182,5", "1e3", ".5", "1.234.567")
    assert read(landing, "bills", "kwh", *texts) == [
        Decimal("182"),
        Decimal("182.50"),
        Decimal("-1.5"),
        *["bad kwh"] * 4,
    ]


def test_cycle(landing: Landing) -> None:
    assert read(landing, "bills", "cycle", "1", "2.0", "3", "4", "0", "x") == [1, 2, 3, *["bad cycle"] * 3]


def test_booleans(landing: Landing) -> None:
    texts = ("true", "TRUE", "1", "có", "CÓ", "co", "false", "0", "không", "Khong", "KHÔNG", "yes", "t", "2")
    assert read(landing, "feedback", "reopened", *texts) == [True] * 6 + [False] * 5 + ["bad reopened"] * 3


def test_empty_values(landing: Landing) -> None:
    assert read(landing, "bills", "kwh", "", "NULL", "\\N", "  ", "\u00a0") == [None] * 5


def test_text_is_trimmed_and_composed(landing: Landing) -> None:
    decomposed = "Nguye\u0302\u0303n Thi\u0323 U\u031bo\u031b\u0301c"
    texts = (f"  {decomposed} ", "Nguyễn Thị Ước\u00a0", "\tNguyễn Thị Ước")
    assert read(landing, "customers", "customer_name", *texts) == ["Nguyễn Thị Ước"] * 3


def test_closed_lists_are_exact(landing: Landing) -> None:
    assert read(landing, "customers", "status", "active", "Active", "ACTIVE", "gone") == [
        "active",
        *["bad status"] * 3,
    ]


def test_open_codes_take_anything(landing: Landing) -> None:
    assert read(landing, "payments", "channel_code", "qr", "carrier_pigeon", "") == [
        "qr",
        "carrier_pigeon",
        None,
    ]


@pytest.mark.parametrize(
    "text",
    [
        "0912345678", "+84912345678", "84912345678", "0084912345678", "912345678", "912345678.0",
        "9.12345678E8", "84912345678.0", "8.4912345678E+10", "0912.345.678", "0912 345 678", "(091) 234-5678",
        "+84 (0)91 2345678",
    ],
)  # fmt: skip
def test_phone_forms(landing: Landing, text: str) -> None:
    assert read(landing, "customers", "phone", text) == ["0912345678"]


def test_phone_prefixes_of_before_2018(landing: Landing) -> None:
    texts = ("01621234567", "+841621234567", "1621234567", "0120 123 4567", "01991234567")
    assert read(landing, "customers", "phone", *texts) == [
        *["0321234567"] * 3,
        "0701234567",
        "0591234567",
    ]


@pytest.mark.parametrize(
    "text",
    ["02293871234", "0912345678/0987654321", "0912345678 0987654321", "12345", "khong co", "01001234567"],
)
def test_a_phone_that_cannot_be_normalised_stays(landing: Landing, text: str) -> None:
    assert read(landing, "customers", "phone", f" {text} ") == [text]


def test_targets_are_fractions_unless_they_are_conversions(landing: Landing) -> None:
    rows = [
        row("targets", code="A", target="0"),
        row("targets", code="B", target="1"),
        row("targets", code="C", target="1.01"),
        row("targets", code="D", target="-0.1"),
        row("targets", code="E", target="78.36"),
        row("targets", code="F", target="6", metric="conversions"),
    ]
    result = landing.load_rows("targets", *rows)
    assert (result.counts.rows_loaded, result.counts.rows_quarantined) == (3, 3)
    assert landing.query("select code from raw.targets order by 1") == [("A",), ("B",), ("F",)]


def test_a_decimal_has_one_written_form_whichever_file_was_first(landing: Landing) -> None:
    landing.put("bills/a.csv", csv_text("bills", [row("bills", kwh="120.50")]))
    landing.put("bills/b.csv", csv_text("bills", [row("bills", kwh="120.5")]))
    landing.load()
    assert landing.query("select kwh::text, is_duplicate from raw.bills order by file_id") == [
        ("120.5", False),
        ("120.5", True),
    ]
