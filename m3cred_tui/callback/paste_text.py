"""A pasted text without what pages, shells and terminals put around an address."""

import re
from typing import NamedTuple
from urllib.parse import unquote

_MOST_ENCODINGS = 3
_MOST_ESCAPES = 512  # in an address that is encoded as a whole; more only take time

# Format characters and variation selectors. Control characters stay, as dropping the ESC or
# the backspace out of a code would make another code of it.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e01ef]+"
)
_HTML_AMPERSAND = re.compile(r"&(?:(?:amp|#38|#x26);)+", re.IGNORECASE)
# Not html.unescape, which would make a sign of the beginning of some parameters.
_HTML_WRAPPING = (
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&quot;", '"'),
    ("&#39;", "'"),
    ("&#x27;", "'"),
)
_JSON_ESCAPE = re.compile(r"\\(?:u00|x)(26|3[dDfF])")
# No shell puts one before a letter or a digit; there it is damage, or an escape such as \n.
_SHELL_ESCAPE = re.compile(r"\\(?=[^A-Za-z0-9]|$)")
_STATE_OR_ANSWER = re.compile(r"(?<![\w.%-])(?:code|state|error)=")


class Pasted(NamedTuple):
    """What was pasted, as one may have meant it."""

    shown: str
    """Without escapes and invisible characters, with white space where it was."""
    dense: str
    """Without white space, too, and percent-decoded as a whole where it was encoded so."""


def read(text: str) -> Pasted:
    """Return the text both ways that an address is looked for in it."""
    shown = _unescaped(text)
    dense = _unescaped("".join(shown.split()))
    for _ in range(_MOST_ENCODINGS):
        if not 0 < dense.count("%") <= _MOST_ESCAPES or _STATE_OR_ANSWER.search(dense):
            break
        decoded = _unescaped(unquote(dense))
        dense = _unescaped("".join(decoded.split()))  # an escape may have been wrapped
    return Pasted(shown, dense)


def _unescaped(text: str) -> str:
    """Undo what a page's source, a shell or a script does to an address."""
    if not text.isascii():
        text = _INVISIBLE.sub("", text)
    if "&" in text and ";" in text:
        text = _HTML_AMPERSAND.sub("&", text)
        for written, character in _HTML_WRAPPING:
            text = text.replace(written, character)
    if "\\" in text:
        text = _JSON_ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
        text = _SHELL_ESCAPE.sub("", text)
    return text
