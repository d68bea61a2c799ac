"""A corrected row closes what is open in quarantine, whatever the order in which files come and go."""

import random
from contextlib import closing
from dataclasses import replace
from datetime import date

import pytest
from landing_folder import Landing, csv_text, row, write_workbook

from dagster_project.contracts.catalog import contracts
from dagster_project.raw import load
from dagster_project.raw.changes import Person
from dagster_project.raw.reload import reload
from dagster_project.raw.tables import ensure_tables
from dagster_project.raw.withdraw import unload
from dagster_project.warehouse.connection import connect
from tests.conftest import execute, url_of

AN = Person("An", "")
STATES = "select file, line, status, repaired_by_file from bi.quarantine order by file, line, quarantined_at"
ROWS = "select file, rows_loaded, rows_duplicate, rows_quarantined from bi.load_audit where rows_in_file > 0 order by 1"


def bill(bill_id: str = "BE1", **changes: str) -> dict[str, str]:
    return row("bills", bill_id=bill_id, **changes)


def bills(*rows: dict[str, str]) -> str:
    return csv_text("bills", rows)


def with_line(text: str, number: int, line: str) -> str:
    """The file with another text in this line."""
    lines = text.splitlines()
    lines[number - 1] = line
    return "\n".join(lines) + "\n"


def states(landing: Landing) -> list[tuple[object, ...]]:
    return landing.query(STATES)


def test_a_corrected_row_in_another_file_closes_the_entry(landing: Landing) -> None:
    landing.put("bills/a.csv", bills(bill(status="lost"), bill("BE2")))
    landing.load()
    assert states(landing) == [("bills/a.csv", 2, "open", None)]
    landing.put("bills/b.csv", bills(bill()))
    landing.load()
    assert states(landing) == [("bills/a.csv", 2, "repaired", "bills/b.csv")]
    assert landing.value("select repaired_at >= quarantined_at from bi.quarantine")
    # the row itself was never loaded: its file's line balances as before
    assert landing.query(ROWS) == [("bills/a.csv", 1, 0, 1), ("bills/b.csv", 1, 0, 0)]
    assert not landing.load().changed


def test_several_entries_of_one_key_and_one_of_another(landing: Landing) -> None:
    landing.put("bills/a.csv", bills(bill(status="lost"), bill(cycle="9"), bill("BE2", cycle="9")))
    landing.put("bills/b.csv", bills(bill(due_on="soon")))
    landing.put("bills/c.csv", bills(bill()))
    landing.load()
    assert states(landing) == [
        ("bills/a.csv", 2, "repaired", "bills/c.csv"),
        ("bills/a.csv", 3, "repaired", "bills/c.csv"),
        ("bills/a.csv", 4, "open", None),
        ("bills/b.csv", 2, "repaired", "bills/c.csv"),
    ]


@pytest.mark.parametrize("is_good_first", [True, False])
def test_a_bad_and_a_good_row_of_one_key_in_one_file(landing: Landing, is_good_first: bool) -> None:
    rows = [bill(), bill(status="lost")]
    landing.load_rows("bills", *(rows if is_good_first else reversed(rows)))
    assert states(landing) == [("bills/one.csv", 3 if is_good_first else 2, "repaired", "bills/one.csv")]


@pytest.mark.parametrize(
    ("version", "status"),
    [("2024-05-05 06:00:00", "repaired"), ("2024-05-06", "repaired"), ("2024-05-05 05:59:59", "open")],
)
@pytest.mark.parametrize("is_good_first", [True, False])
def test_an_older_version_corrects_nothing(
    landing: Landing, version: str, status: str, is_good_first: bool
) -> None:
    texts = [bills(bill(status="lost")), bills(bill(updated_at=version))]
    for number, text in enumerate(reversed(texts) if is_good_first else texts):
        landing.put(f"bills/{number}.csv", text)
        landing.load()
    assert landing.value("select status from bi.quarantine") == status


