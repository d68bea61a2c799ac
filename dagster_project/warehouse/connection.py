"""The one way to the database: which URL, a checked connection, and the lock that only one run holds.

Does not belong here: SQL of any other room, and how the embedded server works (server.py).
"""

import os
import re
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import psycopg2
from psycopg2.extensions import TRANSACTION_STATUS_IDLE
from psycopg2.extensions import connection as Connection

from dagster_project.settings import Settings
from dagster_project.warehouse.server import EmbeddedServer, WarehouseError

__all__ = [
    "Connection",
    "WarehouseError",
    "connect",
    "connect_url",
    "database_url",
    "refuse_if_locked",
    "run_lock",
    "without_password",
]

OLDEST_SERVER = 16
_RUN_LOCK = int.from_bytes(b"cashless", "big")

# The session is the same on every server: Vietnamese local time, day before month, and a backend that
# notices within seconds when its client is gone, so that a dead run does not keep the run lock.
_SESSION = """
set time zone 'Asia/Ho_Chi_Minh';
set datestyle to 'ISO, DMY';
set client_encoding to 'UTF8';
set client_connection_check_interval to '2s';
set tcp_keepalives_idle to 30;
set tcp_keepalives_interval to 10;
set tcp_keepalives_count to 3;
select current_setting('server_encoding'),
       pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean,
       has_database_privilege(current_database(), 'CREATE'),
       current_user::text,
       current_database()::text
"""


def database_url(settings: Settings) -> str:
    """The URL of the warehouse; starts the embedded server if there is no CASHLESS_DATABASE_URL."""
    if settings.database_url is None:
        return EmbeddedServer(settings.home).start()
    _check_url(settings.database_url)
    return settings.database_url


def connect(settings: Settings, application_name: str = "cashless") -> Connection:
    """A connection to the warehouse, autocommit off; WarehouseError if it cannot be used."""
    return connect_url(database_url(settings), application_name)


def connect_url(url: str, application_name: str = "cashless") -> Connection:
    """As `connect`, for a URL in hand."""
    where = _where(url)
    # Who it is, in the message of the run that is refused; PostgreSQL keeps 63 bytes.
    client = f"{application_name} (process {os.getpid()} on {socket.gethostname()[:20]})"
    timeout: dict[str, Any] = {} if "connect_timeout" in url else {"connect_timeout": 10}
    try:
        conn = psycopg2.connect(url, application_name=client[:63], **timeout)
    except psycopg2.Error as error:
        raise WarehouseError(_connection_fault(url, where, str(error))) from None
    try:
        _check_server(conn, where)
    except BaseException:
        conn.close()
        raise
    return conn


class RunUnderWay(WarehouseError):
    """Somebody else is writing. Nothing is wrong: the next run goes on from there."""


@contextmanager
def run_lock(conn: Connection) -> Iterator[None]:
    """Holds the one lock of everything that writes; refused: RunUnderWay that says who holds it."""
    with _no_transaction_left(conn), conn.cursor() as cursor:
        cursor.execute("select pg_try_advisory_lock(%s)", (_RUN_LOCK,))
        if cursor.fetchone() != (True,):
            raise RunUnderWay(_holder(conn))
    try:
        yield
    finally:
        if not conn.closed:
            conn.rollback()
            with _no_transaction_left(conn), conn.cursor() as cursor:
                cursor.execute("select pg_advisory_unlock(%s)", (_RUN_LOCK,))


def refuse_if_locked(url: str) -> None:
    """WarehouseError that says who is writing, if somebody is."""
    with closing(connect_url(url)) as conn, run_lock(conn):
        return


def server_version(conn: Connection) -> int:
    """The server's major version."""
    return conn.server_version // 10000


def _holder(conn: Connection) -> str:
    with conn.cursor() as cursor:
        cursor.execute(
            """
            select coalesce(nullif(a.application_name, ''), a.usename::text, 'an unknown program'),
                   l.pid,
                   coalesce(host(a.client_addr), 'this machine'),
                   to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS')
            from pg_locks l left join pg_stat_activity a on a.pid = l.pid
            where l.locktype = 'advisory' and l.granted and l.objsubid = 1
              and l.database = (select oid from pg_database where datname = current_database())
              and (l.classid::bigint << 32 | l.objid::bigint) = %s
            """,
            (_RUN_LOCK,),
        )
        holder = cursor.fetchone()
    if holder is None:  # it ended between the two queries
        return "Another run held the warehouse and has just ended: start this one again."
    name, pid, host, since = holder
    return (
        f"Another run is writing to the warehouse: {name}, database session {pid} from {host}, "
        f"since {since or 'an unknown time'}. Wait until it has ended."
    )


