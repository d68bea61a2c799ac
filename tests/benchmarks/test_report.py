"""The benchmark's table: medians of each figure, ratios within each repeat."""

import json
from pathlib import Path

import pytest

from benchmarks.measure import Measurement
from benchmarks.report import DAY, FLOOR, FULL, STEPS, markdown, medians, ratios, write_json


def _run(wall: float, client: float = 1.0, server: float = 1.0) -> Measurement:
    return Measurement(wall, client, server, client_peak_mb=100, server_peak_mb=200, database_mb=300)


# The machine was twice as slow in the second repeat; the full run of the third met a disturbance.
RESULTS = {
    **{step: [_run(1.0), _run(1.0), _run(1.0)] for step in STEPS},
    FLOOR: [_run(2.0, 0, 1), _run(4.0, 0, 2), _run(2.0, 0, 1)],
    FULL: [_run(10.0, 2, 2), _run(20.0, 4, 4), _run(30.0, 2, 2)],
    DAY: [_run(1.0, 0.5, 0.5), _run(2.0, 1, 1), _run(1.0, 0.5, 0.5)],
}


def test_ratios_are_taken_repeat_by_repeat() -> None:
    assert ratios(RESULTS, FULL) == (5.0, 4.0, "floor")
    assert ratios(RESULTS, DAY) == (pytest.approx(0.1), 0.25, "full run")
    assert medians(RESULTS[FULL]).wall_s == 20.0


def test_the_table_has_a_line_for_every_step() -> None:
    lines = markdown("S", RESULTS, ["3 repeats"]).splitlines()
    table = [line.split("|")[1:-1] for line in lines if line.startswith("|")]
    assert {len(row) for row in table} == {11}
    assert [row[0].strip() for row in table[2:]] == list(STEPS)
    full = [cell.strip() for cell in table[3]]
    assert full == [
        "full run",
        "20.0",
        "4.00",
        "2.00",
        "2.00",
        "100",
        "200",
        "300",
        "5.0 ×",
        "4.0 ×",
        "floor",
    ]


def test_every_measurement_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "made" / "results.json"
    write_json(file, {"size": "S"}, RESULTS)
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["size"] == "S"
    assert [run["wall_s"] for run in kept["runs"][FULL]] == [10.0, 20.0, 30.0]
