"""The row checks and casts of a contract as SQL: text in, typed rows and the faults of the others out.

One pass over a table of text. What each form looks like is in the landing.as_* functions (migration 0002);
which column has which form and which further conditions is in the contract. No files, no ledger.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from dagster_project.contracts.model import Column, Contract, Form
from dagster_project.raw.ddl import array, literal, quote

# To be raised when the landing.as_* functions or the readers judge a value differently than before,
# or when more is noted of a bad row: what was refused or quarantined is then tested again.
RULES = "3"

FIELD_COUNT = "field_count"
IN_FUTURE = "in_future"

# An offset can carry a written moment out of the calendar, where nobody could read it any more.
_CALENDAR = "between timestamp '0001-01-01' and timestamp '9999-12-31 23:59:59.999999'"

_PREFIX_SEED = Path(__file__).parents[2] / "seeds" / "phone_prefix_2018.csv"

_FUNCTIONS: dict[Form, str] = {
    Form.DATE: "landing.as_date",
    Form.TIMESTAMP: "landing.as_timestamp",
    Form.DATE_OR_TIMESTAMP: "landing.as_date_or_timestamp",
    Form.MONTH: "landing.as_month",
    Form.MONEY: "landing.as_money",
    Form.DECIMAL: "landing.as_decimal",
    Form.SMALL_INTEGER: "landing.as_small_integer",
    Form.BOOLEAN: "landing.as_boolean",
}

# What a value is not, in English and in Vietnamese.
_EXPECTED: dict[Form, tuple[str, str]] = {
    Form.DATE: ("not a date", "không phải là ngày"),
    Form.TIMESTAMP: ("not a date with a time", "không phải là ngày kèm giờ"),
    Form.DATE_OR_TIMESTAMP: ("not a date or timestamp", "không phải là ngày hoặc ngày giờ"),
    Form.MONTH: ("not a month", "không phải là tháng"),
    Form.MONEY: ("not an amount in whole VND", "không phải là số tiền nguyên đồng"),
    Form.DECIMAL: ("not a plain decimal number", "không phải là số thập phân"),
    Form.SMALL_INTEGER: ("not a small whole number", "không phải là số nguyên nhỏ"),
    Form.BOOLEAN: ("neither true nor false", "không phải là đúng hoặc sai (true/false)"),
}


@dataclass(frozen=True)
class Check:
    """One thing that can be wrong: true `condition` is a fault. The reasons never contain the value."""

    column: str
    code: str
    reason: str
    reason_vi: str
    condition: str


def fingerprint(contract: Contract) -> str:
    """Changes when the judgement of a row can change, by the contract or by the rules behind it."""
    behind = RULES
    if any(column.form is Form.PHONE for column in contract.columns):
        behind += "-" + hashlib.sha256(_PREFIX_SEED.read_bytes()).hexdigest()[:8]
    return f"{contract.fingerprint}-{behind}"


class RowChecks:
    """The statements that judge the rows of one contract. Table names are those of `tables`."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.text_table = f"pg_temp.text_{contract.source}"
        self.checked_table = f"pg_temp.checked_{contract.source}"
        self.checks = tuple(check for column in contract.columns for check in _checks(column))

    def create_tables(self) -> list[str]:
        """Makes the two temporary tables of a session: rows as text, rows as judged."""
        text = ", ".join(f'{quote(name)} text collate "C"' for name in self.contract.names)
        typed = ", ".join(f"{quote(column.name)} {column.sql_type}" for column in self.contract.columns)
        money = f"coalesce({quote(self.contract.money_column)}, 0)" if self.contract.money_column else "0"
        return [
            # A session may have loaded by another contract before.
            f"drop table if exists {self.text_table}, {self.checked_table}",
            f"create temp table {self._bare(self.text_table)} "
            f"(row_no bigint, line integer, field_count integer, {text}, extra text)",
            f"create temp table {self._bare(self.checked_table)} "
            f"(row_no bigint, line integer, field_count integer, {typed}, extra jsonb, bad integer[], "
            f"money bigint generated always as ({money}) stored)",
            f"create index on {self.checked_table} (row_no) where bad is not null",
        ]

    def check_rows(self, today: date) -> str:
        """Fills the table of judged rows from the table of text. `bad` holds the numbers of the faults."""
        columns = self.contract.columns
        inner = ["row_no", "line", "field_count", "extra"]
        outer: list[str] = []
        for column in columns:
            inner.append(f"{quote(column.name)} as {_text(column)}")
            if column.form is not Form.TEXT:
                inner.append(f"{value_of(column, quote(column.name))} as {_value(column)}")
            outer.append(_value(column))
        conditions = [check.condition.replace("{today}", literal(today.isoformat())) for check in self.checks]
        faults = ", ".join(
            f"case when {condition} then {number} end" for number, condition in enumerate(conditions, 1)
        )
        return (
            f"insert into {self.checked_table} "
            f"(row_no, line, field_count, {', '.join(map(quote, self.contract.names))}, extra, bad) "
            f"select row_no, line, field_count, {', '.join(outer)}, extra::jsonb, "
            "case when field_count is not null then '{0}'::integer[] "
            f"when {' or '.join(f'({condition})' for condition in conditions)} "
            f"then array_remove(array[{faults}]::integer[], null) end "
            # offset 0 keeps the planner from computing every cast again wherever its value is used
            f"from (select {', '.join(inner)} from {self.text_table} offset 0) as read_row"
        )

    def find_repeated(self, is_raw_empty: bool) -> str:
        """Row numbers of the good rows whose key came before, in the file or to raw, and whether they are duplicates:
        equal to an earlier row of the file, or to one that counts.

        In the file keys are told apart by a number made of them, which is quick to sort; only the rows of repeated
        numbers are compared.
        """
        table = self.checked_table
        number = " # ".join(
            f"hashtextextended({quote(name)}::text, {place})" for place, name in enumerate(self.contract.key)
        )
        key = ", ".join(map(quote, self.contract.key))
        everything = ", ".join(map(quote, self.contract.names))
        in_file = (
            "select row_no, place_of_equal > 1 as is_duplicate from ("
            f"select row_no, row_number() over (partition by {key} order by row_no) as place_of_key, "
            f"row_number() over (partition by {everything} order by row_no) as place_of_equal "
            f"from {table} where bad is null and {number} in "
            f"(select {number} from {table} where bad is null group by 1 having count(*) > 1)"
            ") as repeated where place_of_key > 1"
        )
        if is_raw_empty:
            return f"insert into pg_temp.repeated_row {in_file}"
        raw = f"from raw.{quote(self.contract.source)} as old_row where"
        same_key = " and ".join(
            f"new_row.{quote(name)} = old_row.{quote(name)}" for name in self.contract.key
        )
        same = same_row(self.contract, "new_row", "old_row")
        # offset 0 has each row looked up by its key: a join would read all of raw for every file.
        in_raw = (
            f"select row_no, exists (select {raw} {same} and not old_row.is_duplicate offset 0) "
            f"from {table} as new_row where bad is null and exists (select {raw} {same_key} offset 0)"
        )
        return (
            "insert into pg_temp.repeated_row "
            f"select row_no, bool_or(is_duplicate) from ({in_file} union all {in_raw}) as found group by row_no"
        )

    def accept_rows(self, has_repeated: bool) -> str:
        """Appends the good rows to the raw table; parameters: the ids of the file and of the change."""
        names = ", ".join(quote(name) for name in self.contract.names)
        version = quote(self.contract.version_column)
        rank = "0"
        if self.contract.rank_column:
            values = self.contract.column(self.contract.rank_column).values
            rank = f"array_position({array(values)}, {quote(self.contract.rank_column)})"
        flags, join = "false, false", ""
        if has_repeated:
            flags = "coalesce(repeated_row.is_duplicate, false), repeated_row.row_no is not null"
            join = "left join pg_temp.repeated_row using (row_no) "
        return (
            f"insert into raw.{quote(self.contract.source)} "
            f"({names}, file_id, line, version_at, version_rank, is_duplicate, is_key_repeated, extra, change_id) "
            f"select {names}, %s, line, {version}, {rank}, {flags}, extra, %s "
            f"from {self.checked_table} {join}where bad is null"
        )

    def count_rows(self) -> str:
        """The number of good rows, their money, and the moment they reach to."""
        through = self.contract.data_through
        reaches_to = "null::timestamp"
        if through:
            conditions = [f"{quote(name)} = {literal(value)}" for name, value in through.where]
            reaches_to = f"max({quote(through.column)})"
            if conditions:
                reaches_to += f" filter (where {' and '.join(conditions)})"
        return (
            f"select count(*), coalesce(sum(money), 0)::bigint, {reaches_to} "
            f"from {self.checked_table} where bad is null"
        )

    def faults_of(self, columns: Collection[str]) -> list[int]:
        """The numbers of all faults that these columns can have."""
        return [number for number, check in enumerate(self.checks, 1) if check.column in columns]

    def fields(self, alias: str) -> str:
        """The contract columns of a text row as JSON, to be tested again later."""
        pairs = ", ".join(f"{literal(name)}, {alias}.{quote(name)}" for name in self.contract.names)
        return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"

    @staticmethod
    def _bare(table: str) -> str:
        return table.removeprefix("pg_temp.")


