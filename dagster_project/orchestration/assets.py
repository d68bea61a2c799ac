"""The assets: raw sources, customer keys, the dbt models, the publication. What each does is in its own room."""

from collections import Counter
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from dagster_dbt.core.dbt_cli_event import DbtCoreCliEventMessage

from dagster_project.audit.suites import suites
from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Contract
from dagster_project.contracts.reference_tables import overlay_table, reference_contracts
from dagster_project.orchestration.published import published_tables
from dagster_project.orchestration.report import DbtTests
from dagster_project.orchestration.session import RunSession
from dagster_project.publish.build import (
    Build,
    GateResult,
    QualityResult,
    newest_build,
    newest_gate_result,
    newest_publication,
    record_build,
    record_gate,
)
from dagster_project.publish.hold import PublicationHeld, current_hold
from dagster_project.publish.publish import publish, standing_force
from dagster_project.pull.pull import Pulled, pull_all
from dagster_project.raw.load import load_source
from dagster_project.transform import dbt as dbt_project
from dagster_project.transform.customer_keys import assign_customer_keys
from dagster_project.transform.window import Window, close_window, open_window

OPERATOR = ["team:data-operator"]
CUSTOMER_KEY = dg.AssetKey(["private", "customer_key"])
PULL = dg.AssetKey(["landing", "pull"])
PUBLICATION = dg.AssetKey(["bi", "publication"])

# What loading writes besides the raw tables; the metrics read it.
LEDGER = [
    dg.AssetSpec(
        ["landing", "file"],
        group_name="raw",
        owners=OPERATOR,
        description="The ledger: one row per path and content seen; every raw asset writes it.",
    ),
    dg.AssetSpec(
        ["landing", "quarantine"],
        group_name="raw",
        owners=OPERATOR,
        description="The rows that were not accepted, with their reason; every raw asset writes it.",
    ),
    dg.AssetSpec(
        ["landing", "refused_file"],
        group_name="raw",
        owners=OPERATOR,
        description="The files that were refused and that nothing made up for yet.",
    ),
    dg.AssetSpec(
        ["landing", "change"],
        group_name="raw",
        owners=OPERATOR,
        description="The log of what came to the raw tables and what was withdrawn; every raw asset writes it.",
    ),
    dg.AssetSpec(
        ["landing", "withdrawn_row"],
        group_name="raw",
        owners=OPERATOR,
        description="The rows that `cashless unload` took out of the raw tables.",
    ),
]

# The operator's own reference data: brought up to date before the first step of a run (session.py).
OVERLAY = [
    dg.AssetSpec(
        ["reference", overlay_table(name)],
        group_name="reference",
        owners=OPERATOR,
        description=f"{contract.description} From the overlay's file {name}.",
    )
    for name, contract in reference_contracts().items()
]

# What the settings ask of a counter that is to close: brought up to date where the overlay is.
CLOSURE_GATE = dg.AssetSpec(
    ["gate", "closure_gate"],
    group_name="reference",
    owners=OPERATOR,
    description="What a collection point must reach before it may close (CASHLESS_CLOSURE_*).",
)

# Where a build that does not make everything anew starts from. They stand on the left of the graph: what is
# published by this run is read by the next one.
BEFORE = [
    dg.AssetSpec(
        ["touched", "change_window"],
        group_name="touched",
        owners=OPERATOR,
        description="Whether everything is made anew, or what changed since which change (landing.change).",
    ),
    *(
        dg.AssetSpec(
            ["published", table.name],
            group_name="touched",
            owners=OPERATOR,
            description=f"The rows of bi.{table.name} as they are before this run.",
        )
        for table in published_tables()
        if table.rebuilt is not None
    ),
]


@dg.asset(key=PULL, group_name="raw", owners=OPERATOR, kinds={"sqlalchemy"})
def pull(session: dg.ResourceParam[RunSession]) -> dg.MaterializeResult[None]:
    """What the declared pulls bring: new rows of other databases as files of the landing, and how far each has come."""
    done: list[Pulled] = []
    if session.landing is not None:
        done = pull_all(session.conn, session.settings, session.landing, progress=session.report.progress)
    session.report.pulls += done
    return dg.MaterializeResult(
        metadata={
            "files": sum(one.file is not None for one in done),
            "rows": sum(one.rows for one in done),
            "failed": sum(one.fault is not None for one in done),
        }
    )


