"""A database elsewhere, an overlay that declares a pull from it, and what came of it."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import yaml

from dagster_project.landing.location import open_place
from dagster_project.pull.pull import Pulled, pull_all
from dagster_project.raw.load import load_landing
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

TABLE = """
create table thanh_toan (
    ma_doi_tac text not null, ma_gd text primary key, loai text not null default 'payment', ma_kh text not null,
    so_tien numeric(15, 2) not null, thoi_diem timestamptz not null, ngay_sua timestamp, ghi_chu text, anh bytea
)
"""
QUERY = """
select ma_doi_tac as "mã đối tác", ma_gd as transaction_id, loai as kind, ma_kh as "Mã Khách Hàng",
       so_tien as amount, thoi_diem as paid_at, ghi_chu as collection_point_code, ngay_sua
from thanh_toan where ngay_sua >= :since or ngay_sua is null
"""
DECLARED: dict[str, Any] = {
    "source": "payments",
    "url_variable": "CMIS_URL",
    "query": QUERY,
    "high_water": {"column": "ngay_sua", "kind": "timestamp"},
    "overlap": "3 days",
    "first": "2024-01-01",
}
PASSWORD = "s3cret of CMIS"


class Cmis:
    """A database elsewhere, the landing, and the pull between them."""

    def __init__(self, settings: Settings, url: str) -> None:
        self.settings = settings
        self.url = url
        self.root = Path(settings.landing)

    def declare(self, name: str = "cmis", **changes: Any) -> Path:
        folder = self.settings.overlay_folder() / "pulls"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(DECLARED | changes, allow_unicode=True), encoding="utf-8")
        return path

    def execute(self, sql: str, *values: Any) -> None:
        with closing(psycopg2.connect(self.url)) as conn, conn, conn.cursor() as cursor:
            cursor.execute(sql, values or None)

    def add(self, number: int, changed: str | None, **columns: Any) -> None:
        values = {
            "ma_doi_tac": "VCB",
            "ma_gd": f"T{number}",
            "ma_kh": "PN01000000001",
            "so_tien": 1000 * number,
            "thoi_diem": "2024-05-10 03:00:00+00",
            "ngay_sua": changed,
        } | columns
        places = ", ".join(["%s"] * len(values))
        self.execute(f"insert into thanh_toan ({', '.join(values)}) values ({places})", *values.values())

    def pull(self, *names: str, since: str | None = None) -> list[Pulled]:
        with closing(connect(self.settings)) as conn:
            return pull_all(conn, self.settings, open_place(self.settings.landing), names, since)

    def pulled(self) -> Pulled:
        (one,) = self.pull()
        return one

    def fault(self) -> str:
        one = self.pulled()
        assert one.fault is not None
        assert one.file is None
        assert "\n" not in one.fault
        assert PASSWORD not in one.fault
        return one.fault

    def load(self) -> int:
        with closing(connect(self.settings)) as conn:
            return load_landing(self.settings, conn).rows_added["payments"]

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(connect(self.settings)) as conn, conn.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()

    def rows(self, file: str) -> list[dict[str, str]]:
        text = gzip.decompress((self.root / file).read_bytes()).decode()
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def files(self) -> list[str]:
        return sorted(
            path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file()
        )


def ids(rows: Sequence[dict[str, str]]) -> list[str]:
    return sorted(row["transaction_id"] for row in rows)
