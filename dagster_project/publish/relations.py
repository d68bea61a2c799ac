"""What the catalog says of a table, and the small DDL of publishing: same columns, comments, views.

Does not belong here: rows, and when to publish.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2 import errors, sql
from psycopg2.extensions import cursor as Cursor


@dataclass(frozen=True)
class Rebuilt:
    """Which published rows give way to those of a build that does not make everything anew.

    `keys`: a table of schema touched; `match`: its columns and the published table's.
    """

    keys: str
    match: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class PublishedTable:
    """A table that is published, and how.

    `key`: the columns that identify a row, none of them empty. `month_column`: the date column (a first day)
    that tells which months a change touches. `with_status`: the view of schema bi adds `status` and
    `data_through`. `rebuilt`: a build may make only some rows anew; None: it always makes all. `indexes`:
    columns that are looked up besides the key. `history`: columns of which published.<name>_history, and the
    view of that name, keep what every publication changes. `revised`: figures of which every change is told
    once their month is final (bi.kpi_revision). `is_private`: seen in bi_private, not in bi.
    """

    name: str
    key: tuple[str, ...]
    month_column: str | None = None
    with_status: bool = False
    rebuilt: Rebuilt | None = None
    indexes: tuple[str, ...] = ()
    history: tuple[str, ...] = ()
    revised: tuple[str, ...] = ()
    is_private: bool = False

    def __post_init__(self) -> None:
        if not self.key:
            raise ValueError(f"published table {self.name} needs a key")
        if self.with_status and self.month_column is None:
            raise ValueError(f"published table {self.name} has a status and therefore needs a month_column")

    @property
    def schema(self) -> str:
        """Where the rows to publish stand."""
        return "candidate" if self.rebuilt is None else "delta"

    @property
    def view_schema(self) -> str:
        """Where people see it."""
        return "bi_private" if self.is_private else "bi"

    @property
    def sources(self) -> list[tuple[str, str]]:
        """All relations that decide what is published, as (schema, name)."""
        keys = [] if self.rebuilt is None else [("touched", self.rebuilt.keys)]
        return [(self.schema, self.name), *keys]


@dataclass(frozen=True)
class Column:
    name: str
    type: str
    collation: str
    is_required: bool


_STATUS_COMMENTS = {
    "status": "Trạng thái / final (data_through is more than final_after_days after the month's last day)"
    " or provisional.",
    "data_through": "Số liệu đến ngày / Local date of the latest payment in the newest publication.",
}


def relation_exists(cur: Cursor, schema: str, name: str) -> bool:
    cur.execute(
        "select from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = %s and c.relname = %s",
        (schema, name),
    )
    return cur.fetchone() is not None


def columns(cur: Cursor, schema: str, table: str) -> list[Column]:
    cur.execute(
        """
        select a.attname, format_type(a.atttypid, a.atttypmod), a.attcollation::text, a.attnotnull
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid
        join pg_namespace n on n.oid = c.relnamespace
        where n.nspname = %s and c.relname = %s and a.attnum > 0 and not a.attisdropped
        order by a.attnum
        """,
        (schema, table),
    )
    return [Column(*row) for row in cur.fetchall()]


def has_structure_of(cur: Cursor, schema: str, name: str, table: PublishedTable, like: list[Column]) -> bool:
    """Whether schema.name has exactly these columns, and the table's key as its primary key."""
    cur.execute(
        """
        select array_agg(a.attname::text order by k.position)
        from pg_index i
        join pg_class c on c.oid = i.indrelid
        join pg_namespace n on n.oid = c.relnamespace
        cross join lateral unnest(i.indkey::smallint[]) with ordinality as k (attnum, position)
        join pg_attribute a on a.attrelid = c.oid and a.attnum = k.attnum
        where n.nspname = %s and c.relname = %s and i.indisprimary
        """,
        (schema, name),
    )
    row = cur.fetchone()
    wanted = [
        # A primary key makes its columns required, whatever the candidate says of them.
        Column(column.name, column.type, column.collation, column.is_required or column.name in table.key)
        for column in like
    ]
    return row == (list(table.key),) and columns(cur, schema, name) == wanted


def ensure_indexes(cur: Cursor, table: PublishedTable) -> None:
    """Make the indexes that published.x lacks."""
    for column in table.indexes:
        name = f"{table.name}_{column}_idx"
        if not relation_exists(cur, "published", name):
            cur.execute(
                sql.SQL("create index {} on {} ({})").format(
                    sql.Identifier(name), sql.Identifier("published", table.name), sql.Identifier(column)
                )
            )


