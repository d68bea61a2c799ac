"""What a changed contract asks of its table raw.<source>: the statements, or why it cannot be. It changes nothing.

No row is lost and none is read anew: a table gets columns, wider types and other names. What would lose something is
refused. A column, or a table, without any value loses nothing, whatever happens to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from psycopg2.extensions import cursor as Cursor

from dagster_project.contracts.catalog import contracts
from dagster_project.contracts.model import SQL_TYPE, Column, Contract, Form
from dagster_project.raw.ddl import array, comment_statements, create_statements, literal, lookup_index, quote

_MOMENTS = (Form.TIMESTAMP, Form.DATE_OR_TIMESTAMP)

# The forms whose column can hold every value of another form. Text holds all.
_WIDER: dict[Form, tuple[Form, ...]] = {
    Form.SMALL_INTEGER: (Form.MONEY, Form.DECIMAL),
    Form.MONEY: (Form.DECIMAL,),
    Form.MONTH: (Form.DATE, *_MOMENTS),
    Form.DATE: _MOMENTS,
    Form.TIMESTAMP: (Form.DATE_OR_TIMESTAMP,),
    Form.DATE_OR_TIMESTAMP: (Form.TIMESTAMP,),
}


@dataclass(frozen=True)
class Table:
    """A raw table as it is: its contract columns in their order with their types, and what is said of them."""

    columns: dict[str, str]
    comments: dict[str | None, str | None]
    """By column; None: of the table."""
    shape: dict[str, Any] | None
    """Of the contract it follows (`shape_of`); None: it is from before that was kept."""


class CannotFollow(Exception):
    """Why the table cannot follow, with file and line."""


def shape_of(contract: Contract) -> dict[str, Any]:
    """What of a contract its table depends on."""
    rank = contract.rank_column
    return {
        "key": list(contract.key),
        "version": contract.version_column,
        "money": contract.money_column,
        "rank": rank,
        "rank_values": list(contract.column(rank).values) if rank else [],
        "columns": {column.name: [column.form.value, column.required] for column in contract.columns},
    }


def order_of_rows(known: Iterable[Contract]) -> str:
    """By what the current row of a key is found. A change of it can put another row in the first place.

    Columns that the operator has added decide only between rows that are equal in all that the models read.
    """
    shipped = contracts()
    return json.dumps(
        {
            contract.source: [
                contract.column(contract.rank_column).values if contract.rank_column else (),
                [(column.name, column.form) for column in shipped[contract.source].columns],
            ]
            for contract in known
        },
        ensure_ascii=False,
    )


def statements(cursor: Cursor, contract: Contract, table: Table, indexes: set[str]) -> list[str]:
    """What to do so that the table follows the contract, nothing for most; CannotFollow if it cannot."""
    shape = shape_of(contract)
    types = {column.name: bare_type(column) for column in contract.columns}
    if table.shape == shape and list(table.columns.items()) == list(types.items()):
        return list(comment_statements(contract, table.comments))
    change = _Change(cursor, contract, table)
    done = list(change.in_history())
    if change.is_structural and not change.has_rows:
        done += [f"drop table {change.raw}", *create_statements(contract)]
    else:
        done += change.of_table(indexes)
        done += comment_statements(contract, change.comments())
    return [*done, remember(contract, shape)]


def remember(contract: Contract, shape: dict[str, Any] | None = None) -> str:
    """The statement that notes which contract the table follows now."""
    text = literal(json.dumps(shape or shape_of(contract), ensure_ascii=False))
    return (
        f"insert into landing.contract (source, shape) values ({literal(contract.source)}, {text}) "
        "on conflict (source) do update set shape = excluded.shape, applied_at = clock_timestamp()"
    )


def bare_type(column: Column) -> str:
    """The column's type without its collation."""
    return column.sql_type.partition(" ")[0]


