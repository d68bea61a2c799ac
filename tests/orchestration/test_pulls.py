"""Pulls as a part of the job: before the files are looked for, and a failed one is seen by the exit code."""

from pathlib import Path

import dagster as dg
import pytest

from dagster_project.orchestration.job import build_definitions
from dagster_project.orchestration.report import ExitCode, RunReport, RunResult
from dagster_project.pull.pull import Pulled
from dagster_project.settings import Settings

DECLARED = """
source: targets
url_variable: CMIS_URL
query: >
  select '2024-05' as month, 'company' as level, 'COMPANY' as code, 'conversions' as metric, 3 as target,
         date '2024-05-02' as updated_at
  where date '2024-05-02' >= :since
high_water: {column: updated_at, kind: date}
overlap: 1 day
first: 2024-01-01
"""


def run_a_part(settings: Settings, *assets: str) -> RunReport:
    report = RunReport()
    definitions = build_definitions(settings, report)
    part = dg.Definitions(jobs=[dg.define_asset_job("part", selection=dg.AssetSelection.assets(*assets))])
    job = dg.Definitions.merge(definitions, part).resolve_job_def("part")
    assert job.execute_in_process(instance=dg.DagsterInstance.ephemeral()).success
    return report


def test_what_a_pull_brings_is_loaded_by_the_same_run(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = warehouse.overlay_folder() / "pulls"
    folder.mkdir(parents=True)
    (folder / "cmis.yaml").write_text(DECLARED, encoding="utf-8")
    (folder / "other.yaml").write_text(DECLARED.replace("CMIS_URL", "OTHER_URL"), encoding="utf-8")
    monkeypatch.setenv("CMIS_URL", warehouse.database_url or "")
    report = run_a_part(warehouse, "landing/pull", "raw/targets")
    file = "targets/pulled/cmis/cmis_20240101_20240502.csv.gz"
    assert [(pull.name, pull.file) for pull in report.pulls] == [("cmis", file), ("other", None)]
    assert [(result.path, result.counts.rows_loaded) for result in report.files] == [(file, 1)]
    assert (Path(warehouse.landing) / file).exists()
    # A part without the pull asks no database.
    assert run_a_part(warehouse, "raw/targets").pulls == []


def test_a_failed_pull_is_an_error_whatever_else_was_published(capsys: pytest.CaptureFixture[str]) -> None:
    fault = Pulled("cmis", fault="cmis: the database failed [OperationalError]")
    result = RunResult(RunReport(pulls=[fault], is_unchanged=True), has_rows=True)
    assert result.exit_code == ExitCode.ERROR
    result.print()
    shown = capsys.readouterr().out
    assert "cmis: the database failed [OperationalError]" in shown
    assert "1 pull failed: the figures are those of the files that were there" in shown
    good = Pulled("cmis", 3, "bills/cmis/a.csv.gz")
    assert RunResult(RunReport(pulls=[good], is_unchanged=True), has_rows=True).exit_code == ExitCode.DONE
