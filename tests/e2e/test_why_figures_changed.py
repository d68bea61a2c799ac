"""Final and signed months: what changes in them is told, and why.

Does not belong here: which figures are right (the recomputation says so), and publishing by itself (tests/publish).
"""

import re
from datetime import date
from pathlib import Path

import pytest

from dagster_project.errors import CashlessError
from dagster_project.publish.hold import PublicationHeld
from dagster_project.raw.changes import Person
from dagster_project.raw.withdraw import unload
from dagster_project.report.explain import COUNTS, Question, explain
from dagster_project.report.explanation import print_answer
from dagster_project.transform.dbt import REPOSITORY
from tests.e2e.cases import HOME, PRICE, Scene
from tests.e2e.house import House


def test_a_final_month_does_not_change_silently(house: House) -> None:
    one, two, late = Scene(1), Scene(2), Scene(20)
    house.take(
        *(one.customer(), *one.paid_bill(1), two.customer(), two.bill(1)),
        *(late.customer(), *late.paid_bill(1)),  # data through lies more than three years later
    )
    assert house.revisions() == []
    assert house.query("select count(*) from bi.fct_bill_history") == [(0,)]

    # A late payment of a final month; a running month changes as well, and is not told.
    house.take(two.payment(1, bill=1, day=300), late.bill(2))
    running = house.query(
        f"select status from bi.kpi_company_month where bill_month = '{late.month()}' and scope = 'electricity'"
        " and geography = 'as_recorded'"
    )
    assert running == [("provisional",)]
    second = [
        (2, two.month(), "cashless_rate_customers", 0.0, 1.0, 1),
        (2, two.month(), "customers_cashless", 0.0, 1.0, 1),
    ]
    assert house.revisions() == second
    assert house.query("select distinct files from bi.kpi_revision") == [([house.file("payments", 2)],)]

    # The bill is cancelled: the row of its month goes.
    house.take(two.bill(1, status="cancelled", updated_at=two.at(200)))
    assert house.revisions() == [
        *second,
        (3, two.month(), "cashless_rate_customers", 1.0, None, 1),
        (3, two.month(), "customers_billed", 1.0, None, 1),
        (3, two.month(), "customers_cashless", 1.0, None, 1),
    ]
    # Of every unit that the bill counted for.
    bill = f"from bi.fct_bill where bill_month = '{two.month()}'"
    assert house.query(
        "select distinct table_name, geography, code from bi.kpi_revision where publication_id = 3 order by 1, 2"
    ) == [
        ("kpi_commune_month", "as_recorded", HOME),
        *house.query(f"select 'kpi_commune_month', 'current', current_commune_code {bill}"),
        ("kpi_company_month", "as_recorded", "COMPANY"),
        ("kpi_company_month", "current", "COMPANY"),
        *house.query(f"select 'kpi_district_month', 'as_recorded', district_code {bill}"),
        ("kpi_power_unit_month", "as_recorded", "PNYK00"),
    ]

    # It is issued after all, and in the same run everything is made anew: the file is named all the same.
    house.set(closure_max_feedback_open=9)
    house.take(two.bill(1, updated_at=two.at(201)))
    back = "select distinct old_value, files from bi.kpi_revision where publication_id = 4"
    assert house.query(back) == [(None, [house.file("bills", 4)])]
    house.set(closure_max_feedback_open=8)
    house.take()
    assert house.query("select max(publication_id) from bi.kpi_revision") == [(4,)]


