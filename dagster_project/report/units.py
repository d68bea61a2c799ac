"""Codes of units that people type: as the published tables know them, and what to say of one that they do not.

Does not belong here: what is asked of the unit.
"""

from __future__ import annotations

from datetime import date

from psycopg2.extensions import cursor as Cursor

from dagster_project.errors import CashlessError

TODAY = "2025h2"  # the era of today's map
_NO_DISTRICTS_FROM = date(2025, 7, 1)
# Bills whose place nobody knows: units of their own.
_PSEUDO = ("UNRESOLVED", "UNKNOWN")

# Tell with %(code)s, and %(era)s if any, whether there is such a unit.
_KNOWN = {
    "power_unit": "exists (select from bi.dim_power_unit where power_unit_code = %(code)s)"
    " or exists (select from bi.dim_customer where power_unit_code = %(code)s)",
    "commune": "exists (select from bi.dim_commune where era = %(era)s and commune_code = %(code)s)",
    "district": "exists (select from bi.dim_district where era = %(era)s and district_code = %(code)s)",
    "counter": "exists (select from bi.dim_collection_point where collection_point_code = %(code)s)",
}
_NAMES = {
    "power_unit": ("Điện lực", "power unit"),
    "commune": ("xã", "commune"),
    "district": ("huyện", "district"),
    "counter": ("điểm thu", "counter"),
}


def era_of(month: date) -> str:
    """The map of the month."""
    if month >= _NO_DISTRICTS_FROM:
        return TODAY
    return "2024" if month < date(2025, 1, 1) else "2025h1"


def known_code(cur: Cursor, kind: str, code: str, month: date | None = None) -> str:
    """The code of a unit (`kind`: see above) as it is known, also where it was given in small letters.

    On the map of the month, or today's. Raises CashlessError that says what is wrong with a code nobody knows.
    """
    if kind == "district" and month is not None and month >= _NO_DISTRICTS_FROM:
        raise CashlessError(
            f"Từ 2025-07 không còn cấp huyện / Districts were abolished on {_NO_DISTRICTS_FROM}: "
            f"{month:%Y-%m} has none. Ask for a commune or a power unit."
        )
    era = TODAY if month is None else era_of(month)
    for given in (code, code.upper()):
        if given in _PSEUDO and kind != "counter":
            return given
        cur.execute("select " + _KNOWN[kind], {"code": given, "era": era})
        if cur.fetchone() == (True,):
            return given
    vietnamese, english = _NAMES[kind]
    at, on = "hiện nay", "today"
    if month is not None and kind in ("commune", "district"):  # which each map has its own of
        at, on = f"kỳ {month:%Y-%m}", f"in {month:%Y-%m}"
    raise CashlessError(
        f"Không có {vietnamese} {code} {at} / No {english} {code} is known {on}."
        + (_of_another_map(cur, code) if kind == "commune" else "")
    )


def _of_another_map(cur: Cursor, commune_code: str) -> str:
    """What the code is on other maps, and what that has become; empty if it is on none."""
    cur.execute(
        """
        with recursive heir as (
            select era as first_era, commune_name as first_name, era, commune_code, commune_name
            from bi.dim_commune where commune_code = %(code)s
            union
            select heir.first_era, heir.first_name, later.era, later.commune_code, later.commune_name
            from heir
            join bi.dim_commune_succession as step
                on step.from_era = heir.era and step.from_commune_code = heir.commune_code
            join bi.dim_commune as later on later.era = step.to_era and later.commune_code = step.to_commune_code
        ),
        became as (
            select first_name, first_era,
                string_agg(commune_code || ' ' || commune_name, ', ' order by commune_code)
                    filter (where era = %(today)s and first_era <> %(today)s) as heirs
            from heir group by 1, 2
        )
        select first_name || ' (' || string_agg(first_era, ', ' order by first_era) || ')', heirs
        from became group by first_name, heirs order by min(first_era)
        """,
        {"code": commune_code, "today": TODAY},
    )
    maps = [name if heirs is None else f"{name}, nay là / today: {heirs}" for name, heirs in cur.fetchall()]
    return f" Mã của bản đồ khác / It is a code of another map: {'; '.join(maps)}." if maps else ""
