"""Lists that people work from, and the gates of a counter: who is on them, what they tell, what they refuse.

Does not belong here: the workbook they are written to (tests/report).
"""

import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from python_calamine import CalamineWorkbook

from dagster_project.errors import CashlessError
from dagster_project.report.lists import write_list
from dagster_project.settings import Settings
from tests.e2e.cases import AWAY, HOME, Arrival, Scene
from tests.e2e.house import House


def _contact(scene: Scene, who: str, outcome: str) -> dict[str, Any]:
    return {
        "contact_id": scene.name("CC", who),
        "campaign_id": "C1",
        "customer_code": scene.name("PN", who),
        "employee_code": None,
        "bank_code": None,
        "contacted_at": scene.at(1),
        "place": "home",
        "outcome": outcome,
        "updated_at": scene.at(1),
    }


def test_the_lists_say_who_is_to_be_visited(house: House, tmp_path: Path) -> None:
    """Cash payers, and customers of a counter to be closed whom nobody told; not who is closed, pays without cash, or
    has merely not paid yet.
    """
    scene = Scene(1)
    cash = {"channel_code": "evn_counter"}
    rows: list[Arrival] = []
    for who, channel, paid in (("a", {}, 3), ("b", cash, 3), ("c", cash, 3), ("d", cash, 1), ("e", cash, 0)):
        status, commune = "closed" if who == "c" else "active", "nowhere" if who == "d" else HOME
        rows.append(scene.customer(who, status=status, commune_code=commune, phone="0912345678"))
        rows.append(scene.bill(f"9{who}", who, later=9, total_amount=1000))  # type: ignore[arg-type]
        for number in range(1, paid + 1):
            which = f"{number}{who}"
            rows += [
                scene.bill(which, who, later=number, total_amount=1000),  # type: ignore[arg-type]
                scene.payment(which, who, bill=which, amount=1000, day=40 * number, **channel),  # type: ignore[arg-type]
            ]
    rows += [
        scene.point(
            collection_point_code="DT1",
            name="=Điểm thu 1",
            closed_on=None,
            planned_close_on=date(2030, 1, 1),
        ),
        scene.point(collection_point_code="DT2", closed_on=None),  # nobody means to close it
        scene.point(collection_point_code="DT3", closed_on=date(2018, 1, 1)),
        scene.point(collection_point_code="DT4", closed_on=None, operator="partner"),
        scene.customer("f", commune_code=AWAY, power_unit_code="PNNB00"),  # never billed
        (
            "notifications",
            {
                "notification_id": "N1",
                "campaign_id": None,
                "customer_code": scene.name("PN", "a"),
                "commune_code": None,
                "topic": "counter_closure",
                "medium": "sms",
                "sent_at": scene.at(1),
                "delivery": "delivered",
                "delivered_at": None,
                "updated_at": scene.at(1),
            },
        ),
    ]
    rows.append(("campaign_contacts", _contact(scene, "b", "refused")))
    house.take(*rows)
    book = tmp_path / "lists" / "cash.xlsx"
    assert write_list(house.settings, "cash-payers", {}, book) == 2
    header, other, row = CalamineWorkbook.from_path(book).get_sheet_by_index(0).to_python()
    told = dict(zip(header, row, strict=True))
    assert told["Mã khách hàng / Customer code"] == scene.name("PN", "b")
    assert told["Chưa trả / Not settled"] == 1
    assert dict(zip(header, other, strict=True))["Mã khách hàng / Customer code"] == scene.name("PN", "d")
    assert told["Điện thoại / Phone"] == "0912345678"
    assert (
        told["Trả qua / Paid by"]
        == house.query(
            "select channel_name_vi || ' / ' || channel_name_en from bi.dim_channel where channel_code = 'evn_counter'"
        )[0][0]
    )
    assert told["Kết quả / Outcome"] == "từ chối / refused"
    assert book.stat().st_mode & 0o077 == 0
    assert write_list(house.settings, "cash-payers", {"power_unit": "PNHL00"}, book) == 0
    assert write_list(house.settings, "cash-payers", {"commune": "UNRESOLVED"}, book) == 1  # d, on no map
    assert write_list(house.settings, "not-notified", {}, book) == 2  # nor served by a counter
    _, *people = CalamineWorkbook.from_path(book).get_sheet_by_index(0).to_python()
    assert {row[1] for row in people} == {"=Điểm thu 1"}
    assert {row[4] for row in people} == {"Điện lực Yên Khánh"}
    assert [scene.name("PN", who) in row for who, row in zip("be", people, strict=True)] == [True] * 2
    assert write_list(house.settings, "not-notified", {"counter": "dt1", "power_unit": "pnyk00"}, book) == 2
    # Counters are judged on the map of the last day of the data, how people pay is told on today's.
    where = {"power_unit": "PNYK00", "commune": HOME}
    assert write_list(house.settings, "not-notified", where, book) == 2
    assert write_list(house.settings, "cash-payers", {**where, "commune": "14560"}, book) == 1
    [(away,)] = house.query(
        "select second.to_commune_code from bi.dim_commune_succession as first"
        " join bi.dim_commune_succession as second"
        " on second.from_era = first.to_era and second.from_commune_code = first.to_commune_code"
        f" where first.from_era = '2024' and first.from_commune_code = '{AWAY}'"
    )
    assert write_list(house.settings, "cash-payers", {"power_unit": "PNNB00", "commune": away}, book) == 0
    refused = [
        ("not-notified", {"counter": "DT2"}, "Counter DT2 has no planned closing"),
        ("not-notified", {"counter": "DT3"}, "Counter DT3 closed on 2018-01-01"),
        ("not-notified", {"counter": "DT4"}, "Counter DT4 is a partner's"),
        ("not-notified", {"counter": "UNKNOWN"}, "No counter UNKNOWN is known"),
        *(
            (
                name,
                {"power_unit": "PNHL00", "commune": commune},
                f"No active customer of power unit PNHL00 is in commune {commune}",
            )
            for name, commune in (("not-notified", HOME), ("cash-payers", "14560"))
        ),
    ]
    before = book.read_bytes()
    for name, wanted, reason in refused:
        with pytest.raises(CashlessError, match=re.escape(reason)):
            write_list(house.settings, name, wanted, book)
    assert book.read_bytes() == before


