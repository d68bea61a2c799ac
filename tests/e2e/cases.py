"""Small histories by hand: what had come before, and the late rows that make something vanish, move or resolve.

Belongs here: one function per case, giving the rows of the first drop and those of the second. Every case has
customers, bills, partners and two months of its own, so that many can share a warehouse and what one of them
touches does not rebuild another's figures by chance. Does not belong here: running them (test_vanishing.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd

from tests.oracle.bundle import add_months, last_day
from tests.oracle.columns import SOURCES, Row, frame

Arrival = tuple[str, Row]
Drops = tuple[list[Arrival], list[Arrival]]

HOME, AWAY, THIRD = "14587", "14320", "14404"  # communes of three districts
FIRST_MONTH = date(2018, 1, 1)
PRICE = 108_000
TODAY = date(2026, 11, 22)


@dataclass
class Scene:
    """The names and the two months of one case, and rows in their plain form: changes are given by column."""

    number: int

    def month(self, later: int = 0) -> date:
        return add_months(FIRST_MONTH, 2 * self.number + later)

    def name(self, prefix: str, who: object) -> str:
        return f"{prefix}{self.number:03d}{who}"

    def at(self, day: int, hour: int = 9) -> datetime:
        """A moment `day` days after the case's first month began."""
        return datetime.combine(self.month() + timedelta(days=day), time(hour))

    def customer(self, who: str = "a", **changes: Any) -> Arrival:
        """Known since long before, in HOME."""
        return "customers", {
            "customer_code": self.name("PN", who),
            "effective_from": date(2015, 1, 1),
            "customer_name": "Nguyễn Bình",
            "contract_no": "HD1",
            "phone": None,
            "address": None,
            "commune_code": HOME,
            "power_unit_code": "PNYK00",
            "customer_type": "household",
            "status": "active",
            "updated_at": datetime(2015, 1, 1),
            **changes,
        }

    def bill(self, which: int = 1, who: str = "a", later: int = 0, **changes: Any) -> Arrival:
        """A bill of PRICE of the first month, or a later one."""
        issued = self.month(later) + timedelta(days=3)
        return "bills", {
            "bill_id": self.name("B", which),
            "customer_code": self.name("PN", who),
            "bill_type": "electricity",
            "bill_month": self.month(later),
            "cycle": 1,
            "issued_on": issued,
            "due_on": issued + timedelta(days=10),
            "kwh": None,
            "amount_before_vat": 100_000,
            "vat_amount": 8_000,
            "total_amount": PRICE,
            "status": "issued",
            "replaced_by": None,
            "updated_at": datetime.combine(issued, time(8)),
            **changes,
        }

    def payment(
        self, which: int = 1, who: str = "a", bill: int | None = None, day: int = 5, **changes: Any
    ) -> Arrival:
        """A payment of PRICE that names a bill or none."""
        return "payments", {
            "partner_code": self.name("P", ""),
            "transaction_id": self.name("T", which),
            "kind": "payment",
            "reverses_transaction_id": None,
            "channel_code": "momo",
            "customer_code": self.name("PN", who),
            "bill_id": None if bill is None else self.name("B", bill),
            "amount": PRICE,
            "fee": None,
            "paid_at": self.at(day),
            "partner_settled_on": None,
            "collection_point_code": None,
            **changes,
        }

    def reversal(self, which: int, of: int, who: str = "a", day: int = 8, **changes: Any) -> Arrival:
        """A reversal of the whole of a payment."""
        original = {"kind": "reversal", "reverses_transaction_id": self.name("T", of)}
        return self.payment(which, who, day=day, **{**original, **changes})

    def mandate(self, who: str = "a", **changes: Any) -> Arrival:
        """An auto-debit mandate for both months."""
        return "auto_debit_mandates", {
            "mandate_id": self.name("M", ""),
            "customer_code": self.name("PN", who),
            "bank_code": "VCB",
            "signed_on": self.month(),
            "ended_on": None,
            "updated_at": self.at(0),
            **changes,
        }

    def point(self, **changes: Any) -> Arrival:
        """A counter in HOME, open at the end of the first month only."""
        return "collection_points", {
            "collection_point_code": self.name("DT", ""),
            "name": "Điểm thu",
            "operator": "power_unit",
            "commune_code": HOME,
            "serves_commune_codes": HOME,
            "opened_on": self.month(),
            "planned_close_on": None,
            "closed_on": last_day(self.month(1)),
            "authority_reported_on": None,
            "updated_at": self.at(0),
            **changes,
        }

    def target(self, **changes: Any) -> Arrival:
        """The company's target of the first month."""
        return "targets", {
            "month": self.month(),
            "level": "company",
            "code": "COMPANY",
            "metric": "cashless_rate_customers",
            "target": Decimal("0.8"),
            "updated_at": self.at(0),
            **changes,
        }

    def paid_bill(self, which: int = 1, who: str = "a", later: int = 0) -> list[Arrival]:
        """A bill and the payment that names it."""
        return [self.bill(which, who, later), self.payment(which, who, which, day=5 + 31 * later)]

    def neighbours(self) -> list[Arrival]:
        """What stands beside the case in both months and must stay as it is: one pays, one does not."""
        return [
            self.customer("y"),
            *self.paid_bill(91, "y"),
            self.bill(92, "y", 1),
            self.customer("z", commune_code=AWAY, power_unit_code="PNNB00"),
            self.bill(93, "z"),
            *self.paid_bill(94, "z", 1),
        ]


