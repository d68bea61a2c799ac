"""Brings a database to this code's version: migrations/NNNN_name.sql, in order, in one transaction.

Does not belong here: the migrations' contents, or tables that are generated from contracts or by dbt.
"""

import re
from collections.abc import Iterator
from importlib.resources import files
from typing import NamedTuple

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.warehouse.connection import WarehouseError

_NAME = re.compile(r"(\d{4})_(\w+)\.sql")
_LOCK = int.from_bytes(b"migrate", "big")


class Migration(NamedTuple):
    version: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """All migrations of this code, in order."""
    return sorted(_read_migrations())


def _read_migrations() -> Iterator[Migration]:
    for file in files("dagster_project.warehouse").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            match = _NAME.fullmatch(file.name)
            if match is None:
                raise ValueError(f"a migration is called NNNN_name.sql, not {file.name}")
            yield Migration(int(match[1]), match[2], file.read_text(encoding="utf-8"))


def migrate(conn: Connection) -> list[str]:
    """Applies what is missing and commits; returns the names applied. Two at once: the second waits."""
    with conn, conn.cursor() as cursor:
        return migrate_within(cursor)


def migrate_within(cursor: Cursor) -> list[str]:
    """As `migrate`, in the caller's transaction."""
    known = migrations()
    cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
    cursor.execute("select to_regclass('landing.schema_version') is not null")
    applied: set[int] = set()
    if cursor.fetchone() == (True,):
        cursor.execute("select version from landing.schema_version")
        applied = {version for (version,) in cursor.fetchall()}
    newer = applied - {migration.version for migration in known}
    if newer:
        raise WarehouseError(
            f"The database is at version {max(newer)}, newer than this code ({known[-1].version}): "
            "update the code, or use another database."
        )
    missing = [migration for migration in known if migration.version not in applied]
    for migration in missing:
        cursor.execute(migration.sql)
        cursor.execute(
            "insert into landing.schema_version (version, name) values (%s, %s)",
            (migration.version, migration.name),
        )
    return [f"{migration.version:04}_{migration.name}" for migration in missing]
