"""The ledger of builds and gate results that publishing relies on. Building and auditing happen elsewhere."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import astuple, dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from dagster_project.publish.relations import PublishedTable


@dataclass(frozen=True)
class Build:
    """A finished build of the candidate tables."""

    input_fingerprint: str
    data_through: date | None
    final_after_days: int
    tests_passed: int = 0
    tests_warned: int = 0
    tests_failed: int = 0
    is_full: bool = True
    changes_through: int = 0
    based_on: int | None = None  # the publication whose other rows stay
    build_id: uuid.UUID = field(default_factory=uuid.uuid4)
    built_at: datetime | None = None  # given by the database


@dataclass(frozen=True)
class GateResult:
    """What the quality gate said of a build."""

    build_id: uuid.UUID
    passed: bool
    checks_passed: int
    checks_warned: int
    checks_failed: int
    at: datetime | None = None  # given by the database


@dataclass(frozen=True)
class QualityResult:
    """What one check found. `observed` None: nothing could be measured; `least` and `most`: what passes."""

    suite: str
    expectation: str
    severity: str
    owner: str
    is_passed: bool
    observed: Decimal | None
    least: Decimal | None
    most: Decimal | None
    why_vi: str
    why_en: str
    rows_query: str | None = None


@dataclass(frozen=True)
class TableState:
    """Enough of a table's state to notice a rebuild, a rewrite or any insert, update or delete.

    The xmin of a row names the transaction that wrote it, so that their sum and the number of rows change
    with every write, at a fraction of the price of hashing all columns.
    """

    relation_id: int
    storage_id: int
    row_count: int
    version_sum: int


def table_state(cur: Cursor, schema: str, table: str) -> TableState:
    relation = sql.Identifier(schema, table)
    cur.execute(
        sql.SQL(
            "select %(name)s::regclass::oid::bigint, pg_relation_filenode(%(name)s::regclass)::bigint,"
            " count(*), coalesce(sum(xmin::text::bigint), 0) from {}"
        ).format(relation),
        {"name": relation.as_string(cur)},
    )
    row = cur.fetchone()
    assert row is not None
    return TableState(row[0], row[1], row[2], int(row[3]))


def record_build(
    conn: Connection, build: Build, tables: Iterable[PublishedTable], metric_tables: Iterable[str] = ()
) -> None:
    """Record a whole build and the state of all that is published from it, before anything audits it."""
    relations = sorted(
        {relation for table in tables for relation in table.sources}
        | {("audit", name) for name in metric_tables}
    )
    with conn, conn.cursor() as cur:
        cur.execute(
            "insert into audit.build (build_id, input_fingerprint, data_through, final_after_days,"
            " tests_passed, tests_warned, tests_failed, is_full, changes_through, based_on)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                str(build.build_id),
                build.input_fingerprint,
                build.data_through,
                build.final_after_days,
                build.tests_passed,
                build.tests_warned,
                build.tests_failed,
                build.is_full,
                build.changes_through,
                build.based_on,
            ),
        )
        for schema, name in relations:
            state = table_state(cur, schema, name)
            cur.execute(
                "insert into audit.build_table values (%s, %s, %s, %s, %s, %s)",
                (
                    str(build.build_id),
                    f"{schema}.{name}",
                    state.relation_id,
                    state.storage_id,
                    state.row_count,
                    state.version_sum,
                ),
            )


def record_gate(conn: Connection, gate: GateResult, results: Iterable[QualityResult] = ()) -> None:
    """Record what the gate said, passed or not, and what each of its checks found."""
    with conn, conn.cursor() as cur:
        cur.execute(
            "insert into audit.gate_result (build_id, is_passed, checks_passed, checks_warned, checks_failed)"
            " values (%s, %s, %s, %s, %s) returning gate_result_number",
            (str(gate.build_id), gate.passed, gate.checks_passed, gate.checks_warned, gate.checks_failed),
        )
        row = cur.fetchone()
        assert row is not None
        for result in results:
            cur.execute(
                "insert into audit.quality_result values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
                (row[0], *astuple(result)),
            )


def newest_build(cur: Cursor) -> Build | None:
    cur.execute(f"select {_BUILD} from audit.build order by build_number desc limit 1")
    return _build(cur.fetchone())


def newest_publication(cur: Cursor) -> int | None:
    """Number of the publication that BI sees; None before the first."""
    cur.execute("select max(publication_id) from published.publication")
    row = cur.fetchone()
    return None if row is None else row[0]


def published_build(cur: Cursor) -> Build | None:
    """The build that BI sees; None before the first publication."""
    cur.execute(
        f"select {_BUILD} from audit.build"
        " where build_id = (select build_id from published.publication order by publication_id desc limit 1)"
    )
    return _build(cur.fetchone())


_BUILD = (
    "input_fingerprint, data_through, final_after_days, tests_passed, tests_warned, tests_failed,"
    " is_full, changes_through, based_on, build_id::text, built_at"
)


def _build(row: tuple[Any, ...] | None) -> Build | None:
    if row is None:
        return None
    fingerprint, data_through, final_after_days, passed, warned, failed, is_full, through, based_on = row[:9]
    return Build(
        fingerprint,
        data_through,
        final_after_days,
        passed,
        warned,
        failed,
        is_full,
        through,
        based_on,
        uuid.UUID(row[9]),
        row[10],
    )


def newest_gate_result(cur: Cursor, build_id: uuid.UUID) -> GateResult | None:
    cur.execute(
        "select is_passed, checks_passed, checks_warned, checks_failed, audited_at from audit.gate_result"
        " where build_id = %s order by gate_result_number desc limit 1",
        (str(build_id),),
    )
    row = cur.fetchone()
    return None if row is None else GateResult(build_id, row[0], row[1], row[2], row[3], row[4])


def recorded_states(cur: Cursor, build_id: uuid.UUID) -> dict[str, TableState]:
    cur.execute(
        "select table_name, relation_id::bigint, storage_id::bigint, row_count, version_sum"
        " from audit.build_table where build_id = %s",
        (str(build_id),),
    )
    return {row[0]: TableState(row[1], row[2], row[3], int(row[4])) for row in cur.fetchall()}


def changed_table(cur: Cursor, build_id: uuid.UUID) -> str | None:
    """The first table, with its schema, that is not as the build left it; None if all are."""
    for qualified, state in sorted(recorded_states(cur, build_id).items()):
        schema, name = qualified.split(".", 1)
        cur.execute("select to_regclass(%s) is null", (f'"{schema}"."{name}"',))
        if cur.fetchone() == (True,) or table_state(cur, schema, name) != state:
            return qualified
    return None
