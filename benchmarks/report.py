"""The table of a benchmark: medians, and the ratios that are its point, as Markdown; and all figures as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import Measurement

FLOOR = "full run, floor"
FULL = "full run"
MONTH = "one more month"
DAY = "one day"
LATE = "one late payment"
NOTHING = "nothing new"
STEPS = (FLOOR, FULL, MONTH, DAY, LATE, NOTHING)

Results = Mapping[str, Sequence[Measurement]]

_HEAD = (
    "step", "wall s", "CPU s", "client CPU s", "server CPU s", "client MB", "server MB", "database MB",
    "wall ratio", "CPU ratio", "to",
)  # fmt: skip


def medians(runs: Sequence[Measurement]) -> Measurement:
    """The median of each figure by itself."""
    return Measurement(
        **{field.name: median(getattr(run, field.name) for run in runs) for field in fields(Measurement)}
    )


def ratios(results: Results, step: str) -> tuple[float, float, str]:
    """Median (wall, CPU) ratio of a step, repeat by repeat: the full run to the floor, all else to the full run."""
    base = FLOOR if step == FULL else FULL
    pairs = list(zip(results[step], results[base], strict=True))
    wall = median(run.wall_s / other.wall_s for run, other in pairs)
    cpu = median(run.cpu_s / other.cpu_s for run, other in pairs)
    return wall, cpu, "floor" if base == FLOOR else "full run"


def markdown(title: str, results: Results, notes: Sequence[str]) -> str:
    """The table as Markdown."""
    lines = [f"### {title}", "", *notes, ""]
    lines += [f"| {' | '.join(_HEAD)} |", f"|---{'|--:' * (len(_HEAD) - 2)}|---|"]
    for step in STEPS:
        run = medians(results[step])
        figures = [
            _seconds(run.wall_s),
            _seconds(median(each.cpu_s for each in results[step])),
            _seconds(run.client_cpu_s),
            _seconds(run.server_cpu_s),
            *(f"{value:,.0f}" for value in (run.client_peak_mb, run.server_peak_mb, run.database_mb)),
        ]
        if step == FLOOR:
            figures += ["", "", ""]
        else:
            wall, cpu, base = ratios(results, step)
            figures += [_ratio(wall), _ratio(cpu), base]
        lines.append(f"| {' | '.join([step, *figures])} |")
    return "\n".join(lines) + "\n"


def write_json(path: Path, facts: Mapping[str, Any], results: Results) -> None:
    """Every measurement of every repeat, with the facts about the run."""
    runs = {step: [asdict(run) for run in results[step]] for step in STEPS}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**facts, "runs": runs}, indent=2) + "\n", encoding="utf-8")


def _seconds(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}"


def _ratio(value: float) -> str:
    return f"{value:.1f} ×" if value >= 1 else f"{value:.2f} ×"
