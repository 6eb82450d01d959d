"""m3cred in tmux and in GNU screen on the server, where it outlives the connection."""

import sys
from typing import NamedTuple

import pytest
from playwright.async_api import Page

from tests.e2e.browsers import approve, approve_and_return
from tests.e2e.ssh.machines import Machine, Server
from tests.e2e.ssh.processes import processes, ssh_client_dies
from tests.e2e.ssh.sessions import (
    LogIn,
    at_stripe,
    finish,
    paste,
    to_stripe,
    tunnel,
    url_of,
)
from tests.e2e.wizard import ACCOUNT


class Multiplexer(NamedTuple):
    """How a program is begun in it, left behind by a key, and come back to."""

    begin: str
    detach: str
    attach: str


_TMUX = "tmux -S ~/socket -f /dev/null"
# Not in /run, which is new here and not yet screen's.
_SCREEN = "mkdir -pm 700 ~/.screen && SCREENDIR=~/.screen screen -c /dev/null"
MULTIPLEXERS = {
    "tmux": Multiplexer(f"{_TMUX} new-session", "\x02d", f"{_TMUX} attach"),
    "screen": Multiplexer(_SCREEN, "\x01d", f"{_SCREEN} -dr"),
}

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.parametrize("within", MULTIPLEXERS.values(), ids=MULTIPLEXERS),
]


async def test_what_waits_is_detached_attached_and_finished_by_paste(
    within: Multiplexer, server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(f"{within.begin} {at_stripe(server)}")
    url = await to_stripe(session)
    await session.shows("(this is an SSH session)")
    m3cred = processes(server, sys.executable)
    session.press(within.detach)
    await session.ends()

    again = await log_in(within.attach)
    assert await url_of(again) == url
    assert processes(server, sys.executable) == m3cred
    paste(again, await approve(page, url))
    await finish(again, server)


async def test_what_is_approved_while_the_connection_is_lost_is_there(
    within: Multiplexer,
    server: Server,
    laptop: Machine,
    stripe: None,
    log_in: LogIn,
    page: Page,
) -> None:
    session = await log_in(f"{within.begin} {at_stripe(server)}")
    url = await to_stripe(session)
    async with tunnel(server, laptop, session):
        ssh_client_dies(session, server)
        await session.ends()
        await approve_and_return(page, url)
        await page.get_by_text("Stripe approved access for m3ter").wait_for()

    again = await log_in(within.attach)
    await again.shows(ACCOUNT)
    await finish(again, server)
