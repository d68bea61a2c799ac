"""Random small bundles of raw rows, rich in the cases the rules are about.

Belongs here: inventing typed, acceptable rows of all twelve sources; the same seed gives the same rows. Does
not belong here: files and their forms (write_bundle.py), or what the rows amount to (recompute.py).
"""

from __future__ import annotations

import calendar
import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pandas as pd

from .bundle_outreach import NEW_PROVINCE_ONLY, UNKNOWN_COMMUNE, Outreach
from .columns import SOURCES, Row, Rows, frame
from .dice import Dice
from .places import add_months
from .reference import reference

SPLIT_COMMUNE = "14503"

ADDRESSES = [
    "Phố Phúc Thành",
    "Số 1, ngõ 2",
    'Xóm "Đông"; đội 3',
    "Tổ dân phố 5\nkhu B",
    "Thôn 4 | xã cũ",
    "Đường Trần Hưng Đạo",
    None,
]
PARTNERS = ["PCNB", "VNPAY", "MOMO", "VCB", "VNPOST", "AGRIBANK"]
CHANNELS = [
    *[
        "auto_debit",
        "internet_banking",
        "mobile_banking",
        "qr",
        "atm",
        "bankplus",
        "viettel_money",
        "zalopay",
    ],
    *["momo", "vnpay", "evn_app", "public_service_portal"],
    *["bank_counter", "partner_agent", "post_office"] * 2,
    *["evn_counter", "home_collector"] * 3,
    *["MoMo", "kenh_la", None],
]
METRICS = ("cashless_rate_customers", "cashless_rate_bills", "cashless_rate_amount")


@dataclass(frozen=True)
class Bundle:
    """Accepted raw rows by source, and the seed they came from."""

    seed: int
    tables: dict[str, pd.DataFrame]


def last_day(month: dt.date) -> dt.date:
    """The last day of a month."""
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


