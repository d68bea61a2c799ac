"""Arrow columns of text as the text format of COPY has them. Nothing about what they hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# What the text format of COPY writes with a backslash, the backslash itself first.
_ESCAPES = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))


def copy_text(columns: Sequence[pa.Array]) -> bytes:
    """Columns of equal length as lines of COPY's text format; what is empty or null is nothing (null '')."""
    rows = len(columns[0])
    if not rows:
        return b""
    texts = [pc.fill_null(pc.cast(column, pa.string()), "") for column in columns]
    content = _lines(texts)
    chars = np.frombuffer(content, np.uint8)
    if (
        b"\\" in content
        or b"\r" in content
        or np.count_nonzero(chars == ord("\t")) != rows * (len(columns) - 1)
        or np.count_nonzero(chars == ord("\n")) != rows
    ):
        content = _lines([_escaped(column) for column in texts])
    return content


def _escaped(texts: pa.StringArray) -> pa.StringArray:
    for char, written in _ESCAPES:
        texts = pc.replace_substring(texts, char, written)
    return texts


def _lines(texts: Sequence[pa.StringArray]) -> bytes:
    lines = pc.binary_join_element_wise(*texts, "\t")
    joined = pc.binary_join(pa.ListArray.from_arrays(pa.array([0, len(lines)], pa.int32()), lines), "\n")
    content: bytes = joined[0].as_buffer().to_pybytes()
    return content + b"\n"
