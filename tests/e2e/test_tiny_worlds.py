"""Tiny worlds: few ids and many rows that point at one another in every way, in drops; files are taken back, read
again, overwritten and copied.

A world has its own customers, bills, partner and two months, so that a hundred of them share a warehouse and its
runs, and what one of them touches rebuilds no figure of another. After every drop all figures and facts are those
of the rows that stand; in the end a run that makes everything anew changes nothing.
"""

import csv
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from dagster_project.orchestration.session import open_session
from dagster_project.raw.changes import Person
from dagster_project.raw.reload import reload
from dagster_project.raw.withdraw import unload
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.agreement import assert_identical, assert_published, snapshot
from tests.oracle.bundle import add_months
from tests.oracle.columns import SOURCES, Column, Row, Rows, frame

FIRST_MONTH = date(2001, 1, 1)
TODAY = date(2026, 11, 1)
WORLDS = 150  # of two months each, to the last one before TODAY
DROPS = 5
MANY = range(3000, 3040)

PERSON = Person("a test", "")
COMMUNES = ["14587", "14320", "14404", "31519", "nowhere"]
CHANNELS = ["momo", "momo", "auto_debit", "evn_counter", "partner_agent", "a new one", None]
PHONES = ["0912345678", "0987654321", None]
# What touches the figures of all later months comes from few worlds by a drop, so that the others' stay as they are.
OF_PEOPLE = [
    *(
        "campaigns",
        "campaign_contacts",
        "campaign_contacts",
        "campaign_contacts",
        "notifications",
        "notifications",
    ),
    *("phone_reviews", "phone_reviews", "feedback", "feedback", "employees"),
]
TALKING = 4
# Worlds with enough bills that a contact can convert somebody; rows at random never are.
CONVERTING = 6
BILLS_OF_A_STORY = [2, 4, 6, 20, 30, 40]  # issued on these days, the contact comes on the tenth
# Rows of these come by every drop; what touches all months at once comes by few.
OFTEN = ["customers", "bills", "bills", "payments", "payments", "payments", "payments", "auto_debit_mandates"]


