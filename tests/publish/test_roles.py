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


def test_a_role_that_reads_everything_is_taken_away(room: Any, reader: Any) -> None:
    """Directly or by way of another role, and what the reader passed on with it."""
    between, friend = f"between_{secrets.token_hex(4)}", f"friend_{secrets.token_hex(4)}"
    room.execute("create table bi_private.secret as select 'PN0500000001' as customer_code")
    room.execute(
        f"create role {between}; create role {friend};"
        f"grant pg_read_all_data to {between}; grant {between} to bi_reader with admin option;"
        "grant pg_write_all_data to bi_reader;"
        f"set local role bi_reader; grant {between} to {friend}"
    )
    try:
        reader.execute("select from bi_private.secret")
        assert reader.rowcount == 1
        reader.execute("update bi_private.secret set customer_code = 'x'")

        assert roles.grant(room.settings) == []

        for statement in (
            "select from bi_private.secret",
            "update bi_private.secret set customer_code = 'y'",
        ):
            with pytest.raises(errors.InsufficientPrivilege, match="schema bi_private"):
                reader.execute(statement)
        assert room.rows(f"select pg_has_role('{friend}', '{between}', 'member')") == [(False,)]
        reader.execute("select from bi.publication")
        assert reader.rowcount == 1
    finally:
        room.execute(f"drop role {between}; drop role {friend}; revoke pg_write_all_data from bi_reader")


def test_a_publication_takes_a_membership_back_too(room: Any, reader: Any) -> None:
    room.execute("create table bi_private.secret as select 'PN0500000001' as customer_code")
    room.execute("grant pg_read_all_data to bi_reader")
    try:
        reader.execute("select from bi_private.secret")
        assert room.publish().warnings == []
        with pytest.raises(errors.InsufficientPrivilege, match="schema bi_private"):
            reader.execute("select from bi_private.secret")
    finally:
        room.execute("revoke pg_read_all_data from bi_reader")


def test_attributes_are_taken_back(room: Any, reader: Any) -> None:
    made = f"made_{secrets.token_hex(4)}"
    room.execute("alter role bi_reader superuser bypassrls createrole createdb replication")
    try:
        reader.execute("set role bi_reader")
        reader.execute("set default_transaction_read_only = off")
        reader.execute(f"create role {made}")
        reader.execute(f"drop role {made}")

        assert roles.grant(room.settings) == []

        for statement in (f"create role {made}", f"create database {made}", "select from raw.payments"):
            with pytest.raises(errors.InsufficientPrivilege):
                reader.execute(statement)
        query = (
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication"
            " from pg_roles where rolname = 'bi_reader'"
        )
        assert room.rows(query) == [(False,) * 5]
    finally:
        room.execute("alter role bi_reader nosuperuser nobypassrls nocreaterole nocreatedb noreplication")


def test_rights_on_single_columns_sequences_and_functions_are_taken_back(room: Any, reader: Any) -> None:
    room.execute(
        'create schema elsewhere; create sequence elsewhere.numbers; create table elsewhere.t (a int, "B" int);'
        "create function elsewhere.peek(a int, b text) returns int language sql as 'select a';"
        "create procedure elsewhere.poke() language sql as 'select 1';"
        "revoke execute on all routines in schema elsewhere from public;"
        "grant usage on schema elsewhere to bi_reader;"
        'grant select ("B"), update (a) on elsewhere.t to bi_reader;'
        "grant update (name) on bi.dim_channel to bi_reader;"
        "grant usage on sequence elsewhere.numbers to bi_reader;"
        "grant execute on all routines in schema elsewhere to bi_reader;"
        "grant execute on function pg_catalog.pg_read_file(text) to bi_reader;"
        "grant select on pg_catalog.pg_authid to bi_reader"
    )
    attempts = (
        'select "B" from elsewhere.t',
        "update elsewhere.t set a = 1",
        "update bi.dim_channel set name = 'x' where false",
        "select nextval('elsewhere.numbers')",
        "select elsewhere.peek(1, 'x')",
        "call elsewhere.poke()",
        "select pg_read_file('PG_VERSION')",
        "select rolpassword from pg_authid",
    )
    for statement in attempts:
        reader.execute(statement)

    assert roles.grant(room.settings) == []

    room.execute("grant usage on schema elsewhere to public")  # so that each right is seen to be gone itself
    for statement in attempts:
        with pytest.raises(errors.InsufficientPrivilege) as refused:
            reader.execute(statement)
        assert "schema" not in str(refused.value)


def test_rights_that_the_reader_passed_on_go_with_its_own(room: Any, reader: Any) -> None:
    room.execute("create table raw.bills (customer_code text)")
    room.execute(
        "grant usage on schema raw to bi_reader with grant option;"
        "grant select on raw.bills to bi_reader with grant option;"
        "set local role bi_reader; grant usage on schema raw to public; grant select on raw.bills to public"
    )
    reader.execute("select from raw.bills")
    assert roles.grant(room.settings) == []
    with pytest.raises(errors.InsufficientPrivilege, match="schema raw"):
        reader.execute("select from raw.bills")
    assert room.rows("select has_table_privilege('public', 'raw.bills', 'select')") == [(False,)]


def test_what_is_made_later_is_not_for_the_reader(room: Any, reader: Any) -> None:
    room.execute(
        "alter default privileges in schema raw grant select on tables to bi_reader;"
        "alter default privileges grant usage on schemas to bi_reader"
    )
    assert roles.grant(room.settings) == []
    room.execute("create table raw.later (a int); create schema later; create table later.later (a int)")
    room.execute("grant usage on schema raw to public; grant select on later.later to public")
    for statement in ("select from raw.later", "select from later.later"):
        with pytest.raises(errors.InsufficientPrivilege):
            reader.execute(statement)
    room.execute("create view bi.later as select 1 as a")
    reader.execute("select from bi.later")


