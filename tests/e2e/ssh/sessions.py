"""What a person at the laptop does: log in, make a tunnel, go on after a loss."""

import asyncio
import json
import re
import shlex
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import dropwhile, takewhile
from typing import Any

from tests.e2e.ssh.boot_server import USERS
from tests.e2e.ssh.machines import ENVIRON, OPEN_PORT, Machine, Server, says
from tests.e2e.terminal import DOWN, ENTER, Terminal, terminal
from tests.e2e.wizard import ACCOUNT, WAITING, create_credential, is_pending

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
    through: str = "none",
    **size: int,
) -> AsyncIterator[Terminal]:
    """Run ``command`` over SSH in a terminal on the laptop, perhaps through a proxy command."""
    way = ("-o", f"ProxyCommand={through}")
    to = ("-tt", *way, "-p", str(port), f"{user}@{server.address}", command)
    async with terminal(ssh(server, laptop, *to), ENVIRON, **size) as session:
        yield session


async def to_stripe(session: Terminal, *, name: str = "Acme") -> str:
    """Go to Stripe from an empty list; return the URL, which the screen alone tells."""
    await to_button(session, name=name)
    session.press(ENTER)
    return await url_of(session)


async def to_button(session: Terminal, *, name: str = "Acme") -> None:
    """Go from an empty list to the button that goes to Stripe."""
    await session.shows("There are no credentials yet")
    session.press(ENTER)
    await session.shows("Name credential")
    session.press(name, ENTER)
    await session.shows("Entity Type Settings")
    await session.focuses("Next")
    session.press(ENTER)
    await session.shows("Destination Settings")
    if session.reads("DEMO"):
        await _choose(session, DOWN, ENTER)
    else:  # the only one that is set up
        await session.focuses("Next")
        session.press(ENTER)
    await session.focuses("Go to Stripe")


async def _choose(session: Terminal, *keys: str) -> None:
    """Open the drop-down, choose in it, and go on, each as soon as it can be done."""
    session.press(ENTER)
    await session.shows("▲")
    session.press(*keys)
    await session.focuses("Next")
    session.press(ENTER)


async def url_of(session: Terminal) -> str:
    await session.shows(WAITING)
    await session.settles()
    below = await _between(session, "1 Open this URL", "Send the")
    return "".join(dropwhile(lambda line: not line.startswith("http"), below))


async def tunnel_shown(session: Terminal) -> list[str]:
    """Return the words of the ssh command on the screen."""
    return shlex.split(" ".join(await _between(session, "Run on your computer", "and open")))


async def short_url_shown(session: Terminal) -> str:
    url = re.compile(r"and open (http://127\.0\.0\.1:\d+/go/\S+)")
    found = url.search(await session.shows(lambda screen: bool(url.search(screen))))
    assert found
    return found[1]


@asynccontextmanager
async def tunnel(server: Server, laptop: Machine, session: Terminal) -> AsyncIterator[Process]:
    """Run the command on the screen."""
    async with tunnel_by(server, laptop, await tunnel_shown(session)) as process:
        yield process


@asynccontextmanager
async def tunnel_by(
    server: Server, laptop: Machine, told: Sequence[str]
) -> AsyncIterator[Process]:
    """Run the command that m3cred told, to which only the keys are added."""
    assert told[0] == "ssh"
    # -v, as it then says when it listens.
    command = ssh(server, laptop, "-v", *told[1:])
    process = await asyncio.create_subprocess_exec(*command, env=ENVIRON, stderr=PIPE)
    try:
        await says(process, "Entering interactive session")
        yield process
    finally:
        process.kill()
        await process.communicate()


async def go_on(server: Server, log_in: LogIn, **how: int | str) -> Terminal:
    """Connect again, and press Enter on what waits."""
    again = await log_in(at_stripe(server), **how)
    await again.shows(is_pending)
    await again.settles()
    again.press(ENTER)
    return again


def paste(session: Terminal, text: str) -> None:
    """Paste as a terminal does that was asked for bracketed paste."""
    assert b"\x1b[?2004h" in session.raw
    session.press(f"\x1b[200~{text}\x1b[201~")


async def finish(session: Terminal, server: Server, user: str = "alice") -> dict[str, Any]:
    """Create the credential; return it as it lies in the user's home."""
    await session.shows(ACCOUNT)
    await session.focuses("Create Credential")
    await create_credential(session)
    (file,) = server.home(user).glob(".local/share/m3cred/**/credentials/*.json")
    assert file.stat().st_uid == USERS[user]
    assert not list(file.parents[1].glob("pending/*"))
    credential = json.loads(file.read_bytes())
    assert isinstance(credential, dict)
    return credential


async def _between(session: Terminal, first: str, end: str) -> list[str]:
    """Return the lines of the stage between two others, without a sidebar beside them."""
    lines = (await session.shows(lambda screen: first in screen and end in screen)).splitlines()
    begin, left = next(
        (at, line.index(first)) for at, line in enumerate(lines) if first in line
    )
    below = [line[left:].strip() for line in lines[begin + 1 :]]
    return list(takewhile(lambda line: not line.startswith(end), below))
