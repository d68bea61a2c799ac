"""How little a change costs: what one late row makes anew, and that nothing else is written. That the figures are right
all the same is test_convergence.py and test_vanishing.py.
"""

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dagster_project.raw.changes import Person
from dagster_project.raw.withdraw import unload
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.cases import TODAY, Scene, tables
from tests.oracle.write_bundle import write

FIRST, LAST = date(2025, 5, 1), date(2025, 8, 1)
PAYMENTS = "partner_code,transaction_id,kind,channel_code,customer_code,bill_id,amount,paid_at\n"
LATE = """
select bill_id, customer_code, total_amount
from raw.bills as bill
where
    bill_month = '2025-06-01' and bill_type = 'electricity' and status = 'issued'
    and not exists (select from raw.payments where payments.bill_id = bill.bill_id)
    and not exists (
        select from raw.payments where payments.customer_code = bill.customer_code and payments.bill_id is null
    )
order by bill_id
limit 1
"""
# A row that was not written has the xmin of the transaction that first did.
WRITTEN = """
select '{table}', count(*) from published.{table}
where xmin::text::bigint > %(before)s::text::bigint
"""
FACTS = ("fct_bill", "fct_payment", "fct_allocation", "dim_customer")
FIGURES = (
    "kpi_company_month",
    "kpi_power_unit_month",
    "kpi_commune_month",
    "kpi_channel_month",
)


class Warehouse:
    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self.settings, self.monkeypatch, self.target = settings, monkeypatch, target

    def run(self) -> None:
        pipeline.run(self.settings, self.monkeypatch, self.target)

    def query(self, statement: str, **parameters: object) -> list[tuple[Any, ...]]:
        with closing(connect(self.settings)) as conn, conn.cursor() as cursor:
            cursor.execute(statement, parameters)
            return cursor.fetchall()

    def add(self, name: str, text: str) -> None:
        file = Path(self.settings.landing) / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")


def test_a_late_payment_makes_its_bill_and_its_month_anew(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = warehouse.model_copy(update={"today": date(2026, 1, 15)})
    house = Warehouse(settings, monkeypatch, tmp_path / "target")
    write_sample(Path(settings.landing), customers=200, first=FIRST, last=LAST, seed=3, dirty=False)
    house.run()
    [(bill, customer, amount)] = house.query(LATE)
    house.add(
        "payments/late.csv",
        f"{PAYMENTS}VCB,LATE1,payment,qr,{customer},{bill},{amount},2025-12-01 09:00:00\n",
    )
    [(before,)] = house.query("select pg_current_xact_id()::text")
    house.run()

    assert house.query("select bill_id from touched.rebuilt_bill") == [(bill,)]
    assert house.query("select bill_month from touched.rebuilt_month") == [(date(2025, 6, 1),)]
    assert house.query("select count(*) from staging.stg_bill") == [(1,)]
    assert house.query("select count(*) from staging.stg_payment") == [(1,)]
    assert house.query("select settled_on from bi.fct_bill where bill_id = %(bill)s", bill=bill) == [
        (date(2025, 12, 1),)
    ]
    # The payment is also the last day of the data now: the progress of the running month goes on to it.
    assert house.query("select months from bi.publication order by publication_id desc limit 1") == [
        ([date(2025, 6, 1), LAST],)
    ]
    written = {}
    for table in (*FACTS, *FIGURES):
        written |= dict(house.query(WRITTEN.format(table=table), before=before))
    assert {table: written[table] for table in FACTS} == {
        "fct_bill": 1,
        "fct_payment": 1,
        "fct_allocation": 1,
        "dim_customer": 0,
    }
    # The company, the customer's commune and unit, in each scope and geography; shares move with the unit's sum.
    assert written["kpi_company_month"] == 4
    assert written["kpi_power_unit_month"] == 2
    assert written["kpi_commune_month"] == 4
    assert (
        0 < written["kpi_channel_month"] < house.query("select count(*) from bi.kpi_channel_month")[0][0] / 8
    )


def test_a_snapshot_that_comes_again_touches_only_what_is_new(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = warehouse.model_copy(update={"today": date(2026, 1, 15)})
    house = Warehouse(settings, monkeypatch, tmp_path / "target")
    write_sample(Path(settings.landing), customers=60, first=LAST, last=LAST, seed=4, dirty=False)
    house.run()
    # Nothing new: all its rows are duplicates, and no run is needed.
    snapshot = sorted(Path(settings.landing, "customers").iterdir())[0].read_text(encoding="utf-8")
    house.add("customers/again.csv", snapshot + "\n")
    house.run()
    assert house.query("select count(*) from bi.publication") == [(1,)]
    assert house.query(
        "select rows_loaded, rows_duplicate > 0 from bi.load_audit where file = 'customers/again.csv'"
    ) == [(0, True)]
    # With one new row among them.
    last = snapshot.strip().splitlines()[-1]
    house.add("customers/more.csv", snapshot + last.replace(last.split(",")[0], "PN99999999999") + "\n")
    house.run()
    assert house.query("select customer_code from touched.touched_customer") == [("PN99999999999",)]
    assert house.query("select count(*) from bi.publication") == [(2,)]
    assert house.query(
        "select count(*) from bi.dim_customer where customer_key in (select customer_key"
        " from bi_private.customer_key where customer_code = 'PN99999999999')"
    ) == [(1,)]
    # Taking a file back whose rows all stand by another touches none of them.
    unload(settings, ["customers/again.csv"], Person("a test", ""))
    house.run()
    assert house.query("select count(*) from touched.rebuilt_bill") == [(0,)]


def test_the_bill_of_a_payment_that_stays_vanishes(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Only what was published tells whose unnamed payment had paid it."""
    settings = warehouse.model_copy(update={"today": TODAY})
    house = Warehouse(settings, monkeypatch, tmp_path / "target")
    scene = Scene(1)
    stays = [scene.customer(), scene.payment(1)]
    write(tables(stays), Path(settings.landing), 1, only_csv=True)
    write(tables([scene.bill(1)]), tmp_path / "other", 1, only_csv=True)
    [bill] = (tmp_path / "other" / "bills").iterdir()
    house.add("bills/gone.csv", bill.read_text(encoding="utf-8"))
    house.run()
    unload(settings, ["bills/gone.csv"], Person("a test", ""))
    house.run()
    assert house.query("select allocated_vnd, unapplied_vnd from bi.fct_payment") == [(0, 108_000)]
    assert house.query("select count(*) from bi.fct_bill") == [(0,)]
