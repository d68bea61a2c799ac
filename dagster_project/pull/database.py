"""Asks a database: the URL, a session that only reads, rows as they come, errors without values. No file is written.

Any database that SQLAlchemy has a dialect for; the queries are the operator's.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import unquote

import sqlalchemy as sa
from sqlalchemy import exc

from dagster_project.pull.declared import Mark, Pull, PullError

_ROWS = 5000
# What a session needs so that a moment without an offset is local, asked for and given.
_LOCAL_TIME = {
    "postgresql": "set time zone 'Asia/Ho_Chi_Minh'",
    "oracle": "alter session set time_zone = 'Asia/Ho_Chi_Minh'",
    "mysql": "set time_zone = '+07:00'",
    "mariadb": "set time_zone = '+07:00'",
}
_EXTRAS = {"oracledb": "oracle", "cx_Oracle": "oracle"}


class Result(NamedTuple):
    """The answer to a query: its columns, and its rows as they come."""

    columns: tuple[str, ...]
    rows: Iterator[Sequence[Any]]


@contextmanager
def ask(pull: Pull, since: Mark, until: Mark | None) -> Iterator[Result]:
    """Runs the pull's query, streamed, in a transaction that is given up; PullError if that fails, then or later."""
    statement = _statement(pull)
    engine, secrets = _engine(pull)
    binds = {"since": since, "until": until}
    try:
        with engine.connect() as connection:
            if engine.dialect.name in _LOCAL_TIME:
                connection.exec_driver_sql(_LOCAL_TIME[engine.dialect.name])
                connection.commit()
            if engine.dialect.name == "postgresql":
                connection = connection.execution_options(postgresql_readonly=True)  # noqa: PLW2901
            result = connection.execution_options(stream_results=True, yield_per=_ROWS).execute(
                statement, {name: binds[name] for name in _binds(statement)}
            )
            yield Result(tuple(result.keys()), iter(result))
    except exc.SQLAlchemyError as error:
        raise PullError(f"{pull.name}: {_why(error, engine.dialect.name, secrets)}") from None
    except (ValueError, OverflowError) as error:  # of the driver: a date that no calendar has, and the like
        raise PullError(
            f"{pull.name}: a value of the result cannot be read ({type(error).__name__}): cast it in the query"
        ) from None
    finally:
        engine.dispose()


def _statement(pull: Pull) -> sa.TextClause:
    statement = sa.text(pull.query)
    binds = _binds(statement)
    if "since" not in binds or binds - {"since", "until"}:
        raise PullError(
            f"{pull.name}: its query must have the bind :since, may have :until, and no other (a colon that is no "
            r"bind is written \:)"
        )
    if "until" in binds and pull.high_water.kind == "integer":
        raise PullError(f"{pull.name}: :until has no meaning where the mark is an integer")
    return statement


def _binds(statement: sa.TextClause) -> set[str]:
    return set(statement.compile().params)


def _engine(pull: Pull) -> tuple[sa.Engine, list[str]]:
    """The engine, and what of its URL must not be said."""
    text = os.environ.get(pull.url_variable)
    if not text:
        raise PullError(f"{pull.name}: the environment variable {pull.url_variable} is not set")
    try:
        url = sa.make_url(text)
        if url.drivername == "oracle":  # SQLAlchemy's own default is a driver that is no more
            url = url.set(drivername="oracle+oracledb")
        engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=_waits(url), hide_parameters=True)
    except exc.NoSuchModuleError:
        raise PullError(
            f"{pull.name}: {pull.url_variable} names a database that has no dialect here"
        ) from None
    except ImportError as error:
        extra = _EXTRAS.get(error.name or "")
        how = (
            f"needs the extra {extra}: .venv/bin/pip install -e '.[{extra}]'"
            if extra
            else "is to be installed"
        )
        raise PullError(f"{pull.name}: the driver {error.name} of {pull.url_variable} {how}") from None
    except (exc.ArgumentError, ValueError):
        raise PullError(
            f"{pull.name}: {pull.url_variable} is no URL of SQLAlchemy (the form: "
            "dialect://user:password@host:port/database, special characters percent-encoded)"
        ) from None
    password = str(url.password) if url.password else ""
    return engine, sorted({text, password, unquote(password)} - {""}, key=len, reverse=True)


def _waits(url: sa.URL) -> dict[str, Any]:
    """A server that does not answer must not hold the run for minutes."""
    if url.get_driver_name() in ("psycopg2", "psycopg") and "connect_timeout" not in url.query:
        return {"connect_timeout": 20, "application_name": "cashless pull"}
    if url.get_driver_name() == "oracledb":
        return {"tcp_connect_timeout": 20}
    return {}


def _why(error: exc.SQLAlchemyError, dialect: str, secrets: Sequence[str]) -> str:
    """The kind of the error and the database's own first line, unless that may hold a value of a row."""
    orig = getattr(error, "orig", None)
    code = str(getattr(orig, "pgcode", None) or "")
    said = f"the database failed ({type(orig or error).__name__}" + (f", SQLSTATE {code})" if code else ")")
    lines = str(orig).strip().splitlines() if orig is not None else []
    # P0: what functions of the database's owner say.
    if not lines or isinstance(error, exc.DataError | exc.IntegrityError) or code.startswith("P0"):
        return said
    line = lines[0].strip()
    if dialect != "postgresql":
        # Others quote values in errors of any kind.
        line = re.sub(r"'[^']*'?|\"[^\"]*\"?", "…", line)
    for secret in secrets:
        line = line.replace(secret, "***")
    return f"{said}: {line}"