@dataclass(frozen=True)
class Case:
    """A case: both drops, the wave in which it comes when all come together, and whether figures change at all."""

    name: str
    wave: int
    first: list[Arrival] = field(repr=False)
    then: list[Arrival] = field(repr=False)
    today: date
    changes_figures: bool


CASES: list[Case] = []


def case(
    wave: int = 1, *, alone: bool = False, today: date = TODAY, changes_figures: bool = True
) -> Callable[[Callable[[Scene], Drops]], None]:
    """Enter a case. Wave 2: what stands beside bills. Waves 3 and 4: what touches all months.

    alone: nothing else is in its months. today: the day of the second run.
    """

    def enter(story: Callable[[Scene], Drops]) -> None:
        scene = Scene(len(CASES))
        first, then = story(scene)
        background = [] if alone else scene.neighbours()
        CASES.append(Case(story.__name__, wave, [*background, *first], then, today, changes_figures))

    return enter


def tables(arrivals: list[Arrival]) -> dict[str, pd.DataFrame]:
    """Rows of all sources as the oracle and the writer take them."""
    return {
        name: frame(name, [row for source, row in arrivals if source == name])
        for name in SOURCES
        if any(source == name for source, _ in arrivals)
    }


# -- bills -------------------------------------------------------------------------------------------------


@case()
def a_paid_bill_is_cancelled(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.bill(status="cancelled", updated_at=s.at(40))]


@case()
def a_cancelled_bill_is_issued_again(s: Scene) -> Drops:
    cancelled = s.bill(status="cancelled")
    return [s.customer(), cancelled, s.payment(bill=1)], [s.bill(updated_at=s.at(40))]


@case(alone=True)
def the_only_bill_of_a_month_is_cancelled(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.bill(status="cancelled", updated_at=s.at(40))]


@case(alone=True)
def the_only_bill_of_a_month_moves_to_the_next(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.bill(bill_month=s.month(1), updated_at=s.at(40))]


@case(alone=True)
def the_only_electricity_bill_of_a_month_becomes_a_service_bill(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.bill(bill_type="service", updated_at=s.at(40))]


@case()
def a_bill_moves_to_another_month(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.bill(bill_month=s.month(1), updated_at=s.at(40))]


@case()
def a_bill_moves_by_a_row_of_the_same_version(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.bill(bill_month=s.month(1))]


@case(changes_figures=False)
def an_older_version_of_a_bill_comes_late(s: Scene) -> Drops:
    older = s.bill(status="cancelled", total_amount=1, updated_at=s.at(-40))
    return [s.customer(), *s.paid_bill()], [older]


@case(changes_figures=False)
def the_same_rows_come_again(s: Scene) -> Drops:
    rows = [s.customer(), *s.paid_bill(), s.reversal(2, of=1)]
    return rows, rows


@case()
def a_bill_changes_its_customer(s: Scene) -> Drops:
    """Both have payments that name no bill: one loses what it paid, the other finds something to pay."""
    first = [
        *[s.customer(), s.customer("b", commune_code=AWAY, power_unit_code="PNNB00")],
        *[s.bill(1), s.bill(2, "a", 1), s.payment(1), s.payment(2, "b")],
    ]
    return first, [s.bill(1, "b", updated_at=s.at(40))]


@case()
def a_bill_becomes_cheaper(s: Scene) -> Drops:
    """What its payment, which names none, has left pays the next bill."""
    first = [s.customer(), s.bill(1), s.bill(2, later=1), s.payment()]
    return first, [s.bill(1, total_amount=PRICE - 9_000, updated_at=s.at(40))]


@case()
def a_bill_becomes_worthless(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.bill(total_amount=0, updated_at=s.at(40))]


