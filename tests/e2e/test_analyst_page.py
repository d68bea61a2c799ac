"""The queries of the analyst's page answer: on a warehouse with everything in it each of them finds rows.

Does not belong here: that they run at all, as bi_reader and on empty tables (tests/test_docs.py).
"""

import re
from contextlib import closing
from pathlib import Path

import pytest

from dagster_project.settings import Settings
from dagster_project.transform.dbt import REPOSITORY
from dagster_project.warehouse.connection import connect
from tests.e2e import pipeline
from tests.e2e.test_random_bundles import TODAY
from tests.oracle.bundle import random_bundle
from tests.oracle.write_bundle import write

PAGE = REPOSITORY / "docs" / "analyst.md"
# They ask about one commune, month, what later publications changed (test_why_figures_changed.py has those), what was
# expected, or what the gate found (test_run.py): nothing of that is in this warehouse.
OF_ONE_PLACE_OR_CHANGE = re.compile(
    r"14329|14587|2024-05-01|Khánh Hải|kpi_revision|signed_figure|expected_file|quality_result"
)


def test_each_question_of_the_company_is_answered(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings = warehouse.model_copy(update={"today": TODAY})
    write(random_bundle(11), Path(settings.landing), 11)
    pipeline.run(settings, monkeypatch, tmp_path)
    queries = re.findall(r"```sql\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.S)
    silent = []
    with closing(connect(settings)) as conn, conn.cursor() as cursor:
        cursor.execute("set role bi_reader")
        for query in queries:
            cursor.execute(query)
            if not cursor.rowcount and not OF_ONE_PLACE_OR_CHANGE.search(query):
                silent.append(query)
    assert silent == []
