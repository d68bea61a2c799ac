"""What BI sees after publications of hand-made candidates, and which candidates are refused.

Does not belong here: readers at the same time (test_readers.py) and rights (test_roles.py).
"""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import uuid4

import psycopg2
import pytest

from dagster_project.publish import shape
from dagster_project.publish.apply import PublicationRefused, TableChange
from dagster_project.publish.build import Build, GateResult, record_gate
from dagster_project.publish.publish import publish
from dagster_project.publish.relations import PublishedTable
from dagster_project.warehouse.connection import WarehouseError

MAY, JUNE, JULY = date(2024, 5, 1), date(2024, 6, 1), date(2024, 7, 1)

FIRST = [
    (MAY, "PNHL00", 100, 40, "0.4000"),
    (MAY, "PNYK00", 195, 160, "0.8205"),
    (JUNE, "PNYK00", 196, 170, "0.8673"),
    (JULY, "PNYK00", 0, 0, None),
]


def versions(room: Any) -> dict[tuple[Any, ...], str]:
    """The transaction that wrote each published row."""
    return {
        (month, unit): xmin
        for month, unit, xmin in room.rows(
            "select bill_month, unit, xmin::text from published.kpi_unit_month"
        )
    }


def test_the_first_publication_shows_everything(room: Any) -> None:
    publication = room.publish()

    assert room.kpis() == FIRST
    assert room.rows("select channel_code, name from bi.dim_channel order by 1") == [
        ("momo", "MoMo"),
        ("qr", "QR"),
    ]
    assert publication.months == [MAY, JUNE, JULY]
    assert [(c.table, c.rows_inserted, c.rows_deleted) for c in publication.changes] == [
        ("kpi_unit_month", 4, 0),
        ("dim_channel", 2, 0),
    ]
    assert room.rows(
        "select publication_id, months, data_through, checks_passed, checks_warned, checks_failed,"
        " final_after_days, published_at between now() - interval '1 minute' and now() from bi.publication"
    ) == [(publication.publication_id, [MAY, JUNE, JULY], date(2024, 8, 1), 40, 2, 0, 60, True)]


def test_only_rows_that_differ_are_written(room: Any) -> None:
    room.publish()
    before = versions(room)
    room.make_kpis(
        [
            (MAY, "PNHL00", 100, 41, "0.4100"),  # changed
            (MAY, "PNYK00", 195, 160, "0.8205"),
            # June's row vanished
            (JULY, "PNYK00", 0, 0, None),  # an empty value equals an empty value
            (date(2024, 8, 1), "PNYK00", 10, 1, "0.1"),  # new
        ]
    )

    publication = room.publish()

    after = versions(room)
    assert {key for key in before if after.get(key) == before[key]} == {(MAY, "PNYK00"), (JULY, "PNYK00")}
    assert (JUNE, "PNYK00") not in after
    assert room.kpis() == [
        (MAY, "PNHL00", 100, 41, "0.4100"),
        (MAY, "PNYK00", 195, 160, "0.8205"),
        (JULY, "PNYK00", 0, 0, None),
        (date(2024, 8, 1), "PNYK00", 10, 1, "0.1"),
    ]
    assert publication.months == [MAY, JUNE, date(2024, 8, 1)]
    kpis, channels = publication.changes
    assert (kpis.rows_inserted, kpis.rows_deleted, kpis.is_rebuilt) == (2, 2, False)
    assert channels == TableChange("dim_channel", 0, 0)
    assert not channels.is_changed


@pytest.mark.parametrize(("old", "new"), [(None, "0.5"), ("0.5", None)])
def test_to_and_from_an_empty_value_is_a_change(room: Any, old: str | None, new: str | None) -> None:
    room.make_kpis([(MAY, "PNYK00", 2, 1, old)])
    room.publish()
    room.make_kpis([(MAY, "PNYK00", 2, 1, new)])

    assert room.publish().months == [MAY]
    assert room.kpis() == [(MAY, "PNYK00", 2, 1, new)]


def test_a_build_without_changes_is_published_with_no_months(room: Any) -> None:
    room.publish()
    before = versions(room)
    room.make_kpis(reversed(FIRST))

    publication = room.publish(data_through=date(2024, 8, 2))

    assert publication.months == []
    assert versions(room) == before
    assert room.rows(
        "select months, data_through from bi.publication order by publication_id desc limit 1"
    ) == [([], date(2024, 8, 2))]


