"""A plain recount of cashless customers from the sample's files; shares no code with the generator."""

from __future__ import annotations

from pathlib import Path

import pandas as pd


def read(folder: Path, source: str) -> pd.DataFrame:
    """All clean files of one source, everything as text, empty as ''."""
    files = sorted((folder / source).glob("*.csv"))
    return pd.concat([pd.read_csv(f, dtype=str, keep_default_na=False) for f in files], ignore_index=True)


def current(rows: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """The row of each key with the greatest updated_at."""
    return rows.sort_values("updated_at", kind="stable").drop_duplicates(key, keep="last")


def net_payments(payments: pd.DataFrame) -> pd.DataFrame:
    """Payments with what their reversals leave of them, without conflicts and reversals."""
    key = ["partner_code", "transaction_id"]
    differing = payments.groupby(key)[["kind", "customer_code", "amount"]].nunique().max(axis=1) > 1
    index = pd.MultiIndex.from_frame(payments[key])
    payments = payments[~index.isin(differing[differing].index)].drop_duplicates(key)
    payments = payments.assign(amount=payments["amount"].astype("int64"))
    back = payments[payments["kind"] == "reversal"]
    reversed_sum = back.groupby(["partner_code", "reverses_transaction_id"])["amount"].sum()
    paid = payments[payments["kind"] == "payment"].copy()
    taken = reversed_sum.reindex(pd.MultiIndex.from_frame(paid[key]), fill_value=0).to_numpy()
    paid["net"] = (paid["amount"] - taken).clip(lower=0)
    return paid[paid["net"] > 0].sort_values(["paid_at", *key])


def cashless_bills(folder: Path, channel_class: dict[str, str]) -> pd.DataFrame:
    """Every bill in scope with `settled` and `cashless` (reported reading)."""
    bills = current(read(folder, "bills"), ["bill_id"])
    bills["total_amount"] = bills["total_amount"].astype("int64")
    bills = bills[(bills["status"] == "issued") & (bills["total_amount"] > 0)].set_index("bill_id")
    still_open = bills["total_amount"].to_dict()
    all_cashless = dict.fromkeys(still_open, True)
    paid = net_payments(read(folder, "payments"))
    reported = {"cashless", "agent_cash"}

    def allocate(bill: str, amount: int, channel: str) -> int:
        used = min(amount, still_open[bill])
        if used:
            still_open[bill] -= used
            all_cashless[bill] &= channel_class.get(channel) in reported
        return amount - used

    named = paid[paid["bill_id"] != ""]
    for bill, amount, channel in zip(named["bill_id"], named["net"], named["channel_code"], strict=True):
        if bill in still_open:
            allocate(bill, int(amount), channel)
    unnamed = paid[paid["bill_id"] == ""]
    owners = set(unnamed["customer_code"])
    queue = bills[bills["customer_code"].isin(owners)].reset_index().sort_values(["due_on", "bill_id"])
    queues = queue.groupby("customer_code")["bill_id"].apply(list).to_dict()
    for customer, amount, channel in zip(
        unnamed["customer_code"], unnamed["net"], unnamed["channel_code"], strict=True
    ):
        left = int(amount)
        for bill in queues.get(customer, []):
            if not left:
                break
            left = allocate(bill, left, channel)
    bills["settled"] = [still_open[bill] == 0 for bill in bills.index]
    bills["cashless"] = [still_open[bill] == 0 and all_cashless[bill] for bill in bills.index]
    return bills.reset_index()


def cashless_customers(bills: pd.DataFrame, month: str, electricity_only: bool) -> pd.Series:
    """True or False for every customer billed in the month."""
    chosen = bills[bills["bill_month"] == month]
    if electricity_only:
        chosen = chosen[chosen["bill_type"] == "electricity"]
    return chosen.groupby("customer_code")["cashless"].all()


def recorded_codes(folder: Path, last_day: str) -> pd.Series:
    """Per customer the commune code of the version valid on a day; before the first, the first."""
    versions = current(read(folder, "customers"), ["customer_code", "effective_from"])
    versions = versions.sort_values(["customer_code", "effective_from"])
    valid = versions[versions["effective_from"] <= last_day].drop_duplicates("customer_code", keep="last")
    first = versions.drop_duplicates("customer_code", keep="first")
    both = pd.concat([valid, first]).drop_duplicates("customer_code", keep="first").set_index("customer_code")
    return both["commune_code"]