def copy_comments(cur: Cursor, table: PublishedTable) -> None:
    """Give published.x, its view and that of its history the comments of their source."""
    wanted = _comments(cur, table.schema, table.name)
    with_status = wanted | (_STATUS_COMMENTS if table.with_status else {})
    _set_comments(cur, "table", "published", table.name, wanted)
    _set_comments(cur, "view", table.view_schema, table.name, with_status)
    if table.history:
        # What else the view has, its migration describes.
        name = f"{table.name}_history"
        own = _comments(cur, table.view_schema, name)
        kept = {column: wanted[column] for column in table.history if column in wanted}
        _set_comments(cur, "view", table.view_schema, name, own | kept)


def _set_comments(cur: Cursor, kind: str, schema: str, name: str, comments: dict[str, str]) -> None:
    """Make these the comments of the relation and its columns; only what differs is written."""
    present = _comments(cur, schema, name)
    for column in comments.keys() | present.keys():
        if comments.get(column) != present.get(column):
            on = (
                sql.SQL("column {}").format(sql.Identifier(schema, name, column))
                if column
                else sql.SQL(f"{kind} {{}}").format(sql.Identifier(schema, name))
            )
            cur.execute(sql.SQL("comment on {} is %s").format(on), (comments.get(column),))


def _comments(cur: Cursor, schema: str, name: str) -> dict[str, str]:
    """Comments by column; that of the relation itself under the empty name."""
    cur.execute(
        """
        select coalesce(a.attname::text, ''), d.description
        from pg_description d
        join pg_class c on c.oid = d.objoid and d.classoid = 'pg_class'::regclass
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
        where n.nspname = %s and c.relname = %s
        """,
        (schema, name),
    )
    return dict(cur.fetchall())


def view_definition(table: PublishedTable, like: list[Column], source: str) -> sql.Composed:
    """The query of the view over published.<source>."""
    items: list[sql.Composable] = [sql.SQL("t.") + sql.Identifier(column.name) for column in like]
    if table.with_status:
        assert table.month_column is not None
        # Subqueries without a reference to the row: PostgreSQL evaluates each once per query.
        newest = "(select {} from published.publication as n order by n.publication_id desc limit 1)"
        items.append(
            sql.SQL(
                "case when (t.{} + interval '1 month' - interval '1 day')::date < "
                + newest.format("n.data_through - n.final_after_days")
                + " then 'final'::text else 'provisional'::text end as status"
            ).format(sql.Identifier(table.month_column))
        )
        items.append(sql.SQL(newest.format("n.data_through") + " as data_through"))
    return sql.SQL("select {} from {} as t").format(
        sql.SQL(", ").join(items), sql.Identifier("published", source)
    )


def define_view(cur: Cursor, table: PublishedTable, definition: sql.Composed) -> None:
    """Create or replace the table's view; where PostgreSQL cannot replace it, make it anew with the same grants."""
    view = sql.Identifier(table.view_schema, table.name)
    cur.execute("savepoint replace_view")
    try:
        cur.execute(sql.SQL("create or replace view {} as {}").format(view, definition))
    except errors.InvalidTableDefinition:  # a column went, moved or changed its type
        cur.execute("rollback to savepoint replace_view")
        grants = _grants(cur, table)
        cur.execute(sql.SQL("drop view {}").format(view))
        cur.execute(sql.SQL("create view {} as {}").format(view, definition))
        for grant in grants:
            cur.execute(grant)
    cur.execute("release savepoint replace_view")


def _grants(cur: Cursor, table: PublishedTable) -> list[sql.Composed]:
    """The statements that give the grants on the table's view again, except its owner's own."""
    cur.execute(
        """
        select a.privilege_type, a.is_grantable, case when a.grantee <> 0 then a.grantee::regrole::text end
        from pg_class c
        join pg_namespace n on n.oid = c.relnamespace
        cross join lateral aclexplode(c.relacl) as a
        where n.nspname = %s and c.relname = %s and a.grantee <> c.relowner
        """,
        (table.view_schema, table.name),
    )
    return [
        sql.SQL("grant {} on {} to {}{}").format(
            sql.SQL(privilege),
            sql.Identifier(table.view_schema, table.name),
            sql.SQL(role or "public"),  # regrole's text is already quoted
            sql.SQL(" with grant option" if is_grantable else ""),
        )
        for privilege, is_grantable, role in cur.fetchall()
    ]
