"""What the command line prints of hand-made published tables.

Does not belong here: whether the figures are right.
"""

import io
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from rich.console import Console

from dagster_project.publish.build import Build, GateResult, record_build, record_gate
from dagster_project.publish.publish import publish
from dagster_project.publish.relations import PublishedTable
from dagster_project.report import console as report
from dagster_project.report.status import print_status
from dagster_project.settings import Settings
from dagster_project.warehouse.connection import connect

TABLES = [
    PublishedTable("kpi_company_month", ("bill_month", "geography", "scope"), "bill_month", True),
    PublishedTable(
        "kpi_power_unit_month", ("bill_month", "geography", "scope", "power_unit_code"), "bill_month", True
    ),
]

CANDIDATES = """
create table candidate.kpi_company_month (
    bill_month date, geography text, scope text, customers_billed bigint, customers_cashless bigint,
    cashless_rate_customers numeric, cashless_rate_customers_strict numeric, cashless_rate_amount numeric,
    on_time_rate numeric, target numeric, attainment numeric
);
create table candidate.kpi_power_unit_month (
    like candidate.kpi_company_month, power_unit_code text, power_unit_name text
);
insert into candidate.kpi_company_month
select month, geography, scope, 1000 + n, 783, 0.7836, 0.61, 0.8, 0.905, target, attainment
from (values (date '2024-05-01', 0), (date '2024-06-01', 1), (date '2025-12-01', 2)) as m (month, n),
     (values ('as_recorded'), ('current')) as g (geography),
     (values ('electricity', 0.85, 0.9219), ('all', null, null)) as s (scope, target, attainment);
insert into candidate.kpi_power_unit_month values
    ('2024-05-01', 'as_recorded', 'electricity', 195, 160, 160 / 195.0, 0.5, 0.9, 0.8, null, null,
     'PNYK00', 'Điện lực Yên Khánh'),
    ('2024-05-01', 'as_recorded', 'all', 196, 161, null, null, null, null, null, null, 'UNKNOWN', 'UNKNOWN');
"""

FILES = """
insert into landing.file (source, path, sha256, size, mtime_ns, rows_in_file, rows_loaded, rows_duplicate,
    rows_quarantined, money_in_file_vnd, money_loaded_vnd, money_duplicate_vnd, money_quarantined_vnd,
    loaded_at, refused_reason, contract_fingerprint)
values
    ('bills', 'bills/a.csv', 'a', 1, 1, 120000, 119000, 998, 2, 0, 0, 0, 0, '2024-09-01 08:30+07', null, ''),
    ('bills', 'bills/b[1].csv', 'b', 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, '2024-09-02 08:30+07',
     'missing column total_amount', ''),
    ('payments', 'payments/a.csv', 'c', 1, 1, 5, 5, 0, 0, 0, 0, 0, 0, '2024-09-01 08:31+07', null, '');
"""

BAD_ROWS = """
insert into landing.quarantine (file_id, source, line, column_name, reason_codes, reason, raw, raw_masked,
    money, status, quarantined_at, checked_on, contract_fingerprint)
select file_id, 'bills', line, column_name, '{}', reason, 'raw', 'masked', 0, status,
       timestamptz '2024-09-01 08:30+07', date '2024-09-01', ''
from landing.file,
     (values (7, 'total_amount', 'not money', 'open'),
             (9, null, 'wrong number of fields', 'open'),
             (11, 'due_on', 'not a date', 'repaired')) as bad (line, column_name, reason, status)
where sha256 = 'a';
"""


class Screen:
    """A warehouse with these candidates, and what is printed of it."""

    def __init__(self, settings: Settings, conn: Any) -> None:
        self.settings, self.conn = settings, conn
        self.output = io.StringIO()
        self.console = Console(file=self.output, width=report.PLAIN_WIDTH)

    def execute(self, statement: str) -> None:
        with self.conn, self.conn.cursor() as cur:
            cur.execute(statement)

    def build(self) -> Build:
        build = Build("fingerprint", date(2025, 9, 25), 60)
        record_build(self.conn, build, TABLES)
        return build

    def publish(self) -> None:
        build = self.build()
        gate = GateResult(build.build_id, True, 40, 2, 0)
        record_gate(self.conn, gate)
        publish(self.conn, build, gate, TABLES)

    def kpis(self, months: list[date] | None = None) -> str:
        report.print_kpis(self.settings, months, self.console)
        return self.output.getvalue()

    def status(self) -> str:
        print_status(self.settings, self.console)
        return self.output.getvalue()


@pytest.fixture
def screen(warehouse: Settings) -> Iterator[Screen]:
    with closing(connect(warehouse, "test")) as conn:
        screen = Screen(warehouse, conn)
        screen.execute(CANDIDATES)
        yield screen


def line_with(text: str, *parts: str) -> str:
    (line,) = [line for line in text.splitlines() if all(part in line for part in parts)]
    return line


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (Decimal(160) / Decimal(195), "82.05 %"),
        (Decimal("0.7836"), "78.36 %"),
        (Decimal("0.000050"), "0.01 %"),
        (Decimal(1), "100.00 %"),
        (0.5, "50.00 %"),
        (None, "–"),
    ],
)
def test_percent(rate: Any, shown: str) -> None:
    assert report.percent(rate) == shown


