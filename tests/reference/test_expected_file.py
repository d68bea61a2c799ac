"""bi.expected_file: what has come, is late or is missing, by the database's clock."""

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from overlay_folder import OverlayFolder

LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
HEADER = "expectation_code,source,partner_code,files,every,due_days,due_time,valid_from,valid_to\n"
STATUS = "select covers, status from bi.expected_file where expectation_code = %s order by covers"
YEARS_AGO = 730


@pytest.fixture
def today(overlay: OverlayFolder) -> date:
    [(today,)] = overlay.query("select (now() at time zone 'Asia/Ho_Chi_Minh')::date")
    return today  # type: ignore[no-any-return]


def expect(overlay: OverlayFolder, *rows: str) -> None:
    overlay.put("expected_files.csv", HEADER + "".join(f"{row}\n" for row in rows))
    overlay.load()


def come(
    overlay: OverlayFolder,
    path: str,
    at: datetime,
    sha256: str = "a",
    refused: str | None = None,
    copy_of: str | None = None,
) -> None:
    """A line of the ledger, as loading a file leaves it."""
    overlay.query(
        "insert into landing.file (source, path, sha256, size, mtime_ns, rows_in_file, rows_loaded, rows_duplicate,"
        " rows_quarantined, money_in_file_vnd, money_loaded_vnd, money_duplicate_vnd, money_quarantined_vnd,"
        " contract_fingerprint, refused_reason, content_of, seen_at)"
        " values (%s, %s, %s, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, '', %s,"
        " (select file_id from landing.file where path = %s), %s)",
        path.split("/", maxsplit=1)[0],
        path,
        sha256,
        refused,
        copy_of,
        at,
    )


def at(day: date, hour: int, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=LOCAL)


def withdraw(overlay: OverlayFolder, path: str) -> None:
    overlay.query(
        "with change as (insert into landing.change (kind, source, file_id, rows_added, rows_withdrawn, changed_by)"
        " select 'unload', source, file_id, 0, 0, 'An' from landing.file where path = %s returning change_id)"
        " update landing.file set withdrawn_change = change_id, content_of = null from change where path = %s",
        path,
        path,
    )


def test_every_status_of_a_daily_file(overlay: OverlayFolder, today: date) -> None:
    first = today - timedelta(days=6)
    expect(overlay, f"vcb,payments,VCB,vcb/{{yyyy}}{{MM}}{{dd}}.csv,day,1,09:00,{first},")
    days = [first + timedelta(days=number) for number in range(7)]

    def path(number: int) -> str:
        return f"payments/vcb/{days[number]:%Y%m%d}.csv"

    come(overlay, path(0), at(days[1], 9))  # on the minute
    come(overlay, path(1), at(days[2], 9, 1))
    come(overlay, path(2), at(days[3], 8), refused="truncated")
    come(overlay, path(3), at(days[3], 8), refused="truncated")
    come(overlay, path(3), at(days[4], 8), sha256="b")
    [row, *_] = overlay.query("select * from bi.expected_file order by covers")
    assert row == (
        "vcb",
        "payments",
        "VCB",
        "vcb/{yyyy}{MM}{dd}.csv",
        days[0],
        at(days[1], 9),
        at(days[1], 9),
        path(0),
        "received",
    )
    found = [status for _, status in overlay.query(STATUS, "vcb")]
    # Yesterday's is due today at nine: whether that is over, the clock of the machine says.
    yesterday = overlay.query("select now() > %s", at(today, 9))[0][0]
    assert found == [
        "received",
        "late",
        "refused",
        "received",
        "missing",
        "missing" if yesterday else "awaited",
        "awaited",
    ]
    come(overlay, path(2), at(days[5], 8), sha256="b")
    assert overlay.query(STATUS, "vcb")[2] == (days[2], "late"), "the corrected one came too late"


def test_one_punctual_partner_hides_no_missing_one(overlay: OverlayFolder, today: date) -> None:
    first = today - timedelta(days=3)
    expect(
        overlay,
        f"vcb,payments,VCB,vcb_{{yyyy}}{{MM}}{{dd}}.csv,day,0,23:59,{first},{first}",
        f"bidv,payments,BIDV,bidv_{{yyyy}}{{MM}}{{dd}}.csv,day,0,23:59,{first},{first}",
    )
    come(overlay, f"payments/vcb_{first:%Y%m%d}.csv", at(first, 10))
    assert overlay.query("select partner_code, status from bi.expected_file order by 1") == [
        ("BIDV", "missing"),
        ("VCB", "received"),
    ]