def test_a_signed_month_does_not_change_silently_either(house: House) -> None:
    """Also while it is provisional; what was signed is kept."""
    scene = Scene(1)
    with pytest.raises(CashlessError, match="no figure of it is published"):
        house.sign(scene.month(), "An")
    house.take(scene.customer(), *scene.paid_bill(1), scene.bill(2))
    done = house.sign(scene.month(), "An")
    assert (done.publication_id, done.status) == (1, "provisional")
    assert done.figures == house.query("select count(*) from bi.signed_figure")[0][0] > 4
    *_, unlike_signed = _queries_of_the_page(scene.month(), HOME, 0)
    assert house.query(unlike_signed) == []
    house.take(scene.payment(2, bill=2))
    changed = {row[1:] for row in house.query(unlike_signed) if row[2:4] == ("as_recorded", "electricity")}
    for table, code in (("kpi_company_month", "COMPANY"), ("kpi_commune_month", HOME)):
        assert (table, "as_recorded", "electricity", code, "customers_cashless", 0, 1) in changed
        assert (table, "as_recorded", "electricity", code, "bills_settled", 1, 2) in changed
    assert [row[:5] for row in house.revisions()] == [
        (2, scene.month(), "cashless_rate_customers", 0.0, 1.0),
        (2, scene.month(), "customers_cashless", 0.0, 1.0),
    ]
    signed = "select (figures ->> 'customers_cashless')::int from bi.signed_figure where code = 'COMPANY'"
    assert set(house.query(signed)) == {(0,)}
    [(figures,)] = house.query("select count(*) from bi.signed_change")
    status = house.cashless("status").stdout
    assert "nay khác lúc chốt / Figures unlike signed" in status
    assert re.search(rf"An .* 1 +{figures} *\n", status), status

    # It is taken back: revised twice, and as it was signed. Since the signature, not since the last but one.
    house.take_back(house.file("payments", 2))
    assert len(house.revisions()) == 4
    assert house.query(unlike_signed) == []
    assert re.search(r"An .* 1 +0 *\n", house.cashless("status").stdout)
    since_signed = explain(house.settings, Question(scene.month()), 10)
    assert (since_signed.since, since_signed.moved) == (1, 0)
    month = f"{scene.month():%Y-%m}"
    assert re.search(
        r"publication 1, được chốt / signed: .*, An\.", house.cashless("explain", "--month", month).stdout
    )
    asked = house.cashless("explain", "--month", month, "--since", "2").stdout
    assert "publication 2 (--since)." in asked
    house.sign(scene.month(), "Bình")
    assert house.query("select signed_by, publication_id from bi.sign_off order by signed_at") == [
        ("An", 1),
        ("Bình", 3),
    ]
    # Nothing was published since.
    assert "publication 2, lần áp chót" in house.cashless("explain", "--month", month).stdout


