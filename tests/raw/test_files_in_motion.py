"""Files that somebody is still writing, loaders that meet, and what a run leaves on disk."""

import os
import stat
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from landing_folder import Landing, csv_text, row

from dagster_project.landing import settle
from dagster_project.landing import workroom as workroom_module
from dagster_project.landing.workroom import clear_remains, workroom
from dagster_project.raw.load import LoadReport, load_landing
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import WarehouseError, connect

ONE_BILL = csv_text("bills", [row("bills")])
MORE = csv_text("bills", [row("bills", bill_id="BE2")]).splitlines()[1] + "\n"


@pytest.fixture
def waits(landing: Landing, monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], object]]:
    """The landing looks twice; instead of waiting, what is put in here happens, one thing per wait."""
    events: list[Callable[[], object]] = []
    landing.settings = landing.settings.model_copy(update={"settle_seconds": 2.0})

    def wait(seconds: float) -> None:
        assert seconds == 2
        events.pop(0)()

    monkeypatch.setattr(settle.settled, "__defaults__", (wait,))
    return events


@pytest.mark.parametrize(
    "name",
    ["a.csv.part", "a.partial", "a.csv.TMP", "a.temp", "a.csv.filepart", "a.csv.crdownload", ".a.csv.Xk3f9a"],
)
def test_a_file_that_is_not_called_by_its_final_name_is_not_read(landing: Landing, name: str) -> None:
    unfinished = landing.put(f"bills/deep/{name}", ONE_BILL)
    report = landing.load()
    assert report.findings == (
        f"bills/deep/{name}: still being copied, by its name; it is read under its final one",
    )
    assert (list(report.files), landing.value("select count(*) from landing.file")) == ([], 0)
    unfinished.rename(unfinished.with_name("whole.csv"))
    report = landing.load()
    assert (report.findings, report.rows_added["bills"]) == ((), 1)


def test_a_file_that_grows_is_left_to_the_next_run(
    landing: Landing, waits: list[Callable[[], object]]
) -> None:
    whole = landing.put("bills/whole.csv", ONE_BILL)
    growing = landing.put("bills/growing.csv", ONE_BILL)

    def grow() -> None:
        with growing.open("a", encoding="utf-8") as stream:
            stream.write(MORE)

    waits.append(grow)
    report = landing.load()
    assert [file.path for file in report.files] == ["bills/whole.csv"]
    assert report.findings == ("bills/growing.csv: still being copied; the next run takes it",)
    assert landing.query("select path from landing.file") == [("bills/whole.csv",)]

    waits.append(lambda: None)  # it grows no more: whole is known, and only the other one is waited for
    report = landing.load()
    assert (report.findings, report.rows_added["bills"], waits) == ((), 1, [])
    assert whole.exists()


def test_a_file_that_goes_while_it_is_looked_at_is_no_error(
    landing: Landing, waits: list[Callable[[], object]]
) -> None:
    gone = landing.put("bills/a.csv", ONE_BILL)
    waits.append(gone.unlink)
    report = landing.load()
    assert (list(report.files), len(report.findings)) == ([], 1)
    assert landing.value("select count(*) from landing.file") == 0


def test_waits_once_for_all_files_and_not_for_old_or_known_ones(
    landing: Landing, waits: list[Callable[[], object]]
) -> None:
    old = time.time() - 3600
    os.utime(landing.put("bills/old.csv", ONE_BILL), (old, old))
    assert landing.load().rows_added["bills"] == 1
    for number in range(5):
        landing.put(
            f"payments/{number}.csv", csv_text("payments", [row("payments", transaction_id=f"T{number}")])
        )
        landing.put(f"bills/{number}.csv", csv_text("bills", [row("bills", bill_id=f"BE{number}")]))
    waits.append(lambda: None)
    assert landing.load().rows_added["payments"] == 5
    assert waits == []
    assert not landing.load().changed  # nothing is new: a wait would find no event to happen


