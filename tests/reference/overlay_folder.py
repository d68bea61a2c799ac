"""Good overlay files, and an overlay folder with its warehouse: what the tests of this room work with."""

from pathlib import Path
from typing import Any

import openpyxl

from dagster_project.contracts.reference_tables import overlay_table
from dagster_project.reference.overlay import Overlay, load_overlay
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import Connection

GOOD = {
    "power_units": "power_unit_code,power_unit_name\nPHPL00,Điện lực Phủ Lý\n",
    "channels": "channel_code,channel_class,channel_name_vi\nnewpay,cashless,Ví NewPay\n",
    "partners": "partner_code,partner_name_vi,kind\nVCB,Ngân hàng Vietcombank,bank\n",
    "communes": "commune_code,era,commune_name,commune_type,district_code,district_name,former_province_code\n"
    "13285,2024,Phường Quang Trung,phường,347,Thành phố Phủ Lý,35\n"
    "13285,2025h1,Phường Quang Trung,phường,347,Thành phố Phủ Lý,35\n",
    "commune_successions": "from_era,from_commune_code,to_commune_code,effective_from\n"
    "2024,13285,13285,\n2025h1,13285,13285,01/07/2025\n",
    "expected_files": "expectation_code,source,partner_code,files,every,due_days,due_time,valid_from\n"
    "vcb,payments,VCB,vcb/{yyyy}{MM}{dd}.csv,day,1,09:00,2024-01-01\n",
}


class OverlayFolder:
    """The reference folder of an overlay and the warehouse that it is loaded into."""

    def __init__(self, settings: Settings, conn: Connection) -> None:
        self.settings = settings
        self.conn = conn
        self.root = settings.overlay_folder() / "reference"

    def put(self, name: str, content: str | bytes) -> Path:
        self.root.mkdir(parents=True, exist_ok=True)
        path = self.root / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def put_good(self, *names: str) -> None:
        for name in names or GOOD:
            self.put(f"{name}.csv", GOOD[name])

    def put_workbook(self, name: str, **sheets: list[list[object]]) -> None:
        book = openpyxl.Workbook()
        book.remove(book.worksheets[0])
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        self.root.mkdir(parents=True, exist_ok=True)
        book.save(self.root / name)

    def load(self) -> Overlay:
        return load_overlay(self.conn, self.settings)

    def query(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        with self.conn, self.conn.cursor() as cursor:
            cursor.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def rows(self, name: str, columns: str = "*") -> list[tuple[Any, ...]]:
        return self.query(f"select {columns} from reference.{overlay_table(name)} order by 1")
