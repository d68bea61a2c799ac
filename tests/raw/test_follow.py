"""Raw follows a contract that has changed, and loses nothing; what would lose something is refused."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml
from landing_folder import Landing, csv_text, row

from dagster_project.contracts.catalog import CONTRACTS_DIR, contracts, load_contract
from dagster_project.contracts.model import Contract
from dagster_project.contracts.parse import RESERVED_NAMES
from dagster_project.raw import tables
from dagster_project.raw.changes import Person
from dagster_project.raw.ddl import BOOK_COLUMNS
from dagster_project.raw.reload import reload
from dagster_project.raw.tables import RawTableError, ensure_tables
from dagster_project.raw.withdraw import unload

AN = Person("An", "")
Entry = dict[str, Any]


def entry(name: str, kind: str = "text", **more: Any) -> Entry:
    """A column of a contract document."""
    logical = {
        "text": "string", "bigint": "integer", "smallint": "integer", "numeric": "number", "boolean": "boolean",
        "date": "date", "timestamp": "timestamp",
    }  # fmt: skip
    return {
        "name": name,
        "description": f"The {name}.",
        "logicalType": logical[kind],
        "physicalType": kind,
        "required": False,
        **more,
    }


def custom(**properties: Any) -> dict[str, Any]:
    return {"customProperties": [{"property": name, "value": value} for name, value in properties.items()]}


class Own:
    """The operator's contract of payments, in the overlay: the shipped one and further columns."""

    def __init__(self, landing: Landing, source: str = "payments") -> None:
        self.landing, self.source = landing, source
        self.path = landing.settings.overlay_folder() / "contracts" / f"{source}.yaml"
        self.path.parent.mkdir(parents=True)

    def write(self, *further: Entry, change: Callable[[dict[str, Any]], object] | None = None) -> None:
        document = yaml.safe_load((CONTRACTS_DIR / f"{self.source}.yaml").read_text(encoding="utf-8"))
        document["schema"][0]["properties"] += further
        if change is not None:
            change(document["schema"][0])
        self.path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")

    def put(self, name: str, *rows: dict[str, str], **renamed: str) -> None:
        """A file with all that its rows have; `renamed`: headers by column."""
        names = [renamed.get(column, column) for column in rows[0]]
        lines = [",".join(names), *(",".join(row.values()) for row in rows)]
        self.landing.put(f"{self.source}/{name}", "\n".join(lines) + "\n")

    def line_of(self, name: str | None) -> int:
        """The line of a column, or that of the columns as a whole."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        wanted = f"- name: {name}" if name else "properties:"
        return next(number for number, line in enumerate(lines, 1) if line.strip() == wanted)


@pytest.fixture
def own(landing: Landing) -> Own:
    return Own(landing)


def columns_of(landing: Landing, source: str = "payments") -> dict[str, str]:
    return dict(
        landing.query(
            "select attname, format_type(atttypid, null) from pg_attribute "
            f"where attrelid = 'raw.{source}'::regclass and attnum > 0 and not attisdropped order by attnum"
        )
    )


def do(landing: Landing, sql: str) -> None:
    """What somebody does in the database by hand."""
    with landing.conn, landing.conn.cursor() as cursor:
        cursor.execute(sql)


def pay(name: str, **more: str) -> dict[str, str]:
    return {**row("payments", transaction_id=name), **more}


def history(landing: Landing) -> dict[str, list[tuple[Any, ...]]]:
    names = [
        "raw.payments",
        "landing.file",
        "landing.quarantine",
        "landing.withdrawn_row",
        "landing.contract",
    ]
    return {name: landing.query(f"select t.* from {name} as t order by t::text") for name in names}


def test_a_new_optional_column_is_added_and_old_rows_are_empty_there(landing: Landing, own: Own) -> None:
    own.put("a.csv", pay("T1", teller="Bình"))
    assert next(iter(landing.load().sources["payments"].files)).extra_columns == ("teller",)
    own.write(entry("teller"))
    assert not landing.load().changed
    assert columns_of(landing)["teller"] == "text"
    assert (
        landing.value(
            "select col_description('raw.payments'::regclass, attnum) from pg_attribute "
            "where attrelid = 'raw.payments'::regclass and attname = 'teller'"
        )
        == "The teller."
    )
    # The same content under another name is not read; another file's row is another row, and the one with more holds.
    own.put("b.csv", pay("T1", teller="Bình"), pay("T2", teller="Hoa"))
    landing.load()
    assert landing.query(
        "select transaction_id, teller, extra, is_duplicate from raw.payments order by file_id, line"
    ) == [
        ("T1", None, {"teller": "Bình"}, False),
        ("T1", "Bình", None, False),
        ("T2", "Hoa", None, False),
    ]
    # Read again, the old row has it too: now it equals the other.
    reload(landing.settings, ["payments/a.csv"], AN)
    assert landing.query("select transaction_id, teller, is_duplicate from raw.payments order by 1, 3") == [
        ("T1", "Bình", False),
        ("T1", "Bình", True),
        ("T2", "Hoa", False),
    ]


WIDER = [
    ("smallint", {}, "7", "bigint", {}, 7),
    ("smallint", {}, "7", "numeric", {}, Decimal(7)),
    ("bigint", {}, "1.234.567", "numeric", {}, Decimal(1234567)),
    ("date", {}, "03/09/2024", "timestamp", {"logicalTypeOptions": {"format": "yyyy-MM-dd[ HH:mm:ss]"}},
     datetime(2024, 9, 3)),
    ("date", {}, "03/09/2024", "text", {}, "2024-09-03"),
    ("date", {"logicalTypeOptions": {"format": "yyyy-MM"}}, "09/2024", "date", {}, date(2024, 9, 1)),
    ("date", {"logicalTypeOptions": {"format": "yyyy-MM"}}, "09/2024", "text", {}, "2024-09"),
    ("timestamp", {}, "03/09/2024 14:05", "text", {}, "2024-09-03 14:05:00"),
    ("numeric", {}, "12.5", "text", {}, "12.5"),
    ("boolean", {}, "có", "text", {}, "true"),
    ("text", {"logicalTypeOptions": {"format": "phone"}}, "+84912345678", "text", {}, "0912345678"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "option", "written", "after", "wider", "value"), WIDER)
def test_a_wider_type_keeps_every_value(  # type: ignore[no-untyped-def]
    landing: Landing, own: Own, before, option, written, after, wider, value
) -> None:
    own.write(entry("more", before, **option))
    own.put("a.csv", pay("T1", more=written), pay("T2", more=""))
    landing.load()
    own.write(entry("more", after, **wider))
    assert not landing.load().changed
    assert landing.query("select transaction_id, more from raw.payments order by 1") == [
        ("T1", value),
        ("T2", None),
    ]
    own.put("b.csv", pay("T3", more=str(value)))
    landing.load()
    assert landing.value("select count(*) from raw.payments where more is not null") == 2


def test_all_sources_get_the_same_columns_whether_they_follow_or_are_made(landing: Landing, own: Own) -> None:
    own.write(entry("more", "smallint"))
    own.put("a.csv", pay("T1", more="7"))
    landing.load()
    own.write(entry("more", "bigint"), entry("note"))
    landing.load()
    followed = columns_of(landing)
    do(landing, "drop table raw.payments; truncate landing.file, landing.quarantine cascade")
    ensure_tables(landing.conn, contracts(landing.settings.overlay_folder()).values())
    assert followed == columns_of(landing)
    landing.conn.rollback()


def test_a_column_that_has_another_name_now_takes_its_history_along(landing: Landing, own: Own) -> None:
    def looked_up(table: dict[str, Any]) -> None:
        lookups = next(item for item in table["customProperties"] if item["property"] == "lookups")
        lookups["value"].append([table["properties"][-1]["name"]])

    own.write(entry("teller"), change=looked_up)
    own.put("a.csv", pay("T1", teller="Bình"), pay("T2", teller="Hoa", amount="x"))
    own.put("b.csv", pay("T3", teller="Lan"))
    landing.load()
    unload(landing.settings, ["payments/b.csv"], AN)

    own.write(entry("cashier", **custom(formerNames=["teller"], aliases=["Nhân viên thu"])), change=looked_up)
    assert not landing.load().changed
    assert "teller" not in columns_of(landing)
    assert landing.query("select transaction_id, cashier from raw.payments") == [("T1", "Bình")]
    assert landing.query("select fields ->> 'cashier', fields ? 'teller' from landing.quarantine") == [
        ("Hoa", False)
    ]
    assert landing.query("select fields ->> 'cashier', fields ? 'teller' from landing.withdrawn_row") == [
        ("Lan", False)
    ]
    assert landing.query(
        "select relname::text from pg_class where relname in ('payments_teller_idx', 'payments_cashier_idx')"
    ) == [("payments_cashier_idx",)]

    # Every name it is known by is read; equal rows are known as equal.
    own.put("c.csv", pay("T1", teller="Bình"), pay("T4", teller="Bình"))
    own.put("d.csv", pay("T4", cashier="Bình"), pay("T5", cashier="Bình"))
    own.put("e.csv", pay("T5", cashier="Bình"), cashier="nhan vien thu")
    landing.load()
    assert landing.query(
        "select transaction_id, cashier, is_duplicate from raw.payments order by 1, 3"
    ) == [("T1", "Bình", False), ("T1", "Bình", True), ("T4", "Bình", False), ("T4", "Bình", True),
          ("T5", "Bình", False), ("T5", "Bình", True)]  # fmt: skip
    # What was unloaded comes back by the file, what is in quarantine by another rule.
    reload(landing.settings, ["payments/b.csv"], AN)
    assert landing.value("select cashier from raw.payments where transaction_id = 'T3'") == "Lan"


def test_the_name_in_quarantine_is_that_of_today(landing: Landing, own: Own) -> None:
    own.write(entry("fee_rate", "numeric"))
    own.put("a.csv", pay("T1", fee_rate="x"))
    landing.load()
    own.write(entry("rate", "text", **custom(formerNames=["fee_rate"])))
    assert landing.load().rows_added["payments"] == 1
    assert landing.query("select rate from raw.payments") == [("x",)]
    assert landing.query("select column_name, fault_columns, status from landing.quarantine") == [
        ("rate", ["rate"], "repaired")
    ]


def test_another_closed_list_puts_the_rows_in_its_order(landing: Landing) -> None:
    bills = Own(landing, "bills")
    bills.put("a.csv", row("bills", status="replaced"))
    landing.load()
    assert landing.value("select version_rank from raw.bills") == 3

    def longer(table: dict[str, Any]) -> None:
        status = next(column for column in table["properties"] if column["name"] == "status")
        status["quality"][0]["arguments"]["validValues"].insert(1, "disputed")

    bills.write(change=longer)
    assert not landing.load().changed
    assert landing.value("select version_rank from raw.bills") == 4


def test_descriptions_become_comments_and_nothing_else_happens(landing: Landing, own: Own) -> None:
    landing.load_rows("payments", row("payments"))
    before = history(landing)

    def told(table: dict[str, Any]) -> None:
        table["description"] = "What the partners tell."
        table["properties"][0]["description"] = "Who took it."

    own.write(change=told)
    assert not landing.load().changed
    assert landing.value("select obj_description('raw.payments'::regclass)") == "What the partners tell."
    assert landing.value("select col_description('raw.payments'::regclass, 1)") == "Who took it."
    assert history(landing) == before


def test_nothing_changed_is_one_query(landing: Landing) -> None:
    landing.load_rows("payments", row("payments"))
    said: list[str] = []

    class Cursor(psycopg2.extensions.cursor):
        def execute(self, query: Any, variables: Any = None) -> None:
            said.append(str(query))
            super().execute(query, variables)

    landing.conn.cursor_factory = Cursor
    ensure_tables(landing.conn, [contracts()["payments"], contracts()["customers"]])
    landing.conn.cursor_factory = psycopg2.extensions.cursor
    assert said == [tables._CATALOG]


def removed(name: str) -> Callable[[dict[str, Any]], object]:
    def change(table: dict[str, Any]) -> None:
        table["properties"] = [column for column in table["properties"] if column["name"] != name]

    return change


def moved(table: dict[str, Any]) -> None:
    table["properties"].insert(3, table["properties"].pop())


# What the operator writes after `teller` (text) and `count` (bigint), both with values; the fault's column (None: the
# columns as a whole), and what is said of it.
INCOMPATIBLE: list[tuple[str, list[Entry], Any, str | None, str]] = [
    (
        "a removed column",
        [entry("count", "bigint")],
        None,
        None,
        "column teller: raw.payments has values in the column teller, which the contract no longer has: keep the "
        "column; if it has another name now, declare formerNames: [teller] there",
    ),
    (
        "a narrower type",
        [entry("teller"), entry("count", "smallint")],
        None,
        "count",
        "column count: raw.payments has values of the form money, which the form small integer does not hold: keep "
        "the former one, or make it text",
    ),
    (
        "another type",
        [entry("teller", "date"), entry("count", "bigint")],
        None,
        "teller",
        "column teller: raw.payments has values of the form text, which the form date does not hold: keep the former "
        "one, or make it text",
    ),
    (
        "a new required column",
        [entry("teller"), entry("count", "bigint"), entry("shift", required=True)],
        None,
        "shift",
        "column shift: is new and required, but raw.payments has rows, and none of them has it: make it optional "
        "(required: false)",
    ),
    (
        "a column that is required now",
        [entry("teller", required=True), entry("count", "bigint")],
        None,
        "teller",
        "column teller: is required now, but raw.payments has rows without it: make it optional (required: false)",
    ),
    (
        "a new column before others",
        [entry("shift"), entry("teller"), entry("count", "bigint")],
        None,
        "shift",
        "column shift: is new, so it must stand behind count: the order of columns decides between rows of one "
        "version",
    ),
    (
        "another order",
        [entry("count", "bigint"), entry("teller")],
        None,
        "count",
        "column count: stands in another place than in raw.payments, where teller comes first: the order of columns "
        "decides between rows of one version; keep it",
    ),
    (
        "two former names",
        [entry("shift", **custom(formerNames=["teller", "count"]))],
        None,
        "shift",
        "column shift: its formerNames teller and count are both columns of raw.payments: leave one of them, and keep "
        "the other as a column of its own",
    ),
]


@pytest.mark.parametrize(
    ("further", "change", "column", "said"),
    [case[1:] for case in INCOMPATIBLE],
    ids=[case[0] for case in INCOMPATIBLE],
)
def test_what_would_lose_something_is_refused_and_touches_nothing(  # type: ignore[no-untyped-def]
    landing: Landing, own: Own, further, change, column, said
) -> None:
    own.write(entry("teller"), entry("count", "bigint"))
    own.put(
        "a.csv",
        pay("T1", teller="Bình", count="3"),
        pay("T2", teller="", count="4"),
        pay("T3", amount="x", teller="", count=""),
    )
    own.put("b.csv", pay("T4", teller="Lan", count="5"))
    landing.load()
    unload(landing.settings, ["payments/b.csv"], AN)
    before = history(landing), columns_of(landing)
    own.write(*further, change=change)
    with pytest.raises(RawTableError) as refusal:
        landing.load()
    landing.conn.rollback()
    line = own.line_of(column)
    assert str(refusal.value) == f"{own.path}, line {line}: {said}"
    assert (history(landing), columns_of(landing)) == before
    with pytest.raises(RawTableError, match=r"payments\.yaml, line"):
        unload(landing.settings, ["payments/a.csv"], AN)


def shipped_as(tmp_path: Path, source: str, change: Callable[[dict[str, Any]], object]) -> Contract:
    """A later version of a shipped contract, which may change what the operator's may not."""
    document = yaml.safe_load((CONTRACTS_DIR / f"{source}.yaml").read_text(encoding="utf-8"))
    change(document["schema"][0])
    path = tmp_path / f"{source}.yaml"
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load_contract(path)


