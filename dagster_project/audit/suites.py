"""The suites of expectations/ as data, read without importing Great Expectations. No validation here."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

Severity = Literal["critical", "warning", "info"]
SUITES_DIR = Path(__file__).parents[2] / "expectations"


@dataclass(frozen=True)
class Expectation:
    """One expectation of a suite and why it matters. `name` is unique in its suite.

    `rows_query`: SQL that lists the rows it counts, where they can be listed.
    """

    name: str
    severity: Severity
    owner: str
    why_vi: str
    why_en: str
    rows_query: str | None
    config: dict[str, Any]


@dataclass(frozen=True)
class Suite:
    """Expectations over one one-row table of schema audit."""

    name: str
    table: str
    expectations: tuple[Expectation, ...]


@lru_cache(maxsize=1)
def suites() -> tuple[Suite, ...]:
    """All suites, in the order of the data's way: raw, marts, kpi, outreach, then others by name."""
    order = ["raw", "marts", "kpi", "outreach"]
    found = [_suite(path) for path in SUITES_DIR.glob("*.json")]
    return tuple(
        sorted(found, key=lambda s: (order.index(s.name) if s.name in order else len(order), s.name))
    )


def suites_text() -> str:
    """The files of all suites as one text: another text, another gate."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(SUITES_DIR.glob("*.json")))


def _suite(path: Path) -> Suite:
    document = json.loads(path.read_text(encoding="utf-8"))
    return Suite(
        name=document["name"],
        table=document["meta"]["table"],
        expectations=tuple(_expectation(entry) for entry in document["expectations"]),
    )


def _expectation(entry: dict[str, Any]) -> Expectation:
    meta = entry["meta"]
    return Expectation(
        name=entry["kwargs"].get("column", "one_row_of_metrics"),
        severity=entry["severity"],
        owner=meta["owner"],
        why_vi=meta["why_vi"],
        why_en=meta["why_en"],
        rows_query=meta.get("rows_query"),
        config=entry,
    )
