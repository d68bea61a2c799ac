"""What a measurement counts: the work of both sides, and none of what happened before."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from benchmarks.measure import Stages, measure
from dagster_project.warehouse.connection import connect_url
from dagster_project.warehouse.server import EmbeddedServer

BURN_SQL = "select sum(sqrt(i)) from generate_series(1, 3000000) as i"
BURN_PYTHON = "import time\nlist(range(3000000))\nwhile time.process_time() < 0.6: pass"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(tmp_path / "home")
    server.start()
    yield server
    server.stop()


def _query(url: str) -> None:
    with closing(connect_url(url)) as conn, conn.cursor() as cursor:
        cursor.execute(BURN_SQL)


def test_client_and_server_are_told_apart(server: EmbeddedServer) -> None:
    url = server.start()
    _query(url)  # before the measurement: counts for neither

    def client(_stages: Stages) -> None:
        subprocess.run([sys.executable, "-c", BURN_PYTHON], check=True)

    of_server = measure(lambda _stages: _query(url), server, url)
    assert of_server.server_cpu_s > 0.1
    assert of_server.client_cpu_s < 0.1

    of_client = measure(client, server, url)
    assert of_client.client_cpu_s > 0.5
    assert of_client.server_cpu_s < 0.1
    assert of_client.client_peak_mb > 5
    assert of_client.wall_s >= 0.5
    assert of_client.database_mb > 1

    nothing = measure(lambda _stages: None, server, url)
    assert nothing.cpu_s < 0.1


def test_stages_add_up_to_the_whole(server: EmbeddedServer) -> None:
    url = server.start()

    def work(stages: Stages) -> None:
        stages.begin("python")
        with subprocess.Popen([sys.executable, "-c", BURN_PYTHON]) as running:
            stages.begin("python")  # goes on
            running.wait()
            stages.begin("sql")
        _query(url)

    measured = measure(work, server, url)
    assert list(measured.stages) == ["python", "sql"]
    assert measured.stages["python"].client_cpu_s > 0.5
    assert measured.stages["python"].server_cpu_s < 0.1
    assert measured.stages["sql"].client_cpu_s < 0.1
    assert measured.stages["sql"].server_cpu_s > 0.1
    assert sum(stage.wall_s for stage in measured.stages.values()) == pytest.approx(measured.wall_s, abs=0.05)
