"""Taking files back and reading them again: rows, duplicates, copies, quarantine, ledger and the log of changes."""

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest
from landing_folder import Landing, csv_text, row

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import Column, Contract
from dagster_project.raw import changes, ledger, load, quarantine, withdraw
from dagster_project.raw import reload as reload_module
from dagster_project.raw.changes import Person
from dagster_project.raw.reload import reload
from dagster_project.raw.withdraw import unload
from dagster_project.warehouse.connection import WarehouseError, connect, run_lock

AN = Person("An", "wrong month")
AUDIT = (
    "select file, rows_loaded, rows_duplicate, rows_quarantined from bi.load_audit order by file, loaded_at"
)
STANDING = (
    "select path, rows_loaded, rows_duplicate from landing.file where withdrawn_change is null order by 1"
)
CHANGES = "select kind, rows_added, rows_withdrawn, changed_by, reason from landing.change order by change_id"


def payments(*names: str, **changed: str) -> str:
    """A CSV file of good payments with these transaction ids."""
    return csv_text("payments", [row("payments", transaction_id=name, **changed) for name in names])


def rows_of(landing: Landing, source: str = "payments", key: str = "transaction_id") -> list[tuple[Any, ...]]:
    return landing.query(
        f"select {key}, path, line, is_duplicate from raw.{source} inner join landing.file using (file_id)"
        " order by 1, 2, 3"
    )


def snapshot(landing: Landing) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that withdrawing and reading again may touch."""
    tables = ["landing.file", "landing.quarantine", "landing.change", "landing.withdrawn_row"]
    tables += [
        f"raw.{name}"
        for (name,) in landing.query(
            "select relname from pg_class where relnamespace = 'raw'::regnamespace and relkind = 'r' order by 1"
        )
    ]
    return {name: landing.query(f"select t.* from {name} as t order by t::text") for name in tables}


@pytest.fixture(autouse=True)
def _log_and_rows_agree(landing: Landing) -> Any:
    """After every test: what came less what went is what counts, and each copy tells what its original has."""
    yield
    landing.conn.rollback()
    for contract in contracts().values():
        if landing.value(f"select to_regclass('raw.{contract.source}') is null"):
            continue
        assert landing.value(
            "select coalesce(sum(rows_added - rows_withdrawn), 0)::bigint from landing.change "
            f"where source = '{contract.source}'"
        ) == landing.value(f"select count(*) from raw.{contract.source} where not is_duplicate")
        assert landing.query(
            "select change_id, rows_withdrawn from landing.change "
            f"where rows_withdrawn > 0 and source = '{contract.source}' order by 1"
        ) == landing.query(
            "select change_id, count(*) from landing.withdrawn_row "
            f"where source = '{contract.source}' and not (fields ->> 'is_duplicate')::boolean group by 1 order by 1"
        )
    assert (
        landing.value(
            "select count(*) from landing.file as copy inner join landing.file as original"
            " on original.file_id = copy.content_of"
            " where copy.rows_in_file <> original.rows_in_file or original.content_of is not null"
            " or original.withdrawn_change is not null or copy.sha256 <> original.sha256"
        )
        == 0
    )


def changed_contract(
    monkeypatch: pytest.MonkeyPatch, source: str, change: Callable[[Column], Column]
) -> Contract:
    """From now on the source's contract has these columns."""
    contract = contracts()[source]
    new = replace(contract, columns=tuple(change(column) for column in contract.columns))
    for module in (load, withdraw, reload_module):
        monkeypatch.setattr(module, "contracts", lambda _: {**contracts(), source: new})
    return new


# Taking back


def test_the_rows_leave_raw_and_are_kept_aside_whole(landing: Landing) -> None:
    landing.put("payments/keep.csv", payments("T9"))
    lines = csv_text("payments", [row("payments"), row("payments")]).splitlines()
    landing.put("payments/wrong.csv", f"{lines[0]},note\n{lines[1]},x\n{lines[2]},y\n")
    landing.load()
    whole = landing.query(
        "select file_id, line, to_jsonb(t) from raw.payments as t where transaction_id = 'T1' order by line"
    )
    (done,) = unload(landing.settings, ["payments/wrong.csv"], AN)
    assert (done.moved, done.still_stands_as) == ((0, 1), None)
    assert rows_of(landing) == [("T9", "payments/keep.csv", 2, False)]
    assert landing.query(CHANGES) == [
        ("load", 1, 0, None, None),
        ("load", 1, 0, None, None),
        ("unload", 0, 1, "An", "wrong month"),
    ]
    assert landing.query("select change_id, source from landing.withdrawn_row") == [(3, "payments")] * 2
    assert landing.query("select file_id, line, fields from landing.withdrawn_row order by line") == whole
    again = "select again.amount, again.paid_at, again.extra from landing.withdrawn_row cross join lateral"
    assert landing.query(
        f"{again} jsonb_populate_record(null::raw.payments, fields) as again order by 3"
    ) == [(432000, datetime(2024, 5, 10, 10), {"note": note}) for note in "xy"]


