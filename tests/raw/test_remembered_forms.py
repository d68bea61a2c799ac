"""The form a file was read in is remembered: what a contract declares afterwards makes no copy of another reading."""

from typing import Any

from landing_folder import Declare, Landing, csv_text, row

from dagster_project.raw.changes import Person
from dagster_project.raw.preview import preview
from dagster_project.raw.reload import reload
from dagster_project.raw.withdraw import unload

# Read with the one 1.001 is 1001, with the other it is no amount.
COMMA: dict[str, Any] = {"decimal": ","}
POINT: dict[str, Any] = {"decimal": "."}
TEXT = csv_text("bills", [row("bills", kwh="", total_amount="1.001")], "|")
AN = Person("an", "")


def statuses(landing: Landing) -> dict[str, tuple[str, int]]:
    return {
        file.path.removeprefix("bills/"): (file.status, file.counts.rows_quarantined)
        for file in landing.load().sources["bills"].files
    }


def test_what_was_read_in_another_form_is_another_content(landing: Landing, declare: Declare) -> None:
    declare("bills", COMMA)
    landing.put("bills/a.csv", TEXT)
    assert statuses(landing) == {"a.csv": ("loaded", 0)}
    declare("bills", POINT)
    landing.put("bills/b.csv", TEXT)
    landing.put("bills/c.csv", TEXT)
    assert statuses(landing) == {"a.csv": ("unchanged", 0), "b.csv": ("loaded", 1), "c.csv": ("copy", 1)}
    told = landing.query("select path, notes from landing.file where notes <> '{}'")
    assert [path for path, _ in told] == ["bills/b.csv", "bills/c.csv"]
    assert all("the same bytes stand as bills/a.csv, read in another form" in str(notes) for _, notes in told)
    # The form of a.csv once more: that file brought what is in this one.
    declare("bills", COMMA)
    landing.put("bills/d.csv", TEXT)
    assert statuses(landing)["d.csv"] == ("copy", 0)


def test_the_same_path_stays_as_it_was_read_until_it_is_reloaded(landing: Landing, declare: Declare) -> None:
    declare("bills", COMMA)
    path = landing.put("bills/a.csv", TEXT)
    landing.put("bills/copy.csv", TEXT)
    landing.load()
    declare("bills", POINT)
    path.write_text(TEXT, encoding="utf-8")  # sent again
    assert statuses(landing) == {"a.csv": ("unchanged", 0), "copy.csv": ("unchanged", 0)}
    reload(landing.settings, ["bills/a.csv"], AN)
    landing.put("bills/b.csv", TEXT)
    assert statuses(landing) == {
        "a.csv": ("unchanged", 1),
        "b.csv": ("copy", 1),
        "copy.csv": ("unchanged", 1),
    }
    # The copy was read again with it, and takes its place.
    unload(landing.settings, ["bills/a.csv"], AN)
    declare("bills", COMMA)
    landing.put("bills/c.csv", TEXT)
    assert statuses(landing)["c.csv"] == ("loaded", 0)


def test_reload_finds_the_file_that_was_read_in_the_form_of_today(landing: Landing, declare: Declare) -> None:
    declare("bills", COMMA)
    landing.put("bills/a.csv", TEXT)
    landing.put("bills/b.csv", csv_text("bills", [row("bills", bill_id="BE2")]))
    landing.load()
    declare("bills", POINT)
    landing.put("bills/b.csv", TEXT)
    (done,) = reload(landing.settings, ["bills/b.csv"], AN)
    assert (done.was_another_content, done.same_content_as, done.now.rows_quarantined) == (True, None, 1)
    declare("bills", COMMA)
    landing.put("bills/b.csv", csv_text("bills", [row("bills", bill_id="BE3")]))
    reload(landing.settings, ["bills/b.csv"], AN)
    landing.put("bills/b.csv", TEXT)
    (done,) = reload(landing.settings, ["bills/b.csv"], AN)
    assert (done.same_content_as, done.now.rows_duplicate) == ("bills/a.csv", 1)


def test_a_copy_that_takes_the_place_of_its_original_keeps_the_form(
    landing: Landing, declare: Declare
) -> None:
    declare("bills", COMMA)
    landing.put("bills/a.csv", TEXT)
    landing.put("bills/copy.csv", TEXT)
    landing.load()
    declare("bills", POINT)
    (done,) = unload(landing.settings, ["bills/a.csv"], AN)
    assert done.still_stands_as == "bills/copy.csv"
    landing.put("bills/b.csv", TEXT)
    assert statuses(landing)["b.csv"] == ("loaded", 1)
    # What was read in another form is not what was taken back.
    (done,) = unload(landing.settings, ["bills/copy.csv"], AN)
    assert done.still_stands_as is None


def test_a_refused_file_has_the_form_in_which_it_is_read_at_last(landing: Landing, declare: Declare) -> None:
    text = TEXT.replace("total_amount", "TONG", 1)
    landing.put("bills/a.csv", text)
    assert statuses(landing) == {"a.csv": ("refused", 0)}
    declare("bills", COMMA | {"headers": {"TONG": "total_amount"}})
    assert statuses(landing) == {"a.csv": ("loaded", 0)}
    landing.put("bills/b.csv", text)
    assert statuses(landing)["b.csv"] == ("copy", 0)


def test_a_file_from_before_was_read_in_the_form_of_today(landing: Landing, declare: Declare) -> None:
    declare("bills", COMMA)
    landing.put("bills/a.csv", TEXT)
    landing.load()
    with landing.conn, landing.conn.cursor() as cursor:
        cursor.execute("update landing.file set form_fingerprint = null")
    declare("bills", {"files": "b.csv", **POINT}, COMMA)
    landing.put("bills/b.csv", TEXT)
    landing.put("bills/c.csv", TEXT)
    assert statuses(landing) == {"a.csv": ("unchanged", 0), "b.csv": ("loaded", 1), "c.csv": ("copy", 0)}


def test_what_a_file_would_do_agrees(landing: Landing, declare: Declare) -> None:
    declare("bills", COMMA)
    path = landing.put("bills/a.csv", TEXT)
    landing.load()
    seen = preview(landing.settings, path, "bills")
    assert (seen.loaded_as, seen.is_read_otherwise) == ("bills/a.csv", False)
    declare("bills", POINT)
    seen = preview(landing.settings, path, "bills")
    assert (seen.loaded_as, seen.is_read_otherwise) == ("bills/a.csv", True)
    assert "a run would not read it again, cashless reload would" in str(seen)
    other = landing.put("bills/b.csv", TEXT)
    seen = preview(landing.settings, other, "bills")
    assert (seen.loaded_as, seen.counts and seen.counts.rows_quarantined) == (None, 1)
    assert statuses(landing) == {"a.csv": ("unchanged", 0), "b.csv": ("loaded", 1)}
