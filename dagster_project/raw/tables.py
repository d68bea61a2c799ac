"""Keeps the tables raw.<source> as their contracts say: makes them, and lets them follow. What that means for a table
is in ddl.py and follow.py; no loading.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Contract
from dagster_project.errors import CashlessError
from dagster_project.raw.ddl import BOOK_COLUMNS, create_statements, lookup_statements, quote
from dagster_project.raw.follow import CannotFollow, Table, remember, statements

# Somebody who reads raw holds up a change of its tables, and with it everybody who comes later.
_PATIENCE = "30s"

_CATALOG = """
    select
        (
            select coalesce(jsonb_object_agg(relname, described), '{}')
            from (
                select
                    relname,
                    jsonb_build_object(
                        'comment', obj_description(pg_class.oid, 'pg_class'),
                        'columns', jsonb_agg(
                            jsonb_build_array(
                                attname, format_type(atttypid, null), col_description(pg_class.oid, attnum)
                            )
                            order by attnum
                        )
                    ) as described
                from pg_class inner join pg_attribute on attrelid = pg_class.oid
                where relnamespace = to_regnamespace('raw') and relkind = 'r' and attnum > 0 and not attisdropped
                group by pg_class.oid, relname
            ) as raw_table
        ),
        (
            select coalesce(array_agg(relname::text), '{}') from pg_class
            where relnamespace = to_regnamespace('raw') and relkind = 'i'
        ),
        (select coalesce(jsonb_object_agg(source, shape), '{}') from landing.contract)
"""


class RawTableError(CashlessError):
    """A raw table cannot follow its contract; nothing has been touched."""


def ensure_tables(conn: Any, sources: Iterable[Contract] | None = None) -> None:
    """Makes what is missing of schema raw and its tables, and lets tables follow contracts that have changed.

    The caller commits, and holds the run lock. RawTableError, and nothing is touched, if a contract has changed so that
    its table cannot follow. An empty table gets its lookup indexes after its first load.
    """
    wanted = list(contracts().values() if sources is None else sources)
    with conn.cursor() as cursor:
        tables, indexes = _read_catalog(cursor)
        todo: dict[str, list[str]] = {}
        faults: list[str] = []
        for contract in wanted:
            table = tables.get(contract.source)
            try:
                todo[contract.source] = (
                    [*create_statements(contract), remember(contract)]
                    if table is None
                    else statements(cursor, contract, table, indexes)
                )
            except CannotFollow as fault:
                faults.append(str(fault))
        if faults:
            more = f" (and {len(faults) - 1} more contracts like this)" if len(faults) > 1 else ""
            raise RawTableError(f"{faults[0]}{more}")
        if not tables:
            cursor.execute("create schema if not exists raw")
        for source, changes in todo.items():
            if changes:
                _execute(cursor, source, changes)
        for contract in wanted:
            if contract.source in tables:
                _index(cursor, contract, indexes)


def _read_catalog(cursor: Cursor) -> tuple[dict[str, Table], set[str]]:
    """The raw tables, and the names of their indexes."""
    cursor.execute(_CATALOG)
    row = cursor.fetchone()
    assert row is not None
    described, indexes, shapes = row
    book = {name for name, _, _ in BOOK_COLUMNS}
    tables = {}
    for name, table in described.items():
        columns = {column: sql.partition(" ")[0] for column, sql, _ in table["columns"]}
        comments: dict[str | None, str | None] = {column: text for column, _, text in table["columns"]}
        comments[None] = table["comment"]
        tables[name] = Table(
            {column: sql for column, sql in columns.items() if column not in book}, comments, shapes.get(name)
        )
    return tables, set(indexes)


def _execute(cursor: Cursor, source: str, changes: list[str]) -> None:
    try:
        cursor.execute("select set_config('lock_timeout', %s, true)", (_PATIENCE,))
        for statement in changes:
            cursor.execute(statement)
        cursor.execute("set local lock_timeout to default")
    except psycopg2.errors.LockNotAvailable:
        raise RawTableError(
            f"The contract of {source} has changed, but somebody has been reading or writing raw.{source} for "
            f"{_PATIENCE}: end that session and run again. Nothing was changed."
        ) from None
    except (psycopg2.errors.FeatureNotSupported, psycopg2.errors.DependentObjectsStillExist) as error:
        what = " ".join((error.diag.message_detail or "").split())
        raise RawTableError(
            f"The contract of {source} has changed, but raw.{source} cannot follow: something of your own is made of "
            f"it ({what}). Drop that, run, and make it again. Nothing was changed."
        ) from None


def _index(cursor: Cursor, contract: Contract, indexes: set[str]) -> None:
    missing = [text for name, text in lookup_statements(contract).items() if name not in indexes]
    if missing:
        cursor.execute(f"select exists (select from raw.{quote(contract.source)})")
        if cursor.fetchone() == (True,):
            for statement in missing:
                cursor.execute(statement)
