"""The benchmark's files: what comes later is split off without losing or doubling a row."""

from datetime import date
from pathlib import Path

import pytest

from benchmarks.bundle import Bundle, split
from dagster_project.sample import write_sample


@pytest.fixture
def whole_and_bundle(tmp_path: Path) -> tuple[list[str], Bundle]:
    full = tmp_path / "full"
    write_sample(full, customers=400, first=date(2025, 1, 1), last=date(2025, 3, 1), seed=1, dirty=False)
    rows = [row for month in range(1, 4) for row in _rows(full / "payments" / f"payments_2025-0{month}.csv")]
    return rows, split(full, date(2025, 3, 1), tmp_path / "late_payment.csv")


def _rows(file: Path) -> list[str]:
    return file.read_text(encoding="utf-8").splitlines()[1:]


def test_the_steps_bring_every_payment_once(
    whole_and_bundle: tuple[list[str], Bundle], tmp_path: Path
) -> None:
    rows, bundle = whole_and_bundle
    landing = tmp_path / "landing"
    for files in (bundle.rest, bundle.month, bundle.day):
        bundle.place(landing, files)
    found = [row for file in (landing / "payments").iterdir() for row in _rows(file)]
    assert sorted(found) == sorted(rows)
    here = {file.relative_to(landing) for file in landing.rglob("*.csv")}
    assert here == {file.relative_to(bundle.full) for file in bundle.full.rglob("*.csv")}


def test_the_last_day_has_a_file_of_its_own(whole_and_bundle: tuple[list[str], Bundle]) -> None:
    _, bundle = whole_and_bundle
    assert bundle.month == ("bills/bills_2025-03.csv", "payments/payments_2025-03.csv")
    assert bundle.day == ("payments/payments_2025-03-31.csv",)
    days = {row.split(",")[9][:10] for row in _rows(bundle.full / bundle.day[0])}
    assert days == {"2025-03-31"}
    earlier = {row.split(",")[9][:10] for row in _rows(bundle.full / bundle.month[1])}
    assert earlier
    assert max(earlier) < "2025-03-31"


def test_the_late_payment_pays_a_bill_nobody_paid(whole_and_bundle: tuple[list[str], Bundle]) -> None:
    rows, bundle = whole_and_bundle
    (late,) = (row.split(",") for row in _rows(bundle.late))
    (bill,) = (
        row.split(",")
        for file in (bundle.full / "bills").iterdir()
        for row in _rows(file)
        if row.startswith(f"{bundle.late_bill},")
    )
    assert bill[3] == "2025-01"
    assert bill[11] == "issued"
    assert (late[5], late[6], late[7]) == (bill[1], bill[0], bill[10])
    assert not [row for row in rows if row.split(",")[6] == bundle.late_bill]