def test_why_a_figure_changed_goes_down_to_the_lines(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    scene, other = Scene(1), Scene(1)
    house.take(scene.customer(), *scene.paid_bill(1), scene.bill(2), scene.bill(3))
    house.take(scene.payment(2, bill=2))
    house.take(scene.bill(3, status="cancelled", updated_at=scene.at(100)), other.bill(4))
    question = Question(scene.month(), place="commune_code", code=HOME, since=1)
    answer = explain(house.settings, question, 10)
    assert (answer.since, answer.newest, answer.moved) == (1, 3, 3)
    assert [answer.before[name] for name in ("bills_issued", "bills_settled")] == [3, 1]
    assert [answer.after[name] for name in ("bills_issued", "bills_settled")] == [3, 2]
    [published] = house.query(
        "select customers_billed, customers_cashless, bills_issued, amount_collected_vnd from bi.kpi_commune_month"
        " where geography = 'as_recorded' and scope = 'electricity'"
    )
    names = ("customers_billed", "customers_cashless", "bills_issued", "amount_collected_vnd")
    assert published == tuple(answer.after[name] for name in names)
    paid, cancelled, came = answer.bills
    assert [(bill.bill_id, len(bill.rows)) for bill in answer.bills] == [
        (scene.name("B", 2), 1),
        (scene.name("B", 3), 1),
        (scene.name("B", 4), 1),
    ]
    assert (paid.before or {})["is_settled"] is False
    assert (paid.after or {})["is_settled"] is True
    [row] = paid.rows
    assert (row.source, row.file, row.line, row.is_withdrawn) == (
        "payments",
        house.file("payments", 2),
        2,
        False,
    )
    assert (row.transaction_id, row.said) == (scene.name("T", 2), ("payment", PRICE, "momo"))
    assert (cancelled.after or {})["is_in_scope"] is False
    assert came.before is None

    print_answer(answer)
    shown = capsys.readouterr().out
    assert paid.rows[0].file in shown
    assert scene.name("B", 4) in shown

    # Since the second publication only what came after it; a bill that is back where it was has not moved.
    assert explain(house.settings, Question(scene.month()), 10).since == 2
    assert explain(house.settings, Question(scene.month(), since=2), 10).moved == 2
    small = explain(house.settings, Question(scene.month(), place="power_unit_code", code="pnyk00"), 10)
    assert (small.question.code, small.moved) == ("PNYK00", 2)
    today = date(2025, 8, 1)
    for month, place, code, reason in (
        (scene.month(later=1), None, "COMPANY", "No bill of 2018-04 is published; 2018-03 … 2018-03"),
        (today, None, "COMPANY", "No bill of 2025-08 is published"),
        (scene.month(), "power_unit_code", "PNHL00", "No bill of 2018-03 counts for PNHL00"),
        (scene.month(), "power_unit_code", "XX", "No power unit XX is known today."),
        (scene.month(), "commune_code", "99999", "No commune 99999 is known in 2018-03."),
        (scene.month(), "district_code", "99", "No district 99 is known in 2018-03."),
        (today, "district_code", "377", "Districts were abolished on 2025-07-01: 2025-08 has none"),
        (today, "commune_code", HOME, "Xã Khánh Hải (2024, 2025h1), nay là / today: 14560 Xã Yên Khánh."),
        (scene.month(), "current_commune_code", HOME, f"No commune {HOME} is known today."),
    ):
        with pytest.raises(CashlessError, match=re.escape(reason)):
            explain(house.settings, Question(month, place=place, code=code), 10)
    assert len(explain(house.settings, Question(scene.month(), since=1), 1).bills) == 1
    with pytest.raises(CashlessError, match="There is no publication 9; there are 1 to 3"):
        explain(house.settings, Question(scene.month(), since=9), 10)


def test_the_queries_of_the_page_say_why_as_explain_does(house: House) -> None:
    """The figure that was revised, its counts then and now, the bills between, their rows, and what was signed."""
    scene = Scene(1)
    house.take(scene.customer(), *scene.paid_bill(1), scene.bill(2), scene.customer("b"), scene.bill(3, "b"))
    house.sign(scene.month(), "An")
    house.take(scene.payment(2, bill=2))
    house.take(scene.bill(3, "b", status="cancelled", updated_at=scene.at(100)))
    revised, counts, bills, rows, signed = _queries_of_the_page(scene.month(), HOME, since=1)
    answer = explain(house.settings, Question(scene.month(), place="commune_code", code=HOME, since=1), 10)

    names = [*("customers_billed", "customers_cashless", "bills_issued", "bills_settled"), COUNTS[-1]]
    assert house.query(counts) == [
        ("then", *(answer.before[name] for name in names)),
        ("now", *(answer.after[name] for name in names)),
    ]
    assert [answer.before[name] for name in names[:4]] == [2, 0, 3, 1]
    assert [answer.after[name] for name in names[:4]] == [1, 1, 2, 2]
    assert house.query(bills) == [
        (scene.name("B", 2), 2, False, True, 0, False, False),
        (scene.name("B", 2), 2, True, True, PRICE, True, True),
        (scene.name("B", 3), 3, False, True, 0, False, False),
        (scene.name("B", 3), 3, True, False, 0, False, False),
    ]
    assert [(row[0], *row[2:6], row[6]) for row in house.query(rows)] == [
        (bill.bill_id, row.source, row.file, row.line, row.is_withdrawn, row.transaction_id)
        for bill in answer.bills
        for row in bill.rows
    ]
    assert [row[2] for row in house.query(rows)] == ["payments", "bills"]
    of_commune = [
        (row[5], float(row[6]), float(row[7]), row[8])
        for row in house.query(revised)
        if row[1] == "kpi_commune_month" and row[3] == "electricity" and not row[5].endswith("strict")
    ]
    came = {2: [house.file("payments", 2)], 3: [house.file("bills", 3)]}
    assert of_commune == [
        ("cashless_rate_customers", 0.5, 1, came[3]),  # the one customer left is cashless; newest first
        ("customers_billed", 2, 1, came[3]),
        ("cashless_rate_customers", 0, 0.5, came[2]),
        ("customers_cashless", 0, 1, came[2]),
    ]
    # All that differs, of every level: b's only bill is gone, a's second one is paid.
    of_commune = [
        row[5:]
        for row in house.query(signed)
        if row[1:5] == ("kpi_commune_month", "as_recorded", "all", HOME)
    ]
    told = {figure: (float(was), float(now)) for figure, was, now in of_commune if was is not None}
    assert told["customers_billed"] == (2, 1)
    assert told["customers_cashless"] == (0, 1)
    assert told["bills_issued"] == (3, 2)
    assert told["amount_collected_vnd"] == (PRICE, 2 * PRICE)
    assert {row[1] for row in house.query(signed)} >= {
        "kpi_company_month",
        "kpi_power_unit_month",
        "kpi_commune_month",
    }


def _queries_of_the_page(month: date, commune: str, since: int) -> list[str]:
    """Of its part about changes, about this month, commune and publication instead of those of the page."""
    page = (REPOSITORY / "docs" / "analyst.md").read_text(encoding="utf-8")
    [part] = re.findall(r"\n## Why did a figure change\?\n(.*?)\n## ", page, flags=re.S)
    queries = re.findall(r"```sql\n(.*?)```", part, flags=re.S)
    own = {
        "'2024-08-01'": f"'{month}'",
        "'14587'": f"'{commune}'",
        "publication_id > 12": f"publication_id > {since}",
    }
    for name, value in own.items():
        assert any(name in query for query in queries)
        queries = [query.replace(name, value) for query in queries]
    return queries


def test_the_causes_of_a_bill_are_the_rows_that_may_have_moved_it(house: House) -> None:
    """All of them, whoever they are of, and no others; the files of a revision are those that may have changed it."""
    scene = Scene(1)
    house.take(
        *(scene.customer("a"), scene.bill(1, "a"), scene.bill(2, "a"), scene.payment(1, "a")),
        *(scene.customer("b"), scene.bill(3, "b"), scene.bill(4, "b"), scene.payment(2, "b")),
        *(scene.customer("c"), scene.bill(5, "c")),
    )
    house.sign(scene.month(), "An")

    # a pays b's bill, so that b's own payment, which names none, goes to b's next one; and a's own
    # goes to a's next one, as the first is cancelled.
    house.take(
        scene.payment(3, "a", bill=3, day=6), scene.bill(1, "a", status="cancelled", updated_at=scene.at(100))
    )
    assert house.causes(2) == {
        scene.name("B", 1): {("bills", None)},
        scene.name("B", 2): {("bills", None)},
        scene.name("B", 3): {("payments", scene.name("T", 3))},
        scene.name("B", 4): {("payments", scene.name("T", 3))},
    }
    # A mandate is kept of b's bills, and has changed no figure of the month; c's payment has.
    house.take(scene.mandate("b"), scene.payment(4, "c", bill=5))
    assert house.causes(3)[scene.name("B", 5)] == {("payments", scene.name("T", 4))}
    others = {
        cause for bill, causes in house.causes(3).items() if bill != scene.name("B", 5) for cause in causes
    }
    assert others <= {("auto_debit_mandates", None)}
    assert house.query("select distinct files from bi.kpi_revision where publication_id = 3") == [
        ([house.file("payments", 3)],)
    ]
    # It is undone, and b's payment goes back.
    house.take(scene.reversal(9, of=3, who="a"))
    assert house.causes(4) == {
        scene.name("B", 3): {("payments", scene.name("T", 9))},
        scene.name("B", 4): {("payments", scene.name("T", 9))},
    }
    # The bill is c's now: of b and c whatever names no bill may move.
    house.take(scene.bill(3, "c", updated_at=scene.at(101)))
    assert house.causes(5) == {
        scene.name("B", 3): {("bills", None)},
        scene.name("B", 4): {("bills", None)},
    }


def test_what_came_and_went_between_two_publications_is_no_cause(house: House) -> None:
    scene = Scene(1)
    house.take(scene.customer(), scene.bill(1))
    assert house.cashless("hold", "--reason", "a test").exit_code == 0
    with pytest.raises(PublicationHeld):
        house.take(scene.payment(1, bill=1))
    unload(house.settings, [house.file("payments", 2)], Person("a test", ""))
    assert house.cashless("release").exit_code == 0
    house.take(scene.payment(2, bill=1))
    assert house.causes(2) == {scene.name("B", 1): {("payments", scene.name("T", 2))}}


def test_what_undid_a_payment_is_found_though_it_pays_nothing_now(house: House) -> None:
    """A payment that named no bill is reversed, and its file taken back."""
    scene = Scene(1)
    house.take(scene.customer(), scene.bill(1), scene.payment(1))
    house.take(scene.reversal(9, of=1))
    [undone] = explain(house.settings, Question(scene.month()), 10).bills
    assert [(row.file, row.said, row.is_withdrawn) for row in undone.rows] == [
        (house.file("payments", 2), ("reversal", PRICE, "momo"), False)
    ]
    house.take_back(house.file("payments", 1))
    answer = explain(house.settings, Question(scene.month(), since=1), 10)
    assert (answer.before["bills_settled"], answer.after["bills_settled"]) == (1, 0)
    [undone] = answer.bills
    assert {(row.file, row.transaction_id, row.is_withdrawn) for row in undone.rows} >= {
        (house.file("payments", 2), scene.name("T", 9), False)
    }
    house.take(scene.payment(2, bill=1))
    house.take_back(house.file("payments", 4))
    [undone] = explain(house.settings, Question(scene.month()), 10).bills
    withdrawn = (house.file("payments", 4), ("payment", PRICE, "momo"), True)
    assert [(row.file, row.said, row.is_withdrawn) for row in undone.rows] == [withdrawn]

    # Another file brings the transaction otherwise: each row says what it said then.
    house.take(scene.payment(2, bill=1, amount=1000, channel_code="evn_counter"))
    [bill] = explain(house.settings, Question(scene.month(), since=3), 10).bills
    assert [(row.file, row.said, row.is_withdrawn) for row in bill.rows] == [
        (house.file("payments", 4), ("payment", PRICE, "momo"), False),
        withdrawn,
        (house.file("payments", 6), ("payment", 1000, "evn_counter"), False),
    ]


def test_the_commands_about_figures(house: House, tmp_path: Path) -> None:
    """What they say, where they write, and how they end."""
    scene = Scene(1)
    month = f"{scene.month():%Y-%m}"
    nothing = house.cashless("close", month, "--by", "An")
    assert (nothing.exit_code, nothing.stderr.count("\n")) == (1, 1)
    assert "no figure of it is published" in nothing.stderr
    assert house.cashless("explain", "--month", month).exit_code == 1
    assert house.cashless("list", "cash-payers", "--out", str(tmp_path / "a.xlsx")).exit_code == 1
    undescribed = house.cashless("db", "docs", "--out", str(tmp_path / "a.html"))
    assert (undescribed.exit_code, undescribed.stderr.count("\n")) == (1, 1)

    house.take(scene.customer(), *scene.paid_bill(1), scene.bill(2))
    signed = house.cashless("close", month, "--by", " An ", "--note", "đã đối soát")
    assert signed.exit_code == 0
    assert f"signed: {month}, lần công bố / publication 1" in signed.stdout
    assert "still provisional" in signed.stderr
    assert house.query("select signed_by, note from bi.sign_off") == [("An", "đã đối soát")]
    assert "signed before" not in signed.stdout
    again = house.cashless("close", month, "--by", "Bình")
    assert "An, lần công bố / publication 1; vẫn giữ / kept." in again.stdout
    status = house.cashless("status").stdout
    assert "Tháng đã chốt / Signed months" in status
    assert re.search(rf"{month} +Bình .* 1 +0 *\n", status), status
    assert house.cashless("close", month, "--by", " ").exit_code == 2
    wrong = house.cashless("list", "cash-payers", "--out", str(tmp_path / "a.txt"))
    assert (wrong.exit_code, "must end with .xlsx" in wrong.stderr) == (2, True)
    assert not (tmp_path / "a.txt").exists()
    assert house.cashless("close", "2018-13", "--by", "An").exit_code == 2

    house.take(scene.payment(2, bill=2))
    why = house.cashless("explain", "--month", month, "--commune", HOME, "--since", "1")
    assert why.exit_code == 0
    assert "publication 1 → 2" in why.stdout
    assert "1 hóa đơn thay đổi / bills changed" in why.stdout
    assert scene.name("B", 2) in why.stdout
    assert f"{house.file('payments', 2)}:2" in why.stdout
    still = house.cashless("explain", "--month", month, "--scope", "all", "--since", "2")
    assert "No bill of it has changed" in still.stdout
    elsewhere = house.cashless("explain", "--month", month, "--power-unit", "PNHL00")
    assert elsewhere.exit_code == 1
    assert "No bill of" in elsewhere.stderr
    assert house.cashless("explain", "--month", month, "--commune", HOME, "--district", "373").exit_code == 2

    book = tmp_path / "lists" / "b.xlsx"
    [(today,)] = house.query("select distinct current_commune_code from bi.fct_bill")
    listed = house.cashless("list", "cash-payers", "--commune", today, "--out", str(book))
    assert (listed.exit_code, book.exists()) == (0, True)
    assert ": 0 khách hàng / customers" in listed.stdout
    assert "personal data" in listed.stderr
    earlier = house.cashless("list", "cash-payers", "--commune", HOME, "--out", str(book))
    assert "Xã Khánh Hải (2024, 2025h1), nay là / today: 14560 Xã Yên Khánh." in earlier.stderr
    for unknown in (("--commune", HOME), ("--commune", "99999"), ("--power-unit", "XX")):
        refused = house.cashless("list", "cash-payers", *unknown, "--out", str(book))
        assert (refused.exit_code, f"{unknown[1]} is known" in refused.stderr) == (1, True)
