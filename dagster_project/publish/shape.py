"""Puts tables of another shape in place and keeps the views of schema bi, inside the publication's transaction.

Does not belong here: rows (apply.py), and the DDL of single relations (relations.py).
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from psycopg2 import errors, sql
from psycopg2.extensions import cursor as Cursor

from dagster_project.publish import relations
from dagster_project.publish.apply import NEXT
from dagster_project.publish.relations import PublishedTable
from dagster_project.warehouse.connection import WarehouseError

# A table of another shape needs an exclusive lock for a moment. Asked for in short turns, because readers
# queue behind the request; the turns go on until a reader's statement_timeout (roles.py) must have struck.
EXCLUSIVE_LOCK_TURN = "500ms"
EXCLUSIVE_LOCK_PAUSE_SECONDS = 2.0
EXCLUSIVE_LOCK_PATIENCE_SECONDS = 600.0


def change_shapes(cur: Cursor, tables: Sequence[PublishedTable], rebuilt: list[PublishedTable]) -> None:
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
            or not relations.relation_exists(cur, table.view_schema, table.name)
        ):
            views.append((table, table.name + NEXT if is_rebuilt else table.name, definition))
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
        relations.define_view(cur, table, relations.view_definition(table, like, source))
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
        for schema in ("bi", "bi_private"):
            cur.execute(sql.SQL("drop view if exists {}").format(sql.Identifier(schema, name)))
        # What a model that is no more has left behind would keep the table.
        cur.execute("select from pg_views where schemaname = 'candidate' and viewname = %s", (name,))
        if cur.fetchone() is not None:
            cur.execute(sql.SQL("drop view {}").format(sql.Identifier("candidate", name)))
        cur.execute(sql.SQL("drop table if exists {}").format(sql.Identifier("published", name)))
        cur.execute("delete from published.bi_view where view_name = %s", (name,))


def _readers(cur: Cursor) -> str:
    cur.execute(
        """
        select string_agg(distinct format('%s (pid %s, %s)', a.usename, a.pid, a.application_name), ', ')
        from pg_locks l
        join pg_class c on c.oid = l.relation
        join pg_namespace n on n.oid = c.relnamespace
        join pg_stat_activity a on a.pid = l.pid
        where n.nspname in ('bi', 'bi_private', 'published') and l.granted and l.pid <> pg_backend_pid()
        """
    )
    row = cur.fetchone()
    return (row and row[0]) or "nobody any more"
