"""Settings: read from CASHLESS_* only, said in one line if wrong, secrets kept."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from dagster_project.settings import Settings, SettingsError, load_settings


def test_defaults() -> None:
    settings = load_settings()
    assert settings.home == Path.cwd() / ".cashless"
    assert settings.database_url is None
    assert settings.landing == "landing"
    assert settings.final_after_days == 60


def test_from_the_environment_and_over_it_the_command_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CASHLESS_LANDING", "s3://somewhere")
    monkeypatch.setenv("CASHLESS_TODAY", "2025-01-31")
    monkeypatch.setenv("CASHLESS_DATABASE_URL", "")
    settings = load_settings()
    assert settings.landing == "s3://somewhere"
    assert settings.today_local() == date(2025, 1, 31)
    assert settings.database_url is None
    assert load_settings(landing="here").landing == "here"
    assert load_settings(landing=None).landing == "s3://somewhere"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CASHLESS_TODAY", "31/31/2025"),
        ("CASHLESS_FINAL_AFTER_DAYS", "-1"),
        ("CASHLESS_CUSTOMER_KEY_SECRET", "hunter2"),
    ],
)
def test_a_wrong_value_is_named_and_not_repeated(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as wrong:
        load_settings()
    assert name in str(wrong.value)
    assert value not in str(wrong.value).replace(name, "")
    assert "\n" not in str(wrong.value)


def test_secrets_are_not_shown() -> None:
    settings = Settings(
        database_url="postgresql://u:secret-one@h/d", customer_key_secret="secret-two-is-long"
    )  # type: ignore[arg-type]
    assert "secret-one" not in repr(settings)
    assert "secret-two" not in repr(settings)


def test_the_customer_key_is_made_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with ThreadPoolExecutor(4) as four:
        keys = set(four.map(lambda path: Settings(home=path).customer_key(), [home] * 4))
    assert keys == {Settings(home=home).customer_key()}
    assert len(keys.pop()) == 64
    assert [file.name for file in home.iterdir()] == ["customer_key.secret"]
    assert stat.S_IMODE((home / "customer_key.secret").stat().st_mode) == 0o600
