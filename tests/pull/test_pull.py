"""Pulls from a real PostgreSQL: what comes, how far a pull gets, what happens when it dies or fails."""

import gzip
import os
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any

import psycopg2
import pytest
from cmis_database import PASSWORD, QUERY, Cmis, ids

from dagster_project.landing.location import open_place
from dagster_project.landing.place import Folder, Place
from dagster_project.pull import pull as pull_module
from dagster_project.pull import state
from dagster_project.pull.declared import Pull, PullError, declared_pulls
from dagster_project.pull.pull import pull_all
from dagster_project.pull.state import Standing
from dagster_project.raw.load import load_landing
from dagster_project.transform.dbt import REPOSITORY
from dagster_project.warehouse.connection import WarehouseError, connect, run_lock

FIRST_FILE = "payments/pulled/cmis/cmis_20240101T000000_20240510T100000.csv.gz"


def test_new_rows_become_a_file_that_is_read_like_any_other(cmis: Cmis) -> None:
    cmis.declare()
    cmis.add(1, "2024-05-10 10:00")
    cmis.add(2, "2024-05-09 08:00", so_tien="125000.00", ghi_chu='said "one",\r\nthen; two|')
    pulled = cmis.pulled()
    assert (pulled.file, pulled.rows, pulled.fault) == (FIRST_FILE, 2, None)
    assert cmis.files() == [FIRST_FILE]
    assert sorted(cmis.rows(FIRST_FILE), key=str) == [
        {
            "partner_code": "VCB",
            "transaction_id": f"T{number}",
            "kind": "payment",
            "customer_code": "PN01000000001",
            "amount": amount,
            "paid_at": "2024-05-10 10:00:00",  # of 03:00 in Greenwich
            "collection_point_code": text,
        }
        for number, amount, text in ((1, "1000", ""), (2, "125000", 'said "one",\r\nthen; two|'))
    ]
    assert cmis.load() == 2
    assert cmis.query(
        "select transaction_id, amount, paid_at, collection_point_code from raw.payments order by 1"
    ) == [
        ("T1", 1000, datetime(2024, 5, 10, 10), None),
        ("T2", 125000, datetime(2024, 5, 10, 10), 'said "one",\r\nthen; two|'),
    ]
    assert cmis.query("select name, source, since, high_water, file, rows from landing.pull") == [
        ("cmis", "payments", "2024-01-01T00:00:00", "2024-05-10T10:00:00", FIRST_FILE, 2)
    ]
    assert list(cmis.settings.temporary_folder().iterdir()) == []


def test_the_next_pull_begins_before_the_last_one_ended(cmis: Cmis) -> None:
    cmis.declare()
    cmis.add(1, "2024-05-10 10:00")
    cmis.add(2, "2024-05-01 10:00")
    cmis.pulled()
    cmis.load()
    # A row that was written before, and committed only now; one older than the overlap; a new one.
    cmis.add(3, "2024-05-08 00:00")
    cmis.add(4, "2024-05-02 00:00")
    cmis.add(5, "2024-06-01 00:00")
    pulled = cmis.pulled()
    assert pulled.file == "payments/pulled/cmis/cmis_20240507T100000_20240601T000000.csv.gz"
    assert ids(cmis.rows(pulled.file)) == ["T1", "T3", "T5"]
    assert cmis.load() == 2
    # From wherever one likes; how far the pull has come does not go back.
    (again,) = cmis.pull("cmis", since="2024-05-02")
    assert ids(cmis.rows(again.file or "")) == ["T1", "T3", "T4", "T5"]
    assert cmis.query(
        "select distinct on (name) high_water from landing.pull order by name, pull_id desc"
    ) == [("2024-06-01T00:00:00",)]
    assert cmis.load() == 1


def test_nothing_new_is_no_file(cmis: Cmis) -> None:
    cmis.declare()
    assert cmis.pulled() == pull_module.Pulled("cmis")  # not one row yet
    cmis.add(1, "2024-05-10 10:00")
    cmis.add(2, "2024-05-09 10:00")
    assert cmis.pulled().file is not None
    cmis.execute("update thanh_toan set ma_kh = ma_kh")  # other order, same rows
    assert cmis.pulled() == pull_module.Pulled("cmis")
    assert len(cmis.files()) == 1
    cmis.execute("update thanh_toan set so_tien = 5 where ma_gd = 'T2'")  # changed without its mark
    changed = cmis.pulled()
    assert changed.rows == 2
    assert len(cmis.files()) == 2
    assert cmis.query("select count(*) from landing.pull") == [(2,)]


