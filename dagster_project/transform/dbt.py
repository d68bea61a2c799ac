"""The dbt project as this package runs it: environment, manifest, running it. Dagster assets are in
orchestration/, the models in dbt_models.
"""

import fcntl
import getpass
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from psycopg2.extensions import parse_dsn

from dagster_project.errors import CashlessError

REPOSITORY = Path(__file__).parents[2]
PROJECT_DIR = REPOSITORY / "dbt_models"
SEEDS_DIR = REPOSITORY / "seeds"
MANIFEST = PROJECT_DIR / "target" / "manifest.json"
_STAMP = PROJECT_DIR / "target" / "manifest.of"

_NOTICES_ITS_END = "-c client_connection_check_interval=2s"

# Every table of a build is made anew: a seed or model of another shape needs no manual step.
_BUILD = ["build", "--full-refresh", "--exclude-resource-type", "unit_test"]


class TransformError(CashlessError):
    """dbt could not do its work; the message names the model and the reason."""


def environment(database_url: str) -> dict[str, str]:
    """The variables that dbt_models/profiles.yml reads, from a postgresql:// URL."""
    dsn = parse_dsn(database_url)
    user = dsn.get("user") or getpass.getuser()  # as libpq does
    return {
        "CASHLESS_DBT_HOST": dsn.get("host", "localhost"),
        "CASHLESS_DBT_PORT": dsn.get("port", "5432"),
        "CASHLESS_DBT_USER": user,
        "CASHLESS_DBT_PASSWORD": dsn.get("password", ""),
        "CASHLESS_DBT_DBNAME": dsn.get("dbname") or user,
        "CASHLESS_DBT_SSLMODE": dsn.get("sslmode", "prefer"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # libpq reads these by itself, so the profile need not know them.
        **{f"PG{name.upper()}": dsn[name] for name in ("sslrootcert", "sslcert", "sslkey") if name in dsn},
        # A statement of dbt's must not go on for minutes when its run was killed: the next one would wait for it.
        "PGOPTIONS": f"{dsn.get('options') or os.environ.get('PGOPTIONS', '')} {_NOTICES_ITS_END}".strip(),
    }


@contextmanager
def _connection_variables(database_url: str) -> Iterator[None]:
    """Has them in this process's environment for a while: the password does not stay there."""
    ours = environment(database_url)
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _plain_interrupts() -> Iterator[None]:
    """Has Ctrl-C raise KeyboardInterrupt, at which dbt cancels its queries; Dagster's own kind it takes for a fault."""
    if threading.current_thread() is not threading.main_thread():  # only there a signal can be caught
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass(frozen=True)
class DbtOutcome:
    """What dbt did: its events as it logs them, in their order, and status and message of each node by unique_id."""

    events: list[dict[str, Any]]
    results: dict[str, tuple[str, str]]


def build(database_url: str, args: list[str], target: Path) -> DbtOutcome:
    """Runs dbt's build in this process, which is quicker than a process of its own, and ends with it.

    `target`: dbt's folder, the same for all runs (they hold the run lock), so that it parses only what changed.
    Raises TransformError when anything but a test failed, or dbt did not come to its end.
    """
    from dbt_common.events.functions import msg_to_dict  # noqa: PLC0415  (seconds to import)

    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    events: list[dict[str, Any]] = []

    def keep(event: Any) -> None:
        if event.info.level != "debug":  # of which there are thirty to each other one
            events.append(msg_to_dict(event))

    with _connection_variables(database_url), _plain_interrupts():
        parsed = _parsed(target)
        _refuse_another_graph(parsed)
        done = _invoke(args, target, parsed, [keep])
    if done.exception is not None:
        reason = " ".join(str(done.exception).split())
        raise TransformError(f"dbt did not come to its end: {reason}; see {target / 'dbt.log'}")
    results = {
        result.node.unique_id: (str(result.status), str(result.message)) for result in done.result.results
    }
    errors = [(node, message) for node, (status, message) in results.items() if status == "error"]
    if errors:
        node, message = errors[0]
        raise TransformError(f"dbt: {node}: {' '.join(message.split())} ({len(errors)} errors in all)")
    return DbtOutcome(events, results)


_parsed_projects: dict[tuple[str, str], Any] = {}


def _parsed(target: Path) -> Any:
    """The project as dbt has parsed it: once for a process and a database, whose name it holds."""
    of = (project_fingerprint(), os.environ["CASHLESS_DBT_DBNAME"])
    if of in _parsed_projects:
        return _parsed_projects[of]
    parsed, stamp = target / "partial_parse.msgpack", target / _STAMP.name
    if not _is_of(of[0], parsed, stamp):
        stamp.unlink(missing_ok=True)
        shutil.copy(ensure_manifest().with_name(parsed.name), parsed)
        stamp.write_text(of[0], encoding="ascii")
    done = _invoke(["parse"], target)
    if done.exception is not None:
        raise TransformError(f"dbt cannot parse dbt_models: {' '.join(str(done.exception).split())}")
    _parsed_projects[of] = done.result
    return done.result


def _refuse_another_graph(parsed: Any) -> None:
    """What dbt would build must be what this process knows from the manifest: Dagster's graph is drawn of it, and what
    is published, and how, is read there.
    """
    now = {name: node.config.meta for name, node in parsed.nodes.items()}
    known = {name: node["config"]["meta"] for name, node in manifest()["nodes"].items()}
    others = sorted(name for name in now.keys() | known.keys() if now.get(name) != known.get(name))
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise TransformError(
            f"The models have changed since this process started ({others[0]}{more}): restart it. Nothing was built."
        )


def _invoke(args: list[str], target: Path, parsed: Any = None, callbacks: list[Any] | None = None) -> Any:
    from dbt.cli.main import dbtRunner  # noqa: PLC0415  (seconds to import)
    from dbt_common.events.event_manager_client import cleanup_event_logger  # noqa: PLC0415

    # Until it has read its flags dbt would log to the console.
    cleanup_event_logger()
    done = dbtRunner(parsed, callbacks).invoke(
        [
            # What it says is in its log and in its events, of which people are told what they need.
            *("--log-level", "none", "--log-level-file", "info", "--no-use-colors", "--no-write-json"),
            *args,
            *("--project-dir", str(PROJECT_DIR), "--profiles-dir", str(PROJECT_DIR)),
            *("--target-path", str(target), "--log-path", str(target)),
        ]
    )
    if isinstance(done.exception, KeyboardInterrupt):
        raise done.exception
    return done


def run_dbt(database_url: str, args: list[str], target_path: Path) -> "subprocess.CompletedProcess[str]":
    """Runs any dbt command as a process of its own; for tests and tools, runs of the pipeline use `build`."""
    return subprocess.run(
        [
            *(str(Path(sys.executable).with_name("dbt")), *args, "--profiles-dir", str(PROJECT_DIR)),
            *("--target-path", str(target_path), "--log-path", str(target_path)),
        ],
        cwd=PROJECT_DIR,
        env={**os.environ, **environment(database_url)},
        text=True,
        capture_output=True,
        check=False,
    )  # fmt: skip


def build_args(*, is_full: bool) -> list[str]:
    """dbt's arguments for a build; seeds and what is made of them alone only where everything is made anew."""
    return [*_BUILD] if is_full else [*_BUILD, "seed", "--exclude", "path:models/reference"]


def ensure_manifest() -> Path:
    """The project's manifest, parsed again if a model, macro or seed changed since. Needs no database."""
    fingerprint = project_fingerprint()
    if _is_of(fingerprint, MANIFEST, _STAMP):
        return MANIFEST
    MANIFEST.parent.mkdir(exist_ok=True)
    with (MANIFEST.parent / "manifest.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starters: the second finds the first one's work
        if not _is_of(fingerprint, MANIFEST, _STAMP):
            _STAMP.unlink(missing_ok=True)
            # From nothing: what dbt keeps of another state of the project it has been seen to mend wrongly.
            parse = ["parse", "--quiet", "--no-partial-parse"]
            done = run_dbt("postgresql://nobody@localhost/nothing", parse, MANIFEST.parent)
            if done.returncode != 0:
                raise TransformError(f"dbt cannot parse dbt_models: {(done.stdout + done.stderr).strip()}")
            _STAMP.write_text(fingerprint, encoding="ascii")
    return MANIFEST


def _is_of(fingerprint: str, parsed: Path, stamp: Path) -> bool:
    """Whether what dbt has parsed is of this state of the project."""
    return parsed.exists() and stamp.exists() and stamp.read_text(encoding="ascii") == fingerprint


def project_fingerprint() -> str:
    """Changes with the content of any file of dbt_models or seeds."""
    digest = hashlib.sha256()
    generated = {"target", "logs", "dbt_packages"}
    files = [*PROJECT_DIR.rglob("*"), *SEEDS_DIR.rglob("*")]
    for path in sorted(files):
        inside = path.relative_to(REPOSITORY)
        if path.is_file() and (len(inside.parts) < 2 or inside.parts[1] not in generated):
            digest.update(str(inside).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


@lru_cache(maxsize=1)
def manifest() -> dict[str, Any]:
    """The parsed manifest, as it was when this process first asked."""
    document: dict[str, Any] = json.loads(ensure_manifest().read_text(encoding="utf-8"))
    return document