def raw_asset(contract: Contract) -> dg.AssetsDefinition:
    """The asset raw/<source>: what is new in its landing folder, accepted row by row."""

    @dg.asset(
        key=["raw", contract.source],
        deps=[PULL],
        group_name="raw",
        owners=OPERATOR,
        kinds={"postgres"},
        description=f"{contract.description} Grain: {contract.grain}",
    )
    def load(session: dg.ResourceParam[RunSession]) -> dg.MaterializeResult[None]:
        if session.found.files[contract.source]:
            session.report.progress(f"Nạp / loading {contract.source}")
        done = load_source(session.conn, session.settings, contract.source, session.found)
        session.report.files += done.files
        session.report.rows_repaired += done.repaired.rows_loaded
        session.report.entries_closed += done.entries_closed
        new = [file for file in done.files if file.is_new]
        return dg.MaterializeResult(
            metadata={
                "files_new": len(new),
                "files_refused": sum(file.refused_reason is not None for file in done.files),
                "rows_loaded": done.rows_added,
                "rows_duplicate": sum(file.counts.rows_duplicate for file in new),
                "rows_quarantined": sum(file.counts.rows_quarantined for file in new),
            }
        )

    return load


@dg.asset(
    key=CUSTOMER_KEY,
    deps=[["raw", name] for name, contract in contracts().items() if "customer_code" in contract.names],
    group_name="raw",
    owners=OPERATOR,
    kinds={"postgres"},
)
def customer_key(session: dg.ResourceParam[RunSession]) -> dg.MaterializeResult[None]:
    """The keyed pseudonym of every customer code seen in any source, computed once."""
    return dg.MaterializeResult(
        metadata={"customers_added": assign_customer_keys(session.conn, session.settings)}
    )


