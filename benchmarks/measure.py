"""What a piece of work costs: wall time, CPU seconds of client and server, peak memory of both.

Client: the processes this one starts, with theirs. Server: all processes of one embedded PostgreSQL server. Does
not belong here: what the work is.
"""

from __future__ import annotations

import os
import resource
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from itertools import pairwise

import psutil

from dagster_project.warehouse.connection import connect_url
from dagster_project.warehouse.server import HOST, EmbeddedServer

SAMPLE_SECONDS = 0.2
MEGABYTE = 1024 * 1024
_SESSIONS_END_SECONDS = 30


@dataclass(frozen=True)
class Cost:
    """What something took."""

    wall_s: float
    client_cpu_s: float
    server_cpu_s: float

    @property
    def cpu_s(self) -> float:
        return self.client_cpu_s + self.server_cpu_s

    def __sub__(self, earlier: Cost) -> Cost:
        return Cost(
            self.wall_s - earlier.wall_s,
            self.client_cpu_s - earlier.client_cpu_s,
            self.server_cpu_s - earlier.server_cpu_s,
        )

    def __add__(self, other: Cost) -> Cost:
        return self - (Cost(0, 0, 0) - other)


@dataclass(frozen=True)
class Measurement(Cost):
    """One run. Memory: peaks of sums over processes; client PSS, server private memory (USS: no shared buffers).

    `stages`: what each stage of it cost, in their order, as far as the work tells where they begin. `models`: the wall
    seconds of each dbt model and test, two at a time; empty for work that has none.
    """

    client_peak_mb: float
    server_peak_mb: float
    database_mb: float
    stages: dict[str, Cost] = field(default_factory=dict)
    models: dict[str, float] = field(default_factory=dict)


class Stages:
    """Told by the work when a stage begins; one that comes again goes on."""

    def __init__(self, now: Callable[[], Cost]) -> None:
        self._now = now
        self._begun: list[tuple[str, Cost]] = []

    def begin(self, name: str) -> None:
        if not self._begun or self._begun[-1][0] != name:
            self._begun.append((name, self._now()))

    def costs(self, whole: Cost) -> dict[str, Cost]:
        """The cost of each stage of a work that cost `whole`."""
        costs: dict[str, Cost] = {}
        for (name, start), (_, end) in pairwise([*self._begun, ("", whole)]):
            costs[name] = costs.get(name, Cost(0, 0, 0)) + (end - start)
        return costs


def measure(work: Callable[[Stages], None], server: EmbeddedServer, url: str) -> Measurement:
    """Runs the work; `url` is the database whose size is told."""
    _checkpoint(url)  # what earlier work left to be written is not this one's
    _wait_for_end_of_sessions(server)
    client_before, server_before = _children_cpu_s(), _server_cpu_s(server)
    sampler = _MemorySampler(server)
    sampler.start()
    start = time.perf_counter()

    def now() -> Cost:
        return Cost(
            time.perf_counter() - start,
            _children_cpu_s() + _running_cpu_s() - client_before,
            _server_cpu_s(server) - server_before,
        )

    stages = Stages(now)
    try:
        work(stages)
        wall = time.perf_counter() - start
    finally:
        sampler.stop()
    _wait_for_end_of_sessions(server)
    whole = Cost(wall, _children_cpu_s() - client_before, _server_cpu_s(server) - server_before)
    return Measurement(
        whole.wall_s,
        whole.client_cpu_s,
        whole.server_cpu_s,
        sampler.client_mb,
        sampler.server_mb,
        _database_mb(url),
        stages.costs(whole),
    )


def _children_cpu_s() -> float:
    """CPU seconds of all children that ended, and of theirs."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _running_cpu_s() -> float:
    """CPU seconds of the children alive, and of theirs that ended."""
    seconds = 0.0
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            seconds += sum(process.cpu_times()[:4])
    return seconds


def _postmaster(server: EmbeddedServer) -> psutil.Process:
    lines = (server.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    return psutil.Process(int(lines[0]))


def _server_cpu_s(server: EmbeddedServer) -> float:
    """CPU seconds of the postmaster, of its processes alive, and of those that ended (it has reaped them all)."""
    postmaster = _postmaster(server)
    living = postmaster.children()
    return sum(sum(process.cpu_times()[:4]) for process in [postmaster, *living])


def _wait_for_end_of_sessions(server: EmbeddedServer) -> None:
    """A session's process ends shortly after its client: until then its CPU seconds may be counted twice or not."""
    end = time.monotonic() + _SESSIONS_END_SECONDS
    while any(f" {HOST}(" in title for title in map(_title, _postmaster(server).children())):
        if time.monotonic() > end:
            raise RuntimeError(f"sessions of {server.data} do not end")
        time.sleep(0.02)


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def _checkpoint(url: str) -> None:
    with closing(connect_url(url)) as conn:
        conn.autocommit = True
        with conn.cursor() as cursor:
            cursor.execute("checkpoint")


def _database_mb(url: str) -> float:
    with closing(connect_url(url)) as conn, conn.cursor() as cursor:
        cursor.execute("select pg_database_size(current_database())")
        row = cursor.fetchone()
        assert row is not None
        return float(row[0]) / MEGABYTE


class _MemorySampler(threading.Thread):
    """Reads the memory of both sides several times a second and keeps the greatest sums."""

    def __init__(self, server: EmbeddedServer) -> None:
        super().__init__(daemon=True)
        self.client_mb = 0.0
        self.server_mb = 0.0
        self._postmaster = _postmaster(server)
        self._me = psutil.Process(os.getpid())
        self._is_over = threading.Event()

    def run(self) -> None:
        while not self._is_over.wait(SAMPLE_SECONDS):
            client = self._me.children(recursive=True)
            server = [self._postmaster, *self._postmaster.children()]
            self.client_mb = max(self.client_mb, _memory_mb(client, "pss"))
            self.server_mb = max(self.server_mb, _memory_mb(server, "uss"))

    def stop(self) -> None:
        self._is_over.set()
        self.join()


def _memory_mb(processes: list[psutil.Process], kind: str) -> float:
    total = 0
    for process in processes:
        try:
            total += getattr(process.memory_full_info(), kind)
        except psutil.NoSuchProcess:  # ended since it was listed; a zombie has no memory either
            continue
    return total / MEGABYTE
