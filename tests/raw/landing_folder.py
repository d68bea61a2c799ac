"""Good rows to change, and a landing folder with its warehouse: what the tests of this room work with."""

import gzip
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from dagster_project.contracts.catalog import contracts
from dagster_project.raw.load import FileResult, LoadReport, load_landing
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import Connection

# Changes what the contract of a source declares of the forms of its files (fixture `declare`).
Declare = Callable[..., None]

# A good row of every source, by contract column; tests change what they are about.
GOOD: dict[str, dict[str, str]] = {
    "customers": {
        "customer_code": "PN01000000001",
        "effective_from": "2024-01-01",
        "customer_name": "Nguyễn Thị Ước",
        "contract_no": "HD0000001",
        "phone": "0912345678",
        "address": "Phố Phúc Thành",
        "commune_code": "14587",
        "power_unit_code": "PNYK00",
        "customer_type": "household",
        "status": "active",
        "updated_at": "2024-01-02 08:00:00",
    },
    "bills": {
        "bill_id": "BE1",
        "customer_code": "PN01000000001",
        "bill_type": "electricity",
        "bill_month": "2024-05",
        "cycle": "1",
        "issued_on": "2024-05-05",
        "due_on": "2024-05-15",
        "kwh": "182.5",
        "amount_before_vat": "400000",
        "vat_amount": "32000",
        "total_amount": "432000",
        "status": "issued",
        "replaced_by": "",
        "updated_at": "2024-05-05 06:00:00",
    },
    "payments": {
        "partner_code": "VCB",
        "transaction_id": "T1",
        "kind": "payment",
        "reverses_transaction_id": "",
        "channel_code": "qr",
        "customer_code": "PN01000000001",
        "bill_id": "BE1",
        "amount": "432000",
        "fee": "",
        "paid_at": "2024-05-10 10:00:00",
        "partner_settled_on": "2024-05-11",
        "collection_point_code": "",
    },
    "feedback": {
        "feedback_id": "PA1",
        "customer_code": "PN01000000001",
        "commune_code": "14587",
        "received_at": "2024-05-10 10:00:00",
        "topic": "bill",
        "text": "",
        "status": "open",
        "closed_at": "",
        "reopened": "false",
        "updated_at": "2024-05-10",
    },
    "phone_reviews": {
        "review_id": "RS1",
        "customer_code": "PN01000000001",
        "phone": "0912345678",
        "reviewed_at": "2024-05-10 10:00:00",
        "result": "owner_confirmed",
        "updated_at": "2024-05-10 10:00:00",
    },
    "targets": {
        "month": "2024-05",
        "level": "company",
        "code": "COMPANY",
        "metric": "cashless_rate_customers",
        "target": "0.8",
        "updated_at": "2024-01-05",
    },
}


def row(source: str, **changes: str) -> dict[str, str]:
    """A good row of the source with other values in some columns."""
    return GOOD[source] | changes


def csv_text(
    source: str, rows: Sequence[dict[str, str]], delimiter: str = ",", header: Sequence[str] | None = None
) -> str:
    """The rows as CSV without any quoting: what the tests write is what stands in the file."""
    names = contracts()[source].names
    lines = [delimiter.join(header or names)]
    lines += [delimiter.join(values[name] for name in names) for values in rows]
    return "\n".join(lines) + "\n"


def write_parquet(path: Path, source: str, values: Mapping[str, object]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({name: [value] for name, value in {**GOOD[source], **values}.items()}), path)


def write_workbook(path: Path, sheets: Mapping[str, Sequence[Sequence[object]]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for cells in rows:
            sheet.append(cells)
    book.save(path)


class Landing:
    """A landing folder and the warehouse it is loaded into."""

    def __init__(self, settings: Settings, conn: Connection) -> None:
        self.settings = settings
        self.conn = conn
        self.root = Path(settings.landing)

    def put(self, path: str, content: str | bytes) -> Path:
        """Writes a file under the landing folder; .gz is packed."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        data = content.encode() if isinstance(content, str) else content
        target.write_bytes(gzip.compress(data) if path.endswith(".gz") and isinstance(content, str) else data)
        return target

    def load(self, today: date | None = None) -> LoadReport:
        settings = self.settings.model_copy(update={"today": today}) if today else self.settings
        return load_landing(settings, self.conn)

    def load_text(self, source: str, text: str | bytes) -> FileResult:
        """Loads one CSV file and gives its result."""
        self.put(f"{source}/one.csv", text)
        (result,) = self.load().sources[source].files
        return result

    def load_rows(self, source: str, *rows: dict[str, str]) -> FileResult:
        return self.load_text(source, csv_text(source, rows))

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.conn.cursor() as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall()
        self.conn.rollback()
        return rows

    def value(self, sql: str) -> Any:
        ((value,),) = self.query(sql)
        return value

    def quarantine(self) -> list[tuple[Any, ...]]:
        return self.query(
            "select file, line, column_name, reason, status from bi.quarantine order by file, line"
        )
