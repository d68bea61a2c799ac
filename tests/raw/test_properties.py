"""Random tables in random forms: every row arrives as it was meant, or is in quarantine; every đồng is counted.

What must come out is known from how the table was made (random_tables.py), not asked of the pipeline. All examples of
a test share its database; the source's tables are emptied before each.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from landing_folder import Landing
from random_files import WRITERS, Written
from random_tables import TODAY, expected, random_table

from dagster_project.raw.load import FileResult, load_landing
from tests.oracle.columns import SOURCES

# In CI always the same examples, and none made smaller, which takes minutes.
FEW = settings(
    max_examples=10,
    derandomize=True,
    database=None,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
MANY = settings(FEW, max_examples=400, phases=(Phase.generate, Phase.shrink))

sources = st.sampled_from(sorted(SOURCES))
randoms = st.randoms(use_true_random=False)
forms = st.sampled_from(sorted(WRITERS))


def empty(landing: Landing, source: str) -> None:
    """No file, no row: as a new database, but for the ids."""
    for path in (landing.root / source).glob("*"):
        path.unlink()
    with landing.conn.cursor() as cursor:
        cursor.execute("select to_regclass(%s)", (f"raw.{source}",))
        if cursor.fetchone() != (None,):
            cursor.execute(f"delete from raw.{source}")
        cursor.execute("delete from landing.quarantine; delete from landing.change; delete from landing.file")
    landing.conn.commit()


def load(landing: Landing, source: str) -> tuple[FileResult, ...]:
    """Loads the folder of the source alone."""
    settings = landing.settings.model_copy(update={"today": TODAY})
    return load_landing(settings, landing.conn, [source]).sources[source].files


def put(landing: Landing, source: str, name: str, written: Written) -> FileResult:
    """Loads the file; gives what became of it."""
    path = f"{source}/{name}{written.ending}"
    landing.put(path, written.content)
    (result,) = (file for file in load(landing, source) if file.path == path)
    note(f"{path}: {written.encoding} {written.content!r}" if len(written.content) < 3000 else path)
    assert result.status == "loaded", result.refused_reason
    return result


def raw_rows(landing: Landing, source: str, path: str = "%") -> list[tuple[Any, ...]]:
    """Line, whether it is a duplicate, the typed values and the extra columns of every row in raw."""
    names = ", ".join(f'"{name}"' for name in SOURCES[source].names)
    return [
        (line, is_duplicate, tuple(values), extra)
        for line, is_duplicate, extra, *values in landing.query(
            f"select line, is_duplicate, extra, {names} from raw.{source} "
            f"inner join landing.file using (file_id) where path like '{path}' order by file_id, line"
        )
    ]


def everything(landing: Landing, source: str) -> list[Any]:
    """All that a load could change, but for the mark by which a file is known again."""
    return [
        raw_rows(landing, source),
        landing.query("select * from landing.quarantine order by quarantine_id"),
        landing.query("select * from landing.change order by change_id"),
        landing.query(
            "select path, sha256, loaded_at, rows_in_file, money_in_file_vnd from landing.file order by 1"
        ),
    ]


def assert_came_out(
    landing: Landing, source: str, result: FileResult, written: Written, known: list[tuple[Any, ...]]
) -> None:
    """Every row of the file is where it belongs, and the ledger counts it so, in rows and money."""
    meant = expected(written.rows, known)
    found = raw_rows(landing, source, result.path)
    # Values of different types can be equal in Python: 1 and true.
    assert Counter((line, values) for line, is_duplicate, values, _ in found if not is_duplicate) == Counter(
        meant.loaded
    )
    assert all(
        type(one) is type(other)
        for _, _, values, _ in found
        for one, other in zip(
            values, next(v for k, v in meant.loaded + meant.duplicate if v == values), strict=True
        )
    )
    assert Counter((line, values) for line, is_duplicate, values, _ in found if is_duplicate) == Counter(
        meant.duplicate
    )
    quarantined = landing.query(
        "select line, column_name, raw from landing.quarantine inner join landing.file using (file_id) "
        f"where path = '{result.path}' order by quarantine_id"
    )
    assert [(line, column) for line, column, _ in quarantined] == meant.quarantined
    assert tuple(result.counts) == meant.counts
    assert landing.query(
        "select rows_in_file, money_in_file_vnd, rows_loaded, rows_duplicate, rows_quarantined, money_loaded_vnd, "
        f"money_duplicate_vnd, money_quarantined_vnd from bi.load_audit where file = '{result.path}'"
    ) == [(len(written.rows), sum(row.money_vnd for _, row in written.rows), *meant.counts)]
    assert_kept_as_it_came(result, written, found, quarantined)


def assert_kept_as_it_came(
    result: FileResult, written: Written, found: list[tuple[Any, ...]], quarantined: list[tuple[Any, ...]]
) -> None:
    """The extra columns of the rows in raw, and the records of those in quarantine."""
    assert [composed(name) for name in result.extra_columns] == list(written.extra_names)
    bad = [number for number, (_, row) in enumerate(written.rows) if not row.is_good]
    if written.extra_names:
        extras = [
            (line, noted)
            for number, ((line, _), noted) in enumerate(zip(written.rows, written.extras, strict=True))
            if number not in bad
        ]
        kept = [
            (line, {name: composed(text) for name, text in (extra or {}).items()})
            for line, _, _, extra in found
        ]
        assert sorted(kept, key=str) == sorted(extras, key=str)
    if written.records:
        assert [composed(raw) for _, _, raw in quarantined] == [
            composed(written.records[number]) for number in bad
        ]


def composed(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def is_as_meant(landing: Landing, form: str, source: str, random: Random) -> None:
    empty(landing, source)
    written = WRITERS[form](random, source, random_table(random, source))
    result = put(landing, source, "a", written)
    assert_came_out(landing, source, result, written, [])


def is_the_same_in_another_form(landing: Landing, form: str, source: str, random: Random) -> None:
    empty(landing, source)
    table = random_table(random, source)
    first = WRITERS[random.choice(sorted(WRITERS))](random, source, table)
    second = WRITERS[form](random, source, table)
    if second.content == first.content:
        return  # nothing is read of a copy
    put(landing, source, "a", first)
    before = {values for _, is_duplicate, values, _ in raw_rows(landing, source) if not is_duplicate}
    result = put(landing, source, "b", second)
    known = [row.typed for _, row in first.rows if row.is_good]
    assert_came_out(landing, source, result, second, known)
    after = {values for _, is_duplicate, values, _ in raw_rows(landing, source) if not is_duplicate}
    assert after - before == {row.typed for _, row in second.rows if row.is_good} - set(known)


def changes_nothing_when_it_comes_again(landing: Landing, form: str, source: str, random: Random) -> None:
    empty(landing, source)
    written = WRITERS[form](random, source, random_table(random, source))
    put(landing, source, "a", written)
    before = everything(landing, source)
    assert [file.status for file in load(landing, source)] == ["unchanged"]
    landing.put(f"{source}/a{written.ending}", written.content)  # the same bytes at another time
    assert [(file.status, file.is_new) for file in load(landing, source)] == [("unchanged", False)]
    assert everything(landing, source) == before
    rows = [values for _, is_duplicate, values, _ in raw_rows(landing, source) if not is_duplicate]
    landing.put(f"{source}/copy{written.ending}", written.content)
    (_, copy) = load(landing, source)
    meant = expected(written.rows, rows)
    assert (copy.status, tuple(copy.counts)) == ("copy", meant.counts)
    assert raw_rows(landing, source) == before[0]


PROPERTIES: list[Callable[[Landing, str, str, Random], None]] = [
    is_as_meant,
    is_the_same_in_another_form,
    changes_nothing_when_it_comes_again,
]


@pytest.mark.parametrize("holds", PROPERTIES)
@FEW
@given(form=forms, source=sources, random=randoms)
def test_every_file(
    landing: Landing,
    holds: Callable[[Landing, str, str, Random], None],
    form: str,
    source: str,
    random: Random,
) -> None:
    holds(landing, form, source, random)


@pytest.mark.extended
@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("holds", PROPERTIES)
@MANY
@given(source=sources, random=randoms)
def test_every_file_of_many(
    landing: Landing,
    holds: Callable[[Landing, str, str, Random], None],
    form: str,
    source: str,
    random: Random,
) -> None:
    holds(landing, form, source, random)
