"""The statements that make the tables raw.<source> from the contracts; tables.py runs them. No loading, no checks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from dagster_project.contracts.model import Contract

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
    (
        "is_key_repeated",
        "boolean not null",
        "Another row of its key came before, or may have; at most the first row of a key has false.",
    ),
)


def quote(name: str) -> str:
    """A name as an SQL identifier (contract names are plain, but some are words of SQL)."""
    return '"' + name.replace('"', '""') + '"'


def create_statements(contract: Contract) -> list[str]:
    """The statements that make one raw table with its comments and small indexes; harmless if it exists.

    The other indexes are made of the first rows at once: that takes less than keeping them up.
    """
    table = f"raw.{quote(contract.source)}"
    lines = [f"{quote(column.name)} {column.sql_type}" for column in contract.columns]
    lines += [f"{name} {sql_type}" for name, sql_type, _ in BOOK_COLUMNS]
    statements = [
        f"create table if not exists {table} (" + ", ".join(lines) + ")",
        f"create index if not exists {contract.source}_file_idx on {table} using brin (file_id)",
        # Small ranges: what is asked for are the newest rows, and they lie at the end.
        f"create index if not exists {change_index(contract)} on {table} using brin (change_id) "
        "with (pages_per_range = 32, autosummarize = on)",
    ]
    return [*statements, *comment_statements(contract, {})]


def comment_statements(contract: Contract, present: Mapping[str | None, str | None]) -> Iterator[str]:
    """The statements that describe the table (None) and its columns, where another text is `present`."""
    table = f"raw.{quote(contract.source)}"
    if present.get(None) != contract.description:
        yield f"comment on table {table} is {literal(contract.description)}"
    described = [(column.name, column.description) for column in contract.columns]
    described += [(name, text) for name, _, text in BOOK_COLUMNS]
    for name, text in described:
        if present.get(name) != text:
            yield f"comment on column {table}.{quote(name)} is {literal(text)}"


def key_index_statement(contract: Contract) -> str:
    """The statement that makes the index by which rows are found by their keys."""
    keys = ", ".join(quote(name) for name in contract.key)
    return f"create index if not exists {contract.source}_key_idx on raw.{quote(contract.source)} ({keys})"


def change_index(contract: Contract) -> str:
    """The index that finds the rows of a change."""
    return f"{contract.source}_change_idx"


def lookup_statements(contract: Contract) -> dict[str, str]:
    """The statements that make the contract's lookup indexes, by the index's name.

    Where a column may be empty, an empty one is never looked for.
    """
    statements = {}
    for names in contract.lookups:
        index = lookup_index(contract, names)
        filled = [f"{quote(name)} is not null" for name in names if not contract.column(name).required]
        statements[index] = (
            f"create index if not exists {quote(index)} on raw.{quote(contract.source)} "
            f"({', '.join(map(quote, names))})" + (f" where {' and '.join(filled)}" if filled else "")
        )
    return statements


def lookup_index(contract: Contract, names: Sequence[str]) -> str:
    """The index by which rows are looked up by these columns."""
    return f"{contract.source}_{'_'.join(names)}_idx"


def literal(text: str) -> str:
    """A text as an SQL literal."""
    return "'" + text.replace("'", "''") + "'"


def array(values: Sequence[str]) -> str:
    """Texts as an SQL array."""
    return f"array[{', '.join(literal(value) for value in values)}]"
