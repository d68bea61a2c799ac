"""The benchmark's tables: medians of each figure, ratios within each repeat, goals judged by them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.measure import Cost, Measurement
from benchmarks.report import DAY, DUCKDB, FLOOR, FULL, MONTH, STEPS, markdown, medians, ratios, write_json


def _run(wall: float, client: float = 1.0, server: float = 1.0) -> Measurement:
    stages = {"load": Cost(wall / 2, client / 2, server / 2), "audit": Cost(wall / 2, client / 2, server / 2)}
    return Measurement(
        wall, client, server, client_peak_mb=100, server_peak_mb=300, database_mb=300, stages=stages
    )


def _staged(**walls: float) -> Measurement:
    stages = {name: Cost(wall, 1.0, 1.0) for name, wall in walls.items()} | {"audit": Cost(0.0, 1.0, 1.0)}
    return replace(_run(sum(walls.values())), stages=stages)


# The machine was twice as slow in the second repeat; the full run of the third met a disturbance.
RESULTS = {
    **{step: [_run(1.0), _run(1.0), _run(1.0)] for step in STEPS},
    FLOOR: [_run(2.0, 0, 1), _run(4.0, 0, 2), _run(2.0, 0, 1)],
    FULL: [_run(10.0, 2, 2), _run(20.0, 4, 4), _run(30.0, 2, 2)],
    DAY: [_run(0.1, 0.03, 0.03), _run(0.2, 0.06, 0.06), _run(0.1, 0.03, 0.03)],
}
PASSES = [Cost(1, 0, 10)] * 3
QUERIES = {"a trend": 0.0021, "a ranking": 0.0123}


def test_ratios_are_taken_repeat_by_repeat() -> None:
    assert ratios(RESULTS, FULL, FLOOR) == (5.0, 4.0)
    assert ratios(RESULTS, DAY, FULL) == (pytest.approx(0.01), pytest.approx(0.015))
    assert medians(RESULTS[FULL]).wall_s == 20.0
    assert medians(RESULTS[FULL]).stages["load"] == Cost(10.0, 1.0, 1.0)


def _tables(text: str) -> list[list[list[str]]]:
    """The cells of each table of the text, without the line under its head."""
    tables: list[list[list[str]]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            tables[-1].append([cell.strip() for cell in line.split("|")[1:-1]])
        elif tables[-1]:
            tables.append([])
    return [[*table[:1], *table[2:]] for table in tables if table]


def test_the_tables_have_a_line_for_every_step_stage_and_goal() -> None:
    steps, stages, _, queries, goals = _tables(markdown("S", RESULTS, ["3 repeats"], QUERIES, PASSES))
    assert {len(row) for row in steps} == {11}
    assert [row[0] for row in steps[1:]] == list(STEPS)
    full = "full run | 20.0 | 4.00 | 2.00 | 2.00 | 100 | 300 | 300 | 5.00 × | 4.00 × | full run, floor"
    assert steps[3] == full.split(" | ")
    assert steps[1][-3:] == ["", "", ""]
    assert stages[0] == ["wall s / CPU s", "load", "audit"]
    assert stages[1] == ["full run", "10.0 / 2.00", "10.0 / 2.00"]
    assert [row[0] for row in stages[1:]] == [step for step in STEPS if step not in (FLOOR, DUCKDB)]
    assert queries[1:] == [["a trend", "2.10"], ["a ranking", "12.3"]]
    judged = {row[0]: row[1:] for row in goals[1:]}
    assert judged["full run, wall, of the floor's ≤ 1.00"] == ["5.00", "1.50", "alarm"]
    assert judged["one day, CPU, of the full run's ≤ 0.017"] == ["0.015", "0.017", "reached"]
    assert judged["slowest dashboard query, p95, ms ≤ 20.0"] == ["12.3", "20.0", "reached"]
    assert judged["the audit, CPU, of one pass that checks the same ≤ 1.20"] == ["1.20", "1.20", "reached"]


def test_a_bar_shows_the_stages_of_a_step() -> None:
    uneven = {**RESULTS, FULL: [_staged(start=10.0, load=30.0, models=20.0)] * 3}
    lines = markdown("S", uneven, [], QUERIES, PASSES).splitlines()
    bars = lines[lines.index("```") + 1 :]
    assert bars[0] == "s start, l load, m models, a audit"
    assert bars[1] == f"full run         {'s' * 10}{'l' * 30}{'m' * 20} 60.0 s"


def test_the_dearest_models_of_a_step_come_first() -> None:
    runs = [
        replace(run, models={"fct_bill": 2.0, "dim_date": 0.1, "fct_payment": 31.0}) for run in RESULTS[FULL]
    ]
    models = _tables(markdown("S", {**RESULTS, FULL: runs}, [], QUERIES, PASSES))[2]
    assert models == [
        ["models", "sum s", "dearest, s"],
        ["full run", "33.1", "fct_payment 31.0, fct_bill 2.00, dim_date 0.100"],
    ]


def test_between_goal_and_alarm_a_goal_is_not_reached() -> None:
    month = {**RESULTS, MONTH: [replace(run, wall_s=0.15 * run.wall_s) for run in RESULTS[FULL]]}
    goals = _tables(markdown("S", month, [], QUERIES, PASSES))[-1]
    (line,) = [row for row in goals if row[0].startswith("one more month, wall")]
    assert line[1:] == ["0.150", "0.200", "not reached"]


def test_every_measurement_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "made" / "results.json"
    write_json(file, {"size": "S"}, RESULTS)
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["size"] == "S"
    assert [run["wall_s"] for run in kept["runs"][FULL]] == [10.0, 20.0, 30.0]
    assert kept["runs"][FULL][0]["stages"]["load"] == {
        "wall_s": 5.0,
        "client_cpu_s": 1.0,
        "server_cpu_s": 1.0,
    }
