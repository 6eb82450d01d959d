"""The environment that libraries obey, and what other processes may read of this one."""

import os
import resource
import sys
from collections.abc import Mapping

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

_HOME = "HOME"

_set_aside: dict[str, str] = {}


def clean_environment() -> None:
    """Take out of the environment what no library may obey.

    That is what would have it write down what it sees: the secret keys that are typed, and the
    tokens on their way from Stripe. It is also a ``HOME`` that is no directory's path, empty
    say, so that the account's own counts. Call it before any library is imported.
    """
    names = [*filter(_is_recorder, os.environ)]
    if not os.environ.get(_HOME, "/").startswith("/"):
        names.append(_HOME)
    for name in names:
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


def without_ours(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment for another program: m3cred's variables may hold secret keys."""
    return {name: value for name, value in environ.items() if not name.startswith("M3CRED_")}


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


_PR_SET_DUMPABLE = 4  # <linux/prctl.h>


def close_to_others() -> None:
    """Disable core files, and protect the memory from this user's other processes.

    Child processes are not protected, but write no core files either.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    close_memory_to_others()


def close_memory_to_others() -> None:
    """Protect the memory from this user's other processes, until another program is executed.

    Only root can then read it or the environment, or attach a debugger, and the system writes
    no core file of it (``prctl(2)``, ``PR_SET_DUMPABLE``; Linux only).
    """
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - takes 10 ms, and only Linux needs it

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(0))
