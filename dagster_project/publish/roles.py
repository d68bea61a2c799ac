"""The role that BI tools read with: schema bi and nothing else. No logins: those are the administrator's.

A person or a tool gets a login that is a member: `create role superset login password '…' in role bi_reader`.
A login does not inherit the settings below, only the rights; they guard a session of the role itself.
"""

from __future__ import annotations

from contextlib import closing

from psycopg2 import errors, sql
from psycopg2.extensions import cursor as Cursor

from dagster_project.settings import Settings
from dagster_project.warehouse.connection import WarehouseError, connect
from dagster_project.warehouse.migrate import migrate

BI_READER = "bi_reader"

# A forgotten query or transaction must not hold up a change of columns for ever (publish.py).
READER_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "5min",
    "idle_in_transaction_session_timeout": "5min",
}

_ROLE = sql.Identifier(BI_READER)


def grant(settings: Settings) -> list[str]:
    """Make the role and set its rights; what could not be done is said in the lines returned."""
    with closing(connect(settings, "cashless grant")) as conn:
        migrate(conn)  # the rights may be given before the first run
        with conn, conn.cursor() as cur:
            if not _ensure_role(cur):
                raise WarehouseError(_no_role(cur))
            return _set_rights(cur)


def grant_within(cur: Cursor) -> list[str]:
    """As `grant`, inside the caller's transaction; a server that allows no new role is a warning."""
    if not _ensure_role(cur):
        return [_no_role(cur)]
    return _set_rights(cur)


def _no_role(cur: Cursor) -> str:
    cur.execute("select current_user::text")
    row = cur.fetchone()
    assert row is not None
    return (
        f'The role {BI_READER} is missing and the database role "{row[0]}" may not create roles: have the '
        f"administrator run CREATE ROLE {BI_READER} NOLOGIN, then run `cashless db grant`."
    )


def _ensure_role(cur: Cursor) -> bool:
    cur.execute("select from pg_roles where rolname = %s", (BI_READER,))
    if cur.fetchone() is not None:
        return True
    cur.execute("savepoint create_role")
    try:
        cur.execute(sql.SQL("create role {} nologin").format(_ROLE))
    except errors.InsufficientPrivilege:
        cur.execute("rollback to savepoint create_role")
        return False
    except (errors.DuplicateObject, errors.UniqueViolation):  # roles are the server's: another database's run
        cur.execute("rollback to savepoint create_role")
    cur.execute("release savepoint create_role")
    return True


def _set_rights(cur: Cursor) -> list[str]:
    """Every statement only where it is needed, so that a routine publication writes nothing here."""
    warnings: list[str] = []
    for statement, purpose in (
        *_settings_statements(cur),
        *_database_statements(cur),
        *_schema_statements(cur),
        *_table_statements(cur),
    ):
        cur.execute("savepoint set_right")
        try:
            cur.execute(statement)
        except (errors.InsufficientPrivilege, errors.UndefinedObject) as error:
            cur.execute("rollback to savepoint set_right")
            warnings.append(f"Could not {purpose}: {error.diag.message_primary}.")
        cur.execute("release savepoint set_right")
    cur.execute(
        "select has_database_privilege(%s, current_database(), 'TEMPORARY'), rolsuper from pg_roles"
        " where rolname = %s",
        (BI_READER, BI_READER),
    )
    may_write_temporary, is_superuser = cur.fetchone() or (False, False)
    if is_superuser:
        warnings.append(f"{BI_READER} is a superuser: nothing limits it. ALTER ROLE {BI_READER} NOSUPERUSER.")
    elif may_write_temporary:
        warnings.append(
            f"{BI_READER} may make temporary tables: only the database's owner can revoke that from PUBLIC."
        )
    return warnings


_Statements = list[tuple[sql.Composed, str]]


def _settings_statements(cur: Cursor) -> _Statements:
    cur.execute("select coalesce(rolconfig, '{}') from pg_roles where rolname = %s", (BI_READER,))
    row = cur.fetchone()
    present = set(row[0] if row else ())
    return [
        (
            sql.SQL("alter role {} set {} = {}").format(_ROLE, sql.Identifier(name), sql.Literal(value)),
            f"set {name} of {BI_READER}",
        )
        for name, value in READER_SETTINGS.items()
        if f"{name}={value}" not in present
    ]


