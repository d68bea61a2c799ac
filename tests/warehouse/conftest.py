"""Servers of their own for the tests that kill, stop and move them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dagster_project.warehouse.server import EmbeddedServer


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    """A server of this test only, not yet made, in a folder that no shell would take unquoted."""
    server = EmbeddedServer(tmp_path / 'Điện lực "Ninh Bình" $HOME')
    yield server
    server.stop()
