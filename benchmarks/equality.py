"""Whether a yardstick and the product publish the same figures: every cell of the four KPI tables, both ways.

No timing is reported unless this holds. Does not belong here: how either side came to its figures.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
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

# A quotient: exact in PostgreSQL, the nearest binary number elsewhere.
QUOTIENTS = frozenset(name for name in FIGURES if "rate" in name or name in ("target", "attainment"))
_NEAR = Decimal("1e-12")

Row = tuple[Any, ...]
# Gives the names of all columns of a table, and its rows with the wanted columns.
Tables = Callable[[str, tuple[str, ...]], tuple[set[str], list[Row]]]


class FiguresDiffer(Exception):
    """Two sides disagree; the first differing cells, one a line."""


def compared_columns(table: str) -> tuple[str, ...]:
    """The columns of a table that are compared: all of its fixed interface but status and data_through."""
    return (*KEYS[table], *NAMES[table], *FIGURES)


def postgres_tables(url: str, schema: str) -> Tables:
    """The tables of a schema."""

    def rows(table: str, wanted: tuple[str, ...]) -> tuple[set[str], list[Row]]:
        with closing(connect_url(url)) as conn, conn.cursor() as cursor:
            cursor.execute(sql.SQL("select * from {}").format(sql.Identifier(schema, table)))
            names = [column.name for column in cursor.description or ()]
            places = [names.index(name) for name in wanted if name in names]
            return set(names) - PUBLICATION_COLUMNS, [tuple(row[place] for place in places) for row in cursor]

    return rows


def assert_equal(product_url: str, other: Tables, name: str = "floor", *, is_exact: bool = True) -> int:
    """How many cells were compared, all equal; FiguresDiffer otherwise, and also if there is nothing to compare.

    `is_exact` False: quotients may differ as binary numbers do; all else is equal.
    """
    product = postgres_tables(product_url, "bi")
    cells = 0
    found: list[str] = []
    for table, key in KEYS.items():
        wanted = compared_columns(table)
        ours, theirs = product(table, wanted), other(table, wanted)
        for side, (columns, _) in (("product", ours), (name, theirs)):
            if columns != set(wanted):
                raise FiguresDiffer(
                    f"{table}: columns {sorted(columns ^ set(wanted))} are not in both ({side})"
                )
        if not ours[1]:
            raise FiguresDiffer(f"{table}: the product published no row")
        cells += len(ours[1]) * len(wanted)
        found += _differences(table, wanted, len(key), ours[1], theirs[1], name, is_exact)
    if found:
        more = [f"… and {len(found) - SHOWN} more"] if len(found) > SHOWN else []
        raise FiguresDiffer("\n".join([f"{len(found)} cells or rows differ:", *found[:SHOWN], *more]))
    return cells


def _differences(
    table: str,
    wanted: tuple[str, ...],
    key_length: int,
    product: list[Row],
    other: list[Row],
    other_name: str,
    is_exact: bool,
) -> Iterator[str]:
    ours = {row[:key_length]: row for row in other}
    theirs = {row[:key_length]: row for row in product}
    for rows, by_key, side in ((other, ours, other_name), (product, theirs, "product")):
        if len(rows) != len(by_key):
            yield f"{table}: the {side} has {len(rows) - len(by_key)} keys twice"
    for key in sorted(ours.keys() | theirs.keys(), key=str):
        shown = f"{table} ({', '.join(map(str, key))})"
        if key not in ours:
            yield f"{shown}: not in the {other_name}"
        elif key not in theirs:
            yield f"{shown}: not in the product"
        else:
            for name, got, want in zip(wanted, ours[key], theirs[key], strict=True):
                if not _is_same(got, want, is_near_enough=not is_exact and name in QUOTIENTS):
                    yield f"{shown} {name}: {other_name} {got}, product {want}"


def _is_same(got: object, want: object, *, is_near_enough: bool) -> bool:
    if type(got) is not type(want):
        return False
    if is_near_enough and isinstance(got, Decimal) and isinstance(want, Decimal):
        return abs(got - want) <= _NEAR * abs(want)
    return got == want