def test_kpis_of_the_latest_and_the_press_month(screen: Screen) -> None:
    screen.publish()
    text = screen.kpis()
    assert text.index("bill month 2025-12") < text.index("bill month 2024-05")
    assert "bill month 2024-06" not in text
    may = text[text.index("bill month 2024-05") :]
    first, second = [line for line in may.splitlines() if "Công ty / Company" in line]
    assert first.split()[4:] == [
        "1,000", "783", "78.36", "%", "61.00", "%", "80.00", "%", "90.50", "%", "85.00", "%", "92.19", "%",
        "chính", "thức", "/", "final",
    ]  # fmt: skip
    assert second.split()[-6:] == ["–", "–", "chính", "thức", "/", "final"]
    assert "82.05 %" in line_with(may, "Điện lực Yên Khánh (PNYK00)", "160")
    assert line_with(may, "UNKNOWN", "196").split()[:4] == ["UNKNOWN", "196", "161", "–"]
    assert "tạm tính / provisional" in text[: text.index("bill month 2024-05")]
    for heading in ("Không dùng", "Strict", "chặt", "Attainment", "Data through 2025-09-25"):
        assert heading in may
    assert "…" not in text, "nothing is cut off"


def test_kpis_of_the_months_asked_for(screen: Screen) -> None:
    screen.publish()
    text = screen.kpis([date(2024, 6, 1), date(2030, 1, 1), date(2024, 6, 1)])
    assert text.count("bill month 2024-06") == 1
    assert "2030-01: chưa có số liệu / no figures; published are 2024-05 to 2025-12." in text
    assert "bill month 2025-12" not in text


def test_without_the_press_month_only_the_latest(screen: Screen) -> None:
    screen.execute("delete from candidate.kpi_company_month where bill_month = '2024-05-01'")
    screen.publish()
    text = screen.kpis()
    assert "bill month 2025-12" in text
    assert "2024-05" not in text


def test_nothing_published(screen: Screen) -> None:
    help_line = "Nothing is published yet: run `cashless run --landing DIR`"
    (line,) = screen.kpis().splitlines()
    assert help_line in line
    assert screen.status().count(help_line) == 2


def test_published_without_any_bill(screen: Screen) -> None:
    screen.execute("delete from candidate.kpi_company_month; delete from candidate.kpi_power_unit_month")
    screen.publish()
    assert "No bills are published yet" in screen.kpis()


def test_status(screen: Screen) -> None:
    screen.execute(FILES + BAD_ROWS)
    screen.publish()
    text = screen.status()
    assert "2 cảnh báo / warned, 0 không đạt mức nghiêm trọng / critical failed" in " ".join(text.split())
    assert "40 đạt / passed (gồm mức info, chỉ ghi nhận / with those that only record)" in text
    assert "2024-05, 2024-06, 2025-12" in line_with(text, "Months changed")
    assert "2025-09-25" in line_with(text, "Data through")
    assert line_with(text, "bills", "120,000").split() == [
        "bills", "2", "120,000", "119,000", "998", "2", "1", "2024-09-02", "08:30:00",
    ]  # fmt: skip
    assert "missing column total_amount" in line_with(text, "bills/b[1].csv")
    assert "not money" in line_with(text, "total_amount", "1", "2024-09-01")
    assert "wrong number of fields" in text
    assert "not a date" not in text, "a repaired row is no longer in quarantine"
    assert "newest build" not in text


EXPECTED = """
insert into reference.overlay_expected_files (expectation_code, source, partner_code, files, every, due_days, due_time,
    valid_from, valid_to, path_regex)
select partner, 'payments', partner, lower(partner) || '[1].csv', 'day', 0, time '23:59', today - 2, today - 2,
       '^payments/' || lower(partner) || '\\[1\\]\\.csv$'
from (values ('VCB'), ('BIDV'), ('AGR'), ('CTG')) as partners (partner),
     (select (now() at time zone 'Asia/Ho_Chi_Minh')::date) as clock (today);
insert into landing.file (source, path, sha256, size, mtime_ns, rows_in_file, rows_loaded, rows_duplicate,
    rows_quarantined, money_in_file_vnd, money_loaded_vnd, money_duplicate_vnd, money_quarantined_vnd, refused_reason,
    contract_fingerprint, seen_at)
select 'payments', 'payments/' || path, path, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, reason, '',
       ((now() at time zone 'Asia/Ho_Chi_Minh')::date - 2)::timestamptz + interval '12 hours'
from (values ('vcb[1].csv', null), ('agr[1].csv', 'truncated')) as came (path, reason);
"""


