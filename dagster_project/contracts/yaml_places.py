"""Where in a YAML text something stands, so that a person is told the line to edit. Nothing of what it means."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

# The C loader reads the twelve files in a tenth of the time; it is not in every build of PyYAML.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


# Keys and positions that lead to a place in a document.
Way = tuple[str | int, ...]


class Place(NamedTuple):
    """A line and a column of a text, both from 1."""

    line: int
    column: int


def place_of(text: str, way: Way) -> Place:
    """Where the way leads to in the document; where it ends, if it does not go on."""
    node = yaml.compose(text, Loader=Loader)
    if node is None:
        return Place(1, 1)
    mark = node.start_mark
    for step in way:
        found = _child(node, step)
        if found is None:
            break
        mark, node = found
    return Place(mark.line + 1, mark.column + 1)


def place_of_error(error: yaml.YAMLError) -> Place:
    """Where a text is no YAML."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)


def repeated_keys(text: str) -> Iterator[tuple[str, Place]]:
    """Keys that stand twice in one mapping (YAML would silently take the last one), each with its second place."""
    waiting = [yaml.compose(text, Loader=Loader)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, yaml.SequenceNode):
            waiting += node.value
        elif isinstance(node, yaml.MappingNode):
            seen: set[str] = set()
            for key, value in node.value:
                name = str(key.value)
                if name in seen:
                    yield name, Place(key.start_mark.line + 1, key.start_mark.column + 1)
                seen.add(name)
                waiting.append(value)


def _child(node: Any, step: str | int) -> tuple[Any, Any] | None:
    """The mark and the node of a step: of an entry of a mapping, its key has the mark."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key.start_mark, value
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark, node.value[step]
    return None
