"""Which rows need no check in the database: those where every value stands in its canonical form, vectorised.

Only a shortcut past checks.py, which alone says what is wrong with a row. A row is taken here only if checks.py would
find no fault in it and PostgreSQL itself reads its texts as the landing.as_* functions do; every other row is left to
them. No SQL, no files.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from math import ceil, floor

import pyarrow as pa
import pyarrow.compute as pc

from dagster_project.contracts.model import Column, Contract, Form

# The years that both Arrow and PostgreSQL write with four digits and no sign.
_FIRST_YEAR = "1000"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")
_LONGEST_MONEY = 15
# Below the whole numbers that Arrow cannot have.
_LARGE = 10**18


def canonical_rows(contract: Contract, batch: pa.RecordBatch, today: date) -> pa.BooleanArray:
    """One truth value per row of a batch of texts (landing.records.batch_schema)."""
    good = pc.is_null(batch.column("field_count"))
    for column in contract.columns:
        if column.name in batch.schema.names:
            good = pc.and_(good, _canonical(column, batch.column(column.name), today))
        elif column.required:
            return pa.repeat(False, batch.num_rows)
    return good


def typed_text(column: Column, texts: pa.StringArray) -> pa.StringArray:
    """The texts of a canonical column as PostgreSQL reads them."""
    if column.form is Form.MONTH:
        first_day = pc.binary_join_element_wise(texts, "01", "-")
        return pc.if_else(pc.equal(texts, ""), "", first_day)
    return texts


def _canonical(column: Column, texts: pa.StringArray, today: date) -> pa.BooleanArray:
    length = pc.binary_length(texts)
    empty = pc.equal(length, 0)
    if column.fraction_unless:  # it hangs on another column
        return pa.repeat(False, len(texts))
    good = _FORMS[column.form](texts)
    if column.values:
        good = pc.and_(good, pc.is_in(texts, pa.array(column.values, pa.string())))
    if column.maximum_length is not None:
        # In bytes, which are never fewer than characters.
        good = pc.and_(good, pc.less_equal(length, column.maximum_length))
    if column.minimum is not None or column.exclusive_minimum is not None:
        good = pc.and_(good, _within(column, texts, good))
    if column.not_after_today:
        tomorrow = (today + timedelta(days=1)).isoformat()
        good = pc.and_(good, pc.less(typed_text(column, texts), tomorrow))
    return pc.and_(good, pc.invert(empty)) if column.required else pc.or_(good, empty)


def _within(column: Column, texts: pa.StringArray, good: pa.BooleanArray) -> pa.BooleanArray:
    """Whether the values, as far as they are good, surely keep to the column's limits."""
    if column.form not in (Form.MONEY, Form.SMALL_INTEGER):
        # Canonical numbers have no sign.
        is_met = column.exclusive_minimum is None and column.minimum is not None and column.minimum <= 0
        return pa.repeat(is_met and column.form is Form.DECIMAL, len(texts))
    limits = [limit for limit in (column.minimum, column.exclusive_minimum) if limit is not None]
    if not all(limit.is_finite() and abs(limit) < _LARGE for limit in limits):
        return pa.repeat(False, len(texts))
    values = pc.cast(pc.if_else(good, texts, "0"), pa.int64())
    within = pa.repeat(True, len(texts))
    if column.minimum is not None:
        within = pc.greater_equal(values, ceil(column.minimum))
    if column.exclusive_minimum is not None:
        within = pc.and_(within, pc.greater(values, floor(column.exclusive_minimum)))
    return within


def _text(texts: pa.StringArray) -> pa.BooleanArray:
    return pa.repeat(True, len(texts))


def _whole(longest: int) -> Callable[[pa.StringArray], pa.BooleanArray]:
    def check(texts: pa.StringArray) -> pa.BooleanArray:
        return pc.and_(pc.ascii_is_decimal(texts), pc.less_equal(pc.binary_length(texts), longest))

    return check


def _pattern(pattern: str) -> Callable[[pa.StringArray], pa.BooleanArray]:
    def check(texts: pa.StringArray) -> pa.BooleanArray:
        return pc.match_substring_regex(texts, f"^(?:{pattern})$")

    return check


def _listed(*values: str) -> Callable[[pa.StringArray], pa.BooleanArray]:
    def check(texts: pa.StringArray) -> pa.BooleanArray:
        return pc.is_in(texts, pa.array(values, pa.string()))

    return check


def _date(texts: pa.StringArray) -> pa.BooleanArray:
    return _calendar(texts, 10, pa.date32(), _is_date)


def _timestamp(texts: pa.StringArray) -> pa.BooleanArray:
    good = _calendar(texts, 19, pa.timestamp("s"), _is_timestamp)
    # Arrow takes a T between date and time as well.
    return pc.and_(good, pc.equal(pc.utf8_slice_codeunits(texts, 10, 11), " "))


def _date_or_timestamp(texts: pa.StringArray) -> pa.BooleanArray:
    return pc.or_(_date(texts), _timestamp(texts))


def _month(texts: pa.StringArray) -> pa.BooleanArray:
    return pc.and_(pc.equal(pc.binary_length(texts), 7), _date(pc.binary_join_element_wise(texts, "01", "-")))


def _calendar(
    texts: pa.StringArray, length: int, kind: pa.DataType, is_one: Callable[[str], bool]
) -> pa.BooleanArray:
    """Texts of this length that are of the kind, from the first of the years on."""
    right = pc.and_(pc.equal(pc.binary_length(texts), length), pc.greater_equal(texts, _FIRST_YEAR))
    candidates = pc.drop_null(pc.if_else(right, texts, None))
    try:
        # Of texts of this length it takes no other spelling than ISO's, but all of them or none.
        pc.cast(candidates, kind)
    except pa.ArrowInvalid:
        known = [text for text in pc.unique(candidates).to_pylist() if is_one(text)]
        return pc.and_(right, pc.is_in(texts, pa.array(known, pa.string())))
    return right


def _is_date(text: str) -> bool:
    return _DATE.fullmatch(text) is not None and _is_iso(text)


def _is_timestamp(text: str) -> bool:
    return _TIMESTAMP.fullmatch(text) is not None and _is_iso(text)


def _is_iso(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


_FORMS: dict[Form, Callable[[pa.StringArray], pa.BooleanArray]] = {
    Form.TEXT: _text,
    Form.DATE: _date,
    Form.TIMESTAMP: _timestamp,
    Form.DATE_OR_TIMESTAMP: _date_or_timestamp,
    Form.MONTH: _month,
    Form.MONEY: _whole(_LONGEST_MONEY),
    # Without zeros at its end, which the warehouse does not keep.
    Form.DECIMAL: _pattern(r"[0-9]{1,15}(\.[0-9]{0,19}[1-9])?"),
    Form.SMALL_INTEGER: _pattern("0|[1-9][0-9]{0,3}"),
    Form.BOOLEAN: _listed("true", "false"),
    Form.PHONE: _pattern("0[35789][0-9]{8}"),
}
