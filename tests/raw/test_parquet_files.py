"""What is special about Parquet: values that Python cannot have, and damaged files."""

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from landing_folder import GOOD, Landing, csv_text, row


def stored(numbers: list[int], kind: pa.DataType) -> pa.Array:
    """Values of a type by the numbers in which they are stored."""
    return pa.array(numbers, pa.int32() if pa.types.is_date32(kind) else pa.int64()).view(kind)


def write(path: Path, columns: Mapping[str, pa.Array]) -> None:
    """Payments T1, T2, …; the columns that are not given have good values."""
    (length,) = {len(values) for values in columns.values()}
    table = {name: pa.array([text] * length) for name, text in GOOD["payments"].items()}
    table["transaction_id"] = pa.array([f"T{number}" for number in range(1, length + 1)])
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({**table, **columns}), path)


@pytest.mark.parametrize(
    "days",
    [
        stored([3_000_000, 19858], pa.date32()),
        stored([-800_000, 19858], pa.date32()),
        stored([10**17, 19858 * 86_400_000], pa.date64()),
        # 9999-12-31T17:00Z is the year 10000 in local time; 2024-05-14T17:00Z is a local midnight
        stored([253402275600 * 10**6, 1715706000 * 10**6], pa.timestamp("us", "UTC")),
        stored([253402275600, 1715706000], pa.timestamp("s", "Asia/Ho_Chi_Minh")),
        stored([2**52, 1715706000], pa.timestamp("s", "UTC")),
        stored([-(2**52), 1715706000], pa.timestamp("s", "+07:00")),
        stored([2**52, 1715706000], pa.timestamp("s", "Nowhere/Unknown")),
        stored([2**62, 1715731200000], pa.timestamp("ms")),
    ],
    ids=lambda values: str(values.type),
)
def test_dates_out_of_the_calendar_go_to_quarantine(landing: Landing, days: pa.Array) -> None:
    write(landing.root / "payments/a.parquet", {"partner_settled_on": days, "note": days})
    landing.load()
    assert landing.query("select transaction_id, partner_settled_on from raw.payments") == [
        ("T2", date(2024, 5, 15))
    ]
    reason = "partner_settled_on: not a date"
    assert landing.quarantine() == [("payments/a.parquet", 1, "partner_settled_on", reason, "open")]


@pytest.mark.parametrize("number", [253402275600, 2**52, -(2**52), -62135596801])
@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Ho_Chi_Minh"])
def test_moments_out_of_the_calendar_go_to_quarantine(
    landing: Landing, number: int, zone: str | None
) -> None:
    moments = stored([number, 1715310000], pa.timestamp("s", zone))
    write(landing.root / "payments/a.parquet", {"paid_at": moments})
    (result,) = landing.load().sources["payments"].files
    assert (result.counts.rows_loaded, result.counts.rows_quarantined) == (1, 1)
    hour = 3 if zone is None else 10
    assert landing.query("select transaction_id, paid_at from raw.payments") == [
        ("T2", datetime(2024, 5, 10, hour))
    ]


def test_extra_columns_of_any_kind_are_kept(landing: Landing) -> None:
    days = stored([3_000_000, 19858], pa.date32())
    extras = {
        "day": days,
        "duration": stored([2**62, 60], pa.duration("s")),
        "days": pa.ListArray.from_arrays(pa.array([0, 1, 2], pa.int32()), days),
    }
    write(landing.root / "payments/a.parquet", extras)
    landing.load()
    assert landing.query("select extra from raw.payments order by line") == [
        (
            {
                "day": "10183-09-21",
                "duration": "<unreadable: duration[s]>",
                "days": "<unreadable: list<element: date32[day]>>",
            },
        ),
        ({"day": "2024-05-15", "duration": "0:01:00", "days": "[datetime.date(2024, 5, 15)]"},),
    ]


def test_ids_as_floats_have_no_fraction(landing: Landing) -> None:
    ids = pa.array([1234567890123456.0, None, float(2**53)])
    write(landing.root / "payments/a.parquet", {"bill_id": ids})
    landing.load()
    assert landing.query("select bill_id from raw.payments order by line") == [
        ("1234567890123456",),
        (None,),
        ("9007199254740992",),
    ]


@pytest.mark.parametrize(
    ("name", "values", "reason"),
    [
        ("bill_id", pa.array([b"\xff"]).view(pa.string()), "has text that is not valid UTF-8"),
        ("note", pa.array([b"\xff"]).view(pa.string()), "has text that is not valid UTF-8"),
        ("bill_id", pa.array(["a\0b"]), "contains NUL characters"),
        ("note", pa.array(["a\0b"]), "contains NUL characters"),
        ("no\0te", pa.array(["a"]), "contains NUL characters"),
    ],
)
def test_text_that_cannot_be_kept_refuses_the_file(
    landing: Landing, name: str, values: pa.Array, reason: str
) -> None:
    write(landing.root / "payments/a.parquet", {name: values})
    landing.put("payments/b.csv", csv_text("payments", [row("payments")]))
    bad, good = landing.load().sources["payments"].files
    assert (bad.refused_reason, good.counts.rows_loaded) == (reason, 1)


def test_damaged_pages_refuse_the_file(landing: Landing) -> None:
    path = landing.root / "payments/a.parquet"
    write(path, {"bill_id": pa.array([f"BE{number}" for number in range(5000)])})
    content = bytearray(path.read_bytes())
    content[100 : len(content) // 2] = b"\xa5" * (len(content) // 2 - 100)
    path.write_bytes(content)
    (result,) = landing.load().sources["payments"].files
    assert (result.refused_reason or "").startswith("cannot be read as Parquet, perhaps truncated: ")
    assert landing.query("select rows_in_file from bi.load_audit") == [(0,)]
