"""What the pages promise: every query of the analyst's page runs, every setting is in the operator's table."""

import json
import re
from contextlib import closing
from itertools import chain
from pathlib import Path

import pytest
from click.testing import CliRunner

from dagster_project.cli import main
from dagster_project.contracts.page import PAGE, render
from dagster_project.contracts.reference_tables import reference_contracts
from dagster_project.orchestration.published import published_tables
from dagster_project.publish.build import Build, GateResult, record_build, record_gate
from dagster_project.publish.publish import publish
from dagster_project.raw.tables import ensure_tables
from dagster_project.reference.overlay import load_overlay
from dagster_project.settings import Settings
from dagster_project.transform.dbt import REPOSITORY, build_args, manifest, run_dbt
from dagster_project.warehouse.connection import connect

DOCS = REPOSITORY / "docs"


@pytest.fixture
def published_nothing(warehouse: Settings, tmp_path: Path) -> Settings:
    """A warehouse whose published tables are all there, and empty."""
    with closing(connect(warehouse)) as conn:
        with conn:
            ensure_tables(conn)
        done = run_dbt(warehouse.database_url or "", build_args(is_full=True), tmp_path)
        assert done.returncode == 0, done.stdout
        build = Build("empty", None, warehouse.final_after_days)
        gate = GateResult(build.build_id, True, 0, 0, 0)
        record_build(conn, build, published_tables())
        record_gate(conn, gate)
        publish(conn, build, gate, published_tables())
    return warehouse


def test_the_queries_of_the_analysts_page_run_as_bi_reader(published_nothing: Settings) -> None:
    queries = re.findall(r"```sql\n(.*?)```", (DOCS / "analyst.md").read_text(encoding="utf-8"), flags=re.S)
    assert len(queries) >= 6
    with closing(connect(published_nothing)) as conn, conn.cursor() as cursor:
        cursor.execute("set role bi_reader")
        for query in queries:
            cursor.execute(query)
            assert cursor.description


def test_everything_that_people_see_is_described_in_both_languages(published_nothing: Settings) -> None:
    """The analyst's page says so. A view that a migration makes says it in a migration, one of a model in dbt."""
    with closing(connect(published_nothing)) as conn, conn.cursor() as cursor:
        cursor.execute(
            """
            select concat_ws('.', n.nspname, c.relname, a.attname), coalesce(d.description, '')
            from pg_class as c
            join pg_namespace as n on n.oid = c.relnamespace
            cross join lateral (
                select 0::smallint as attnum, null::name as attname
                union all
                select attnum, attname from pg_attribute
                where attrelid = c.oid and attnum > 0 and not attisdropped
            ) as a
            left join pg_description as d
                on d.classoid = 'pg_class'::regclass and d.objoid = c.oid and d.objsubid = a.attnum
            where n.nspname in ('bi', 'bi_private') and c.relkind in ('r', 'p', 'v', 'm', 'f')
            order by 1
            """
        )
        comments = dict(cursor.fetchall())
    published = {f"{table.view_schema}.{table.name}" for table in published_tables()}
    assert comments.keys() > published | {"bi.publication.months", "bi.kpi_commune_month.status"}
    labels = {name: comment.partition(" / ") for name, comment in comments.items()}
    assert [name for name, (label, _, english) in labels.items() if label.isascii() or not english] == []
    assert comments["bi.fct_bill_history.settled_on"] == comments["bi.fct_bill.settled_on"]


def test_the_queries_of_the_operators_page_run_as_the_owner(published_nothing: Settings) -> None:
    blocks = re.findall(r"```sql\n(.*?)```", (DOCS / "operator.md").read_text(encoding="utf-8"), flags=re.S)
    queries = [block for block in blocks if re.match("select|with", block)]
    assert queries
    with closing(connect(published_nothing)) as conn, conn.cursor() as cursor:
        for query in queries:
            cursor.execute(query)
            assert cursor.description