@pytest.mark.parametrize(
    ("bad", "good", "status"),
    [
        ({"updated_at": "soon"}, {}, "repaired"),
        ({"updated_at": "soon", "total_amount": "432.000 đ"}, {"kwh": "182.50"}, "repaired"),
        ({"updated_at": "soon", "status": "lost"}, {}, "repaired"),
        ({"updated_at": "soon", "total_amount": "432.001"}, {}, "open"),
        ({"updated_at": "soon", "replaced_by": "BE9"}, {}, "open"),
        ({"updated_at": "", "kwh": ""}, {"kwh": ""}, "repaired"),
    ],
)
@pytest.mark.parametrize("is_good_first", [True, False])
def test_a_row_whose_version_is_at_fault(
    landing: Landing, bad: dict[str, str], good: dict[str, str], status: str, is_good_first: bool
) -> None:
    texts = [bills(bill(**bad)), bills(bill(**good))]
    for number, text in enumerate(reversed(texts) if is_good_first else texts):
        landing.put(f"bills/{number}.csv", text)
        landing.load()
    assert landing.value("select status from bi.quarantine") == status


def test_a_payment_of_the_future_is_closed_by_its_corrected_row_and_loaded_when_its_day_has_come(
    landing: Landing,
) -> None:
    landing.put("payments/a.csv", csv_text("payments", [row("payments", paid_at="2026-01-20 10:00:00")]))
    landing.put("payments/b.csv", csv_text("payments", [row("payments", amount="1")]))
    landing.load()
    assert states(landing) == [("payments/a.csv", 2, "open", None)]  # another amount: not the same payment
    landing.put("payments/c.csv", csv_text("payments", [row("payments", paid_at="2026-01-10 10:00:00")]))
    landing.load()
    assert states(landing) == [("payments/a.csv", 2, "repaired", "payments/c.csv")]
    landing.load(today=date(2026, 1, 19))
    assert states(landing) == [("payments/a.csv", 2, "repaired", "payments/c.csv")]
    landing.load(today=date(2026, 1, 20))
    assert states(landing) == [("payments/a.csv", 2, "repaired", None)]
    assert landing.query(ROWS)[0] == ("payments/a.csv", 1, 0, 0)


def test_a_key_of_several_columns(landing: Landing) -> None:
    def version(day: str, **changes: str) -> dict[str, str]:
        return row("customers", effective_from=day, **changes)

    landing.put("customers/a.csv", csv_text("customers", [version("2024-03-01", status="gone")]))
    landing.put("customers/b.csv", csv_text("customers", [version("2024-03-02")]))
    landing.load()
    assert landing.value("select status from bi.quarantine") == "open"
    landing.put("customers/c.csv", csv_text("customers", [version("01/03/2024")]))
    landing.load()
    assert states(landing) == [("customers/a.csv", 2, "repaired", "customers/c.csv")]
    landing.put("targets/a.csv", csv_text("targets", [row("targets", month="05/2024", target="7")]))
    landing.put("targets/b.csv", csv_text("targets", [row("targets")]))
    landing.load()
    assert states(landing)[1:] == [("targets/a.csv", 2, "repaired", "targets/b.csv")]


def test_a_key_of_any_length(landing: Landing) -> None:
    chance = random.Random(1)
    key = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(100_000))
    result = landing.load_rows("bills", bill(key, status="lost"), bill(key, status="lost"), bill())
    assert (result.status, result.counts.rows_quarantined) == ("loaded", 2)
    landing.put("bills/two.csv", bills(bill("BE2")))
    assert landing.load().rows_added["bills"] == 1


# Taking back


def test_taking_back_the_correction_opens_what_it_closed(landing: Landing) -> None:
    landing.put("bills/a.csv", bills(bill(status="lost"), bill("BE2", status="lost")))
    landing.put("bills/b.csv", bills(bill(), bill("BE2")))
    landing.put("bills/c.csv", bills(bill("BE2", updated_at="2024-06-01")))
    landing.load()
    unload(landing.settings, ["bills/b.csv"], AN)
    assert states(landing) == [
        ("bills/a.csv", 2, "open", None),
        ("bills/a.csv", 3, "repaired", "bills/c.csv"),
    ]
    assert (
        landing.value("select count(*) from bi.quarantine where status = 'open' and repaired_at is not null")
        == 0
    )
    reload(landing.settings, ["bills/b.csv"], AN)
    assert {status for _, _, status, _ in states(landing)} == {"repaired"}
    unload(landing.settings, ["bills/a.csv"], AN)
    assert states(landing) == []
    reload(landing.settings, ["bills/a.csv"], AN)
    assert {status for _, _, status, _ in states(landing)} == {"repaired"}


