"""A warehouse that takes one drop of files after the other, for tests that tell a story.

Does not belong here: random histories (histories.py) and hand-made cases (cases.py).
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dagster_project.cli import main
from dagster_project.orchestration.published import published_tables
from dagster_project.publish.sign_off import sign_off
from dagster_project.raw.changes import Person
from dagster_project.raw.withdraw import unload
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.cases import TODAY, Arrival, tables
from tests.oracle.write_bundle import write


class House:
    """A warehouse that takes one landing folder after the other."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self.settings = settings.model_copy(update={"today": TODAY})
        self._monkeypatch, self._target = monkeypatch, target
        monkeypatch.setenv("CASHLESS_DATABASE_URL", settings.database_url or "")
        monkeypatch.setenv("CASHLESS_HOME", str(settings.home))
        self._drops = 0

    def take(self, *arrivals: Arrival) -> None:
        self._drops += 1
        landing = self._target / f"drop {self._drops}"
        write(tables(list(arrivals)), landing, self._drops, only_csv=True)
        landing.mkdir(exist_ok=True)  # of nothing, nothing is written
        settings = self.settings.model_copy(update={"landing": str(landing)})
        pipeline.run(settings, self._monkeypatch, self._target)

    def take_back(self, file: str) -> None:
        unload(self.settings, [file], Person("a test", ""))
        self.take()

    def file(self, source: str, drop: int) -> str:
        """The one file of a source that a drop brought, as the ledger calls it."""
        [path] = (self._target / f"drop {drop}" / source).iterdir()
        return f"{source}/{path.name}"

    def sign(self, month: date, by: str) -> Any:
        with closing(connect(self.settings)) as conn:
            return sign_off(conn, published_tables(), month, by, None)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        with closing(connect(self.settings)) as conn, conn.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall()

    def set(self, **settings: Any) -> None:
        self.settings = self.settings.model_copy(update=settings)

    @staticmethod
    def cashless(*arguments: str) -> Result:
        return CliRunner().invoke(main, list(arguments))

    def causes(self, publication: int) -> dict[str, Any]:
        """Of each bill that the publication changed: source and transaction of the rows."""
        found: dict[str, Any] = {}
        for bill, source, transaction in self.query(
            f"select bill_id, source, transaction_id from bi.fct_bill_cause where publication_id = {publication}"
        ):
            found.setdefault(bill, set()).add((source, transaction))
        return found

    def revisions(self) -> list[tuple[Any, ...]]:
        """Of the company, electricity, as recorded, reported reading."""
        return self.query(
            "select publication_id, bill_month, column_name, old_value::float, new_value::float, cardinality(files)"
            " from bi.kpi_revision where table_name = 'kpi_company_month' and scope = 'electricity'"
            " and geography = 'as_recorded' and column_name not like '%strict'"
            " order by publication_id, bill_month, column_name"
        )