class _Change:
    """One table on its way from what it is to what its contract says."""

    def __init__(self, cursor: Cursor, contract: Contract, table: Table) -> None:
        self._cursor, self._contract, self._table = cursor, contract, table
        self.raw = f"raw.{quote(contract.source)}"
        self.renamed = self._find_renamed()
        """Former name → name."""
        self._types = {self.renamed.get(name, name): sql for name, sql in table.columns.items()}
        shape = table.shape or {"columns": {}}
        self._forms = {
            self.renamed.get(name, name): (Form(form), required)
            for name, (form, required) in shape["columns"].items()
        }
        self.is_structural = list(self._types.items()) != [
            (column.name, bare_type(column)) for column in contract.columns
        ] or (table.shape is not None and self._former("key") != list(contract.key))
        self.has_rows = self._exists("")

    def in_history(self) -> Iterator[str]:
        """Where columns are kept by their names outside the table: rows in quarantine, and withdrawn ones."""
        source = literal(self._contract.source)
        for old, new in self.renamed.items():
            former, name = literal(old), literal(new)
            for kept in ("landing.quarantine", "landing.withdrawn_row"):
                yield (
                    f"update {kept} set fields = (fields - {former}) || jsonb_build_object({name}, fields -> {former}) "
                    f"where source = {source} and fields ? {former} and not fields ? {name}"
                )
            yield (
                f"update landing.quarantine set column_name = {name} "
                f"where source = {source} and column_name = {former}"
            )
            yield (
                f"update landing.quarantine set fault_columns = array_replace(fault_columns, {former}, {name}) "
                f"where source = {source} and {former} = any(fault_columns)"
            )

    def of_table(self, indexes: set[str]) -> list[str]:
        """Of a table with rows. What cannot be comes first, so that nothing has been touched then."""
        self._keep_what_rows_stand_on()
        dropped = [name for name in self._types if name not in self._contract.names]
        for name in dropped:
            self._let_go(name)
        retyped = [
            part
            for column in self._contract.columns
            if column.name in self._types
            for part in self._retype(column)
        ]
        added = self._added(dropped)
        done = [
            f"alter table {self.raw} rename column {quote(old)} to {quote(new)}"
            for old, new in self.renamed.items()
        ]
        done += self._renamed_indexes(indexes)
        parts = [f"drop column {quote(name)}" for name in dropped] + retyped
        parts += [f"add column {quote(column.name)} {column.sql_type}" for column in added]
        if parts:
            done.append(f"alter table {self.raw} {', '.join(parts)}")
        done += self._ranked_anew()
        if retyped:
            done.append(f"analyze {self.raw}")
        return done

    def comments(self) -> dict[str | None, str | None]:
        """What is said of the columns by their names of today."""
        return {
            self.renamed.get(name, name) if name else None: text
            for name, text in self._table.comments.items()
        }

    def _find_renamed(self) -> dict[str, str]:
        renamed: dict[str, str] = {}
        for column in self._contract.columns:
            if column.name not in self._table.columns:
                former = [name for name in column.former_names if name in self._table.columns]
                if len(former) > 1:
                    raise self._cannot(
                        column.name,
                        f"its formerNames {' and '.join(former)} are both columns of {self._plain}: leave one of them, "
                        "and keep the other as a column of its own",
                    )
                renamed |= {name: column.name for name in former}
        return renamed

    def _keep_what_rows_stand_on(self) -> None:
        """Key, version and money: rows were told apart, put in order and added up by them."""
        contract = self._contract
        if not self.has_rows or self._table.shape is None:
            return
        key = self._former("key")
        if key != list(contract.key):
            differing = [name for name in contract.names if (name in contract.key) != (name in key)]
            raise self._cannot(
                differing[0] if differing else None,
                f"the key was {', '.join(key)} and the rows of {self._plain} were told apart by it: keep that key",
            )
        for what, now in (("version", contract.version_column), ("money", contract.money_column)):
            was = next(iter(self._former(what)), None)
            if was != now:
                raise self._cannot(
                    now, f"the {what}Column was {was}, and {self._plain} has rows by it: keep that"
                )

    def _let_go(self, name: str) -> None:
        if self._exists(f"where {self._old(name)} is not null"):
            raise self._cannot(
                None,
                f"{self._plain} has values in the column {name}, which the contract no longer has: keep the column; if "
                f"it has another name now, declare formerNames: [{name}] there",
                column=name,
            )

    def _retype(self, column: Column) -> list[str]:
        """The part of an `alter table`, if the column needs one."""
        form, was_required = self._forms.get(column.name, (None, column.required))
        if column.required and not was_required and self._exists(f"where {self._old(column.name)} is null"):
            raise self._cannot(
                column.name,
                f"is required now, but {self._plain} has rows without it: make it optional (required: false)",
            )
        was, now = self._types[column.name], bare_type(column)
        if not _holds_all(form, was, column):
            if self._exists(f"where {self._old(column.name)} is not null"):
                named = (form.value if form else was).replace("_", " ")
                raise self._cannot(
                    column.name,
                    f"{self._plain} has values of the form {named}, which the form "
                    f"{column.form.value.replace('_', ' ')} does not hold: keep the former one, or make it text",
                )
            return [_typed(column, "null")] if was != now else []
        if was == now:
            return []
        name = quote(column.name)
        if now == "text":
            return [_typed(column, f"to_char({name}, 'YYYY-MM')" if form is Form.MONTH else f"{name}::text")]
        return [_typed(column, name)]

    def _added(self, dropped: list[str]) -> list[Column]:
        """The new columns, which come last: the order of columns decides between rows of one version."""
        contract = self._contract
        present = [name for name in self._types if name not in dropped]
        known = [name for name in contract.names if name in present]
        for name, expected in zip(known, present, strict=True):
            if name != expected:
                raise self._cannot(
                    name,
                    f"stands in another place than in {self._plain}, where {expected} comes first: the order of "
                    "columns decides between rows of one version; keep it",
                )
        added = [column for column in contract.columns if column.name not in present]
        for column, name in zip(added, contract.names[len(present) :], strict=True):
            if column.name != name:
                raise self._cannot(
                    column.name,
                    f"is new, so it must stand behind {present[-1]}: the order of columns decides between rows of one "
                    "version",
                )
            if column.required:
                raise self._cannot(
                    column.name,
                    f"is new and required, but {self._plain} has rows, and none of them has it: make it optional "
                    "(required: false)",
                )
        return added

    def _renamed_indexes(self, indexes: set[str]) -> Iterator[str]:
        former = {new: old for old, new in self.renamed.items()}
        for names in self._contract.lookups:
            was = lookup_index(self._contract, tuple(former.get(name, name) for name in names))
            now = lookup_index(self._contract, names)
            if was != now and was in indexes:
                yield f"alter index raw.{quote(was)} rename to {quote(now)}"

    def _ranked_anew(self) -> Iterator[str]:
        rank, shape = self._contract.rank_column, self._table.shape
        if rank is None or shape is None:
            return
        values = self._contract.column(rank).values
        if [rank, *values] != [*(self._former("rank") or ["", ""])[:1], *shape["rank_values"]]:
            place = f"coalesce(array_position({array(values)}, {quote(rank)}::text), 0)"
            yield f"update {self.raw} set version_rank = {place} where version_rank <> {place}"

    def _former(self, what: str) -> list[str]:
        """What the shape before says, by today's names."""
        said = (self._table.shape or {}).get(what)
        return [self.renamed.get(name, name) for name in ([said] if isinstance(said, str) else said or [])]

    def _old(self, name: str) -> str:
        return quote({new: old for old, new in self.renamed.items()}.get(name, name))

    def _exists(self, condition: str) -> bool:
        self._cursor.execute(f"select exists (select from {self.raw} {condition})")
        return self._cursor.fetchone() == (True,)

    @property
    def _plain(self) -> str:
        return f"raw.{self._contract.source}"

    def _cannot(self, name: str | None, why: str, column: str | None = None) -> CannotFollow:
        of = f"column {column or name}: " if column or name else ""
        return CannotFollow(f"{self._contract.place_of_column(name)}: {of}{why}")


def _holds_all(form: Form | None, was: str, column: Column) -> bool:
    """Whether the column holds every value it had: of this form, or if that was not kept, of this type."""
    if column.form is Form.TEXT or column.form is form:
        return True
    if form is not None:
        return column.form in _WIDER.get(form, ())
    if was == bare_type(column):
        return True
    return any(
        column.form in wider for narrow, wider in _WIDER.items() if SQL_TYPE[narrow].partition(" ")[0] == was
    )


def _typed(column: Column, value: str) -> str:
    return f"alter column {quote(column.name)} type {column.sql_type} using {value}"