def test_a_correction_that_is_read_again_with_another_content(landing: Landing) -> None:
    landing.put("bills/a.csv", bills(bill(status="lost")))
    landing.put("bills/b.csv", bills(bill()))
    landing.load()
    landing.put("bills/b.csv", bills(bill("BE3")))
    reload(landing.settings, ["bills/b.csv"], AN)
    assert states(landing) == [("bills/a.csv", 2, "open", None)]


def test_a_correction_whose_copy_takes_over(landing: Landing) -> None:
    landing.put("bills/a.csv", bills(bill(status="lost")))
    for name in "bc":
        landing.put(
            f"bills/{name}.csv", bills(bill(), bill("BE2", cycle="7"), bill("BE2", due_on="31/02/2024"))
        )
    landing.put("bills/d.csv", bills(bill("BE2")))
    landing.load()
    assert [(file, by) for file, _, _, by in states(landing)] == [
        ("bills/a.csv", "bills/b.csv"),
        *[("bills/b.csv", "bills/d.csv")] * 2,
        *[("bills/c.csv", "bills/d.csv")] * 2,
    ]
    unload(landing.settings, ["bills/b.csv"], AN)
    assert [(file, by) for file, _, _, by in states(landing)] == [
        ("bills/a.csv", "bills/c.csv"),
        *[("bills/c.csv", "bills/d.csv")] * 2,
    ]
    unload(landing.settings, ["bills/c.csv"], AN)
    assert states(landing) == [("bills/a.csv", 2, "open", None)]


# Rows without a key: the whole file again


BAD_LINES = ["BE1,too,short", ",".join(bill("").values())]


@pytest.mark.parametrize("bad", BAD_LINES)
@pytest.mark.parametrize("is_good_first", [True, False])
def test_the_corrected_file_closes_rows_without_a_key(
    landing: Landing, bad: str, is_good_first: bool
) -> None:
    good = bills(bill(), bill("BE2"), bill("BE3"))
    spoilt = with_line(good, 3, bad)
    landing.put("bills/a.csv", good if is_good_first else spoilt)
    landing.load()
    landing.put("bills/a.csv", spoilt if is_good_first else good)
    landing.load()
    assert states(landing) == [("bills/a.csv", 3, "repaired", "bills/a.csv")]
    content = landing.value("select sha256 from bi.load_audit where rows_quarantined = 0")
    unload(landing.settings, ["bills/a.csv"], AN, content)
    assert states(landing) == [("bills/a.csv", 3, "open", None)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("bills/b.csv", bills(bill(), bill("BE2"))),  # another file
        ("bills/a.csv", bills(bill(kwh="1"), bill("BE2"))),  # without a row that was good
        ("bills/a.csv", bills(bill())),  # without the line
        ("bills/a.csv", bills(bill("BE2"), bill(), bill(""))),  # still bad in this line
    ],
)
def test_other_files_close_no_row_without_a_key(landing: Landing, path: str, text: str) -> None:
    bad = "BE2,too,short"
    lines = bills(bill(), bill("BE2"))
    landing.put("bills/a.csv", with_line(lines, 3, bad))
    if path == "bills/a.csv" and text.count("\n") == 4:
        landing.put("bills/a.csv", with_line(bills(bill(), bill("BE2"), bill("BE4")), 4, bad))
    landing.load()
    landing.put(path, text)
    landing.load()
    assert set(landing.query("select status from bi.quarantine where file = 'bills/a.csv'")) == {("open",)}


def test_without_any_good_row_nobody_knows_that_it_is_the_same_file(landing: Landing) -> None:
    """A name that is used every day: today's rows make up for nothing of yesterday's."""
    landing.put("bills/today.csv", with_line(with_line(bills(bill(), bill("BE2")), 2, "BE1"), 3, "BE2"))
    landing.load()
    landing.put("bills/today.csv", bills(bill("BE3"), bill("BE4")))
    landing.load()
    assert {status for _, _, status, _ in states(landing)} == {"open"}