def test_a_file_of_tomorrow_is_looked_at_twice(landing: Landing, waits: list[Callable[[], object]]) -> None:
    path = landing.put("bills/a.csv", ONE_BILL)
    os.utime(path, (time.time() + 86_400,) * 2)
    waits.append(lambda: None)
    assert landing.load().rows_added["bills"] == 1
    assert waits == []


def test_a_whole_file_is_taken_in_the_very_run(landing: Landing) -> None:
    landing.settings = landing.settings.model_copy(update={"settle_seconds": 0.2})
    landing.put("bills/a.csv", ONE_BILL)
    started = time.monotonic()
    assert landing.load().rows_added["bills"] == 1
    assert time.monotonic() - started >= 0.2


def test_two_loaders_at_once_load_each_content_once(landing: Landing) -> None:
    for number in range(6):
        rows = [
            row("payments", transaction_id=f"T{line}") for line in range(number * 500, number * 500 + 1000)
        ]
        landing.put(f"payments/{number}.csv", csv_text("payments", rows))
    landing.put("payments/copy.csv", (landing.root / "payments/3.csv").read_bytes())
    start = threading.Barrier(2)
    refused: list[str] = []
    reports: list[LoadReport] = []

    def load() -> None:
        with closing(connect(landing.settings, "loader")) as conn:
            start.wait()
            while True:
                try:
                    # Of one source: refused before another one, a load would have loaded and told nothing.
                    reports.append(load_landing(landing.settings, conn, ["payments"]))
                    return
                except WarehouseError as error:  # the other one is at work: what people do, call again
                    refused.append(str(error))
                    time.sleep(0.01)

    loaders = [threading.Thread(target=load) for _ in range(2)]
    for loader in loaders:
        loader.start()
    for loader in loaders:
        loader.join()
    assert len(reports) == 2
    assert all(text.startswith("Another run") for text in refused)
    assert sum(report.rows_added["payments"] for report in reports) == 3500
    assert landing.query(
        "select count(*), count(*) filter (where is_duplicate), count(distinct transaction_id) from raw.payments"
    ) == [(6000, 2500, 3500)]
    assert landing.query(
        "select count(*), count(content_of), sum(rows_loaded), sum(rows_duplicate) from landing.file"
    ) == [(7, 1, 3500, 3500)]


def test_copies_lie_in_the_home_and_those_of_killed_runs_go(landing: Landing) -> None:
    temporary = landing.settings.temporary_folder()
    remains = temporary / "run-killed"
    remains.mkdir(parents=True)
    (remains / "content.csv").write_text("personal data", encoding="utf-8")
    with workroom(temporary) as mine:  # of another run that is alive
        (mine / "content.csv").write_text("at work", encoding="utf-8")
        landing.load()  # nothing is new, and still
        assert sorted(folder.name for folder in temporary.iterdir()) == [mine.name]
        assert stat.S_IMODE(temporary.stat().st_mode) == 0o700
        assert stat.S_IMODE(mine.stat().st_mode) == 0o700
    assert list(temporary.iterdir()) == []


def test_a_copy_is_gone_after_a_load_and_lay_in_the_home(
    landing: Landing, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Path] = []
    real = workroom_module.tempfile.mkdtemp

    def mkdtemp(prefix: str, dir: Path) -> str:
        seen.append(Path(real(prefix=prefix, dir=dir)))
        return str(seen[-1])

    monkeypatch.setattr(workroom_module.tempfile, "mkdtemp", mkdtemp)
    landing.put("bills/a.csv", ONE_BILL)
    landing.put("bills/b.csv", "")
    landing.load()
    assert [folder.parent for folder in seen] == [landing.settings.home / "tmp"] * 2
    assert list((landing.settings.home / "tmp").iterdir()) == []


def test_nothing_to_clear_is_no_error(warehouse: Settings) -> None:
    clear_remains(warehouse.temporary_folder())
    assert not warehouse.temporary_folder().exists()
