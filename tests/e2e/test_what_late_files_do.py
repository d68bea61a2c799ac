"""What real files do, where it only shows in the figures: the last two rows of that table of the landing contract.

The other rows are in tests/raw/test_what_real_files_do.py.
"""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.cases import PRICE, TODAY, Arrival, Scene, tables
from tests.oracle.write_bundle import write


class Warehouse:
    """One landing folder per drop, and a run after each."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self._settings = settings.model_copy(update={"today": TODAY})
        self._monkeypatch, self._target = monkeypatch, target
        self._drops = 0

    def take(self, *arrivals: Arrival) -> None:
        self._drops += 1
        landing = self._target / f"drop {self._drops}"
        write(tables(list(arrivals)), landing, self._drops, only_csv=True)
        settings = self._settings.model_copy(update={"landing": str(landing)})
        pipeline.run(settings, self._monkeypatch, self._target)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(connect(self._settings)) as conn, conn.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def parts(self) -> dict[str, int]:
        """What reconciliation says of all đồng, by part; those that are nothing are left out."""
        names = ("allocated", "unapplied", "reversed", "suspense", "conflict", "orphan")
        sums = ", ".join(f"sum({name}_vnd)::bigint" for name in ("total", *names))
        [(total, *parts)] = self.query(f"select {sums} from bi.reconciliation_partner_day")
        assert total == sum(parts)
        return {name: part for name, part in zip(names, parts, strict=True) if part}


def test_what_finds_nothing_is_counted_and_picked_up_when_it_arrives(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A conflict; a reversal without its original; a payment for a bill and one of a customer nobody knows."""
    house, scene = Warehouse(warehouse, monkeypatch, tmp_path), Scene(1)
    house.take(
        scene.customer(),
        scene.bill(1),
        scene.payment(1, bill=1),
        scene.payment(1, bill=1, amount=PRICE + 1, paid_at=scene.at(6)),
        scene.reversal(2, of=3),
        scene.payment(4, bill=2),
        scene.payment(5, "unknown"),
    )
    parts = house.parts()
    assert parts.pop("conflict") in (PRICE, PRICE + 1)
    assert parts == {"orphan": PRICE, "suspense": 2 * PRICE}
    assert house.query("select count(*), count(settled_on) from bi.fct_bill") == [(1, 0)]
    house.take(
        scene.payment(3, bill=1, day=4),
        scene.bill(2),
        scene.customer("unknown"),
        scene.bill(3, "unknown"),
    )
    parts = house.parts()
    assert parts.pop("conflict") in (PRICE, PRICE + 1)
    assert parts == {"reversed": PRICE, "allocated": 2 * PRICE}
    assert house.query("select count(*), count(settled_on) from bi.fct_bill") == [(3, 2)]


def test_only_the_months_that_a_late_row_touches_are_made_anew(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A payment months late, and a bill that is cancelled after it was paid."""
    house, late, cancelled, other = Warehouse(warehouse, monkeypatch, tmp_path), Scene(1), Scene(3), Scene(5)
    house.take(
        *(late.customer(), late.bill(1), late.bill(2, later=1)),
        *(cancelled.customer(), *cancelled.paid_bill(1), cancelled.bill(2, later=1)),
        *(other.customer(), *other.paid_bill(1)),
    )
    house.take(
        late.payment(1, bill=1, day=300),
        cancelled.bill(1, status="cancelled", updated_at=cancelled.at(200)),
    )
    rebuilt = [(late.month(),), (cancelled.month(),)]
    assert house.query("select bill_month from touched.rebuilt_month order by 1") == rebuilt
    # The payment is also the last day of the data now: the progress of the month that was running goes on to it.
    assert house.query("select months from bi.publication order by publication_id desc limit 1") == [
        ([*(month for (month,) in rebuilt), other.month()],)
    ]
    progress = f"select max(days_after) from bi.kpi_progress where bill_month = '{other.month()}'"
    assert house.query(progress) == [((late.at(300).date() - other.at(3).date()).days,)]
    paid = "select settled_on from bi.fct_bill where bill_id = '{}'"
    assert house.query(paid.format(late.name("B", 1))) == [(late.at(300).date(),)]
    assert house.parts() == {"allocated": 2 * PRICE, "unapplied": PRICE}
