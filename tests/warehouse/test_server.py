"""The embedded server: made once, started by whoever comes first, and again after anything that kills it."""

import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg2
import pytest

from dagster_project.warehouse.server import EmbeddedServer, WarehouseError

START = """
import sys
from pathlib import Path
from dagster_project.warehouse.server import EmbeddedServer
print(EmbeddedServer(Path(sys.argv[1])).start())
"""


def answer(url: str, sql: str) -> str:
    with closing(psycopg2.connect(url)) as conn, conn.cursor() as cursor:
        cursor.execute(sql)
        row = cursor.fetchone()
        conn.commit()
    assert row is not None
    return str(row[0])


def postmaster(server: EmbeddedServer) -> int:
    return int((server.data / "postmaster.pid").read_text().split()[0])


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_is_a_utf8_database_with_c_collation_and_local_time(server: EmbeddedServer) -> None:
    url = server.start()
    assert answer(url, "show server_encoding") == "UTF8"
    assert (
        answer(
            url,
            "select datcollate || ' ' || datlocprovider::text from pg_database where datname = 'cashless'",
        )
        == "C c"
    )
    assert answer(url, "show timezone") == "Asia/Ho_Chi_Minh"
    assert answer(url, "show datestyle") == "ISO, DMY"
    assert answer(url, "show wal_level") == "minimal"


def test_is_closed_to_others(server: EmbeddedServer) -> None:
    url = server.start()
    password = server.folder / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    assert answer(url, "show listen_addresses") == "127.0.0.1"
    assert answer(url, "show unix_socket_directories") == ""
    wrong = url.replace(password.read_text().strip(), "wrong")
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        psycopg2.connect(wrong)


def test_the_server_does_not_run_as_root(server: EmbeddedServer) -> None:
    server.start()
    assert psutil.Process(postmaster(server)).uids().real != 0


def test_stops_and_starts_on_the_same_port_with_its_data(server: EmbeddedServer) -> None:
    url = server.start()
    answer(url, "create table kept as select 42 as figure; select 1")
    assert server.stop()
    assert not server.stop()
    assert server.url() is None
    assert server.start() == url
    assert answer(url, "select figure from kept") == "42"


def test_takes_another_port_if_somebody_has_its_own(server: EmbeddedServer) -> None:
    first = urlsplit(server.start()).port
    server.stop()
    with socket.create_server(("127.0.0.1", first or 0)):
        url = server.start()
        assert urlsplit(url).port != first
        assert answer(url, "select 1") == "1"
    server.stop()
    assert server.start() == url  # the new port is recorded


def test_three_starters_at_once_make_one_server(server: EmbeddedServer) -> None:
    starters = [
        subprocess.Popen([sys.executable, "-c", START, str(server.home)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    urls = {starter.communicate(timeout=60)[0].strip() for starter in starters}
    assert urls == {server.url()}
    assert [starter.returncode for starter in starters] == [0, 0, 0]


def test_goes_on_when_the_process_that_started_it_has_ended(server: EmbeddedServer) -> None:
    url = subprocess.run(
        [sys.executable, "-c", START, str(server.home)], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert answer(url, "select 1") == "1"


def test_survives_kill_9_with_a_session_in_the_middle_of_a_query(server: EmbeddedServer) -> None:
    url = server.start()
    answer(url, "create table kept as select 42 as figure; set synchronous_commit = on; select 1")
    busy = psycopg2.connect(url)
    session = busy.info.backend_pid

    def work() -> None:
        # Counts for minutes without ever looking whether its server still lives.
        with pytest.raises(psycopg2.OperationalError), busy.cursor() as cursor:
            cursor.execute(
                "set jit = off; select count(*) from generate_series(1, 1e6) a, generate_series(1, 1e5) b"
            )

    worker = threading.Thread(target=work)
    worker.start()
    time.sleep(0.5)
    os.kill(postmaster(server), signal.SIGKILL)
    while server.url() is not None:  # the kill is on its way: who asks now is still told that it runs
        time.sleep(0.01)
    with ThreadPoolExecutor(3) as starters:
        urls = set(starters.map(lambda home: EmbeddedServer(home).start(), [server.home] * 3))
    worker.join(timeout=60)
    assert not worker.is_alive()
    assert urls == {url}
    assert not is_alive(session)
    assert answer(url, "select figure from kept") == "42"


@pytest.mark.parametrize("kind", ["zombie", "stranger"])
def test_a_stale_pid_file_that_names_another_process_is_no_obstacle(
    server: EmbeddedServer, kind: str
) -> None:
    server.start()
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    other = subprocess.Popen(["sleep", "0" if kind == "zombie" else "60"])
    if kind == "zombie":
        while psutil.Process(other.pid).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
    try:
        pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
        assert server.url() is None
        assert answer(server.start(), "select 1") == "1"
    finally:
        other.kill()
        other.wait()


def test_what_an_interrupted_initdb_left_is_cleared(server: EmbeddedServer) -> None:
    (server.folder / "new.abc").mkdir(parents=True)
    (server.folder / "new.abc" / "PG_VERSION").write_text("18\n")
    (server.folder / "new.abc.password").write_text("secret\n")
    assert answer(server.start(), "select 1") == "1"
    assert not list(server.folder.glob("new.*"))


def test_takes_any_folder_of_binaries_but_no_old_ones(tmp_path: Path) -> None:
    fake = tmp_path / "bin"
    fake.mkdir()
    old = fake / "postgres"
    old.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 15.9'\n")
    old.chmod(0o755)
    with pytest.raises(WarehouseError, match=r"PostgreSQL\) 15\.9: PostgreSQL 16 or newer is needed"):
        EmbeddedServer(tmp_path / "home", fake).start()


def test_a_server_that_cannot_start_says_why(server: EmbeddedServer) -> None:
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("99\n")
    with pytest.raises(WarehouseError, match="database files are incompatible with server") as refused:
        server.start()
    assert "\n" not in str(refused.value)
