"""What the terminal takes beside plain ASCII: hyperlinks (OSC 8), and block characters."""

from collections.abc import Mapping

_WITHOUT = ("dumb", "linux", "vt", "ansi", "cygwin", "eterm", "screen")
_TMUX_WITH = (3, 4)
_FIRST_VTE = 5001
"""0.50.1; 0.50.0 crashes over a link."""
_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
_COERCED = "C.UTF-8"


def takes_hyperlinks(environ: Mapping[str, str]) -> bool:
    """Tell whether to make the URL a link as well; it stands there in full in any case.

    Most terminals that know no links ignore the sequence, and over SSH hardly anything tells
    one from the other. So the answer is no only where it is known.
    """
    term = environ.get("TERM", "").lower()
    if environ.get("TMUX"):
        return _version(environ.get("TERM_PROGRAM_VERSION", "")) >= _TMUX_WITH
    if not term or term.startswith(_WITHOUT) or environ.get("STY"):
        return False
    if environ.get("TERM_PROGRAM") == "Apple_Terminal":
        return False
    vte = environ.get("VTE_VERSION", "")
    return not vte.isascii() or not vte.isdecimal() or int(vte) >= _FIRST_VTE


def draws_blocks(environ: Mapping[str, str]) -> bool:
    """Tell whether the terminal was said to take more than ASCII.

    Python itself sets ``LC_CTYPE`` to C.UTF-8 where the locale is C (PEP 538): that alone
    says nothing about the terminal.
    """
    set_ones = [environ[name] for name in _LOCALE if environ.get(name)]
    if set_ones[:1] == [_COERCED] and not environ.get("LC_ALL"):
        set_ones = [environ.get("LANG", "")]
    spelt = set_ones[0].lower().replace("-", "") if set_ones else ""
    return "utf8" in spelt


def _version(text: str) -> tuple[int, ...]:
    """Read 3.4, 3.3a and next-3.5 alike; what makes no sense is as old as can be."""
    digits = "".join(one if one.isascii() and one.isdecimal() else " " for one in text)
    return tuple(map(int, digits.split()[:2]))
