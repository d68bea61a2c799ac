"""One database name for all cases of this folder: dbt's parsed project names the database, and is parsed once."""

from collections.abc import Iterator

import pytest

from tests.conftest import execute, url_of


@pytest.fixture
def database(server_url: str, _template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database, always of the same name."""
    execute(server_url, f"create database e2e template {_template}")
    yield url_of(server_url, "e2e")
    execute(server_url, "drop database e2e with (force)")
