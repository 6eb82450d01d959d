"""Sends text to the clipboard of the terminal (OSC 52), through tmux and screen.

No terminal acknowledges it, so nothing here says that anything was copied.
"""

from base64 import b64encode
from collections.abc import Mapping
from typing import NamedTuple

from m3cred_tui.browser.surroundings import ask_tmux
from m3cred_tui.model.text import clean

# GNU screen 4.0, macOS's, holds 256 bytes of a sequence, 4.9 holds 768; it loses the rest, or
# writes it on the screen.
_SCREEN_CHUNK = 240
_SCREEN_MOST = 760
_TURN_ON = "tmux set -s set-clipboard on"
_WITHOUT_CLIPBOARD = ("linux", "vt")


class Clipping(NamedTuple):
    """``sequence`` must still be written to the terminal; ``said`` reports what was done."""

    sequence: str
    said: str


async def send_to_clipboard(text: str, environ: Mapping[str, str], *, what: str) -> Clipping:
    """Send ``text`` as far as it goes without the terminal; ``what`` begins the sentence.

    tmux is asked to send it itself (``load-buffer -w``, tmux 3.2), which it does with every
    setting of ``set-clipboard``; what a program writes is dropped by its default.
    """
    if environ.get("TMUX"):
        clipping = await _by_tmux(text, environ, what)
        if clipping:
            return clipping
        setting = await ask_tmux(environ, "show-options", "-sv", "set-clipboard")
        return _by_passing_on(text, what, (setting or "").strip())
    return _written(text, environ, what)


def osc_52(text: str) -> str:
    """Return the sequence that sets the clipboard (xterm's control sequences, OSC 52)."""
    # BEL, as screen takes ST for the end of what it passes on.
    return f"\x1b]52;c;{b64encode(text.encode()).decode()}\a"


def _written(text: str, environ: Mapping[str, str], what: str) -> Clipping:
    term, plain = environ.get("TERM", ""), osc_52(text)
    if environ.get("STY"):
        said = f"{what} sent through screen to your terminal's clipboard."
        return Clipping(_through_screen(plain), said)
    if term.startswith("tmux"):
        return _by_passing_on(text, what)
    if term.startswith("screen"):
        # tmux may use this name, too; it ignores what is for screen, but not the reverse.
        said = f"{what} sent to your terminal's clipboard, if screen or tmux passes it on."
        may_be_tmux = not term.startswith("screen.") and len(plain) <= _SCREEN_MOST
        return Clipping((plain if may_be_tmux else "") + _through_screen(plain), said)
    if term.startswith(_WITHOUT_CLIPBOARD):
        return Clipping("", f"This terminal ({clean(term, most=20)}) has no clipboard.")
    if environ.get("TERM_PROGRAM") == "Apple_Terminal":
        return Clipping("", "Terminal on macOS lets no program reach its clipboard.")
    return Clipping(plain, f"{what} sent to your terminal's clipboard.")


def _by_passing_on(text: str, what: str, setting: str = "") -> Clipping:
    """Have tmux pass it on, as its ``set-clipboard`` says; empty where that is not known."""
    said = {
        "on": f"{what} sent to your terminal's clipboard: tmux's set-clipboard is on.",
        "": f"{what} sent to tmux. For your clipboard it needs: {_TURN_ON}",
    }.get(
        setting, f"{what} sent to tmux, but its set-clipboard is not on. Turn it on: {_TURN_ON}"
    )
    plain = osc_52(text)
    # Both: tmux takes one, the other or neither, by its settings.
    return Clipping(plain + _through_tmux(plain), said)


async def _by_tmux(text: str, environ: Mapping[str, str], what: str) -> Clipping | None:
    load = ("load-buffer", "-w", "-")
    # Which client it was sent to, and what tmux knows about all its terminals.
    look = ("display-message", "-p", "#{client_tty}", ";", "show-messages", "-T")
    answer = await ask_tmux(environ, *load, ";", *look, given=text.encode())
    if answer is None:
        return None
    paste = "prefix ] pastes it"
    said = {
        True: f"{what} sent to your terminal's clipboard, and to tmux ({paste}).",
        False: f"{what} sent to tmux only ({paste}): it reaches no clipboard here.",
        None: f"{what} sent to tmux ({paste}) and, if it can, to your clipboard.",
    }
    return Clipping("", said[_takes_clipboard(answer)])


def _takes_clipboard(answer: str) -> bool | None:
    """Return whether tmux has a sequence (``Ms``) for its client's clipboard, if it says."""
    tty, *about = answer.splitlines() or [""]
    if not tty:
        return False  # nobody is attached
    is_client = False
    for line in about:
        if line.startswith("Terminal "):
            is_client = f" for {tty}," in line
        elif is_client and " Ms: " in line:
            return "[missing]" not in line
    return None


def _through_tmux(sequence: str) -> str:
    doubled = sequence.replace("\x1b", "\x1b\x1b")
    return f"\x1bPtmux;{doubled}\x1b\\"


def _through_screen(sequence: str) -> str:
    starts = range(0, len(sequence), _SCREEN_CHUNK)
    return "".join(f"\x1bP{sequence[at : at + _SCREEN_CHUNK]}\x1b\\" for at in starts)
