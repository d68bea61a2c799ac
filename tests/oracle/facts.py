"""The published facts and dimensions from accepted raw rows: bills, payments, allocations, customers, points.

Belongs here: the rows behind the KPI tables, so that one left stale shows up even where no KPI of today reads
it. Customers stand with their code here: whoever compares translates the published pseudonyms. Does not belong
here: the KPI tables (recompute.py), the facts of work with customers (facts_outreach.py, facts_coverage.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

import pandas as pd

from . import facts_coverage, facts_outreach
from .columns import Row, Rows, records
from .places import CustomerPlaces
from .reference import Reference, era_of
from .settlement import CASHLESS_REPORTED, CASHLESS_STRICT, Bill, Settlement, current_rows
from .world import make_world

# The columns that identify a row of each table; an allocation is told by what the oracle knows of it.
KEYS = {
    "fct_bill": ["bill_id"],
    "fct_payment": ["partner_code", "transaction_id"],
    "fct_allocation": ["bill_id", "channel_code", "channel_class", "paid_on"],
    "dim_customer": ["customer_code", "effective_from"],
    "dim_collection_point": ["collection_point_code"],
    **facts_outreach.KEYS,
    **facts_coverage.KEYS,
}


def fct_bill(settlement: Settlement, bill_rows: Rows, places: CustomerPlaces) -> Rows:
    """Every bill with its place and how it was settled; nothing is allocated to one out of scope."""
    paid = {bill.row["bill_id"]: bill for bill in settlement.bills}
    rows: Rows = []
    for row in current_rows("bills", bill_rows):
        in_scope = row["bill_id"] in paid
        bill = paid.get(row["bill_id"], Bill(row))
        place = places.as_recorded(row["customer_code"], row["bill_month"])
        settled = in_scope and bill.is_settled
        rows.append(
            {
                "bill_id": row["bill_id"],
                "customer_code": row["customer_code"],
                "bill_type": row["bill_type"],
                "bill_month": row["bill_month"],
                "issued_on": row["issued_on"],
                "due_on": row["due_on"],
                "total_vnd": row["total_amount"],
                "status": row["status"],
                "is_in_scope": in_scope,
                "commune_code": place.commune_code,
                "district_code": place.district_code,
                "power_unit_code": place.power_unit_code,
                "current_commune_code": places.current(row["customer_code"]),
                "payments": len(bill.allocations),
                "collected_vnd": bill.collected,
                "cashless_vnd": bill.cashless_amount(CASHLESS_REPORTED),
                "cashless_strict_vnd": bill.cashless_amount(CASHLESS_STRICT),
                "open_vnd": bill.open if in_scope else 0,
                "is_settled": settled,
                "is_cashless": settled and bill.is_cashless(CASHLESS_REPORTED),
                "is_cashless_strict": settled and bill.is_cashless(CASHLESS_STRICT),
                "is_mixed": settled and bill.is_mixed,
                "settled_on": bill.settled_on if settled else None,
            }
        )
    return rows


def fct_payment(settlement: Settlement, bill_rows: Rows, payment_rows: Rows, places: CustomerPlaces) -> Rows:
    """Every transaction with its parts; the orphan part of reversals is left to reconciliation."""
    known_bills = {row["bill_id"] for row in bill_rows}
    billed = {row["customer_code"] for row in current_rows("bills", bill_rows)}
    parts: dict[tuple[str, str], Row] = {
        (row["partner_code"], row["transaction_id"]): {
            "amount_vnd": row["amount"],
            "paid_on": row["paid_at"].date(),
        }
        for row in current_rows("payments", payment_rows)
    }
    for payment in settlement.payments:
        row = payment.row
        if row["bill_id"] is not None:
            nobody_knows = row["bill_id"] not in known_bills
        else:
            nobody_knows = not places.knows(row["customer_code"]) and row["customer_code"] not in billed
        parts[row["partner_code"], row["transaction_id"]] |= {
            "allocated_vnd": payment.allocated,
            "reversed_vnd": payment.reversed,
            "suspense_vnd" if nobody_knows else "unapplied_vnd": payment.open,
        }
    for conflict in settlement.conflicts:
        parts[conflict.partner_code, conflict.transaction_id] = {
            "amount_vnd": conflict.amount,
            "paid_on": conflict.paid_on,
            "is_conflict": True,
            "conflict_vnd": conflict.amount,
        }
    nothing = {
        "is_conflict": False,
        "allocated_vnd": 0,
        "reversed_vnd": 0,
        "unapplied_vnd": 0,
        "suspense_vnd": 0,
        "conflict_vnd": 0,
    }
    return [
        {"partner_code": partner, "transaction_id": transaction, **nothing, **row}
        for (partner, transaction), row in parts.items()
    ]


def fct_allocation(settlement: Settlement) -> Rows:
    """What was allocated, summed by bill, channel and day."""
    amounts: Counter[tuple[object, ...]] = Counter()
    for bill in settlement.bills:
        for part in bill.allocations:
            key = (bill.row["bill_id"], part.channel_code or "unknown", part.channel_class, part.paid_on)
            amounts[key] += part.amount
    names = KEYS["fct_allocation"]
    return [{**dict(zip(names, key, strict=True)), "amount_vnd": amount} for key, amount in amounts.items()]


def dim_customer(customer_rows: Rows, facts: Reference) -> Rows:
    """Every customer's versions, each until the next."""
    versions: dict[str, Rows] = defaultdict(list)
    for row in sorted(current_rows("customers", customer_rows), key=lambda row: row["effective_from"]):
        versions[row["customer_code"]].append(row)
    return [
        {
            "customer_code": code,
            "effective_from": row["effective_from"],
            "effective_to": following["effective_from"] if following else None,
            "commune_code": facts.read(row["commune_code"], era_of(row["effective_from"])),
            "power_unit_code": row["power_unit_code"],
            "customer_type": row["customer_type"],
            "status": row["status"],
        }
        for code, rows in versions.items()
        for row, following in zip(rows, [*rows[1:], None], strict=True)
    ]


def dim_collection_point(point_rows: Rows, facts: Reference) -> Rows:
    """Every collection point's current row."""
    return [
        {
            "collection_point_code": row["collection_point_code"],
            "operator": row["operator"],
            "commune_code": facts.read(row["commune_code"], era_of(row["updated_at"].date())),
            "opened_on": row["opened_on"],
            "planned_close_on": row["planned_close_on"],
            "closed_on": row["closed_on"],
            "authority_reported_on": row["authority_reported_on"],
        }
        for row in current_rows("collection_points", point_rows)
    ]


def recompute_facts(bundle: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """The tables of KEYS from the accepted, typed rows of every source."""
    rows = {source: records(table) for source, table in bundle.items()}
    bill_rows, payment_rows = rows.get("bills", []), rows.get("payments", [])
    world = make_world(bundle)
    tables = {
        "fct_bill": fct_bill(world.settlement, bill_rows, world.places),
        "fct_payment": fct_payment(world.settlement, bill_rows, payment_rows, world.places),
        "fct_allocation": fct_allocation(world.settlement),
        "dim_customer": dim_customer(rows.get("customers", []), world.reference),
        "dim_collection_point": dim_collection_point(rows.get("collection_points", []), world.reference),
        **{name: make(world) for name, make in {**facts_outreach.MAKERS, **facts_coverage.MAKERS}.items()},
    }
    return {
        name: pd.DataFrame(table, columns=list(table[0]) if table else KEYS[name], dtype=object)
        for name, table in tables.items()
    }
