"""Publishing an audited build: every table's delta and the views over them, in one transaction.

Does not belong here: computing figures, checking them (audit/), or deciding when to publish (orchestration/).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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
from dagster_project.publish.relations import PublishedTable
from dagster_project.publish.shape import change_shapes

_log = logging.getLogger(__name__)


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


def publish(
    conn: Connection,
    build: Build,
    gate: GateResult,
    tables: Sequence[PublishedTable],
    on_table: Callable[[TableChange], None] | None = None,
) -> Publication:
    """Make BI see exactly these candidate tables, all at once, or raise and change nothing.

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
        _verify(cur, build, gate, tables)
        existing = _publication_of(cur, build)
        if existing is not None:
            return existing

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

        revision.note_causes(cur, publication_id)
        change_shapes(cur, tables, rebuilt)
        for table in tables:
            relations.ensure_indexes(cur, table)
            relations.copy_comments(cur, table)
        warnings = roles.grant_within(cur)
        for warning in warnings:
            _log.warning(warning)
        # Last, so that published_at is as near to the commit as it can be.
        keeps_history = not any(table.history for table in rebuilt)
        return _record(cur, publication_id, build, gate, changes, warnings, keeps_history=keeps_history)


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


def _verify(cur: Cursor, build: Build, gate: GateResult, tables: Sequence[PublishedTable]) -> None:
    """Raise PublicationRefused unless the candidates are of this build, the newest, audited and passed."""
    if gate.build_id != build.build_id:
        raise PublicationRefused(f"The gate result is of build {gate.build_id}, not of {build.build_id}.")
    newest = newest_build(cur)
    if newest is None or newest.build_id != build.build_id:
        found = "there is none" if newest is None else f"the newest is {newest.build_id}"
        raise PublicationRefused(f"Build {build.build_id} is not the newest recorded build: {found}.")
    if (newest.data_through, newest.final_after_days) != (build.data_through, build.final_after_days):
        raise PublicationRefused(f"Build {build.build_id} was recorded with another date or setting.")
    recorded = newest_gate_result(cur, build.build_id)
    if recorded is None:
        raise PublicationRefused(f"Build {build.build_id} was not audited.")
    if not recorded.passed or not gate.passed:
        raise PublicationRefused(
            f"Build {build.build_id} did not pass the quality gate: {recorded.checks_failed} checks failed."
        )
    said = (gate.checks_passed, gate.checks_warned, gate.checks_failed)
    if said != (recorded.checks_passed, recorded.checks_warned, recorded.checks_failed):
        raise PublicationRefused(
            f"Build {build.build_id} was audited with another result than the one given."
        )
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


def _publication_of(cur: Cursor, build: Build) -> Publication | None:
    cur.execute(
        "select publication_id, published_at, months, data_through, checks_passed, checks_warned,"
        " checks_failed from published.publication where build_id = %s",
        (str(build.build_id),),
    )
    row = cur.fetchone()
    if row is None:
        return None
    number, published_at, months, data_through, passed, warned, failed = row
    return Publication(number, published_at, months, data_through, passed, warned, failed, [], [])


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
) -> Publication:
    months = sorted({month for change in changes for month in change.months})
    cur.execute(
        """
        insert into published.publication
            (publication_id, build_id, months, data_through, final_after_days,
             checks_passed, checks_warned, checks_failed, keeps_history)
        overriding system value
        values (%s, %s, %s::date[], %s, %s, %s, %s, %s, %s)
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
    )
