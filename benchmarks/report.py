"""The tables of a benchmark: medians, and the ratios that are its point, as Markdown; and all figures as JSON.

The goals are those of the project; what is measured is elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.measure import Cost, Measurement
from benchmarks.product import AUDIT

FLOOR = "full run, floor"
DUCKDB = "full run, DuckDB"
FULL = "full run"
MONTH = "one more month"
DAY = "one day"
LATE = "one late payment"
NOTHING = "nothing new"
STEPS = (FLOOR, DUCKDB, FULL, MONTH, DAY, LATE, NOTHING)
YARDSTICKS = (FLOOR, DUCKDB)
DEAREST = 8

Results = Mapping[str, Sequence[Measurement]]

_HEAD = (
    "step", "wall s", "CPU s", "client CPU s", "server CPU s", "client MB", "server MB", "database MB",
    "wall ratio", "CPU ratio", "to",
)  # fmt: skip


def medians(runs: Sequence[Measurement]) -> Measurement:
    """The median of each figure by itself."""

    def middle(name: str) -> float:
        return median(getattr(run, name) for run in runs)

    return Measurement(
        middle("wall_s"),
        middle("client_cpu_s"),
        middle("server_cpu_s"),
        middle("client_peak_mb"),
        middle("server_peak_mb"),
        middle("database_mb"),
        {stage: _median_cost([run.stages[stage] for run in runs]) for stage in runs[0].stages},
    )


def ratios(results: Results, step: str, base: str) -> tuple[float, float]:
    """Median (wall, CPU) ratio of a step to another, repeat by repeat."""
    pairs = list(zip(results[step], results[base], strict=True))
    wall = median(run.wall_s / other.wall_s for run, other in pairs)
    cpu = median(run.cpu_s / other.cpu_s for run, other in pairs)
    return wall, cpu


def base_of(step: str) -> str | None:
    """What a step is compared with: yardsticks and the full run with the floor, all else with the full run."""
    if step == FLOOR:
        return None
    return FLOOR if step in (DUCKDB, FULL) else FULL


def markdown(
    title: str,
    results: Results,
    notes: Sequence[str],
    queries: Mapping[str, float],
    audit_pass: Sequence[Cost],
) -> str:
    """The tables as Markdown: steps, stages, dearest models, queries, goals. `queries`: seconds of each, their p95."""
    lines = [f"### {title}", "", *notes, "", *_steps(results), "", *_stages(results), ""]
    lines += ["```", *_bars(results), "```", ""]
    lines += [*_dearest_models(results), ""]
    lines += ["| dashboard query | p95 ms |", "|---|--:|"]
    lines += [f"| {name} | {_number(1000 * seconds)} |" for name, seconds in queries.items()]
    lines += ["", "| goal | measured | alarm | |", "|---|--:|--:|---|"]
    lines += [
        f"| {what} ≤ {_number(goal)} | {_number(measured)} | {_number(alarm)} | {_judged(measured, goal, alarm)} |"
        for what, measured, goal, alarm in _goals(results, max(queries.values()), audit_pass)
    ]
    return "\n".join(lines) + "\n"


def write_json(path: Path, facts: Mapping[str, Any], results: Results) -> None:
    """Every measurement of every repeat, with the facts about the run."""
    runs = {step: [asdict(run) for run in results[step]] for step in STEPS}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**facts, "runs": runs}, indent=2) + "\n", encoding="utf-8")


def _steps(results: Results) -> Iterator[str]:
    yield f"| {' | '.join(_HEAD)} |"
    yield f"|---{'|--:' * (len(_HEAD) - 2)}|---|"
    for step in STEPS:
        run, base = medians(results[step]), base_of(step)
        figures = [
            _number(run.wall_s),
            _number(median(each.cpu_s for each in results[step])),
            _number(run.client_cpu_s),
            _number(run.server_cpu_s),
            *(f"{value:,.0f}" for value in (run.client_peak_mb, run.server_peak_mb, run.database_mb)),
        ]
        if base is None:
            figures += ["", "", ""]
        else:
            figures += [*(f"{_number(ratio)} ×" for ratio in ratios(results, step, base)), base]
        yield f"| {' | '.join([step, *figures])} |"


def _stages(results: Results) -> Iterator[str]:
    """Wall and CPU seconds of the stages of each step."""
    steps = [step for step in STEPS if step not in YARDSTICKS]
    runs = {step: medians(results[step]).stages for step in steps}
    names = list(dict.fromkeys(name for stages in runs.values() for name in stages))
    yield f"| wall s / CPU s | {' | '.join(names)} |"
    yield f"|---{'|--:' * len(names)}|"
    for step, stages in runs.items():
        costs = [
            f"{_number(stages[name].wall_s)} / {_number(stages[name].cpu_s)}" if name in stages else ""
            for name in names
        ]
        yield f"| {step} | {' | '.join(costs)} |"


def _dearest_models(results: Results) -> Iterator[str]:
    """The models that take the most wall seconds in each step, and the sum of all; two are built at a time."""
    yield "| models | sum s | dearest, s |"
    yield "|---|--:|---|"
    for step in STEPS:
        runs = [run.models for run in results[step]]
        if not all(runs):
            continue
        seconds = {name: median(run.get(name, 0.0) for run in runs) for name in runs[0]}
        dearest = sorted(seconds, key=seconds.__getitem__, reverse=True)[:DEAREST]
        told = ", ".join(f"{name} {_number(seconds[name])}" for name in dearest)
        yield f"| {step} | {_number(sum(seconds.values()))} | {told} |"


def _bars(results: Results, width: int = 60) -> Iterator[str]:
    """Where each step's wall time goes: a bar of the first letters of its stages."""
    runs = {step: medians(results[step]).stages for step in STEPS if step not in YARDSTICKS}
    names = dict.fromkeys(name for stages in runs.values() for name in stages)
    yield ", ".join(f"{name[0]} {name}" for name in names)
    for step, stages in runs.items():
        total, bar, until = sum(cost.wall_s for cost in stages.values()), "", 0.0
        for name, cost in stages.items():
            until += cost.wall_s
            bar += name[0] * (round(width * until / total) - len(bar))
        yield f"{step:<16} {bar} {_number(total)} s"


