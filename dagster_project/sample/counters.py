"""Collection points: where they stand, whom they serve, when they open and close; and their file's rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from dagster_project.sample.reference import CITY_DISTRICT, Places
from dagster_project.sample.spans import NEVER, Ints, Table, day_number, eras, first_days, month_number

COUNTERS = 40  # power-unit counters still open when the closing begins
CLOSING_FROM = month_number(date(2024, 9, 1))
CLOSING_MONTHS = 16  # to December 2025
LAST_CLOSURE = date(2026, 6, 30)  # of the district seats, those with a plan
ANNOUNCED_DAYS_BEFORE = 55
PILOT_CLOSED = date(2022, 6, 30)
CITY_CLOSED = date(2022, 12, 31)


@dataclass
class Counters:
    """Arrays over collection points; `nearest` and `fallback` over the communes of 2024 (-1: none)."""

    codes: np.ndarray
    names: np.ndarray
    is_partner: np.ndarray
    commune: Ints
    serves: list[list[int]]
    opened: Ints
    planned: Ints
    closed: Ints
    reported: Ints
    nearest: Ints
    fallback: Ints
    partner_point: Ints


@dataclass
class _Draft:
    commune: int
    serves: list[int]
    is_partner: bool = False
    opened: int = 0
    planned: int = NEVER
    closed: int = NEVER
    reported: int = NEVER


def _district_groups(where: Places) -> dict[str, list[list[int]]]:
    """Per district the communes of each counter, the first of a group being where it stands."""
    groups: dict[str, list[list[int]]] = {}
    rural = [
        i for i in range(len(where.districts)) if where.districts[i] != CITY_DISTRICT and i != where.khanh_hai
    ]
    districts = sorted({str(where.districts[i]) for i in rural})
    for district in districts:
        # Towns and wards first: the seat of the district holds the first and longest open counter.
        members = sorted(
            (i for i in rural if where.districts[i] == district), key=lambda i: (-where.kinds[i], i)
        )
        count = max(1, round(COUNTERS * len(members) / len(rural)))
        groups[district] = [members[k::count] for k in range(count)]
    return groups


def _power_unit_points(rng: np.random.Generator, where: Places) -> list[_Draft]:
    groups = _district_groups(where)
    seats = [_Draft(group[0][0], group[0]) for group in groups.values()]
    others = [_Draft(members[0], members) for group in groups.values() for members in group[1:]]
    for point in seats + others:
        point.opened = day_number(date(2008, 1, 1)) + int(rng.integers(0, 3000))
    order = rng.permutation(len(others))
    for place, k in enumerate(order[: max(1, round(0.95 * len(others)))]):
        month = CLOSING_FROM + place * CLOSING_MONTHS // len(others)
        point = others[int(k)]
        point.planned = int(first_days(month)) + (0 if place % 2 == 0 else 15)
        # Some close later than planned, and some without the report to the authorities.
        point.closed = point.planned + (0, 0, 0, 0, 0, 14)[int(rng.integers(0, 6))]
        if place % 12 != 7:
            point.reported = point.planned - ANNOUNCED_DAYS_BEFORE
    for point in seats[::2]:
        point.planned = point.closed = day_number(LAST_CLOSURE)
        point.reported = point.planned - ANNOUNCED_DAYS_BEFORE
    closed_before = [_Draft(where.khanh_hai, [where.khanh_hai])]
    closed_before[0].closed = closed_before[0].planned = day_number(PILOT_CLOSED)
    city = [i for i in range(len(where.districts)) if where.districts[i] == CITY_DISTRICT]
    for k in range(4):
        closed_before.append(_Draft(city[k * 3], city[k::4]))
        closed_before[-1].closed = closed_before[-1].planned = day_number(CITY_CLOSED)
    for point in closed_before:
        point.opened = day_number(date(2010, 1, 1)) + int(rng.integers(0, 1000))
        point.reported = point.closed - ANNOUNCED_DAYS_BEFORE
    return seats + others + closed_before


def _partner_points(rng: np.random.Generator, where: Places) -> list[_Draft]:
    points = []
    for i in range(0, len(where.districts), 2):
        if where.districts[i] == CITY_DISTRICT or i == where.khanh_hai:
            continue
        serves = [
            k for k in (i, i + 1) if k < len(where.districts) and where.districts[k] == where.districts[i]
        ]
        serves = [k for k in serves if k != where.khanh_hai]
        opened = day_number(date(2016, 1, 1)) + int(rng.integers(0, 2000))
        points.append(_Draft(i, serves, is_partner=True, opened=opened))
    return points


def plan_counters(rng: np.random.Generator, where: Places) -> Counters:
    """All collection points of the company and its partners, over all time."""
    own, partner = _power_unit_points(rng, where), _partner_points(rng, where)
    drafts = own + partner
    nearest, fallback, partner_point = (np.full(len(where.districts), -1) for _ in range(3))
    seat_of: dict[str, int] = {}
    for k, point in enumerate(drafts):
        if point.closed < day_number(date(2023, 1, 1)):
            continue
        target = partner_point if point.is_partner else nearest
        target[point.serves] = k
        if not point.is_partner:
            seat_of.setdefault(str(where.districts[point.commune]), k)
    for i, district in enumerate(where.districts.tolist()):
        if nearest[i] >= 0:
            fallback[i] = seat_of[district]
    names = where.full_names[0]
    return Counters(
        codes=np.array([f"{'DL' if k >= len(own) else 'DT'}{k + 1:03d}" for k in range(len(drafts))]),
        names=np.array(
            [f"{'Đại lý thu' if d.is_partner else 'Điểm thu'} {names[d.commune]}" for d in drafts]
        ),
        is_partner=np.array([d.is_partner for d in drafts]),
        commune=np.array([d.commune for d in drafts]),
        serves=[d.serves for d in drafts],
        opened=np.array([d.opened for d in drafts]),
        planned=np.array([d.planned for d in drafts]),
        closed=np.array([d.closed for d in drafts]),
        reported=np.array([d.reported for d in drafts]),
        nearest=nearest,
        fallback=fallback,
        partner_point=partner_point,
    )


def collection_point_rows(counters: Counters, where: Places, horizon_day: int) -> Table:
    """One row per state of a point that was known by the horizon: opened, announced, closed."""
    rows: list[tuple[int, int, int, int, int, int]] = []
    for k in range(len(counters.codes)):
        planned, closed, reported = (
            int(a[k]) for a in (counters.planned, counters.closed, counters.reported)
        )
        opened = int(counters.opened[k])
        rows.append((k, opened, NEVER, NEVER, NEVER, opened * 86_400 + 28_800))
        announced = planned - ANNOUNCED_DAYS_BEFORE
        if planned < NEVER and announced <= horizon_day:
            rows.append((k, opened, planned, NEVER, reported, announced * 86_400 + 57_600))
        if closed <= horizon_day:
            rows.append((k, opened, planned, closed, reported, closed * 86_400 + 61_200))
    point, opened_on, planned_on, closed_on, reported_on, updated = (
        np.array(c) for c in zip(*rows, strict=True)
    )
    era = eras(updated // 86_400)
    # People go on using old codes: every ninth announcement or closure names the commune of the era before.
    era = np.where(np.arange(len(point)) % 9 == 4, np.maximum(era - 1, 0), era)
    serves = [
        ";".join(
            sorted(
                set(where.code(np.array(counters.serves[k]), np.full(len(counters.serves[k]), e)).tolist())
            )
        )
        for k, e in zip(point.tolist(), era.tolist(), strict=True)
    ]
    return {
        "collection_point_code": counters.codes[point],
        "name": counters.names[point],
        "operator": np.where(counters.is_partner[point], "partner", "power_unit"),
        "commune_code": where.code(counters.commune[point], era),
        "serves_commune_codes": np.array(serves, dtype=object),
        "opened_on": opened_on,
        "planned_close_on": planned_on,
        "closed_on": closed_on,
        "authority_reported_on": reported_on,
        "updated_at": updated,
    }
