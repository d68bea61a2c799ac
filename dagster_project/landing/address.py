"""Landing locations that fsspec reaches: sftp, s3-compatible stores and any other whose package is installed.

Credentials come from the environment (FSSPEC_*, AWS_*: docs/operator.md), and nothing said here repeats them.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from fsspec.core import url_to_fs

from dagster_project.landing.place import PART, Mark
from dagster_project.settings import without_credentials
from dagster_project.warehouse.connection import WarehouseError

# Stores where an object is there whole or not at all.
_OBJECT_STORES = frozenset(("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oci", "oss"))
_EXTRAS = {"sftp": "sftp", "ssh": "sftp", "s3": "s3", "s3a": "s3"}
_SECONDS = 20


class Address:
    """Any file system that fsspec knows."""

    # Each file system has kinds of errors of its own, which are no OSError.
    errors: tuple[type[Exception], ...] = (Exception,)

    def __init__(self, location: str) -> None:
        self.unread: list[str] = []
        self._listed: dict[str, Mark] = {}
        self._location = location
        shown = without_credentials(location)
        protocol = re.split(r"::|://", location, maxsplit=1)[0].lower()
        self.shows_half_files = protocol not in _OBJECT_STORES
        self._is_walked = self.shows_half_files
        try:
            # A connection of its own: one that another run in this process left may be dead.
            self._files, root = url_to_fs(location, skip_instance_cache=True, **_options(protocol))
            self._root = root.rstrip("/")
            there = self._files.isdir(self._root)
            if not there:  # for the reason: to some file systems what may not be read is no folder
                self._files.ls(self._root)
        except FileNotFoundError:
            there = False
        except ImportError:
            raise WarehouseError(
                f"The landing location {shown} cannot be used: {_package(protocol)}"
            ) from None
        except self.errors as error:
            raise WarehouseError(
                f"The landing location {shown} cannot be used: {_why(error, location)}"
            ) from None
        if not there:
            raise WarehouseError(f"The landing location {shown} does not exist, or is no folder.")

    def walk(self) -> Iterator[str]:
        self.unread.clear()
        self._files.invalidate_cache()
        try:
            entries = list(self._entries())
        except self.errors as error:
            raise WarehouseError(
                f"The landing location {without_credentials(self._location)} cannot be listed: "
                f"{_why(error, self._location)}"
            ) from None
        for full, info in entries:
            path = full[len(self._root) :].lstrip("/")
            # Some stores keep an empty object for a folder.
            if info.get("type") == "directory" or not path or path.endswith("/"):
                continue
            if not info.get("is_link"):  # of a link the listing tells the link's own mark
                self._listed[path] = _mark(info)
            yield path

    def _entries(self) -> Iterator[tuple[str, dict[str, Any]]]:
        if not self._is_walked:
            yield from self._files.find(self._root, detail=True).items()
            return
        folders = [(self._root, False)]
        while folders:
            folder, is_behind_link = folders.pop()
            try:
                infos = self._files.ls(folder, detail=True)
            except OSError:
                if folder == self._root:
                    raise
                self._note_unread(folder)
                continue
            for info in infos:
                is_link = info["type"] == "link"
                if is_link:
                    with suppress(OSError):  # a link to nothing is a file that cannot be read
                        info |= {"type": self._files.info(info["name"])["type"], "is_link": True}
                if info["type"] != "directory":
                    yield info["name"], info
                elif is_link and is_behind_link:  # links may lead in circles
                    self._note_unread(info["name"])
                else:
                    folders.append((info["name"], is_link or is_behind_link))

    def _note_unread(self, folder: str) -> None:
        self.unread.append(folder[len(self._root) :].lstrip("/"))

    def glance(self, path: str) -> Mark:
        return self._listed.get(path) or self.mark(path)

    def mark(self, path: str) -> Mark:
        full = f"{self._root}/{path}"
        self._files.invalidate_cache(full.rpartition("/")[0])
        return _mark(self._files.info(full))

    def open(self, path: str) -> BinaryIO:
        return cast(BinaryIO, self._files.open(f"{self._root}/{path}", "rb"))

    def put(self, content: Path, path: str) -> None:
        target = f"{self._root}/{path}"
        if self.shows_half_files:
            folder = target.rpartition("/")[0]
            self._files.makedirs(folder, exist_ok=True)
            self._files.put_file(str(content), f"{folder}/{PART}")
            self._files.mv(f"{folder}/{PART}", target)
        else:
            self._files.put_file(str(content), target)
        self._listed.pop(path, None)


def _options(protocol: str) -> dict[str, Any]:
    """What keeps a place that does not answer from holding a run for minutes."""
    if protocol in ("sftp", "ssh"):
        from dagster_project.landing.host_keys import KnownHosts  # noqa: PLC0415 - needs the extra

        waits = dict.fromkeys(("timeout", "banner_timeout", "auth_timeout"), _SECONDS)
        return {**waits, "host_key_policy": KnownHosts()}
    if protocol in ("s3", "s3a"):
        waits = {"connect_timeout": _SECONDS, "read_timeout": 3 * _SECONDS}
        return {"use_listings_cache": False, "config_kwargs": {**waits, "retries": {"max_attempts": 3}}}
    return {}


def _package(protocol: str) -> str:
    extra = _EXTRAS.get(protocol)
    if extra is None:
        return f"no package for {protocol}:// is installed; fsspec's page of file systems names it."
    return f"{protocol}:// needs the extra {extra}: .venv/bin/pip install -e '.[{extra}]'"


def _why(error: Exception, location: str) -> str:
    """One line without credentials; a wrong password and a host that does not answer have words of their own."""
    lines = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {lines[0].strip()}" if lines else type(error).__name__
    for secret in re.findall(r"://(.*)@", location):
        for part in (secret, secret.partition(":")[2]):
            if part:
                said = said.replace(part, "***")
    return without_credentials(said)


def _mark(info: dict[str, Any]) -> Mark:
    return Mark(int(info.get("size") or 0), _changed_ns(info))


def _changed_ns(info: dict[str, Any]) -> int:
    for name in ("mtime", "LastModified", "last_modified", "updated", "modified", "created"):
        value = info.get(name)
        if isinstance(value, datetime):
            return int(value.timestamp() * 1_000_000) * 1000 + _tag(info)
        if isinstance(value, int | float):
            return int(value * 1_000_000) * 1000 + _tag(info)
    return -1  # unknown: snapshot.py then never takes the file for unchanged


def _tag(info: dict[str, Any]) -> int:
    """A store that tells a hash of the content tells the time by the second: the hash takes the rest of it."""
    tag = info.get("ETag")
    return zlib.crc32(str(tag).encode()) % 1_000_000_000 if tag else 0