def test_a_bad_line_that_was_taken_out_is_not_corrected(landing: Landing) -> None:
    good = [bill(), bill("BE2"), bill("BE3")]
    landing.put("bills/a.csv", with_line(bills(*good), 3, "BE2"))
    landing.load()
    landing.put("bills/a.csv", bills(good[0], good[2]))  # what stands in line 3 now stood in line 4
    landing.load()
    assert [status for _, _, status, _ in states(landing)] == ["open"]
    landing.put("bills/a.csv", bills(good[0], good[2], good[0]))  # as many rows, but no new one
    landing.load()
    assert [status for _, _, status, _ in states(landing)] == ["open"]
    landing.put("bills/a.csv", bills(*good))
    landing.load()
    assert [status for _, _, status, _ in states(landing)] == ["repaired"]


def test_another_state_of_the_same_day_is_no_correction(landing: Landing) -> None:
    landing.put("bills/a.csv", bills(bill(status="issued")))
    landing.put("bills/b.csv", bills(bill(status="cancelled", vat_amount="x")))
    landing.load()
    assert [status for _, _, status, _ in states(landing)] == ["open"]
    landing.put("bills/c.csv", bills(bill(status="cancelled")))
    landing.load()
    assert [(status, by) for _, _, status, by in states(landing)] == [("repaired", "bills/c.csv")]


def test_a_payment_that_differs_is_a_conflict_and_no_correction(landing: Landing) -> None:
    landing.put("payments/a.csv", csv_text("payments", [row("payments", amount="x")]))
    for name, changed in (
        ("b", {"customer_code": "PN01000000002"}),
        ("c", {"paid_at": "2024-05-12 10:00:00"}),
    ):
        landing.put(f"payments/{name}.csv", csv_text("payments", [row("payments", **changed)]))
    landing.load()
    assert [status for _, _, status, _ in states(landing)] == ["open"]
    landing.put("payments/d.csv", csv_text("payments", [row("payments", amount="7000")]))
    landing.load()
    assert [(status, by) for _, _, status, by in states(landing)] == [("repaired", "payments/d.csv")]


def test_a_corrected_file_that_lies_elsewhere_too(landing: Landing) -> None:
    """The correction of this path is a copy of another path's file, which is taken back later."""
    good = bills(bill(), bill("BE2"))
    spoilt = with_line(good, 3, "BE2")
    landing.put("bills/a.csv", good)
    landing.put("bills/b.csv", spoilt)
    landing.load()
    assert states(landing) == [("bills/b.csv", 3, "open", None)]
    landing.put("bills/b.csv", good)
    landing.load()
    assert states(landing) == [("bills/b.csv", 3, "repaired", "bills/b.csv")]
    landing.put("bills/a.csv", spoilt)  # a copy now, and corrected at this path too
    landing.load()
    assert {status for _, _, status, _ in states(landing)} == {"repaired"}
    content = landing.value(
        "select sha256 from bi.load_audit where file = 'bills/a.csv' and rows_quarantined = 0"
    )
    unload(landing.settings, ["bills/a.csv"], AN, content)
    assert states(landing) == [
        ("bills/a.csv", 3, "open", None),
        ("bills/b.csv", 3, "repaired", "bills/b.csv"),
    ]


def test_a_workbook_of_several_sheets_must_be_good_in_the_line_of_all(landing: Landing) -> None:
    header = contracts()["bills"].names
    good, other, nobody = (list(bill(key).values()) for key in ("BE1", "BE2", ""))

    def put(first: list[str], second: list[str]) -> None:
        path = landing.root / "bills/a.xlsx"
        write_workbook(path, {"T1": [header, first], "T2": [header, second]})
        landing.load()

    put(good, nobody)
    assert landing.query("select sheet, line from landing.quarantine") == [("T2", 2)]
    put(good, list(bill("BE1", kwh="9").values()))
    assert landing.value("select status from bi.quarantine") == "repaired"
    content = landing.value("select sha256 from bi.load_audit where rows_quarantined = 0")
    unload(landing.settings, ["bills/a.xlsx"], AN, content)
    put(good, list(bill("", kwh="9").values()))  # still bad in the second sheet
    assert {status for _, _, status, _ in states(landing)} == {"open"}
    put(good, other)
    assert {status for _, _, status, _ in states(landing)} == {"repaired"}


