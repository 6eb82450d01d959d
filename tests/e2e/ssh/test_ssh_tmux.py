"""m3cred in tmux on the server, where it outlives the connection."""

import sys

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

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh"),
    pytest.mark.asyncio(loop_scope="session"),
]

TMUX = "tmux -S ~/socket -f /dev/null"
DETACH = "\x02d"


async def test_what_waits_in_tmux_is_detached_attached_and_finished_by_paste(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(f"{TMUX} new-session {at_stripe(server)}")
    url = await to_stripe(session)
    assert session.reads("(this is an SSH session)")
    (m3cred,) = processes(server, sys.executable)
    session.press(DETACH)
    await session.ends()

    again = await log_in(f"{TMUX} attach")
    assert await url_of(again) == url
    assert processes(server, sys.executable) == [m3cred]
    paste(again, await approve(page, url))
    await finish(again, server)


async def test_what_is_approved_while_the_connection_is_lost_is_there_in_tmux(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(f"{TMUX} new-session {at_stripe(server)}")
    url = await to_stripe(session)
    async with tunnel(server, laptop, session):
        ssh_client_dies(session, server)
        await session.ends()
        await approve_and_return(page, url)
        await page.get_by_text("Stripe approved access for m3ter").wait_for()

    again = await log_in(f"{TMUX} attach")
    await again.shows(ACCOUNT)
    await finish(again, server)
