"""Streams pieces of bytes into COPY. Nothing about what they hold."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
from psycopg2.extensions import cursor as Cursor


def copy_from(cursor: Cursor, statement: str, pieces: Iterator[bytes]) -> None:
    """COPY … FROM STDIN of the pieces; an error while making them is raised as it is."""
    feed = _Feed(pieces)
    try:
        cursor.copy_expert(statement, feed, size=1 << 18)
    except psycopg2.Error:
        if feed.error is not None:
            raise feed.error from None
        raise


class _Feed:
    """The read() that copy_expert asks for. A piece may be longer than asked for: it is sent whole."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.error: Exception | None = None

    def read(self, _size: int = -1, /) -> bytes:
        try:
            for piece in self._pieces:
                if piece:  # an empty answer would end the stream
                    return piece
        except Exception as error:
            # psycopg2 turns it into an error of the server's; the caller raises this one instead.
            self.error = error
            raise
        return b""

    def readline(self, _size: int = -1, /) -> bytes:
        raise NotImplementedError("COPY reads pieces")