# Tested again


def test_a_closed_entry_is_loaded_all_the_same_if_it_is_good_under_another_contract(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.put("bills/a.csv", bills(bill(status="lost"), bill("BE2", status="lost", cycle="9")))
    landing.put("bills/b.csv", bills(*(bill(name, updated_at="2024-06-01") for name in ("BE1", "BE2"))))
    landing.load()
    assert [by for *_, by in states(landing)] == ["bills/b.csv"] * 2
    at = landing.query("select repaired_at from bi.quarantine order by line")
    known = contracts()["bills"]
    columns = tuple(
        replace(column, values=(*column.values, "lost")) if column.name == "status" else column
        for column in known.columns
    )
    monkeypatch.setattr(
        load, "contracts", lambda _: {**contracts(), "bills": replace(known, columns=columns)}
    )
    assert landing.load().rows_added["bills"] == 1
    assert landing.query(
        "select file, line, reason, status, repaired_by_file from bi.quarantine order by line"
    ) == [
        ("bills/a.csv", 2, "status: not one of issued, cancelled, replaced", "repaired", None),
        ("bills/a.csv", 3, "cycle: not one of 1, 2, 3", "repaired", "bills/b.csv"),
    ]
    assert landing.query("select repaired_at from bi.quarantine order by line")[1] == at[1]
    assert landing.query(ROWS)[0] == ("bills/a.csv", 1, 0, 1)


def test_a_row_that_leaves_quarantine_corrects_others(landing: Landing) -> None:
    future = {"paid_at": "2026-01-20 10:00:00"}
    landing.put("payments/a.csv", csv_text("payments", [row("payments", amount="x", **future)]))
    landing.put("payments/b.csv", csv_text("payments", [row("payments", **future)]))
    landing.load()
    assert {status for _, _, status, _ in states(landing)} == {"open"}
    landing.load(today=date(2026, 1, 20))
    assert states(landing) == [
        ("payments/a.csv", 2, "repaired", "payments/b.csv"),
        ("payments/b.csv", 2, "repaired", None),
    ]


def test_a_row_that_leaves_quarantine_must_be_in_the_file_sent_again_too(landing: Landing) -> None:
    good = [row("payments"), row("payments", transaction_id="T2")]
    future = row("payments", transaction_id="T3", paid_at="2026-01-20 10:00:00")
    landing.put("payments/a.csv", with_line(csv_text("payments", [*good, future]), 3, "VCB,T2"))
    landing.load()
    landing.put("payments/a.csv", csv_text("payments", good))
    landing.load()
    assert [status for _, _, status, _ in states(landing)] == ["open", "open"]
    landing.load(today=date(2026, 1, 20))
    assert states(landing) == [
        ("payments/a.csv", 3, "open", None),
        ("payments/a.csv", 4, "repaired", None),
    ]
    landing.put("payments/a.csv", csv_text("payments", [*good, future]))
    landing.load(today=date(2026, 1, 20))
    assert states(landing)[0] == ("payments/a.csv", 3, "repaired", "payments/a.csv")


# Any order


def _random_files(chance: random.Random) -> list[tuple[str, str]]:
    """(path, text) in which one path has several contents, and keys are good here and bad there."""
    files: dict[tuple[str, str], None] = {}
    while len(files) < 7:
        rows = [
            bill(
                chance.choice(["BE1", "BE2", "BE3"]),
                updated_at=chance.choice(["2024-05-05", "2024-05-06", "2024-05-07", "soon"]),
                status=chance.choice(["issued", "issued", "issued", "lost"]),
                total_amount=chance.choice(["1000", "1.000", "2000"]),
            )
            for _ in range(chance.randint(1, 3))
        ]
        text = bills(*rows)
        path = f"bills/{chance.choice('abc')}.csv"
        files[path, text] = None
        if chance.random() < 0.6:  # the same file with a row of no key
            line = chance.randint(2, len(rows) + 1)
            text = with_line(text, line, chance.choice(BAD_LINES))
            files[path, text] = None
        if chance.random() < 0.3:  # a copy of it elsewhere
            files[f"bills/{chance.choice('abcd')}.csv", text] = None
    return list(files)


def _state(landing: Landing) -> list[tuple[object, ...]]:
    return landing.query(
        "select path, sha256, line, reason, status, repaired_by is null from landing.quarantine "
        "inner join landing.file using (file_id) where status <> 'withdrawn' order by 1, 2, 3, 4"
    )


@pytest.mark.parametrize(
    "seed", [*range(4), *(pytest.param(n, marks=pytest.mark.extended) for n in range(4, 60))]
)
def test_any_order_of_files_closes_the_same_rows(landing: Landing, server_url: str, seed: int) -> None:
    """Also with files that came, were taken back and came again in between."""
    chance = random.Random(seed)
    files = _random_files(chance)
    found = []
    for turn in range(3):
        execute(server_url, "create database test_order template test_template")
        try:
            settings = landing.settings.model_copy(update={"database_url": url_of(server_url, "test_order")})
            with closing(connect(settings)) as conn:
                other = Landing(settings, conn)
                with conn:
                    ensure_tables(conn, [contracts()["bills"]])
                for path, text in files:
                    other.put(path, text)
                    other.load()
                    if turn and chance.random() < 0.4:
                        standing = (
                            f"select count(*) from bi.load_audit where rows_in_file > 0 and file = '{path}'"
                        )
                        # Where two contents stand, reading one again after it was taken back replaces the other.
                        if other.value(standing) == 1:
                            unload(settings, [path], AN)
                        reload(settings, [path], AN)
                found.append(_state(other))
        finally:
            execute(server_url, "drop database test_order with (force)")
        chance.shuffle(files)
        for path in {path for path, _ in files}:
            (landing.root / path).unlink()
    assert found[0]
    assert found[1] == found[0]
    assert found[2] == found[0]


def entries_closed(landing: Landing) -> int:
    reports = landing.load().sources
    assert {source for source, report in reports.items() if report.entries_closed} <= {"bills"}
    return reports["bills"].entries_closed


def test_a_load_counts_the_entries_that_it_closed(landing: Landing) -> None:
    landing.put("bills/a.csv", bills(bill(status="lost"), bill(cycle="9"), bill("BE2", cycle="9")))
    assert entries_closed(landing) == 0
    landing.put("bills/b.csv", bills(bill()))
    assert entries_closed(landing) == 2
    # Its corrected row is there already; and another corrected row closes nothing once more.
    landing.put("bills/c.csv", bills(bill(kwh="much")))
    landing.put("bills/d.csv", bills(bill(updated_at="2024-05-06")))
    assert entries_closed(landing) == 1
    assert entries_closed(landing) == 0


def test_a_row_that_passes_a_later_test_is_not_counted_as_closed(landing: Landing) -> None:
    landing.put("payments/a.csv", csv_text("payments", [row("payments", paid_at="2026-01-20 10:00:00")]))
    landing.load()
    report = landing.load(today=date(2026, 1, 20)).sources["payments"]
    assert (report.repaired.rows_loaded, report.entries_closed) == (1, 0)


def test_a_closed_entry_is_not_closed_again(landing: Landing) -> None:
    good = bills(bill(), bill("BE2"), bill("BE3"), bill("BE4"))
    landing.put("bills/a.csv", with_line(with_line(good, 3, "BE2"), 4, "BE3"))
    assert entries_closed(landing) == 0
    landing.put("bills/a.csv", with_line(good, 4, "BE3"))
    assert entries_closed(landing) == 1
    closed = "select repaired_by, repaired_at from landing.quarantine where line = 3"
    before = landing.query(closed)
    # The entry of line 3 in the first content, and those of line 4 in both.
    landing.put("bills/a.csv", good + "\n")
    assert entries_closed(landing) == 2
    assert landing.query(closed) == before
