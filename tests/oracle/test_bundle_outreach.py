"""The random bundles have every edge of the definitions about people and counters.

Belongs here: which edges must occur in some of a few bundles. Does not belong here: what they amount to (the
hand-worked cases).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

import pandas as pd

from .bundle import Bundle, random_bundle
from .columns import SOURCES, Row, Rows, records
from .outreach import baseline, credited_contacts, is_converted, reached
from .places import month_end
from .recompute import OUTREACH_TABLES, recompute
from .reference import era_of, reference
from .settlement import rows_by_key
from .world import Gates, World, make_world

SEEDS = range(16)
EDGES = (
    *("twice by two employees", "credited to nobody", "a later contact that does not convert"),
    *("conversion", "conversion undone by a reversal", "not reached", "contact without employee"),
    *(
        "unknown campaign",
        "contact of an unknown customer",
        "employee nobody knows",
        "campaign without contacts",
    ),
    *("campaign over 2025-01-01", "campaign over 2025-07-01", "same commune code in two eras"),
    *("baseline", "baseline of a mover", "baseline without anybody", "contacted in an unresolved commune"),
    *("target without contact", "target of 0", "target of another metric", "attainment"),
    *("closure put off", "counter closed", "counter of a partner", "closed after data through"),
    *("serves an old code", "serves an unknown code", "serves others after it closed", "serves nobody"),
    *("ready", *[f"not {gate}" for gate in ("is_cashless_rate_ok", "is_coverage_ok", "is_phone_ok")]),
    *("not is_feedback_ok", "not is_authority_reported", "rate null", "on time before", "on time after"),
    *("counter that serves closed customers", "notice before the first version", "told at a month's end"),
    *[f"notice {what}" for what in ("failed", "unknown", "mass_media", "public_posting")],
    *("review older than the phone", "review of another phone", "two reviews in a moment", "no phone"),
    *("phone that cannot be normalised", "verified and no longer so", "unresolved in a month"),
    *("feedback without commune", "feedback with an old code", "feedback with a recycled code"),
    *("reopened", "open with closed_at", "closed without closed_at", "feedback after the last bills"),
    *(
        "feedback before the first bills",
        "closed in a month's last second",
        "closed in a month's first moment",
    ),
    *("received at a month's end near midnight", "backlog over months", "backlog over a change of eras"),
    *("running month", "month without anything in scope"),
    *[f"{source} with {what}" for source in SOURCES for what in ("versions", "ties")],
)


def those(cases: dict[str, bool]) -> set[str]:
    """The names of the cases that are so."""
    return {name for name, is_so in cases.items() if is_so}


def of_contact(world: World, row: Row) -> set[str]:
    """The edges of one contact."""
    known = {campaign["campaign_id"] for campaign in world.current["campaigns"]}
    employees = {employee["employee_code"] for employee in world.current["employees"]}
    place = world.places.on_day(row["customer_code"], row["contacted_at"].date())
    return those(
        {
            "not reached": row["outcome"] == "not_reached",
            "contact without employee": row["employee_code"] is None,
            "employee nobody knows": row["employee_code"] not in {None, *employees},
            "unknown campaign": row["campaign_id"] not in known,
            "contact of an unknown customer": place.commune_code == "UNKNOWN",
            "contacted in an unresolved commune": place.commune_code == "UNRESOLVED",
            "conversion": row["outcome"] != "not_reached" and is_converted(world, row),
        }
    )


def of_campaigns(bundle: Bundle, world: World) -> Iterator[str]:
    """The edges of campaigns and employees."""
    contacts = world.current["campaign_contacts"]
    by_pair: dict[tuple[str, str], Rows] = defaultdict(list)
    communes: dict[str, set[tuple[str, int]]] = defaultdict(set)
    for row in contacts:
        yield from of_contact(world, row)
        day = row["contacted_at"].date()
        commune = world.places.on_day(row["customer_code"], day).commune_code
        by_pair[row["campaign_id"], row["customer_code"]].append(row)
        communes[row["campaign_id"]].add((commune, era_of(day)))
    for rows in by_pair.values():
        spoken_to = sorted(reached(rows), key=lambda row: (row["contacted_at"], row["contact_id"].encode()))
        converted = [is_converted(world, row) for row in spoken_to]
        yield from those(
            {
                "twice by two employees": len({row["employee_code"] for row in spoken_to} - {None}) > 1,
                "a later contact that does not convert": any(converted) and not converted[-1],
            }
        )
    eras = [{era for _, era in found} for found in communes.values()]
    kept = bundle.tables["payments"][bundle.tables["payments"]["kind"] == "payment"]
    without_reversals = make_world({**bundle.tables, "payments": kept}, 60, Gates())
    yield from those(
        {
            "credited to nobody": any(row["employee_code"] is None for row in credited_contacts(world)),
            "campaign over 2025-01-01": any({0, 1} <= found for found in eras),
            "campaign over 2025-07-01": any({1, 2} <= found for found in eras),
            "same commune code in two eras": any(
                len(found) > len({code for code, _ in found}) for found in communes.values()
            ),
            "conversion undone by a reversal": any(
                is_converted(without_reversals, row) and not is_converted(world, row)
                for row in reached(contacts)
            ),
        }
    )


def of_baseline(world: World) -> Iterator[str]:
    """The edges of those who were not contacted."""
    for campaign in {row["campaign_id"] for row in world.current["campaigns"]}:
        rows = [row for row in world.current["campaign_contacts"] if row["campaign_id"] == campaign]
        if not rows:
            yield "campaign without contacts"
            continue
        others = baseline(world, reached(rows))
        yield "baseline" if others else "baseline without anybody"
        days = sorted(row["contacted_at"].date() for row in rows)
        for customer in others:
            if len({world.places.on_day(customer, day).commune_code for day in (days[0], days[-1])}) > 1:
                yield "baseline of a mover"


def of_targets(world: World, figures: dict[str, pd.DataFrame]) -> Iterator[str]:
    """The edges of employees' targets."""
    for row in records(figures["kpi_employee_month"]):
        if row["target"] is not None and row["contacts"] == 0:
            yield "target without contact"
        if row["target"] == 0:
            yield "target of 0"
        if row["attainment"]:
            yield "attainment"
    if any(row["level"] == "employee" and row["metric"] != "conversions" for row in world.current["targets"]):
        yield "target of another metric"


