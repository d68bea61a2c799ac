"""Random histories: how the rows of a bundle may have reached the landing folder, drop by drop.

Belongs here: the order in which rows come, how they are cut into drops and files, and what else happens to
files meanwhile (copies, other names, the same path with more in it, rows that come again). Does not belong
here: inventing the rows (oracle/bundle.py), the forms of files (oracle/write_bundle.py), running anything.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd

from tests.e2e.agreement import AuditLine
from tests.oracle.bundle import random_bundle
from tests.oracle.columns import SOURCES, Row, Rows, Source, frame, records
from tests.oracle.write_bundle import (
    AUDIT_COLUMNS,
    Options,
    audit_line,
    distinct,
    file_name,
    plan_file,
    write_file,
)

Arrival = tuple[str, Row]  # a source and one of its rows


@dataclass(frozen=True)
class Came:
    """What has come up to and with a drop: the rows of every source, and what the ledger must say of the files."""

    rows: dict[str, pd.DataFrame]
    audit: Counter[AuditLine]
    rows_loaded: dict[str, int]


@dataclass
class _File:
    """A file that lies in the landing, and what is in it."""

    source: Source
    path: Path
    rows: Rows
    line: Row


# -- the order in which rows come --------------------------------------------------------------------------


def _time(arrival: Arrival) -> Any:
    source, row = arrival
    return row[SOURCES[source].version]


def _by_time(random: Random) -> Callable[[Arrival], Any]:
    return lambda arrival: (_time(arrival), random.random())


def _against_time(random: Random) -> Callable[[Arrival], Any]:
    """The youngest first: newer versions before older ones, reversals before their payments."""
    return lambda arrival: (-_time(arrival).timestamp(), random.random())


def _shuffled(random: Random) -> Callable[[Arrival], Any]:
    return lambda _: random.random()


def _source_by_source(random: Random) -> Callable[[Arrival], Any]:
    places = random.sample(list(SOURCES), len(SOURCES))
    return lambda arrival: (places.index(arrival[0]), _time(arrival), random.random())


def _what_is_waited_for_last(random: Random) -> Callable[[Arrival], Any]:
    """Reversals, then payments, then bills, then customers; each other source before all that or after it."""
    places = {name: random.choice([-1, 3]) for name in SOURCES} | {"payments": 0, "bills": 1, "customers": 2}

    def place(arrival: Arrival) -> Any:
        source, row = arrival
        return places[source], source, row.get("kind") == "payment", random.random()

    return place


ORDERS: dict[str, Callable[[Random], Callable[[Arrival], Any]]] = {
    "by time": _by_time,
    "against time": _against_time,
    "shuffled": _shuffled,
    "source by source": _source_by_source,
    "what is waited for last": _what_is_waited_for_last,
}


# -- how they are cut into drops ---------------------------------------------------------------------------


def _cut(random: Random, arrivals: list[Arrival], how: str, drops: int) -> list[list[Arrival]]:
    """At least one row in every drop; `drips`: nearly all at once, then a few rows at a time."""
    size = len(arrivals)
    if how == "evenly":
        cuts = [size * number // drops for number in range(1, drops)]
    elif how == "anyhow":
        cuts = sorted(random.sample(range(1, size), drops - 1))
    else:
        cuts = [size]
        for _ in range(drops - 1):
            cuts.insert(0, cuts[0] - random.randint(1, 12))
        cuts.pop()
    ends = [0, *cuts, size]
    return [arrivals[start:end] for start, end in pairwise(ends)]


def thin(tables: Mapping[str, pd.DataFrame], random: Random, customers: int) -> dict[str, Rows]:
    """The rows of a bundle with those of some of its customers left out; of nobody's nothing is left out."""
    rows = {name: records(table) for name, table in tables.items()}
    known = sorted({row["customer_code"] for name in ("customers", "bills") for row in rows[name]})
    left_out = set(random.sample(known, max(len(known) - customers, 0)))
    return {
        name: [row for row in of_source if row.get("customer_code") not in left_out]
        for name, of_source in rows.items()
    }


# -- the files ---------------------------------------------------------------------------------------------


