"""What a member of bi_reader can and cannot do.

Does not belong here: whether a value in schema bi is personal (the end-to-end tests know the customers).
"""

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import psycopg2
import pytest
from psycopg2 import errors

from dagster_project.publish import roles
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import WarehouseError

CLOSED_SCHEMAS = [
    "landing",
    "raw",
    "staging",
    "settlement",
    "candidate",
    "audit",
    "published",
    "bi_private",
]


def login_url(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{user}:{password}@{parts.hostname}:{parts.port}").geturl()


@pytest.fixture
def member(room: Any) -> Iterator[str]:
    """The URL of a login that is a member of bi_reader and of nothing else, as a BI tool has it."""
    room.publish()
    user, password = f"tool_{secrets.token_hex(4)}", secrets.token_hex(8)
    room.execute(f"create role {user} login password '{password}' in role bi_reader")
    yield login_url(room.settings.database_url, user, password)
    room.execute(f"drop role {user}")


@pytest.fixture
def reader(member: str) -> Iterator[Any]:
    with closing(psycopg2.connect(member)) as conn:
        conn.autocommit = True
        with conn.cursor() as cur:
            yield cur


def test_reads_every_view_of_bi(room: Any, reader: Any) -> None:
    views = [name for (name,) in room.rows("select viewname::text from pg_views where schemaname = 'bi'")]
    assert {"dim_channel", "kpi_unit_month", "publication", "load_audit", "quarantine"} <= set(views)
    for view in views:
        reader.execute(f"select * from bi.{view}")
    reader.execute("select from bi.kpi_unit_month")
    assert reader.rowcount == 4


def test_reads_a_view_published_later(room: Any, reader: Any) -> None:
    room.execute("alter table candidate.kpi_unit_month drop rate")
    room.publish()
    reader.execute("select count(*) from bi.kpi_unit_month")
    assert reader.fetchone() == (4,)


def test_reads_nothing_else(room: Any, reader: Any) -> None:
    for schema in CLOSED_SCHEMAS:
        room.execute(f"create table {schema}.secret as select 'PN0500000001' as customer_code")
        room.execute(f"grant select on {schema}.secret to public")  # even where a table was left open
        with pytest.raises(errors.InsufficientPrivilege, match=f"schema {schema}"):
            reader.execute(f"select * from {schema}.secret")


def test_writes_and_makes_nothing(room: Any, reader: Any) -> None:
    for statement in (
        "update bi.dim_channel set name = 'x'",
        "delete from bi.dim_channel",
        "insert into bi.dim_channel values ('x', 'x')",
        "delete from bi.publication",
        "create table bi.mine (a int)",
        "create view bi.mine as select 1",
        "create table public.mine (a int)",
        "create temporary table mine (a int)",
        "create schema mine",
        "drop view bi.dim_channel",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(statement)
    assert room.rows("select channel_code from bi.dim_channel order by 1") == [("momo",), ("qr",)]


def test_sessions_of_the_role_itself_are_read_only_and_bounded(room: Any) -> None:
    room.publish()
    ((can_login, is_super, config),) = room.rows(
        "select rolcanlogin, rolsuper, rolconfig from pg_roles where rolname = 'bi_reader'"
    )
    assert (can_login, is_super) == (False, False)
    assert {
        "default_transaction_read_only=on",
        "statement_timeout=5min",
        "idle_in_transaction_session_timeout=5min",
    } <= set(config)


def test_too_wide_rights_are_taken_back(room: Any, reader: Any) -> None:
    room.execute("create table raw.bills (customer_code text)")
    room.execute(
        "grant usage, create on schema raw, bi to bi_reader; grant usage on schema candidate to public;"
        "grant all on raw.bills, bi.dim_channel to bi_reader; grant create on schema public to public;"
        "grant create on database " + reader.connection.info.dbname + " to bi_reader"
    )
    reader.execute("select from raw.bills")

    assert roles.grant(room.settings) == []

    for statement in (
        "select from raw.bills",
        "select from candidate.dim_channel",
        "delete from bi.dim_channel",
        "create view bi.mine as select 1",
        "create table public.mine (a int)",
        "create schema mine",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(statement)
    reader.execute("select from bi.dim_channel")
    assert reader.rowcount == 2


def test_granting_again_writes_nothing(room: Any) -> None:
    assert room.publish().warnings == []
    query = (
        "select (select max(c.xmin::text::bigint) from pg_class c"
        "        where c.relnamespace in ('bi'::regnamespace, 'raw'::regnamespace)),"
        " (select max(xmin::text::bigint) from pg_namespace),"
        " (select xmin::text from pg_database where datname = current_database()),"
        " (select xmin::text from pg_authid where rolname = 'bi_reader')"
    )
    before = room.rows(query)
    assert roles.grant(room.settings) == []
    assert room.rows(query) == before


@pytest.fixture
def humble(room: Any) -> Iterator[Settings]:
    """Settings of a pipeline user that owns the database's schemas but may not make roles."""
    user, password = f"pipeline_{secrets.token_hex(4)}", secrets.token_hex(8)
    database = room.conn.info.dbname
    room.execute(f"create role {user} login password '{password}'")
    room.execute(f"alter database {database} owner to {user}")
    for schema in (*CLOSED_SCHEMAS, "bi"):
        room.execute(f"alter schema {schema} owner to {user}")
    for (relation,) in room.rows(
        "select c.oid::regclass::text from pg_class c where c.relkind in ('r', 'v')"
        " and c.relnamespace = any (%s::regnamespace[])",
        [*CLOSED_SCHEMAS, "bi"],
    ):
        room.execute(f"alter table {relation} owner to {user}")
    url = login_url(room.settings.database_url, user, password)
    yield room.settings.model_copy(update={"database_url": url})
    room.execute(f"reassign owned by {user} to current_user; drop owned by {user}; drop role {user}")


def test_a_user_who_may_not_make_roles_is_told_what_to_do(
    room: Any, humble: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = f"reader_{secrets.token_hex(4)}"
    monkeypatch.setattr(roles, "BI_READER", missing)
    with pytest.raises(WarehouseError) as refused:
        roles.grant(humble)
    message = str(refused.value)
    assert f"CREATE ROLE {missing} NOLOGIN" in message
    assert "may not create roles" in message
    assert "\n" not in message


def test_a_publication_without_the_role_succeeds_with_a_warning(
    room: Any, humble: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = f"reader_{secrets.token_hex(4)}"
    monkeypatch.setattr(roles, "BI_READER", missing)
    with closing(psycopg2.connect(humble.database_url)) as conn, conn, conn.cursor() as cur:
        (warning,) = roles.grant_within(cur)
        assert f"CREATE ROLE {missing} NOLOGIN" in warning
        cur.execute("select 1")  # the transaction goes on
        assert cur.fetchone() == (1,)


def test_an_existing_role_is_granted_by_a_user_who_may_not_change_it(room: Any, humble: Settings) -> None:
    """The administrator made the role; the pipeline's user owns the views and can open them."""
    role = f"reader_{secrets.token_hex(4)}"
    room.execute(f"create role {role} nologin")
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(roles, "BI_READER", role)
            patch.setattr(roles, "_ROLE", psycopg2.sql.Identifier(role))
            warnings = roles.grant(humble)
        assert len(warnings) == len(roles.READER_SETTINGS)
        assert all(warning.startswith("Could not set ") for warning in warnings)
        assert room.rows(f"select has_table_privilege('{role}', 'bi.publication', 'select')") == [(True,)]
        assert room.rows(f"select has_schema_privilege('{role}', 'bi', 'usage')") == [(True,)]
    finally:
        room.execute(f"drop owned by {role}; drop role {role}")