def of_points(bundle: Bundle, world: World) -> Iterator[str]:
    """The edges of counters' versions."""
    versions = rows_by_key("collection_points", records(bundle.tables["collection_points"]))
    for point in world.points.all_points():
        rows = sorted(versions[(point["collection_point_code"],)], key=lambda row: row["updated_at"])
        plans = [row["planned_close_on"] for row in rows if row["planned_close_on"] is not None]
        closed, known = point["closed_on"], world.data_through
        later = [row for row in rows if closed is not None and row["updated_at"].date() > closed]
        yield from those(
            {
                "closure put off": bool(plans) and plans[-1] > plans[0],
                "counter of a partner": point["operator"] == "partner",
                "counter closed": closed is not None,
                "closed after data through": closed is not None and known is not None and closed > known,
                "serves others after it closed": any(
                    row["serves_commune_codes"] != rows[0]["serves_commune_codes"] for row in later
                ),
            }
        )
        for row in rows:
            yield from of_served(row)


def of_served(row: Row) -> Iterator[str]:
    """The edges of the codes that a counter's version serves."""
    facts = reference()
    for code in [part.strip() for part in row["serves_commune_codes"].split(";")]:
        if code and (code, era_of(row["updated_at"].date())) not in facts.communes:
            yield "serves an old code" if (code, 0) in facts.communes else "serves an unknown code"


def of_closures(world: World, figures: dict[str, pd.DataFrame]) -> Iterator[str]:
    """The edges of closures."""
    for row in records(figures["kpi_counter_closure"]):
        served = world.points.served(row["collection_point_code"], row["as_of"])
        inactive = set(world.places.customers()) - set(world.places.active_on(row["as_of"]))
        yield from those(
            {
                "ready": row["is_ready"],
                "serves nobody": row["customers_served"] == 0,
                "rate null": row["cashless_rate"] is None,
                "on time before": row["on_time_rate_before"] is not None,
                "on time after": row["on_time_rate_after"] is not None,
                **{f"not {gate}": not row[gate] for gate in row if gate.startswith("is_")},
                "counter that serves closed customers": any(
                    world.places.on_day(customer, row["as_of"]).commune_code in served
                    for customer in inactive
                ),
            }
        )


def of_notices(world: World) -> Iterator[str]:
    """The edges of notices."""
    for row in world.current["notifications"]:
        if row["topic"] != "counter_closure":
            continue
        who, sent = row["customer_code"], row["sent_at"].date()
        yield f"notice {row['medium']}"
        yield from those(
            {
                f"notice {row['delivery']}": who is not None,
                "told at a month's end": row["sent_at"].hour == 23 and sent == month_end(sent),
                "notice before the first version": who is not None
                and world.places.knows(who)
                and world.places.version_on(who, sent) is None,
            }
        )