def test_a_result_that_changes_under_the_same_marks_gets_a_name_of_its_own(cmis: Cmis) -> None:
    cmis.declare(first="2024-05-10")
    names = []
    for number in range(3):
        cmis.add(number + 1, "2024-05-10 10:00")
        names.append(cmis.pulled().file)
    stem = "payments/pulled/cmis/cmis_20240510T000000_20240510T100000"
    assert names == [f"{stem}.csv.gz", f"{stem}_2.csv.gz", f"{stem}_3.csv.gz"]
    assert cmis.load() == 3


def test_a_run_that_dies_before_it_remembers_brings_the_rows_again(
    cmis: Cmis, monkeypatch: pytest.MonkeyPatch
) -> None:
    cmis.declare()
    cmis.add(1, "2024-05-10 10:00")

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(state, "remember", dies)
        with pytest.raises(KeyboardInterrupt):
            cmis.pull()
    assert (cmis.files(), cmis.query("select count(*) from landing.pull")) == ([FIRST_FILE], [(0,)])
    assert cmis.pulled().file == FIRST_FILE  # it lies there already
    assert cmis.files() == [FIRST_FILE]
    assert cmis.query("select file from landing.pull") == [(FIRST_FILE,)]


def test_a_run_that_dies_while_it_puts_the_file_leaves_nothing_that_is_read(
    cmis: Cmis, monkeypatch: pytest.MonkeyPatch
) -> None:
    cmis.declare()
    cmis.add(1, "2024-05-10 10:00")

    def dies(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("dagster_project.landing.place.os.fsync", dies)
        with pytest.raises(KeyboardInterrupt):
            cmis.pull()
    assert cmis.load() == 0
    assert cmis.pulled().file == FIRST_FILE
    assert cmis.files() == [FIRST_FILE]
    assert cmis.load() == 1


def test_a_mark_in_the_future_does_not_hide_what_comes(cmis: Cmis) -> None:
    cmis.declare()
    cmis.add(1, "2099-01-01")
    assert cmis.pulled().rows == 1
    ((reached,),) = cmis.query("select high_water from landing.pull")
    assert datetime.fromisoformat(reached) < datetime.now() + timedelta(days=1)
    cmis.add(2, f"{datetime.now() - timedelta(days=1):%Y-%m-%d %H:%M:%S}")
    assert cmis.pulled().rows == 2


def test_rows_without_a_mark_come_and_move_nothing(cmis: Cmis) -> None:
    cmis.declare()
    cmis.add(1, None)
    assert cmis.pulled().file == "payments/pulled/cmis/cmis_20240101T000000_20240101T000000.csv.gz"
    assert cmis.query("select high_water from landing.pull") == [("2024-01-01T00:00:00",)]


@pytest.mark.parametrize(
    ("kind", "expression", "first", "overlap", "since", "reached"),
    [
        ("date", "ngay_sua::date", date(2024, 1, 1), "2 days", "2024-05-08", "2024-05-10"),
        ("date", "ngay_sua", "2024-01-01", "2 days", "2024-05-08", "2024-05-10"),  # Oracle's DATE has a time
        (
            "timestamp",
            "ngay_sua::date",
            "2024-01-01",
            "12 hours",
            "2024-05-09T12:00:00",
            "2024-05-10T00:00:00",
        ),
        (
            "timestamp",
            "ngay_sua at time zone 'Asia/Ho_Chi_Minh'",
            datetime(2024, 1, 1, 8),
            "30 minutes",
            "2024-05-10T09:30:00",
            "2024-05-10T10:00:00",
        ),
        ("integer", "so_tien", 0, 100, "900", "1000"),  # a NUMBER
    ],
)
def test_kinds_of_marks(
    cmis: Cmis, kind: str, expression: str, first: Any, overlap: Any, since: str, reached: str
) -> None:
    query = QUERY.partition("where")[0].replace("ngay_sua", f"{expression} as mark")
    cmis.declare(
        query=f"select * from ({query}) as result where mark >= :since",
        high_water={"column": "MARK", "kind": kind},
        first=first,
        overlap=overlap,
    )
    cmis.add(1, "2024-05-10 10:00")
    assert cmis.pulled().file is not None
    cmis.add(2, "2024-05-10 09:59", so_tien=950)
    assert cmis.pulled().rows == 2
    assert cmis.query("select high_water, max(since) over () from landing.pull") == [(reached, since)] * 2


def test_until_is_now(cmis: Cmis) -> None:
    cmis.declare(query=QUERY.replace(">= :since", "between :since and :until"))
    cmis.add(1, "2024-05-10")
    cmis.add(2, "2099-01-01")
    pulled = cmis.pulled()
    assert (pulled.rows, ids(cmis.rows(pulled.file or ""))) == (1, ["T1"])


def test_a_result_of_any_size_is_streamed(cmis: Cmis, monkeypatch: pytest.MonkeyPatch) -> None:
    cmis.declare()
    cmis.execute(
        "insert into thanh_toan (ma_doi_tac, ma_gd, ma_kh, so_tien, thoi_diem, ngay_sua)"
        " select 'VCB', 'T' || number, 'PN01000000001', number, '2024-05-10', '2024-05-10'"
        " from generate_series(1, 20000) as number"
    )
    seen: list[str | None] = []

    class Seen(psycopg2.extensions.cursor):
        def fetchmany(self, size: int | None = None) -> Any:
            seen.append(self.name)
            rows = super().fetchmany(size)
            assert len(rows) <= 5000
            return rows

    real_connect = psycopg2.connect

    def connecting(*arguments: Any, **options: Any) -> Any:
        if options.get("application_name") == "cashless pull":
            options["cursor_factory"] = Seen
        return real_connect(*arguments, **options)

    monkeypatch.setattr(psycopg2, "connect", connecting)
    assert cmis.pulled().rows == 20_000
    assert len([name for name in seen if name]) >= 4  # a cursor of the server's has a name
    assert cmis.load() == 20_000


def test_it_only_reads(cmis: Cmis) -> None:
    cmis.execute("create sequence so")
    cmis.declare(query=QUERY.replace("where", "where nextval('so') > 0 and (") + ")")
    cmis.add(1, "2024-05-10")
    assert cmis.fault().endswith("SQLSTATE 25006): cannot execute nextval() in a read-only transaction")


def test_several_pulls_one_of_them_broken(cmis: Cmis) -> None:
    cmis.declare("b_good")
    cmis.declare("a_bad", query="select 1 from nowhere where 1 > :since")
    cmis.declare("c_broken", source="invoices")
    cmis.add(1, "2024-05-10 10:00")
    found = {one.name: one for one in cmis.pull()}
    assert {name: one.fault is None for name, one in found.items()} == {
        "a_bad": False,
        "b_good": True,
        "pulls/c_broken.yaml": False,
    }
    assert cmis.load() == 1
    assert [one.name for one in cmis.pull("b_good")] == ["b_good"]
    with pytest.raises(
        PullError, match=r"No pull is called c_broken in .*pulls \(pulls/c_broken.yaml: source: no such"
    ):
        cmis.pull("c_broken")


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"query": "selct :since"}, 'SyntaxError, SQLSTATE 42601): syntax error at or near "selct"'),
        ({"query": QUERY.replace("thanh_toan", "hoa_don")}, 'relation "hoa_don" does not exist'),
        ({"query": QUERY.replace("so_tien", "so_tien::text::bytea")}, "column amount is memoryview: cast it to text"),
        ({"query": QUERY.replace("so_tien", "(ma_kh || so_tien)::integer")}, "(InvalidTextRepresentation, "
         "SQLSTATE 22P02)"),
        ({"query": QUERY.replace("so_tien as amount,", "")}, "the result lacks the required columns amount"),
        ({"query": QUERY.replace("so_tien as amount", "so_tien as amount, anh")}, "of payments has no column anh"),
        ({"query": QUERY.replace("so_tien as amount", "so_tien as amount, 1 as \"Số tiền\"")}, "are the same column"),
        ({"high_water": {"column": "changed", "kind": "timestamp"}}, "has no column changed, the high-water"),
        ({"high_water": {"column": "ngay_sua", "kind": "integer"}, "overlap": 1, "first": 0,
          "query": QUERY.replace(">= :since", "is not null and 1 > :since")}, "is no integer, but datetime"),
        ({"query": QUERY.replace(":since", "'2024-01-01'")}, "its query must have the bind :since"),
        ({"query": QUERY + " and ma_gd <> :other"}, "its query must have the bind :since"),
        ({"url_variable": "NO_SUCH_URL"}, "the environment variable NO_SUCH_URL is not set"),
        ({"query": QUERY.replace("thoi_diem as", "timestamptz '20000-01-01' as")}, "cannot be read"),
    ],
)  # fmt: skip
def test_a_pull_that_fails_says_why_in_one_line(cmis: Cmis, changes: dict[str, Any], fault: str) -> None:
    cmis.declare(**changes)
    cmis.add(1, "2024-05-10")
    said = cmis.fault()
    assert fault in said
    assert "PN01000000001" not in said
    assert cmis.files() == []
    assert cmis.query("select count(*) from landing.pull") == [(0,)]


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("postgresql://cmis:s3cret%20of%20CMIS@127.0.0.1:1/d", "Connection refused"),
        ("postgresql://cmis:s3cret of CMIS@host:port/d", "is no URL of SQLAlchemy"),
        ("nonsense", "is no URL of SQLAlchemy"),
        ("nonsense://u:s3cret of CMIS@h/d", "names a database that has no dialect here"),
        ("mysql+pymysql://u:s3cret of CMIS@h/d", "the driver pymysql of CMIS_URL is to be installed"),
        ("oracle://u:s3cret%20of%20CMIS@127.0.0.1:1/?service_name=cmis", "DPY-6005"),
    ],
)
def test_a_database_that_cannot_be_reached(
    cmis: Cmis, monkeypatch: pytest.MonkeyPatch, url: str, fault: str
) -> None:
    cmis.declare()
    monkeypatch.setenv("CMIS_URL", url)
    assert fault in cmis.fault()


