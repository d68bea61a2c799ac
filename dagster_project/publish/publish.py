"""Publishing an audited build: every table's delta and the views over them, in one transaction.

Does not belong here: computing figures, checking them (audit/), or deciding when to publish (orchestration/).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from psycopg2 import errors, sql
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.publish import relations, roles
from dagster_project.publish.build import (
    Build,
    GateResult,
    changed_table,
    newest_build,
    newest_gate_result,
    newest_publication,
    recorded_states,
)
from dagster_project.publish.relations import Column, PublishedTable, Rebuilt
from dagster_project.warehouse.connection import WarehouseError

_log = logging.getLogger(__name__)

# A table of another shape needs an exclusive lock for a moment. Asked for in short turns, because readers
# queue behind the request; the turns go on until a reader's statement_timeout (roles.py) must have struck.
EXCLUSIVE_LOCK_TURN = "500ms"
EXCLUSIVE_LOCK_PAUSE_SECONDS = 2.0
EXCLUSIVE_LOCK_PATIENCE_SECONDS = 600.0

# What a rebuilt table is called until it takes the old one's place.
_NEXT = "__next"


class PublicationRefused(WarehouseError):
    """These candidate tables must not be published; BI keeps the last good publication."""

    exit_code = 3


@dataclass(frozen=True)
class TableChange:
    """What a publication did to one table. A changed row is one deleted and one inserted."""

    table: str
    rows_inserted: int
    rows_deleted: int
    is_rebuilt: bool = False  # other columns or another key than before
    months: frozenset[date] = frozenset()

    @property
    def is_changed(self) -> bool:
        return bool(self.rows_inserted or self.rows_deleted or self.is_rebuilt)


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

        changes = []
        rebuilt: list[PublishedTable] = []
        for table in tables:
            change = _apply(cur, table, build.is_full)
            changes.append(change)
            if change.is_rebuilt:
                rebuilt.append(table)
            if on_table is not None:
                on_table(change)

        _change_shapes(cur, tables, rebuilt)
        for table in tables:
            relations.ensure_indexes(cur, table)
            relations.copy_comments(cur, table)
        warnings = roles.grant_within(cur)
        for warning in warnings:
            _log.warning(warning)
        # Last, so that published_at is as near to the commit as it can be.
        return _record(cur, build, gate, changes, warnings)


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


def _record(
    cur: Cursor, build: Build, gate: GateResult, changes: list[TableChange], warnings: list[str]
) -> Publication:
    months = sorted({month for change in changes for month in change.months})
    cur.execute(
        """
        insert into published.publication
            (build_id, months, data_through, final_after_days, checks_passed, checks_warned, checks_failed)
        values (%s, %s::date[], %s, %s, %s, %s, %s)
        returning publication_id, published_at
        """,
        (
            str(build.build_id),
            months,
            build.data_through,
            build.final_after_days,
            gate.checks_passed,
            gate.checks_warned,
            gate.checks_failed,
        ),
    )
    row = cur.fetchone()
    assert row is not None
    return Publication(
        publication_id=row[0],
        published_at=row[1],
        months=months,
        data_through=build.data_through,
        checks_passed=gate.checks_passed,
        checks_warned=gate.checks_warned,
        checks_failed=gate.checks_failed,
        changes=changes,
        warnings=warnings,
    )


def _apply(cur: Cursor, table: PublishedTable, is_full: bool) -> TableChange:
    """Bring the rows of one published table to those of its candidate."""
    like = relations.columns(cur, table.schema, table.name)
    names = {column.name for column in like}
    missing = [name for name in (*table.key, table.month_column) if name is not None and name not in names]
    if missing:
        raise PublicationRefused(f"{table.schema}.{table.name} has no column {', '.join(missing)}.")
    is_partial = table.rebuilt is not None and not is_full
    is_same = relations.has_structure_of(cur, "published", table.name, table, like)
    if is_partial and not is_same:
        raise PublicationRefused(
            f"published.{table.name} is not as the last publication left it, and this build has only the rows "
            "that changed: make everything anew with cashless run --full."
        )
    try:
        if not relations.relation_exists(cur, "published", table.name):
            inserted, months = _create(cur, table, table.name)
            return TableChange(table.name, inserted, 0, months=months)
        if not is_same:
            return _rebuild(cur, table)
        return _apply_delta(cur, table, like, is_partial)
    except (errors.UniqueViolation, errors.NotNullViolation) as error:
        raise PublicationRefused(
            f"{table.schema}.{table.name} does not have one row per key ({', '.join(table.key)}): "
            f"{error.diag.message_detail or error.diag.message_primary}"
        ) from error


def _create(cur: Cursor, table: PublishedTable, name: str) -> tuple[int, frozenset[date]]:
    """Make published.<name> with the candidate's columns and rows."""
    target, candidate = sql.Identifier("published", name), sql.Identifier(table.schema, table.name)
    cur.execute(
        sql.SQL("create table {} (like {} including storage including compression)").format(target, candidate)
    )
    cur.execute(sql.SQL("insert into {} select * from {}").format(target, candidate))
    inserted = cur.rowcount
    cur.execute(
        sql.SQL("alter table {} add constraint {} primary key ({})").format(
            target, sql.Identifier(f"{name}_pkey"), _list(table.key)
        )
    )
    cur.execute(sql.SQL("analyze {}").format(target))
    return inserted, _all_months(cur, "published", table, name)


