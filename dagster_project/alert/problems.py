"""What is wrong now, as the warehouse says: nothing here remembers what was wrong before (ledger.py does).

Belongs here: one Problem per thing that somebody has to look at, without personal data. Does not belong here: how it is
told (message.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from dagster_project.landing.refusals import in_both
from dagster_project.publish.build import newest_build, newest_gate_result
from dagster_project.publish.hold import current_hold
from dagster_project.publish.publish import standing_force
from dagster_project.pull.declared import declared_pulls
from dagster_project.pull.state import standings
from dagster_project.settings import Settings

OPERATOR = "data-operator"
RUN_FAILED = "run"
DATABASE_AWAY = "database"
# So many files or days are named; how many more there are is said.
_NAMED = 3


@dataclass(frozen=True)
class Problem:
    """`key`: the same as long as it is the same problem. `rows`: how many are concerned, of what `what` says; None: not
    a matter of rows. `where`: a command or a query that shows them. `is_urgent`: BI does not get new figures.
    """

    key: str
    what: str
    rows: int | None
    where: str
    owner: str
    is_urgent: bool


def run_failed(reason: str) -> Problem:
    """The run ended with an error; `reason` is what people are told of it."""
    return Problem(
        RUN_FAILED, f"Lần chạy không xong / The run failed: {reason}", None, "cashless run", OPERATOR, True
    )


def database_away(reason: str) -> Problem:
    """The warehouse cannot be asked: what else is wrong, nobody knows."""
    what = f"Không hỏi được cơ sở dữ liệu / The database does not answer: {reason}"
    return Problem(DATABASE_AWAY, what, None, "cashless status", OPERATOR, True)


def standing_problems(cur: Cursor, settings: Settings) -> list[Problem]:
    """What is wrong with the newest build, the publications, the files and the pulls."""
    return [
        *_checks(cur),
        *_held_or_forced(cur),
        *_files_refused(cur),
        *_files_missing(cur),
        *_pulls(cur, settings),
    ]


def _checks(cur: Cursor) -> Iterator[Problem]:
    """What the gate found in the newest build it looked at: critical ones refuse it, unless somebody forced it."""
    build = newest_build(cur)
    gate = None if build is None else newest_gate_result(cur, build.build_id)
    if build is None or gate is None:
        return
    cur.execute(
        """
        select suite, expectation, severity, owner, why_vi, why_en, failing_rows, observed
        from bi.quality_result
        where build_id = %s::uuid and audited_at = %s and outcome = 'failed' and severity <> 'info'
        order by severity, suite, expectation
        """,
        (str(build.build_id), gate.at),
    )
    for suite, name, severity, owner, why_vi, why_en, rows, observed in cur.fetchall():
        found = "" if rows is not None or observed is None else f" [{observed.normalize():f}]"
        yield Problem(
            f"check {suite}.{name}",
            f"{severity} {suite}.{name}{found}: {why_vi} / {why_en}",
            rows,
            f"select rows_query from bi.quality_result where suite = '{suite}' and expectation = '{name}' "
            "order by audited_at desc limit 1",
            owner,
            severity == "critical",
        )


def _held_or_forced(cur: Cursor) -> Iterator[Problem]:
    hold = current_hold(cur)
    if hold is not None:
        what = f"Tạm dừng công bố / Publications are held by {hold.held_by}: {hold.reason}"
        yield Problem(f"hold {hold.held_at.isoformat()}", what, None, "cashless release", OPERATOR, True)
    force = standing_force(cur)
    if force is not None:
        what = f"Công bố bất chấp kiểm tra / The last publication was forced by {force.by}: {force.reason}"
        yield Problem("forced", what, None, "select * from bi.publication", OPERATOR, False)


def _files_refused(cur: Cursor) -> Iterator[Problem]:
    cur.execute("select source, path, refused_reason from landing.refused_file order by source, path")
    for source, path, reason in cur.fetchall():
        yield Problem(
            f"refused file {path}",
            f"Tệp {source} bị từ chối / File refused: {path}: {in_both(reason)}",
            None,
            "cashless status",
            OPERATOR,
            False,
        )


def _files_missing(cur: Cursor) -> Iterator[Problem]:
    """One problem per expectation, however many days of it are missing."""
    cur.execute(
        """
        select expectation_code, source, coalesce(partner_code, ''), array_agg(covers::text order by covers desc)
        from bi.expected_file where status = 'missing'
        group by 1, 2, 3 order by 1, 2, 3
        """
    )
    for code, source, partner, covers in cur.fetchall():
        named = ", ".join(covers[:_NAMED]) + (f" … ({len(covers)})" if len(covers) > _NAMED else "")
        whose = f"{source} ({partner})" if partner else source
        yield Problem(
            f"missing {code} {partner}",
            f"Tệp chưa đến / Files missing, {whose}, {code}: {named}",
            None,
            "select * from bi.expected_file where status = 'missing'",
            OPERATOR,
            False,
        )


def _pulls(cur: Cursor, settings: Settings) -> Iterator[Problem]:
    for pull in standings(cur, declared_pulls(settings.overlay_folder() / "pulls")):
        if pull.is_failing:
            what = f"Không kéo được / Pull failing: {pull.name}: {pull.fault}"
            yield Problem(f"pull {pull.name}", what, None, "cashless status", OPERATOR, False)
