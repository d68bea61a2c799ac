"""The part of a random bundle about people and counters: campaigns, notices, phones, feedback, closures.

Belongs here: those rows, and the few customers that the other rows must suit (who change their habits, whose
commune is ready, who get no bills for a while). Does not belong here: customers, bills and payments
themselves (bundle.py).
"""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from .columns import SOURCES, Row, Rows
from .dice import Dice
from .places import add_months, month_end
from .reference import ERA_STARTS, era_of, reference

NOBODY = "PN99999999999"  # a customer without any row
UNKNOWN_COMMUNE = "99999"
NEW_PROVINCE_ONLY = "13285"  # exists from 2025-07-01 only
IN_CASH, CASHLESS = ["evn_counter", "home_collector"], ["momo", "mobile_banking", "bank_counter"]
EMPLOYEES = [f"NV{number:04d}" for number in range(6)]
MINUTE, HOUR, DAY = dt.timedelta(minutes=1), dt.timedelta(hours=1), dt.timedelta(days=1)


class Outreach(Dice):
    """What happens around the bills of one bundle, on a random stream of its own."""

    def __init__(self, seed: int, months: list[dt.date], communes: list[str], rows: dict[str, Rows]) -> None:
        super().__init__(f"outreach {seed}")
        self.months, self.communes, self.rows = months, communes, rows
        self.first, self.last = months[0], month_end(months[-1])
        self.customers: list[str] = []
        self.switches: dict[str, dt.date] = {}
        self.ready_commune = ""
        self.ready: set[str] = set()
        self.quiet: dict[str, dt.date] = {}

    def allowed(self, source: str, column: str) -> str:
        """Any value of a closed list."""
        return self.random.choice(SOURCES[source].column(column).allowed)

    # -- what bills and payments must suit -----------------------------------------------------------------

    def choose_customers(self, customers: list[str]) -> None:
        """Who changes from cash to cashless and when, whose commune is ready, who gets no bills for a while."""
        self.customers = customers
        for customer in customers:
            if self.chance(0.25):
                self.switches[customer] = self.day(self.months[min(2, len(self.months) - 1)], self.last)
        homes: dict[str, set[str]] = {}
        for row in self.rows["customers"]:
            homes.setdefault(row["commune_code"], set()).add(row["customer_code"])
        candidates = [code for code in self.communes if 1 < len(homes.get(code, ())) < 10]
        if candidates and self.chance(0.8):
            self.ready_commune = self.random.choice(candidates)
            self.ready = homes[self.ready_commune]
        if len(self.months) > 5:
            for customer in customers:
                if customer not in self.ready and self.chance(0.05):
                    self.quiet[customer] = self.random.choice(self.months[3:-2])

    def without_quiet_bills(self, bills: Rows) -> Rows:
        """The bills less those of two months of the customers that get none for a while."""

        def is_left_out(row: Row) -> bool:
            since = self.quiet.get(row["customer_code"])
            return since is not None and since <= row["bill_month"] < add_months(since, 2)

        return [row for row in bills if not is_left_out(row)]

    def change_habits(self, payments: Rows) -> None:
        """Channels of those who change from cash to cashless, and of those who are ready."""
        for row in payments:
            customer = row["customer_code"]
            if customer in self.switches and self.chance(0.95):
                has_switched = row["paid_at"].date() >= self.switches[customer]
                row["channel_code"] = self.random.choice(CASHLESS if has_switched else IN_CASH)
            if customer in self.ready:
                row["channel_code"] = "momo"

    def pays_promptly(self, customer: str) -> bool:
        """Whether a bill of a customer is paid at once and whole: nearly every bill of those who are ready."""
        return customer in self.ready and self.chance(0.95)

    def to_be_taken_back(self, payments: Rows) -> Rows:
        """Cashless payments that will be reversed, so that a conversion is undone."""
        return [
            row
            for row in payments
            if row["customer_code"] in self.switches
            and row["paid_at"].date() >= self.switches[row["customer_code"]]
            and self.chance(0.06)
        ]

    def known_so_far(self, payments: Rows) -> Rows:
        """The payments as of today: in some bundles the last month still runs, or has only just ended."""
        if self.chance(0.6):
            return payments
        today = self.last + self.random.randint(-15, 25) * DAY
        return [row for row in payments if row["paid_at"].date() <= today]

    def make(self) -> None:
        """Everything else, once customers, bills, payments and counters are there."""
        self.close_counters()
        self.make_employees()
        self.make_campaigns()
        self.make_notices()
        self.make_reviews()
        self.make_feedback()

    # -- employees and campaigns ---------------------------------------------------------------------------

    def with_versions(self, source: str, row: Row, before: Row, tie: Row, often: float = 0.12) -> None:
        """A row, sometimes with an earlier version that said something else, sometimes with an equal version."""
        self.rows[source].append(row)
        if self.chance(often):
            self.rows[source].append({**row, **before, "updated_at": self.older(row["updated_at"])})
        if self.chance(often / 2):
            self.rows[source].append({**row, **tie})

    def make_employees(self) -> None:
        """Employees who move and leave, with targets; also targets of nobody, of nothing, and of another metric."""
        for code in EMPLOYEES:
            began = dt.date(2020, 1, 1)
            unit = self.random.choice(["PNNB00", "PNYK00", "PNGV00"])
            row: Row = {
                "employee_code": code,
                "effective_from": began,
                "employee_name": self.person(),
                "power_unit_code": unit,
                "status": self.random.choice(["active", "active", "left"]),
                "updated_at": self.moment(began),
            }
            self.with_versions("employees", row, before={"power_unit_code": "PNTD00"}, tie={"status": "left"})
            if self.chance(0.3):
                moved = self.day(self.first, self.last)
                change = {"power_unit_code": "PNNQ00", "effective_from": moved}
                self.rows["employees"].append({**row, **change, "updated_at": self.moment(moved)})
        for month in self.months:
            for code in self.random.sample([*EMPLOYEES, "NV0077"], 2):
                target = {
                    "month": month,
                    "level": "employee",
                    "code": code,
                    "metric": "conversions",
                    "target": Decimal(self.random.choice([0, 1, 1, 2, 3, 12])),
                    "updated_at": self.moment(month),
                }
                self.with_versions("targets", target, {"target": Decimal(99)}, {"target": Decimal(4)})
            if self.chance(0.2):
                change = {"metric": "cashless_rate_customers", "target": Decimal("0.7")}
                self.rows["targets"].append({**target, **change, "code": self.random.choice(EMPLOYEES)})

    def make_campaigns(self) -> None:
        """Campaigns, the first one over a border of eras if there is one; one without any contact."""
        borders = [day for day in ERA_STARTS if self.first < day <= self.last]
        for number in range(4):
            starts = self.day(self.first, self.last)
            if number == 0 and borders:
                starts = self.random.choice(borders) - self.random.randint(5, 40) * DAY
            row = {
                "campaign_id": f"CD{number:02d}",
                "name": f"Chiến dịch {number}",
                "kind": self.allowed("campaigns", "kind"),
                "starts_on": starts,
                "ends_on": self.random.choice([None, starts + 60 * DAY]),
                "updated_at": self.moment(starts),
            }
            change = {"name": "Chiến dịch cũ", "kind": "other", "ends_on": None}
            self.with_versions("campaigns", row, change, {"ends_on": starts + 90 * DAY}, often=0.3)
            if number < 3:
                self.make_contacts(row)
        for _ in range(self.random.randint(0, 3)):
            self.add_contact("CD-NOBODY", self.random.choice(self.customers), self.day(self.first, self.last))

    def make_contacts(self, campaign: Row) -> None:
        """Contacts of a campaign: mostly in its communes, often shortly before a customer changes habits."""
        focus = set(self.random.sample(self.communes, 2))
        nearby = sorted({r["customer_code"] for r in self.rows["customers"] if r["commune_code"] in focus})
        last = min(campaign["starts_on"] + 75 * DAY, self.last)
        for _ in range(self.random.randint(2, 10)):
            day = self.day(campaign["starts_on"], last)
            how = self.random.choices(
                ["switch", "near", "any", "bill", "quiet", "nobody"], [8, 5, 3, 2, 2, 1]
            )[0]
            customer = self.random.choice(self.customers)
            if how == "switch" and self.switches:
                customer = self.random.choice(list(self.switches))
                day = self.switches[customer] - self.random.randint(0, 20) * DAY
            elif how == "near" and nearby:
                customer = self.random.choice(nearby)
            elif how == "bill":  # issued on the day of the contact: it is one of the next bills
                day = self.random.choice([*self.issued_days(customer), day])
            elif how == "quiet" and self.quiet:
                customer = self.random.choice(list(self.quiet))
                later = [d for d in self.issued_days(customer) if d >= self.quiet[customer]]
                day = min(later, default=day) - self.random.choice([59, 60, 61]) * DAY
            elif how == "nobody":
                customer = NOBODY
            self.add_contact(campaign["campaign_id"], customer, day)

    def issued_days(self, customer: str) -> list[dt.date]:
        """The days on which bills of a customer were issued."""
        return [row["issued_on"] for row in self.rows["bills"] if row["customer_code"] == customer]

    def add_contact(self, campaign: str, customer: str, day: dt.date) -> None:
        """A contact; often another employee comes again, a few days later or in the same moment."""
        when = self.moment(day)
        for _ in range(self.random.choice([1, 1, 1, 2, 3])):
            number = len(self.rows["campaign_contacts"])
            row = {
                # Ids of different lengths and cases: their order is bytewise.
                "contact_id": f"{self.random.choice(['TX', 'TX', 'tx', 'T-'])}{number}",
                "campaign_id": campaign,
                "customer_code": customer,
                "employee_code": self.random.choice([None, *EMPLOYEES[1:5], "NV0099"]),
                "bank_code": self.random.choice([None, "VCB"]),
                "contacted_at": when,
                "place": self.allowed("campaign_contacts", "place"),
                "outcome": self.allowed("campaign_contacts", "outcome"),
                "updated_at": when + self.random.choice([0, 3]) * HOUR,
            }
            before: Row = self.random.choice(
                [
                    {"outcome": "not_reached"},
                    {"customer_code": self.random.choice(self.customers), "campaign_id": "CD01"},
                    {"employee_code": "NV0005", "contacted_at": when - 30 * DAY},
                ]
            )
            tie = {"outcome": self.random.choice(["not_reached", "registered"]), "employee_code": "NV0003"}
            self.with_versions("campaign_contacts", row, before, tie)
            when += self.random.choice([0, 0, 1, 4, 15, 40, 70]) * DAY
            if self.chance(0.15):
                campaign = self.random.choice(["CD00", "CD01", "CD02"])

    # -- notices and phones --------------------------------------------------------------------------------

    def any_day(self) -> dt.date:
        """A day of the period, often at the border of a month, or somewhat outside it."""
        month = self.random.choice(self.months)
        return self.random.choice(
            [
                self.day(self.first, self.last),
                self.day(self.first, self.last),
                self.day(self.first - 40 * DAY, self.last + 40 * DAY),
                month_end(month),
                month,
            ]
        )

    def make_notices(self) -> None:
        """Notices of all kinds, in person and not, arrived and not; before there was a customer; to the ready."""
        for customer in sorted(self.ready):
            if self.chance(0.97):
                when = self.moment(self.first - 20 * DAY)
                self.add_notice(customer, when, topic="counter_closure", medium="zalo", delivery="delivered")
        late = [r for r in self.rows["customers"] if r["effective_from"] >= self.first]
        for row in self.random.sample(late, min(len(late), 3)):
            when = self.moment(row["effective_from"] - self.random.randint(1, 30) * DAY)
            self.add_notice(row["customer_code"], when, topic="counter_closure", delivery="delivered")
        for _ in range(self.random.randint(5, 35)):
            who: list[str | None] = [self.random.choice(self.customers), None, NOBODY]
            self.add_notice(self.random.choices(who, [30, 6, 1])[0], self.moment(self.any_day()))

    def add_notice(self, customer: str | None, when: dt.datetime, **other: Any) -> None:
        """A notice, with what was known of its delivery before."""
        medium: str = self.random.choice(["sms", "zalo", "email", "app", "letter", "sms", "mass_media"])
        if customer is None:
            medium = self.random.choice(["mass_media", "public_posting"])
        row: Row = {
            "notification_id": f"TB{len(self.rows['notifications']):07d}",
            "campaign_id": self.random.choice([None, "CD00"]),
            "customer_code": customer,
            "commune_code": self.random.choice(self.communes) if customer is None else None,
            "topic": self.random.choice(["counter_closure", self.allowed("notifications", "topic")]),
            "medium": medium,
            "sent_at": when,
            "delivery": self.random.choice(["delivered", self.allowed("notifications", "delivery")]),
            "delivered_at": None,
            "updated_at": when + self.random.choice([0, 1, 30]) * HOUR,
            **other,
        }
        if row["delivery"] == "delivered" and self.chance(0.8):
            row["delivered_at"] = when + self.random.choice([5 * MINUTE, 2 * DAY])
        before: Row = self.random.choice([{"delivery": "unknown", "delivered_at": None}, {"topic": "other"}])
        tie = {"delivery": self.random.choice(["unknown", "failed", "delivered"])}
        self.with_versions("notifications", row, before, tie)

    def make_reviews(self) -> None:
        """Reviews of a customer's phone of now, of before or of somebody else, some in the same moment."""
        for customer in sorted(self.ready):
            for phone in {r["phone"] for r in self.rows["customers"] if r["customer_code"] == customer}:
                self.add_review(customer, phone, self.moment(self.first - 25 * DAY), "owner_confirmed")
        for _ in range(self.random.randint(5, 25)):
            # Any phone of any version: earlier than the review, later, or corrected away.
            version = self.random.choice(self.rows["customers"])
            customer, phone = version["customer_code"], version["phone"]
            if self.chance(0.15):
                phone = self.random.choice(self.rows["customers"])["phone"]
            when = self.moment(self.any_day())
            if self.chance(0.2):
                when = self.moment(version["effective_from"] - self.random.randint(0, 40) * DAY)
            result = self.random.choice(["owner_confirmed", self.allowed("phone_reviews", "result")])
            self.add_review(customer, phone, when, "missing" if phone is None else result)
            if self.chance(0.4):
                again = when + self.random.choice([0, 0, 0, 20, 60]) * DAY
                self.add_review(customer, phone, again, self.allowed("phone_reviews", "result"))

    def add_review(self, customer: str, phone: str | None, when: dt.datetime, result: str) -> None:
        """A review; ids are not in the order of time."""
        row: Row = {
            "review_id": f"{self.random.choice(['RS', 'rs', 'R'])}{len(self.rows['phone_reviews'])}",
            "customer_code": customer,
            "phone": phone,
            "reviewed_at": when,
            "result": result,
            "updated_at": when + self.random.choice([0, 0, 2]) * HOUR,
        }
        before: Row = self.random.choice(
            [{"result": "not_owner"}, {"result": "owner_confirmed", "phone": None}]
        )
        tie: Row = self.random.choice([{"result": "owner_confirmed"}, {"phone": "0912345678"}])
        self.with_versions("phone_reviews", row, before, tie)

    # -- feedback ------------------------------------------------------------------------------------------

    def commune_written(self, day: dt.date) -> str | None:
        """A commune as somebody writes it on a day: of then, of earlier, of later, of nowhere, or not at all."""
        home = self.random.choice(self.communes)
        today = reference().forward(home, 0, era_of(day))
        strange = self.random.choice([UNKNOWN_COMMUNE, NEW_PROVINCE_ONLY, "UNRESOLVED", "UNKNOWN"])
        return self.random.choices([home, today, strange, None], [8, 6, 2, 4])[0]

    def make_feedback(self) -> None:
        """Feedback answered at once, after months or never, reopened, at the borders of days and months."""
        for _ in range(self.random.randint(5, 40)):
            when = self.moment(self.any_day())
            status = self.random.choice(["open", "closed", "closed", "closed"])
            month = when.date().replace(day=1)
            closed_at: dt.datetime | None = self.random.choice(
                [
                    when + self.random.randint(0, 400) * HOUR,
                    when + self.random.randint(1, 150) * DAY,
                    dt.datetime.combine(month_end(month), dt.time(23, 59, 59)),
                    dt.datetime.combine(add_months(month, self.random.randint(1, 3)), dt.time()),
                ]
            )
            if closed_at is not None and closed_at < when:
                closed_at = when
            # Reopened and open, it may keep the time of its first answer; a closed one may lack its time.
            if (status == "open" and self.chance(0.8)) or self.chance(0.05):
                closed_at = None
            row: Row = {
                "feedback_id": f"PA{len(self.rows['feedback']):06d}",
                "customer_code": self.random.choice([None, *self.random.sample(self.customers, 3), NOBODY]),
                "commune_code": self.commune_written(when.date()),
                "received_at": when,
                "topic": self.random.choice(["counter_closure", self.allowed("feedback", "topic")]),
                "text": self.random.choice([None, 'Đề nghị giữ điểm thu; "cảm ơn"', "Dòng 1\nDòng 2"]),
                "status": status,
                "closed_at": closed_at,
                "reopened": self.chance(0.15),
                "updated_at": closed_at or when,
            }
            before = {"status": "open", "closed_at": None, "commune_code": self.random.choice(self.communes)}
            self.with_versions("feedback", row, before, {"status": "closed", "reopened": True}, often=0.25)

    # -- closing counters ----------------------------------------------------------------------------------

    def served(self, day: dt.date) -> str:
        """Communes a counter serves as somebody writes them on a day."""
        codes = [self.commune_written(day) or "" for _ in range(self.random.randint(1, 3))]
        written = self.random.choice([";", "; ", " ;", ";;"]).join(codes) + self.random.choice(["", "", ";"])
        return written.strip() or UNKNOWN_COMMUNE

    def close_counters(self) -> None:
        """Closures planned, reported, put off and done; what a counter serves changes, before and after that."""
        latest = {row["collection_point_code"]: row for row in self.rows["collection_points"]}
        for latest_row in latest.values():
            row, day = latest_row, self.any_day()
            changes: Rows = []
            if self.chance(0.3):
                changes.append({"planned_close_on": day + self.random.randint(1, 60) * DAY})
            if self.chance(0.4):
                changes.append({"serves_commune_codes": self.served(day)})
            if self.chance(0.3):  # put off
                changes.append({"planned_close_on": day + self.random.randint(61, 150) * DAY})
            if self.chance(0.4):
                closed = day + 5 * DAY if self.chance(0.7) else month_end(self.random.choice(self.months))
                reported = self.random.choice([closed - 20 * DAY, closed, closed + DAY, None])
                changes.append({"closed_on": closed, "authority_reported_on": reported})
            if self.chance(0.15):
                changes.append({"serves_commune_codes": self.served(day + 30 * DAY)})
            for change in changes:
                updated = row["updated_at"] if self.chance(0.15) else self.moment(day)
                row = {**row, **change, "updated_at": updated}
                self.rows["collection_points"].append(row)
                day += self.random.randint(0, 20) * DAY
        if self.ready:
            self.close_when_ready()

    def close_when_ready(self) -> None:
        """A counter that serves only the commune where all are told and nobody pays cash."""
        month = self.random.choice(self.months[1:])
        closed = self.random.choice([month, month_end(month), self.day(month, month_end(month)), None])
        row = {
            "collection_point_code": "DT900",
            "name": "Điểm thu sẵn sàng",
            "operator": "power_unit",
            "commune_code": self.ready_commune,
            "serves_commune_codes": self.ready_commune,
            "opened_on": dt.date(2012, 1, 1),
            "planned_close_on": month,
            "closed_on": None,
            "authority_reported_on": self.first,
            "updated_at": dt.datetime(2012, 1, 1, 7),
        }
        self.rows["collection_points"].append(row)
        if closed is not None:
            updated = self.moment(closed + self.random.choice([0, 3]) * DAY)
            self.rows["collection_points"].append({**row, "closed_on": closed, "updated_at": updated})
