"""What a program writes to a terminal, told apart strictly: text, and each kind of sequence."""

import re
import unicodedata

_TOKEN = re.compile(
    r"\x1b\[(?P<private>[<=>?]?)(?P<parameters>[\d;:]*)(?P<final>[ -/]*[@-~])"
    r"|\x1b\](?P<osc>[^\x00-\x1f\x7f-\x9f]*)(?:\x07|\x1b\\)"
    r"|(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?P<other>.)",
    re.DOTALL,
)
# What these are given changes with what is drawn; of all others it says what they do.
_PLACE_AND_STYLE = {"H", "m"}
_LINK_ID = re.compile(r"id=[^;:]*")
# Drawn as nothing at all, though Unicode calls them letters, marks or signs.
_IGNORABLE = frozenset(
    map(chr, (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0))
) | frozenset(
    chr(code)
    for codes in (range(0x180B, 0x1810), range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
    for code in codes
)


def kinds(data: bytes) -> set[str]:
    """Return every kind of sequence in ``data``, and every character that is not drawn.

    Raises ``UnicodeDecodeError`` where it is not UTF-8: a terminal takes a byte for itself.
    """
    found = set()
    for token in _TOKEN.finditer(data.decode("utf-8")):
        if token["text"] is not None:
            found |= {_named(one) for one in set(token["text"]) if _does_more_than_show(one)}
        elif token["osc"] is not None:
            found.add(f"OSC {_LINK_ID.sub('id=', token['osc'])}")
        elif token["final"] is not None:
            told = "" if token["final"] in _PLACE_AND_STYLE else token["parameters"]
            found.add(f"CSI {token['private']}{told}{token['final']}")
        else:
            found.add(_named(token["other"]))
    return found


def _does_more_than_show(character: str) -> bool:
    return unicodedata.category(character) in {"Cf", "Cs", "Co", "Cn", "Zl", "Zp"} or (
        character in _IGNORABLE
    )


def _named(character: str) -> str:
    return f"U+{ord(character):04X}"