def test_a_list_tells_how_somebody_pays_and_stands_on_the_last_day(house: House) -> None:
    """Also of a bill that is partly paid or through several channels; a closing to come has not come."""
    scene = Scene(1)
    rows: list[Arrival] = [
        scene.customer("a", phone="0912345678"),
        scene.customer("a", status="closed", effective_from=date(2040, 1, 1)),
        scene.mandate("a"),
        *(scene.customer("b"), scene.customer("c"), scene.customer("d", status="closed")),
    ]
    # a pays a bill half at the counter, then the rest through MoMo; b gave a collector a part; c sent a part by MoMo.
    for which, who, channel, amount, day in (
        (1, "a", "evn_counter", 600, 5),
        (1, "a", "momo", 400, 6),
        (2, "b", "home_collector", 600, 5),
        (3, "c", "momo", 600, 5),
        (4, "d", "evn_counter", 1000, 5),
    ):
        rows.append(scene.bill(which, who, total_amount=1000))
        paid = {"channel_code": channel, "amount": amount}
        rows.append(scene.payment(10 * which + day, who, bill=which, day=day, **paid))  # type: ignore[arg-type]
    for number, outcome in enumerate(("agreed", "refused", "not_reached")):
        contact = {
            "contact_id": f"CC{number}",
            "contacted_at": scene.at(3 - number),
            "employee_code": f"NV{number}",
        }
        rows.append(("campaign_contacts", {**_contact(scene, "a", outcome), **contact}))
    review = {"phone": "0912345678", "reviewed_at": scene.at(2), "updated_at": scene.at(2)}
    customer = {"customer_code": scene.name("PN", "a")}
    rows.append(("phone_reviews", {"review_id": "R1", "result": "owner_confirmed", **customer, **review}))
    house.take(*rows)
    listed = (
        "select customer_code, bills, bills_cashless, bills_unsettled, cash_channel_code, has_auto_debit, last_outcome,"
        " last_employee_code, is_phone_verified, is_notified from bi_private.cash_payer order by customer_code"
    )
    assert house.query(listed) == [
        (scene.name("PN", "a"), 1, 0, 0, "evn_counter", True, "agreed", "NV0", True, False),
        (scene.name("PN", "b"), 1, 0, 1, "home_collector", False, None, None, False, False),
    ]


def test_the_gates_of_a_counter_are_the_settings(house: House) -> None:
    """Another threshold judges every counter anew, though no file came."""
    scene = Scene(1)
    cash = {"channel_code": "evn_counter"}
    house.take(
        *(scene.customer("a"), *scene.paid_bill(1, "a"), scene.customer("b"), scene.bill(2, "b")),
        scene.payment(2, "b", bill=2, **cash),  # type: ignore[arg-type]
        scene.payment(3, "a", day=70),  # data through lies in a later month
        scene.point(closed_on=None),
    )
    gates = "select cashless_rate::float, is_cashless_rate_ok, is_coverage_ok, is_ready from bi.kpi_counter_closure"
    assert house.query(gates) == [(None, False, False, False)]
    house.take(scene.point(closed_on=scene.month(1) + timedelta(days=2), updated_at=scene.at(90)))
    assert house.query(gates) == [(0.5, False, False, False)]
    house.set(closure_min_cashless_rate=Decimal("0.5"), closure_min_notification_coverage=Decimal(0))
    house.take()
    assert house.query(gates) == [(0.5, True, True, False)]
    with pytest.raises(ValidationError, match="closure_min_cashless_rate"):
        Settings(closure_min_cashless_rate=Decimal(2))
