"""One database name for all cases of this folder: dbt's parsed project names the database, and is parsed once."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from tests.conftest import execute, url_of
from tests.e2e.house import House

NAME = "e2e"


def make_database(server_url: str, template: str) -> str:
    """The URL of this folder's database, made anew as a copy of another one."""
    execute(server_url, f"drop database if exists {NAME} with (force)")
    execute(server_url, f"create database {NAME} template {template}")
    return url_of(server_url, NAME)


@pytest.fixture
def database(server_url: str, _template: str) -> Iterator[str]:
    """The URL of a fresh, migrated database, always of the same name."""
    yield make_database(server_url, _template)
    execute(server_url, f"drop database {NAME} with (force)")


@pytest.fixture
def another_warehouse(
    warehouse: Settings, server_url: str, _template: str, tmp_path: Path
) -> Callable[[], Settings]:
    """Ends the warehouse of the test and gives an empty one in its place, with a landing folder of its own."""

    def make() -> Settings:
        make_database(server_url, _template)
        landing = tmp_path / "another landing"
        landing.mkdir()
        return warehouse.model_copy(update={"landing": str(landing)})

    return make


@pytest.fixture
def house(warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> House:
    """The warehouse of the test, to be told what arrives."""
    return House(warehouse, monkeypatch, tmp_path)
