"""What a person at the laptop does: log in, make a tunnel, go on after a loss."""

import shlex
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from tests.e2e.ssh.machines import ENVIRON, OPEN_PORT, SERVER_ADDRESS, Machine, Server
from tests.e2e.terminal import ENTER, Terminal, terminal
from tests.e2e.wizard import WAITING, to_authenticate, url_on

DEMO = shlex.join([sys.executable, "-m", "m3cred_tui", "--demo"])

LogIn = Callable[..., Awaitable[Terminal]]


def at_stripe(server: Server) -> str:
    """Return the command line that runs m3cred with the Stripe on the internet."""
    description = str(server.keys.stripe)
    return shlex.join([sys.executable, "-m", "tests.e2e.ssh.m3cred_at", description])


def ssh(server: Server, laptop: Machine, *arguments: str) -> list[str]:
    return laptop.on("ssh", "-F", server.keys.ssh_config, *arguments)


@asynccontextmanager
async def logged_in(
    server: Server,
    laptop: Machine,
    command: str,
    *,
    user: str = "alice",
    port: int = OPEN_PORT,
    **size: int,
) -> AsyncIterator[Terminal]:
    """Run ``command`` over SSH in a terminal on the laptop."""
    to = ("-tt", "-p", str(port), f"{user}@{SERVER_ADDRESS}", command)
    async with terminal(ssh(server, laptop, *to), ENVIRON, **size) as session:
        yield session


async def to_stripe(session: Terminal, *, name: str = "Acme") -> str:
    """Go to Stripe from an empty list; return the URL, which the screen alone tells."""
    await session.shows("There are no credentials yet")
    await to_authenticate(session, name=name)
    await session.settles()
    session.press(ENTER)
    return await url_of(session)


async def url_of(session: Terminal) -> str:
    await session.shows(WAITING)
    await session.settles()
    return url_on(session.text)


def paste(session: Terminal, text: str) -> None:
    """Paste as a terminal does that was asked for bracketed paste."""
    assert b"\x1b[?2004h" in session.raw
    session.press(f"\x1b[200~{text}\x1b[201~")
