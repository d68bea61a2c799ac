"""What vanishes, moves or resolves when a late row comes: the cases of cases.py, together and one by one.

Together they share one warehouse and few runs; one by one each starts from a copy of the warehouse that holds
the first drop of all, so that nothing but the case's own rows can have brought the right figures about. The month of
a difference tells the case: the n-th of CASES has the 2n-th month from FIRST_MONTH on, and the next.
"""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from pydantic import SecretStr

from dagster_project.settings import Settings
from tests.conftest import execute, url_of
from tests.e2e import pipeline
from tests.e2e.agreement import assert_published
from tests.e2e.cases import CASES, TODAY, Arrival, Case, tables
from tests.e2e.conftest import NAME, make_database
from tests.oracle import facts
from tests.oracle.compare import differences
from tests.oracle.facts import recompute_facts
from tests.oracle.recompute import KEYS as FIGURES
from tests.oracle.recompute import recompute
from tests.oracle.write_bundle import write

KEYS = {**FIGURES, **facts.KEYS}
SECRET = SecretStr("a fixed secret for tests only")
BASE = "e2e_base"
FIRST = [arrival for case in CASES for arrival in case.first]


def _of_the_day(arrivals: list[Arrival], case: Case | None = None) -> list[Arrival]:
    """What is accepted on the day of the run: no payment from its future."""
    today = case.today if case else TODAY
    return [
        (source, row) for source, row in arrivals if source != "payments" or row["paid_at"].date() <= today
    ]


def _recomputed(arrivals: list[Arrival]) -> dict[str, pd.DataFrame]:
    return {**recompute(tables(arrivals)), **recompute_facts(tables(arrivals))}


def test_the_cases_are_what_they_say() -> None:
    """Each changes a figure or a fact of its own (or none, if that is the case); wave by wave the day goes on."""
    for case in CASES:
        before = _recomputed(_of_the_day(case.first))
        after = _recomputed(_of_the_day([*case.first, *case.then], case))
        changed = [name for name in KEYS if any(differences(after[name], before[name], KEYS[name]))]
        assert bool(changed) == case.changes_figures, (case.name, changed)
    assert [case.today for case in sorted(CASES, key=lambda case: case.wave)] == sorted(
        case.today for case in CASES
    )


class Warehouse:
    """Runs over one landing folder after the other, and what has come so far."""

    def __init__(self, settings: Settings, monkeypatch: pytest.MonkeyPatch, target: Path) -> None:
        self._settings, self._monkeypatch, self._target = settings, monkeypatch, target
        self.came: list[Arrival] = []
        self._drops = 0

    def take(self, arrivals: list[Arrival], what: str, case: Case | None = None) -> None:
        """A run over these rows, on the day of the case; then all figures are those of all rows so far."""
        self._drops += 1
        landing = self._target / f"drop {self._drops}"
        write(tables(arrivals), landing, self._drops, shuffle=False, only_csv=True)
        landing.mkdir(exist_ok=True)  # a drop may be nothing but another day
        today = case.today if case else TODAY
        settings = self._settings.model_copy(update={"landing": str(landing), "today": today})
        pipeline.run(settings, self._monkeypatch, self._target)
        self.came += arrivals
        assert_published(settings, tables(_of_the_day(self.came, case)), f"after {what}")


def test_all_cases_together(warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    runs = Warehouse(warehouse, monkeypatch, tmp_path)
    runs.take(FIRST, "the first drop")
    for wave in sorted({case.wave for case in CASES}):
        cases = [case for case in CASES if case.wave == wave]
        runs.take([arrival for case in cases for arrival in case.then], f"wave {wave}", cases[-1])


def test_all_cases_the_other_way_round(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was late comes first, and finds what it belongs to afterwards."""
    runs = Warehouse(warehouse, monkeypatch, tmp_path)
    runs.take([arrival for case in CASES for arrival in case.then], "what was late")
    runs.take(FIRST, "the first drop")


@pytest.fixture(scope="module")
def base(server_url: str, _template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with the first drop of all cases, to be copied."""
    home = tmp_path_factory.mktemp("base")
    url = make_database(server_url, _template)
    settings = Settings(home=home, database_url=url, customer_key_secret=SECRET)
    with pytest.MonkeyPatch.context() as monkeypatch:
        Warehouse(settings, monkeypatch, home).take(FIRST, "the first drop")
    # dbt keeps sessions for its next command.
    execute(
        server_url, f"select pg_terminate_backend(pid, 10000) from pg_stat_activity where datname = '{NAME}'"
    )
    execute(server_url, f"alter database {NAME} rename to {BASE}")
    yield BASE
    execute(server_url, f"drop database {BASE} with (force)")


@pytest.mark.extended
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_each_case_alone(
    case: Case, base: str, server_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    url = make_database(server_url, base)
    assert url == url_of(server_url, NAME)
    settings = Settings(home=tmp_path, database_url=url, customer_key_secret=SECRET)
    runs = Warehouse(settings, monkeypatch, tmp_path)
    runs.came = list(FIRST)
    runs.take(case.then, case.name, case)
