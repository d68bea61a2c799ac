"""What must never look like success: a dbt that fails, a failed dbt test, a part of the job run alone."""

import shutil
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from dagster_project.audit.suites import suites
from dagster_project.errors import CashlessError
from dagster_project.orchestration import job as job_module
from dagster_project.orchestration.published import published_tables
from dagster_project.orchestration.report import ExitCode, RunReport
from dagster_project.orchestration.run import run_pipeline
from dagster_project.publish.hold import hold, release
from dagster_project.publish.publish import Force, PublicationRefused, publish_refused
from dagster_project.sample import write_sample
from dagster_project.settings import Settings
from dagster_project.transform import dbt as dbt_project
from dagster_project.transform.dbt import TransformError
from dagster_project.warehouse.connection import connect

BILLS = (
    "bill_id,customer_code,bill_type,bill_month,cycle,issued_on,due_on,"
    "amount_before_vat,vat_amount,total_amount,status,updated_at\n"
)


def rows(settings: Settings, query: str) -> list[tuple[Any, ...]]:
    with closing(connect(settings)) as conn, conn, conn.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall() if cursor.description else []


def one_more_bill(settings: Settings, bill_id: str = "NEW1") -> None:
    line = (
        f"{bill_id},PN01000000001,electricity,2025-07,1,2025-07-03,2025-07-13,100,8,108,issued,2025-07-03\n"
    )
    (Path(settings.landing) / "bills" / f"{bill_id}.csv").write_text(BILLS + line, encoding="utf-8")


def seen_by_bi(settings: Settings, bill_id: str = "NEW1") -> bool:
    return rows(settings, f"select count(*) from bi.fct_bill where bill_id = '{bill_id}'") == [(1,)]


def materialize(settings: Settings, selection: dg.AssetSelection) -> bool:
    """A part of the job, as somebody may pick it in the UI; whether that run succeeded."""
    definitions = job_module.build_definitions(settings, RunReport())
    part = dg.Definitions(jobs=[dg.define_asset_job("part", selection=selection)])
    job = dg.Definitions.merge(definitions, part).resolve_job_def("part")
    return job.execute_in_process(instance=dg.DagsterInstance.ephemeral(), raise_on_error=False).success


GATE = dg.AssetSelection.checks_for_assets(*[["audit", suite.table] for suite in suites()])
PUBLICATION = dg.AssetSelection.assets("bi/publication")


