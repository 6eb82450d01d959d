"""The environment variables that libraries obey, before any library is imported."""

import os

_OF_TEXTUAL = "TEXTUAL"
_LOOKS = frozenset(
    f"{_OF_TEXTUAL}_{name}"
    for name in (
        "ANIMATIONS",
        "COLOR_SYSTEM",
        "DIM_FACTOR",
        "DISABLE_KITTY_KEY",
        "FILTERS",
        "FPS",
        "SMOOTH_SCROLL",
        "SPEEDUPS",
        "THEME",
    )
)
"""Textual's variables that only change how it draws; the others record keys, pastes or the
screen, hand them to a developer's tool, press keys, or put another driver in place of ours."""

_RECORDERS = frozenset({"SSLKEYLOGFILE", "PYTHONASYNCIODEBUG"})
"""The keys of every TLS connection go into a file; asyncio logs the arguments of callbacks."""

_set_aside: dict[str, str] = {}


def set_recorders_aside() -> None:
    """Take out of the environment what would have a library write down what it sees.

    That includes the secret keys that are typed, and the tokens on their way from Stripe. Call
    it before any library is imported.
    """
    for name in [*filter(_is_recorder, os.environ)]:
        _set_aside[name] = os.environ.pop(name)


def set_aside() -> list[str]:
    """Return the names of the variables that were taken out."""
    return sorted(_set_aside)


def as_started() -> dict[str, str]:
    """Return the environment that this process was started with, for another program."""
    return {**os.environ, **_set_aside}


def _is_recorder(name: str) -> bool:
    if name in _RECORDERS:
        return True
    return name.startswith(_OF_TEXTUAL) and name not in _LOOKS


def let_the_window_decide() -> None:
    """Forget ``COLUMNS`` and ``LINES``, which libraries believe rather than the window.

    They stay on a line that knows no size, a serial one say.
    """
    try:
        size = os.get_terminal_size(2)
    except OSError:
        return
    if all(size):
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)
