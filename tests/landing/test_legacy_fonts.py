"""The tables of TCVN3 and VNI: every Vietnamese letter there and back, and what is none."""

import unicodedata

import pytest

from dagster_project.landing.legacy_fonts import FONTS, UndecodableError

TONED = "àảãáạằẳẵắặầẩẫấậèẻẽéẹềểễếệìỉĩíịòỏõóọồổỗốộờởỡớợùủũúụừửữứựỳỷỹýỵ"
LETTERS = "ăâđêôơư" + TONED
# As the tables of the fonts are printed, in the order of LETTERS.
TCVN3 = bytes.fromhex(
    "A8A9AEAAABACAD B5B6B7B8B9 BBBCBDBEC6 C7C8C9CACB CCCECFD0D1 D2D3D4D5D6 D7D8DCDDDE DFE1E2E3E4 E5E6E7E8E9 "
    "EAEBECEDEE EFF1F2F3F4 F5F6F7F8F9 FAFBFCFDFE"
)
VNI = (
    "aê aâ ñ eâ oâ ô ö aø aû aõ aù aï aè aú aü aé aë aà aå aã aá aä eø eû eõ eù eï eà eå eã eá eä ì æ ó í ò "
    "oø oû oõ où oï oà oå oã oá oä ôø ôû ôõ ôù ôï uø uû uõ uù uï öø öû öõ öù öï yø yû yõ yù î"
)


def test_every_letter_of_tcvn3() -> None:
    assert len(TCVN3) == len(LETTERS) == 67
    assert FONTS["tcvn3"].decode(TCVN3.decode("cp1252")) == LETTERS
    capitals = bytes(range(0xA1, 0xA8)).decode("cp1252")
    assert FONTS["tcvn3"].decode(capitals) == "ĂÂÊÔƠƯĐ"
    assert FONTS["tcvn3"].decode("A\u00b3") == "Á"


@pytest.mark.parametrize("upper", [False, True])
def test_every_letter_of_vni(upper: bool) -> None:
    written, meant = (VNI.upper(), LETTERS.upper()) if upper else (VNI, LETTERS)
    assert FONTS["vni"].decode(written) == " ".join(meant)
    assert FONTS["vni"].decode(written.replace(" ", "")) == meant


@pytest.mark.parametrize("font", ["tcvn3", "vni"])
def test_what_is_in_every_font(font: str) -> None:
    text = "An Binh, 12/3 \u00a0– “a” ‘b’…"
    assert FONTS[font].decode(text) == text


@pytest.mark.parametrize(
    ("font", "text", "position"),
    [
        ("tcvn3", "abc \u1ec5", 4),
        ("tcvn3", "\u20ac", 0),
        ("tcvn3", "x\u0081", 1),
        ("vni", "bù", 1),
        ("vni", "iâ", 1),
        ("vni", "eê", 1),
        ("vni", "ù", 0),
        ("vni", "aùù", 2),
        ("vni", "a§", 1),
        ("vni", "ă", 0),
    ],
)
def test_what_has_no_meaning(font: str, text: str, position: int) -> None:
    with pytest.raises(
        UndecodableError, match=f"U\\+{ord(text[position]):04X} has no meaning there"
    ) as fault:
        FONTS[font].decode(text)
    assert fault.value.position == position


@pytest.mark.parametrize("font", ["tcvn3", "vni"])
def test_bytes_of_a_font_are_no_utf_8(font: str) -> None:
    """So a file's kind is known from its bytes alone."""
    syllables = TCVN3.decode("cp1252") if font == "tcvn3" else VNI.split()
    for syllable in syllables:
        for word in (f"t{syllable}n", syllable, f"{syllable},", f"{syllable}\n"):
            with pytest.raises(UnicodeDecodeError):
                word.encode("cp1252").decode("utf-8")
    assert unicodedata.is_normalized("NFC", FONTS[font].decode("".join(syllables)))