class RoomTranslator(DagsterDbtTranslator):
    """Groups dbt models by their folder, which is their room."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        folder = dbt_resource_props["fqn"][1] if len(dbt_resource_props["fqn"]) > 2 else "reference"
        return {"seeds": "reference"}.get(folder, folder)

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> list[str] | None:
        owner = dbt_resource_props.get("config", {}).get("meta", {}).get("owner", "data-operator")
        return [f"team:{owner}"]


TRANSLATOR = RoomTranslator()


@dbt_assets(
    manifest=dbt_project.manifest(),
    name="transform",
    exclude="resource_type:unit_test",
    dagster_dbt_translator=TRANSLATOR,
)
def transform(context: dg.AssetExecutionContext, session: dg.ResourceParam[RunSession]) -> Iterator[Any]:
    """Builds the candidate marts, unless BI already sees what these inputs give; records the build if it is whole."""
    # Also where somebody runs the models without the asset before them: a row without a key would be left out.
    assign_customer_keys(session.conn, session.settings)
    window = session.window()
    if window is None:
        context.log.info("Nothing new since the last publication.")
        session.report.is_unchanged = True
        with session.conn, session.conn.cursor() as cursor:
            session.report.hold, session.report.force = current_hold(cursor), standing_force(cursor)
        return
    session.report.progress("Dựng mô hình / building the models (dbt)")
    open_window(session.conn, window)
    if not window.is_full:
        yield from _unchanged(context)
    args = dbt_project.build_args(is_full=window.is_full)
    if context.is_subset:
        args += ["--select", *sorted(key.path[-1] for key in context.selected_asset_keys)]
    outcome = dbt_project.build(session.url, args, session.settings.home / "dbt")
    for event in outcome.events:
        yield from DbtCoreCliEventMessage(event, {}).to_default_asset_events(
            dbt_project.manifest(), TRANSLATOR, context
        )
    tests = _tests(outcome)
    session.report.dbt_tests = tests
    # A part of the models is no build: what stands beside it is older. The gate refuses it.
    if not context.is_subset:
        record(session, window, tests)


def _unchanged(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None]]:
    """What is made of seeds alone stands as it was made: told to what comes after it in the graph, in its order."""
    specs = {
        spec.key: spec
        for spec in context.assets_def.specs
        if spec.group_name == "reference" and spec.key in context.selected_asset_keys
    }
    before = {key: {dep.asset_key for dep in spec.deps} & specs.keys() for key, spec in specs.items()}
    for key in TopologicalSorter(before).static_order():
        yield dg.MaterializeResult(asset_key=key, metadata={"is_unchanged": True})


def record(session: RunSession, window: Window, tests: DbtTests) -> Build:
    """Records the whole build that dbt has just made."""
    with session.conn, session.conn.cursor() as cursor:
        cursor.execute("select max(paid_through)::date from landing.file")
        row = cursor.fetchone()
        based_on = newest_publication(cursor)
    build = Build(
        window.input_fingerprint,
        row[0] if row else None,
        session.settings.final_after_days,
        tests.passed,
        tests.warned,
        len(tests.failures),
        is_full=window.is_full,
        changes_through=window.changes_through,
        based_on=based_on,
    )
    if tests.failures:
        # dbt left out what stands behind a failed test: there is nothing whole to remember, only the refusal.
        record_build(session.conn, build, [])
        record_gate(
            session.conn,
            GateResult(build.build_id, False, tests.passed, tests.warned, len(tests.failures)),
            [_failed_test(name) for name in tests.failures],
        )
    else:
        close_window(session.conn, window)
        record_build(
            session.conn,
            build,
            published_tables(),
            [suite.table for suite in suites()],
        )
    return build


def _failed_test(name: str) -> QualityResult:
    return QualityResult(
        *("dbt", name, "critical", "data-operator", False, None, None, None),
        why_vi="Bảng dữ liệu không đúng khóa, tham chiếu hoặc giá trị cho phép.",
        why_en="A table breaks its key, a reference or the values it may have.",
    )


def _tests(outcome: dbt_project.DbtOutcome) -> DbtTests:
    """What the dbt tests said."""
    found = {node: status for node, (status, _) in outcome.results.items() if node.startswith("test.")}
    said = Counter(found.values())
    return DbtTests(
        passed=said["pass"],
        warned=said["warn"],
        failures=tuple(node.split(".")[2] for node, status in found.items() if status == "fail"),
    )


def candidate_keys() -> list[dg.AssetKey]:
    """The assets that a publication copies."""
    return [dg.AssetKey([table.schema, table.name]) for table in published_tables()]


def metric_keys() -> list[dg.AssetKey]:
    """The assets that carry the gate's checks: what depends on them waits for the blocking ones."""
    return [dg.AssetKey(["audit", suite.table]) for suite in suites()]


@dg.asset(
    key=PUBLICATION,
    deps=[*candidate_keys(), *metric_keys()],
    group_name="bi",
    owners=OPERATOR,
    kinds={"postgres"},
)
def publication(session: dg.ResourceParam[RunSession]) -> dg.MaterializeResult[None]:
    """The last good publication: everything BI sees, changed in one transaction, only if exactly this build passed, and
    nobody holds publications back.
    """
    session.report.progress("Công bố / publishing")
    with session.conn, session.conn.cursor() as cursor:
        build = newest_build(cursor)
        gate = newest_gate_result(cursor, build.build_id) if build else None
    if build is None or gate is None:
        raise dbt_project.TransformError("There is no audited build to publish: run the whole job.")
    try:
        done = publish(session.conn, build, gate, published_tables())
    except PublicationHeld as held:
        # No fault: somebody wants it so. The next run after the release publishes what there is then.
        session.report.hold = held.hold
        return dg.MaterializeResult(metadata={"held_by": held.hold.held_by, "reason": held.hold.reason})
    session.report.publication = done
    return dg.MaterializeResult(
        metadata={
            "publication_id": done.publication_id,
            "data_through": str(done.data_through),
            "months_changed": len(done.months),
            "rows_inserted": sum(change.rows_inserted for change in done.changes),
            "rows_deleted": sum(change.rows_deleted for change in done.changes),
        }
    )
