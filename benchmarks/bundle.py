"""The input files: a sample bundle, and its split into what a warehouse gets at first and what comes later.

The same size always gives the same files. Does not belong here: running anything on them but the generator.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from benchmarks.product import CASHLESS, environment

SEED = 1


@dataclass(frozen=True)
class Size:
    """How much data: customers, and bill months from `first` to `last` (first days of months)."""

    name: str
    customers: int
    first: date
    last: date


SIZES = {
    size.name: size
    for size in (
        Size("XS", 300, date(2024, 11, 1), date(2025, 8, 1)),  # to try the command out: all three eras
        Size("S", 20_000, date(2025, 1, 1), date(2025, 12, 1)),
        Size("M", 100_000, date(2024, 1, 1), date(2025, 12, 1)),
        Size("L", 400_000, date(2024, 1, 1), date(2025, 12, 1)),  # the whole company
    )
}


@dataclass(frozen=True)
class Bundle:
    """A bundle up to the last day of its last bill month; `full` has every file but the late payment's."""

    full: Path
    late: Path
    late_bill: str
    rest: tuple[str, ...]
    month: tuple[str, ...]
    day: tuple[str, ...]

    def place(self, landing: Path, files: tuple[str, ...]) -> None:
        """Drops files of the full bundle into a landing folder."""
        for name in files:
            (landing / name).parent.mkdir(parents=True, exist_ok=True)
            os.link(self.full / name, landing / name)

    def rows(self) -> int:
        """Bills and payments, a line each: the generator breaks no field over lines."""
        files = [file for source in ("bills", "payments") for file in (self.full / source).iterdir()]
        return sum(_lines(file) - 1 for file in files)

    def place_late_payment(self, landing: Path) -> None:
        os.link(self.late, landing / "payments" / self.late.name)


def make_bundle(size: Size, folder: Path) -> Bundle:
    """Writes the sample into `folder` and splits it; what was there is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    full = folder / "full"
    words = [CASHLESS, "sample", "--out", full, "--customers", size.customers, "--seed", SEED]
    words += ["--from", f"{size.first:%Y-%m}", "--to", f"{size.last:%Y-%m}"]
    subprocess.run(list(map(str, words)), env=environment(folder), stdout=subprocess.DEVNULL, check=True)
    return split(full, size.last, folder / "late_payment.csv")


def split(full: Path, last_month: date, late: Path) -> Bundle:
    """Cuts a sample at the end of its last bill month, gives its last day a payments file of its own, and writes
    the late payment: it names a bill about a year old that nobody has paid.
    """
    last = f"{last_month:%Y-%m}"
    for source in ("bills", "payments"):
        for file in (full / source).iterdir():
            if file.stem.rpartition("_")[2] > last:  # what came in after that month
                file.unlink()
    day = _split_last_day(full / "payments" / f"payments_{last}.csv")
    month = (f"bills/bills_{last}.csv", f"payments/payments_{last}.csv")
    everything = {file.relative_to(full).as_posix() for file in full.rglob("*.csv")}
    bill = _write_late_payment(full, late)
    return Bundle(full, late, bill, tuple(sorted(everything - {*month, day})), month, (day,))


def _lines(file: Path) -> int:
    with file.open("rb") as handle:
        return sum(1 for _ in handle)


def _rows(file: Path) -> Iterator[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as handle:
        yield from csv.DictReader(handle)


def _split_last_day(file: Path) -> str:
    """Moves the rows of the file's last day into a file of their own; its name under the landing folder."""
    header, *lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    column = header.rstrip("\n").split(",").index("paid_at")
    days = [line.split(",")[column][:10] for line in lines]  # the generator quotes nothing in this source
    last = max(days)
    own = file.with_name(f"payments_{last}.csv")
    for path, is_last in ((file, False), (own, True)):
        chosen = [line for line, day in zip(lines, days, strict=True) if (day == last) is is_last]
        path.write_text("".join([header, *chosen]), encoding="utf-8")
    return f"payments/{own.name}"


def _write_late_payment(full: Path, late: Path) -> str:
    """One full payment, on the last day, of the first bill that is about a year old and untouched."""
    files = sorted((full / "bills").iterdir())
    old = files[max(len(files) - 13, 0)]
    month = old.stem.rpartition("_")[2]
    bills: dict[str, dict[str, str]] = {}
    touched: set[str] = set()  # changed since, or named by a payment
    for file in files:
        for row in _rows(file):
            if row["bill_month"] == month:
                if row["bill_id"] in bills:
                    touched.add(row["bill_id"])
                bills[row["bill_id"]] = row
    payers: set[str] = set()
    last_paid_at = ""
    header: list[str] = []
    for file in sorted((full / "payments").iterdir()):
        for row in _rows(file):
            touched.add(row["bill_id"])
            if not row["bill_id"]:
                payers.add(row["customer_code"])
            last_paid_at = max(last_paid_at, row["paid_at"])
            header = header or list(row)
    untouched = [
        row
        for bill, row in sorted(bills.items())
        if bill not in touched
        and row["customer_code"] not in payers
        and row["status"] == "issued"
        and int(row["total_amount"]) > 0
    ]
    chosen = untouched[0]
    payment = dict.fromkeys(header, "") | {
        "partner_code": "VCB",
        "transaction_id": "LATE000001",
        "kind": "payment",
        "channel_code": "mobile_banking",
        "customer_code": chosen["customer_code"],
        "bill_id": chosen["bill_id"],
        "amount": chosen["total_amount"],
        "paid_at": last_paid_at,
    }
    with late.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.DictWriter(handle, header, lineterminator="\n")
        writer.writeheader()
        writer.writerow(payment)
    return chosen["bill_id"]
