"""A line of 9600 baud and 300 ms between the laptop and the server."""

import shlex
import sys
import time
from pathlib import Path

import pytest
from playwright.async_api import Page

from tests.e2e.browsers import approve
from tests.e2e.ssh import slow_line
from tests.e2e.ssh.machines import OPEN_PORT, SERVER_ADDRESS, Server
from tests.e2e.ssh.sessions import LogIn, at_stripe, finish, paste, url_of
from tests.e2e.terminal import ENTER, Seen, Terminal

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh-slow"),
    pytest.mark.asyncio(loop_scope="session"),
]

LAST_LINE = "and open http://127.0.0.1"


async def answered(session: Terminal, *keys: str, by: str | Seen) -> float:
    """Press; return the seconds until it is answered."""
    pressed = time.monotonic()
    session.press(*keys)
    await session.shows(by)
    return time.monotonic() - pressed


@pytest.mark.timeout(180)  # half a minute is the line's own
async def test_each_answer_comes_over_a_slow_line_before_patience_ends(
    server: Server, stripe: None, log_in: LogIn, page: Page, tmp_path: Path
) -> None:
    slow = tmp_path / "slow"
    line = (sys.executable, slow_line.__file__, SERVER_ADDRESS, str(OPEN_PORT), str(slow))
    session = await log_in(at_stripe(server), through=shlex.join(line))
    await session.shows("There are no credentials yet")
    await session.settles()
    slow.touch()

    pages = {"stage 1": await answered(session, ENTER, by="Continue")}
    name = "Wyx"
    letters = [await answered(session, one, by=name[: at + 1]) for at, one in enumerate(name)]
    pages["stage 2"] = await answered(session, ENTER, by="Note: Currently, only Bill")
    pages["stage 3"] = await answered(session, ENTER, by="Destination Settings")
    pages["stage 4"] = await answered(session, ENTER, by="Go to Stripe")
    pages["the wait"] = await answered(session, ENTER, by=LAST_LINE)
    address = await approve(page, await url_of(session))
    pasted = time.monotonic()
    paste(session, address)
    await session.focuses("Create Credential")
    pages["the account"] = time.monotonic() - pasted
    await finish(session, server)
    took = {**dict(zip(name, letters, strict=True)), **pages}
    print({what: round(seconds, 2) for what, seconds in took.items()})
