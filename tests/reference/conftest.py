"""An overlay folder in hand. One database for the room, emptied for each test: there are many small ones."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from overlay_folder import OverlayFolder

from dagster_project.contracts.reference_tables import overlay_table, reference_contracts
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.conftest import execute, url_of

NAME = "reference_room"


@pytest.fixture(scope="session")
def room_url(server_url: str, _template: str) -> Iterator[str]:
    execute(server_url, f"create database {NAME} template {_template}")
    yield url_of(server_url, NAME)
    execute(server_url, f"drop database {NAME} with (force)")


@pytest.fixture
def overlay(room_url: str, tmp_path: Path) -> Iterator[OverlayFolder]:
    settings = Settings(home=tmp_path / "home", database_url=room_url)
    tables = ", ".join(f"reference.{overlay_table(name)}" for name in reference_contracts())
    with closing(connect(settings)) as conn:
        with conn, conn.cursor() as cursor:
            cursor.execute(f"truncate {tables}, landing.file cascade")
            cursor.execute(
                "update reference.overlay set files_fingerprint = '', content_fingerprint = '', notes = '{}'"
            )
        yield OverlayFolder(settings, conn)
