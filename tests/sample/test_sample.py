"""The generator: same seed, same bytes; any size; closed lists; the promise about May 2024; dirty bundles."""

from __future__ import annotations

import csv
import gzip
import hashlib
import re
import unicodedata
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from dagster_project.sample import write_sample
from dagster_project.sample.spoiling import windows_1258

from .recount import cashless_bills, cashless_customers, current, read, recorded_codes

ROOT = Path(__file__).resolve().parents[2]

# Columns in contract order; `?` may be empty; a closed list stands behind the name.
COLUMNS = {
    "customers": "customer_code effective_from customer_name contract_no phone? address? commune_code "
    "power_unit_code customer_type=household/business/public/other status=active/closed updated_at",
    "bills": "bill_id customer_code bill_type=electricity/service bill_month cycle=1/2/3 issued_on due_on "
    "kwh? amount_before_vat vat_amount total_amount status=issued/cancelled/replaced replaced_by? updated_at",
    "payments": "partner_code transaction_id kind=payment/reversal reverses_transaction_id? channel_code? "
    "customer_code bill_id? amount fee? paid_at partner_settled_on? collection_point_code?",
    "auto_debit_mandates": "mandate_id customer_code bank_code signed_on ended_on? updated_at",
    "collection_points": "collection_point_code name operator=power_unit/partner commune_code "
    "serves_commune_codes opened_on planned_close_on? closed_on? authority_reported_on? updated_at",
    "campaigns": "campaign_id name kind=household_visit/at_counter/mass_notice/pilot_commune/other starts_on "
    "ends_on? updated_at",
    "campaign_contacts": "contact_id campaign_id customer_code employee_code? bank_code? contacted_at "
    "place=home/counter/bank/phone/other outcome=not_reached/refused/undecided/agreed/registered updated_at",
    "notifications": "notification_id campaign_id? customer_code? commune_code? "
    "topic=counter_closure/bill_due/campaign/other "
    "medium=sms/zalo/email/app/letter/mass_media/public_posting sent_at "
    "delivery=unknown/failed/delivered delivered_at? updated_at",
    "phone_reviews": "review_id customer_code phone? reviewed_at "
    "result=missing/unreachable/not_owner/owner_confirmed updated_at",
    "feedback": "feedback_id customer_code? commune_code? received_at "
    "topic=counter_closure/payment/bill/other text? status=open/closed closed_at? reopened=true/false "
    "updated_at",
    "targets": "month level=company/power_unit/district/commune/employee code "
    "metric=cashless_rate_customers/cashless_rate_bills/cashless_rate_amount/conversions target updated_at",
    "employees": "employee_code effective_from employee_name power_unit_code status=active/left updated_at",
}
DAY = re.compile(r"\d{4}-\d\d-\d\d")
TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
MONTH = re.compile(r"\d{4}-\d\d")
WHOLE = re.compile(r"-?\d+")
FORMS = {
    **dict.fromkeys(("issued_on", "due_on", "effective_from", "signed_on", "ended_on", "opened_on"), DAY),
    **dict.fromkeys(("planned_close_on", "closed_on", "authority_reported_on", "starts_on", "ends_on"), DAY),
    **dict.fromkeys(
        ("updated_at", "paid_at", "contacted_at", "sent_at", "delivered_at", "reviewed_at"), TIME
    ),
    **dict.fromkeys(("received_at", "closed_at"), TIME),
    **dict.fromkeys(("bill_month", "month"), MONTH),
    **dict.fromkeys(("amount_before_vat", "vat_amount", "total_amount", "amount", "fee", "kwh"), WHOLE),
    "partner_settled_on": DAY,
    "customer_code": re.compile(r"PN\d{11}"),
    "phone": re.compile(r"0\d{2}000\d{4}"),
    "commune_code": re.compile(r"\d{5}"),
}


