"""Brings the rows of one published table to those of its candidate, inside the publication's transaction.

Does not belong here: whether they may be published, and other columns or keys taking the old table's place (shape.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from psycopg2 import errors, sql
from psycopg2.extensions import cursor as Cursor

from dagster_project.publish import relations
from dagster_project.publish.relations import Column, PublishedTable, Rebuilt
from dagster_project.warehouse.connection import WarehouseError

# What a rebuilt table is called until it takes the old one's place.
NEXT = "__next"


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


def apply_rows(cur: Cursor, table: PublishedTable, publication_id: int, *, is_full: bool) -> TableChange:
    """Bring the rows of one published table to those of its candidate.

    Raises PublicationRefused if the candidate does not have one row per key, or misses columns that it must have.
    """
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
        return _apply_delta(cur, table, publication_id, like, is_partial)
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
    inserted, new_months = _create(cur, table, table.name + NEXT)
    return TableChange(table.name, inserted, row[0], is_rebuilt=True, months=months | new_months)


def _apply_delta(
    cur: Cursor, table: PublishedTable, publication_id: int, like: list[Column], is_partial: bool
) -> TableChange:
    """Delete the rows that the candidate does not have exactly so, insert those that are then missing.

    Of a partial build only the rows that it rebuilt are looked at. A table with a history keeps in it what both were.
    """
    parts = {
        "published": sql.Identifier("published", table.name),
        "candidate": sql.Identifier(table.schema, table.name),
        "gives_way": gives_way(table.rebuilt) if is_partial and table.rebuilt else sql.SQL("true"),
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
            _kept(table, publication_id, is_new=False),
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
        _kept(table, publication_id, is_new=True),
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


def _changed_rows(
    cur: Cursor, statement: sql.Composed, month: sql.Composable, kept: sql.Composable
) -> tuple[int, frozenset[date]]:
    cur.execute(
        sql.SQL(
            "with changed as ({} returning *, {} as month_changed){}"
            " select month_changed, count(*) from changed group by month_changed"
        ).format(statement, month, kept)
    )
    rows = cur.fetchall()
    return sum(count for _, count in rows), frozenset(found for found, _ in rows if found is not None)


def _kept(table: PublishedTable, publication_id: int, *, is_new: bool) -> sql.Composable:
    """A further part of the statement that changes rows: it appends them to the table's history."""
    if not table.history:
        return sql.SQL("")
    return sql.SQL(
        ", kept as (insert into {history} (publication_id, is_new, {columns})"
        " select {publication_id}, {is_new}, {columns} from changed)"
    ).format(
        history=sql.Identifier("published", f"{table.name}_history"),
        columns=_list(table.history),
        publication_id=sql.Literal(publication_id),
        is_new=sql.Literal(is_new),
    )


def gives_way(rebuilt: Rebuilt) -> sql.Composed:
    """The condition that a published row (alias p) is among those that a build rebuilt."""
    return sql.SQL("exists (select from {} as k where {})").format(
        sql.Identifier("touched", rebuilt.keys),
        sql.SQL(" and ").join(
            sql.SQL("k.{} = p.{}").format(sql.Identifier(theirs), sql.Identifier(ours))
            for theirs, ours in rebuilt.match
        ),
    )


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


def _pair(name: str, operator: str) -> sql.Composed:
    return sql.SQL("c.{0} {1} p.{0}").format(sql.Identifier(name), sql.SQL(operator))


def _list(names: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join(sql.Identifier(name) for name in names)