@dataclass
class World:
    """What one world's rows are made of. `steady`: how often versions of one transaction agree."""

    number: int
    random: Random
    steady: float = field(init=False)
    named: float = field(init=False)
    spread: int = field(init=False)
    takes_back: bool = field(init=False)
    customers: int = field(init=False)
    transactions: int = field(init=False)
    identities: dict[str, tuple[str, str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        random = self.random
        self.steady = random.choice([0.8, 1.0, 1.0])
        self.named = random.choice([0.1, 0.5, 0.8, 0.95])
        self.spread = random.choice([3, 12])
        self.customers = random.choice([1, 2, 3])
        self.transactions = random.choice([2, 4, 8])
        self.takes_back = random.random() < 0.5

    def name(self, prefix: str, count: int) -> str:
        return f"{prefix}{self.number:03d}{self.random.randint(1, count)}"

    def month(self) -> date:
        return add_months(FIRST_MONTH, 2 * self.number + self.random.randint(0, 1))

    def moment(self) -> datetime:
        """One of few moments, so that versions are often equal."""
        start = add_months(FIRST_MONTH, 2 * self.number)
        return datetime.combine(start + timedelta(days=self.random.randint(0, self.spread) * 5), time(9))

    def row(self, source: str) -> Row:
        return getattr(self, f"_{source}")()

    def _customers(self) -> Row:
        random = self.random
        start = add_months(FIRST_MONTH, 2 * self.number)
        return {
            "customer_code": self.name("PN", self.customers),
            "effective_from": random.choice([start, start + timedelta(days=20), start + timedelta(days=35)]),
            "customer_name": "Bình",
            "contract_no": "HD1",
            "phone": random.choice(PHONES),
            "commune_code": random.choice(COMMUNES),
            "power_unit_code": random.choice(["PNYK00", "PNNQ00"]),
            "customer_type": "household",
            "status": random.choice(["active", "closed"]),
            "updated_at": self.moment(),
        }

    def _bills(self) -> Row:
        random, issued = self.random, self.moment().date()
        return {
            "bill_id": self.name("B", 4),
            "customer_code": self.name("PN", self.customers),
            "bill_type": random.choice(["electricity", "electricity", "service"]),
            "bill_month": self.month(),
            "cycle": 1,
            "issued_on": issued,
            "due_on": issued + timedelta(days=random.choice([0, 5, 10])),
            "amount_before_vat": 1,
            "vat_amount": 1,
            "total_amount": random.choice([100, 100, 100, 200, 300, 0]),
            "status": random.choices(["issued", "cancelled", "replaced"], [8, 1, 1])[0],
            "updated_at": self.moment(),
        }

    def _payments(self) -> Row:
        random, transaction = self.random, self.name("T", self.transactions)
        identity = self.identities.get(transaction)
        if identity is None or random.random() > self.steady:
            identity = (
                random.choice(["payment", "payment", "reversal"]),
                self.name("PN", self.customers + (random.random() < 0.2)),
                random.choice([50, 100, 100, 200]),
            )
            self.identities.setdefault(transaction, identity)
        kind, customer, amount = identity
        points_back = random.random() < (0.9 if kind == "reversal" else 0.1)
        far = datetime.combine(TODAY + timedelta(days=random.randint(1, DROPS)), time(8))
        return {
            "partner_code": f"P{self.number:03d}",
            "transaction_id": transaction,
            "kind": kind,
            "reverses_transaction_id": self.name("T", self.transactions) if points_back else None,
            "channel_code": random.choice(CHANNELS),
            "customer_code": customer,
            "bill_id": self.name("B", 5) if random.random() < self.named else None,
            "amount": amount,
            "fee": random.choice([None, 1]),
            "paid_at": self.moment() if random.random() < 0.95 else far,
        }

    def _auto_debit_mandates(self) -> Row:
        random, start = self.random, add_months(FIRST_MONTH, 2 * self.number)
        return {
            "mandate_id": self.name("M", 2),
            "customer_code": self.name("PN", self.customers + 1),
            "bank_code": "VCB",
            "signed_on": start + timedelta(days=random.choice([0, 40])),
            "ended_on": random.choice([None, start + timedelta(days=random.choice([20, 50]))]),
            "updated_at": self.moment(),
        }

    def _targets(self) -> Row:
        random = self.random
        level, code = random.choice(
            [("company", "COMPANY"), ("power_unit", "PNYK00"), ("commune", "14587"), ("commune", "14320")]
        )
        return {
            "month": self.month(),
            "level": level,
            "code": code,
            "metric": "cashless_rate_customers",
            "target": Decimal(random.randint(1, 9)) / 10,
            "updated_at": self.moment(),
        }

    def _collection_points(self) -> Row:
        random, start = self.random, add_months(FIRST_MONTH, 2 * self.number)
        return {
            "collection_point_code": self.name("DT", 2),
            "name": "Điểm thu",
            "operator": random.choice(["power_unit", "power_unit", "partner"]),
            "commune_code": random.choice(COMMUNES),
            "serves_commune_codes": "14587",
            "opened_on": start + timedelta(days=random.choice([0, 40])),
            "closed_on": random.choice([None, start + timedelta(days=random.choice([20, 70]))]),
            "updated_at": self.moment(),
        }

    def _campaigns(self) -> Row:
        start = add_months(FIRST_MONTH, 2 * self.number)
        return {
            "campaign_id": self.name("C", 1),
            "name": self.random.choice(["Vận động", "Vận động 2"]),
            "kind": "household_visit",
            "starts_on": start,
            "ends_on": self.random.choice([None, start + timedelta(days=30)]),
            "updated_at": self.moment(),
        }

    def _campaign_contacts(self) -> Row:
        random = self.random
        return {
            "contact_id": self.name("CC", 3),
            "campaign_id": self.name("C", 2),
            "customer_code": self.name("PN", self.customers + (random.random() < 0.1)),
            "employee_code": random.choice([None, self.name("NV", 2)]),
            "bank_code": None,
            "contacted_at": self.moment(),
            "place": "home",
            "outcome": random.choice(["not_reached", "refused", "agreed", "agreed"]),
            "updated_at": self.moment(),
        }

    def _notifications(self) -> Row:
        random = self.random
        return {
            "notification_id": self.name("N", 3),
            "campaign_id": None,
            "customer_code": random.choice([None, *(self.name("PN", self.customers) for _ in range(4))]),
            "commune_code": random.choice([None, *COMMUNES]),
            "topic": random.choice(["counter_closure", "counter_closure", "campaign"]),
            "medium": random.choice(["sms", "sms", "public_posting"]),
            "sent_at": self.moment(),
            "delivery": random.choice(["unknown", "failed", "delivered", "delivered", "delivered"]),
            "delivered_at": None,
            "updated_at": self.moment(),
        }

    def _phone_reviews(self) -> Row:
        random = self.random
        return {
            "review_id": self.name("R", 3),
            "customer_code": self.name("PN", self.customers),
            "phone": random.choice(PHONES),
            "reviewed_at": self.moment(),
            "result": random.choice(["unreachable", "not_owner", "owner_confirmed", "owner_confirmed"]),
            "updated_at": self.moment(),
        }

    def _feedback(self) -> Row:
        random, received = self.random, self.moment()
        closed = random.choice([None, received + timedelta(hours=30), received + timedelta(days=40)])
        return {
            "feedback_id": self.name("F", 3),
            "customer_code": random.choice([None, self.name("PN", self.customers)]),
            "commune_code": random.choice([None, *COMMUNES]),
            "received_at": received,
            "topic": random.choice(["counter_closure", "bill"]),
            "text": None,
            "status": "open" if closed is None else "closed",
            "closed_at": closed,
            "reopened": random.random() < 0.2,
            "updated_at": self.moment(),
        }

    def _employees(self) -> Row:
        return {
            "employee_code": self.name("NV", 2),
            "effective_from": add_months(FIRST_MONTH, 2 * self.number),
            "employee_name": "Nguyễn An",
            "power_unit_code": self.random.choice(["PNYK00", "PNNQ00"]),
            "status": "active",
            "updated_at": self.moment(),
        }

    def story(self) -> list[tuple[str, Row]]:
        """Two customers who paid cash until a campaign reached the first; later they mostly pay without."""
        random, start = self.random, add_months(FIRST_MONTH, 2 * self.number)
        written = {"updated_at": datetime.combine(start, time(8))}
        rows: list[tuple[str, Row]] = [("campaigns", self._campaigns())]
        contact = {
            **self._campaign_contacts(),
            "campaign_id": f"C{self.number:03d}1",
            "customer_code": f"PN{self.number:03d}1",
            "contacted_at": datetime.combine(start + timedelta(days=10), time(9)),
            "outcome": "agreed",
        }
        rows.append(("campaign_contacts", {**contact, **written}))
        for person in (1, 2):
            customer = {
                "customer_code": f"PN{self.number:03d}{person}",
                "effective_from": start,
                "commune_code": "14587",
                "status": "active",
            }
            rows.append(("customers", {**self._customers(), **customer, **written}))
            for number, day in enumerate(BILLS_OF_A_STORY, start=1):
                issued = start + timedelta(days=day)
                bill = {
                    "bill_id": f"B{self.number:03d}{person}{number}",
                    "customer_code": customer["customer_code"],
                    "bill_type": "electricity",
                    "issued_on": issued,
                    "total_amount": 100,
                    "status": "issued",
                }
                rows.append(("bills", {**self._bills(), **bill, **written}))
                payment = {
                    "transaction_id": f"S{self.number:03d}{person}{number}",
                    "kind": "payment",
                    "reverses_transaction_id": None,
                    "channel_code": "evn_counter" if number <= 3 else random.choice(["momo", "auto_debit"]),
                    "customer_code": customer["customer_code"],
                    "bill_id": bill["bill_id"],
                    "amount": 100,
                    "paid_at": datetime.combine(issued, time(10)),
                }
                if random.random() < 0.9:
                    rows.append(("payments", {**self._payments(), **payment}))
        return rows

    def turn(self, known: list[tuple[str, Row]]) -> list[tuple[str, Row]]:
        """How a story goes on: a bill or a contact is corrected, a payment is taken back."""
        source, row = self.random.choice(known)
        if source == "payments":
            undone = {"reverses_transaction_id": row["transaction_id"], "kind": "reversal"}
            return [(source, {**row, **undone, "transaction_id": f"R{row['transaction_id']}"})]
        other, later = self.row(source), {"updated_at": datetime.combine(TODAY, time(8))}
        column = self.random.choice([name for name in other if name not in SOURCES[source].key])
        return [(source, {**row, column: other[column], **later})]

    def part_of_the_story(self, drop: int, story: list[tuple[str, Row]]) -> list[tuple[str, Row]]:
        """All of it comes first, later now and then a turn; nothing where there is none."""
        if drop == 1 or not story:
            return story
        return self.turn(story) if self.random.random() < 0.3 else []

    def talk(self) -> list[tuple[str, Row]]:
        """Rows about people."""
        sources = self.random.choices(OF_PEOPLE, k=self.random.randint(1, 5))
        return [(source, self.row(source)) for source in sources]

    def drop(self, is_first: bool, with_points: bool) -> list[tuple[str, Row]]:
        """Many rows at first, later few or none; in drops `with_points` also collection points."""
        random = self.random
        sources = random.choices(OFTEN, k=15 if is_first else random.choice([0, 1, 1, 1, 2, 6]))
        if random.random() < 0.05:
            sources.append("targets")
        if with_points and random.random() < 0.05:
            sources.append("collection_points")
        return [(source, self.row(source)) for source in sources]


@dataclass(eq=False)
class File:
    """A file of the landing: rows of one source. Each is itself, whatever its rows."""

    path: str
    source: str
    rows: Rows


def _frozen(row: Row) -> tuple[Any, ...]:
    return tuple(sorted((name, str(value)) for name, value in row.items()))


def _standing(files: list[File], today: date) -> dict[str, pd.DataFrame]:
    """The distinct accepted rows of these files: no payment from the future."""
    rows: dict[str, dict[tuple[Any, ...], Row]] = {source: {} for source in SOURCES}
    for file in files:
        for row in file.rows:
            if file.source != "payments" or row["paid_at"].date() <= today:
                rows[file.source][_frozen(row)] = row
    return {source: frame(source, of_source.values()) for source, of_source in rows.items()}


def _write(landing: Path, name: str, rows: list[tuple[str, Row]]) -> Iterator[File]:
    for source, contract in SOURCES.items():
        new = [row for its_source, row in rows if its_source == source]
        if new:
            path = landing / source / f"{name}.csv"
            path.parent.mkdir(exist_ok=True)
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(contract.names)
                writer.writerows(
                    [_text(column, row.get(column.name)) for column in contract.columns] for row in new
                )
            yield File(f"{source}/{name}.csv", source, new)


def _copy(landing: Path, file: File) -> File | None:
    """The same content under another name; None if that name is taken."""
    path = Path(file.path).with_name(f"copy_{Path(file.path).name}")
    if (landing / path).exists():
        return None
    (landing / path).write_bytes((landing / file.path).read_bytes())
    return File(str(path), file.source, file.rows)


def _text(column: Column, value: Any) -> str:
    """A value in the plainest of the forms that are read."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:%Y-%m}" if column.kind == "month" else str(value)


@dataclass
class Desk:
    """The people who take files back and have them read again. `files`: those that stand, `withdrawn`: the others."""

    landing: Path
    files: list[File] = field(default_factory=list)
    withdrawn: list[File] = field(default_factory=list)

    def take_back(self, settings: Settings, files: list[File]) -> None:
        if files:
            unload(settings, [file.path for file in files], PERSON)
            self.files[:] = [file for file in self.files if file not in files]
            self.withdrawn += files

    def read_again(self, settings: Settings, random: Random, loaded: list[File]) -> None:
        """Some come back, some are corrected in place, some come once more under other names."""
        back = [file for file in self.withdrawn if random.random() < 0.2]
        again = [file for file in loaded if file in self.files and random.random() < 0.05]
        for file in back + again:
            if random.random() < 0.4:
                other = random.choice([other for other in loaded if other.source == file.source])
                (self.landing / file.path).write_bytes((self.landing / other.path).read_bytes())
                file.rows = other.rows
        if back or again:
            reload(settings, [file.path for file in back + again], PERSON)
            self.files += back
            self.withdrawn = [file for file in self.withdrawn if file not in back]
        copied = [file for file in self.files if random.random() < 0.05]
        self.files += [copy for file in copied if (copy := _copy(self.landing, file)) is not None]


def _play(
    seed: int,
    warehouse: Settings,
    monkeypatch: pytest.MonkeyPatch,
    target: Path,
    numbers: Any = range(WORLDS),
    drops: int = DROPS,
) -> list[set[str]]:
    """The customers converted after each drop."""
    landing = Path(warehouse.landing)
    worlds = [World(number, Random(f"world {seed} {number}")) for number in numbers]
    came: dict[int, list[tuple[str, Row]]] = {world.number: [] for world in worlds}
    stories = {
        world.number: world.story()
        for world in Random(f"converting {seed}").sample(worlds, min(len(worlds), CONVERTING))
    }
    converted: list[set[str]] = []
    desk = Desk(landing)
    files = desk.files
    for drop in range(1, drops + 1):
        loaded = [*files]
        today = TODAY + timedelta(days=drop)
        settings = warehouse.model_copy(update={"today": today})
        shared: list[tuple[str, Row]] = []
        taken_back: list[File] = []
        talking = Random(f"talk {seed} {drop}").sample(worlds, min(len(worlds), TALKING))
        for world in worlds:
            random, known = world.random, came[world.number]
            own = [file for file in files if f"/w{world.number:03d}_" in file.path]
            gone = [file for file in own if drop > 1 and random.random() < 0.15]
            taken_back += gone
            if gone and random.random() < 0.7:
                continue  # so that nothing else touches what these did
            new = world.drop(is_first=drop == 1, with_points=drop % 3 == 0)
            if world in talking:
                new += world.talk()
            new += world.part_of_the_story(drop, stories.get(world.number, []))
            # Some rows come again, some with another value in one place.
            if not world.takes_back:
                new += random.sample(known, min(len(known), random.choice([0, 0, 0, 1, 3])))
            if known and random.random() < 0.3:
                source, row = random.choice(known)
                other = world.row(source)
                key = SOURCES[source].key
                column = random.choice([name for name in other if name not in key])
                new.append((source, {**row, column: other[column]}))
            known += new
            if world.takes_back:
                # A row a file, so that it can vanish alone.
                for count, arrival in enumerate(new):
                    files += _write(landing, f"w{world.number:03d}_{drop}_{count}", [arrival])
            else:
                shared += new
        files += _write(landing, f"shared_{drop}", shared)
        steps = f"after drop {drop} of seed {seed}"
        desk.take_back(settings, taken_back)
        desk.read_again(settings, Random(f"people {seed} {drop}"), loaded)
        pipeline.run(settings, monkeypatch, target)
        assert_published(settings, _standing(files, today), steps)
        converted.append(_converted(settings))
    assert set.union(*converted), f"nobody is ever converted in seed {seed}"
    by_drops = snapshot(settings)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "open_session", partial(open_session, is_full=True))
        pipeline.run(settings, monkeypatch, target)
    assert_identical(by_drops, snapshot(settings), f"unlike everything made anew, of seed {seed}")
    return converted


def _converted(settings: Settings) -> set[str]:
    with closing(connect(settings)) as conn, conn.cursor() as cursor:
        cursor.execute(
            "select distinct customer_code from bi.fct_campaign_contact"
            " join bi_private.customer_key using (customer_key) where is_converted"
        )
        return {code for (code,) in cursor.fetchall()}


@pytest.mark.parametrize("seed", [1])
def test_tiny_worlds(seed: int, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    converted = _play(seed, warehouse, monkeypatch, tmp_path)
    assert any(before - after for before, after in pairwise(converted)), "no conversion is ever undone"


@pytest.mark.extended
@pytest.mark.parametrize("seed", MANY)
def test_many_tiny_worlds(
    seed: int, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _play(seed, warehouse, monkeypatch, tmp_path)
