"""Which programs would show a URL where somebody sees it."""

import os
import shlex
import shutil
from collections.abc import Iterator, Mapping
from pathlib import PurePath

from m3cred_tui.authorize.problems import BrowserDidNotOpen
from m3cred_tui.model.text import clean

REMOTE = ("SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT")
"""Variables, one of which is enough for an SSH session."""
DISPLAY = ("DISPLAY", "WAYLAND_DISPLAY")
"""Variables, one of which is enough for a graphical display."""
_GRAPHICAL = (
    "x-www-browser",
    "firefox",
    "chromium",
    "chromium-browser",
    "google-chrome",
)
# They draw in a terminal, and ours is taken.
_TEXT_BROWSERS = frozenset(
    {"browsh", "elinks", "links", "links2", "lynx", "w3m", "www-browser"}
)


def browser_commands(url: str, environ: Mapping[str, str], platform: str) -> list[list[str]]:
    """Return the commands to try, in order; never none.

    ``$BROWSER`` decides where it is set, also over SSH; without it only a browser is started
    that somebody sits before. Raises :class:`BrowserDidNotOpen`.
    """
    if wish := environ.get("BROWSER", "").strip():
        return list(_wished_for(wish, url, environ))
    if any(environ.get(name) for name in REMOTE):
        raise BrowserDidNotOpen("this is an SSH session")
    path = environ.get("PATH")
    if platform == "darwin":
        openers = ["open"]
    elif environ.get("WSL_DISTRO_NAME") and shutil.which("wslview", path=path):
        openers = ["wslview"]
    elif any(environ.get(name) for name in DISPLAY):
        openers = ["xdg-open", *_GRAPHICAL]
    else:
        raise BrowserDidNotOpen("this computer has no graphical display")
    for opener in openers:
        if program := shutil.which(opener, path=path):
            return [[program, url]]
    raise BrowserDidNotOpen("no graphical browser was found")


def browser_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment for a browser: without our keys, and without text browsers.

    Where xdg-open knows no desktop, it tries what ``$BROWSER`` lists.
    """
    kept = {name: value for name, value in environ.items() if not name.startswith("M3CRED_")}
    kept.setdefault("BROWSER", ":".join(_GRAPHICAL))
    return kept


def _wished_for(wish: str, url: str, environ: Mapping[str, str]) -> Iterator[list[str]]:
    """Read ``$BROWSER``: commands, each with ``%s`` for the URL or the URL put after it."""
    reason = "$BROWSER names no program"
    found = False
    for entry in filter(None, map(str.strip, wish.split(os.pathsep))):
        shown = clean(entry, most=60)
        try:
            program, *arguments = shlex.split(entry.removesuffix("&"))
        except ValueError:
            reason = f"$BROWSER has an entry that cannot be read: {shown}"
            continue
        where = shutil.which(program, path=environ.get("PATH"))
        if PurePath(program).name in _TEXT_BROWSERS:
            reason = f"{shown} shows pages in a terminal, and m3cred is using this one"
        elif where is None:
            reason = f"$BROWSER names a program that was not found: {shown}"
        else:
            found = True
            given = [argument.replace("%s", url) for argument in arguments]
            yield [where, *given] if given != arguments else [where, *arguments, url]
    if not found:
        raise BrowserDidNotOpen(reason)
