"""What the contract of a source has at least: all that the shipped one says, for the models rely on it.

A contract in the operator's overlay may say more. Where such files lie, and how they are read, is catalog.py's.
"""

from __future__ import annotations

from collections.abc import Iterator

from dagster_project.contracts.model import Column, Contract
from dagster_project.contracts.yaml_places import Way


def shortfalls(own: Contract, shipped: Contract) -> Iterator[tuple[str, Way]]:
    """What the contract lacks of the shipped one, and where in its document."""
    at_columns: Way = ("schema", 0, "properties")
    at_table: Way = ("schema", 0, "customProperties")

    def at(name: str) -> Way:
        return (*at_columns, own.names.index(name))

    if own.source != shipped.source:
        yield f"the file is called after {shipped.source}, not {own.source}", ("schema", 0, "name")
    missing = [name for name in shipped.names if name not in own.names]
    for name in missing:
        yield f"column {name} of the shipped contract is missing: add it again", at_columns
    for column in shipped.columns:
        if column.name not in missing:
            fault = _column_shortfall(own.column(column.name), column)
            if fault is not None:
                yield f"column {column.name}: {fault}", at(column.name)
    if own.key != shipped.key and not missing:
        differing = [name for name in own.names if (name in own.key) != (name in shipped.key)]
        yield (
            f"the key must stay {', '.join(shipped.key)}: it is that of the models",
            at(differing[0]) if differing else at_columns,
        )
    order = [name for name in own.names if name in shipped.names]
    moved = [name for name, other in zip(order, shipped.names, strict=False) if name != other]
    if moved and not missing:
        yield (
            f"column {moved[0]} stands in another place than in the shipped contract: the order of columns decides "
            "between rows of one version",
            at(moved[0]),
        )
    for header, name in shipped.headers.items():
        if name in own.names and own.headers.get(header) != name:
            yield (
                f"column {name}: the shipped contract also takes the header “{header}”: keep it as businessName or "
                "among its aliases",
                at(name),
            )
    for what, mine, theirs in (
        ("versionColumn", own.version_column, shipped.version_column),
        ("rankColumn", own.rank_column, shipped.rank_column),
        ("moneyColumn", own.money_column, shipped.money_column),
        ("dataThrough", own.data_through, shipped.data_through),
    ):
        if mine != theirs:
            yield f"{what} is another one than in the shipped contract: keep that", at_table
    if not set(shipped.lookups) <= set(own.lookups):
        yield "lookups lacks some of the shipped contract: keep them", at_table


def _column_shortfall(own: Column, shipped: Column) -> str | None:
    if own.form is not shipped.form:
        return f"must stay a {shipped.form.value.replace('_', ' ')}, as in the shipped contract"
    if shipped.required and not own.required:
        return "must stay required, as in the shipped contract"
    if shipped.personal and not own.personal:
        return "must stay classified as personal, as in the shipped contract"
    if shipped.values and tuple(value for value in own.values if value in shipped.values) != shipped.values:
        return f"its closed list must have {', '.join(shipped.values)}, in this order (more may be added)"
    for what, mine, theirs in (
        ("minimum", own.minimum, shipped.minimum),
        ("exclusiveMinimum", own.exclusive_minimum, shipped.exclusive_minimum),
        ("notAfterToday", own.not_after_today, shipped.not_after_today),
        ("fractionUnless", own.fraction_unless, shipped.fraction_unless),
    ):
        if mine != theirs:
            return f"{what} must stay as in the shipped contract"
    return None
