"""What a publication changes in figures that nobody expects to change: of months that were final, or signed off.

Does not belong here: what changed of single bills (apply.py keeps that in the table's history), signing (sign_off.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from psycopg2 import sql
from psycopg2.extensions import cursor as Cursor

from dagster_project.publish import relations
from dagster_project.publish.apply import gives_way
from dagster_project.publish.relations import PublishedTable

# The parts of a KPI table's key that are not the unit.
_GRAIN = ("bill_month", "geography", "scope")


def note_revisions(
    cur: Cursor, publication_id: int, tables: Sequence[PublishedTable], *, is_full: bool
) -> None:
    """Write to published.kpi_revision what the candidates change of settled months; before the rows are changed."""
    for table in tables:
        if not table.revised or not relations.relation_exists(cur, "published", table.name):
            continue
        known = {column.name for column in relations.columns(cur, "published", table.name)}
        if known >= {*table.key, *table.revised}:
            _note(cur, publication_id, table, is_partial=table.rebuilt is not None and not is_full)


def _note(cur: Cursor, publication_id: int, table: PublishedTable, *, is_partial: bool) -> None:
    key = sql.SQL(", ").join(sql.Identifier(name) for name in table.key)
    cur.execute(
        sql.SQL(
            """
            with newest as (
                select data_through - final_after_days as final_before
                from published.publication order by publication_id desc limit 1
            ),
            settled as (
                select months.bill_month
                from (
                    select distinct bill_month from {published}
                    union select distinct bill_month from {candidate}
                ) as months
                where (months.bill_month + interval '1 month' - interval '1 day')::date
                    < (select final_before from newest)
                or months.bill_month in (select signed.bill_month from published.sign_off as signed)
            ),
            old as (
                select p.* from {published} as p
                where p.bill_month in (select bill_month from settled) and {gives_way}
            ),
            new as (
                select c.* from {candidate} as c where c.bill_month in (select bill_month from settled)
            )
            insert into published.kpi_revision
                (publication_id, table_name, bill_month, geography, scope, code, column_name, old_value, new_value)
            select %(publication_id)s, %(table)s, bill_month, geography, scope, {code},
                figure.column_name, figure.old_value, figure.new_value
            from old
            full join new using ({key})
            cross join lateral (values {figures}) as figure (column_name, old_value, new_value)
            where figure.old_value is distinct from figure.new_value
            """
        ).format(
            published=sql.Identifier("published", table.name),
            candidate=sql.Identifier(table.schema, table.name),
            gives_way=gives_way(table.rebuilt) if is_partial and table.rebuilt else sql.SQL("true"),
            code=unit_code(table),
            key=key,
            figures=sql.SQL(", ").join(
                sql.SQL("({}, old.{}::numeric, new.{}::numeric)").format(
                    sql.Literal(name), sql.Identifier(name), sql.Identifier(name)
                )
                for name in table.revised
            ),
        ),
        {"publication_id": publication_id, "table": table.name},
    )


def unit_code(table: PublishedTable) -> sql.Composable:
    """The column of a KPI table that says which unit; the company's table has none."""
    units = [name for name in table.key if name not in _GRAIN]
    return sql.Identifier(units[0]) if units else sql.Literal("COMPANY")


def note_causes(cur: Cursor, publication_id: int) -> dict[date, int]:
    """Keep which rows of files changed the bills of this publication, and say of each revision which files those are.

    After the bills' rows are changed. Returns how many revisions there are, by month.
    """
    cur.execute(
        "select bill_month, count(*) from published.kpi_revision where publication_id = %s group by 1 order by 1",
        (publication_id,),
    )
    revisions = dict(cur.fetchall())
    if not relations.relation_exists(cur, "touched", "bill_cause"):
        return revisions
    cur.execute(
        """
        insert into published.fct_bill_cause
            (publication_id, bill_id, source, file_id, line, is_withdrawn, partner_code, transaction_id)
        select %(publication_id)s, bill_id, source, file_id, line, is_withdrawn, partner_code, transaction_id
        from touched.bill_cause
        where bill_id in (
            select bill_id from published.fct_bill_history where publication_id = %(publication_id)s
        )
        """,
        {"publication_id": publication_id},
    )
    if not revisions:
        return revisions
    # Of rows that came in this transaction the planner knows nothing else.
    cur.execute("analyze published.kpi_revision, published.fct_bill_history, published.fct_bill_cause")
    cur.execute(
        """
        with moved as (
            -- Bills that do not count as they did. What else is kept of them enters no figure that is revised.
            select bill_month, bill_type, power_unit_code, district_code, commune_code, current_commune_code, bill_id
            from published.fct_bill_history
            where publication_id = %(publication_id)s
            group by
                bill_month, bill_type, power_unit_code, district_code, commune_code, current_commune_code, bill_id,
                customer_key, is_in_scope, is_cashless, is_cashless_strict
            having count(*) = 1
        )
        update published.kpi_revision as revision
        set files = cause.files
        from (
            select
                r.table_name, r.bill_month, r.geography, r.scope, r.code,
                array_agg(distinct file.path order by file.path) as files
            from (
                select distinct table_name, bill_month, geography, scope, code
                from published.kpi_revision
                where publication_id = %(publication_id)s
            ) as r
            join moved as bill
                on bill.bill_month = r.bill_month
                and (r.scope = 'all' or bill.bill_type = 'electricity')
                and r.code = case
                    when r.table_name = 'kpi_company_month' then 'COMPANY'
                    when r.table_name = 'kpi_power_unit_month' then bill.power_unit_code
                    when r.table_name = 'kpi_district_month' then bill.district_code
                    when r.geography = 'current' then bill.current_commune_code
                    else bill.commune_code
                end
            join published.fct_bill_cause as cause
                on cause.publication_id = %(publication_id)s and cause.bill_id = bill.bill_id
                and cause.source <> 'auto_debit_mandates' -- which change no figure that is revised
            join landing.file as file on file.file_id = cause.file_id
            group by 1, 2, 3, 4, 5
        ) as cause
        where revision.publication_id = %(publication_id)s
            and (revision.table_name, revision.bill_month, revision.geography, revision.scope, revision.code)
            = (cause.table_name, cause.bill_month, cause.geography, cause.scope, cause.code)
        """,
        {"publication_id": publication_id},
    )
    return revisions
