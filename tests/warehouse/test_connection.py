"""The connection: the same session everywhere, one clear line for what is wrong, one run at a time."""

import subprocess
import sys
import time
from contextlib import closing

import pytest

from dagster_project.settings import Settings
from dagster_project.warehouse import connection
from dagster_project.warehouse.connection import (
    WarehouseError,
    connect,
    connect_url,
    run_lock,
    without_password,
)
from tests.conftest import execute, url_of

PASSWORD = "p4ss-w0rd-never-shown"

HOLDER = """
import sys, time
from dagster_project.warehouse.connection import connect_url, run_lock
conn = connect_url(sys.argv[1], "nightly load")
with run_lock(conn):
    print(conn.info.backend_pid, flush=True)
    conn.cursor().execute("select pg_sleep(600)")
"""


def refusal(url: str, settings: Settings) -> str:
    with pytest.raises(WarehouseError) as refused:
        connect(settings.model_copy(update={"database_url": url}))
    line = str(refused.value)
    assert PASSWORD not in line
    assert "\n" not in line
    return line


def test_session(warehouse: Settings) -> None:
    with closing(connect(warehouse, "some program")) as conn, conn.cursor() as cursor:
        cursor.execute(
            "select current_setting('timezone'), current_setting('datestyle'), "
            "current_setting('application_name')"
        )
        row = cursor.fetchone()
    assert row is not None
    assert row[:2] == ("Asia/Ho_Chi_Minh", "ISO, DMY")
    assert row[2].startswith("some program (process ")


def test_unreachable(warehouse: Settings) -> None:
    line = refusal(f"postgresql://someone:{PASSWORD}@127.0.0.1:1/warehouse", warehouse)
    assert line == (
        "Cannot connect to PostgreSQL at 127.0.0.1:1/warehouse: nothing answers there; "
        "start it, or correct CASHLESS_DATABASE_URL."
    )


def test_unknown_host(warehouse: Settings) -> None:
    line = refusal(f"postgresql://someone:{PASSWORD}@no-such-host.invalid/warehouse", warehouse)
    assert "no such host" in line


def test_wrong_password(server_url: str, warehouse: Settings) -> None:
    address, password = without_password(server_url)
    assert password is not None
    line = refusal(address.replace("cashless@", f"cashless:{PASSWORD}@"), warehouse)
    assert line.endswith("wrong user or password; correct CASHLESS_DATABASE_URL.")


def test_no_such_database(server_url: str, warehouse: Settings) -> None:
    assert 'database "nowhere" does not exist' in refusal(url_of(server_url, "nowhere"), warehouse)


@pytest.mark.parametrize(
    "url",
    [
        f"mysql://someone:{PASSWORD}@127.0.0.1/warehouse",
        f"postgresql://someone:{PASSWORD}@more@127.0.0.1/warehouse",
        f"postgresql://someone:{PASSWORD}/more@127.0.0.1/warehouse",
        f"postgresql://someone:{PASSWORD}#more@127.0.0.1/warehouse",
        f"postgresql://someone:{PASSWORD}[more@127.0.0.1/warehouse",
        f"postgresql://127.0.0.1:{PASSWORD}/warehouse",
    ],
)
def test_mistyped_url(url: str, warehouse: Settings) -> None:
    assert "the form" in refusal(url, warehouse)


def test_too_old(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "server_version", lambda conn: 15)
    with pytest.raises(WarehouseError, match=r"^PostgreSQL 15 at .* is too old: 16 or newer is needed\."):
        connect(warehouse)


def test_not_privileged(database: str, warehouse: Settings) -> None:
    execute(database, f"create role reader_only login password '{PASSWORD}'")
    address, _ = without_password(database)
    line = refusal(address.replace("cashless@", f"reader_only:{PASSWORD}@"), warehouse)
    execute(database, "drop role reader_only")
    assert "may not create schemas" in line
    assert 'grant create on database "test_' in line


def test_read_only(database: str, warehouse: Settings) -> None:
    execute(database, f"alter database {database.rsplit('/', 1)[1]} set default_transaction_read_only = on")
    assert "is read-only" in refusal(database, warehouse)


def test_not_utf8(server_url: str, warehouse: Settings) -> None:
    execute(server_url, "create database test_ascii template template0 encoding 'SQL_ASCII' locale 'C'")
    line = refusal(url_of(server_url, "test_ascii"), warehouse)
    execute(server_url, "drop database test_ascii")
    assert "is encoded in SQL_ASCII" in line


def test_the_lock_is_free_again_after_the_run(database: str) -> None:
    with closing(connect_url(database)) as one, closing(connect_url(database)) as other:
        with run_lock(one):
            pass
        with run_lock(other):
            pass


def test_the_lock_is_free_again_after_a_failed_run(database: str) -> None:
    def fail(conn: connection.Connection) -> None:
        with run_lock(conn), conn.cursor() as cursor:
            cursor.execute("select 1 / 0")

    with closing(connect_url(database)) as one, closing(connect_url(database)) as other:
        with pytest.raises(Exception, match="division by zero"):
            fail(one)
        with run_lock(other):
            pass


def test_the_lock_opens_no_transaction(database: str) -> None:
    with closing(connect_url(database)) as conn, run_lock(conn):
        assert conn.info.transaction_status == connection.TRANSACTION_STATUS_IDLE


def test_the_refused_run_is_told_who_holds_the_lock_and_a_dead_holder_loses_it(database: str) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, database], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    session = holder.stdout.readline().strip()
    with closing(connect_url(database)) as conn:
        with pytest.raises(WarehouseError) as refused, run_lock(conn):
            pytest.fail("two runs hold the lock")
        assert str(refused.value).startswith(
            f"Another run is writing to the warehouse: nightly load (process {holder.pid} on "
        )
        assert f"database session {session} from 127.0.0.1, since 20" in str(refused.value)
        # Killed in the middle of a statement that would go on for ten minutes.
        holder.kill()
        holder.wait()
        assert _wait_for_lock(conn, seconds=15)


def _wait_for_lock(conn: connection.Connection, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with run_lock(conn):
                return True
        except WarehouseError:
            time.sleep(0.2)
    return False