@contextmanager
def _no_transaction_left(conn: Connection) -> Iterator[None]:
    """Ends the transaction that a query opened, unless the caller was already in one."""
    was_idle = conn.info.transaction_status == TRANSACTION_STATUS_IDLE
    try:
        yield
    finally:
        if was_idle and not conn.closed:
            conn.rollback()


def _check_server(conn: Connection, where: str) -> None:
    version = server_version(conn)
    if version < OLDEST_SERVER:
        raise WarehouseError(
            f"PostgreSQL {version} at {where} is too old: {OLDEST_SERVER} or newer is needed. Set "
            "CASHLESS_DATABASE_URL to a newer server, or unset it to use the embedded one."
        )
    try:
        with conn.cursor() as cursor:
            cursor.execute(_SESSION)
            row = cursor.fetchone()
        conn.commit()
    except psycopg2.Error as error:
        raise WarehouseError(
            f"The server at {where} refused the session: {_first_line(str(error))}"
        ) from None
    assert row is not None
    encoding, read_only, may_create, user, database = row
    if encoding != "UTF8":
        raise WarehouseError(
            f"The database at {where} is encoded in {encoding}: make one with "
            "create database … encoding 'UTF8' template template0."
        )
    if read_only:
        raise WarehouseError(
            f"The database at {where} is read-only: set CASHLESS_DATABASE_URL to the primary."
        )
    if not may_create:
        raise WarehouseError(
            f'The role "{user}" may not create schemas in the database at {where}: '
            f'grant create on database "{database}" to "{user}".'
        )


def _check_url(url: str) -> None:
    # Nothing of the URL is repeated: in a mistyped one the password may be anywhere.
    form = "postgresql://user:password@host:5432/database"
    if not url.startswith(("postgresql://", "postgres://")):
        raise WarehouseError(f"CASHLESS_DATABASE_URL must have the form {form}.")
    authority = re.split(r"[/?#]", url.split("://", 1)[1], maxsplit=1)[0]
    try:
        parts = urlsplit(url)
        _ = parts.port
        broken = authority.count("@") > 1 or "@" in parts.path or " " in url
    except ValueError:
        broken = True
    if broken:
        raise WarehouseError(
            f"CASHLESS_DATABASE_URL cannot be read; the form is {form}, with special characters of the "
            "password percent-encoded (@ = %40, / = %2F, : = %3A, # = %23)."
        )


def _where(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.hostname or 'localhost'}:{parts.port or 5432}{parts.path}"


def _connection_fault(url: str, where: str, message: str) -> str:
    reason = _without_password(url, _first_line(message))
    text = message.lower()
    advice = "start it, or correct CASHLESS_DATABASE_URL"
    for sign, cause in (
        ("password authentication failed", "wrong user or password; correct CASHLESS_DATABASE_URL"),
        ("no password supplied", "it asks for a password; put one into CASHLESS_DATABASE_URL"),
        ("pg_hba.conf", "it does not admit this machine or user; its administrator allows it in pg_hba.conf"),
        ("could not translate host name", "no such host; correct CASHLESS_DATABASE_URL"),
        ("connection refused", f"nothing answers there; {advice}"),
        ("timeout expired", f"no answer in time; {advice}"),
        ("too many clients", "it has no free connection; try again later or raise its max_connections"),
        ("invalid", "CASHLESS_DATABASE_URL has an unknown or wrong part"),
    ):
        if sign in text:
            return f"Cannot connect to PostgreSQL at {where}: {cause}."
    return f"Cannot connect to PostgreSQL at {where}: {reason}"


def _first_line(message: str) -> str:
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    return lines[0] if lines else "no reason given"


def _without_password(url: str, text: str) -> str:
    password = urlsplit(url).password
    for form in {password, unquote(password or "")}:
        if form:
            text = text.replace(form, "***")
    return text


def without_password(url: str) -> tuple[str, str | None]:
    """The URL without its password, and the password: for programs that show their arguments to everyone."""
    parts = urlsplit(url)
    if parts.password is None:
        return url, None
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.split(':', 1)[0]}@{host}").geturl(), unquote(parts.password)