def test_a_wrong_password(cmis: Cmis, monkeypatch: pytest.MonkeyPatch) -> None:
    cmis.declare()
    user, _, rest = cmis.url.partition("@")
    monkeypatch.setenv("CMIS_URL", f"{user.rpartition(':')[0]}:{PASSWORD.replace(' ', '%20')}@{rest}")
    assert "password authentication failed" in cmis.fault()


def test_the_missing_driver_of_oracle_is_named() -> None:
    code = (
        "import sys, os\n"
        "sys.modules['oracledb'] = None\n"
        "os.environ['CMIS_URL'] = 'oracle://u:p@h/d'\n"
        "from dagster_project.pull.database import _engine\n"
        "from dagster_project.pull.declared import Pull\n"
        "_engine(Pull(name='cmis', source='bills', url_variable='CMIS_URL', query='', first='2024-01-01',\n"
        "             high_water={'column': 'a', 'kind': 'date'}, overlap='1 day'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip().endswith(
        "cmis: the driver oracledb of CMIS_URL needs the extra oracle: .venv/bin/pip install -e '.[oracle]'"
    )


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"source": "invoices"}, "source: no such source"),
        ({"url_variable": "postgresql://u:s3cret of CMIS@h/d"}, "url_variable: must be the name of an environment"),
        ({"high_water": {"column": "a", "kind": "moment"}}, "high_water.kind: Input should be"),
        ({"high_water": "ngay_sua"}, "high_water: Input should be"),
        ({"overlap": "a while"}, "overlap: must be like 3 days"),
        ({"overlap": 3}, "overlap: must be a span"),
        ({"overlap": "12 hours", "high_water": {"column": "a", "kind": "date"}}, "overlap: must be whole days"),
        ({"high_water": {"column": "a", "kind": "integer"}, "first": 1}, "overlap: must be a number"),
        ({"first": "yesterday"}, "first: is no timestamp"),
        ({"first": "2024-01-01T00:00:00+07:00"}, "first: is no timestamp"),
        ({"url": "postgresql://u:s3cret of CMIS@h/d"}, "url: Extra inputs are not permitted"),
    ],
)  # fmt: skip
def test_a_wrong_declaration_is_named_without_its_values(
    cmis: Cmis, changes: dict[str, Any], fault: str
) -> None:
    cmis.declare(**changes)
    assert f"pulls/cmis.yaml: {fault}" in cmis.fault()