def not_key(table: dict[str, Any]) -> None:
    table["properties"][0]["primaryKey"] = False


def says(name: str, value: str) -> Callable[[dict[str, Any]], object]:
    def change(table: dict[str, Any]) -> None:
        next(item for item in table["customProperties"] if item["property"] == name)["value"] = value

    return change


@pytest.mark.parametrize(
    ("source", "change", "said"),
    [
        (
            "payments",
            not_key,
            "column partner_code: the key was partner_code, transaction_id and the rows of raw.payments were told "
            "apart by it: keep that key",
        ),
        (
            "bills",
            says("versionColumn", "issued_on"),
            "column issued_on: the versionColumn was updated_at, and raw.bills has rows by it: keep that",
        ),
        (
            "bills",
            says("moneyColumn", "vat_amount"),
            "column vat_amount: the moneyColumn was total_amount, and raw.bills has rows by it: keep that",
        ),
    ],
)
def test_key_version_and_money_stay_while_there_are_rows(
    landing: Landing, tmp_path: Path, source: str, change: Any, said: str
) -> None:
    landing.load_rows(source, row(source))
    changed = shipped_as(tmp_path, source, change)
    with pytest.raises(RawTableError, match=f"{source}.yaml, line [0-9]+: ") as refusal:
        ensure_tables(landing.conn, [changed])
    landing.conn.rollback()
    assert str(refusal.value).partition(": ")[2] == said
    do(landing, f"delete from raw.{source}; truncate landing.file cascade")
    ensure_tables(landing.conn, [changed])  # without rows nothing is lost
    assert landing.value(f"select shape ->> 'version' from landing.contract where source = '{source}'") == (
        changed.version_column
    )
    landing.conn.rollback()


