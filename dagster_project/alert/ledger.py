"""What people have been told and what could not be delivered: one file in the home, so that it is known also when the
database is away.

Does not belong here: what is wrong (problems.py), and what a message says (message.py).
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from dagster_project.errors import CashlessError


class Told(BaseModel):
    """A problem that people know of. `unsaid`: how often it was found since, without a message."""

    what: str
    owner: str
    began_at: datetime
    told_at: datetime
    unsaid: int = 0


class Undelivered(BaseModel):
    """A message that its receiver did not take yet. `receiver`: alert/send.py's name of it, without its secrets."""

    receiver: str
    title: str
    body: str


class Ledger(BaseModel):
    """Problems by key, and messages in the order they were made."""

    problems: dict[str, Told] = {}
    undelivered: list[Undelivered] = []


@contextmanager
def open_ledger(home: Path) -> Iterator[Ledger]:
    """The ledger, for one process at a time; what was changed in it is kept, whole or not at all."""
    home.mkdir(parents=True, exist_ok=True)
    path = home / "alerts.json"
    with (home / "alerts.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ledger = read_ledger(home)
        yield ledger
        new = path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            file.write(ledger.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)


def read_ledger(home: Path) -> Ledger:
    """The ledger as it is; an empty one if nobody was ever told anything."""
    path = home / "alerts.json"
    try:
        return Ledger.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Ledger()
    except (ValidationError, OSError) as error:
        raise CashlessError(
            f"{path} cannot be read ({type(error).__name__}). It says which alerts were sent: delete it, and what is "
            "wrong now is told anew."
        ) from None