def test_declarations_that_cannot_be_read(cmis: Cmis) -> None:
    folder = cmis.declare().parent
    (folder / "a.yaml").write_text("source: [\n", encoding="utf-8")
    (folder / "b.yml").write_text("text", encoding="utf-8")
    (folder / "Bad Name.yaml").write_text("source: bills", encoding="utf-8")
    faults = [str(one) for one in declared_pulls(folder) if isinstance(one, PullError)]
    assert faults == [
        "pulls/Bad Name.yaml: a pull is called by small letters, digits, _ and - only",
        "pulls/a.yaml: cannot be read as YAML, line 2",
        "pulls/b.yml: must be a mapping (source, url_variable, query, …)",
    ]
    assert [one.name for one in declared_pulls(folder) if isinstance(one, Pull)] == ["cmis"]


def test_another_kind_of_mark_needs_another_name(cmis: Cmis) -> None:
    cmis.declare()
    cmis.add(1, "2024-05-10")
    cmis.pulled()
    cmis.declare(high_water={"column": "amount", "kind": "integer"}, overlap=1, first=0)
    assert "give the changed pull another name" in cmis.fault()


def test_two_at_once_do_not_pull(cmis: Cmis) -> None:
    cmis.declare()
    with (
        closing(connect(cmis.settings)) as other,
        run_lock(other),
        pytest.raises(WarehouseError, match="Another run"),
    ):
        cmis.pull()


