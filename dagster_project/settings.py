"""The one place for settings: every CASHLESS_* variable, read once. No other module reads the environment.

Does not belong here: what the settings are used for (connections, paths inside a landing folder, clocks of
a source). The table of settings for people is in docs/operator.md.
"""

import os
import re
import secrets
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dagster_project.errors import CashlessError

LOCAL_ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


class SettingsError(CashlessError):
    """A setting has a value that cannot be used."""

    exit_code = 2


class Settings(BaseSettings):
    """All settings. Immutable: tests make another one with `model_copy(update={...})`."""

    model_config = SettingsConfigDict(
        env_prefix="CASHLESS_", env_ignore_empty=True, frozen=True, extra="ignore", validate_default=True
    )

    home: Path = Path(".cashless")
    """Where the project keeps its own things: embedded server, sample, generated secrets."""
    database_url: Annotated[str | None, Field(repr=False)] = None
    """postgresql://… of the company's own server; unset: the embedded server under `home`."""
    landing: str = "landing"
    """The landing folder, or any fsspec address."""
    settle_seconds: Annotated[float, Field(ge=0, le=3600)] = 2
    """A new file that changed less than this ago is looked at twice, so long apart."""
    overlay: Path | None = None
    """The folder of what the operator owns: reference data, contracts, pulls; unset: `overlay` under `home`."""
    today: date | None = None
    """Overrides the clock (tests, backfills)."""
    customer_key_secret: SecretStr | None = None
    """Key of the hash that makes customer_key; unset: made once and kept in `home`."""
    final_after_days: Annotated[int, Field(ge=0)] = 60
    """A month is final this many days after its end."""
    alert_urls: SecretStr | None = None
    """Who is told of problems: Apprise addresses, with spaces between them."""
    alert_remind_hours: Annotated[float, Field(gt=0)] = 24
    """A problem that stands is told again after so long."""
    ping_url: SecretStr | None = None
    """Asked for (GET) after each run that came to its end without a refusal: a dead-man's switch."""
    closure_min_cashless_rate: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.90")
    """Least share of a counter's customers who pay cashless before it may close."""
    closure_min_notification_coverage: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.95")
    """Least share of them who were told."""
    closure_min_phone_verified_rate: Annotated[Decimal, Field(ge=0, le=1)] = Decimal("0.80")
    """Least share of them whose phone number is verified."""
    closure_max_feedback_open: Annotated[int, Field(ge=0)] = 0
    """Most of their complaints about the closure that may be open."""

    @field_validator("home", "overlay", mode="after")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        # Absolute from the start: dbt and the server change their working directory.
        return None if folder is None else Path(os.path.abspath(folder.expanduser()))

    @field_validator("overlay", mode="after")
    @classmethod
    def _there(cls, overlay: Path | None) -> Path | None:
        # Figures made without what somebody declared there would be wrong without a word.
        if overlay is not None and not overlay.is_dir():
            raise ValueError(f"{overlay} is no folder")
        return overlay

    @field_validator("customer_key_secret", mode="after")
    @classmethod
    def _not_trivial(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < 16:
            raise ValueError("must have at least 16 characters")
        return secret

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, without_credentials(value) if name == "landing" else value

    def landing_shown(self) -> str:
        """The landing location as people may see it."""
        return without_credentials(self.landing)

    def temporary_folder(self) -> Path:
        """Where copies of landing files and the like lie while they are read."""
        return self.home / "tmp"

    def overlay_folder(self) -> Path:
        """Where the overlay lies; the default one may not be there, and is empty then."""
        return self.overlay or self.home / "overlay"

    def today_local(self) -> date:
        """The day of loading, in Vietnam."""
        return self.today or datetime.now(LOCAL_ZONE).date()

    def customer_key(self) -> str:
        """The secret that keys customer_key; made on first use and never changed afterwards.

        Losing it would give every customer a new key, so it is written completely before it gets its name,
        and an existing one is never overwritten.
        """
        if self.customer_key_secret is not None:
            return self.customer_key_secret.get_secret_value()
        path = self.home / "customer_key.secret"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            write_secret_once(path, secrets.token_hex(32))
        return path.read_text(encoding="ascii").strip()


def without_credentials(address: str) -> str:
    """The address without `user:password@`."""
    # To the last @: in a mistyped password there may be others.
    return re.sub(r"://[^:/@\s]*:.*@", "://", address)


def write_secret_once(path: Path, secret: str) -> None:
    """Writes a file only its owner can read, whole or not at all; the first of two writers wins."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)  # unlike rename, fails if the name is taken
        except FileExistsError:
            return
    finally:
        temporary.unlink()


def load_settings(**overrides: Any) -> Settings:
    """The settings of this process: the environment, and over it what the command line says."""
    given = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        # Without the value: it may be a password.
        faults = "; ".join(
            f"CASHLESS_{'_'.join(str(part) for part in fault['loc']).upper()}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        )
        raise SettingsError(f"wrong setting: {faults}") from None
