"""What is in quarantine, for people: by groups, row by row, and the files that were refused. Nothing is changed here,
and how it is shown is report's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from psycopg2.extensions import connection as Connection

from dagster_project.contracts.catalog import contracts
from dagster_project.raw import named
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import WarehouseError, connect

# Rows are fetched from the server in parts of this many.
_AT_ONCE = 2_000


class Group(NamedTuple):
    """Rows of one file with the same fault. Money in whole VND."""

    source: str
    file: str
    column: str | None
    reason: str
    reason_vi: str
    status: str
    rows: int
    money: int
    oldest: date


class QuarantinedRow(NamedTuple):
    """One row; `raw` is as it stands in the file, or with everything personal hidden."""

    file: str
    sheet: str | None
    line: int
    column: str | None
    reason: str
    reason_vi: str
    money: int
    since: datetime
    status: str
    repaired_at: datetime | None
    repaired_by_file: str | None
    raw: str


class RefusedFile(NamedTuple):
    """A file of which nothing was loaded, and of whose path nothing was loaded since."""

    file: str
    reason: str
    refused_at: datetime


@dataclass(frozen=True)
class Wanted:
    """Which rows are asked for; None: of all."""

    source: str | None = None
    file: str | None = None
    line: int | None = None
    with_repaired: bool = False

    def conditions(self) -> tuple[str, dict[str, object]]:
        """As SQL, and its parameters."""
        texts = ["entry.status in ('open', 'repaired')" if self.with_repaired else "entry.status = 'open'"]
        for column, value in (
            ("entry.source", self.source),
            ("file.path", self.file),
            ("entry.line", self.line),
        ):
            if value is not None:
                texts.append(f"{column} = %({column})s")
        values: dict[str, object] = {
            "entry.source": self.source,
            "file.path": self.file,
            "entry.line": self.line,
        }
        return " and ".join(texts), values


def is_source(name: str) -> bool:
    return name in contracts()


@contextmanager
def reading(settings: Settings) -> Iterator[Connection]:
    """A connection that sees one state of the quarantine; WarehouseError if this database has none."""
    with closing(connect(settings, "cashless quarantine")) as conn:
        conn.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with conn.cursor() as cursor:
            cursor.execute(
                "select to_regclass('landing.quarantine') is not null, exists (select from pg_attribute "
                "where attrelid = to_regclass('landing.quarantine') and attname = 'repaired_by')"
            )
            is_there, is_of_today = cursor.fetchone() or (False, False)
        if not is_there:
            raise WarehouseError("Nothing was ever loaded into this database: cashless run does it.")
        if not is_of_today:
            raise WarehouseError(
                "The database is older than this code: the next cashless run brings it up to date."
            )
        yield conn


def meant_by(conn: Connection, name: str) -> Wanted:
    """The rows of a source or of a file; WarehouseError if there is neither."""
    if is_source(name):
        return Wanted(source=name)
    return Wanted(file=path_of(conn, name))


def path_of(conn: Connection, name: str) -> str:
    """The path in the ledger that a person means by a name."""
    with conn.cursor() as cursor:
        return named.contents(cursor, name)[0].path


def groups(conn: Connection, wanted: Wanted) -> list[Group]:
    """The rows by source, file, column and reason."""
    condition, values = wanted.conditions()
    with conn.cursor() as cursor:
        cursor.execute(
            f"""
            select
                entry.source, file.path, entry.column_name, entry.reason,
                min(coalesce(entry.reason_vi, entry.reason)), entry.status,
                count(*), sum(entry.money)::bigint, min(entry.quarantined_at)::date
            from landing.quarantine as entry inner join landing.file using (file_id)
            where {condition}
            group by 1, 2, 3, 4, 6
            order by 1, 2, 7 desc, 3, 4, 6
            """,
            values,
        )
        return [Group(*row) for row in cursor.fetchall()]


def count_rows(conn: Connection, wanted: Wanted) -> int:
    condition, values = wanted.conditions()
    with conn.cursor() as cursor:
        cursor.execute(
            "select count(*) from landing.quarantine as entry inner join landing.file using (file_id) "
            f"where {condition}",
            values,
        )
        ((count,),) = cursor.fetchall()
    return int(count)


def rows(
    conn: Connection, wanted: Wanted, *, is_masked: bool, limit: int | None = None
) -> Iterator[QuarantinedRow]:
    """The rows by file and line, fetched as they are asked for."""
    condition, values = wanted.conditions()
    with conn.cursor("quarantine") as cursor:
        cursor.itersize = _AT_ONCE
        cursor.execute(
            f"""
            select
                file.path, entry.sheet, entry.line, entry.column_name, entry.reason,
                coalesce(entry.reason_vi, entry.reason), entry.money, entry.quarantined_at, entry.status,
                entry.repaired_at, repairer.path, {"entry.raw_masked" if is_masked else "entry.raw"}
            from landing.quarantine as entry
            inner join landing.file using (file_id)
            left join landing.file as repairer on repairer.file_id = entry.repaired_by
            where {condition}
            order by file.path, file.file_id, entry.sheet nulls first, entry.line, entry.quarantine_id
            limit %(limit)s
            """,
            values | {"limit": limit},
        )
        for row in cursor:
            yield QuarantinedRow(*row)


def refused_files(conn: Connection, source: str) -> list[RefusedFile]:
    """What is still missing of a source because its file was refused."""
    with conn.cursor() as cursor:
        cursor.execute(
            "select path, refused_reason, loaded_at from landing.refused_file "
            "where source = %s order by path, loaded_at",
            (source,),
        )
        return [RefusedFile(*row) for row in cursor.fetchall()]


def sources() -> tuple[str, ...]:
    """All sources, in the order of their names."""
    return tuple(contracts())
