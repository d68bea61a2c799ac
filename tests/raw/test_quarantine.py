"""What goes to quarantine, what of it is shown, and how it comes out again."""

from dataclasses import replace
from datetime import date, datetime

import pytest
from landing_folder import GOOD, Landing, csv_text, row

from dagster_project.contracts import model
from dagster_project.contracts.catalog import contracts
from dagster_project.raw import load

BAD_VALUES = [
    ("bills", "issued_on", "31/02/2024", "issued_on: not a date"),
    ("bills", "bill_month", "May", "bill_month: not a month"),
    ("bills", "updated_at", "soon", "updated_at: not a date or timestamp"),
    ("bills", "total_amount", "12.34", "total_amount: not an amount in whole VND"),
    ("bills", "kwh", "1.5e3", "kwh: not a plain decimal number"),
    ("bills", "cycle", "I", "cycle: not a small whole number"),
    ("bills", "cycle", "4", "cycle: not one of 1, 2, 3"),
    ("bills", "customer_code", "", "customer_code: required, but empty"),
    ("bills", "status", "NULL", "status: required, but empty"),
    ("bills", "status", "paid", "status: not one of issued, cancelled, replaced"),
    ("payments", "paid_at", "2024-05-10", "paid_at: not a date with a time"),
    ("payments", "paid_at", "2026-01-16 00:00:00", "paid_at: later than the day of loading"),
    ("payments", "amount", "0", "amount: not greater than 0"),
    ("payments", "amount", "-5000", "amount: not greater than 0"),
    ("payments", "fee", "-1", "fee: less than 0"),
    ("feedback", "reopened", "maybe", "reopened: neither true nor false"),
    ("targets", "target", "1.5", "target: a rate, but not from 0 to 1"),
]


@pytest.mark.parametrize(("source", "column", "text", "reason"), BAD_VALUES)
def test_a_bad_value(landing: Landing, source: str, column: str, text: str, reason: str) -> None:
    key = contracts()[source].key[0] if source != "targets" else "code"
    good = row(source, **{key: "OTHER"})
    result = landing.load_rows(source, row(source, **{column: text}), good)
    assert (result.counts.rows_loaded, result.counts.rows_quarantined) == (1, 1)
    assert landing.quarantine() == [(f"{source}/one.csv", 2, column, reason, "open")]


def test_a_payment_on_the_day_of_loading_is_good(landing: Landing) -> None:
    result = landing.load_rows("payments", row("payments", paid_at="2026-01-15T16:59:59Z"))
    assert result.counts.rows_loaded == 1


def test_too_few_and_too_many_fields(landing: Landing) -> None:
    lines = csv_text("payments", [row("payments"), row("payments", transaction_id="T2")]).splitlines()
    text = "\n".join([lines[0], lines[1] + ",x", lines[2], "VCB,T3,payment"]) + "\n"
    result = landing.load_text("payments", text)
    assert result.counts == load.Counts(
        rows_loaded=1, rows_quarantined=2, money_loaded_vnd=432000, money_quarantined_vnd=0
    )
    assert landing.quarantine() == [
        ("payments/one.csv", 2, None, "wrong number of fields: 13 instead of 12", "open"),
        ("payments/one.csv", 4, None, "wrong number of fields: 3 instead of 12", "open"),
    ]
    assert landing.query("select raw from bi.quarantine where line = 4") == [("***,***,***",)]
    assert landing.query("select raw from bi_private.quarantine where line = 4") == [("VCB,T3,payment",)]


def test_the_first_bad_column_in_contract_order_is_named(landing: Landing) -> None:
    landing.load_rows("bills", row("bills", status="lost", cycle="9", due_on="x"))
    assert landing.query("select column_name, reason from bi.quarantine") == [
        (
            "cycle",
            "cycle: not one of 1, 2, 3; due_on: not a date; status: not one of issued, cancelled, replaced",
        )
    ]


def test_money_of_quarantined_rows(landing: Landing) -> None:
    result = landing.load_rows(
        "payments",
        row("payments", transaction_id="T1", kind="gift", amount="1.000 đ"),
        row("payments", transaction_id="T2", amount="-300"),
        row("payments", transaction_id="T3", amount="much"),
        row("payments", transaction_id="T4", amount=""),
        row("payments", transaction_id="T5", amount="50"),
    )
    assert (result.counts.money_quarantined_vnd, result.counts.money_loaded_vnd) == (700, 50)
    assert result.counts.money_in_file_vnd == 750


