"""The encoding of a text file: which it is, and that all of its bytes have a meaning. No delimiters, no columns.

Decided once for a whole file, never row by row. A byte order mark decides whatever is declared.
Declared TCVN3 or VNI: a file that is valid UTF-8 (or UTF-16 with its mark) holds look-alike characters, any other
holds the bytes of the font, which no valid UTF-8 can be.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import NamedTuple

from dagster_project.landing.declared import Declared
from dagster_project.landing.legacy_fonts import REPLACEMENT, UndecodableError
from dagster_project.landing.records import RefusedError

READ = 1 << 20
# Đ đ ô ê ă and the marks acute, tilde, hook and dot of Windows-1258: bytes that begin no Vietnamese letter in
# UTF-8. At the very end of a file they are that letter, not half of another.
_NEVER_BEGINS = b"\xd0\xf0\xf4\xea\xe3\xec\xde\xd2\xf2"
# Look-alikes in UTF-8. Neither font has such a pair of bytes, so a file with one that is not valid is damaged.
_LOOK_ALIKE = re.compile(rb"[\xc2\xc3][\xa1-\xbf]")


class Text(NamedTuple):
    """A file whose bytes can all be decoded so."""

    path: Path
    encoding: str

    def open(self) -> TextIOWrapper:
        return self.path.open(encoding=self.encoding, newline="")


class UnreadableTextError(Exception):
    """Text that cannot be had in Unicode; `before` is the part of its line in front of the first such character.

    `readable` is a file of all lines above it.
    """

    def __init__(self, readable: Text, line: int, before: str, what: str) -> None:
        super().__init__(what)
        self.readable = readable
        self.line = line
        self.before = before


def examine(path: Path, declared: Declared) -> Text:
    """The whole file as text; RefusedError or UnreadableTextError if it is none."""
    with path.open("rb") as stream:
        head = stream.read(4)
    if not head:
        raise RefusedError("the file is empty")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        with suppress(UnicodeDecodeError):
            return _in_unicode(_decodes(path, "utf-16"), declared)
        raise RefusedError("not valid UTF-16, though it begins with its byte order mark")
    if declared.is_legacy:
        return _in_unicode(_legacy(path, head), declared)
    if declared.form.encoding is not None:
        return _as_declared(path, head, declared.form.encoding)
    return _undeclared(path, head)


def _undeclared(path: Path, head: bytes) -> Text:
    encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    try:
        return _decodes(path, encoding)
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and error.object[error.start] not in _NEVER_BEGINS:
            raise RefusedError("truncated: it ends in the middle of a character") from None
    # How Vietnamese letters begin in UTF-8: as Windows-1258 they would be no words of any language.
    if encoding == "utf-8-sig" or _contains(path, (b"\xe1\xba", b"\xe1\xbb", b"\xc4\x91")):
        raise RefusedError("damaged UTF-8: some of its bytes are no characters")
    with suppress(UnicodeDecodeError):
        return _decodes(path, "cp1258")
    raise RefusedError("neither UTF-8, UTF-16 with a byte order mark, nor Windows-1258")


def _as_declared(path: Path, head: bytes, encoding: str) -> Text:
    if encoding == "utf-8" or head.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    with suppress(UnicodeError):
        return _decodes(path, encoding)
    with suppress(UnicodeError):  # a codec that cannot go on behind a fault, as UTF-16 without its mark
        _find_fault(path, encoding)
    raise RefusedError(f"some of its bytes are no {encoding}")


def _find_fault(path: Path, encoding: str) -> None:
    """UnreadableTextError with the place of the first bytes without a meaning."""
    readable = path.with_name("readable")
    with (
        path.open(encoding=encoding, errors="replace", newline="") as stream,
        readable.open("w", encoding="utf-8", newline="") as target,
    ):
        for number, line in enumerate(stream, 1):
            if REPLACEMENT in line:
                before = line[: line.index(REPLACEMENT)]
                fault = f"bytes that are no {encoding}"
                raise UnreadableTextError(Text(readable, "utf-8"), number, before, fault)
            target.write(line)


def _legacy(path: Path, head: bytes) -> Text:
    encoding = "utf-8-sig" if head.startswith(codecs.BOM_UTF8) else "utf-8"
    with suppress(UnicodeDecodeError):
        return _decodes(path, encoding)
    with path.open("rb") as stream:
        if encoding == "utf-8-sig" or any(_LOOK_ALIKE.search(line) for line in stream):
            raise RefusedError("damaged UTF-8: some of its bytes are no characters")
    # Bytes without a letter become the replacement character, which no font has.
    return _without_nul(Text(path, "cp1252"))


def _without_nul(text: Text) -> Text:
    if _contains(text.path, (b"\0",)):
        raise RefusedError("contains NUL characters: no text, or UTF-16 without a byte order mark")
    return text


def _in_unicode(text: Text, declared: Declared) -> Text:
    """The file beside it, all but its first line decoded: headers have their own rule (`Declared.header`)."""
    if not declared.is_legacy:
        return text
    decoded = Text(text.path.with_name("decoded"), "utf-8")
    is_header, number = True, 0
    with (
        text.path.open(encoding=text.encoding, errors="replace", newline="") as stream,
        decoded.path.open("w", encoding="utf-8", newline="") as target,
    ):
        while lines := stream.readlines(READ):
            while is_header and lines:
                is_header = not lines[0].strip()
                target.write(lines.pop(0))
                number += 1
            block = "".join(lines)
            try:
                target.write(declared.decode(block))
            except UndecodableError:
                _write_up_to_fault(lines, number, target, decoded, declared)
            number += len(lines)
    return decoded


def _write_up_to_fault(
    lines: Sequence[str], number: int, target: TextIOWrapper, decoded: Text, declared: Declared
) -> None:
    for line_no, line in enumerate(lines, number + 1):
        try:
            target.write(declared.decode(line))
        except UndecodableError as error:
            target.flush()
            raise UnreadableTextError(decoded, line_no, line[: error.position], str(error)) from None


def _decodes(path: Path, encoding: str) -> Text:
    decoder = codecs.getincrementaldecoder(encoding)()
    with path.open("rb") as stream:
        while block := stream.read(READ):
            if "\0" in decoder.decode(block):
                raise RefusedError("contains NUL characters: no text, or UTF-16 without a byte order mark")
        decoder.decode(b"", final=True)
    return Text(path, encoding)


def _contains(path: Path, signs: Sequence[bytes]) -> bool:
    with path.open("rb") as stream:
        return any(sign in block for block in iter(lambda: stream.read(READ), b"") for sign in signs)
