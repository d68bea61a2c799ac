"""Convergence: the same rows publish the same tables, however they came: by drops, in any order, again, renamed.

Random histories belong here; the hand-written ones in which something vanishes are in test_vanishing.py, killed
runs in test_kills.py.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from tests.e2e import pipeline
from tests.e2e.agreement import assert_files_balance, assert_identical, assert_published, snapshot
from tests.e2e.histories import History
from tests.e2e.test_random_bundles import TODAY
from tests.oracle.write_bundle import write

SAMPLE = [9, 21]  # several drops each: waited-for rows last, shuffled
MANY = range(2000, 2120)


def _converges(
    seed: int,
    customers: int,
    warehouse: Settings,
    another_warehouse: Callable[[], Settings],
    monkeypatch: pytest.MonkeyPatch,
    target: Path,
) -> None:
    settings = warehouse.model_copy(update={"today": TODAY})
    history = History(seed, customers)
    came = None
    for number, came in enumerate(history.deliver(Path(settings.landing)), start=1):
        what = f"after drop {number} {history.story}"
        pipeline.run(settings, monkeypatch, target)
        assert_published(settings, came.rows, what)
        assert_files_balance(settings, came.audit, came.rows_loaded, what)
    assert came is not None
    by_drops = snapshot(settings)
    plain = another_warehouse().model_copy(update={"today": TODAY})
    write(came.rows, Path(plain.landing), seed, shuffle=False, only_csv=True)
    pipeline.run(plain, monkeypatch, target)
    assert_identical(by_drops, snapshot(plain), f"unlike one run over all rows {history.story}")


@pytest.mark.parametrize("seed", SAMPLE)
def test_a_history_ends_where_one_run_does(
    seed: int,
    warehouse: Settings,
    another_warehouse: Callable[[], Settings],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    _converges(seed, 12, warehouse, another_warehouse, monkeypatch, tmp_path)


@pytest.mark.extended
@pytest.mark.parametrize("seed", MANY)
def test_many_histories_end_where_one_run_does(
    seed: int,
    warehouse: Settings,
    another_warehouse: Callable[[], Settings],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    _converges(seed, 8 + seed % 4 * 14, warehouse, another_warehouse, monkeypatch, tmp_path)