def test_status_tells_which_files_are_missing(screen: Screen) -> None:
    screen.execute(EXPECTED)
    screen.publish()
    text = screen.status()
    expected = text[text.index("Expected files") :]
    assert "missing" in line_with(expected, "BIDV", "bidv[1].csv", "–")
    assert "refused" in line_with(expected, "AGR", "payments/agr[1].csv", "12:00:00")
    assert "VCB" not in expected, "it came in time"
    screen.execute(
        "update reference.overlay_expected_files set due_time = '08:00' where partner_code = 'VCB'"
    )
    assert "late" in line_with(screen.status(), "VCB", "payments/vcb[1].csv")


def test_status_says_nothing_of_files_that_nobody_expects(screen: Screen) -> None:
    screen.publish()
    assert "Expected files" not in screen.status()


PULL = """
source: payments
url_variable: CMIS_URL
query: select 1 where 1 > :since
high_water: {column: updated_at, kind: timestamp}
overlap: 3 days
first: 2024-01-01
"""
PULLS = """
insert into landing.pull (name, source, since, high_water, content, file, rows)
values ('a_failing', 'payments', '', '2024-04-30T10:00:00', '', '', 1),
    ('a_failing', 'payments', '', '2024-05-02T10:00:00', '', '', 1),
    ('b_fine', 'payments', '', '2024-05-03T10:00:00', '', '', 1),
    ('former', 'payments', '', '2024-05-04T10:00:00', '', '', 1);
insert into landing.pull_attempt (name, source, succeeded_at, failed_at, fault)
values ('a_failing', 'payments', '2024-09-01 08:30+07', '2024-09-02 08:30+07', 'a_failing: no answer [08001]'),
    ('b_fine', 'payments', '2024-09-03 08:30+07', '2024-09-02 08:31+07', 'b_fine: no such table'),
    ('former', 'payments', '2024-09-03 08:30+07', null, null);
"""


def test_status_tells_how_the_declared_pulls_stand(screen: Screen) -> None:
    screen.publish()
    assert "Pulls from other databases" not in screen.status()
    folder = screen.settings.overlay_folder() / "pulls"
    folder.mkdir(parents=True)
    for name in ("a_failing", "b_fine", "c_new"):
        (folder / f"{name}.yaml").write_text(PULL, encoding="utf-8")
    (folder / "d_wrong.yaml").write_text(PULL.replace("3 days", "often"), encoding="utf-8")
    screen.execute(PULLS)
    text = screen.status()
    failing = line_with(
        text, "a_failing", "payments", "2024-09-01 08:30:00", "2024-05-02T10:00:00", "failing"
    )
    assert "2024-09-02 08:30:00: no answer [08001]" in " ".join(failing.split())
    fine = line_with(text, "b_fine", "payments", "2024-09-03 08:30:00", "2024-05-03T10:00:00", "fine")
    assert "2024-09-02 08:31:00: no such table" in " ".join(fine.split())
    assert line_with(text, "c_new", "payments", "not made yet").count("–") == 3
    wrong = text[text.index("pulls/d_wrong.yaml") :]
    assert "declared wrongly: overlap: must be like 3 days" in " ".join(wrong.split())
    assert "former" not in text, "it is declared no more"


def test_status_of_a_clean_warehouse(screen: Screen) -> None:
    screen.publish()
    text = screen.status()
    assert "No file has been loaded" in text
    assert "No rows are in quarantine" in text
    assert "Files not loaded" not in text


def test_status_says_how_much_it_leaves_out(screen: Screen) -> None:
    screen.execute(
        FILES
        + "insert into landing.quarantine (file_id, source, line, column_name, reason_codes, reason, raw,"
        " raw_masked, money, checked_on, contract_fingerprint)"
        " select file_id, 'bills', n, 'c', '{}', 'reason ' || n, '', '', 0, current_date, ''"
        " from landing.file, generate_series(1, 23) as n where sha256 = 'a'"
    )
    assert "and 3 more" in screen.status()


@pytest.mark.parametrize(
    ("passed", "reason"),
    [
        (False, "the quality gate refused it (critical checks that failed: 3)"),
        (True, "it passed and was not published"),
        (None, "it was not audited"),
    ],
)
def test_status_tells_of_a_newer_build_that_bi_does_not_show(
    screen: Screen, passed: bool | None, reason: str
) -> None:
    screen.publish()
    build = screen.build()
    if passed is not None:
        record_gate(screen.conn, GateResult(build.build_id, passed, 40, 2, 0 if passed else 3))
    text = " ".join(screen.status().split())
    assert "The newest build, of 20" in text
    assert reason in text


def test_no_figure_is_cut_off_in_the_narrowest_table(screen: Screen) -> None:
    screen.publish()
    screen.console = Console(file=screen.output, width=report.NARROWEST_WIDTH)
    text = screen.kpis()
    assert "…" not in text
    assert all(figure in line_with(text, "1,002", "92.19 %") for figure in ("783", "78.36 %", "61.00 %"))
    assert "provisional" in text


def test_output_that_is_no_terminal_is_wide(
    screen: Screen, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    screen.publish()
    report.print_kpis(screen.settings)
    text = capsys.readouterr().out
    assert "82.05 %" in line_with(text, "Điện lực Yên Khánh (PNYK00)", "160")
    assert "\x1b" not in text
