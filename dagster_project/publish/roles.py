"""The role that BI tools read with: schema bi and nothing else. No logins: those are the administrator's.

A person or a tool gets a login that is a member: `create role superset login password '…' in role bi_reader`.
A login does not inherit the settings below, only the rights; they guard a session of the role itself. The
administrator may set the same, or others, for each login: nothing here reads or changes a login.

What the role was given beyond schema bi is taken back: memberships, attributes, rights on schemas, relations,
columns, functions and the defaults of future ones. What the database's user may not take back, and what has
no safe way back (things that the role owns; rights on types, servers, large objects …), is a warning line.

Large objects belong to no schema and every role may make them. Where the database's user may (the embedded
server; a superuser elsewhere), PUBLIC loses the functions that write them, in this database only. Elsewhere
a reader can still store large objects that are its own; it reads nothing of ours by that, so it is no warning.
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

# What the pipeline makes and the reader never sees.
CLOSED_SCHEMAS = (
    "landing",
    "raw",
    "reference",
    "staging",
    "touched",
    "settlement",
    "outreach",
    "candidate",
    "audit",
    "published",
    "bi_private",
)

_ROLE = sql.Identifier(BI_READER)

_ATTRIBUTES = ("SUPERUSER", "BYPASSRLS", "CREATEROLE", "CREATEDB", "REPLICATION")

_LARGE_OBJECT_WRITERS = [
    "lo_creat",
    "lo_create",
    "lo_from_bytea",
    "lo_put",
    "lowrite",
    "lo_truncate",
    "lo_truncate64",
    "lo_unlink",
    "lo_import",
    "lo_export",
]

# As in `alter default privileges … on <this>`, by pg_default_acl.defaclobjtype.
_DEFAULT_KINDS = {"r": "tables", "S": "sequences", "f": "routines", "T": "types", "n": "schemas"}


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
    refusals: dict[str, str | None] = {}
    needed = _statements(cur)
    for statement in needed:
        cur.execute("savepoint set_right")
        try:
            cur.execute(statement)
        except (
            errors.InsufficientPrivilege,
            errors.UndefinedObject,
            errors.InvalidGrantOperation,
            errors.FeatureNotSupported,  # the server's first superuser stays one
        ) as error:
            cur.execute("rollback to savepoint set_right")
            refusals[statement] = error.diag.message_primary
        cur.execute("release savepoint set_right")
    # Asked anew: PostgreSQL says nothing when a revoke leaves what a role other than the owner granted.
    left = _statements(cur) if needed else {}
    unmoved = "the server changed nothing, as another role owns or granted it"
    warnings = [
        f"Could not {purpose}: {refusals.get(statement) or unmoved}." for statement, purpose in left.items()
    ]
    return warnings + _remaining_rights(cur)


def _remaining_rights(cur: Cursor) -> list[str]:
    """What no statement of ours takes back."""
    cur.execute(
        "select has_database_privilege(%s, current_database(), 'TEMPORARY'), rolsuper from pg_roles"
        " where rolname = %s",
        (BI_READER, BI_READER),
    )
    may_write_temporary, is_superuser = cur.fetchone() or (False, False)
    if is_superuser:
        return [f"{BI_READER} is a superuser: nothing limits it. ALTER ROLE {BI_READER} NOSUPERUSER."]
    warnings = []
    if may_write_temporary:
        warnings.append(
            f"{BI_READER} may make temporary tables: only the database's owner can revoke that from PUBLIC."
        )
    cur.execute(
        """
        select nspname::text from pg_namespace
        where nspname = any (%s) and has_schema_privilege(%s, oid, 'USAGE') order by 1
        """,
        (list(CLOSED_SCHEMAS), BI_READER),
    )
    open_schemas = [schema for (schema,) in cur.fetchall()]
    if open_schemas:
        warnings.append(f"{BI_READER} can enter what is not for readers: schema {', '.join(open_schemas)}.")
    cur.execute(
        """
        select d.deptype = 'o', pg_describe_object(d.classid, d.objid, d.objsubid)
        from pg_shdepend d
        where d.refclassid = 'pg_authid'::regclass and d.refobjid = %s::regrole
          and d.dbid in (0, (select oid from pg_database where datname = current_database()))
          and (d.deptype = 'o' or d.deptype = 'a' and d.classid not in (
            'pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_database'::regclass,
            'pg_default_acl'::regclass, 'pg_auth_members'::regclass))
        order by 1, 2
        """,
        (BI_READER,),
    )
    warnings += [
        f"{BI_READER} owns {thing}, so its members may read and change it: give it another owner."
        if is_owner
        else f"{BI_READER} has rights on {thing}: revoke them."
        for is_owner, thing in cur.fetchall()
    ]
    return warnings


def _statements(cur: Cursor) -> dict[str, str]:
    """What is to be changed, and in words."""
    return {
        statement.as_string(cur): purpose
        for statement, purpose in (
            *_attribute_statements(cur),
            *_membership_statements(cur),
            *_settings_statements(cur),
            *_database_statements(cur),
            *_schema_statements(cur),
            *_table_statements(cur),
            *_column_statements(cur),
            *_function_statements(cur),
            *_default_statements(cur),
        )
    }


_Statements = list[tuple[sql.Composed, str]]


def _attribute_statements(cur: Cursor) -> _Statements:
    cur.execute(
        "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles"
        " where rolname = %s",
        (BI_READER,),
    )
    return [
        (
            sql.SQL("alter role {} {}").format(_ROLE, sql.SQL(f"no{attribute.lower()}")),
            f"take the attribute {attribute} from {BI_READER}",
        )
        for attribute, is_set in zip(_ATTRIBUTES, cur.fetchone() or (), strict=True)
        if is_set
    ]


def _membership_statements(cur: Cursor) -> _Statements:
    """Out of every role that it is in; what lies behind those roles goes with them."""
    cur.execute(
        """
        with recursive behind (direct, roleid) as (
            select roleid, roleid from pg_auth_members where member = %(reader)s::regrole
            union
            select b.direct, m.roleid from behind b join pg_auth_members m on m.member = b.roleid
        )
        select r.rolname::text, g.rolname::text, array(
            select x.rolname::text from behind b join pg_roles x on x.oid = b.roleid
            where b.direct = m.roleid and b.roleid <> m.roleid order by 1)
        from pg_auth_members m join pg_roles r on r.oid = m.roleid join pg_roles g on g.oid = m.grantor
        where m.member = %(reader)s::regrole
        """,
        {"reader": BI_READER},
    )
    return [
        (
            # Cascade, here and below: also what it passed on, which is nobody's who was meant to have it.
            sql.SQL("revoke {} from {} granted by {} cascade").format(
                sql.Identifier(role), _ROLE, sql.Identifier(grantor)
            ),
            f"take {BI_READER} out of role {role}"
            + (f", by which it is also in {', '.join(further)}" if further else ""),
        )
        for role, grantor, further in cur.fetchall()
    ]


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
        where d.datname = current_database()
          and (a.grantee = %s::regrole or a.grantee = 0 and pg_has_role(d.datdba, 'USAGE'))
          and a.privilege_type in ('CREATE', 'TEMPORARY')
        """,
        (BI_READER,),
    )
    return [
        (
            sql.SQL("revoke {} on database {} from {} cascade").format(
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
    # From PUBLIC only on schemas the pipeline owns. In `public`, which every database has, USAGE shows nothing
    # of ours.
    cur.execute(
        """
        select n.nspname::text, a.privilege_type, a.grantee = 0
        from pg_namespace n cross join lateral aclexplode(n.nspacl) as a
        where (a.grantee = %s::regrole or a.grantee = 0 and pg_has_role(n.nspowner, 'USAGE')
               and n.nspname !~ '^pg_' and n.nspname <> 'information_schema')
          and not (n.nspname in ('bi', 'public') and a.privilege_type = 'USAGE')
        """,
        (BI_READER,),
    )
    statements += [
        (
            sql.SQL("revoke {} on schema {} from {} cascade").format(
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
            sql.SQL("revoke {} on {} from {} cascade").format(
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
    return statements


def _column_statements(cur: Cursor) -> _Statements:
    cur.execute(
        """
        select n.nspname::text, c.relname::text, t.attname::text, a.privilege_type
        from pg_attribute t
        join pg_class c on c.oid = t.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        cross join lateral aclexplode(t.attacl) as a
        where a.grantee = %s::regrole and not t.attisdropped
          and not (n.nspname = 'bi' and a.privilege_type = 'SELECT')
        """,
        (BI_READER,),
    )
    return [
        (
            sql.SQL("revoke {} ({}) on {} from {} cascade").format(
                sql.SQL(privilege), sql.Identifier(column), sql.Identifier(schema, table), _ROLE
            ),
            f"revoke {privilege} on column {schema}.{table}.{column}",
        )
        for schema, table, column, privilege in cur.fetchall()
    ]


def _function_statements(cur: Cursor) -> _Statements:
    cur.execute(
        """
        select p.oid::regprocedure::text
        from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        cross join lateral aclexplode(p.proacl) as a
        where a.grantee = %s::regrole and n.nspname <> 'bi'
        """,
        (BI_READER,),
    )
    statements: _Statements = [
        (
            sql.SQL("revoke execute on routine {} from {} cascade").format(sql.SQL(signature), _ROLE),
            f"revoke EXECUTE on {signature}",
        )
        for (signature,) in cur.fetchall()
    ]
    cur.execute(
        """
        select string_agg(p.oid::regprocedure::text, ', ' order by p.oid)
        from pg_proc p
        where p.pronamespace = 'pg_catalog'::regnamespace and p.proname = any (%s)
          and pg_has_role(p.proowner, 'USAGE') and has_function_privilege('public', p.oid, 'EXECUTE')
        """,
        (_LARGE_OBJECT_WRITERS,),
    )
    (writers,) = cur.fetchone() or (None,)
    if writers is not None:
        statements.append(
            (
                sql.SQL("revoke execute on function {} from public").format(sql.SQL(writers)),
                "revoke the functions that write large objects from PUBLIC",
            )
        )
    return statements


def _default_statements(cur: Cursor) -> _Statements:
    """Rights on what is yet to be made: on our views of bi, and on nothing else."""
    statements: _Statements = []
    cur.execute(
        """
        select d.defaclrole::regrole::text, n.nspname::text, d.defaclobjtype::text, a.privilege_type
        from pg_default_acl d
        left join pg_namespace n on n.oid = d.defaclnamespace
        cross join lateral aclexplode(d.defaclacl) as a
        where a.grantee = %s::regrole and d.defaclrole <> a.grantee and d.defaclobjtype = any (%s)
          and not (n.nspname is not distinct from 'bi' and d.defaclobjtype = 'r'
                   and a.privilege_type = 'SELECT')
        """,
        (BI_READER, list(_DEFAULT_KINDS)),
    )
    for maker, schema, kind, privilege in cur.fetchall():
        where = sql.SQL("") if schema is None else sql.SQL(" in schema {}").format(sql.Identifier(schema))
        statements.append(
            (
                sql.SQL("alter default privileges for role {}{} revoke {} on {} from {} cascade").format(
                    sql.SQL(maker), where, sql.SQL(privilege), sql.SQL(_DEFAULT_KINDS[kind]), _ROLE
                ),
                f"revoke {privilege} on future {_DEFAULT_KINDS[kind]} of {maker}"
                + ("" if schema is None else f" in schema {schema}"),
            )
        )
    cur.execute(
        """
        select from pg_default_acl d
        join pg_namespace n on n.oid = d.defaclnamespace
        cross join lateral aclexplode(d.defaclacl) as a
        where n.nspname = 'bi' and d.defaclobjtype = 'r' and d.defaclrole = to_regrole(quote_ident(current_user))
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