def test_large_objects_are_not_written(room: Any, reader: Any) -> None:
    existing = 4242
    room.execute(f"select lo_from_bytea({existing}, 'x'); grant all on large object {existing} to public")
    for statement in (
        "select lo_create(0)",
        "select lo_creat(-1)",
        "select lo_from_bytea(0, 'x')",
        f"select lo_put({existing}, 0, 'y')",
        f"select lowrite(lo_open({existing}, 131072), 'y')",
        f"select lo_truncate(lo_open({existing}, 131072), 0)",
        f"select lo_unlink({existing})",
        "select lo_import('/etc/hostname')",
        f"select lo_export({existing}, '/tmp/x')",
    ):
        with pytest.raises(errors.InsufficientPrivilege, match="function"):
            reader.execute(statement)
    assert room.rows(f"select lo_get({existing})::text") == [("\\x78",)]


def test_what_no_statement_takes_back_is_a_warning(room: Any, reader: Any) -> None:
    giver = f"giver_{secrets.token_hex(4)}"
    room.execute("create table raw.bills (customer_code text); create table public.mine (a int)")
    room.execute(
        f"create role {giver}; grant usage on schema raw to {giver} with grant option;"
        f"grant select on raw.bills to {giver} with grant option; set local role {giver};"
        "grant usage on schema raw to bi_reader; grant select on raw.bills to bi_reader"
    )
    room.execute("select lo_create(4243); grant select on large object 4243 to bi_reader")
    room.execute(
        "alter table public.mine owner to bi_reader; grant set on parameter log_statement to bi_reader"
    )
    reader.execute("select from raw.bills")
    try:
        unmoved = "the server changed nothing, as another role owns or granted it."
        assert roles.grant(room.settings) == [
            f"Could not revoke USAGE on schema raw: {unmoved}",
            f"Could not revoke SELECT on raw.bills: {unmoved}",
            "bi_reader can enter what is not for readers: schema raw.",
            "bi_reader has rights on large object 4243: revoke them.",
            "bi_reader has rights on parameter log_statement: revoke them.",
            "bi_reader owns table mine, so its members may read and change it: give it another owner.",
        ]
    finally:
        room.execute("drop table public.mine; revoke set on parameter log_statement from bi_reader")
        room.execute(f"drop owned by {giver} cascade; drop role {giver}")
    assert roles.grant(room.settings) == ["bi_reader has rights on large object 4243: revoke them."]


def test_settings_of_a_login_are_the_administrators(room: Any, member: str) -> None:
    user = urlsplit(member).username
    room.execute(
        f"alter role {user} set default_transaction_read_only = on; alter role {user} set statement_timeout = '2min';"
        f"alter role {user} in database {room.conn.info.dbname} set statement_timeout = '1min'"
    )
    assert roles.grant(room.settings) == []
    assert room.publish().warnings == []
    with closing(psycopg2.connect(member)) as conn, conn.cursor() as cur:
        cur.execute("show statement_timeout")
        assert cur.fetchone() == ("1min",)
        cur.execute("select from bi.dim_channel")
        with pytest.raises(errors.ReadOnlySqlTransaction):
            cur.execute("create temporary table mine (a int)")


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


@pytest.fixture
def given_role(room: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A reader that the administrator made: the pipeline's user may not change it."""
    role = f"reader_{secrets.token_hex(4)}"
    room.execute(f"create role {role} nologin")
    monkeypatch.setattr(roles, "BI_READER", role)
    monkeypatch.setattr(roles, "_ROLE", psycopg2.sql.Identifier(role))
    yield role
    room.execute(f"drop owned by {role} cascade; drop role {role}")


def test_an_existing_role_is_granted_by_a_user_who_may_not_change_it(
    room: Any, humble: Settings, given_role: str
) -> None:
    """The administrator made the role; the pipeline's user owns the views and can open them."""
    warnings = roles.grant(humble)
    assert len(warnings) == len(roles.READER_SETTINGS)
    assert all(warning.startswith("Could not set ") for warning in warnings)
    assert room.rows(f"select has_table_privilege('{given_role}', 'bi.publication', 'select')") == [(True,)]
    assert room.rows(f"select has_schema_privilege('{given_role}', 'bi', 'usage')") == [(True,)]


def test_what_only_the_administrator_can_take_back_is_a_warning(
    room: Any, humble: Settings, given_role: str
) -> None:
    between = f"between_{secrets.token_hex(4)}"
    room.execute("create schema foreign_room; create table foreign_room.t (a int)")
    room.execute(
        f"create role {between}; grant pg_read_all_data to {between}; grant {between} to {given_role};"
        f"alter role {given_role} createdb bypassrls;"
        f"grant usage on schema foreign_room to {given_role}; grant select (a) on foreign_room.t to {given_role};"
        f"grant execute on function pg_catalog.pg_read_file(text) to {given_role}"
    )
    try:
        warnings = [line for line in roles.grant(humble) if not line.startswith("Could not set ")]
    finally:
        room.execute(f"drop role {between}")
    assert [line.split(": ")[0] for line in warnings] == [
        f"Could not take the attribute BYPASSRLS from {given_role}",
        f"Could not take the attribute CREATEDB from {given_role}",
        f"Could not take {given_role} out of role {between}, by which it is also in pg_read_all_data",
        "Could not revoke USAGE on schema foreign_room",
        "Could not revoke SELECT on column foreign_room.t.a",
        "Could not revoke EXECUTE on pg_read_file(text)",
        f"{given_role} can enter what is not for readers",
    ]
    assert not any("large object" in line for line in warnings)