def test_personal_values_are_hidden_in_bi(landing: Landing) -> None:
    text = csv_text("customers", [row("customers", status="gone", commune_code="of PN01000000001")])
    lines = text.splitlines()
    landing.load_text("customers", f"{lines[0]},note\n{lines[1]},call 0912345678\n")
    hidden = landing.value("select raw from bi.quarantine")
    assert hidden == "***,2024-01-01,***,***,***,***,***,PNYK00,household,gone,2024-01-02 08:00:00,***"
    shown = landing.value("select raw from bi_private.quarantine")
    assert shown == lines[1] + ",call 0912345678"
    reason = landing.value("select reason from bi.quarantine")
    for column in ("customer_code", "customer_name", "contract_no", "phone", "address"):
        assert GOOD["customers"][column] in shown
        assert GOOD["customers"][column] not in hidden + reason


@pytest.mark.parametrize(
    ("changes", "secret"),
    [
        ({"status": "gone", "commune_code": "Nguyễn Văn An"}, "Nguyễn Văn An"),  # a shifted row
        ({"customer_name": "Lê Tý", "status": "Lê Tý"}, "Lê Tý"),
        ({"customer_name": "Tý", "status": "Tý"}, "Tý"),
        ({"status": "0912345678"}, "0912345678"),
        ({"customer_code": "", "power_unit_code": "PN01000000099"}, "PN01000000099"),
    ],
)
def test_personal_values_in_the_wrong_column_are_hidden(
    landing: Landing, changes: dict[str, str], secret: str
) -> None:
    landing.load_rows("customers", row("customers", **changes))
    assert secret not in landing.value("select raw || reason from bi.quarantine")
    assert secret in landing.value("select raw from bi_private.quarantine")


def test_the_customers_words_are_hidden_in_feedback(landing: Landing) -> None:
    landing.load_rows("feedback", row("feedback", text="tôi là An 0912345678", status="lost"))
    assert landing.value("select raw from bi.quarantine") == (
        "PA1,***,14587,2024-05-10 10:00:00,bill,***,lost,,false,2024-05-10"
    )


def test_raw_text_of_a_row_over_several_lines(landing: Landing) -> None:
    rows = [
        row("feedback", feedback_id="PA0", text='"one\ntwo"'),
        row("feedback", text='"said ""no"",\nthen yes"', status="lost"),
    ]
    landing.load_rows("feedback", *rows)
    assert landing.query("select line, raw from bi_private.quarantine") == [
        (
            4,
            'PA1,PN01000000001,14587,2024-05-10 10:00:00,bill,"said ""no"",\n'
            'then yes",lost,,false,2024-05-10',
        )
    ]


def test_a_payment_of_the_future_is_loaded_when_its_day_comes(landing: Landing) -> None:
    future = row("payments", transaction_id="T2", paid_at="2026-01-20 10:00:00", amount="1000")
    landing.load_rows("payments", row("payments"), future)
    before = landing.query("select money_in_file_vnd, money_quarantined_vnd from bi.load_audit")
    assert before == [(433000, 1000)]

    waiting = landing.load(today=date(2026, 1, 19))
    assert not waiting.changed
    report = landing.load(today=date(2026, 1, 20))
    assert report.sources["payments"].repaired == load.Counts(rows_loaded=1, money_loaded_vnd=1000)
    assert report.changed
    assert landing.query("select transaction_id, line from raw.payments order by line") == [
        ("T1", 2),
        ("T2", 3),
    ]
    assert landing.query("select status from bi.quarantine") == [("repaired",)]
    assert landing.query("select change_id, kind, rows_added from landing.change order by 1") == [
        (1, "load", 1),
        (2, "repair", 1),
    ]
    assert landing.query("select transaction_id, change_id from raw.payments order by 1") == [
        ("T1", 1),
        ("T2", 2),
    ]
    assert landing.value("select paid_through from landing.file") == datetime(2026, 1, 20, 10)
    assert landing.query(
        "select rows_in_file, rows_loaded, rows_quarantined, money_loaded_vnd, money_quarantined_vnd "
        "from bi.load_audit"
    ) == [(2, 2, 0, 433000, 0)]
    assert not landing.load(today=date(2026, 1, 21)).changed