def test_what_has_no_value_may_change_in_every_way(landing: Landing, own: Own) -> None:
    own.write(entry("teller", "bigint"), entry("slip"))
    own.put("a.csv", pay("T1"))
    landing.load()
    own.write(entry("teller", "date"))
    assert not landing.load().changed
    assert columns_of(landing)["teller"] == "date"
    assert "slip" not in columns_of(landing)
    assert landing.query("select transaction_id from raw.payments") == [("T1",)]


def test_an_empty_table_is_made_anew(landing: Landing, own: Own) -> None:
    landing.load()
    own.write(entry("first_of_all", "date", required=True), change=moved)
    own.write(entry("shift", "date", required=True))
    own.put("a.csv", pay("T1", shift="2024-05-10"))
    assert landing.load().rows_added["payments"] == 1
    assert landing.query("select shift from raw.payments") == [(date(2024, 5, 10),)]


def test_a_view_of_somebodys_own_is_named(landing: Landing, own: Own) -> None:
    own.write(entry("teller", "bigint"))
    own.put("a.csv", pay("T1", teller="7"))
    landing.load()
    do(landing, "create view public.mine as select teller from raw.payments")
    own.write(entry("teller"))
    with pytest.raises(RawTableError, match=r"something of your own is made of it \(.*view mine.*\)"):
        landing.load()
    landing.conn.rollback()
    do(landing, "drop view public.mine")
    landing.load()
    assert landing.value("select teller from raw.payments") == "7"


def test_the_names_that_raw_has_besides_are_kept_from_contracts() -> None:
    assert {name for name, _, _ in BOOK_COLUMNS} <= RESERVED_NAMES


def test_a_file_of_the_overlay_is_used_as_soon_as_it_is_there(landing: Landing, own: Own) -> None:
    landing.put("payments/a.csv", csv_text("payments", [row("payments")]))
    assert "teller" not in contracts(landing.settings.overlay_folder())["payments"].names
    own.write(entry("teller"))
    assert contracts(landing.settings.overlay_folder())["payments"].names[-1] == "teller"
    assert "teller" not in contracts()["payments"].names
    own.path.unlink()
    assert contracts(landing.settings.overlay_folder()) == contracts()