def test_what_vanished_altogether_vanishes_and_may_come_back(room: Any) -> None:
    room.publish()
    room.make_kpis([FIRST[0]])
    room.execute("delete from candidate.kpi_unit_month")
    assert room.publish().months == [MAY, JUNE, JULY]
    assert room.kpis() == []

    room.make_kpis(FIRST)
    assert room.publish().months == [MAY, JUNE, JULY]
    assert room.kpis() == FIRST


@pytest.mark.parametrize(
    ("data_through", "expected"),
    [
        (date(2024, 7, 30), "provisional"),  # 60 days after the end of May
        (date(2024, 7, 31), "final"),
        (None, "provisional"),
    ],
)
def test_a_month_is_final_when_enough_days_have_passed(
    room: Any, data_through: date | None, expected: str
) -> None:
    room.publish(data_through=data_through)
    assert room.rows(
        "select distinct status, data_through from bi.kpi_unit_month where bill_month = %s", MAY
    ) == [(expected, data_through)]


def test_a_new_day_changes_the_status_and_no_row(room: Any) -> None:
    room.publish(data_through=date(2024, 7, 30))
    before = versions(room)
    room.publish(data_through=date(2024, 7, 31))
    assert versions(room) == before
    assert room.rows("select distinct bill_month from bi.kpi_unit_month where status = 'final'") == [(MAY,)]
    room.publish(data_through=date(2024, 7, 31), final_after_days=61)
    assert room.rows("select from bi.kpi_unit_month where status = 'final'") == []


def test_a_publication_counts_what_it_changed_of_final_months(room: Any) -> None:
    room.tables = [
        PublishedTable(
            "kpi_unit_month",
            ("bill_month", "geography", "scope", "unit"),
            "bill_month",
            with_status=True,
            revised=("billed",),
        )
    ]
    extra = ", geography text not null default 'as_recorded', scope text not null default 'all'"
    room.execute("drop table candidate.kpi_unit_month")
    room.execute(
        "create table candidate.kpi_unit_month (bill_month date not null, unit text not null, billed bigint not null"
        f"{extra})"
    )
    rows = [(MAY, "A", 1), (MAY, "B", 1), (JULY, "A", 1)]
    for row in rows:
        room.execute("insert into candidate.kpi_unit_month values (%s, %s, %s)", *row)
    assert room.publish().revisions == {}
    room.execute("update candidate.kpi_unit_month set billed = 2")
    assert room.publish().revisions == {MAY: 2}  # July is still provisional


def test_the_same_build_is_published_once(room: Any) -> None:
    build = room.build()
    gate = room.audit(build)
    first = publish(room.conn, build, gate, room.tables)
    again = publish(room.conn, build, gate, room.tables)
    assert again.publication_id == first.publication_id
    assert room.rows("select count(*) from bi.publication") == [(1,)]


def assert_refused(room: Any, build: Build, gate: GateResult, because: str) -> None:
    before = room.kpis()
    with pytest.raises(PublicationRefused, match=because):
        publish(room.conn, build, gate, room.tables)
    assert room.kpis() == before
    assert room.rows("select count(*) from bi.publication") == [(1,)]


@pytest.fixture
def changed(room: Any) -> Any:
    """One publication, and then candidates that differ from it."""
    room.publish()
    room.make_kpis([(MAY, "PNYK00", 1, 1, "1")])
    return room


def test_refused_without_an_audit(changed: Any) -> None:
    build = changed.build()
    assert_refused(changed, build, GateResult(build.build_id, True, 40, 2, 0), "was not audited")


def test_refused_when_the_gate_failed(changed: Any) -> None:
    build = changed.build()
    gate = changed.audit(build, passed=False, failed=3)
    assert_refused(changed, build, gate, "did not pass the quality gate: 3 critical checks failed")
    assert_refused(changed, build, replace(gate, passed=True), "did not pass")


def test_refused_when_a_second_audit_failed(changed: Any) -> None:
    build = changed.build()
    gate = changed.audit(build)
    record_gate(changed.conn, replace(gate, passed=False, checks_failed=1))
    assert_refused(changed, build, gate, "did not pass")


