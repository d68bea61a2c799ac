"""TCVN3 (ABC) and VNI-Windows text as Unicode: own tables, no kept library has them. No files, no columns.

Text in these is kept as the characters that its bytes are in Windows-1252 (NguyÔn, Nguyeãn), be it that the bytes
were read so or that somebody stored the look-alikes. TCVN3 has no capitals with a tone: its fonts for capitals
(.VnTimeH) write small letters, so of a name set in one of them only the letters are known, not the case.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

# What bytes without a meaning in Windows-1252 are read as.
REPLACEMENT = "\ufffd"
# What stands in all of these fonts for itself.
_COMMON = "\u00a0–—‘’“”…\ufeff"

# From byte A1 on, one character each; B0 to B4 are marks that follow their letter.
_TCVN3 = (
    "ĂÂÊÔƠƯĐăâêôơưđẰ"
    "\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴ"
    "ẮẦẨẪẤỀặầẩẫấậèỂẻẽ"
    "éẹềểễếệìỉỄẾỒĩíịò"
    "Ổỏõóọồổỗốộờởỡớợù"
    "ỖủũúụừửữứựỳỷỹýỵỐ"
)

# VNI: a letter and a mark behind it, which may stand for two marks of Unicode.
_ACUTE, _GRAVE, _HOOK, _TILDE, _DOT = "\u0301", "\u0300", "\u0309", "\u0303", "\u0323"
_ROOF, _BREVE = "\u0302", "\u0306"
_TONES = {"ù": _ACUTE, "ø": _GRAVE, "û": _HOOK, "õ": _TILDE, "ï": _DOT}
_ROOFED = {"â": "", "á": _ACUTE, "à": _GRAVE, "å": _HOOK, "ã": _TILDE, "ä": _DOT}
_BREVED = {"ê": "", "é": _ACUTE, "è": _GRAVE, "ú": _HOOK, "ü": _TILDE, "ë": _DOT}
_ALONE = {"ô": "ơ", "ö": "ư", "ñ": "đ", "í": "í", "ì": "ì", "æ": "ỉ", "ó": "ĩ", "ò": "ị", "î": "ỵ"}


class UndecodableError(ValueError):
    """A character that the font does not have, or not there. `position` is that of the first one."""

    def __init__(self, position: int, what: str) -> None:
        super().__init__(what)
        self.position = position


@dataclass(frozen=True)
class LegacyFont:
    """One legacy encoding: from look-alikes to Unicode."""

    name: str
    _table: Mapping[int, str]
    _foreign: re.Pattern[str]

    def decode(self, text: str) -> str:
        """The text in Unicode, composed; UndecodableError names the first character that has no meaning."""
        if text.isascii():
            return text
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
        if found := self._foreign.search(text):
            raise UndecodableError(found.start(), self._fault(found.group()))
        return unicodedata.normalize("NFC", text.translate(self._table))

    def _fault(self, char: str) -> str:
        if char == REPLACEMENT:
            return f"a byte that is no letter of {self.name}"
        # Letters of Vietnamese that only Unicode has.
        hint = "; is the text Unicode already?" if "\u0100" <= char < "\u2000" else ""
        return f"U+{ord(char):04X} has no meaning there in {self.name}{hint}"


def _tcvn3() -> LegacyFont:
    table = {0xA1 + index: char for index, char in enumerate(_TCVN3)}
    known = "".join(map(chr, table)) + _COMMON
    return LegacyFont("TCVN3", table, re.compile(f"[^\\x00-\\x7f{re.escape(known)}]"))


def _vni() -> LegacyFont:
    marks = {mark: tone for mark, tone in _TONES.items()}
    marks |= {mark: _ROOF + tone for mark, tone in _ROOFED.items()}
    marks |= {mark: _BREVE + tone for mark, tone in _BREVED.items()}
    table = marks | {mark.upper(): tones for mark, tones in marks.items()}
    table |= _ALONE | {letter.upper(): meant.upper() for letter, meant in _ALONE.items()}

    def wrong(allowed: str, behind: Mapping[str, str]) -> str:
        both = "".join(behind)
        return f"(?<![{allowed}{allowed.upper()}])[{both}{both.upper()}]"

    foreign = "|".join(
        [
            wrong("aeiouyôö", _TONES),
            wrong("aeo", _ROOFED),
            wrong("a", _BREVED),
            f"[^\\x00-\\x7f{''.join(table)}{_COMMON}]",
        ]
    )
    return LegacyFont("VNI", {ord(char): meant for char, meant in table.items()}, re.compile(foreign))


FONTS: dict[str, LegacyFont] = {"tcvn3": _tcvn3(), "vni": _vni()}