class Maker(Dice):
    """One bundle in the making: a random stream, the period, and the rows so far."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.rows: dict[str, Rows] = {name: [] for name in SOURCES}
        self.months = self.choose_months()
        self.first, self.last = self.months[0], last_day(self.months[-1])
        self.communes = self.choose_communes()
        self.latest = self.random.choice([20, 20, 60, 200])  # days to the latest payment of a bill
        self.customers: list[str] = []
        self.strangers: list[str] = []
        self.transactions: defaultdict[str, int] = defaultdict(int)
        self.outreach = Outreach(seed, self.months, self.communes, self.rows)

    # -- the period and the places ------------------------------------------------------------------------

    def choose_months(self) -> list[dt.date]:
        """4 to 14 months, mostly around the borders of the eras."""
        if self.chance(0.15):
            start, count = dt.date(2023, self.random.randint(1, 12), 1), self.random.randint(4, 14)
        else:
            # Up to 2025-10, so that no reversal of a late payment lies in the future.
            delay = self.random.randint(0, 8)
            start, count = add_months(dt.date(2024, 9, 1), delay), self.random.randint(4, 14 - delay)
        return [add_months(start, number) for number in range(count)]

    def choose_communes(self) -> list[str]:
        """The communes (codes to 2024) customers live in: the split one, recycled ones, vanished ones."""
        facts = reference()
        old = sorted(code for code, era in facts.communes if era == 0)
        recycled = [
            code
            for code in old
            if any(
                (code, era) in facts.communes
                and facts.communes[code, era].full_name != facts.communes[code, 0].full_name
                for era in (1, 2)
            )
        ]
        vanished = [code for code in old if (code, 1) not in facts.communes]
        chosen = [SPLIT_COMMUNE, *self.random.sample(recycled, 4), *self.random.sample(vanished, 2)]
        neighbours = [
            code for code in old if facts.forward(code, 0, 2) == facts.forward(chosen[1], 0, 2)
        ]  # several old communes that become one
        return list(
            dict.fromkeys(
                [*chosen, *neighbours[:3], *self.random.sample(old, self.random.randint(1, 4)), "14587"]
            )
        )

    def unit_of(self, commune: str) -> str:
        """The power unit that serves a commune, sometimes another one, sometimes one nobody knows."""
        if self.chance(0.04):
            return self.random.choice(["PNXX00", "PNKS00"])
        units = dict(
            zip(
                ["369", "370", "372", "373", "374", "375", "376", "377"],
                ["PNNB00", "PNTD00", "PNNQ00", "PNGV00", "PNHL00", "PNYK00", "PNKS00", "PNYM00"],
                strict=True,
            )
        )
        facts = reference()
        for era in (0, 1):
            if (commune, era) in facts.communes:
                return units[str(facts.communes[commune, era].district_code)]
        return "PNNB00"

    def code_in_era(self, commune: str, era: int) -> str:
        """How a commune of 2024 is written in an era; the split one goes to one of its heirs."""
        if commune == SPLIT_COMMUNE and era == 2:
            return self.random.choice(["14533", "14488"])
        return reference().forward(commune, 0, era)

    # -- customers ----------------------------------------------------------------------------------------

    def phone(self) -> str | None:
        """A phone number as it is kept: ten digits, none, or one that cannot be normalised."""
        if self.chance(0.1):
            return None
        if self.chance(0.04):
            return self.random.choice(["02293871234", "0912345678 / 0987654321"])
        return self.random.choice(["091", "098", "035", "070"]) + f"{self.random.randint(0, 9999999):07d}"

    def customer_row(self, code: str, effective_from: dt.date, commune: str, **other: Any) -> Row:
        """A customers row."""
        return {
            "customer_code": code,
            "effective_from": effective_from,
            "customer_name": self.person(),
            "contract_no": f"HD{self.random.randint(0, 9999999):07d}",
            "phone": self.phone(),
            "address": self.random.choice(ADDRESSES),
            "commune_code": commune,
            "power_unit_code": self.unit_of(commune),
            "customer_type": self.random.choices(["household", "business", "public", "other"], [85, 8, 5, 2])[
                0
            ],
            "status": "active",
            "updated_at": self.moment(effective_from + dt.timedelta(days=self.random.randint(0, 3))),
            **other,
        }

    def make_customers(self) -> None:
        """Customers that stay, move, are re-coded, coded late, closed, corrected, or known to nobody."""
        for number in range(self.random.randint(20, 150)):
            prefix = "HN" if self.chance(0.05) else "PN"
            code = f"{prefix}{self.random.randint(1, 8):02d}{number:09d}"
            self.customers.append(code)
            if self.chance(0.03):
                self.strangers.append(code)
                continue
            home = self.random.choice(self.communes)
            began = self.day(dt.date(2012, 1, 1), dt.date(2022, 12, 31))
            if self.chance(0.08):  # the first version begins after the first bills
                began = self.day(self.first, self.last)
            era = sum(began >= start for start in (dt.date(2025, 1, 1), dt.date(2025, 7, 1)))
            written = home if self.chance(0.2) else self.code_in_era(home, era)
            if self.chance(0.03):
                written = self.random.choice([UNKNOWN_COMMUNE, NEW_PROVINCE_ONLY, "UNRESOLVED"])
            versions = [self.customer_row(code, began, written)]
            if self.chance(0.35):
                versions += self.later_versions(code, home)
            for row in versions:
                self.rows["customers"] += self.corrections_of_customer(row)

    def later_versions(self, code: str, home: str) -> Rows:
        """What happens to a customer later on; at most one version a day."""
        found: dict[dt.date, Row] = {}
        for _ in range(self.random.randint(1, 3)):
            kind = self.random.choice(["move", "move_late_code", "recode", "late_code", "close", "future"])
            day = self.day(self.first - dt.timedelta(days=40), self.last)
            era = sum(day >= start for start in (dt.date(2025, 1, 1), dt.date(2025, 7, 1)))
            commune = home
            if kind == "recode":
                day, era = self.random.choice([(dt.date(2025, 1, 1), 1), (dt.date(2025, 7, 1), 2)])
                commune = self.code_in_era(home, era)
            elif kind == "late_code":
                day = self.day(dt.date(2025, 1, 1), dt.date(2025, 12, 31))
            elif kind in ("move", "move_late_code"):
                home = self.random.choice(self.communes)
                commune = home if kind == "move_late_code" else self.code_in_era(home, era)
            elif kind == "future":
                day = self.day(self.last + dt.timedelta(days=1), self.last + dt.timedelta(days=200))
                commune = self.random.choice(self.communes)
            else:
                commune = self.code_in_era(home, era)
            status = "closed" if kind == "close" else "active"
            found[day] = self.customer_row(code, day, commune, status=status)
        return list(found.values())

    def corrections_of_customer(self, row: Row) -> Rows:
        """A row with earlier versions of the same key, and equal versions that only the tie rules decide."""
        rows = [row]
        if self.chance(0.08):
            rows.append(
                {
                    **row,
                    "commune_code": self.random.choice(self.communes),
                    "updated_at": self.older(row["updated_at"]),
                }
            )
        if self.chance(0.06):  # an equal version: a closed row beats an active one
            rows.append(
                {**row, "status": "closed", "commune_code": self.random.choice([*self.communes, "14320"])}
            )
        if self.chance(0.06):  # an equal version and status: the greater typed value, empty lowest
            rows.append({**row, "phone": None if row["phone"] else "0912345678", "commune_code": "14329"})
        if self.chance(0.04):
            rows.append({**row, "commune_code": self.random.choice(self.communes)})
        if self.chance(0.04):
            rows.append({**row, "power_unit_code": self.random.choice(["PNYK00", "PNKS00"])})
        return rows

    # -- bills --------------------------------------------------------------------------------------------

    def make_bills(self) -> None:
        """One or two bills a month, service bills, worthless ones; cancelled, replaced and corrected ones."""
        number = 0
        for customer in [*self.customers, "PN00NOBODY001"]:
            for month in self.months:
                count = self.random.choices([0, 1, 2, 3], [8, 80, 10, 2])[0]
                for _ in range(count):
                    number += 1
                    self.rows["bills"] += self.versions_of_bill(self.bill_row(customer, month, number))
        self.rows["bills"] = self.outreach.without_quiet_bills(self.rows["bills"])
        for month in (add_months(self.months[0], -1), add_months(self.months[-1], 1)):
            if self.chance(0.3):  # a month of which nothing is in scope
                row = self.bill_row(self.random.choice(self.customers), month, number + 1)
                self.rows["bills"].append({**row, "status": "cancelled"})

    def bill_row(self, customer: str, month: dt.date, number: int) -> Row:
        """A bill as it was issued."""
        kind = "service" if self.chance(0.06) else "electricity"
        issued = self.day(month + dt.timedelta(days=2), last_day(month))
        if self.chance(0.05):
            issued = self.day(add_months(month, 1), last_day(add_months(month, 1)))
        # Ids of different lengths, cases and alphabets: their order is bytewise.
        prefix = self.random.choice(["BE", "BE", "BE", "be", "HĐ", "B-"])
        before_vat = self.random.choice([self.random.randint(20000, 1500000), 100000])
        vat = before_vat * 8 // 100
        if self.chance(0.02):
            before_vat, vat = self.random.choice([(0, 0), (-52000, -4160)])
        return {
            "bill_id": f"{prefix}{month:%y%m}{number}",
            "customer_code": customer,
            "bill_type": kind,
            "bill_month": month,
            "cycle": self.random.randint(1, 3),
            "issued_on": issued,
            "due_on": issued + dt.timedelta(days=self.random.choice([7, 10, 10, 15])),
            "kwh": None
            if kind == "service"
            else Decimal(self.random.randint(0, 900)) / self.random.choice([1, 2]),
            "amount_before_vat": before_vat,
            "vat_amount": vat,
            "total_amount": before_vat + vat,
            "status": "issued",
            "replaced_by": None,
            "updated_at": self.moment(issued),
        }

    def versions_of_bill(self, row: Row) -> Rows:
        """The rows of a bill's history."""
        rows = [row]
        later = self.moment(row["issued_on"] + dt.timedelta(days=self.random.randint(1, 90)))
        if self.chance(0.03):
            rows.append({**row, "status": "cancelled", "updated_at": later})
        if self.chance(0.03):
            successor = {**row, "bill_id": row["bill_id"] + "R", "updated_at": later}
            successor["total_amount"] = max(row["total_amount"] - 10000, 1)
            rows += [
                {**row, "status": "replaced", "replaced_by": successor["bill_id"], "updated_at": later},
                successor,
            ]
        if self.chance(0.02):  # an earlier row that would change everything if it held
            rows.append(
                {
                    **row,
                    "total_amount": row["total_amount"] + 5000,
                    "bill_type": self.random.choice(["electricity", "service"]),
                    "status": self.random.choice(["issued", "cancelled"]),
                    "customer_code": self.random.choice(
                        [row["customer_code"], self.rows["customers"][0]["customer_code"]]
                    ),
                    "updated_at": self.older(row["updated_at"]),
                }
            )
        if self.chance(0.02):  # equal versions: the later status holds
            rows.append({**row, "status": self.random.choice(["cancelled", "replaced"])})
        if self.chance(0.03):  # equal versions and status: the greater typed value
            rows.append({**row, "due_on": row["due_on"] + dt.timedelta(days=3), "total_amount": 77777})
        if self.chance(0.02):
            rows.append({**row, "kwh": None, "total_amount": row["total_amount"] + 1000})
        return rows

    # -- payments -----------------------------------------------------------------------------------------

    def transaction(self, partner: str) -> str:
        """A transaction id, unique within the partner only; also here text order is not number order."""
        self.transactions[partner] += 1
        number = self.transactions[partner]
        return str(number) if number % 3 else f"gd{number:05d}"

    def payment_row(self, customer: str, amount: int, when: dt.datetime, **other: Any) -> Row:
        """A payments row."""
        partner = self.random.choice(PARTNERS)
        return {
            "partner_code": partner,
            "transaction_id": self.transaction(partner),
            "kind": "payment",
            "reverses_transaction_id": None,
            "channel_code": self.random.choice(CHANNELS),
            "customer_code": customer,
            "bill_id": None,
            "amount": amount,
            "fee": self.random.choice([None, None, 0, 0, 1100]),
            "paid_at": when,
            "partner_settled_on": when.date() + dt.timedelta(days=1) if self.chance(0.7) else None,
            "collection_point_code": self.random.choice([None, None, None, "DT001"]),
            **other,
        }

    def make_payments(self) -> None:
        """Payments for most bills and some for nothing; then versions, conflicts and reversals of them."""
        # Habits: most customers keep to one channel, so that cashless customers exist.
        habit = {
            customer: self.random.choice(CHANNELS) if self.chance(0.8) else False
            for customer in [*self.customers, "PN00NOBODY001"]
        }
        payments: Rows = []
        for bill in self.rows["bills"]:
            if self.chance(0.02) or bill["status"] != "issued":
                continue
            payments += self.payments_of_bill(bill)
        for row in payments:
            own = habit.get(row["customer_code"], False)
            if own is not False and self.chance(0.85):
                row["channel_code"] = own
        self.outreach.change_habits(payments)
        payments += self.stray_payments()
        self.rows["payments"] += payments
        for row in payments:
            self.rows["payments"] += self.versions_of_payment(row)
            if self.chance(0.07):
                self.rows["payments"] += self.reversals_of(row)
        self.rows["payments"] += [self.taken_back(row) for row in self.outreach.to_be_taken_back(payments)]
        self.rows["payments"] += self.stray_reversals()
        self.rows["payments"] = self.outreach.known_so_far(self.rows["payments"])

    def taken_back(self, row: Row) -> Row:
        """The reversal of a whole payment."""
        return {
            **row,
            "transaction_id": self.transaction(row["partner_code"]),
            "kind": "reversal",
            "reverses_transaction_id": row["transaction_id"],
            "fee": None,
            "paid_at": row["paid_at"] + dt.timedelta(days=self.random.randint(0, 40)),
        }

    def payments_of_bill(self, bill: Row) -> Rows:
        """How a bill gets paid, if it does."""
        customer, total = bill["customer_code"], max(bill["total_amount"], 1000)
        late = self.random.choices(
            [self.random.randint(-3, 14), self.random.randint(15, self.latest)], [90, 10]
        )[0]
        when = self.moment(bill["issued_on"] + dt.timedelta(days=late))
        name = bill["bill_id"]
        if self.outreach.pays_promptly(customer):
            return [self.payment_row(customer, total, self.moment(bill["issued_on"]), bill_id=name)]
        how = self.random.choices(
            ["named", "unnamed", "halves", "part", "none", "over", "other", "twice", "lump"],
            [56, 12, 8, 5, 6, 3, 3, 2, 5],
        )[0]
        maybe = name if self.chance(0.6) else None
        rows: Rows = []
        if how == "named":
            rows.append(self.payment_row(customer, total, when, bill_id=name))
        elif how == "unnamed":
            rows.append(self.payment_row(customer, total, when))
        elif how == "halves":
            half = self.random.randint(1, total - 1)
            second = when if self.chance(0.3) else self.moment(when.date() + dt.timedelta(days=2))
            rows.append(self.payment_row(customer, half, when, bill_id=name))
            rows.append(self.payment_row(customer, total - half, second, bill_id=maybe))
        elif how == "part":
            rows.append(self.payment_row(customer, self.random.randint(1, total), when, bill_id=maybe))
        elif how == "over":
            rows.append(self.payment_row(customer, total + 5000, when, bill_id=maybe))
        elif how == "other":
            rows.append(self.payment_row(self.random.choice(self.customers), total, when, bill_id=name))
        elif how == "twice":
            rows += [self.payment_row(customer, total, when, bill_id=name) for _ in range(2)]
        elif how == "lump":
            rows.append(self.payment_row(customer, total * self.random.randint(2, 4), when))
        return rows

    def stray_payments(self) -> Rows:
        """Payments for bills and customers nobody knows, and for bills out of scope."""
        rows: Rows = []
        for _ in range(self.random.randint(3, 8)):
            when = self.moment(self.day(self.first, self.last))
            known = self.random.choice(self.customers)
            rows.append(
                self.random.choice(
                    [
                        self.payment_row(known, 45000, when, bill_id="BE-NOBODY"),
                        self.payment_row("PN99999999999", 33000, when),
                        self.payment_row("PN99999999999", 21000, when, bill_id="BE-NOBODY"),
                    ]
                )
            )
        for bill in self.rows["bills"]:
            if bill["status"] != "issued" and self.chance(0.6):
                when = self.moment(bill["issued_on"] + dt.timedelta(days=1))
                rows.append(self.payment_row(bill["customer_code"], 60000, when, bill_id=bill["bill_id"]))
        return rows

    def versions_of_payment(self, row: Row) -> Rows:
        """Other rows of a payment's key: harmless versions, or a conflict."""
        later = row["paid_at"] + self.random.choice(
            [dt.timedelta(0), dt.timedelta(seconds=1), dt.timedelta(days=self.random.randint(1, 40))]
        )
        if self.chance(0.03):  # the greatest paid_at holds; on equal ones the greater typed value
            return [
                {
                    **row,
                    "channel_code": self.random.choice(["momo", None, "evn_counter"]),
                    "bill_id": self.random.choice([row["bill_id"], None]),
                    "paid_at": later,
                }
            ]
        if self.chance(0.02):
            change: Row = self.random.choice(
                [
                    {"amount": row["amount"] + 1},
                    {"customer_code": self.random.choice(self.customers) + "X"},
                    {"kind": "reversal", "reverses_transaction_id": "1"},
                ]
            )
            return [{**row, **change, "paid_at": later}]
        return []

    def reversals_of(self, row: Row) -> Rows:
        """Reversals of a payment: whole, in parts, too much, before it, by another partner, of a reversal."""
        when = row["paid_at"] + self.random.choice(
            [
                dt.timedelta(0),
                dt.timedelta(minutes=5),
                dt.timedelta(days=-2),
                dt.timedelta(days=self.random.randint(1, 120)),
            ]
        )

        def reversal(amount: int, **other: Any) -> Row:
            partner = str(other.get("partner_code", row["partner_code"]))
            return {
                **row,
                "transaction_id": self.transaction(partner),
                "kind": "reversal",
                "reverses_transaction_id": row["transaction_id"],
                "amount": amount,
                "fee": None,
                "paid_at": when,
                **other,
            }

        how = self.random.choice(
            ["whole", "whole", "part", "parts", "excess", "partner", "customer", "of_reversal", "moved"]
        )
        amount = row["amount"]
        some = self.random.randint(1, amount)
        if how == "whole":
            rows = [reversal(amount, bill_id=self.random.choice([row["bill_id"], None]))]
        elif how == "part":
            rows = [reversal(some)]
        elif how == "parts":
            rows = [reversal(some), reversal(some), reversal(some)]
        elif how == "excess":
            rows = [reversal(amount + 7000)]
        elif how == "partner":
            other = self.random.choice([name for name in PARTNERS if name != row["partner_code"]])
            rows = [reversal(amount, partner_code=other)]
        elif how == "customer":
            rows = [reversal(amount, customer_code=self.random.choice(self.customers))]
        elif how == "moved":  # two rows of one reversal: the later one says what it takes back
            first = reversal(some, reverses_transaction_id=None)
            later = {"reverses_transaction_id": row["transaction_id"], "paid_at": when + dt.timedelta(days=1)}
            rows = [first, {**first, **later}]
        else:
            first = reversal(amount)
            rows = [first, reversal(amount, reverses_transaction_id=first["transaction_id"])]
        return rows

    def stray_reversals(self) -> Rows:
        """Reversals without a reference, of nothing, of themselves, and of a conflict."""
        rows: Rows = []
        for reference_id in (None, "no-such-id", "self"):
            when = self.moment(self.day(self.first, self.last))
            row = self.payment_row(self.random.choice(self.customers), 12345, when, kind="reversal")
            row["reverses_transaction_id"] = row["transaction_id"] if reference_id == "self" else reference_id
            rows.append(row)
        when = self.moment(self.day(self.first, self.last))
        disputed = self.payment_row(self.random.choice(self.customers), 50000, when)
        rows += [
            disputed,
            {**disputed, "amount": 51000},
            {
                **disputed,
                "transaction_id": self.transaction(disputed["partner_code"]),
                "kind": "reversal",
                "reverses_transaction_id": disputed["transaction_id"],
                "paid_at": when + dt.timedelta(days=3),
            },
        ]
        return rows

    # -- counters, mandates, targets ----------------------------------------------------------------------

    def make_collection_points(self) -> None:
        """Counters that move, are coded late, close, are planned, or belong to partners."""
        for number in range(self.random.randint(5, 12)):
            home = self.random.choice([*self.communes, *self.communes, UNKNOWN_COMMUNE])
            opened = self.day(dt.date(2010, 1, 1), dt.date(2022, 1, 1))
            if self.chance(0.2):
                opened = self.day(self.first, self.last + dt.timedelta(days=60))
            known_from = opened if self.chance(0.8) else self.day(self.first, self.last)
            row: Row = {
                "collection_point_code": f"DT{number:03d}",
                "name": f"Điểm thu {number}",
                "operator": "partner" if self.chance(0.2) else "power_unit",
                "commune_code": home,
                "serves_commune_codes": ";".join(self.random.sample(self.communes, 2)),
                "opened_on": opened,
                "planned_close_on": dt.date(2025, 9, 1) if self.chance(0.4) else None,
                "closed_on": None,
                "authority_reported_on": None,
                "updated_at": self.moment(known_from),
            }
            self.rows["collection_points"].append(row)
            for _ in range(self.random.choice([0, 0, 1, 2])):
                day = self.random.choice(
                    [self.day(self.first, self.last), last_day(self.random.choice(self.months))]
                )
                change: Row = self.random.choice(
                    [
                        {"commune_code": self.random.choice(self.communes)},
                        {"closed_on": self.random.choice([day, last_day(self.random.choice(self.months))])},
                        {"authority_reported_on": day, "commune_code": self.random.choice(self.communes)},
                        {"operator": self.random.choice(["partner", "power_unit"])},
                    ]
                )
                same_version = self.chance(0.15)
                row = {**row, **change, "updated_at": row["updated_at"] if same_version else self.moment(day)}
                self.rows["collection_points"].append(row)

    def make_mandates(self) -> None:
        """Auto-debit mandates, some ended, some of customers nobody knows."""
        for number, customer in enumerate([*self.customers, "PN99999999999"]):
            if not self.chance(0.3):
                continue
            signed = self.day(self.first - dt.timedelta(days=200), self.last)
            row: Row = {
                "mandate_id": f"M{number:06d}",
                "customer_code": customer,
                "bank_code": self.random.choice(["VCB", "BIDV", "AGRIBANK"]),
                "signed_on": signed,
                "ended_on": None,
                "updated_at": self.moment(signed),
            }
            self.rows["auto_debit_mandates"].append(row)
            if self.chance(0.4):
                ended = self.random.choice(
                    [self.day(signed, self.last), last_day(self.random.choice(self.months))]
                )
                updated = row["updated_at"] if self.chance(0.2) else self.moment(self.last)
                self.rows["auto_debit_mandates"].append({**row, "ended_on": ended, "updated_at": updated})
            if self.chance(0.1):
                self.rows["auto_debit_mandates"].append({**row, "mandate_id": f"M{number:06d}b"})

    def make_targets(self) -> None:
        """Targets of all levels: corrected ones, late codes that meet in one commune, codes of nobody."""
        clock = dt.datetime(2024, 1, 5)
        units = [
            ("company", ["COMPANY"]),
            ("power_unit", ["PNNB00", "PNYK00", "PNGV00", "PNHL00", "PNXX00", "UNKNOWN"]),
            ("district", ["369", "373", "374", "375", "UNRESOLVED"]),
            ("commune", [*self.communes, "14533", UNKNOWN_COMMUNE, "UNRESOLVED", "UNKNOWN"]),
        ]
        for month in self.months:
            for level, codes in units:
                for code in codes:
                    if not self.chance(0.6):
                        continue
                    # Every unit's target has an updated_at of its own: which of two old codes' targets holds
                    # in one commune is then never a tie.
                    clock += dt.timedelta(seconds=self.random.randint(1, 3000))
                    row: Row = {
                        "month": month,
                        "level": level,
                        "code": code,
                        "metric": "cashless_rate_customers"
                        if self.chance(0.8)
                        else self.random.choice(METRICS),
                        "target": Decimal(self.random.randint(0, 100)) / 100,
                        "updated_at": clock,
                    }
                    self.rows["targets"].append(row)
                    if self.chance(0.1):
                        self.rows["targets"].append(
                            {**row, "target": Decimal("0.5"), "updated_at": self.older(clock)}
                        )
                    if self.chance(0.05):
                        self.rows["targets"].append({**row, "target": Decimal("0.55")})

    def make(self) -> dict[str, pd.DataFrame]:
        """All sources, in the order in which they refer to each other."""
        self.make_customers()
        self.outreach.choose_customers(self.customers)
        self.make_bills()
        self.make_payments()
        self.make_collection_points()
        self.make_mandates()
        self.make_targets()
        self.outreach.make()
        return {name: frame(name, rows) for name, rows in self.rows.items()}


def random_bundle(seed: int) -> Bundle:
    """A bundle of 20 to 150 customers over 4 to 14 months; the same seed gives the same bundle."""
    return Bundle(seed, Maker(seed).make())