def test_a_landing_that_takes_no_file(cmis: Cmis, monkeypatch: pytest.MonkeyPatch) -> None:
    cmis.declare()
    cmis.add(1, "2024-05-10")

    def put(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Folder, "put", put)
    assert cmis.fault() == "cmis: the file cannot be put into the landing: Permission denied"
    assert cmis.query("select count(*) from landing.pull") == [(0,)]


def test_into_a_landing_that_is_an_address(cmis: Cmis) -> None:
    cmis.declare()
    cmis.add(1, "2024-05-10 10:00")
    cmis.settings = cmis.settings.model_copy(update={"landing": f"file://{cmis.root}"})
    place: Place = open_place(cmis.settings.landing)
    with closing(connect(cmis.settings)) as conn:
        (pulled,) = pull_all(conn, cmis.settings, place)
        assert pulled.file == FIRST_FILE
        assert load_landing(cmis.settings, conn).rows_added["payments"] == 1
    assert cmis.files() == [FIRST_FILE]
    assert gzip.decompress((cmis.root / FIRST_FILE).read_bytes()).startswith(b"partner_code,transaction_id,")


def test_the_command(cmis: Cmis) -> None:
    cmis.declare()
    cmis.add(1, "2024-05-10 10:00")
    environment = {
        **os.environ,
        "CASHLESS_HOME": str(cmis.settings.home),
        "CASHLESS_DATABASE_URL": cmis.settings.database_url or "",
        "CASHLESS_LANDING": cmis.settings.landing,
    }

    def cashless(*arguments: str) -> subprocess.CompletedProcess[str]:
        code = "from dagster_project.cli import main; main()"
        command = [sys.executable, "-c", code, "pull", *arguments]
        return subprocess.run(
            command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, check=False
        )

    done = cashless()
    assert (done.returncode, done.stdout) == (0, f"cmis: 1 dòng / rows → {FIRST_FILE}\n"), done.stderr
    done = cashless("cmis")
    assert (done.returncode, done.stdout) == (0, "cmis: không có gì mới / nothing new\n")
    done = cashless("other")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    cmis.declare(url_variable="NO_SUCH_URL")
    done = cashless()
    assert done.returncode == 1
    assert "Pull failed: cmis: the environment variable NO_SUCH_URL is not set" in done.stdout


def standing(cmis: Cmis) -> Standing:
    with closing(connect(cmis.settings)) as conn, conn.cursor() as cursor:
        (found,) = state.standings(cursor, declared_pulls(cmis.settings.overlay_folder() / "pulls"))
        return found


def test_how_a_pull_stands(cmis: Cmis) -> None:
    cmis.declare()
    assert standing(cmis) == ("cmis", "payments", None, None, None, None)
    cmis.add(1, "2024-05-10 10:00")
    cmis.pulled()
    first = standing(cmis)
    assert first.succeeded_at is not None
    assert (first.high_water, first.failed_at, first.is_failing) == ("2024-05-10T10:00:00", None, False)
    cmis.pulled()  # nothing new is a success too
    second = standing(cmis)
    assert second.succeeded_at is not None
    assert second.succeeded_at > first.succeeded_at
    cmis.declare(query=QUERY.replace("thanh_toan", "hoa_don"))
    fault = cmis.fault()
    third = standing(cmis)
    assert (third.succeeded_at, third.high_water) == (second.succeeded_at, second.high_water)
    assert (third.fault, third.is_failing) == (fault, True)
    cmis.declare()
    cmis.pulled()
    fourth = standing(cmis)
    assert (fourth.failed_at, fourth.fault, fourth.is_failing) == (third.failed_at, fault, False)


def test_a_mark_that_is_none_is_no_failure_of_the_pull(cmis: Cmis) -> None:
    cmis.declare()
    with pytest.raises(PullError, match="cmis: --since is no timestamp"):
        cmis.pull("cmis", since="yesterday")
    assert standing(cmis) == ("cmis", "payments", None, None, None, None)
