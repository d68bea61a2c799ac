"""Random landing bundles through the pipeline: every published cell equals the independent recomputation."""

from datetime import date
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from tests.e2e import pipeline
from tests.oracle.bundle import random_bundle
from tests.oracle.compare import assert_audit, assert_quarantine, assert_same
from tests.oracle.recompute import KEYS, recompute
from tests.oracle.write_bundle import write

TODAY = date(2026, 11, 22)  # bundles have no payment after it
SAMPLE = range(3)
MANY = range(1000, 1150)


def _agrees(
    seed: int, settings: Settings, monkeypatch: pytest.MonkeyPatch, target: Path, *, bad: bool
) -> None:
    bundle = random_bundle(seed)
    written = write(
        bundle, Path(settings.landing), seed, shuffle=True, bad_rows=bad, refused=bad, excel_extras=bad
    )
    settings = settings.model_copy(update={"today": TODAY})
    pipeline.run(settings, monkeypatch, target)
    expected = recompute(bundle.tables)
    for name, table in pipeline.figures(settings).items():
        assert_same(table, expected[name], KEYS[name], f"{name} of seed {seed}")
    load_audit, quarantine = pipeline.audit(settings)
    assert_audit(load_audit, written.audit, written.loaded)
    assert_quarantine(quarantine, written.quarantine)


@pytest.mark.parametrize("seed", SAMPLE)
def test_figures_equal_the_recomputation(
    seed: int, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _agrees(seed, warehouse, monkeypatch, tmp_path, bad=seed > 0)


@pytest.mark.extended
@pytest.mark.parametrize("seed", MANY)
def test_figures_equal_the_recomputation_for_many_seeds(
    seed: int, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _agrees(seed, warehouse, monkeypatch, tmp_path, bad=seed % 2 == 1)


def test_order_and_split_of_files_change_no_figure(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The same rows, cut into other files in another order, loaded over what is there: nothing changes."""
    bundle = random_bundle(7)
    settings = warehouse.model_copy(update={"today": TODAY, "landing": str(tmp_path / "first")})
    write(bundle, tmp_path / "first", 1, shuffle=True)
    pipeline.run(settings, monkeypatch, tmp_path)
    before = pipeline.figures(settings)
    again = settings.model_copy(update={"landing": str(tmp_path / "second")})
    write(bundle, tmp_path / "second", 2, shuffle=True)
    pipeline.run(again, monkeypatch, tmp_path)
    after = pipeline.figures(again)
    for name, keys in KEYS.items():
        assert_same(after[name], before[name], keys, name)
    load_audit, _ = pipeline.audit(again)
    assert load_audit["rows_loaded"].sum() > 0
    assert load_audit["rows_loaded"].sum() == sum(
        len(table.drop_duplicates()) for table in bundle.tables.values()
    )
