"""Opens a URL in a browser, and tells whether that went wrong at once."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath
from urllib.parse import urlsplit

from m3cred_tui.authorize.browser_commands import browser_commands, browser_environment
from m3cred_tui.authorize.problems import BrowserDidNotOpen
from m3cred_tui.model.text import clean

SOON = 2.0
"""Seconds after which a program that still runs is taken for a browser that opened."""


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
    environment = browser_environment(environ)
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
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str | None] = loop.create_future()

    def tell(failure: str | None) -> None:
        if not ended.done():
            ended.set_result(failure)

    def tell_loop(failure: str | None) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(tell, failure)

    # A thread, as asyncio's own processes are killed when their loop ends; it also reaps.
    arguments = (command, environment, tell_loop)
    threading.Thread(target=_run, args=arguments, name="browser", daemon=True).start()
    try:
        async with asyncio.timeout(soon):
            return await ended
    except TimeoutError:
        return None


def _run(
    command: Sequence[str],
    environment: Mapping[str, str],
    tell: Callable[[str | None], None],
) -> None:
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
        tell(f"could not be started ({error.strerror})")
        return
    status = process.wait()
    tell(f"ended with status {status}" if status else None)