def test_a_file_that_was_taken_back_has_not_come_and_a_copy_has(overlay: OverlayFolder, today: date) -> None:
    day = today - timedelta(days=3)
    expect(overlay, f"x,payments,,*{{yyyy}}{{MM}}{{dd}}.csv,day,0,23:59,{day},{day}")
    original, copy = f"payments/{day:%Y%m%d}.csv", f"payments/copy_{day:%Y%m%d}.csv"
    come(overlay, original, at(day, 10))
    come(overlay, copy, at(day, 11), copy_of=original)
    assert overlay.query("select file, status from bi.expected_file") == [(original, "received")]
    withdraw(overlay, original)
    assert overlay.query("select file, status from bi.expected_file") == [(copy, "received")]
    withdraw(overlay, copy)
    assert overlay.query("select file, arrived_at, status from bi.expected_file") == [(None, None, "missing")]


def test_a_copy_under_another_partners_name_is_his_file(overlay: OverlayFolder, today: date) -> None:
    day = today - timedelta(days=3)
    expect(overlay, f"b,payments,B,b_{{yyyy}}{{MM}}{{dd}}.csv,day,0,23:59,{day},{day}")
    come(overlay, f"payments/a_{day:%Y%m%d}.csv", at(day, 10))
    come(overlay, f"payments/b_{day:%Y%m%d}.csv", at(day, 11), copy_of=f"payments/a_{day:%Y%m%d}.csv")
    assert [status for _, status in overlay.query(STATUS, "b")] == ["received"]


def test_without_a_date_in_its_name_the_day_of_arrival_counts(overlay: OverlayFolder, today: date) -> None:
    first = today - timedelta(days=4)
    expect(overlay, f"x,bills,,cmis/*.csv,day,0,08:00,{first},{first + timedelta(days=2)}")
    come(overlay, "bills/cmis/a.csv", at(first, 0, 30))  # of the day before, in UTC
    come(overlay, "bills/cmis/b.csv", at(first, 9))
    come(overlay, "bills/cmis/a.csv", at(first + timedelta(days=2), 8, 1), sha256="b")
    assert overlay.query("select file, status from bi.expected_file order by covers") == [
        ("bills/cmis/a.csv", "received"),
        (None, "missing"),
        ("bills/cmis/a.csv", "late"),
    ]


def test_months(overlay: OverlayFolder, today: date) -> None:
    """Due so many days after the month's last day; a day in the name tells its month."""
    expect(
        overlay,
        "m,bills,,bills_{MM}-{yyyy}.xlsx,month,5,17:00,2024-01-20,2024-04-01",
        "d,bills,,at_{dd}.{MM}.{yyyy}.xlsx,month,5,17:00,2024-02-01,2024-02-29",
    )
    come(overlay, "bills/bills_01-2024.xlsx", at(date(2024, 2, 5), 17))
    come(overlay, "bills/bills_02-2024.xlsx", at(date(2024, 3, 5), 17, 1))
    come(overlay, "bills/bills_13-2024.xlsx", at(date(2024, 3, 5), 17, 1))
    come(overlay, "bills/at_15.02.2024.xlsx", at(date(2024, 2, 16), 8))
    assert overlay.query(
        "select covers, due_at, status from bi.expected_file where expectation_code = 'm' order by 1"
    ) == [
        (date(2024, 1, 1), at(date(2024, 2, 5), 17), "received"),
        (date(2024, 2, 1), at(date(2024, 3, 5), 17), "late"),
        (date(2024, 3, 1), at(date(2024, 4, 5), 17), "missing"),
        (date(2024, 4, 1), at(date(2024, 5, 5), 17), "missing"),
    ]
    assert overlay.query(STATUS, "d") == [(date(2024, 2, 1), "received")]


def test_working_days(overlay: OverlayFolder) -> None:
    """Monday to Friday, and due by such days too."""
    expect(overlay, "w,payments,,{yyyy}{MM}{dd}.csv,working_day,1,09:00,2024-05-02,2024-05-14")
    expected = {2: 3, 3: 6, 6: 7, 7: 8, 8: 9, 9: 10, 10: 13, 13: 14, 14: 15}
    assert overlay.query("select covers, due_at from bi.expected_file order by 1") == [
        (date(2024, 5, day), at(date(2024, 5, due), 9)) for day, due in expected.items()
    ]
    expect(overlay, "w,payments,,{yyyy}{MM}{dd}.csv,working_day,7,09:00,2024-05-08,2024-05-10")
    assert [due.day for (due,) in overlay.query("select due_at from bi.expected_file order by covers")] == [
        17,
        20,
        21,
    ]