def test_refused_with_the_audit_of_another_build(changed: Any) -> None:
    first = changed.build()
    gate = changed.audit(first)
    second = changed.build()
    assert_refused(changed, second, gate, "The gate result is of build")
    assert_refused(changed, second, replace(gate, build_id=second.build_id), "was not audited")
    assert_refused(changed, first, gate, "not the newest")


def test_refused_with_counts_other_than_the_recorded(changed: Any) -> None:
    build = changed.build()
    gate = changed.audit(build)
    assert_refused(changed, build, replace(gate, checks_warned=0), "another result")


def test_refused_with_a_build_nobody_recorded(changed: Any) -> None:
    build = Build("fingerprint", None, 60, uuid4())
    assert_refused(changed, build, GateResult(build.build_id, True, 1, 0, 0), "not the newest recorded build")


def test_refused_with_another_date_or_setting(changed: Any) -> None:
    build = changed.build()
    gate = changed.audit(build)
    assert_refused(changed, replace(build, data_through=date(2030, 1, 1)), gate, "another date or setting")
    assert_refused(changed, replace(build, final_after_days=0), gate, "another date or setting")


@pytest.mark.parametrize(
    "statement",
    [
        "insert into candidate.kpi_unit_month values ('2024-09-01', 'PNYK00', 1, 1, 1)",
        "update candidate.kpi_unit_month set cashless = 0",
        "delete from candidate.kpi_unit_month",
        "truncate candidate.kpi_unit_month",
        "truncate candidate.kpi_unit_month;"
        "insert into candidate.kpi_unit_month values ('2024-05-01', 'PNYK00', 1, 1, 1)",
        "alter table candidate.kpi_unit_month rename to old;"
        "create table candidate.kpi_unit_month as select * from candidate.old",
    ],
)
def test_refused_when_a_candidate_changed_after_the_build(changed: Any, statement: str) -> None:
    build = changed.build()
    gate = changed.audit(build)
    changed.execute(statement)
    assert_refused(changed, build, gate, "candidate.kpi_unit_month changed after build")


def test_statistics_and_vacuum_are_no_change(changed: Any) -> None:
    build = changed.build()
    gate = changed.audit(build)
    changed.execute("analyze candidate.kpi_unit_month")
    changed.conn.autocommit = True
    with changed.conn.cursor() as cur:
        cur.execute("vacuum freeze candidate.kpi_unit_month")
    changed.conn.autocommit = False
    publish(changed.conn, build, gate, changed.tables)
    assert changed.kpis() == [(MAY, "PNYK00", 1, 1, "1")]


def test_refused_when_a_candidate_is_missing(changed: Any) -> None:
    build = changed.build()
    gate = changed.audit(build)
    changed.execute("drop table candidate.dim_channel")
    assert_refused(changed, build, gate, "dim_channel")


def test_refused_when_a_table_is_not_of_the_build(changed: Any) -> None:
    build = changed.build()
    gate = changed.audit(build)
    changed.execute("create table candidate.dim_new (code text not null)")
    changed.tables = [*changed.tables, PublishedTable("dim_new", ("code",))]
    assert_refused(changed, build, gate, "candidate.dim_new is not part of build")


def test_refused_when_a_key_is_not_unique(changed: Any) -> None:
    changed.make_kpis([(MAY, "PNYK00", 1, 1, "1"), (MAY, "PNYK00", 2, 1, "0.5")])
    build = changed.build()
    assert_refused(changed, build, changed.audit(build), "one row per key")


def test_refused_when_one_of_two_rows_of_a_key_is_the_published_one(changed: Any) -> None:
    changed.make_kpis([*FIRST, (MAY, "PNYK00", 2, 1, "0.5")])
    build = changed.build()
    assert_refused(changed, build, changed.audit(build), "one row per key.*5 rows, 4 keys")


def test_refused_when_a_key_is_empty(changed: Any) -> None:
    changed.execute("alter table candidate.dim_channel alter channel_code drop not null")
    changed.execute("insert into candidate.dim_channel values (null, 'none')")
    build = changed.build()
    assert_refused(changed, build, changed.audit(build), "one row per key")


def test_refused_when_the_month_column_is_missing(changed: Any) -> None:
    changed.tables = [PublishedTable("dim_channel", ("channel_code",), "bill_month")]
    build = changed.build()
    assert_refused(changed, build, changed.audit(build), "has no column bill_month")


