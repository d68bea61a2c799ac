"""Who receives alerts (CASHLESS_ALERT_URLS, by Apprise), and the dead-man's ping. What is sent is message.py's."""

# ruff: noqa: PLC0415  (Apprise is imported by those who have receivers only: half a second)
from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from dagster_project.settings import Settings, SettingsError

_SECONDS = 20


@dataclass(frozen=True)
class Receiver:
    """`name`: its kind and what tells it from the others, without its address or secrets."""

    name: str
    _service: Any

    def deliver(self, title: str, body: str) -> bool:
        """Whether the service took the message."""
        import apprise

        return bool(
            self._service.notify(
                title=title,
                body=body,
                notify_type=apprise.NotifyType.WARNING,
                body_format=apprise.NotifyFormat.TEXT,
            )
        )


def receivers(settings: Settings) -> list[Receiver]:
    """Those of the settings. SettingsError that says which one Apprise does not know, without the address."""
    if settings.alert_urls is None:
        return []
    import apprise

    found = []
    for number, url in enumerate(settings.alert_urls.get_secret_value().split(), start=1):
        service = apprise.Apprise()
        if not service.add(url):
            raise SettingsError(
                f"wrong setting: CASHLESS_ALERT_URLS: address {number} is none that Apprise knows "
                "(docs/operator.md#alerts has examples)"
            )
        kind = url.partition(":")[0]
        found.append(Receiver(f"{kind} {hashlib.sha256(url.encode()).hexdigest()[:8]}", service))
    return found


def ping(settings: Settings) -> str | None:
    """Tells the dead-man's switch that a run ended well; what went wrong with that, None if nothing did."""
    if settings.ping_url is None:
        return None
    import requests

    try:
        answer = requests.get(settings.ping_url.get_secret_value(), timeout=_SECONDS)
    except requests.RequestException as error:
        return type(error).__name__  # its text has the address, which is a secret
    return None if answer.ok else f"HTTP {answer.status_code}"