def channel_classes() -> dict[str, str]:
    with (ROOT / "seeds" / "channels.csv").open(encoding="utf-8", newline="") as handle:
        return {row["channel_code"]: row["channel_class"] for row in csv.DictReader(handle)}


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def assert_follows_contract(folder: Path) -> None:
    """Every row of every source: columns in order, nothing required empty, forms and closed lists kept."""
    assert sorted(path.name for path in folder.iterdir()) == sorted(COLUMNS)
    for source, text in COLUMNS.items():
        rows = read(folder, source)
        columns = text.split()
        assert list(rows.columns) == [column.split("=")[0].rstrip("?") for column in columns], source
        for column in columns:
            name, _, closed = column.partition("=")
            values = rows[name.rstrip("?")].drop_duplicates()
            if not name.endswith("?"):
                assert not values.eq("").any(), (source, name)
            if closed:
                assert set(values) <= set(closed.split("/")), (source, name)
            form = FORMS.get(name.rstrip("?"))
            if form and not (source == "collection_points" and name == "closed_at"):
                wrong = [value for value in values if value and not form.fullmatch(value)]
                assert not wrong, (source, name, wrong[:3])


@pytest.fixture(scope="module")
def spring(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """2,000 customers around May 2024."""
    folder = tmp_path_factory.mktemp("spring")
    write_sample(folder, 2_000, date(2024, 4, 1), date(2024, 7, 1), 3, False)
    return folder


@pytest.fixture(scope="module")
def long_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """1,500 customers over all three eras and beyond."""
    folder = tmp_path_factory.mktemp("long")
    write_sample(folder, 1_500, date(2023, 1, 1), date(2026, 6, 1), 11, False)
    return folder


def test_same_seed_same_bytes(tmp_path: Path, spring: Path) -> None:
    write_sample(tmp_path / "again", 2_000, date(2024, 4, 1), date(2024, 7, 1), 3, False)
    assert digests(tmp_path / "again") == digests(spring)


def test_another_seed_is_another_sample(tmp_path: Path) -> None:
    for seed in (1, 2):
        write_sample(tmp_path / str(seed), 20, date(2024, 4, 1), date(2024, 4, 1), seed, False)
    first, second = digests(tmp_path / "1"), digests(tmp_path / "2")
    assert first["bills/bills_2024-04.csv"] != second["bills/bills_2024-04.csv"]


@pytest.mark.parametrize(
    ("customers", "first", "last"),
    [
        (1, date(2024, 1, 1), date(2024, 1, 1)),
        (1, date(2026, 6, 1), date(2026, 6, 1)),
        (3, date(2023, 1, 1), date(2026, 6, 1)),
        (50, date(2016, 1, 1), date(2021, 6, 1)),
    ],
)
def test_any_size(tmp_path: Path, customers: int, first: date, last: date) -> None:
    write_sample(tmp_path, customers, first, last, 1, False)
    assert_follows_contract(tmp_path)
    assert len(digests(tmp_path)) <= 150


@pytest.mark.parametrize(
    ("customers", "first", "last"),
    [
        (0, date(2024, 1, 1), date(2024, 1, 1)),
        (1, date(2024, 2, 1), date(2024, 1, 1)),
        (1, date(2024, 1, 2), date(2024, 2, 1)),
    ],
)
def test_impossible_orders_are_refused(tmp_path: Path, customers: int, first: date, last: date) -> None:
    with pytest.raises(ValueError, match=r"at least one customer|not a range of months"):
        write_sample(tmp_path, customers, first, last, 1, False)
    assert not list(tmp_path.iterdir())


def test_follows_the_contract(spring: Path, long_run: Path) -> None:
    assert_follows_contract(spring)
    assert_follows_contract(long_run)


@pytest.mark.parametrize(
    ("customers", "first", "last", "seed"),
    [
        (2_000, date(2024, 4, 1), date(2024, 7, 1), 3),
        (2_000, date(2024, 5, 1), date(2024, 5, 1), 8),
        (2_357, date(2023, 11, 1), date(2024, 6, 1), 5),
    ],
)
def test_press_figures(tmp_path: Path, customers: int, first: date, last: date, seed: int) -> None:
    write_sample(tmp_path, customers, first, last, seed, False)
    bills = cashless_bills(tmp_path, channel_classes())
    electricity = cashless_customers(bills, "2024-05", electricity_only=True)
    commune = recorded_codes(tmp_path, "2024-05-31").reindex(electricity.index)
    pilot = electricity[commune == "14587"]
    assert (int(pilot.sum()), len(pilot)) == (160, 195)
    company = cashless_customers(bills, "2024-05", electricity_only=False)
    assert f"{100 * company.sum() / len(company):.2f}" == "78.36"


def test_cashless_payment_rises(long_run: Path) -> None:
    bills = cashless_bills(long_run, channel_classes())
    shares = {
        m: cashless_customers(bills, m, False).mean() for m in ("2023-01", "2024-01", "2024-12", "2025-11")
    }
    assert list(shares.values()) == sorted(shares.values())
    assert 0.52 < shares["2023-01"] < 0.62
    assert 0.87 < shares["2025-11"] < 0.95


def test_the_messy_cases_are_there(long_run: Path) -> None:
    payments = read(long_run, "payments")
    bills = current(read(long_run, "bills"), ["bill_id"])
    known = set(bills["bill_id"])
    key = ["partner_code", "transaction_id"]
    assert payments.duplicated(key).any()  # conflicts
    assert not payments.duplicated().any()  # but no row twice in a clean bundle
    assert (payments["bill_id"] == "").any()
    assert not set(payments["bill_id"]) - {""} <= known
    assert (payments["channel_code"] == "").any()
    back = payments[payments["kind"] == "reversal"]
    paid = payments[payments["kind"] == "payment"]
    originals = set(zip(paid["partner_code"], paid["transaction_id"], strict=True))
    found = [
        pair in originals for pair in zip(back["partner_code"], back["reverses_transaction_id"], strict=True)
    ]
    assert any(found)
    assert not all(found)
    assert set(bills["status"]) == {"issued", "cancelled", "replaced"}
    replaced = bills[bills["status"] == "replaced"]
    assert set(replaced["replaced_by"]) - {""} <= known
    assert (bills["total_amount"].astype(int) <= 0).any()
    month_count = bills[bills["bill_type"] == "electricity"].groupby(["customer_code", "bill_month"]).size()
    assert (month_count > 1).any()
    assert set(payments["customer_code"]) - set(bills["customer_code"])
    assert payments["paid_at"].max() <= "2026-07-20 23:59:59"


def test_money_and_tax_agree(spring: Path) -> None:
    bills = read(spring, "bills")
    net, vat, total = (
        bills[name].astype(int) for name in ("amount_before_vat", "vat_amount", "total_amount")
    )
    assert (net + vat == total).all()
    assert ((vat - net * 0.08).abs() <= 0.5).all()  # the reduced rate held all through 2024
    # 2024-05, household, 120 kWh by the list of November 2023: 50·1806 + 50·1866 + 20·2167
    households = current(read(spring, "customers"), ["customer_code"]).query("customer_type == 'household'")
    plain = bills[
        bills["customer_code"].isin(households["customer_code"]) & (bills["bill_type"] == "electricity")
    ]
    of_120 = plain[(plain["kwh"] == "120") & (plain["amount_before_vat"].astype(int) > 0)]
    assert set(of_120["amount_before_vat"]) == {"226940"}


def test_auto_debit_needs_a_mandate(long_run: Path) -> None:
    payments = read(long_run, "payments")
    drawn = payments[(payments["channel_code"] == "auto_debit") & (payments["kind"] == "payment")]
    mandates = current(read(long_run, "auto_debit_mandates"), ["mandate_id"]).set_index("customer_code")
    assert mandates.index.is_unique
    bills = read(long_run, "bills").drop_duplicates("bill_id").set_index("bill_id")["customer_code"]
    owner = drawn["bill_id"].map(bills).fillna(drawn["customer_code"])
    # Not those who are in no register, nor a payment for somebody else's bill.
    registered = drawn["customer_code"].isin(read(long_run, "customers")["customer_code"])
    own = drawn[(owner == drawn["customer_code"]) & registered]
    signed = mandates["signed_on"].reindex(own["customer_code"]).to_numpy()
    ended = mandates["ended_on"].reindex(own["customer_code"]).replace("", "9999").to_numpy()
    paid = own["paid_at"].str[:10].to_numpy()
    assert len(own) > 1_000
    assert (signed <= paid).all()
    assert (paid <= ended).all()


def test_communes_exist_and_customers_are_recoded(long_run: Path) -> None:
    eras = [
        pd.read_csv(ROOT / "seeds" / name, dtype=str)["commune_code"]
        for name in ("admin_units_2024.csv", "admin_units_2025h1.csv", "admin_units_2025.csv")
    ]
    versions = read(long_run, "customers")
    before = versions[versions["effective_from"] < "2025-01-01"]
    assert set(before["commune_code"]) <= set(eras[0])
    after = versions[versions["effective_from"] >= "2025-07-01"]
    assert after["commune_code"].isin(eras[2]).mean() > 0.8
    assert not after["commune_code"].isin(eras[2]).all()  # late-coded customers
    assert (before["commune_code"] == "14503").any()
    units = pd.read_csv(ROOT / "seeds" / "districts_power_units_2024.csv", dtype=str)["power_unit_code"]
    assert set(versions["power_unit_code"]) == set(units)
    assert set(read(long_run, "bills")["customer_code"]) - set(versions["customer_code"])  # without a row


def test_counters_close_as_told(long_run: Path) -> None:
    points = current(read(long_run, "collection_points"), ["collection_point_code"])
    own = points[points["operator"] == "power_unit"]
    opened = own[(own["closed_on"] == "") | (own["closed_on"] > "2024-08-31")]
    assert 35 <= len(opened) <= 45
    codes = pd.read_csv(ROOT / "seeds" / "admin_units_2024.csv", dtype=str)
    city = set(codes[codes["district_code"] == "369"]["commune_code"])
    first_rows = read(long_run, "collection_points").drop_duplicates("collection_point_code")
    still = first_rows[first_rows["collection_point_code"].isin(opened["collection_point_code"])]
    assert not set(still["commune_code"]) & (city | {"14587"})
    closed = own[own["closed_on"] != ""]["closed_on"]
    assert not closed.between("2023-01-01", "2024-08-31").any()
    assert closed.between("2024-09-01", "2025-12-31").sum() > 20
    notices = read(long_run, "notifications")
    assert notices["sent_at"].min() >= "2024-06-01"


def test_dirty_bundle_still_brings_every_row(tmp_path: Path) -> None:
    clean, dirty = tmp_path / "clean", tmp_path / "dirty"
    for folder in (clean, dirty):
        write_sample(folder, 300, date(2024, 4, 1), date(2024, 6, 1), 4, folder == dirty)
    before, after = digests(clean), digests(dirty)
    changed = {name for name in before if before[name] != after[name]}
    rewritten = {"bills/bills_2024-04.csv", "payments/payments_2024-04.csv", "customers/customers.csv"}
    assert changed == rewritten
    added = set(after) - set(before)
    assert {
        "bills/truncated.csv.gz",
        "customers/empty.csv",
        "meters/meters.csv",
        "bills/bad_rows.csv",
    } <= added

    text = (dirty / "customers/customers.csv").read_bytes().decode("cp1258")
    rows = list(csv.reader(unicodedata.normalize("NFC", text).splitlines(keepends=True), delimiter="|"))
    expected = (clean / "customers/customers.csv").read_text(encoding="utf-8")
    flat = [[cell.replace(",\n", ", ") for cell in row] for row in rows[1:]]
    assert any("\n" in cell for row in rows for cell in row)
    assert flat == list(csv.reader(expected.splitlines()))[1:]

    text = (dirty / "bills/bills_2024-04.csv").read_bytes().decode("utf-8-sig")
    rows = list(csv.reader(text.splitlines(), delimiter=";"))
    assert rows[0][:4] == ["mã hóa đơn", "mã khách hàng", "loại hóa đơn", "tháng hóa đơn"]
    assert rows[1][3] == "04/2024"
    expected_ids = read(clean, "bills")["bill_id"]
    assert [row[0] for row in rows[1:]] == expected_ids.head(len(rows) - 1).tolist()

    text = (dirty / "payments/payments_2024-04.csv").read_bytes().decode("utf-16")
    rows = list(csv.reader(text.splitlines(), delimiter="\t"))
    assert [row[1] for row in rows[1:]] == read(clean, "payments")["transaction_id"].head(
        len(rows) - 1
    ).tolist()

    with pytest.raises(EOFError), gzip.open(dirty / "bills/truncated.csv.gz") as handle:
        handle.read()
    assert (dirty / "customers/empty.csv").read_bytes() == b""
    assert not (dirty / "bills/cut_off.csv").read_bytes().endswith(b"\n")


def test_dirty_bundle_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_sample(tmp_path / name, 40, date(2024, 4, 1), date(2024, 5, 1), 4, True)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


@pytest.mark.parametrize("text", ["Nguyễn Thị Ước, phường Đông Thành", "đặng quỳnh ẩn ữ ặ Ệ ỹ", "plain"])
def test_windows_1258_reads_back(text: str) -> None:
    assert unicodedata.normalize("NFC", windows_1258(text).decode("cp1258")) == text
