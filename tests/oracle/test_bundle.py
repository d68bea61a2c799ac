"""The random bundles are what the end-to-end comparison needs: rich, repeatable, and rightly written.

Belongs here: tests of the generator, of the file writer and of the table comparison. Does not belong here:
the pipeline.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from . import recompute
from .bundle import random_bundle
from .columns import SOURCES, records
from .compare import TablesDiffer, assert_audit, assert_same
from .read_landing import decode, read_landing
from .recompute import KEYS
from .settlement import rows_by_key
from .write_bundle import deliver, write

SEEDS = range(6)
WITH_HISTORY = ("customers", "bills", "payments", "auto_debit_mandates", "collection_points", "targets")
EDGE_CASES = (
    *("allocated", "unapplied", "reversed", "suspense", "conflict", "orphan"),
    *("unresolved as_recorded", "unresolved current", "unknown as_recorded", "unknown current"),
    *("bills_mixed", "bills_partly_paid", "bills_unpaid", "customers_auto_debit", "collection_points_open"),
    *("both readings", "final", "provisional", "unknown channel", "unknown unit", "three eras"),
    *("commune target", "district target", "power_unit target", "company target"),
    *[f"{source} with versions" for source in WITH_HISTORY],
    *[f"{source} with ties" for source in WITH_HISTORY],
)


def contents(tables: dict[str, pd.DataFrame]) -> dict[str, set[tuple[Any, ...]]]:
    """The distinct rows of every source."""
    return {
        name: {tuple(row[column] for column in source.names) for row in records(tables[name])}
        for name, source in SOURCES.items()
    }


def test_the_same_seed_gives_the_same_bundle() -> None:
    first, again, other = random_bundle(3), random_bundle(3), random_bundle(4)
    assert contents(first.tables) == contents(again.tables)
    assert contents(first.tables) != contents(other.tables)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_written_reads_back(seed: int, tmp_path: Path) -> None:
    bundle = random_bundle(seed)
    write(bundle, tmp_path / "landing", seed, excel_extras=True)
    assert contents(read_landing(tmp_path / "landing")) == contents(bundle.tables)


def test_the_order_of_rows_does_not_matter() -> None:
    bundle = random_bundle(5)
    shuffled = {
        name: table.sample(frac=1, random_state=1) if len(table) else table
        for name, table in bundle.tables.items()
    }
    expected, actual = recompute(bundle.tables), recompute(shuffled)
    for name, keys in KEYS.items():
        assert_same(actual[name], expected[name], keys, name)


def test_the_recomputation_keeps_the_invariants() -> None:
    tables = recompute(random_bundle(0).tables)
    company = tables["kpi_company_month"]
    for name in ("kpi_commune_month", "kpi_power_unit_month", "kpi_district_month"):
        units = tables[name]
        for row in records(units.drop_duplicates(["bill_month", "geography", "scope"])):
            grain = {column: row[column] for column in ("bill_month", "geography", "scope")}
            parts = units[[all(line[k] == v for k, v in grain.items()) for line in records(units)]]
            (whole,) = [line for line in records(company) if all(line[k] == v for k, v in grain.items())]
            for measure in ("customers_billed", "customers_cashless", "bills_issued", "amount_collected_vnd"):
                assert parts[measure].sum() == whole[measure], f"{name} {grain} {measure}"
    days = tables["reconciliation_partner_day"]
    kinds = ("allocated", "unapplied", "reversed", "suspense", "conflict", "orphan")
    assert days["total_vnd"].sum() == sum(days[f"{bucket}_vnd"].sum() for bucket in kinds)
    collected = company[(company["scope"] == "all") & (company["geography"] == "current")]
    assert days["allocated_vnd"].sum() == collected["amount_collected_vnd"].sum()


def test_files_come_in_lots(tmp_path: Path) -> None:
    written = write(random_bundle(1), tmp_path / "written", 1)
    landing = tmp_path / "landing"
    came = list(deliver(written, landing, 1, runs=3))
    assert len(came) == 3
    assert sum(came) == len(written.audit)
    assert contents(read_landing(landing)) == contents(read_landing(written.folder))


def test_bundles_are_rich_in_edge_cases() -> None:
    found: Counter[str] = Counter()
    for seed in SEEDS:
        tables = random_bundle(seed).tables
        figures = recompute(tables)
        days = figures["reconciliation_partner_day"]
        for bucket in ("allocated", "unapplied", "reversed", "suspense", "conflict", "orphan"):
            found[bucket] += int(days[f"{bucket}_vnd"].sum() > 0)
        communes = figures["kpi_commune_month"]
        for geography in ("as_recorded", "current"):
            codes = set(communes[communes["geography"] == geography]["commune_code"])
            found[f"unresolved {geography}"] += "UNRESOLVED" in codes
            found[f"unknown {geography}"] += "UNKNOWN" in codes
        company = figures["kpi_company_month"]
        for measure in (
            "bills_mixed",
            "bills_partly_paid",
            "bills_unpaid",
            "customers_auto_debit",
            "collection_points_open",
        ):
            found[measure] += int(company[measure].sum() > 0)
        found["both readings"] += bool(
            (company["customers_cashless"] > company["customers_cashless_strict"]).any()
        )
        found["final"] += "final" in set(company["status"])
        found["provisional"] += "provisional" in set(company["status"])
        found["unknown channel"] += "unknown" in set(figures["kpi_channel_month"]["channel_class"])
        found["unknown unit"] += "PNXX00" in set(figures["kpi_power_unit_month"]["power_unit_code"])
        for level in ("commune", "district", "power_unit", "company"):
            found[f"{level} target"] += bool(figures[f"kpi_{level}_month"]["target"].notna().any())
        months = set(company["bill_month"])
        found["three eras"] += min(months) < dt.date(2025, 1, 1) and max(months) >= dt.date(2025, 7, 1)
        for name, source in SOURCES.items():
            for versions in rows_by_key(name, records(tables[name])).values():
                found[f"{name} with versions"] += len(versions) > 1
                newest = max(row[source.version] for row in versions)
                found[f"{name} with ties"] += sum(row[source.version] == newest for row in versions) > 1
    assert not [case for case in EDGE_CASES if not found[case]]


@pytest.mark.parametrize("seed", SEEDS)
def test_every_file_is_accounted_for_and_bad_lines_are_where_they_are_said_to_be(
    seed: int, tmp_path: Path
) -> None:
    folder = tmp_path / "landing"
    written = write(random_bundle(seed), folder, seed, bad_rows=True, refused=True)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert set(written.audit["file"]) == files
    assert sum(written.audit["is_refused"]) == 6
    assert sum(written.audit["rows_quarantined"]) == len(written.quarantine) > 0
    for row in records(written.quarantine):
        if row["raw"] is not None and row["file"].endswith(".csv"):
            lines = decode((folder / row["file"]).read_bytes()).split("\n")
            begins = unicodedata.normalize("NFC", lines[row["line"] - 1]).rstrip("\r")
            assert begins == row["raw"].split("\n")[0]


def test_a_ledger_that_is_right_passes_and_one_that_is_not_fails(tmp_path: Path) -> None:
    written = write(random_bundle(1), tmp_path / "landing", 1, bad_rows=True)
    ledger, seen = [], {}
    for source in SOURCES:
        seen[source] = written.loaded[written.loaded["source"] == source].iloc[0]["rows_loaded"]
    money = {row["source"]: row["money_loaded_vnd"] for row in records(written.loaded)}
    for row in records(written.audit):
        loaded = min(seen[row["source"]], row["rows_accepted"])
        loaded_money = min(money[row["source"]], row["money_accepted_vnd"])
        seen[row["source"]] -= loaded
        money[row["source"]] -= loaded_money
        ledger.append(
            {
                **row,
                "refused_reason": None,
                "rows_loaded": loaded,
                "rows_duplicate": row["rows_accepted"] - loaded,
                "money_loaded_vnd": loaded_money,
                "money_duplicate_vnd": row["money_accepted_vnd"] - loaded_money,
            }
        )
    table = pd.DataFrame(ledger, dtype=object)
    assert_audit(table, written.audit, written.loaded)
    ledger[0]["rows_loaded"] += 1
    with pytest.raises(TablesDiffer, match=r"rows_accepted: \d+, expected \d+"):
        assert_audit(pd.DataFrame(ledger, dtype=object), written.audit, written.loaded)


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 2),
        (1, None),
        (None, 0),
        (Decimal(1), 1),  # money published as numeric instead of bigint
        (Decimal("0.5"), 0.5000001),
        ("1", 1),
        (dt.datetime(2024, 5, 1), dt.date(2024, 5, 1)),
        ("a", "A"),
        (True, 1),
    ],
)
def test_cells_that_differ(actual: Any, expected: Any) -> None:
    tables = [
        pd.DataFrame([["k", value]], columns=["key", "cell"], dtype=object) for value in (actual, expected)
    ]
    with pytest.raises(TablesDiffer, match=r"\(k\) cell: "):
        assert_same(tables[0], tables[1], ["key"])


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (1, 1),
        (None, float("nan")),
        (Decimal("0.33333333333333333333"), 1 / 3),
        (Decimal("0.80"), Decimal("0.8")),
        (dt.date(2024, 5, 1), dt.date(2024, 5, 1)),
        ("ố", "ố"),
        (True, True),
    ],
)
def test_cells_that_agree(actual: Any, expected: Any) -> None:
    tables = [
        pd.DataFrame([["k", value]], columns=["key", "cell"], dtype=object) for value in (actual, expected)
    ]
    assert_same(tables[0], tables[1], ["key"])


def test_rows_missing_extra_and_twice_are_told() -> None:
    def table(*keys: str) -> pd.DataFrame:
        return pd.DataFrame([[key, 1] for key in keys], columns=["key", "cell"], dtype=object)

    with pytest.raises(
        TablesDiffer, match=r"3 differences.*\n.*\(b\): twice in actual(.|\n)*\(a\): row missing"
    ):
        assert_same(table("b", "b", "c"), table("a", "b"), ["key"])
    with pytest.raises(TablesDiffer, match="columns missing: cell"):
        assert_same(table("a")[["key"]], table("a"), ["key"])
