"""What stands between raw rows and the models: customer keys, dbt's description of the raw tables, its environment."""

from contextlib import closing
from pathlib import Path

import dbt.cli.requires
import psycopg2
import pytest
from dbt_common.events.base_types import EventLevel
from dbt_common.events.event_manager_client import add_logger_to_manager
from dbt_common.events.functions import get_stdout_config
from dbt_common.events.logger import LineFormat
from pydantic import SecretStr

from dagster_project.raw.load import load_landing
from dagster_project.settings import Settings
from dagster_project.transform import overlay_sources
from dagster_project.transform.customer_keys import CustomerKeyError, assign_customer_keys, customer_key
from dagster_project.transform.dbt import build, environment, project_fingerprint
from dagster_project.transform.raw_sources import SOURCES_FILE, render
from dagster_project.warehouse.connection import connect, database_url

FEEDBACK = "feedback_id,customer_code,received_at,topic,status,reopened,updated_at\n"


def bring(settings: Settings, name: str, *codes: str) -> None:
    folder = Path(settings.landing) / "feedback"
    folder.mkdir(exist_ok=True)
    lines = [
        f"{name}-{number},{code},2024-05-01 08:00,bill,open,false,2024-05-01\n"
        for number, code in enumerate(codes)
    ]
    (folder / name).write_text(FEEDBACK + "".join(lines), encoding="utf-8")


def test_every_code_gets_its_key_once(warehouse: Settings) -> None:
    bring(warehouse, "a.csv", "PN01000000001", "PN01000000002", "a\\b")
    with closing(connect(warehouse)) as conn, conn.cursor() as cursor:
        load_landing(warehouse, conn)
        assert assign_customer_keys(conn, warehouse) == 3
        cursor.execute("select customer_code, customer_key from bi_private.customer_key")
        before = dict(cursor.fetchall())
        secret = warehouse.customer_key()
        assert before == {
            code: customer_key(secret, code) for code in ("PN01000000001", "PN01000000002", "a\\b")
        }
        bring(warehouse, "b.csv", "PN01000000001", "PN01000000003", "PN01000000003")
        load_landing(warehouse, conn)
        assert assign_customer_keys(conn, warehouse) == 1
        cursor.execute("select customer_code, customer_key from bi_private.customer_key")
        after = dict(cursor.fetchall())
    assert len(after) == 4
    assert before.items() <= after.items()


def test_keys_remember_by_themselves_how_far_they_got(warehouse: Settings) -> None:
    """Also rows from before the log of changes, which have change 0, and without any publication."""
    bring(warehouse, "a.csv", "PN01000000001")
    with closing(connect(warehouse)) as conn, conn.cursor() as cursor:
        load_landing(warehouse, conn)
        cursor.execute("update raw.feedback set change_id = 0")
        cursor.execute("truncate landing.change cascade")
        conn.commit()
        assert assign_customer_keys(conn, warehouse) == 1
        assert assign_customer_keys(conn, warehouse) == 0
        cursor.execute("delete from bi_private.customer_key")
        conn.commit()
        assert assign_customer_keys(conn, warehouse) == 0, "looked through once"
        bring(warehouse, "b.csv", "PN01000000002")
        load_landing(warehouse, conn)
        assert assign_customer_keys(conn, warehouse) == 1


def test_another_secret_is_refused(warehouse: Settings) -> None:
    bring(warehouse, "a.csv", "PN01000000001")
    with closing(connect(warehouse)) as conn:
        load_landing(warehouse, conn)
        assign_customer_keys(conn, warehouse)
        other = warehouse.model_copy(update={"customer_key_secret": SecretStr("another secret altogether")})
        with pytest.raises(CustomerKeyError, match="CASHLESS_CUSTOMER_KEY_SECRET"):
            assign_customer_keys(conn, other)


def test_keys_tell_nothing_without_the_secret() -> None:
    assert customer_key("one secret", "PN01000000001") != customer_key("another", "PN01000000001")
    assert -(2**63) <= customer_key("one secret", "PN01000000001") < 2**63


def test_the_description_of_the_raw_tables_is_that_of_the_contracts() -> None:
    assert SOURCES_FILE.read_text(encoding="utf-8") == render()


def test_the_description_of_the_overlays_tables_is_that_of_their_contracts() -> None:
    assert overlay_sources.SOURCES_FILE.read_text(encoding="utf-8") == overlay_sources.render()


def test_dbt_connects_where_the_url_says() -> None:
    found = environment("postgresql://us%40er:p%2Fw%24@db.example:6543/ware%20house?sslmode=require")
    assert found["CASHLESS_DBT_HOST"] == "db.example"
    assert found["CASHLESS_DBT_PORT"] == "6543"
    assert found["CASHLESS_DBT_USER"] == "us@er"
    assert found["CASHLESS_DBT_PASSWORD"] == "p/w$"
    assert found["CASHLESS_DBT_DBNAME"] == "ware house"
    assert found["CASHLESS_DBT_SSLMODE"] == "require"


def test_statements_of_dbt_end_with_their_run(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """libpq's own variables decide for dbt's connections; other options of the URL stay."""
    for name, value in environment(f"{database}?options=-c%20work_mem%3D7MB").items():
        monkeypatch.setenv(name, value)
    with closing(psycopg2.connect(database)) as conn, conn.cursor() as cursor:
        cursor.execute(
            "select current_setting('client_connection_check_interval'), current_setting('work_mem')"
        )
        assert cursor.fetchone() == ("2s", "7MB")


def test_what_dbt_kept_of_another_state_of_the_project_is_not_used(
    warehouse: Settings, tmp_path: Path
) -> None:
    (tmp_path / "partial_parse.msgpack").write_bytes(b"of another state")
    (tmp_path / "manifest.of").write_text("another fingerprint", encoding="ascii")
    done = build(database_url(warehouse), ["compile", "--select", "dim_date"], tmp_path)
    assert "model.cashless.dim_date" in done.results
    assert (tmp_path / "manifest.of").read_text(encoding="ascii") == project_fingerprint()


def test_an_interrupt_before_dbt_has_read_its_flags_says_nothing(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Until then its own logger stands, which prints pages; a run says by itself that it was interrupted."""

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    add_logger_to_manager(get_stdout_config(LineFormat.PlainText, False, EventLevel.DEBUG, False))
    monkeypatch.setattr(dbt.cli.requires, "Flags", interrupted)
    with pytest.raises(KeyboardInterrupt):
        build(database, ["build"], tmp_path)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")
