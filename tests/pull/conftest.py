"""The fixture of this room: a real PostgreSQL database to pull from."""

import secrets
from collections.abc import Iterator

import pytest
from cmis_database import TABLE, Cmis

from dagster_project.settings import Settings
from tests.conftest import execute, url_of


@pytest.fixture
def cmis(warehouse: Settings, server_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cmis]:
    name = f"test_cmis_{secrets.token_hex(4)}"
    execute(server_url, f"create database {name}")
    url = url_of(server_url, name)
    monkeypatch.setenv("CMIS_URL", url)
    found = Cmis(warehouse, url)
    found.execute(TABLE)
    yield found
    execute(server_url, f"drop database {name} with (force)")