@case()
def a_bill_is_replaced(s: Scene) -> Drops:
    """Its payment does not move to the replacement."""
    replaced = s.bill(status="replaced", replaced_by=s.name("B", 2), updated_at=s.at(40))
    return [s.customer(), *s.paid_bill()], [replaced, s.bill(2, updated_at=s.at(40))]


@case()
def another_due_date_reorders_what_is_paid(s: Scene) -> Drops:
    first = [s.customer(), s.bill(1), s.bill(2, later=1), s.payment()]
    return first, [s.bill(1, due_on=last_day(s.month(1)), updated_at=s.at(40))]


@case()
def an_older_bill_comes_late_and_takes_the_payment(s: Scene) -> Drops:
    return [s.customer(), s.bill(2, later=1), s.payment(day=40)], [s.bill(1)]


@case()
def a_bill_becomes_due_earlier_and_is_no_longer_on_time(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.bill(due_on=s.month(), updated_at=s.at(40))]


# -- payments ----------------------------------------------------------------------------------------------


@case()
def a_payment_comes_late(s: Scene) -> Drops:
    return [s.customer(), s.bill()], [s.payment(bill=1, day=300)]


@case()
def an_earlier_payment_reorders_all_later_ones(s: Scene) -> Drops:
    """None of them names a bill: every bill of the customer is now paid by another one."""
    first = [
        *[s.customer(), s.bill(1), s.bill(2, later=1)],
        *[s.payment(1, day=10, channel_code="momo"), s.payment(2, day=40, channel_code="evn_counter")],
    ]
    return first, [s.payment(3, day=5, channel_code="bank_counter", amount=PRICE // 2)]


@case()
def a_payment_names_another_bill(s: Scene) -> Drops:
    first = [s.customer(), *s.paid_bill(1), s.bill(2, later=1)]
    return first, [s.payment(1, bill=2, paid_at=s.at(5, 10))]


@case()
def a_payment_no_longer_names_a_bill(s: Scene) -> Drops:
    """It paid another customer's bill; now it pays its own customer's."""
    first = [s.customer(), s.bill(1), s.customer("b"), s.bill(2, "b", 1), s.payment(1, bill=2)]
    return first, [s.payment(1, paid_at=s.at(5, 10))]


@case()
def a_payment_becomes_named(s: Scene) -> Drops:
    first = [s.customer(), s.bill(1), s.customer("b"), s.bill(2, "b", 1), s.payment(1)]
    return first, [s.payment(1, bill=2, paid_at=s.at(5, 10))]


@case()
def a_payment_for_another_customers_bill_frees_the_owners_own(s: Scene) -> Drops:
    """The owner's payments name no bill: what paid this bill now pays the next."""
    first = [s.customer(), s.customer("b"), s.bill(1), s.bill(2, later=1), s.payment(1)]
    return first, [s.payment(2, "b", bill=1, channel_code="evn_counter")]


@case()
def a_payment_names_a_bill_that_comes_later(s: Scene) -> Drops:
    return [s.customer(), s.payment(bill=1)], [s.bill(1)]


@case()
def a_payment_names_a_bill_that_comes_later_and_is_out_of_scope(s: Scene) -> Drops:
    """Suspense becomes unapplied; no bill is paid."""
    return [s.customer(), s.payment(bill=1)], [s.bill(1, status="cancelled")]


@case()
def a_payment_names_a_bill_of_another_customer_that_comes_later(s: Scene) -> Drops:
    first = [s.customer(), s.payment(1, bill=1), s.payment(2, "b"), s.bill(2, "b", 1)]
    return first, [s.bill(1, "b")]


@case()
def an_unknown_customer_becomes_known_by_a_bill(s: Scene) -> Drops:
    return [s.payment()], [s.bill(1)]


@case()
def an_unknown_customer_becomes_known_by_a_cancelled_bill(s: Scene) -> Drops:
    """Suspense becomes unapplied, although there is nothing to pay."""
    return [s.payment()], [s.bill(1, status="cancelled")]


@case()
def an_unknown_customer_becomes_known_by_a_customers_row(s: Scene) -> Drops:
    return [s.payment()], [s.customer()]


@case()
def a_customer_is_unknown_again_as_its_bill_was_anothers(s: Scene) -> Drops:
    return [s.bill(1), s.payment(1)], [s.bill(1, "b", updated_at=s.at(40))]


@case()
def only_the_channel_of_a_payment_changes(s: Scene) -> Drops:
    """Of the same class: no bill changes, the channels' shares do."""
    return [s.customer(), *s.paid_bill()], [s.payment(1, bill=1, channel_code="zalopay")]


@case()
def a_payment_turns_out_to_be_no_cashless_one(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.payment(1, bill=1, channel_code="no_such_channel")]


@case()
def a_payment_was_made_on_another_day(s: Scene) -> Drops:
    """Its partner has no line on the first day any more."""
    return [s.customer(), *s.paid_bill()], [s.payment(1, bill=1, day=25)]


@case()
def an_older_row_makes_a_payment_a_conflict(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.payment(1, bill=1, amount=PRICE + 1, day=4)]


@case()
def a_payment_of_two_customers_is_a_conflict_and_its_reversal_an_orphan(s: Scene) -> Drops:
    first = [s.customer(), s.bill(1), s.payment(1), s.reversal(2, of=1, amount=5_000)]
    return first, [s.payment(1, "b", day=4)]


@case()
def a_conflict_becomes_greater_on_another_day(s: Scene) -> Drops:
    first = [s.customer(), *s.paid_bill(), s.payment(1, bill=1, amount=PRICE + 1)]
    return first, [s.payment(1, bill=1, amount=PRICE + 9, day=28)]


# -- reversals ---------------------------------------------------------------------------------------------


@case()
def a_reversal_comes_after_its_original(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.reversal(2, of=1, amount=8_000)]


@case()
def a_reversal_comes_before_its_original(s: Scene) -> Drops:
    return [s.customer(), s.bill(1), s.reversal(2, of=1, amount=8_000)], [s.payment(1, bill=1)]


@case()
def a_reversal_by_another_customer_months_later(s: Scene) -> Drops:
    return [s.customer(), s.bill(1), s.payment(1)], [s.reversal(2, of=1, who="x", day=200)]


@case()
def an_earlier_reversal_makes_another_one_excess(s: Scene) -> Drops:
    first = [s.customer(), *s.paid_bill(), s.reversal(2, of=1, day=20, amount=PRICE - 8_000)]
    return first, [s.reversal(3, of=1, day=10, amount=PRICE - 9_000)]


@case()
def a_reversal_turns_to_another_payment(s: Scene) -> Drops:
    first = [s.customer(), *s.paid_bill(1), *s.paid_bill(2, later=1), s.reversal(3, of=1, amount=8_000)]
    return first, [s.reversal(3, of=2, day=9, amount=8_000)]


@case()
def a_reversal_loses_its_reference(s: Scene) -> Drops:
    first = [s.customer(), *s.paid_bill(), s.reversal(2, of=1)]
    return first, [s.reversal(2, of=1, day=9, reverses_transaction_id=None)]


@case()
def a_reversal_becomes_a_conflict_and_frees_its_payment(s: Scene) -> Drops:
    first = [s.customer(), *s.paid_bill(), s.reversal(2, of=1)]
    return first, [s.reversal(2, of=1, amount=PRICE - 1, day=7)]


@case()
def a_reversed_payment_leaves_its_bill_to_another(s: Scene) -> Drops:
    first = [s.customer(), s.bill(1), s.bill(2, later=1), s.payment(1), s.payment(2, day=6)]
    return first, [s.reversal(3, of=1)]


# -- customers ---------------------------------------------------------------------------------------------


@case()
def a_commune_and_a_power_unit_are_left_without_bills(s: Scene) -> Drops:
    there = s.customer(commune_code=THIRD, power_unit_code="PNXX00")
    return [there, *s.paid_bill()], [s.customer(updated_at=s.at(40))]


@case()
def an_unknown_place_becomes_known(s: Scene) -> Drops:
    """Bills of a customer nobody knew: the rows of UNKNOWN vanish."""
    return [*s.paid_bill(1), *s.paid_bill(2, later=1)], [s.customer(effective_from=s.month(1))]


@case()
def a_version_is_put_between_two_others(s: Scene) -> Drops:
    latest = s.customer(effective_from=s.month(2), commune_code=THIRD, power_unit_code="PNNQ00")
    between = s.customer(effective_from=s.month(1), commune_code=AWAY, power_unit_code="PNNB00")
    return [s.customer(), latest, *s.paid_bill(1), *s.paid_bill(2, later=1)], [between]


@case()
def a_version_is_put_before_the_first(s: Scene) -> Drops:
    """It holds for what lies before it too."""
    known = s.customer(effective_from=s.month(1))
    before = s.customer(effective_from=s.month() + timedelta(days=20), commune_code=AWAY)
    return [known, *s.paid_bill(1), *s.paid_bill(2, later=1)], [before]


@case()
def the_latest_version_moves_all_months_of_the_current_map(s: Scene) -> Drops:
    """After both months: as recorded nothing changes."""
    moved = s.customer(effective_from=s.month(5), commune_code=AWAY, power_unit_code="PNNB00")
    return [s.customer(), *s.paid_bill(1), *s.paid_bill(2, later=1)], [moved]


@case()
def a_commune_gets_another_power_unit_by_one_more_customer(s: Scene) -> Drops:
    """Most of its customers decide; a counter there goes with it."""
    there = {"commune_code": THIRD, "power_unit_code": "PNGV00"}
    first = [s.customer("a", **there), s.bill(1, "a"), s.point(commune_code=THIRD)]
    for number, who in enumerate("bc", start=2):
        first.append(s.customer(who, **{**there, "power_unit_code": "PNNQ00"}))
        first.append(s.bill(number, who, number - 2))
    more = [s.customer("d", **{**there, "power_unit_code": "PNNQ00"}), s.bill(4, "d")]
    return first, more


# -- what stands beside bills ------------------------------------------------------------------------------


@case(2)
def a_mandate_is_signed(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.mandate()]


@case(2)
def a_mandate_has_ended(s: Scene) -> Drops:
    ended = s.mandate(ended_on=s.month() + timedelta(days=9), updated_at=s.at(40))
    return [s.customer(), *s.paid_bill(), s.mandate()], [ended]


@case(2)
def a_mandate_was_another_customers(s: Scene) -> Drops:
    other = s.customer("b", commune_code=AWAY, power_unit_code="PNNB00")
    first = [s.customer(), *s.paid_bill(1), other, *s.paid_bill(2, "b"), s.mandate()]
    return first, [s.mandate("b", updated_at=s.at(40))]


@case(2)
def a_counter_opens(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill()], [s.point()]


@case(2)
def a_counter_was_closed(s: Scene) -> Drops:
    closed = s.point(closed_on=last_day(s.month()), updated_at=s.at(40))
    return [s.customer(), *s.paid_bill(), s.point()], [closed]


@case(2)
def a_counter_was_a_partners(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill(), s.point()], [s.point(operator="partner", updated_at=s.at(40))]


@case(2)
def a_counter_moves(s: Scene) -> Drops:
    """By a row between two others: where it was on the last day of the first month."""
    first = [s.customer(), *s.paid_bill(), s.point(), s.point(updated_at=s.at(50))]
    return first, [s.point(commune_code=AWAY, updated_at=s.at(20))]


@case(2)
def a_counter_is_known_from_an_earlier_day(s: Scene) -> Drops:
    """Before its first version the first one says where it is."""
    first = [s.customer(), *s.paid_bill(), s.point(updated_at=s.at(300))]
    return first, [s.point(commune_code=AWAY, updated_at=s.at(200))]


@case(2)
def the_companys_target_changes(s: Scene) -> Drops:
    return [s.customer(), *s.paid_bill(), s.target()], [s.target(target=Decimal("0.9"), updated_at=s.at(40))]


@case(2)
def targets_come_for_every_level(s: Scene) -> Drops:
    units = [("power_unit", "PNYK00"), ("district", "375"), ("commune", HOME)]
    return [s.customer(), *s.paid_bill()], [s.target(level=level, code=code) for level, code in units]


@case(2)
def a_target_of_a_unit_that_gets_its_first_bill(s: Scene) -> Drops:
    """The target was there before the unit had a row."""
    there = s.customer(commune_code=THIRD, power_unit_code="PNNQ00")
    unit = [("power_unit", "PNNQ00"), ("commune", THIRD)]
    return [there, *(s.target(level=level, code=code) for level, code in unit)], s.paid_bill()


# -- what touches all months -------------------------------------------------------------------------------

LAST = date(2026, 6, 1)  # after the months of all cases


@case(3)
def a_month_becomes_final_and_no_figure_changes(s: Scene) -> Drops:
    """A stranger's payment, 76 days after the month's end."""
    bill = s.bill(1, bill_month=LAST, issued_on=LAST, due_on=LAST, updated_at=s.at(0))
    paid = s.payment(1, bill=1, paid_at=datetime(2026, 7, 5, 9))
    return [s.customer(), bill, paid], [s.payment(2, "x", paid_at=datetime(2026, 9, 14, 9))]


@case(4, today=TODAY + timedelta(days=2))
def the_day_of_a_payment_from_the_future_comes(s: Scene) -> Drops:
    """It lay in quarantine; no file is new."""
    tomorrow = datetime.combine(TODAY, time(9)) + timedelta(days=1)
    return [s.customer(), s.bill(1), s.payment(1, bill=1, paid_at=tomorrow)], []
