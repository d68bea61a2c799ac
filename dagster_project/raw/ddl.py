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
    ("is_duplicate", "boolean not null", "Equal in all contract columns to a row that counts."),
    ("extra", "jsonb", "Columns of the file that the contract does not know, as they came."),
    (
        "change_id",
        "integer not null",
        "Change with which the row came, or began to count (landing.change); 0: none, or before the log.",
    ),
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
        # Small ranges: what is asked for are the newest rows, and they lie at the end.
        f"create index if not exists {change_index(contract)} on {table} using brin (change_id) "
        "with (pages_per_range = 32, autosummarize = on)",
        f"comment on table {table} is {literal(contract.description)}",
    ]
    described = [(column.name, column.description) for column in contract.columns]
    described += [(name, text) for name, _, text in BOOK_COLUMNS]
    statements += [f"comment on column {table}.{quote(name)} is {literal(text)}" for name, text in described]
    return statements


def change_index(contract: Contract) -> str:
    """The index that finds the rows of a change."""
    return f"{contract.source}_change_idx"


def lookup_statements(contract: Contract) -> dict[str, str]:
    """The statements that make the contract's lookup indexes, by the index's name.

    Where a column may be empty, an empty one is never looked for.
    """
    statements = {}
    for names in contract.lookups:
        index = f"{contract.source}_{'_'.join(names)}_idx"
        filled = [f"{quote(name)} is not null" for name in names if not contract.column(name).required]
        statements[index] = (
            f"create index if not exists {quote(index)} on raw.{quote(contract.source)} "
            f"({', '.join(map(quote, names))})" + (f" where {' and '.join(filled)}" if filled else "")
        )
    return statements


def ensure_tables(conn: Any, sources: Iterable[Contract] | None = None) -> None:
    """Creates schema raw and the tables that are missing, and missing lookup indexes. The caller commits.

    An empty table gets its lookup indexes after its first load: made at once, they cost less than kept up.
    """
    wanted = list(contracts().values() if sources is None else sources)
    with conn.cursor() as cursor:
        cursor.execute("create schema if not exists raw")
        cursor.execute(
            "select relname from pg_class where relnamespace = 'raw'::regnamespace and relkind in ('r', 'i')"
        )
        present = {name for (name,) in cursor.fetchall()}
        for contract in wanted:
            if contract.source not in present:
                for statement in create_statements(contract):
                    cursor.execute(statement)
                continue
            missing = {
                name: text for name, text in lookup_statements(contract).items() if name not in present
            }
            if missing:
                cursor.execute(f"select exists (select from raw.{quote(contract.source)})")
                if cursor.fetchone() == (True,):
                    for statement in missing.values():
                        cursor.execute(statement)


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"
