"""The command line's own duties: quick help, exit codes, one line for what people must put right."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from dagster_project.warehouse.connection import connect_url, run_lock

HEAVY = {
    "dagster",
    "dbt",
    "great_expectations",
    "numpy",
    "pandas",
    "psycopg2",
    "pydantic",
    "rich",
    "sqlalchemy",
    "xlsxwriter",
    "yaml",
}


def cashless(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CASHLESS_")}
    return subprocess.run(
        [str(Path(sys.executable).with_name("cashless")), *arguments],
        capture_output=True,
        text=True,
        env={**environment, **settings},
        check=False,
    )


def sample(customers: str = "1", first: str = "2024-01", last: str = "2024-12") -> list[str]:
    months = ["--from", first, "--to", last]
    return ["sample", "--out", "x", "--customers", customers, *months, "--seed", "1"]


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from dagster_project.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "finally:\n"
        "    print(*sorted({name.partition('.')[0] for name in sys.modules}))\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    loaded = set(said.splitlines()[-1].split())
    assert {"click", "dagster_project"} <= loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    "command",
    ["run", "demo", "sample", "unload", "reload", "pull", "status", "quarantine", "contract", "db"],
)
def test_every_command_has_help(command: str) -> None:
    assert cashless(command, "--help").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "No such command"),
        (["sample", "--out", "x"], "Missing option"),
        (sample(customers="0"), "--customers"),
        (sample(first="2024-13"), "is not a month like 2024-05"),
        (sample(first="2024-05", last="2024-04"), "--to is before --from"),
        (["pull", "--since", "2024-01-01"], "--since is for one NAME"),
        (["unload"], "Missing argument 'FILE...'"),
        (["unload", "bills/a.csv", "bills/b.csv", "--content", "ab12"], "--content is for one FILE"),
        (["reload", "bills/a.csv", "--by", " "], "--by is empty"),
    ],
)
def test_wrong_usage_is_2(arguments: list[str], said: str) -> None:
    done = cashless(*arguments)
    assert done.returncode == 2
    assert said in done.stderr


def test_a_wrong_setting_is_2_and_one_line(tmp_path: Path) -> None:
    done = cashless("db", "stop", CASHLESS_HOME=str(tmp_path), CASHLESS_FINAL_AFTER_DAYS="soon")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "cashless: wrong setting: CASHLESS_FINAL_AFTER_DAYS: Input should be a valid integer, "
        "unable to parse string as an integer"
    ]


def test_a_warehouse_error_is_1_and_one_line(tmp_path: Path) -> None:
    done = cashless(
        "db",
        "start",
        CASHLESS_HOME=str(tmp_path),
        CASHLESS_DATABASE_URL="postgresql://u:secret@127.0.0.1:1/d",
    )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "cashless: CASHLESS_DATABASE_URL is set: that server is not started or stopped from here."
    ]


@pytest.mark.parametrize("command", ["unload", "reload"])
def test_a_file_that_nobody_knows_is_1_and_one_line(database: str, tmp_path: Path, command: str) -> None:
    (tmp_path / "landing").mkdir()
    places = {"CASHLESS_HOME": str(tmp_path), "CASHLESS_LANDING": str(tmp_path / "landing")}
    done = cashless(command, "bills/a.csv", **places, CASHLESS_DATABASE_URL=database)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("cashless: No file bills/a.csv is known here, neither loaded nor refused.")


def test_the_embedded_server_from_first_use_to_stop(tmp_path: Path) -> None:
    home = {"CASHLESS_HOME": str(tmp_path / "home")}
    try:
        url = cashless("db", "url", **home).stdout.strip()
        assert url.startswith("postgresql://cashless:")
        assert cashless("db", "url", **home).stdout.strip() == url
        started = cashless("db", "start", **home)
        assert started.stdout.startswith("running on 127.0.0.1:")
        asked = cashless("db", "psql", "-Atc", "select 'Điện lực', current_setting('timezone')", **home)
        assert asked.stdout == "Điện lực|Asia/Ho_Chi_Minh\n"
        with closing(connect_url(url, "cashless run")) as conn, run_lock(conn):
            refused = cashless("db", "stop", **home)
        assert refused.returncode == 1
        assert "Another run is writing to the warehouse: cashless run" in refused.stderr
    finally:
        stopped = cashless("db", "stop", **home)
    assert stopped.stdout == "stopped\n"
    assert cashless("db", "stop", **home).stdout == "was not running\n"


def test_psql_on_a_server_elsewhere_does_not_show_the_password(server_url: str, tmp_path: Path) -> None:
    asked = cashless(
        "db",
        "psql",
        "-Atc",
        "select count(*) from pg_stat_activity where application_name = 'cashless psql'",
        CASHLESS_HOME=str(tmp_path),
        CASHLESS_DATABASE_URL=server_url,
    )
    assert asked.stdout == "1\n"
