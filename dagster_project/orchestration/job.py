"""All assets, checks and resources as one `Definitions`, and the one job over them."""

from collections.abc import Iterator

import dagster as dg

from dagster_project.contracts.catalog import contracts
from dagster_project.orchestration import assets, checks
from dagster_project.orchestration.alerts import alert_sensors
from dagster_project.orchestration.report import RunReport
from dagster_project.orchestration.session import RunSession, open_session
from dagster_project.settings import Settings, load_settings

JOB_NAME = "cashless_run"


def build_definitions(
    settings: Settings | None = None,
    report: RunReport | None = None,
    *,
    with_landing: bool = True,
    is_full: bool = False,
) -> dg.Definitions:
    """The Definitions with these settings (None: those of the environment, read when a run starts)."""

    @dg.resource(description="The connection that holds the run lock, the settings and the run's report.")
    def session(_context: dg.InitResourceContext) -> Iterator[RunSession]:
        with open_session(
            settings or load_settings(), report or RunReport(), with_landing=with_landing, is_full=is_full
        ) as opened:
            yield opened

    return dg.Definitions(
        assets=[
            assets.pull,
            *(assets.raw_asset(contract) for contract in contracts().values()),
            assets.customer_key,
            assets.transform,
            assets.publication,
            *assets.LEDGER,
            *assets.OVERLAY,
            assets.CLOSURE_GATE,
            *assets.BEFORE,
        ],
        asset_checks=[checks.gate],
        jobs=[
            dg.define_asset_job(
                JOB_NAME,
                selection=dg.AssetSelection.all(),
                description="Loads what is new, builds, audits and publishes: what `cashless run` runs.",
            )
        ],
        sensors=alert_sensors(settings, JOB_NAME),
        resources={
            "session": session,
        },
        # One process: a process per step would cost seconds each and need a connection, and a lock, each.
        executor=dg.in_process_executor,
    )
