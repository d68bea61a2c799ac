"""Files damaged at random: the bytes, the members of a zip archive, what is packed in a gzip, pure noise.

Belongs here: how a file is spoilt. Which files, and what must become of them, is in test_fuzzed_bytes.py.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Callable
from random import Random

# What stands for something in one of the formats.
TELLING = (
    b'"', b"\n", b"\r", b"\0", b",", b";", b"\xff", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1f\x8b", b"PK\x03\x04", b"PAR1",
    b"<", b">", b"&", b"&#0;", b"<row", b"</c>", b't="e"', b't="s"', b't="d"', b"1e999", b"-1", b"NaN", b"99999999999",
    b"\xd0\xcf\x11\xe0", b"\x80" * 4, b"\xff" * 8, "Tổng cộng".encode(), "ơ".encode()[:1], b"\\N", b"NULL",
)  # fmt: skip


def damage(random: Random, content: bytes, ending: str) -> bytes:
    """The content with a few faults, on its surface or in what is packed in it."""
    if ending == ".csv.gz" and random.random() < 0.5:
        return gzip.compress(damage(random, gzip.decompress(content), ".csv"), mtime=0)
    if content.startswith(b"PK") and random.random() < 0.7:
        return _damaged_archive(random, content)
    for _ in range(random.choice((1, 1, 1, 2, 5))):
        content = random.choice(_FAULTS)(random, content)
    return content


def noise(random: Random, content: bytes) -> bytes:
    """Bytes of no file, perhaps with the first ones of a real one."""
    return content[: random.choice((0, 0, 4, 60))] + random.randbytes(random.choice((0, 1, 3, 40, 3000)))


def _flip(random: Random, content: bytes) -> bytes:
    if not content:
        return content
    place = random.randrange(len(content))
    return content[:place] + bytes([content[place] ^ 1 << random.randrange(8)]) + content[place + 1 :]


def _replace(random: Random, content: bytes) -> bytes:
    place = random.randrange(len(content) + 1)
    text = random.choice(TELLING)
    return content[:place] + text + content[place + len(text) :]


def _insert(random: Random, content: bytes) -> bytes:
    place = random.randrange(len(content) + 1)
    return content[:place] + random.choice(TELLING) + content[place:]


def _cut_end(random: Random, content: bytes) -> bytes:
    return content[: random.randrange(len(content) + 1)]


def _cut_out(random: Random, content: bytes) -> bytes:
    first, last = _part(random, content)
    return content[:first] + content[last:]


def _repeat(random: Random, content: bytes) -> bytes:
    first, last = _part(random, content)
    return content[:last] + content[first:last] * random.choice((1, 1, 3)) + content[last:]


def _overwrite(random: Random, content: bytes) -> bytes:
    first, last = _part(random, content)
    return content[:first] + random.randbytes(last - first) + content[last:]


def _blank_out(random: Random, content: bytes) -> bytes:
    first, last = _part(random, content)
    return content[:first] + bytes(last - first) + content[last:]


def _other_number(random: Random, content: bytes) -> bytes:
    """Another number in the place of one that is written in digits: the row of a cell, a count, a type."""
    numbers = list(re.finditer(rb"[0-9]+", content))
    if not numbers:
        return content
    number = random.choice(numbers)
    other = random.choice((b"0", b"-1", b"65536", b"1048577", b"4294967296", b"99999999999999999999"))
    return content[: number.start()] + other + content[number.end() :]


def _part(random: Random, content: bytes) -> tuple[int, int]:
    first = random.randrange(len(content) + 1)
    return first, min(len(content), first + random.choice((1, 2, 8, 100, 1000)))


_FAULTS: tuple[Callable[[Random, bytes], bytes], ...] = (
    _flip,
    _flip,
    _replace,
    _insert,
    _cut_end,
    _cut_out,
    _repeat,
    _overwrite,
    _blank_out,
    _other_number,
)


def _damaged_archive(random: Random, content: bytes) -> bytes:
    """One member damaged, lost, empty, twice or under another's name; the archive around it is sound."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [(name, archive.read(name)) for name in archive.namelist()]
    except (zipfile.BadZipFile, zlib.error):
        return content
    if not members:
        return content
    place = random.randrange(len(members))
    name, data = members[place]
    match random.random():
        case chance if chance < 0.7:
            for _ in range(random.choice((1, 1, 2))):
                data = random.choice(_FAULTS)(random, data)
            members[place] = (name, data)
        case chance if chance < 0.8:
            del members[place]
        case chance if chance < 0.85:
            members[place] = (name, b"")
        case chance if chance < 0.9:
            members[place] = (name, random.choice(members)[1])
        case chance if chance < 0.95:
            members[place] = (name.upper(), data)
        case _:
            members.reverse()
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return target.getvalue()
