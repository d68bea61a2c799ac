"""Whether the floor and the product publish the same figures: every cell of the four KPI tables, both ways.

No timing is reported unless this holds. Does not belong here: how either side came to its figures.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

from psycopg2 import sql

from dagster_project.warehouse.connection import connect_url

KEYS = {
    "kpi_company_month": ("bill_month", "geography", "scope"),
    "kpi_power_unit_month": ("bill_month", "geography", "scope", "power_unit_code"),
    "kpi_district_month": ("bill_month", "geography", "scope", "district_code"),
    "kpi_commune_month": ("bill_month", "geography", "scope", "commune_code"),
}
FIGURES = (
    "customers_billed", "customers_cashless", "customers_cashless_strict",
    "bills_issued", "bills_settled", "bills_cashless", "bills_cashless_strict", "bills_mixed",
    "bills_unpaid", "bills_partly_paid",
    "amount_issued_vnd", "amount_collected_vnd", "amount_cashless_vnd", "amount_cashless_strict_vnd",
    "amount_open_vnd", "bills_on_time", "customers_auto_debit",
    "cashless_rate_customers", "cashless_rate_bills", "cashless_rate_amount",
    "cashless_rate_customers_strict", "cashless_rate_bills_strict", "cashless_rate_amount_strict",
    "on_time_rate", "median_days_to_pay", "collection_points_open", "target", "attainment",
)  # fmt: skip
NAMES = {
    "kpi_company_month": (),
    "kpi_power_unit_month": ("power_unit_name",),
    "kpi_district_month": ("district_name",),
    "kpi_commune_month": ("commune_name", "district_code", "district_name", "power_unit_code"),
}
SHOWN = 10
# Of the publication, not of the figures: the floor has neither.
PUBLICATION_COLUMNS = {"status", "data_through"}

Key = tuple[Any, ...]


class FiguresDiffer(Exception):
    """The floor and the product disagree; the first differing cells, one a line."""


def compared_columns(table: str) -> tuple[str, ...]:
    """The columns of a table that are compared: all of its fixed interface but status and data_through."""
    return (*KEYS[table], *NAMES[table], *FIGURES)


def assert_equal(product_url: str, floor_url: str) -> int:
    """How many cells were compared, all equal; FiguresDiffer otherwise, and also if there is nothing to compare."""
    cells = 0
    found: list[str] = []
    for table, key in KEYS.items():
        wanted = compared_columns(table)
        product = _rows(product_url, "bi", table, wanted)
        floor = _rows(floor_url, "public", table, wanted)
        if not product:
            raise FiguresDiffer(f"{table}: the product published no row")
        cells += len(product) * len(wanted)
        found += _differences(table, wanted, len(key), product, floor)
    if found:
        more = [f"… and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise FiguresDiffer("\n".join([f"{len(found)} cells or rows differ:", *found[:SHOWN], *more]))
    return cells


def _rows(url: str, schema: str, table: str, wanted: tuple[str, ...]) -> list[Key]:
    with closing(connect_url(url)) as conn, conn.cursor() as cursor:
        cursor.execute(sql.SQL("select * from {} limit 0").format(sql.Identifier(schema, table)))
        present = {column.name for column in cursor.description or ()} - PUBLICATION_COLUMNS
        if present != set(wanted):
            raise FiguresDiffer(f"{schema}.{table}: columns {sorted(present ^ set(wanted))} are not in both")
        columns = sql.SQL(", ").join(map(sql.Identifier, wanted))
        cursor.execute(sql.SQL("select {} from {}").format(columns, sql.Identifier(schema, table)))
        return [tuple(row) for row in cursor.fetchall()]


def _differences(
    table: str, wanted: tuple[str, ...], key_length: int, product: list[Key], floor: list[Key]
) -> Iterator[str]:
    ours = {row[:key_length]: row for row in floor}
    theirs = {row[:key_length]: row for row in product}
    for rows, by_key, side in ((floor, ours, "floor"), (product, theirs, "product")):
        if len(rows) != len(by_key):
            yield f"{table}: the {side} has {len(rows) - len(by_key)} keys twice"
    for key in sorted(ours.keys() | theirs.keys(), key=str):
        shown = f"{table} ({', '.join(map(str, key))})"
        if key not in ours:
            yield f"{shown}: not in the floor"
        elif key not in theirs:
            yield f"{shown}: not in the product"
        else:
            for name, got, want in zip(wanted, ours[key], theirs[key], strict=True):
                if type(got) is not type(want) or got != want:
                    yield f"{shown} {name}: floor {got}, product {want}"