class _Folder:
    """The landing folder as it fills: what lies in it now, and what the ledger must say of all that ever did."""

    def __init__(self, landing: Path, random: Random, options: Options) -> None:
        self._landing, self._random, self._options = landing, random, options
        self._number = 0
        self.files: dict[Path, _File] = {}
        self.audit: Counter[AuditLine] = Counter()

    def write(self, source: Source, rows: Rows, stem: Path | None = None) -> None:
        """The rows in a new file of any form; with a stem, over the file of that name if its form is the same."""
        self._number += 1
        stem = stem or self._landing / source.name / file_name(self._random, self._number)
        plan = plan_file(self._random, source, rows, stem, self._options)
        write_file(plan, self._options)
        self._note(_File(source, plan.path, rows, audit_line(plan, "")))

    def something_else_happens(self, earlier: list[_File]) -> None:
        """Files of earlier drops are copied, get another name, or grow by all that came since."""
        copied, renamed, grown = (self._random.choice(earlier) for _ in range(3))
        if self._random.random() < 0.3:
            self._copy(copied, "copy_of")
        if self._random.random() < 0.2:
            self._copy(renamed, "formerly")
            renamed.path.unlink()
            del self.files[renamed.path]
        if self._random.random() < 0.3 and grown.path in self.files:
            rows = [row for file in self.files.values() if file.source is grown.source for row in file.rows]
            self.write(grown.source, rows, grown.path.with_name(grown.path.name.partition(".")[0]))

    def _copy(self, file: _File, prefix: str) -> None:
        self._number += 1
        path = file.path.with_name(f"{prefix}_{self._number}_{file.path.name}")
        shutil.copyfile(file.path, path)
        self._note(_File(file.source, path, file.rows, file.line))

    def _note(self, file: _File) -> None:
        self.files[file.path] = file
        line = {**file.line, "file": file.path.relative_to(self._landing).as_posix()}
        self.audit[tuple(line[name] for name in AUDIT_COLUMNS)] += 1


# -- the history -------------------------------------------------------------------------------------------


class History:
    """One way in which a random bundle reaches the landing; the same seed gives the same history.

    customers: how many of the bundle's are taken. drops: how many (None: one to five).
    """

    def __init__(self, seed: int, customers: int, drops: int | None = None) -> None:
        self._random = random = Random(f"history {seed}")
        rows = thin(random_bundle(seed).tables, random, customers)
        arrivals = [(name, row) for name, of_source in rows.items() for row in of_source]
        order = random.choice(list(ORDERS))
        arrivals.sort(key=ORDERS[order](random))
        # Some rows come at another time than their like.
        for _ in range(random.choice([0, len(arrivals) // 20])):
            late = arrivals.pop(random.randrange(len(arrivals)))
            arrivals.insert(random.randint(0, len(arrivals)), late)
        count = drops or random.choices([1, 2, 3, 4, 5], [1, 2, 4, 4, 2])[0]
        cut = random.choice(["evenly", "anyhow", "drips", "drips"])
        self._drops = _cut(random, arrivals, cut, count)
        self._files_a_source = random.choice([1, 1, 3, 8])
        bad_rows, extras, only_csv = (random.random() < 0.3 for _ in range(3))
        self._options = Options(
            shuffle=random.random() < 0.5, bad_rows=bad_rows, excel_extras=extras, only_csv=only_csv
        )
        sizes = ", ".join(str(len(drop)) for drop in self._drops)
        # Told with every difference found.
        self.story = f"of seed {seed} ({order}, cut {cut} into {sizes} rows)"

    def deliver(self, landing: Path) -> Iterator[Came]:
        """Bring one drop per step into the landing folder."""
        came: dict[str, Rows] = {name: [] for name in SOURCES}
        folder = _Folder(landing, self._random, self._options)
        for drop in self._drops:
            earlier = list(folder.files.values())
            again = self._some_again(came)
            for name, source in SOURCES.items():
                new = [row for its_source, row in drop if its_source == name]
                came[name] += new
                for part in self._parts(new + [row for its_source, row in again if its_source == name]):
                    folder.write(source, part)
            if earlier:
                folder.something_else_happens(earlier)
            yield Came(
                {name: frame(name, rows) for name, rows in came.items()},
                folder.audit.copy(),
                {name: len(distinct(SOURCES[name], rows)) for name, rows in came.items() if rows},
            )

    def _parts(self, rows: Rows) -> Iterator[Rows]:
        """The rows of a source in one file or in many small ones."""
        if self._options.shuffle:
            self._random.shuffle(rows)
        count = min(self._random.randint(1, self._files_a_source), len(rows))
        for number in range(count):
            yield rows[len(rows) * number // count : len(rows) * (number + 1) // count]

    def _some_again(self, came: dict[str, Rows]) -> list[Arrival]:
        """Rows of earlier drops that come again: none, a few, or all of them."""
        known = [(name, row) for name, rows in came.items() for row in rows]
        count = self._random.choice([0, 0, 0, 10, 10, 50, len(known)])
        return self._random.sample(known, min(count, len(known)))