def test_the_ledger_keeps_the_line_and_says_who_took_it_back(landing: Landing) -> None:
    landing.put("payments/wrong.csv", payments("T1", "T2"))
    landing.put("payments/more.csv", payments("T3"))
    landing.load()
    unload(landing.settings, ["payments/wrong.csv"], AN)
    unload(landing.settings, ["payments/more.csv"], Person("Bình", ""))
    day = landing.value("select to_char(now(), 'YYYY-MM-DD')")
    assert landing.query(
        "select file, rows_in_file, money_in_file_vnd, refused_reason from bi.load_audit order by file"
    ) == [
        ("payments/more.csv", 0, 0, f"withdrawn on {day} by Bình"),
        ("payments/wrong.csv", 0, 0, f"withdrawn on {day} by An: wrong month"),
    ]
    assert landing.query("select refused_reason, paid_through from landing.file") == [(None, None)] * 2


def test_it_does_not_come_back_by_itself(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    path = landing.put("payments/wrong.csv", payments("T1"))
    landing.load()
    unload(landing.settings, ["payments/wrong.csv"], AN)
    before = landing.query(AUDIT)
    assert not landing.load().changed
    path.touch()
    assert not landing.load().changed
    changed_contract(monkeypatch, "payments", lambda column: replace(column, required=False))
    path.touch()
    assert not landing.load().changed
    assert landing.query(AUDIT) == before == [("payments/wrong.csv", 0, 0, 0)]


def test_the_same_content_under_another_name_and_another_under_the_same_are_loaded(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.load()
    unload(landing.settings, ["payments/a.csv"], AN)
    landing.put("payments/b.csv", payments("T1"))
    assert landing.load().sources["payments"].files[1].status == "loaded"
    landing.put("payments/a.csv", payments("T1", "T2"))
    landing.load()
    assert landing.query(AUDIT) == [
        ("payments/a.csv", 0, 0, 0),
        ("payments/a.csv", 1, 1, 0),
        ("payments/b.csv", 1, 0, 0),
    ]


def test_a_row_that_others_brought_too_counts_by_the_earliest_of_them(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1", "T1", "T2"))
    landing.load()
    landing.put("payments/b.csv", payments("T3", "T1", "T1"))
    landing.put("payments/c.csv", payments("T1", "T2"))
    landing.load()
    (done,) = unload(landing.settings, ["payments/a.csv"], AN)
    assert done.moved == (2, 2)
    assert rows_of(landing) == [
        ("T1", "payments/b.csv", 3, False),
        ("T1", "payments/b.csv", 4, True),
        ("T1", "payments/c.csv", 2, True),
        ("T2", "payments/c.csv", 3, False),
        ("T3", "payments/b.csv", 2, False),
    ]
    change = landing.value("select max(change_id) from landing.change")
    assert landing.query(
        f"select transaction_id from raw.payments where change_id = {change} order by transaction_id"
    ) == [("T1",), ("T2",)]
    assert landing.query(STANDING) == [("payments/b.csv", 2, 1), ("payments/c.csv", 1, 1)]
    unload(landing.settings, ["payments/b.csv"], AN)
    assert rows_of(landing) == [
        ("T1", "payments/c.csv", 2, False),
        ("T2", "payments/c.csv", 3, False),
    ]


def test_what_is_empty_equals_what_is_empty(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1", bill_id="", fee=""))
    landing.load()
    landing.put("payments/b.csv", payments("T1", bill_id="NULL", fee="0"))
    landing.put("payments/c.csv", payments("T1", bill_id="NULL", fee="NULL").replace(",", ";"))
    landing.load()
    unload(landing.settings, ["payments/a.csv"], AN)
    assert landing.query(STANDING) == [("payments/b.csv", 1, 0), ("payments/c.csv", 1, 0)]


def test_a_source_without_money(landing: Landing) -> None:
    landing.put("customers/a.csv", csv_text("customers", [row("customers")]))
    landing.load()
    landing.put("customers/b.csv", csv_text("customers", [row("customers")], ";"))
    landing.load()
    unload(landing.settings, ["customers/a.csv"], AN)
    assert rows_of(landing, "customers", "customer_code") == [("PN01000000001", "customers/b.csv", 2, False)]


def test_how_far_the_payments_reach_is_taken_back_too(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1", paid_at="2024-06-01 08:00"))
    later = row("payments", transaction_id="R", kind="reversal", paid_at="2025-01-01 08:00")
    landing.put("payments/b.csv", csv_text("payments", [later, row("payments", transaction_id="T2")]))
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    landing.load()
    through = "select path, paid_through from landing.file order by 1"
    first, second = datetime(2024, 5, 10, 10), datetime(2024, 6, 1, 8)
    assert landing.query(through) == [
        ("bills/a.csv", None),
        ("payments/a.csv", second),
        ("payments/b.csv", first),
    ]
    unload(landing.settings, ["payments/a.csv"], AN)
    assert landing.value("select max(paid_through) from landing.file") == first


def test_quarantined_rows_leave_with_their_file(landing: Landing) -> None:
    bad = row("payments", transaction_id="T2", amount="0")
    future = row("payments", transaction_id="T3", paid_at="2026-01-20 10:00:00")
    landing.put("payments/a.csv", csv_text("payments", [row("payments"), bad, future]))
    landing.put("payments/b.csv", csv_text("payments", [bad]))
    landing.load()
    unload(landing.settings, ["payments/a.csv"], AN)
    assert landing.query("select file, line from bi.quarantine") == [("payments/b.csv", 2)]
    assert landing.query("select file, line from bi_private.quarantine") == [("payments/b.csv", 2)]
    assert not landing.load(today=date(2026, 1, 20)).changed  # what was withdrawn is not tested again
    assert landing.query("select status, count(*) from landing.quarantine group by 1 order by 1") == [
        ("open", 1),
        ("withdrawn", 2),
    ]


def test_a_file_of_nothing_but_duplicates_and_bad_rows(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.load()
    landing.put("payments/b.csv", csv_text("payments", [row("payments"), row("payments", amount="x")], ";"))
    landing.load()
    assert landing.query("select change_id from raw.payments order by file_id") == [(1,), (0,)]
    unload(landing.settings, ["payments/b.csv"], AN)
    assert rows_of(landing) == [("T1", "payments/a.csv", 2, False)]
    assert landing.query(CHANGES)[1:] == [("unload", 0, 0, "An", "wrong month")]


# Copies


def test_the_first_copy_takes_over(landing: Landing) -> None:
    text = csv_text("payments", [row("payments"), row("payments"), row("payments", amount="0")])
    for name in "abc":
        landing.put(f"payments/{name}.csv", text)
    landing.load()
    (done,) = unload(landing.settings, ["payments/a.csv"], AN)
    assert (done.moved, done.still_stands_as) == ((0, 0), "payments/b.csv")
    assert "the same content still stands as payments/b.csv" in str(done)
    assert landing.value("select count(*) from landing.withdrawn_row") == 0
    assert rows_of(landing) == [("T1", "payments/b.csv", 2, False), ("T1", "payments/b.csv", 3, True)]
    assert landing.query(AUDIT) == [
        ("payments/a.csv", 0, 0, 0),
        ("payments/b.csv", 1, 1, 1),
        ("payments/c.csv", 0, 2, 1),
    ]
    assert landing.query(
        "select file.path, original.path, file.paid_through from landing.file as file"
        " left join landing.file as original on original.file_id = file.content_of order by 1"
    ) == [
        ("payments/a.csv", None, None),
        ("payments/b.csv", None, datetime(2024, 5, 10, 10)),
        ("payments/c.csv", "payments/b.csv", datetime(2024, 5, 10, 10)),
    ]
    assert landing.query("select file from bi.quarantine order by 1") == [
        ("payments/b.csv",),
        ("payments/c.csv",),
    ]
    assert not landing.load().changed
    (done,) = unload(landing.settings, ["payments/c.csv"], AN)
    assert done.still_stands_as == "payments/b.csv"
    (done,) = unload(landing.settings, ["payments/b.csv"], AN)
    assert (done.moved, done.still_stands_as) == ((0, 1), None)
    assert rows_of(landing) == []
    assert landing.query("select file from bi.quarantine") == []


def test_a_corrected_file_does_not_hide_a_copy_of_the_wrong_one(landing: Landing) -> None:
    for name in "ab":
        landing.put(f"payments/{name}.csv", payments("WRONG"))
    landing.load()
    landing.put("payments/a.csv", payments("RIGHT"))
    (done,) = reload(landing.settings, ["payments/a.csv"], AN)
    assert "the former one was withdrawn, but it still stands as payments/b.csv" in str(done)
    unload(landing.settings, ["payments/b.csv"], AN)
    landing.put("payments/a.csv", payments("RIGHT AGAIN"))
    (done,) = reload(landing.settings, ["payments/a.csv"], AN)
    assert str(done).endswith("the former one was withdrawn")


def test_the_copy_says_by_which_contract_its_rows_were_judged(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.load()
    judged = landing.value("select contract_fingerprint from landing.file")
    changed_contract(monkeypatch, "payments", lambda column: replace(column, not_after_today=False))
    landing.put("payments/b.csv", payments("T1"))
    landing.load()
    fingerprints = "select contract_fingerprint from landing.file order by path"
    assert landing.query(fingerprints)[0] == (judged,) != landing.query(fingerprints)[1]
    unload(landing.settings, ["payments/a.csv"], AN)
    assert landing.query(fingerprints) == [(judged,), (judged,)]


def test_an_original_and_its_copies_at_once(landing: Landing) -> None:
    for name in "abc":
        landing.put(f"payments/{name}.csv", payments("T1"))
    landing.load()
    done = unload(landing.settings, ["payments/a.csv", "payments/b.csv", "payments/c.csv"], AN)
    assert [one.still_stands_as for one in done] == [None, None, None]
    assert rows_of(landing) == []


@pytest.mark.parametrize("how_many", [1, 2])
@pytest.mark.parametrize("name", ["a", "b"])
def test_copies_whose_rows_left_quarantine(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, how_many: int, name: str
) -> None:
    """Also when a run was killed after the first of them was tested again."""
    text = csv_text(
        "payments", [row("payments"), row("payments", transaction_id="T2", paid_at="2026-01-20 10:00")]
    )
    for each in "ab":
        landing.put(f"payments/{each}.csv", text)
    landing.load()
    real = quarantine.files_to_retest
    with monkeypatch.context() as patch:
        patch.setattr(quarantine, "files_to_retest", lambda *args: real(*args)[:how_many])
        landing.load(today=date(2026, 1, 20))
    assert landing.value("select count(*) from raw.payments where transaction_id = 'T2'") == how_many
    other = "ab".replace(name, "")
    unload(landing.settings, [f"payments/{name}.csv"], AN)
    landing.load(today=date(2026, 1, 20))
    assert landing.query("select transaction_id from raw.payments where not is_duplicate order by 1") == [
        ("T1",),
        ("T2",),
    ]
    assert {path for _, path, *_ in rows_of(landing)} == {f"payments/{other}.csv"}
    assert [tuple(line[1:3]) for line in landing.query(STANDING)] == [(2, 0)]
    assert landing.query("select file, status from bi.quarantine") == [(f"payments/{other}.csv", "repaired")]


# Which file is meant


def test_a_file_may_be_named_by_its_path_on_disk(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    names = ["payments/a.csv", "payments/deep/b.csv", "payments/c.csv"]
    for number, name in enumerate(names):
        landing.put(name, payments(f"T{number}"))
    landing.load()
    monkeypatch.chdir(landing.root.parent)
    unload(landing.settings, [str(landing.root / names[0])], AN)
    unload(landing.settings, ["landing/payments/deep/b.csv"], AN)
    unload(landing.settings, ["./payments/c.csv"], AN)
    assert rows_of(landing) == []


def test_a_name_that_may_mean_two_files(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.put("payments/payments/a.csv", payments("T2"))
    landing.load()
    with pytest.raises(WarehouseError, match=r"may mean payments/a.csv or payments/payments/a.csv"):
        unload(landing.settings, ["/x/payments/payments/a.csv"], AN)
    unload(landing.settings, ["payments/payments/a.csv"], AN)
    assert rows_of(landing) == [("T1", "payments/a.csv", 2, False)]


@pytest.mark.parametrize("name", ["payments/b.csv", "a.csv", "/payments", "xpayments/a.csv", "k\udcfd.csv"])
@pytest.mark.parametrize("command", [unload, reload])
def test_a_file_that_nobody_knows(landing: Landing, name: str, command: Callable[..., list[object]]) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.load()
    shown = name.replace("\udcfd", "\\xfd").replace("\\", "\\\\")
    with pytest.raises(WarehouseError, match=rf"No file {shown} is known .*bi\.load_audit .*cashless status"):
        command(landing.settings, [name], AN)


def test_what_is_withdrawn_cannot_be_withdrawn(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.load()
    unload(landing.settings, ["payments/a.csv"], AN)
    before = snapshot(landing)
    with pytest.raises(WarehouseError, match=r"a\.csv is withdrawn on 20.* by An: wrong month\. .*reload"):
        unload(landing.settings, ["payments/a.csv"], AN)
    assert snapshot(landing) == before


def test_a_refused_file_is_asked_for_until_it_came_whole_or_somebody_takes_it_off(landing: Landing) -> None:
    open_refusals = "select path, refused_reason from landing.refused_file order by 1"
    landing.put("payments/corrected.csv", "")
    landing.put("payments/notes.csv", "hello\n")
    landing.load()
    assert [path for path, _ in landing.query(open_refusals)] == [
        "payments/corrected.csv",
        "payments/notes.csv",
    ]
    landing.put("payments/corrected.csv", payments("T1"))
    landing.load()
    assert [path for path, _ in landing.query(open_refusals)] == ["payments/notes.csv"]
    (done,) = unload(landing.settings, ["payments/notes.csv"], AN)
    assert (done.moved, str(done)) == ((0, 0), "payments/notes.csv: was refused; it is asked for no more")
    assert landing.query(open_refusals) == []
    assert not landing.load().refused  # nor is it read again
    # What came instead of a refused file and was taken back again is missing once more.
    unload(landing.settings, ["payments/corrected.csv"], AN)
    assert landing.query(open_refusals) == [("payments/corrected.csv", "the file is empty")]


def test_a_file_that_could_not_be_read_and_was_taken_off_the_list_may_still_come(landing: Landing) -> None:
    (landing.root / "payments").mkdir(parents=True)
    path = landing.root / "payments" / "a.csv"
    path.symlink_to(landing.root / "nowhere.csv")
    assert [file.status for file in landing.load().files] == ["refused"]
    unload(landing.settings, ["payments/a.csv"], AN)
    path.unlink()
    landing.put("payments/a.csv", payments("T1"))
    assert landing.load().rows_added["payments"] == 1


def test_a_file_that_no_reader_takes_can_be_taken_off_the_list(landing: Landing) -> None:
    landing.put("payments/la.txt", "hello\n")
    landing.load()
    (done,) = unload(landing.settings, ["payments/la.txt"], AN)
    assert str(done) == "payments/la.txt: was refused; it is asked for no more"
    assert landing.query("select path from landing.refused_file") == []


def test_a_good_content_that_lies_there_again_makes_up_for_what_was_refused(landing: Landing) -> None:
    good, refused = payments("T1"), "select count(*) from landing.refused_file"
    for spoil in ("", "partner_code\nVCB\n"):
        landing.put("payments/a.csv", good)
        landing.load()
        landing.put("payments/a.csv", spoil)
        landing.load()
        assert landing.value(refused) == 1
        landing.put("payments/a.csv", good)
        landing.load()
        assert landing.value(refused) == 0
    assert landing.value("select count(*) from raw.payments") == 1


def test_a_path_with_several_contents(landing: Landing) -> None:
    for transaction in ("T1", "T2", "T3"):
        landing.put("payments/day.csv", payments(transaction))
        landing.load()
    hashes = [sha256 for (sha256,) in landing.query("select sha256 from landing.file order by file_id")]
    with pytest.raises(WarehouseError) as refusal:
        unload(landing.settings, ["payments/day.csv"], AN)
    assert str(refusal.value).count("1 rows") == 3
    assert all(sha256[:12] in str(refusal.value) for sha256 in hashes)
    with pytest.raises(WarehouseError, match="never had a content whose SHA-256 begins with 0000"):
        unload(landing.settings, ["payments/day.csv"], AN, "0000")
    unload(landing.settings, ["payments/day.csv"], AN, hashes[1][:12].upper())
    assert [name for name, *_ in rows_of(landing)] == ["T1", "T3"]
    unload(landing.settings, ["payments/day.csv"], AN, hashes[0])
    unload(landing.settings, ["payments/day.csv"], AN)  # one is left
    assert rows_of(landing) == []


# All or nothing


def test_several_files_are_taken_back_all_or_none(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.put("bills/a.csv", csv_text("bills", [row("bills")]))
    landing.load()
    before = snapshot(landing)
    with pytest.raises(WarehouseError, match=r"No file bills/b\.csv"):
        unload(landing.settings, ["payments/a.csv", "bills/b.csv"], AN)
    assert snapshot(landing) == before
    unload(landing.settings, ["payments/a.csv", "bills/a.csv", "payments/a.csv"], AN)
    assert [kind for kind, *_ in landing.query(CHANGES)] == ["load", "load", "unload", "unload"]


@pytest.mark.parametrize(
    ("room", "step"),
    [(ledger, "count_promoted"), (quarantine, "withdraw"), (ledger, "hand_over"), (changes, "finish")],
)
@pytest.mark.parametrize("command", [unload, reload])
def test_an_end_in_the_middle_leaves_all_as_it_was(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, room: Any, step: str, command: Callable[..., object]
) -> None:
    landing.put("payments/a.csv", payments("T1", "T2"))
    landing.put("payments/b.csv", payments("T1"))
    landing.put("payments/c.csv", payments("T1", "T2"))
    landing.load()
    before = snapshot(landing)
    # For reading again to hand over, the file has to have another content.
    landing.put("payments/a.csv", payments("T5") if step == "hand_over" else payments("T1", "T2"))

    def end(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(room, step, end)
        if step == "count_promoted":  # without a copy, so that something is withdrawn
            unload_copy = landing.root / "payments/c.csv"
            unload_copy.unlink()
            patch.setattr(ledger, "copies_of", lambda *_: [])
        with pytest.raises(KeyboardInterrupt):
            command(landing.settings, ["payments/a.csv"], AN)
    assert snapshot(landing) == before


@pytest.mark.parametrize("command", [unload, reload])
def test_a_database_that_dies_in_the_middle_leaves_all_as_it_was(
    landing: Landing, monkeypatch: pytest.MonkeyPatch, command: Callable[..., object]
) -> None:
    landing.put("payments/a.csv", payments("T1", "T2"))
    landing.load()
    before = snapshot(landing)

    def die(cursor: Any, *_: object, **__: object) -> None:
        cursor.execute("select pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as patch:
        patch.setattr(changes, "finish", die)
        with pytest.raises(
            WarehouseError, match=r"failed in the middle of cashless .*; everything is as it was"
        ):
            command(landing.settings, ["payments/a.csv"], AN)
    assert snapshot(landing) == before
    command(landing.settings, ["payments/a.csv"], AN)  # the lock is free


def test_only_one_writes(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.load()
    other = connect(landing.settings, "cashless run")
    try:
        with run_lock(other):
            for command in (unload, reload):
                with pytest.raises(
                    WarehouseError, match="Another run is writing to the warehouse: cashless run"
                ):
                    command(landing.settings, ["payments/a.csv"], AN)
    finally:
        other.close()
    unload(landing.settings, ["payments/a.csv"], AN)


def test_the_landing_is_not_needed_to_take_a_file_back(landing: Landing) -> None:
    path = landing.put("payments/a.csv", payments("T1"))
    landing.load()
    path.unlink()
    path.parent.rmdir()
    landing.root.rmdir()
    unload(landing.settings, ["payments/a.csv"], AN)
    assert rows_of(landing) == []


# Reading again


def test_reading_again_after_a_change_of_the_contract(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = payments("T1", "T2").replace("fee", "phí thu hộ")
    text = text.replace(",,2024-05-10", ",500,2024-05-10")  # the fee, under a name that no contract knows yet
    for name in "ab":
        landing.put(f"payments/{name}.csv", text)
    landing.put("payments/c.csv", payments("T2", channel_code="atm"))
    landing.load()
    assert (
        landing.query("select fee, extra from raw.payments where file_id = 1")
        == [(None, {"phí thu hộ": "500"})] * 2
    )

    def alias(column: Column) -> Column:
        if column.name == "channel_code":
            return replace(column, values=("qr",))
        return replace(column, vietnamese="phí thu hộ") if column.name == "fee" else column

    new = changed_contract(monkeypatch, "payments", alias)
    assert not landing.load().changed  # what is loaded stays until somebody asks
    (landing.root / "payments/a.csv").touch()
    (done,) = reload(landing.settings, ["payments/a.csv", "payments/a.csv"], Person("Bình", "alias"))
    assert (done.before, done.now) == (load.Counts(2, 0, 0, 864000), load.Counts(2, 0, 0, 864000))
    assert landing.query("select transaction_id, fee, extra, change_id from raw.payments order by 1, 2") == [
        ("T1", 500, None, 3),
        ("T2", 500, None, 3),
        ("T2", None, None, 2),
    ]
    assert landing.query(CHANGES)[-1] == ("reload", 2, 2, "Bình", "alias")
    mtime_ns = (landing.root / "payments/a.csv").stat().st_mtime_ns
    assert landing.value("select mtime_ns from landing.file where path = 'payments/a.csv'") == mtime_ns
    assert landing.query(AUDIT) == [
        ("payments/a.csv", 2, 0, 0),
        ("payments/b.csv", 0, 2, 0),
        ("payments/c.csv", 1, 0, 0),
    ]
    assert landing.query(
        "select distinct left(contract_fingerprint, 16) from landing.file where file_id < 3"
    ) == [(new.fingerprint,)]
    (done,) = reload(landing.settings, ["payments/c.csv"], AN)
    assert done.now == load.Counts(rows_quarantined=1, money_quarantined_vnd=432000)
    assert landing.query("select file, column_name from bi.quarantine") == [
        ("payments/c.csv", "channel_code")
    ]
    assert landing.value("select max(paid_through) from landing.file where path like '%c.csv'") is None


def test_reading_a_copy_again_reads_the_content_for_all_that_brought_it(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = row("payments", transaction_id="T3", fee="-1")
    text = csv_text(
        "payments", [row("payments"), row("payments", transaction_id="T2", channel_code="atm"), bad]
    )
    for name in "abc":
        landing.put(f"payments/{name}.csv", text)
    landing.put("payments/d.csv", payments("T1"))
    landing.load()

    def closed(column: Column) -> Column:
        return replace(column, values=("qr",)) if column.name == "channel_code" else column

    changed_contract(monkeypatch, "payments", closed)
    (done,) = reload(landing.settings, ["payments/b.csv"], AN)
    assert done.same_content_as == "payments/a.csv"
    assert done.now == load.Counts(0, 1, 2, 0, 432000, 864000)
    assert landing.query(AUDIT) == [
        ("payments/a.csv", 0, 1, 2),
        ("payments/b.csv", 0, 1, 2),
        ("payments/c.csv", 0, 1, 2),
        ("payments/d.csv", 1, 0, 0),  # its row counted on while the others were read again
    ]
    assert landing.query("select file, line, column_name from bi.quarantine order by 1, 2") == [
        (f"payments/{name}.csv", line, column)
        for name in "abc"
        for line, column in ((3, "channel_code"), (4, "fee"))
    ]
    assert not landing.load().changed


def test_a_reading_that_is_refused_changes_nothing(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    landing.put("payments/a.csv", payments("T1", collection_point_code="C1"))
    landing.put("bills/a.csv", csv_text("bills", [row("bills", bill_type="service")]))
    landing.put("bills/b.csv", csv_text("bills", [row("bills", bill_type="service")], ";"))
    landing.load()
    before = snapshot(landing)
    text = (landing.root / "payments/a.csv").read_text(encoding="utf-8")
    landing.put("payments/a.csv", text.replace("paid_at", "paid"))
    with pytest.raises(WarehouseError, match=r"payments/a\.csv would be refused, .* as it was: .*paid_at"):
        reload(landing.settings, ["bills/a.csv", "payments/a.csv"], AN)
    assert snapshot(landing) == before
    landing.put("payments/a.csv", text)

    point = "collection_point_code"
    changed_contract(
        monkeypatch,
        "payments",
        lambda column: replace(column, required=column.required or column.name == point),
    )
    landing.put("payments/a.csv", "\n".join(line.rpartition(",")[0] for line in text.splitlines()) + "\n")
    with pytest.raises(WarehouseError, match=r"would be refused, .* collection_point_code"):
        reload(landing.settings, ["payments/a.csv"], AN)
    assert snapshot(landing) == before


def test_what_the_database_cannot_take_changes_nothing(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    landing.put("payments/a.csv", payments("T1"))
    landing.load()
    before = snapshot(landing)
    monkeypatch.setattr(
        "dagster_project.raw.checks.RowChecks.accept_rows",
        lambda *_: "select 'secret'::integer, %s, %s",
    )
    with pytest.raises(WarehouseError, match=r"cannot take its rows \(SQLSTATE 22P02\)") as refusal:
        reload(landing.settings, ["payments/a.csv"], AN)
    assert "secret" not in str(refusal.value)
    assert snapshot(landing) == before


def test_what_was_withdrawn_comes_back(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1", "T2"))
    landing.put("payments/b.csv", payments("T1"))
    landing.load()
    unload(landing.settings, ["payments/a.csv"], AN)
    (done,) = reload(landing.settings, ["payments/a.csv"], Person("Bình", "was right"))
    assert (done.before.rows_in_file, done.now) == (0, load.Counts(1, 1, 0, 432000, 432000))
    assert landing.query("select file, refused_reason from bi.load_audit order by 1") == [
        ("payments/a.csv", None),
        ("payments/b.csv", None),
    ]
    assert rows_of(landing) == [
        ("T1", "payments/a.csv", 2, True),
        ("T1", "payments/b.csv", 2, False),
        ("T2", "payments/a.csv", 3, False),
    ]
    assert landing.query(CHANGES)[1:] == [
        ("unload", 1, 2, "An", "wrong month"),
        ("reload", 1, 0, "Bình", "was right"),
    ]
    assert not landing.load().changed


def test_what_was_withdrawn_comes_back_as_a_copy_if_its_content_stands(landing: Landing) -> None:
    for name in "ab":
        landing.put(f"payments/{name}.csv", payments("T1"))
    landing.load()
    unload(landing.settings, ["payments/a.csv"], AN)
    (done,) = reload(landing.settings, ["payments/a.csv"], AN)
    assert done.same_content_as == "payments/b.csv"
    assert landing.query(AUDIT) == [("payments/a.csv", 0, 1, 0), ("payments/b.csv", 1, 0, 0)]


def test_a_refused_file_is_tried_again(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> None:
    text = payments("T1").replace("amount", "tiền thu")
    landing.put("payments/a.csv", text)
    landing.load()
    assert landing.value("select refused_reason from bi.load_audit") is not None
    with pytest.raises(WarehouseError, match="would be refused"):
        reload(landing.settings, ["payments/a.csv"], AN)
    assert landing.query(CHANGES) == []

    def alias(column: Column) -> Column:
        return replace(column, vietnamese="tiền thu") if column.name == "amount" else column

    changed_contract(monkeypatch, "payments", alias)
    reload(landing.settings, ["payments/a.csv"], AN)
    assert landing.query(AUDIT) == [("payments/a.csv", 1, 0, 0)]
    assert landing.query(CHANGES) == [("reload", 1, 0, "An", "wrong month")]


def test_a_file_that_lies_there_no_more(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1")).unlink()
    landing.put("payments/b.csv", payments("T1"))
    landing.load()
    (landing.root / "payments/b.csv").unlink()
    before = snapshot(landing)
    with pytest.raises(WarehouseError, match=r"payments/b\.csv lies no longer in the landing /"):
        reload(landing.settings, ["payments/b.csv"], AN)
    assert snapshot(landing) == before


def test_a_corrected_file_takes_the_place_of_the_wrong_one(landing: Landing) -> None:
    landing.put("payments/a.csv", payments("T1", "T2"))
    landing.put("payments/copy.csv", payments("T1", "T2"))
    landing.load()
    unload(landing.settings, ["payments/copy.csv"], AN)
    landing.put("payments/a.csv", payments("T2", "T3"))
    (done,) = reload(landing.settings, ["payments/a.csv"], AN)
    assert done.was_another_content
    assert "another content now" in str(done)
    assert rows_of(landing) == [("T2", "payments/a.csv", 2, False), ("T3", "payments/a.csv", 3, False)]
    assert landing.query(CHANGES)[-1][:3] == ("reload", 2, 2)
    assert landing.query("select file, refused_reason is null from bi.load_audit order by loaded_at") == [
        ("payments/a.csv", False),
        ("payments/copy.csv", False),
        ("payments/a.csv", True),
    ]
    assert not landing.load().changed


def test_a_content_that_never_stood_cannot_choose_which_of_several_it_replaces(landing: Landing) -> None:
    for transaction in ("T1", "T2"):
        landing.put("payments/day.csv", payments(transaction))
        landing.load()
    landing.put("payments/day.csv", payments("T3"))
    before = snapshot(landing)
    with pytest.raises(WarehouseError, match=r"loaded with 2 contents: .* is none of them"):
        reload(landing.settings, ["payments/day.csv"], AN)
    assert snapshot(landing) == before
    landing.load()
    (done,) = reload(landing.settings, ["payments/day.csv"], AN)  # the content that lies there, no other
    assert not done.was_another_content
    assert [name for name, *_ in rows_of(landing)] == ["T1", "T2", "T3"]


# Any history


@pytest.mark.parametrize("seed", range(5))
def test_any_history_ends_with_the_rows_of_the_files_that_stand(landing: Landing, seed: int) -> None:
    """Random loads, withdrawals and re-readings of overlapping files; what must stand is counted by hand."""
    chance = random.Random(seed)
    names = [f"payments/{letter}.csv" for letter in "abcdef"]
    texts: dict[str, list[str]] = {}
    standing: set[str] = set()
    withdrawn: set[str] = set()
    for _ in range(14):
        step = chance.choice(["put", "put", "unload", "unload", "reload"])
        free = [name for name in names if name not in texts]
        if step == "put" and free:
            name = chance.choice(free)
            # often the same rows as in another file, sometimes all of them; X is a bad row
            same = chance.choice(list(texts.values())) if texts and chance.random() < 0.5 else None
            texts[name] = same or [
                chance.choice(["T1", "T2", "T3", "T4", "X"]) for _ in range(chance.randint(1, 5))
            ]
            landing.put(
                name,
                csv_text(
                    "payments",
                    [
                        row("payments", transaction_id=each, fee="-1" if each == "X" else "")
                        for each in texts[name]
                    ],
                ),
            )
            landing.load()
            standing.add(name)
        elif step == "unload" and standing:
            chosen = chance.sample(sorted(standing), chance.randint(1, min(2, len(standing))))
            unload(landing.settings, chosen, AN)
            standing -= set(chosen)
            withdrawn |= set(chosen)
        elif step == "reload" and texts:
            name = chance.choice(sorted(texts))
            reload(landing.settings, [name], AN)
            standing.add(name)
            withdrawn.discard(name)
    landing.load()
    expected = sorted({each for name in standing for each in texts[name]} - {"X"})
    assert [
        name
        for (name,) in landing.query(
            "select transaction_id from raw.payments where not is_duplicate order by 1"
        )
    ] == expected
    assert landing.query(
        "select file, rows_loaded + rows_duplicate, rows_quarantined from bi.load_audit "
        "where rows_in_file > 0 order by 1"
    ) == [
        (name, len([each for each in texts[name] if each != "X"]), texts[name].count("X"))
        for name in sorted(standing)
    ]
    assert landing.value("select count(*) from bi.quarantine") == sum(
        texts[name].count("X") for name in standing
    )
    assert landing.query("select path from landing.file where withdrawn_change is not null order by 1") == [
        (name,) for name in sorted(withdrawn)
    ]
