"""The order of events of a pull: ask, write, put into the landing, remember. A pull that fails stops no other.

The file is in its place before the mark moves: if the run dies between the two, the same rows come twice, which
loading knows as duplicates; never not at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg2.extensions import connection as Connection

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.file_form import PULLED
from dagster_project.landing.place import Place
from dagster_project.landing.workroom import workroom
from dagster_project.pull import state
from dagster_project.pull.database import ask
from dagster_project.pull.declared import Mark, Pull, PullError, declared_pulls, mark_name, parse_mark
from dagster_project.pull.file import Written, write_rows
from dagster_project.settings import LOCAL_ZONE, Settings
from dagster_project.warehouse.connection import run_lock

_BLOCK = 1 << 20

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Pulled:
    """What became of a pull. `file`: what it landed; None if there was nothing new, or it failed."""

    name: str
    rows: int = 0
    file: str | None = None
    fault: str | None = None

    def __str__(self) -> str:
        if self.fault is not None:
            return self.fault
        if self.file is None:
            return f"{self.name}: không có gì mới / nothing new"
        return f"{self.name}: {self.rows:,} dòng / rows → {self.file}"


def pull_all(
    conn: Connection,
    settings: Settings,
    place: Place,
    names: Sequence[str] = (),
    since: str | None = None,
    progress: Progress = lambda _: None,
) -> list[Pulled]:
    """Makes all declared pulls, or those named; `since`: from there on instead of where the last one ended.

    PullError only if a name is none of a pull, or `since` no mark. Holds the run lock: marks are read and written.
    """
    declared = declared_pulls(settings.overlay_folder() / "pulls")
    known = {pull.name for pull in declared if isinstance(pull, Pull)}
    broken = [error for error in declared if isinstance(error, PullError)]
    unknown = [name for name in names if name not in known]
    if unknown:
        why = f" ({'; '.join(map(str, broken))})" if broken else ""
        raise PullError(
            f"No pull is called {', '.join(unknown)} in {settings.overlay_folder() / 'pulls'}{why}."
        )
    done = [] if names else [Pulled(str(error).partition(":")[0], fault=str(error)) for error in broken]
    with run_lock(conn):
        for pull in declared:
            if isinstance(pull, Pull) and (not names or pull.name in names):
                begin = None if since is None else _given(pull, since)
                progress(f"Kéo / pulling {pull.name}")
                done.append(_pull(conn, settings, place, pull, begin))
                with conn, conn.cursor() as cursor:
                    state.note_end(cursor, pull, done[-1].fault)
    return done


def _pull(conn: Connection, settings: Settings, place: Place, pull: Pull, since: Mark | None) -> Pulled:
    try:
        with conn, conn.cursor() as cursor:
            before = state.last(cursor, pull)
        begin = pull.since(before.high_water if before else None) if since is None else since
        asked_at = datetime.now(LOCAL_ZONE).replace(tzinfo=None)
        with workroom(settings.temporary_folder()) as folder:
            file = folder / "pulled.csv.gz"
            contract = contracts(settings.overlay_folder())[pull.source]
            with ask(pull, begin, _now(pull, asked_at)) as result:
                written = write_rows(pull, contract, result.columns, result.rows, file)
            if written.rows == 0 or (before is not None and written.content == before.content):
                return Pulled(pull.name)
            path = _put(place, pull, begin, written, file)
        reached = _reached(written.mark, _now(pull, asked_at), before.high_water if before else begin)
        with conn, conn.cursor() as cursor:
            state.remember(cursor, pull, begin, reached, written, path)
        return Pulled(pull.name, written.rows, path)
    except PullError as error:
        return Pulled(pull.name, fault=str(error))
    except OSError as error:  # no room left for the copy
        return Pulled(pull.name, fault=f"{pull.name}: the rows cannot be written: {error.strerror}")


def _given(pull: Pull, since: str) -> Mark:
    try:
        return parse_mark(pull.high_water.kind, since)
    except ValueError:
        raise PullError(f"{pull.name}: --since is no {pull.high_water.kind}") from None


def _now(pull: Pull, moment: datetime) -> Mark | None:
    return {"date": moment.date(), "timestamp": moment, "integer": None}[pull.high_water.kind]


def _reached(mark: Mark | None, now: Mark | None, before: Mark) -> Mark:
    """The mark to go on from: not behind what was reached before, nor in the future, where a wrong date may stand."""
    if mark is None:
        return before
    return max(before, mark if now is None else min(mark, now))


def _put(place: Place, pull: Pull, since: Mark, written: Written, file: Path) -> str:
    """Puts the file into the landing under a name that is free; its path. One that lies there already is left."""
    try:
        for path in _names(pull, since, since if written.mark is None else written.mark):
            there = _sha256_there(place, path)
            if there is None:
                place.put(file, path)
                return path
            if there == _sha256(file):  # put by a run that died before it could remember
                return path
    except place.errors as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise PullError(
            f"{pull.name}: the file cannot be put into the landing: {reason or type(error).__name__}"
        ) from None
    raise AssertionError("the names are endless")


def _names(pull: Pull, since: Mark, until: Mark) -> Iterator[str]:
    stem = f"{pull.source}/{PULLED}/{pull.name}/{pull.name}_{mark_name(since)}_{mark_name(until)}"
    yield f"{stem}.csv.gz"
    number = 2
    while True:
        yield f"{stem}_{number}.csv.gz"
        number += 1


def _sha256_there(place: Place, path: str) -> str | None:
    digest = hashlib.sha256()
    try:
        with place.open(path) as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except FileNotFoundError:
        return None
    return digest.hexdigest()


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
