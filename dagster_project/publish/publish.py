"""Publishing an audited build: every table's delta and the views over them, in one transaction.

Does not belong here: computing figures, checking them (audit/), or deciding when to publish (orchestration/).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

from psycopg2 import errors, sql
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.publish import relations, revision, roles
from dagster_project.publish.apply import PublicationRefused, TableChange, apply_rows
from dagster_project.publish.build import (
    Build,
    GateResult,
    changed_table,
    newest_build,
    newest_gate_result,
    newest_publication,
    recorded_states,
)
from dagster_project.publish.hold import PublicationHeld, current_hold
from dagster_project.publish.relations import PublishedTable
from dagster_project.publish.shape import change_shapes

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Force:
    """Who lets a build out that the gate refused, and why. Shown wherever the publication is."""

    by: str
    reason: str


def standing_force(cur: Cursor) -> Force | None:
    """Who forced the newest publication, if somebody did."""
    cur.execute(
        "select forced_by, forced_reason from published.publication order by publication_id desc limit 1"
    )
    by, reason = cur.fetchone() or (None, None)
    return None if by is None else Force(by, reason)


@dataclass(frozen=True)
class Publication:
    publication_id: int
    published_at: datetime
    months: list[date]
    data_through: date | None
    checks_passed: int
    checks_warned: int
    checks_failed: int
    changes: list[TableChange]
    warnings: list[str]
    force: Force | None = None
    # Figures of final or signed months that it changed (bi.kpi_revision), by month.
    revisions: dict[date, int] = field(default_factory=dict)


def publish(
    conn: Connection,
    build: Build,
    gate: GateResult,
    tables: Sequence[PublishedTable],
    on_table: Callable[[TableChange], None] | None = None,
    *,
    force: Force | None = None,
) -> Publication:
    """Make BI see exactly these candidate tables, all at once, or raise and change nothing.

    Raises PublicationHeld while somebody holds publications back, and PublicationRefused unless this build, the
    newest, was audited as it is and passed; with `force` it need not have passed, and all else must be as it must.

    Publishing the newest publication's build again changes nothing and returns that publication.
    """
    if conn.info.transaction_status != TRANSACTION_STATUS_IDLE:
        raise RuntimeError("publish() needs a connection without an open transaction")
    with conn, conn.cursor() as cur:
        # One snapshot for all checks and all reading of candidates. It is taken by the first query after the
        # locks, so that nobody can put another table under a candidate's name in between.
        cur.execute("set transaction isolation level repeatable read")
        cur.execute("set local synchronous_commit = on")
        cur.execute("lock table published.publication in share row exclusive mode")
        _lock_candidates(cur, tables)
        _verify(cur, build, gate, tables, force)
        existing = _publication_of(cur, build)
        if existing is not None:
            return existing
        held = current_hold(cur)
        if held is not None:
            raise PublicationHeld(held)

        publication_id = _next_publication(cur)
        revision.note_revisions(cur, publication_id, tables, is_full=build.is_full)
        changes = []
        rebuilt: list[PublishedTable] = []
        for table in tables:
            change = apply_rows(cur, table, publication_id, is_full=build.is_full)
            changes.append(change)
            if change.is_rebuilt:
                rebuilt.append(table)
            if on_table is not None:
                on_table(change)

        revisions = revision.note_causes(cur, publication_id)
        change_shapes(cur, tables, rebuilt)
        for table in tables:
            relations.ensure_indexes(cur, table)
            relations.copy_comments(cur, table)
        warnings = roles.grant_within(cur)
        for warning in warnings:
            _log.warning(warning)
        # Last, so that published_at is as near to the commit as it can be.
        keeps_history = not any(table.history for table in rebuilt)
        done = _record(
            cur, publication_id, build, gate, changes, warnings, keeps_history=keeps_history, force=force
        )
        return replace(done, revisions=revisions)


def publish_refused(conn: Connection, tables: Sequence[PublishedTable], force: Force) -> Publication:
    """Publish the newest build although the gate refused it; PublicationRefused if there is no such build."""
    with conn, conn.cursor() as cur:
        build = newest_build(cur)
        gate = newest_gate_result(cur, build.build_id) if build else None
    if build is None or gate is None:
        raise PublicationRefused("There is no audited build to publish.")
    return publish(conn, build, gate, tables, force=force)


def _lock_candidates(cur: Cursor, tables: Sequence[PublishedTable]) -> None:
    names = [table.name for table in tables]
    if not names:
        raise PublicationRefused("Nothing to publish: no model is marked as published.")
    if len(set(names)) < len(names):
        raise ValueError("a published table is listed twice")
    try:
        cur.execute(
            sql.SQL("lock table {} in access share mode").format(
                sql.SQL(", ").join(
                    sql.Identifier(*relation)
                    for relation in sorted({source for table in tables for source in table.sources})
                )
            )
        )
    except (errors.UndefinedTable, errors.InvalidSchemaName) as error:
        raise PublicationRefused(f"A candidate table is missing: {error.diag.message_primary}.") from error


def _verify(
    cur: Cursor, build: Build, gate: GateResult, tables: Sequence[PublishedTable], force: Force | None
) -> None:
    """Raise PublicationRefused unless the candidates are of this build, the newest, audited and passed, or forced."""
    if gate.build_id != build.build_id:
        raise PublicationRefused(f"The gate result is of build {gate.build_id}, not of {build.build_id}.")
    newest = newest_build(cur)
    if newest is None or newest.build_id != build.build_id:
        found = "there is none" if newest is None else f"the newest is {newest.build_id}"
        raise PublicationRefused(f"Build {build.build_id} is not the newest recorded build: {found}.")
    if (newest.data_through, newest.final_after_days) != (build.data_through, build.final_after_days):
        raise PublicationRefused(f"Build {build.build_id} was recorded with another date or setting.")
    _verify_gate(newest_gate_result(cur, build.build_id), gate, force)
    if newest.tests_failed:
        raise PublicationRefused(f"Build {build.build_id} failed {newest.tests_failed} of dbt's tests.")
    states = recorded_states(cur, build.build_id)
    for table in tables:
        for schema, name in table.sources:
            if f"{schema}.{name}" not in states:
                raise PublicationRefused(f"{schema}.{name} is not part of build {build.build_id}.")
    on_top_of = newest_publication(cur)
    if _publication_of(cur, build) is None and not newest.is_full and newest.based_on != on_top_of:
        raise PublicationRefused(
            f"Build {build.build_id} was made on top of publication {newest.based_on}, but BI sees {on_top_of}."
        )
    changed = changed_table(cur, build.build_id)
    if changed is not None:
        raise PublicationRefused(
            f"{changed} changed after build {build.build_id}: what is there was not audited."
        )


def _verify_gate(recorded: GateResult | None, gate: GateResult, force: Force | None) -> None:
    """Raise PublicationRefused unless the gate let the build pass, or somebody forces what it refused."""
    if recorded is None:
        raise PublicationRefused(f"Build {gate.build_id} was not audited.")
    is_passed = recorded.passed and gate.passed
    if not is_passed and force is None:
        raise PublicationRefused(
            f"Build {gate.build_id} did not pass the quality gate: {recorded.checks_failed} critical checks failed."
        )
    said = (gate.checks_passed, gate.checks_warned, gate.checks_failed)
    if said != (recorded.checks_passed, recorded.checks_warned, recorded.checks_failed):
        raise PublicationRefused(f"Build {gate.build_id} was audited with another result than the one given.")
    if is_passed and force is not None:
        raise PublicationRefused(f"Build {gate.build_id} passed the quality gate: there is nothing to force.")


def _publication_of(cur: Cursor, build: Build) -> Publication | None:
    cur.execute(
        "select publication_id, published_at, months, data_through, checks_passed, checks_warned,"
        " checks_failed, forced_by, forced_reason from published.publication where build_id = %s",
        (str(build.build_id),),
    )
    row = cur.fetchone()
    if row is None:
        return None
    number, published_at, months, data_through, passed, warned, failed, by, reason = row
    force = None if by is None else Force(by, reason)
    return Publication(number, published_at, months, data_through, passed, warned, failed, [], [], force)


def _next_publication(cur: Cursor) -> int:
    """The number that this publication will have: what it changes is noted under it before it is recorded."""
    cur.execute("select nextval(pg_get_serial_sequence('published.publication', 'publication_id'))")
    row = cur.fetchone()
    assert row is not None
    return int(row[0])


def _record(
    cur: Cursor,
    publication_id: int,
    build: Build,
    gate: GateResult,
    changes: list[TableChange],
    warnings: list[str],
    *,
    keeps_history: bool,
    force: Force | None,
) -> Publication:
    months = sorted({month for change in changes for month in change.months})
    cur.execute(
        """
        insert into published.publication
            (publication_id, build_id, months, data_through, final_after_days,
             checks_passed, checks_warned, checks_failed, keeps_history, forced_by, forced_reason)
        overriding system value
        values (%s, %s, %s::date[], %s, %s, %s, %s, %s, %s, %s, %s)
        returning published_at
        """,
        (
            publication_id,
            str(build.build_id),
            months,
            build.data_through,
            build.final_after_days,
            gate.checks_passed,
            gate.checks_warned,
            gate.checks_failed,
            keeps_history,
            None if force is None else force.by,
            None if force is None else force.reason,
        ),
    )
    row = cur.fetchone()
    assert row is not None
    return Publication(
        publication_id=publication_id,
        published_at=row[0],
        months=months,
        data_through=build.data_through,
        checks_passed=gate.checks_passed,
        checks_warned=gate.checks_warned,
        checks_failed=gate.checks_failed,
        changes=changes,
        warnings=warnings,
        force=force,
    )