def test_names_that_hold_no_day(overlay: OverlayFolder) -> None:
    """They pass the pattern, are for no day and disturb nobody."""
    expect(overlay, "x,payments,,{yyyy}{MM}{dd}.csv,day,1,09:00,2024-02-29,2024-03-01")
    for name in ("20240229", "20240230", "00000101", "20230229"):
        come(overlay, f"payments/{name}.csv", at(date(2024, 3, 1), 8))
    assert [status for _, status in overlay.query(STATUS, "x")] == ["received", "missing"]


def test_a_file_that_is_read_again_was_punctual_all_the_same(overlay: OverlayFolder) -> None:
    expect(overlay, "x,payments,,{yyyy}{MM}{dd}.csv,day,1,09:00,2024-05-02,2024-05-02")
    come(overlay, "payments/20240502.csv", at(date(2024, 5, 3), 8))
    overlay.query("update landing.file set loaded_at = clock_timestamp()")
    assert [status for _, status in overlay.query(STATUS, "x")] == ["received"]


def test_bi_reader_reads_it_and_every_column_is_described(overlay: OverlayFolder) -> None:
    from dagster_project.publish.roles import grant  # noqa: PLC0415

    grant(overlay.settings)
    overlay.query("set role bi_reader")
    assert overlay.query("select * from bi.expected_file") == []
    overlay.query("reset role")
    [(relation, undescribed)] = overlay.query(
        "select obj_description(c.oid), array_agg(attname) filter (where col_description(c.oid, attnum) is null)"
        " from pg_class c inner join pg_attribute on attrelid = c.oid"
        " where c.oid = 'bi.expected_file'::regclass and attnum > 0 group by c.oid"
    )
    assert relation
    assert undescribed is None


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for child in plan.get("Plans", ()) for node in _nodes(child))]


@pytest.mark.parametrize("is_analyzed", [True, False])
def test_it_looks_at_each_file_once_for_each_expectation(
    overlay: OverlayFolder, today: date, *, is_analyzed: bool
) -> None:
    """20 expectations, two years, 20,000 files: no step handles more rows than expectations times files."""
    first = today - timedelta(days=YEARS_AGO)
    expect(
        overlay,
        *(f"e{n},payments,P{n},p{n}/{{yyyy}}{{MM}}{{dd}}_*.csv,day,1,09:00,{first}," for n in range(20)),
    )
    overlay.query(
        "insert into landing.file (source, path, sha256, size, mtime_ns, rows_in_file, rows_loaded, rows_duplicate,"
        " rows_quarantined, money_in_file_vnd, money_loaded_vnd, money_duplicate_vnd, money_quarantined_vnd,"
        " contract_fingerprint, seen_at)"
        " select 'payments', format('payments/p%%s/%%s_%%s.csv', number / 1000,"
        "   to_char(%s + number %% 1000 %% 730, 'YYYYMMDD'), number), number::text,"
        "   1, 1, 0, 0, 0, 0, 0, 0, 0, 0, '', (%s + number %% 1000 %% 730)::timestamptz + interval '1 day 1 hour'"
        " from generate_series(0, 19999) as file (number)",
        first,
        first,
    )
    if is_analyzed:
        overlay.query("analyze landing.file")
    [([explained],)] = overlay.query("explain (analyze, format json) select * from bi.expected_file")
    handled = [node["Actual Rows"] * node["Actual Loops"] for node in _nodes(explained["Plan"])]
    assert explained["Plan"]["Actual Rows"] == 20 * (YEARS_AGO + 1)
    assert max(handled) <= 20 * 20_000
    removed = [
        node.get(f"Rows Removed by {by}", 0) * node["Actual Loops"]
        for node in _nodes(explained["Plan"])
        for by in ("Filter", "Join Filter")
    ]
    assert max(removed) <= 20 * 20_000, "a join that compares every day with every file"
    [(received,)] = overlay.query("select count(*) from bi.expected_file where status = 'received'")
    assert received == 20 * YEARS_AGO