def _database_statements(cur: Cursor) -> _Statements:
    """Nothing of ours is for PUBLIC, and the reader makes nothing, not even a temporary table."""
    cur.execute(
        """
        select d.datname::text, a.privilege_type, a.grantee = 0
        from pg_database d cross join lateral aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) as a
        where d.datname = current_database() and pg_has_role(d.datdba, 'USAGE')
          and a.grantee in (0, %s::regrole) and a.privilege_type in ('CREATE', 'TEMPORARY')
        """,
        (BI_READER,),
    )
    return [
        (
            sql.SQL("revoke {} on database {} from {}").format(
                sql.SQL(privilege), sql.Identifier(database), sql.SQL("public") if is_public else _ROLE
            ),
            f"revoke {privilege} on the database",
        )
        for database, privilege, is_public in cur.fetchall()
    ]


def _schema_statements(cur: Cursor) -> _Statements:
    statements: _Statements = []
    cur.execute("select has_schema_privilege(%s, 'bi', 'USAGE')", (BI_READER,))
    if cur.fetchone() != (True,):
        statements.append(
            (sql.SQL("grant usage on schema bi to {}").format(_ROLE), "grant usage on schema bi")
        )
    # Schemas the pipeline owns. In `public`, which every database has, USAGE shows nothing of ours.
    cur.execute(
        """
        select n.nspname::text, a.privilege_type, a.grantee = 0
        from pg_namespace n cross join lateral aclexplode(n.nspacl) as a
        where pg_has_role(n.nspowner, 'USAGE') and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
          and a.grantee in (0, %s::regrole)
          and not (n.nspname in ('bi', 'public') and a.privilege_type = 'USAGE')
        """,
        (BI_READER,),
    )
    statements += [
        (
            sql.SQL("revoke {} on schema {} from {}").format(
                sql.SQL(privilege), sql.Identifier(schema), sql.SQL("public") if is_public else _ROLE
            ),
            f"revoke {privilege} on schema {schema}",
        )
        for schema, privilege, is_public in cur.fetchall()
    ]
    return statements


def _table_statements(cur: Cursor) -> _Statements:
    statements: _Statements = []
    cur.execute(
        """
        select n.nspname::text, c.relname::text, a.privilege_type
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        cross join lateral aclexplode(c.relacl) as a
        where a.grantee = %s::regrole and not (n.nspname = 'bi' and a.privilege_type = 'SELECT')
        """,
        (BI_READER,),
    )
    statements += [
        (
            sql.SQL("revoke {} on {} from {}").format(
                sql.SQL(privilege), sql.Identifier(schema, table), _ROLE
            ),
            f"revoke {privilege} on {schema}.{table}",
        )
        for schema, table, privilege in cur.fetchall()
    ]
    cur.execute(
        """
        select c.relname::text
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = 'bi' and c.relkind in ('r', 'v', 'm', 'p')
          and not has_table_privilege(%s, c.oid, 'SELECT')
        """,
        (BI_READER,),
    )
    statements += [
        (
            sql.SQL("grant select on {} to {}").format(sql.Identifier("bi", view), _ROLE),
            f"grant select on bi.{view}",
        )
        for (view,) in cur.fetchall()
    ]
    cur.execute(
        """
        select from pg_default_acl d
        join pg_namespace n on n.oid = d.defaclnamespace
        cross join lateral aclexplode(d.defaclacl) as a
        where n.nspname = 'bi' and d.defaclobjtype = 'r' and d.defaclrole = current_user::regrole
          and a.grantee = %s::regrole and a.privilege_type = 'SELECT'
        """,
        (BI_READER,),
    )
    if cur.fetchone() is None:
        statements.append(
            (
                sql.SQL("alter default privileges in schema bi grant select on tables to {}").format(_ROLE),
                "grant select on future views of schema bi",
            )
        )
    return statements