def _rebuild(cur: Cursor, table: PublishedTable) -> TableChange:
    """Other columns or another key: fill a new table beside the old one; _change_shapes puts it in place."""
    published = sql.Identifier("published", table.name)
    old_names = {column.name for column in relations.columns(cur, "published", table.name)}
    months: frozenset[date] = frozenset()
    if table.month_column in old_names:
        months = _all_months(cur, "published", table, table.name)
    cur.execute(sql.SQL("select count(*) from {}").format(published))
    row = cur.fetchone()
    assert row is not None
    inserted, new_months = _create(cur, table, table.name + _NEXT)
    return TableChange(table.name, inserted, row[0], is_rebuilt=True, months=months | new_months)


def _apply_delta(cur: Cursor, table: PublishedTable, like: list[Column], is_partial: bool) -> TableChange:
    """Delete the rows that the candidate does not have exactly so, insert those that are then missing.

    Of a partial build only the rows that it rebuilt are looked at.
    """
    parts = {
        "published": sql.Identifier("published", table.name),
        "candidate": sql.Identifier(table.schema, table.name),
        "gives_way": _gives_way(table.rebuilt) if is_partial and table.rebuilt else sql.SQL("true"),
        "same_key": sql.SQL(" and ").join(_pair(name, "=") for name in table.key),
        "same_row": sql.SQL(" and ").join(
            _pair(column.name, "=")
            if column.name in table.key
            # This is no hash or merge key, but here it only filters the key's matches.
            else _pair(column.name, "is not distinct from")
            for column in like
        ),
        "columns": _list([column.name for column in like]),
        "month": sql.SQL("null::date")
        if table.month_column is None
        else sql.Identifier(table.month_column) + sql.SQL("::date"),
    }
    cur.execute(sql.SQL("select exists (select from {published})").format(**parts))
    if cur.fetchone() == (False,):
        deleted, months_deleted = 0, frozenset[date]()
        new_rows = sql.SQL("select {columns} from {candidate}").format(**parts)
    else:
        deleted, months_deleted = _changed_rows(
            cur,
            sql.SQL(
                "delete from {published} as p"
                " where {gives_way} and not exists (select from {candidate} as c where {same_row})"
            ).format(**parts),
            parts["month"],
        )
        # What is left in published is equal to its candidate, so the key alone finds the missing rows.
        new_rows = sql.SQL(
            "select {columns} from {candidate} as c"
            " where not exists (select from {published} as p where {same_key})"
        ).format(**parts)
    inserted, months_inserted = _changed_rows(
        cur,
        sql.SQL("insert into {published} ({columns}) {new_rows}").format(**parts, new_rows=new_rows),
        parts["month"],
    )
    # Of two candidate rows with one key, one may be equal to what is published and hide the other.
    cur.execute(
        sql.SQL(
            "select (select count(*) from {published} as p where {gives_way}), (select count(*) from {candidate})"
        ).format(**parts)
    )
    row = cur.fetchone()
    assert row is not None
    if row[0] != row[1]:
        raise PublicationRefused(
            f"{table.schema}.{table.name} does not have one row per key ({', '.join(table.key)})"
            f"{' among those it rebuilds' if is_partial else ''}: {row[1]} rows, {row[0]} keys."
        )
    if 10 * (inserted + deleted) > _row_estimate(cur, table.name):
        cur.execute(sql.SQL("analyze {published}").format(**parts))
    return TableChange(table.name, inserted, deleted, months=months_deleted | months_inserted)


def _changed_rows(cur: Cursor, statement: sql.Composed, month: sql.Composable) -> tuple[int, frozenset[date]]:
    cur.execute(
        sql.SQL(
            "with changed as ({} returning {} as month) select month, count(*) from changed group by month"
        ).format(statement, month)
    )
    rows = cur.fetchall()
    return sum(count for _, count in rows), frozenset(found for found, _ in rows if found is not None)


def _row_estimate(cur: Cursor, name: str) -> float:
    cur.execute(
        "select greatest(reltuples, 0) from pg_class where oid = %s::regclass",
        (sql.Identifier("published", name).as_string(cur),),
    )
    row = cur.fetchone()
    assert row is not None
    return float(row[0])


def _all_months(cur: Cursor, schema: str, table: PublishedTable, name: str) -> frozenset[date]:
    if table.month_column is None:
        return frozenset()
    cur.execute(
        sql.SQL("select distinct {month}::date from {relation} where {month} is not null").format(
            month=sql.Identifier(table.month_column), relation=sql.Identifier(schema, name)
        )
    )
    return frozenset(month for (month,) in cur.fetchall())


