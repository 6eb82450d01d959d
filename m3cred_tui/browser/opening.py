"""Opens a URL in a browser, where somebody would see it."""

import asyncio
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import PurePath
from urllib.parse import urlsplit

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.system.process import without_ours
from m3cred_tui.system.threads import in_thread

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


class BrowserDidNotOpen(Problem, code="BrowserDidNotOpen"):
    """No browser was started, or it ended immediately."""

    text = "No browser was opened because {reason}. Open the URL yourself."
    reason: str


def browser_commands(url: str, environ: Mapping[str, str], platform: str) -> list[list[str]]:
    """Return the commands to try, in order; at least one.

    ``$BROWSER`` decides where it is set, also over SSH; without it, only a browser on the
    user's own display is started. Raises :class:`BrowserDidNotOpen`.
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


def _wished_for(wish: str, url: str, environ: Mapping[str, str]) -> Iterator[list[str]]:
    """Read ``$BROWSER``: commands, each with ``%s`` for the URL or the URL put after it."""
    reason, mistake = "$BROWSER names no program", ""
    found = False
    for entry in filter(None, map(str.strip, wish.split(os.pathsep))):
        shown = clean(entry, most=60)
        try:
            program, *arguments = shlex.split(entry.removesuffix("&"))
        except ValueError:
            mistake = f"$BROWSER has an entry that cannot be read: {shown}"
            continue
        where = shutil.which(program, path=environ.get("PATH"))
        if PurePath(program).name in _TEXT_BROWSERS:
            reason = f"{shown} shows pages in a terminal, and m3cred is using this one"
        elif where is None:
            mistake = f"$BROWSER names a program that was not found: {shown}"
        else:
            found = True
            given = [argument.replace("%s", url) for argument in arguments]
            yield [where, *given] if given != arguments else [where, *arguments, url]
    if not found:
        raise BrowserDidNotOpen(mistake or reason)


SOON = 2.0
"""Seconds after which a program that still runs is considered a browser that opened."""


async def open_browser(
    url: str, environ: Mapping[str, str], *, platform: str = sys.platform, soon: float = SOON
) -> None:
    """Open ``url`` with the first command that does not fail; see :func:`browser_commands`.

    The browser is on its own: it outlives m3cred, has no terminal, and none of our keys in
    its environment. Raises :class:`BrowserDidNotOpen`.
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc or not url.isprintable():
        raise BrowserDidNotOpen("the URL is not one for a browser")
    commands = browser_commands(url, environ, platform)
    # Where xdg-open knows no desktop, it tries what $BROWSER lists: no text browser.
    environment = {"BROWSER": ":".join(_GRAPHICAL)} | without_ours(environ)
    reason = ""
    for command in commands:
        failure = await _start(command, environment, soon)
        if failure is None:
            return
        reason = f"{clean(PurePath(command[0]).name)} {failure}"
    raise BrowserDidNotOpen(reason)


async def _start(
    command: Sequence[str], environment: Mapping[str, str], soon: float
) -> str | None:
    """Start a program; return how it failed, if it did so soon."""
    # A thread, as asyncio's own processes are killed when their loop ends; it also reaps.
    ended = in_thread(partial(_run, command, environment), name="browser")
    try:
        async with asyncio.timeout(soon):
            return await ended
    except TimeoutError:
        return None


def _run(command: Sequence[str], environment: Mapping[str, str]) -> str | None:
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own choice, and no shell
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # no terminal to draw on, and no ctrl+c from it
        )
    except OSError as error:
        return f"could not be started ({error.strerror})"
    status = process.wait()
    return f"ended with status {status}" if status else None
