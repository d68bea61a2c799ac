"""Streams blocks of text into COPY. Nothing about what they hold."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
from psycopg2.extensions import cursor as Cursor


def copy_blocks(cursor: Cursor, statement: str, blocks: Iterator[str]) -> None:
    """COPY … FROM STDIN of the blocks; an error while making them is raised as it is."""
    feed = _Feed(blocks)
    try:
        cursor.copy_expert(statement, feed, size=1 << 18)
    except psycopg2.Error:
        if feed.error is not None:
            raise feed.error from None
        raise


class _Feed:
    """The read() that copy_expert asks for. A block may be longer than asked for: it is sent whole."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self.error: Exception | None = None

    def read(self, _size: int = -1, /) -> bytes:
        try:
            for block in self._blocks:
                if block:  # an empty answer would end the stream
                    return block.encode()
        except Exception as error:
            # psycopg2 turns it into an error of the server's; the caller raises this one instead.
            self.error = error
            raise
        return b""

    def readline(self, _size: int = -1, /) -> bytes:
        raise NotImplementedError("COPY reads blocks")