@pytest.fixture
def published(warehouse: Settings) -> Settings:
    """A warehouse with a first publication."""
    write_sample(
        Path(warehouse.landing),
        customers=40,
        first=date(2025, 7, 1),
        last=date(2025, 7, 1),
        seed=5,
        dirty=False,
    )
    assert run_pipeline(warehouse).exit_code == ExitCode.DONE
    return warehouse


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A copy of the dbt project and its seeds, which runs use until `monkeypatch.undo()`."""
    copy = tmp_path / "copy"
    ours = shutil.ignore_patterns("target", "logs")
    shutil.copytree(dbt_project.PROJECT_DIR, copy / "dbt_models", ignore=ours)
    shutil.copytree(dbt_project.SEEDS_DIR, copy / "seeds")
    monkeypatch.setattr(dbt_project, "REPOSITORY", copy)
    monkeypatch.setattr(dbt_project, "PROJECT_DIR", copy / "dbt_models")
    monkeypatch.setattr(dbt_project, "SEEDS_DIR", copy / "seeds")
    return copy


def test_nothing_half_done_is_taken_for_success(
    published: Settings, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_more_bill(published)

    # A model in the middle fails: an error, not "nothing new" and no publication of what stands before it.
    model = project / "dbt_models" / "models" / "settlement" / "payment_settlement.sql"
    model.write_text(model.read_text(encoding="utf-8") + " where 1 / 0 = 1", encoding="utf-8")
    with pytest.raises(CashlessError, match="payment_settlement: Database Error"):
        run_pipeline(published)
    # One that this process does not know: its graph was drawn before.
    new = project / "dbt_models" / "models" / "settlement" / "net_fee.sql"
    new.write_text("select 1 as fee", encoding="utf-8")
    with pytest.raises(
        CashlessError, match=r"since this process started \(model\.cashless\.net_fee\): restart it"
    ):
        run_pipeline(published)
    new.unlink()
    # One that dbt cannot even parse.
    model.write_text("select {{ ref('nothing') }}", encoding="utf-8")
    with pytest.raises(CashlessError, match="dbt cannot parse dbt_models"):
        run_pipeline(published)
    monkeypatch.undo()
    assert not seen_by_bi(published)

    # The gate and the publication alone: the candidate is older than the rows, and is not published as theirs.
    materialize(published, GATE | PUBLICATION)
    assert not seen_by_bi(published)
    # Some models alone make no whole build.
    assert materialize(published, dg.AssetSelection.assets("candidate/dim_channel"))
    assert not materialize(published, GATE | PUBLICATION)
    assert not materialize(published, PUBLICATION)
    assert rows(published, "select count(*) from bi.publication") == [(1,)]

    # Then the whole job heals everything by itself.
    assert run_pipeline(published).exit_code == ExitCode.DONE
    assert seen_by_bi(published)

    # While somebody holds, what comes is loaded, built and audited, and published after the release.
    with closing(connect(published)) as conn:
        hold(conn, "An", "wait")
        one_more_bill(published, "NEW2")
        result = run_pipeline(published)
        assert (result.exit_code, result.report.publication) == (ExitCode.DONE, None)
        assert result.report.hold is not None
        assert result.report.checks
        assert not seen_by_bi(published, "NEW2")
        release(conn, "An", "")
    assert run_pipeline(published).exit_code == ExitCode.DONE
    assert seen_by_bi(published, "NEW2")


def test_only_the_models_that_this_process_knows_are_built(
    warehouse: Settings, project: Path, tmp_path: Path
) -> None:
    def said() -> str:
        with pytest.raises(CashlessError) as error:
            dbt_project.build(warehouse.database_url or "", ["build"], tmp_path / "dbt")
        return str(error.value)

    models = project / "dbt_models" / "models"
    metric = models / "metrics" / "metric_raw.sql"
    text = metric.read_text(encoding="utf-8")
    metric.rename(metric.with_name("metric_other.sql"))
    assert "(model.cashless.metric_other and " in said()
    metric.with_name("metric_other.sql").unlink()
    assert "(model.cashless.metric_raw" in said()
    metric.write_text("{{ config(meta={'publish': {'key': ['one']}}) }}" + text, encoding="utf-8")
    assert "(model.cashless.metric_raw)" in said()


def test_a_new_customer_is_not_left_out_by_a_part_of_the_job(published: Settings) -> None:
    """All but the asset that gives customers their keys: a row without one would be in no model."""
    customers = Path(published.landing) / "customers"
    lines = sorted(customers.iterdir())[0].read_text(encoding="utf-8").strip().splitlines()
    code = lines[-1].split(",")[0]
    (customers / "more.csv").write_text(
        "\n".join([lines[0], lines[-1].replace(code, "PN99999999999")]) + "\n", encoding="utf-8"
    )
    before = rows(published, "select count(distinct customer_key) from bi.dim_customer")[0][0]
    assert materialize(published, dg.AssetSelection.all() - dg.AssetSelection.assets("private/customer_key"))
    assert rows(published, "select count(distinct customer_key) from bi.dim_customer") == [(before + 1,)]


def test_a_failed_dbt_test_refuses_the_publication(
    published: Settings, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A channel listed twice in (a copy of) the seeds: the key test of dim_channel fails."""
    one_more_bill(published)
    seed = project / "seeds" / "channels.csv"
    channels = seed.read_text(encoding="utf-8")
    seed.write_text(channels + channels.splitlines()[1] + "\n", encoding="utf-8")
    result = run_pipeline(published)
    monkeypatch.undo()
    assert result.exit_code == ExitCode.REFUSED
    assert result.report.dbt_tests is not None
    assert "unique_key_dim_channel" in result.report.dbt_tests.failures
    assert rows(published, "select tests_failed > 0 from audit.build order by build_number desc limit 1") == [
        (True,)
    ]
    # Nor can it be published by hand, or by force.
    with closing(connect(published)) as conn, pytest.raises(PublicationRefused, match="dbt's tests"):
        publish_refused(conn, published_tables(), Force("An", "all the same"))
    assert not materialize(published, GATE | PUBLICATION)
    assert not materialize(published, PUBLICATION)
    assert not seen_by_bi(published)
    assert run_pipeline(published).exit_code == ExitCode.DONE
    assert seen_by_bi(published)


def test_errors_of_the_transform_room_are_for_people() -> None:
    assert issubclass(TransformError, CashlessError)
