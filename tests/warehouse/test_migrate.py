"""Migrations: each once, in order, all or none."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg2
import pytest

from dagster_project.warehouse import migrate as module
from dagster_project.warehouse.connection import WarehouseError, connect_url
from dagster_project.warehouse.migrate import Migration, migrate, migrations
from tests.conftest import execute, url_of

ROOMS = {"landing", "raw", "staging", "settlement", "candidate", "audit", "published", "bi", "bi_private"}


@pytest.fixture
def empty(server_url: str) -> Iterator[str]:
    execute(server_url, "create database test_empty template template0")
    yield url_of(server_url, "test_empty")
    execute(server_url, "drop database test_empty with (force)")


def schemas(url: str) -> set[str]:
    with closing(connect_url(url)) as conn, conn.cursor() as cursor:
        cursor.execute(
            "select nspname from pg_namespace where nspname !~ '^pg_|^information_schema$|^public$'"
        )
        return {name for (name,) in cursor.fetchall()}


def test_numbers_are_unique_and_start_at_one() -> None:
    versions = [migration.version for migration in migrations()]
    assert versions[0] == 1
    assert len(set(versions)) == len(versions)


def test_makes_the_rooms_once(empty: str) -> None:
    with closing(connect_url(empty)) as conn:
        assert migrate(conn)[0] == "0001_schemas"
        assert migrate(conn) == []
    assert schemas(empty) >= ROOMS


def test_two_at_once(empty: str) -> None:
    def one(_: int) -> list[str]:
        with closing(connect_url(empty)) as conn:
            return migrate(conn)

    with ThreadPoolExecutor(2) as both:
        applied = list(both.map(one, range(2)))
    assert sorted(map(len, applied)) == [0, len(migrations())]


def test_all_or_none(empty: str, monkeypatch: pytest.MonkeyPatch) -> None:
    known = [*migrations(), Migration(9999, "broken", "create table landing.half (); select 1 / 0")]
    monkeypatch.setattr(module, "migrations", lambda: known)
    with closing(connect_url(empty)) as conn, pytest.raises(psycopg2.errors.DivisionByZero):
        migrate(conn)
    assert schemas(empty) == set()


def test_a_newer_database_is_left_alone(empty: str) -> None:
    with closing(connect_url(empty)) as conn:
        migrate(conn)
    execute(empty, "insert into landing.schema_version (version, name) values (9999, 'future')")
    with (
        closing(connect_url(empty)) as conn,
        pytest.raises(WarehouseError, match="at version 9999, newer than"),
    ):
        migrate(conn)