def test_a_failure_on_the_way_leaves_all_tables_as_they_were(
    changed: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first table is already changed when the second fails."""
    changed.make_channels(("cash", "Cash"))

    def fail(change: TableChange) -> None:
        if change.table == "dim_channel":
            raise RuntimeError("power cut")

    build = changed.build()
    with pytest.raises(RuntimeError, match="power cut"):
        publish(changed.conn, build, changed.audit(build), changed.tables, on_table=fail)
    assert changed.kpis() == FIRST
    assert changed.rows("select channel_code from bi.dim_channel order by 1") == [("momo",), ("qr",)]


def test_an_open_transaction_is_not_swept_in(room: Any) -> None:
    build = room.build()
    gate = room.audit(build)
    with room.conn.cursor() as cur:
        cur.execute("select 1")
    with pytest.raises(RuntimeError, match="open transaction"):
        publish(room.conn, build, gate, room.tables)
    room.conn.rollback()


def test_comments_go_along_and_follow_their_change(room: Any) -> None:
    room.publish()
    query = """
        select n.nspname, a.attname, d.description
        from pg_description d
        join pg_class c on c.oid = d.objoid
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid and d.objsubid > 0
        where c.relname = 'kpi_unit_month' and n.nspname in ('bi', 'published')
          and a.attname is distinct from 'status' and a.attname is distinct from 'data_through'
        order by 1, 2
    """
    assert room.rows(query) == [
        ("bi", "billed", "Customers billed."),
        ("bi", None, "KPIs of a unit and month."),
        ("published", "billed", "Customers billed."),
        ("published", None, "KPIs of a unit and month."),
    ]
    room.execute(
        "comment on column candidate.kpi_unit_month.billed is null;"
        "comment on column candidate.kpi_unit_month.cashless is 'Không dùng tiền mặt: 82.05 %, it''s said.'"
    )
    assert not any(change.is_changed for change in room.publish().changes)
    assert room.rows(query) == [
        ("bi", "cashless", "Không dùng tiền mặt: 82.05 %, it's said."),
        ("bi", None, "KPIs of a unit and month."),
        ("published", "cashless", "Không dùng tiền mặt: 82.05 %, it's said."),
        ("published", None, "KPIs of a unit and month."),
    ]


def view_columns(room: Any, view: str = "kpi_unit_month") -> list[str]:
    return [
        name
        for (name,) in room.rows(
            "select column_name from information_schema.columns"
            " where table_schema = 'bi' and table_name = %s order by ordinal_position",
            view,
        )
    ]


def test_an_added_column_is_published_and_grants_stay(room: Any) -> None:
    room.publish()
    role = f"analyst_{uuid4().hex[:8]}"
    room.execute(f"create role {role}; grant select on bi.kpi_unit_month to {role}, public")
    room.make_kpis([(*row, "note") for row in FIRST], extra=", note text")

    publication = room.publish()

    change = publication.changes[0]
    assert (change.is_rebuilt, change.rows_inserted, change.rows_deleted) == (True, 4, 4)
    assert publication.months == [MAY, JUNE, JULY]
    assert view_columns(room) == [
        "bill_month", "unit", "billed", "cashless", "rate", "note", "status", "data_through",
    ]  # fmt: skip
    assert room.kpis() == FIRST
    assert room.rows("select distinct note from bi.kpi_unit_month") == [("note",)]
    assert room.rows(
        f"select has_table_privilege('{role}', 'bi.kpi_unit_month', 'select'),"
        " has_table_privilege('bi_reader', 'bi.kpi_unit_month', 'select'),"
        " (select count(*) from pg_class c cross join lateral aclexplode(c.relacl) a"
        "  where c.oid = 'bi.kpi_unit_month'::regclass and a.grantee = 0)"
    ) == [(True, True, 1)]
    # The rebuilt table is an ordinary one for the next publication.
    room.make_kpis([(*row, "note") for row in FIRST[1:]], extra=", note text")
    change = room.publish().changes[0]
    assert (change.is_rebuilt, change.rows_inserted, change.rows_deleted) == (False, 0, 1)
    room.execute(f"drop owned by {role}; drop role {role}")


def test_a_removed_and_a_retyped_column(room: Any) -> None:
    room.publish()
    room.execute("alter table candidate.kpi_unit_month drop rate, alter cashless type integer")
    assert room.publish().changes[0].is_rebuilt
    assert view_columns(room) == ["bill_month", "unit", "billed", "cashless", "status", "data_through"]
    assert room.rows("select pg_typeof(cashless)::text, sum(cashless) from bi.kpi_unit_month group by 1") == [
        ("integer", 370)
    ]


def test_another_key_rebuilds_the_table(room: Any) -> None:
    room.publish()
    room.tables = [replace(room.tables[0], key=("bill_month", "unit", "billed")), room.tables[1]]
    room.make_kpis([*FIRST, (MAY, "PNYK00", 1, 1, "1")])
    assert room.publish().changes[0].is_rebuilt
    assert len(room.kpis()) == 5


def test_a_view_that_lost_its_status(room: Any) -> None:
    room.publish()
    room.tables = [replace(room.tables[0], with_status=False), room.tables[1]]
    assert not room.publish().changes[0].is_rebuilt
    assert view_columns(room) == ["bill_month", "unit", "billed", "cashless", "rate"]


def test_a_table_no_longer_listed_is_no_longer_shown(room: Any) -> None:
    room.publish()
    room.tables = room.tables[:1]
    room.publish()
    assert room.rows(
        "select to_regclass('bi.dim_channel')::text, to_regclass('published.dim_channel')::text"
    ) == [(None, None)]
    assert room.kpis() == FIRST


def test_a_view_somebody_dropped_comes_back(room: Any) -> None:
    room.publish()
    room.execute("drop view bi.kpi_unit_month")
    room.publish()
    assert room.kpis() == FIRST


def test_a_view_of_somebody_else_is_named_not_dropped(room: Any) -> None:
    room.publish()
    room.execute("create schema mine; create view mine.own as select unit, rate from bi.kpi_unit_month")
    room.execute("alter table candidate.kpi_unit_month drop rate")
    build = room.build()
    with pytest.raises(WarehouseError, match=r"view mine\.own depends on view (bi\.)?kpi_unit_month"):
        publish(room.conn, build, room.audit(build), room.tables)
    assert room.kpis() == FIRST


def test_a_change_of_columns_gives_up_on_a_reader_that_stays(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shape, "EXCLUSIVE_LOCK_PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(shape, "EXCLUSIVE_LOCK_PAUSE_SECONDS", 0.0)
    room.publish()
    room.execute("alter table candidate.kpi_unit_month drop rate")
    build = room.build()
    gate = room.audit(build)
    reader = psycopg2.connect(room.settings.database_url, application_name="the slow one")
    try:
        with reader.cursor() as cur:
            cur.execute("select from bi.kpi_unit_month")
        with pytest.raises(WarehouseError, match="the slow one"):
            publish(room.conn, build, gate, room.tables)
        assert room.kpis() == FIRST
        reader.rollback()
    finally:
        reader.close()
    publish(room.conn, build, gate, room.tables)
    assert "rate" not in view_columns(room)


def test_a_publication_is_durable_when_it_returns(room: Any) -> None:
    """The embedded server commits asynchronously; a publication must not."""
    room.execute("set synchronous_commit = off")
    room.conn.commit()
    seen: list[str] = []

    def look(change: TableChange) -> None:
        with room.conn.cursor() as cur:
            cur.execute("show synchronous_commit")
            seen.append(cur.fetchone()[0])

    build = room.build()
    publish(room.conn, build, room.audit(build), room.tables, on_table=look)
    assert seen == ["on", "on"]
    assert room.rows("show synchronous_commit") == [("off",)]


def test_two_publishers_at_once_take_turns(room: Any) -> None:
    other = psycopg2.connect(room.settings.database_url)
    try:
        with other.cursor() as cur:
            cur.execute("lock table published.publication in share row exclusive mode")
        room.execute("set lock_timeout = '200ms'")
        build = room.build()
        gate = room.audit(build)
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            publish(room.conn, build, gate, room.tables)
        other.rollback()
    finally:
        other.close()
    publish(room.conn, build, gate, room.tables)
    assert room.kpis() == FIRST


def test_a_published_table_needs_a_key_and_a_month_for_its_status() -> None:
    with pytest.raises(ValueError, match="needs a key"):
        PublishedTable("kpi", ())
    with pytest.raises(ValueError, match="needs a month_column"):
        PublishedTable("kpi", ("unit",), with_status=True)
