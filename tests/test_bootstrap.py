"""The set-up script: what it notices without doing any work (the work itself precedes every test run)."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, as if it lay in a folder of its own."""
    for name in ("bootstrap.py", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    spec = importlib.util.spec_from_file_location("bootstrap", tmp_path / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def finished(bootstrap: ModuleType) -> Path:
    """As a completed set-up leaves it."""
    stamp = Path(bootstrap.STAMP)
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.write_text(bootstrap.fingerprint())
    return stamp


def test_knows_that_it_is_done(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not bootstrap.is_done()
    finished(bootstrap)
    monkeypatch.setattr(bootstrap, "make", lambda: pytest.fail("there is nothing to do"))
    assert bootstrap.main(["install"]) == 0


@pytest.mark.parametrize("name", ["bootstrap.py", "requirements.lock", "pyproject.toml"])
def test_notices_a_change(name: str, bootstrap: ModuleType) -> None:
    finished(bootstrap)
    with (Path(bootstrap.ROOT) / name).open("a") as file:
        file.write("\n# changed\n")
    assert not bootstrap.is_done()


def test_notices_another_python_and_another_place(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished(bootstrap)
    monkeypatch.setattr(bootstrap, "VENV", "/elsewhere/.venv")
    assert not bootstrap.is_done()
    monkeypatch.undo()
    assert bootstrap.is_done()
    monkeypatch.setattr(sys, "version", "3.12.99 (main)")
    assert not bootstrap.is_done()


def test_an_interrupted_environment_is_not_usable(bootstrap: ModuleType) -> None:
    python = Path(bootstrap.VENV_PYTHON)
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    Path(bootstrap.STARTED).touch()
    assert not bootstrap.is_usable()


@pytest.mark.parametrize("version", [(3, 10, 4), (3, 14, 0)])
def test_a_python_it_was_not_made_for(
    version: tuple[int, int, int],
    bootstrap: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "version_info", version)
    assert bootstrap.main(["install"]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"bootstrap: Python 3.11 to 3.13 is needed and this is 3.{version[1]}: ")
    assert said.count("\n") == 1


def test_a_python_without_venv(
    bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert bootstrap.main(["install"]) == 1
    assert f"apt install python3.{sys.version_info[1]}-venv" in capsys.readouterr().err


def test_wrong_usage(bootstrap: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert bootstrap.main([]) == 2
    assert "bootstrap.py demo" in capsys.readouterr().out