def _goals(
    results: Results, slowest_query_s: float, audit_pass: Sequence[Cost]
) -> Iterator[tuple[str, float, float, float]]:
    """What is to be reached, measured, goal and alarm. Memory and seconds are medians, the rest ratios."""
    full, duckdb = ratios(results, FULL, FLOOR), ratios(results, FULL, DUCKDB)
    month, day = ratios(results, MONTH, FULL), ratios(results, DAY, FULL)
    run = medians(results[FULL])
    yield "full run, wall, of the floor's", full[0], 1.0, 1.5
    yield "full run, wall, of DuckDB's", duckdb[0], 2.2, 4
    yield "one more month, CPU, of the full run's", month[1], 1 / 12, 1 / 10
    yield "one more month, wall, of the full run's", month[0], 1 / 8, 1 / 5
    yield "one day, CPU, of the full run's", day[1], 1 / 60, 1 / 60
    yield "one day, wall, of the full run's", day[0], 1 / 60, 1 / 60
    yield "nothing new, s", medians(results[NOTHING]).wall_s, 5, 10
    yield "all Python processes, MB", run.client_peak_mb, 600, 800
    yield "private memory of the server, MB", run.server_peak_mb, 256, 256
    yield "slowest dashboard query, p95, ms", 1000 * slowest_query_s, 20, 20
    audits = [
        (measured.stages[AUDIT].cpu_s + once.cpu_s) / once.cpu_s
        for measured, once in zip(results[FULL], audit_pass, strict=True)
    ]
    yield "the audit, CPU, of one pass that checks the same", median(audits), 1.2, 1.2


def _judged(measured: float, goal: float, alarm: float) -> str:
    if measured <= goal:
        return "reached"
    return "not reached" if measured <= alarm else "alarm"


def _median_cost(costs: Sequence[Cost]) -> Cost:
    return Cost(
        median(cost.wall_s for cost in costs),
        median(cost.client_cpu_s for cost in costs),
        median(cost.server_cpu_s for cost in costs),
    )


def _number(value: float) -> str:
    """With three figures at least."""
    if value < 1:
        return f"{value:.3f}"
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}" if value < 1000 else f"{value:,.0f}"