def _change_shapes(cur: Cursor, tables: Sequence[PublishedTable], rebuilt: list[PublishedTable]) -> None:
    """Put rebuilt tables in place, define new and changed views, take away what is no longer published.

    Only these need an exclusive lock; a publication of figures alone has nothing to do here.
    """
    cur.execute("select view_name, definition from published.bi_view")
    defined = dict(cur.fetchall())
    views: list[tuple[PublishedTable, str, str]] = []
    for table in tables:
        like = relations.columns(cur, table.schema, table.name)
        definition = relations.view_definition(table, like, table.name).as_string(cur)
        is_rebuilt = table in rebuilt
        if (
            is_rebuilt
            or defined.get(table.name) != definition
            or not relations.relation_exists(cur, "bi", table.name)
        ):
            views.append((table, table.name + _NEXT if is_rebuilt else table.name, definition))
    retired = sorted(defined.keys() - {table.name for table in tables})
    if not views and not retired:
        return

    give_up_at = time.monotonic() + EXCLUSIVE_LOCK_PATIENCE_SECONDS
    cur.execute("savepoint change_shapes")
    while True:
        try:
            cur.execute(sql.SQL("set local lock_timeout = {}").format(sql.Literal(EXCLUSIVE_LOCK_TURN)))
            _place(cur, views, retired)
            break
        except (errors.LockNotAvailable, errors.DeadlockDetected) as error:
            cur.execute("rollback to savepoint change_shapes")
            if time.monotonic() > give_up_at:
                raise WarehouseError(
                    "The published tables change their columns, and somebody has been reading them for "
                    f"{EXCLUSIVE_LOCK_PATIENCE_SECONDS:.0f} s: {_readers(cur)}. Run again when they are done."
                ) from error
            time.sleep(EXCLUSIVE_LOCK_PAUSE_SECONDS)
        except errors.DependentObjectsStillExist as error:
            raise WarehouseError(
                "The published tables change their columns, but something else depends on them: "
                f"{error.diag.message_detail}. Drop it and run again."
            ) from error
    cur.execute("set local lock_timeout = 0")
    cur.execute("release savepoint change_shapes")


def _place(cur: Cursor, views: list[tuple[PublishedTable, str, str]], retired: list[str]) -> None:
    for table, source, definition in views:
        like = relations.columns(cur, table.schema, table.name)
        relations.define_view(cur, table.name, relations.view_definition(table, like, source))
        if source != table.name:
            # The view follows the table it was defined on through the renaming.
            cur.execute(sql.SQL("drop table {}").format(sql.Identifier("published", table.name)))
            cur.execute(
                sql.SQL("alter table {0} rename constraint {1} to {2}").format(
                    sql.Identifier("published", source),
                    sql.Identifier(f"{source}_pkey"),
                    sql.Identifier(f"{table.name}_pkey"),
                )
            )
            cur.execute(
                sql.SQL("alter table {} rename to {}").format(
                    sql.Identifier("published", source), sql.Identifier(table.name)
                )
            )
        cur.execute(
            "insert into published.bi_view (view_name, definition) values (%s, %s)"
            " on conflict (view_name) do update set definition = excluded.definition",
            (table.name, definition),
        )
    for name in retired:
        cur.execute(sql.SQL("drop view if exists {}").format(sql.Identifier("bi", name)))
        # What a model that is no more has left behind would keep the table.
        cur.execute("select from pg_views where schemaname = 'candidate' and viewname = %s", (name,))
        if cur.fetchone() is not None:
            cur.execute(sql.SQL("drop view {}").format(sql.Identifier("candidate", name)))
        cur.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("published", name)))
        cur.execute("delete from published.bi_view where view_name = %s", (name,))


def _gives_way(rebuilt: Rebuilt) -> sql.Composed:
    """The condition that a published row (alias p) is among those that a build rebuilt."""
    return sql.SQL("exists (select from {} as k where {})").format(
        sql.Identifier("touched", rebuilt.keys),
        sql.SQL(" and ").join(
            sql.SQL("k.{} = p.{}").format(sql.Identifier(theirs), sql.Identifier(ours))
            for theirs, ours in rebuilt.match
        ),
    )


def _readers(cur: Cursor) -> str:
    cur.execute(
        """
        select string_agg(distinct format('%s (pid %s, %s)', a.usename, a.pid, a.application_name), ', ')
        from pg_locks l
        join pg_class c on c.oid = l.relation
        join pg_namespace n on n.oid = c.relnamespace
        join pg_stat_activity a on a.pid = l.pid
        where n.nspname in ('bi', 'published') and l.granted and l.pid <> pg_backend_pid()
        """
    )
    row = cur.fetchone()
    return (row and row[0]) or "nobody any more"


def _pair(name: str, operator: str) -> sql.Composed:
    return sql.SQL("c.{0} {1} p.{0}").format(sql.Identifier(name), sql.SQL(operator))


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