def of_phones(world: World, figures: dict[str, pd.DataFrame]) -> Iterator[str]:
    """The edges of phone reviews."""
    moments: dict[tuple[object, ...], set[str]] = defaultdict(set)
    for row in world.current["phone_reviews"]:
        who, phone = row["customer_code"], row["phone"]
        moments[who, phone, row["reviewed_at"]].add(row["result"])
        then = world.places.version_on(who, row["reviewed_at"].date())
        now = world.places.version_on(who, dt.date(2999, 1, 1))
        is_of_now = phone is not None and now is not None and phone == now["phone"]
        yield from those(
            {
                "no phone": phone is None,
                "review of another phone": phone is not None and not is_of_now,
                "review older than the phone": is_of_now and (then is None or then["phone"] != phone),
                "phone that cannot be normalised": is_of_now and not (len(phone) == 10 and phone.isdigit()),
            }
        )
    months: dict[str, list[int]] = defaultdict(list)
    for row in sorted(records(figures["kpi_phone_month"]), key=lambda row: row["month"]):
        months[row["commune_code"]].append(row["customers_verified"])
    yield from those(
        {
            "two reviews in a moment": any(len(results) > 1 for results in moments.values()),
            "verified and no longer so": any(
                later < before for found in months.values() for before, later in pairwise(found)
            ),
            "unresolved in a month": "UNRESOLVED" in months,
        }
    )


def of_feedback(world: World) -> Iterator[str]:
    """The edges of feedback."""
    communes, months = reference().communes, world.bill_months()
    for row in world.current["feedback"]:
        received, closed, code = row["received_at"], row["closed_at"], row["commune_code"]
        era = era_of(received.date())
        until = closed.date() if closed else months[-1]
        was, is_now = communes.get((code, 0)), communes.get((code, era))
        yield from those(
            {
                "feedback without commune": code is None,
                "feedback with an old code": was is not None and is_now is None,
                "feedback with a recycled code": was is not None
                and is_now is not None
                and was.full_name != is_now.full_name,
                "reopened": row["reopened"],
                "open with closed_at": row["status"] == "open" and closed is not None,
                "closed without closed_at": row["status"] == "closed" and closed is None,
                "closed in a month's first moment": closed is not None
                and until.day == 1
                and closed.time() == dt.time(),
                "closed in a month's last second": closed is not None
                and closed.time() == dt.time(23, 59, 59)
                and until == month_end(until),
                "received at a month's end near midnight": received.hour == 23
                and received.date() == month_end(received.date()),
                "feedback after the last bills": received.date() > month_end(months[-1]),
                "feedback before the first bills": received.date() < months[0],
                "backlog over a change of eras": era < era_of(until),
            }
        )


def of_months(world: World, figures: dict[str, pd.DataFrame]) -> set[str]:
    """The edges of whole months."""
    months, progress = world.bill_months(), figures["kpi_progress"]
    feedback = figures["kpi_feedback_month"]
    return those(
        {
            "backlog over months": bool((feedback["received"] == 0).any()),
            "running month": progress[progress["bill_month"] == months[-1]]["days_after"].max() < 60,
            "month without anything in scope": bool(
                {row["bill_month"] for row in world.current["bills"]} - set(months)
            ),
        }
    )


def of_versions(tables: dict[str, pd.DataFrame]) -> Iterator[str]:
    """Sources that have older versions of a row, and equal versions that say different things."""
    for name, source in SOURCES.items():
        for rows in rows_by_key(name, records(tables[name])).values():
            newest = max(row[source.version] for row in rows)
            differ = {tuple(row.values()) for row in rows if row[source.version] == newest}
            if len(rows) > 1:
                yield f"{name} with versions"
            if len(differ) > 1:
                yield f"{name} with ties"


def test_every_edge_occurs() -> None:
    found: Counter[str] = Counter()
    for seed in SEEDS:
        bundle = random_bundle(seed)
        figures = recompute(bundle.tables, tables=OUTREACH_TABLES)
        world = make_world(bundle.tables, 60, Gates())
        found.update({*of_campaigns(bundle, world), *of_baseline(world), *of_targets(world, figures)})
        found.update({*of_points(bundle, world), *of_closures(world, figures), *of_notices(world)})
        found.update({*of_phones(world, figures), *of_feedback(world), *of_months(world, figures)})
        found.update(of_versions(bundle.tables))
    assert not [edge for edge in EDGES if not found[edge]]


def test_numerators_do_not_exceed_denominators() -> None:
    for seed in range(5):
        tables = recompute(random_bundle(seed).tables, tables=OUTREACH_TABLES)
        for name, small, large in [
            ("kpi_employee_month", "contacts_not_reached", "contacts"),
            ("kpi_campaign", "customers_contacted", "contacts"),
            ("kpi_campaign", "contacted_paying_cash", "customers_contacted"),
            ("kpi_campaign", "converted", "contacted_paying_cash"),
            ("kpi_notification_month", "customers_notified", "customers_active"),
            ("kpi_phone_month", "customers_verified", "customers_active"),
            ("kpi_feedback_month", "closed", "received"),
            ("kpi_progress", "bills_settled", "bills_issued"),
            ("kpi_progress", "bills_cashless", "bills_settled"),
        ]:
            assert (tables[name][small] <= tables[name][large]).all(), f"{name} {small} of seed {seed}"