def test_the_catalogue_is_one_page_that_loads_nothing_from_elsewhere(
    published_nothing: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CASHLESS_DATABASE_URL", published_nothing.database_url or "")
    monkeypatch.setenv("CASHLESS_HOME", str(published_nothing.home))
    page = tmp_path / "pages" / "catalogue.html"
    done = CliRunner().invoke(main, ["db", "docs", "--out", str(page)])
    assert done.exit_code == 0, done.output
    text = page.read_text(encoding="utf-8")
    assert "kpi_commune_month" in text
    label = json.dumps("Tỷ lệ khách hàng không dùng tiền mặt")  # the page holds dbt's answer as JSON
    assert label.strip('"') in text
    assert [tag for tag in re.findall(r"<(?:script|link|img)\b[^>]*>", text) if "://" in tag] == []


def test_every_published_table_is_in_the_analysts_page() -> None:
    page = (DOCS / "analyst.md").read_text(encoding="utf-8")
    for table in published_tables():
        assert f"bi.{table.name}" in page or table.name.startswith("dim_") or table.is_private, table.name


@pytest.mark.parametrize(
    ("exposure", "readers"),
    [
        ("console_kpis", ["report/console.py"]),
        ("list_of_cash_payers", ["bi_private.cash_payers", "report/lists.py", "report/units.py"]),
        (
            "list_of_customers_not_notified",
            ["bi_private.not_notified_customers", "report/lists.py", "report/units.py"],
        ),
        ("explanation_of_a_change", ["report/explain.py", "report/units.py", "docs/analyst.md"]),
        ("queries_of_the_analyst", ["docs/analyst.md"]),
    ],
)
def test_exposures_name_what_their_readers_read(
    warehouse: Settings, exposure: str, readers: list[str]
) -> None:
    """The first reader is the exposure's own: all that it reads is named. The others serve several."""
    own, *_ = texts = [_text_of(warehouse, reader) for reader in readers]
    known = {table.name for table in published_tables()}
    named = {
        node.rpartition(".")[2]
        for node in manifest()["exposures"][f"exposure.cashless.{exposure}"]["depends_on"]["nodes"]
    }
    assert named <= known
    assert known & set(re.findall(r"\w+", own)) <= named
    assert named <= set(re.findall(r"\w+", " ".join(texts)))


def _text_of(warehouse: Settings, reader: str) -> str:
    """What a function of the database, a module or the queries of a page say."""
    if reader.startswith("bi_private."):
        with closing(connect(warehouse)) as conn, conn.cursor() as cursor:
            cursor.execute("select prosrc from pg_proc where oid = %s::regproc", (reader,))
            [(body,)] = cursor.fetchall()
        return str(body)
    if reader.endswith(".md"):
        page = (REPOSITORY / reader).read_text(encoding="utf-8")
        return "\n".join(re.findall(r"```sql\n(.*?)```", page, flags=re.S))
    return (REPOSITORY / "dagster_project" / reader).read_text(encoding="utf-8")


def test_views_that_follow_the_loading_are_in_the_analysts_page(warehouse: Settings) -> None:
    """Those that migrations make, beside the published tables."""
    page = (DOCS / "analyst.md").read_text(encoding="utf-8")
    with closing(connect(warehouse)) as conn, conn.cursor() as cursor:
        cursor.execute("select viewname from pg_views where schemaname = 'bi'")
        views = [name for (name,) in cursor.fetchall()]
    assert "expected_file" in views
    assert [name for name in views if f"| `bi.{name}`" not in page and f", `bi.{name}`" not in page] == []


def test_every_column_of_the_operators_own_data_is_in_the_operators_page() -> None:
    page = (DOCS / "operator.md").read_text(encoding="utf-8")
    for name, contract in reference_contracts().items():
        [row] = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
        for column in contract.columns:
            mark = "*" if column.key else "" if column.required else "?"
            shown = re.search(rf"`{column.name}`([*?]?)", row)
            assert shown, f"{name}.{column.name}"
            assert shown[1] == mark, f"{name}.{column.name}"
            assert all(
                f"`{value}`" in row for value in column.values if column.name not in ("from_era", "to_era")
            )


def test_the_examples_of_the_operators_own_data_are_taken(warehouse: Settings) -> None:
    page = (DOCS / "operator.md").read_text(encoding="utf-8")
    examples = re.findall(r"^`(\w+\.csv)`[^\n]*:\n```csv\n(.*?)```", page, flags=re.S | re.M)
    assert {name.removesuffix(".csv") for name, _ in examples} == set(reference_contracts())
    folder = warehouse.overlay_folder() / "reference"
    folder.mkdir(parents=True)
    for name, text in examples:
        (folder / name).write_text(text, encoding="utf-8")
    with closing(connect(warehouse)) as conn:
        assert load_overlay(conn, warehouse).notes == ()


def test_every_setting_is_in_the_operators_table() -> None:
    page = (DOCS / "operator.md").read_text(encoding="utf-8")
    for name in Settings.model_fields:
        assert f"| `CASHLESS_{name.upper()}` |" in page, name


def test_the_page_of_the_sources_is_that_of_the_contracts() -> None:
    assert PAGE.read_text(encoding="utf-8") == render()


def test_every_dependency_is_explained() -> None:
    import tomllib  # noqa: PLC0415

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    page = (DOCS / "dependencies.md").read_text(encoding="utf-8")
    extras = chain.from_iterable(project["optional-dependencies"].values())
    for requirement in [*project["dependencies"], *extras]:
        name = re.split(r"[<>=\[]", requirement)[0]
        if name == project["name"]:
            continue  # the extras, as a part of what development needs
        assert re.search(rf"^\|[^|]*\b{re.escape(name)}\b", page, flags=re.M), name


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in [REPOSITORY / "README.md", *DOCS.glob("*.md")]:
        for link in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
