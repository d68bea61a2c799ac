"""What every room's tests share: one embedded server per session, one fresh migrated database per test.

Does not belong here: fixtures of one room (they live beside its tests).
"""

import secrets
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from pydantic import SecretStr

from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect_url
from dagster_project.warehouse.migrate import migrate
from dagster_project.warehouse.server import EmbeddedServer

TEMPLATE = "test_template"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own CASHLESS_* variables must not decide what a test sees."""
    for name in Settings.model_fields:
        monkeypatch.delenv(f"CASHLESS_{name.upper()}", raising=False)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of an embedded server that lives as long as the test session."""
    server = EmbeddedServer(tmp_path_factory.mktemp("server"))
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def _template(server_url: str) -> str:
    """A migrated database that the others are copied from: a copy takes a tenth of the migrations."""
    execute(server_url, f"create database {TEMPLATE} template template0 encoding 'UTF8' locale 'C'")
    with closing(connect_url(url_of(server_url, TEMPLATE))) as conn:
        migrate(conn)
    return TEMPLATE


@pytest.fixture
def database(server_url: str, _template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database."""
    name = f"test_{secrets.token_hex(6)}"
    execute(server_url, f"create database {name} template {_template}")
    yield url_of(server_url, name)
    execute(server_url, f"drop database {name} with (force)")


@pytest.fixture
def warehouse(database: str, tmp_path: Path) -> Settings:
    """Settings that point at a fresh, migrated database, with a home and a landing folder of their own."""
    home = tmp_path / "home"
    home.mkdir()
    landing = tmp_path / "landing"
    landing.mkdir()
    return Settings(
        home=home,
        database_url=database,
        landing=str(landing),
        settle_seconds=0,  # what a test has written is whole
        today=date(2026, 1, 15),
        customer_key_secret=SecretStr("a fixed secret for tests only"),
    )


def url_of(server_url: str, database: str) -> str:
    """The same server, another database."""
    return urlsplit(server_url)._replace(path=f"/{database}").geturl()


def execute(url: str, sql: str) -> None:
    """One statement outside any transaction."""
    with closing(psycopg2.connect(url)) as conn:
        conn.autocommit = True
        with conn.cursor() as cursor:
            cursor.execute(sql)
