"""The landing contract as the oracle knows it: columns, types, closed lists and versions of all sources.

Belongs here: what a row looks like, and moving rows between data frames and plain dicts. Written from the
landing contract's text on purpose, not read from the package's contracts: a slip there must show up here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import pandas as pd

Row = dict[str, Any]
Rows = list[Row]


@dataclass(frozen=True)
class Column:
    """One column: `kind` is text / code / money / decimal / date / timestamp / month / bool / int."""

    name: str
    kind: str = "code"
    key: bool = False
    optional: bool = False
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Source:
    """One source: `version` orders the rows of a key, the closed list of `rank` breaks ties."""

    name: str
    columns: tuple[Column, ...]
    version: str
    rank: str | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """The names of the key columns."""
        return tuple(column.name for column in self.columns if column.key)

    @property
    def names(self) -> tuple[str, ...]:
        """All column names in contract order."""
        return tuple(column.name for column in self.columns)

    def column(self, name: str) -> Column:
        """The column called `name`."""
        return next(column for column in self.columns if column.name == name)


def _parse(name: str, version: str, rank: str | None, text: str) -> Source:
    """Build a source from lines `name[*][?] [kind] [(a / b)]`."""
    columns = []
    for line in text.strip().splitlines():
        head, _, closed = line.partition("(")
        label, *kind = head.split()
        columns.append(
            Column(
                name=label.rstrip("*?"),
                kind=kind[0] if kind else "code",
                key=label.endswith("*"),
                optional=label.endswith("?"),
                allowed=tuple(value.strip() for value in closed.rstrip(") ").split("/")) if closed else (),
            )
        )
    return Source(name, tuple(columns), version, rank)


_ALL = [
    _parse(
        "customers",
        "updated_at",
        "status",
        """
        customer_code*
        effective_from* date
        customer_name text
        contract_no
        phone? phone
        address? text
        commune_code
        power_unit_code
        customer_type (household / business / public / other)
        status (active / closed)
        updated_at timestamp
        """,
    ),
    _parse(
        "bills",
        "updated_at",
        "status",
        """
        bill_id*
        customer_code
        bill_type (electricity / service)
        bill_month month
        cycle int (1 / 2 / 3)
        issued_on date
        due_on date
        kwh? decimal
        amount_before_vat money
        vat_amount money
        total_amount money
        status (issued / cancelled / replaced)
        replaced_by?
        updated_at timestamp
        """,
    ),
    _parse(
        "payments",
        "paid_at",
        None,
        """
        partner_code*
        transaction_id*
        kind (payment / reversal)
        reverses_transaction_id?
        channel_code?
        customer_code
        bill_id?
        amount money
        fee? money
        paid_at timestamp
        partner_settled_on? date
        collection_point_code?
        """,
    ),
    _parse(
        "auto_debit_mandates",
        "updated_at",
        None,
        """
        mandate_id*
        customer_code
        bank_code
        signed_on date
        ended_on? date
        updated_at timestamp
        """,
    ),
    _parse(
        "collection_points",
        "updated_at",
        None,
        """
        collection_point_code*
        name text
        operator (power_unit / partner)
        commune_code
        serves_commune_codes text
        opened_on date
        planned_close_on? date
        closed_on? date
        authority_reported_on? date
        updated_at timestamp
        """,
    ),
    _parse(
        "campaigns",
        "updated_at",
        None,
        """
        campaign_id*
        name text
        kind (household_visit / at_counter / mass_notice / pilot_commune / other)
        starts_on date
        ends_on? date
        updated_at timestamp
        """,
    ),
    _parse(
        "campaign_contacts",
        "updated_at",
        "outcome",
        """
        contact_id*
        campaign_id
        customer_code
        employee_code?
        bank_code?
        contacted_at timestamp
        place (home / counter / bank / phone / other)
        outcome (not_reached / refused / undecided / agreed / registered)
        updated_at timestamp
        """,
    ),
    _parse(
        "notifications",
        "updated_at",
        "delivery",
        """
        notification_id*
        campaign_id?
        customer_code?
        commune_code?
        topic (counter_closure / bill_due / campaign / other)
        medium (sms / zalo / email / app / letter / mass_media / public_posting)
        sent_at timestamp
        delivery (unknown / failed / delivered)
        delivered_at? timestamp
        updated_at timestamp
        """,
    ),
    _parse(
        "phone_reviews",
        "updated_at",
        "result",
        """
        review_id*
        customer_code
        phone? phone
        reviewed_at timestamp
        result (missing / unreachable / not_owner / owner_confirmed)
        updated_at timestamp
        """,
    ),
    _parse(
        "feedback",
        "updated_at",
        "status",
        """
        feedback_id*
        customer_code?
        commune_code?
        received_at timestamp
        topic (counter_closure / payment / bill / other)
        text? text
        status (open / closed)
        closed_at? timestamp
        reopened bool
        updated_at timestamp
        """,
    ),
    _parse(
        "targets",
        "updated_at",
        None,
        """
        month* month
        level* (company / power_unit / district / commune / employee)
        code*
        metric* (cashless_rate_customers / cashless_rate_bills / cashless_rate_amount / conversions)
        target decimal
        updated_at timestamp
        """,
    ),
    _parse(
        "employees",
        "updated_at",
        "status",
        """
        employee_code*
        effective_from* date
        employee_name text
        power_unit_code
        status (active / left)
        updated_at timestamp
        """,
    ),
]

SOURCES: dict[str, Source] = {source.name: source for source in _ALL}

# The column whose sum a file is held to; every other source counts 0.
MONEY_COLUMN = {"bills": "total_amount", "payments": "amount"}


def some(row: Row, *names: str) -> Row:
    """These columns of a row."""
    return {name: row[name] for name in names}


def frame(source: str, rows: Iterable[Row]) -> pd.DataFrame:
    """Rows as a data frame of plain Python objects, missing values as None, columns in contract order."""
    names = list(SOURCES[source].names)
    return pd.DataFrame([[row.get(name) for name in names] for row in rows], columns=names, dtype=object)


def records(table: pd.DataFrame | None) -> Rows:
    """A data frame as plain dicts, every kind of missing value as None."""
    if table is None:
        return []
    names = list(table.columns)
    return [
        dict(zip(names, [None if pd.isna(value) else value for value in values], strict=True))
        for values in table.itertuples(index=False, name=None)
    ]
