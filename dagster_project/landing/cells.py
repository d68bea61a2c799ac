"""Typed cells of Excel and Parquet as the text a CSV would have. No files, no judgement of values."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from dagster_project.contracts.model import Form

_LOCAL = ZoneInfo("Asia/Ho_Chi_Minh")
_DAYS = (Form.DATE, Form.MONTH)
# Up to here a float holds every whole number: an id of 16 digits among them.
_EXACT = 2**53


def cell_text(value: Any, form: Form | None) -> str:  # noqa: PLR0911 - one line per kind of cell
    """The text of a cell; the form of its column decides how a date is written. Null is empty."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _fraction(_float_text(value), form)
    if isinstance(value, datetime):
        return _moment_text(value, form)
    if isinstance(value, date):
        return _day_text(value, form)
    if isinstance(value, Decimal):
        return _fraction(_decimal_text(value), form)
    if isinstance(value, time | timedelta):
        return str(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="backslashreplace")
    return str(value)


def _fraction(text: str, form: Form | None) -> str:
    """A number cell's text whose point nobody takes for that of a group of thousands: 234.125 is no 234125."""
    return f"{text}0" if form is Form.MONEY and text[-4:-3] == "." else text


def _float_text(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN is how pandas writes null
        return ""
    if value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    # Never with an exponent: 1e-05 is no form of a number in a contract.
    return format(Decimal(repr(value)), "f")


def _decimal_text(value: Decimal) -> str:
    if value.is_finite() and value == value.to_integral_value():
        return format(value.quantize(Decimal(1)), "f") if abs(value) < 10**20 else format(value, "f")
    return format(value, "f")


def _day_text(value: date, form: Form | None) -> str:
    if form is Form.MONTH and value.day == 1:
        return value.isoformat()[:7]
    if form is Form.TIMESTAMP:
        return f"{value.isoformat()} 00:00:00"
    return value.isoformat()


def _moment_text(value: datetime, form: Form | None) -> str:
    if form in _DAYS:
        # Libraries without a date type write a day as its midnight.
        try:
            local = value.astimezone(_LOCAL) if value.tzinfo else value
        except OverflowError:
            return value.isoformat(sep=" ")  # its local day lies outside the calendar: no date
        if local.time() == time():
            return _day_text(local.date(), form)
    return value.isoformat(sep=" ")