def test_repaired_rows_that_are_there_twice_count_once(landing: Landing) -> None:
    future = row("payments", paid_at="2026-01-20 10:00:00", amount="1000")
    text = csv_text("payments", [future])
    landing.put("payments/one.csv", text)
    landing.put("payments/copy.csv", text)
    landing.put("payments/other.csv", csv_text("payments", [future], ";"))
    landing.load()
    assert landing.value("select count(*) from bi.quarantine") == 3
    repaired = landing.load(today=date(2026, 1, 20)).sources["payments"].repaired
    assert (repaired.rows_loaded, repaired.rows_duplicate) == (1, 2)
    assert landing.value("select count(*) from raw.payments where not is_duplicate") == 1
    assert landing.query(
        "select sum(rows_in_file), sum(rows_loaded), sum(rows_duplicate), sum(rows_quarantined) "
        "from bi.load_audit"
    ) == [(3, 1, 2, 0)]


def test_a_changed_contract_tests_quarantine_and_refused_files_again(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.put("bills/one.csv", csv_text("bills", [row("bills", status="lost", bill_type="x")]))
    names = [name for name in contracts()["bills"].names if name != "due_on"]
    short = ",".join(names) + "\n" + ",".join(row("bills", bill_id="BE2")[name] for name in names) + "\n"
    landing.put("bills/short.csv", short)
    landing.load()
    assert landing.value("select count(*) from raw.bills") == 0

    def changed(column: model.Column) -> model.Column:
        if column.name == "status":
            return replace(column, values=(*column.values, "lost"))
        return replace(column, required=False) if column.name == "due_on" else column

    bills = contracts()["bills"]
    wider = replace(bills, columns=tuple(changed(column) for column in bills.columns))
    monkeypatch.setattr(load, "contracts", lambda _: {**contracts(), "bills": wider})
    report = landing.load()
    assert report.sources["bills"].rows_added == 1
    assert landing.query("select bill_id from raw.bills") == [("BE2",)]
    # still bad, by another fault than before
    assert landing.query("select column_name, reason, status from bi.quarantine") == [
        ("bill_type", "bill_type: not one of electricity, service", "open")
    ]
    assert landing.query("select refused_reason from bi.load_audit order by file") == [(None,), (None,)]


def test_a_new_day_takes_the_fault_of_the_future_from_a_row_that_has_another(landing: Landing) -> None:
    bad = row("payments", paid_at="2026-01-20 10:00:00", fee="-1")
    landing.load_rows("payments", bad)
    before = "fee: less than 0; paid_at: later than the day of loading"
    assert landing.quarantine() == [("payments/one.csv", 2, "fee", before, "open")]
    for day in (19, 20, 21):
        assert not landing.load(today=date(2026, 1, day)).changed
        reason = before if day == 19 else "fee: less than 0"
        assert landing.quarantine() == [("payments/one.csv", 2, "fee", reason, "open")]


@pytest.mark.parametrize("text", ["9999-12-31T17:00Z", "0001-01-01 00:00+08:00"])
def test_an_offset_that_leads_out_of_the_calendar(landing: Landing, text: str) -> None:
    landing.load_rows(
        "bills", row("bills", updated_at=text), row("bills", bill_id="BE2", updated_at="9999-12-31 23:59")
    )
    reason = "updated_at: not a date or timestamp"
    assert landing.quarantine() == [("bills/one.csv", 2, "updated_at", reason, "open")]
    assert landing.value("select count(*) from raw.bills") == 1


def test_extra_columns_survive_quarantine(landing: Landing) -> None:
    lines = csv_text("payments", [row("payments", paid_at="2026-01-20 10:00:00")]).splitlines()
    landing.load_text("payments", f"{lines[0]},note\n{lines[1]},thu hộ\n")
    landing.load(today=date(2026, 1, 20))
    assert landing.value("select extra from raw.payments") == {"note": "thu hộ"}
