"""What the benchmark reads of a run: the seconds of models and tests, from the log of the dbt that really writes it."""

from pathlib import Path

from benchmarks.product import seconds_of_models
from dagster_project.transform.dbt import build


def test_the_log_tells_the_seconds_of_models_and_tests(database: str, tmp_path: Path) -> None:
    outcome = build(database, ["build", "--select", "dim_date"], tmp_path)
    seconds = seconds_of_models(tmp_path / "dbt.log")
    assert set(seconds) == {"candidate.dim_date", "unique_key_dim_date"}
    assert {status for status, _ in outcome.results.values()} == {"success", "pass"}
    assert 0 < seconds["candidate.dim_date"] < 60


def test_without_a_log_there_are_no_seconds(tmp_path: Path) -> None:
    assert seconds_of_models(tmp_path / "dbt.log") == {}