def same_row(contract: Contract, one: str, other: str) -> str:
    """The condition that two rows are equal: in all contract columns, and in no other."""
    return " and ".join(
        f"{one}.{quote(column.name)} = {other}.{quote(column.name)}"
        if column.required
        else f"{one}.{quote(column.name)} is not distinct from {other}.{quote(column.name)}"
        for column in contract.columns
    )


@cache
def row_checks(contract: Contract) -> RowChecks:
    return RowChecks(contract)


@cache
def phone_prefixes() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The 11-digit mobile prefixes of before 2018, and today's for each of them."""
    with _PREFIX_SEED.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    return tuple(row["old_prefix"] for row in rows), tuple(row["new_prefix"] for row in rows)


def _text(column: Column) -> str:
    return quote("t_" + column.name)


def _value(column: Column) -> str:
    return quote(("t_" if column.form is Form.TEXT else "v_") + column.name)


def value_of(column: Column, text: str) -> str:
    """The typed value of an expression of text; null if it is not in the column's form."""
    if column.form is Form.TEXT:
        return text
    if column.form is Form.PHONE:
        old, new = phone_prefixes()
        return f"landing.as_phone({text}, {array(old)}, {array(new)})"
    return f"{_FUNCTIONS[column.form]}({text})"


def _checks(column: Column) -> list[Check]:
    text, value = _text(column), _value(column)
    checks: list[Check] = []

    def add(code: str, english: str, vietnamese: str, condition: str) -> None:
        name = column.name
        checks.append(Check(name, code, f"{name}: {english}", f"{name}: {vietnamese}", condition))

    if column.required:
        add("empty", "required, but empty", "bắt buộc nhưng để trống", f"{text} is null")
    if column.form in _FUNCTIONS:
        unreadable = f"{value} is null and {text} is not null"
        if column.form in (Form.TIMESTAMP, Form.DATE_OR_TIMESTAMP):
            unreadable += f" or {value} not {_CALENDAR}"
        add("form", *_EXPECTED[column.form], unreadable)
    if column.values:
        listed = ", ".join(
            value if column.form is Form.SMALL_INTEGER else literal(value) for value in column.values
        )
        names = ", ".join(column.values)
        add("list", f"not one of {names}", f"không thuộc danh sách {names}", f"{value} not in ({listed})")
    if column.maximum_length is not None:
        longest = column.maximum_length
        add(
            "length",
            f"longer than {longest} characters",
            f"dài hơn {longest} ký tự",
            f"length({text}) > {longest}",
        )
    if column.exclusive_minimum is not None:
        limit = column.exclusive_minimum
        add("range", f"not greater than {limit}", f"không lớn hơn {limit}", f"{value} <= {limit}")
    if column.minimum is not None:
        limit = column.minimum
        add("range", f"less than {limit}", f"nhỏ hơn {limit}", f"{value} < {limit}")
    if column.not_after_today:
        add(IN_FUTURE, "later than the day of loading", "sau ngày nạp", f"{value} >= date {{today}} + 1")
    if column.fraction_unless:
        other = quote("t_" + column.fraction_unless.column)
        exempt = ", ".join(literal(item) for item in column.fraction_unless.values)
        add(
            "range",
            "a rate, but not from 0 to 1",
            "là tỷ lệ nhưng không nằm trong khoảng 0 đến 1",
            f"{other} not in ({exempt}) and not {value} between 0 and 1",
        )
    return checks
