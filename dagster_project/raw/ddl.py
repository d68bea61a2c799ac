"""The tables raw.<source>, made from the contracts. No loading, no checks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dagster_project.contracts.model import Contract, contracts

# What every raw table has after its contract columns.
BOOK_COLUMNS: tuple[tuple[str, str, str], ...] = (
    ("file_id", "integer not null", "Ledger line of the file the row came from (landing.file)."),
    ("line", "integer not null", "Physical line (CSV) or sheet row (Excel) where the row begins."),
    ("version_at", "timestamp not null", "Version of the row: updated_at, or paid_at for payments."),
    ("version_rank", "smallint not null", "Place of the state in its closed list; breaks equal versions."),
    ("is_duplicate", "boolean not null", "Equal in all contract columns to a row accepted before."),
    ("extra", "jsonb", "Columns of the file that the contract does not know, as they came."),
)


def quote(name: str) -> str:
    """A name as an SQL identifier (contract names are plain, but some are words of SQL)."""
    return '"' + name.replace('"', '""') + '"'


def create_statements(contract: Contract) -> list[str]:
    """The statements that make one raw table with its indexes and comments; harmless if it exists."""
    table = f"raw.{quote(contract.source)}"
    lines = [f"{quote(column.name)} {column.sql_type}" for column in contract.columns]
    lines += [f"{name} {sql_type}" for name, sql_type, _ in BOOK_COLUMNS]
    keys = ", ".join(quote(name) for name in contract.key)
    statements = [
        f"create table if not exists {table} (" + ", ".join(lines) + ")",
        f"create index if not exists {contract.source}_key_idx on {table} ({keys})",
        f"create index if not exists {contract.source}_file_idx on {table} using brin (file_id)",
        f"comment on table {table} is {literal(contract.description)}",
    ]
    described = [(column.name, column.description) for column in contract.columns]
    described += [(name, text) for name, _, text in BOOK_COLUMNS]
    statements += [f"comment on column {table}.{quote(name)} is {literal(text)}" for name, text in described]
    return statements


def ensure_tables(conn: Any, sources: Iterable[Contract] | None = None) -> None:
    """Creates schema raw and the tables that are missing. The caller commits."""
    wanted = list(contracts().values() if sources is None else sources)
    with conn.cursor() as cursor:
        cursor.execute("create schema if not exists raw")
        cursor.execute(
            "select relname from pg_class where relnamespace = 'raw'::regnamespace and relkind = 'r'"
        )
        present = {name for (name,) in cursor.fetchall()}
        for contract in wanted:
            if contract.source not in present:
                for statement in create_statements(contract):
                    cursor.execute(statement)


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
