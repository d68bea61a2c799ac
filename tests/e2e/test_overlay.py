"""The operator's own reference data through the whole pipeline: they change figures, and taken away leave none."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dagster_project.cli import main
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline

# A customer of Hà Nam, whose commune, unit, channel and partner the project does not know.
LANDING = {
    "customers": "customer_code,effective_from,customer_name,contract_no,commune_code,power_unit_code,customer_type,"
    "status,updated_at\nPH01000000001,2023-01-01,Nguyễn An,HD1,13291,PHPL00,household,active,2023-01-01\n",
    "bills": "bill_id,customer_code,bill_type,bill_month,cycle,issued_on,due_on,amount_before_vat,vat_amount,"
    "total_amount,status,updated_at\n"
    "B1,PH01000000001,electricity,2024-05,1,2024-05-05,2024-05-15,100000,8000,108000,issued,2024-05-05\n",
    "payments": "partner_code,transaction_id,kind,channel_code,customer_code,bill_id,amount,paid_at\n"
    "NEW,T1,payment,newpay,PH01000000001,B1,108000,2024-05-10 09:00:00\n",
}
OVERLAY = {
    "power_units": "power_unit_code,power_unit_name\nPHPL00,Điện lực Phủ Lý\nPNYK00,Điện lực Yên Khánh (mới)\n",
    "channels": "channel_code,channel_class\nnewpay,cashless\n",
    "partners": "partner_code,partner_name_vi,kind\nNEW,Ví Mới,wallet\n",
    "communes": "commune_code,era,commune_name,commune_type,district_code,district_name,former_province_code\n"
    "13291,2024,Phường Lê Hồng Phong,phường,347,Thành phố Phủ Lý,35\n"
    "13291,2025h1,Phường Lê Hồng Phong,phường,347,Thành phố Phủ Lý,35\n"
    "14329,2025h2,Phường Hoa Lư (sửa),phường,,,37\n",
    "commune_successions": "from_era,from_commune_code,to_commune_code\n2024,13291,13291\n2025h1,13291,13291\n",
}
PLACES = """
select geography, commune_code, commune_name, district_name, cashless_rate_customers_strict
from bi.kpi_commune_month where scope = 'electricity' order by 1
"""
NAMES = """
select (select power_unit_name from bi.kpi_power_unit_month where scope = 'electricity'),
       (select power_unit_name from bi.dim_power_unit where power_unit_code = 'PNYK00'),
       (select commune_name from bi.dim_commune where commune_code = '14329' and era = '2025h2'),
       (select count(*) from bi.dim_partner), (select count(*) from bi.dim_channel),
       (select count(*) from bi.dim_commune), (select count(*) from bi.dim_commune_succession)
"""


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as conn, conn, conn.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def put(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")


def test_an_overlay_changes_figures_and_leaves_none_behind(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for source, text in LANDING.items():
        put(Path(warehouse.landing) / source, {"a.csv": text})
    folder = warehouse.overlay_folder() / "reference"
    put(folder, {f"{name}.csv": text for name, text in OVERLAY.items()})
    target = tmp_path / "target"

    pipeline.run(warehouse, monkeypatch, target)
    assert rows(warehouse, PLACES) == [
        ("as_recorded", "13291", "Phường Lê Hồng Phong", "Thành phố Phủ Lý", 1),
        ("current", "13291", "Phường Phù Vân", None, 1),
    ]
    [(*names, _, _, _)] = rows(warehouse, NAMES)
    assert names == ["Điện lực Phủ Lý", "Điện lực Yên Khánh (mới)", "Phường Hoa Lư (sửa)", 1]
    with_overlay = rows(warehouse, NAMES)
    assert pipeline.run(warehouse, monkeypatch, target) == [], "nothing new"

    for file in folder.iterdir():
        file.unlink()
    assert pipeline.run(warehouse, monkeypatch, target) != []
    assert rows(warehouse, PLACES) == [
        ("as_recorded", "UNRESOLVED", "UNRESOLVED", "UNRESOLVED", 0),
        ("current", "UNRESOLVED", "UNRESOLVED", None, 0),
    ]
    [(*names, channels, communes, successions)] = rows(warehouse, NAMES)
    assert names == ["PHPL00", "Điện lực Yên Khánh", "Phường Hoa Lư", 0]
    # What was replaced is back, what was added is gone.
    assert with_overlay[0][-3:] == (channels + 1, communes + 2, successions + 2)


def test_a_faulty_overlay_stops_the_run_before_anything_is_loaded(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(Path(warehouse.landing) / "bills", {"a.csv": LANDING["bills"]})
    put(
        warehouse.overlay_folder() / "reference",
        {"channels.csv": "channel_code,channel_class\nnewpay,Cashless\n,cashless\n", "chanels.csv": ""},
    )
    monkeypatch.setenv("CASHLESS_HOME", str(warehouse.home))
    monkeypatch.setenv("CASHLESS_DATABASE_URL", warehouse.database_url or "")
    done = CliRunner().invoke(main, ["run", "--landing", warehouse.landing], catch_exceptions=False)
    assert done.exit_code == 2
    assert [line.split(": ")[0] for line in done.output.splitlines()[1:]] == [
        "reference/chanels.csv",
        "reference/channels.csv, line 2, channel_class",
        "reference/channels.csv, line 3, channel_code",
    ]
    assert rows(warehouse, "select count(*) from landing.file") == [(0,)]
    # What takes a file back or reads it again stops as early.
    for command in ("unload", "reload"):
        done = CliRunner().invoke(main, [command, "bills/a.csv", "--reason", "x"], catch_exceptions=False)
        assert done.exit_code == 2
        assert "channel_class" in done.output
