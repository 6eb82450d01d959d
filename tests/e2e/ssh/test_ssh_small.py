"""The smallest window there may be, over SSH."""

import shlex

import pytest
from playwright.async_api import Page

from tests.e2e.browsers import approve, approve_and_return
from tests.e2e.canaries import clipboard
from tests.e2e.ssh.machines import BASTION_PORT, Machine, Server
from tests.e2e.ssh.sessions import LogIn, at_stripe, finish, paste, to_stripe, tunnel_by

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh"),
    pytest.mark.asyncio(loop_scope="session"),
]

SMALL = {"columns": 60, "lines": 20}


async def test_a_small_window_shows_the_tunnel_which_is_one_key_to_the_clipboard(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server), **SMALL)
    url = await to_stripe(session)
    await session.shows("ssh -N -L")
    session.press("t")
    await session.shows("sent to your terminal's clipboard")
    command = shlex.split(clipboard(session.raw).decode())
    async with tunnel_by(server, laptop, command):
        await approve_and_return(page, url)
        await finish(session, server)


async def test_a_small_window_is_enough_where_no_tunnel_may_be(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server), port=BASTION_PORT, **SMALL)
    paste(session, await approve(page, await to_stripe(session)))
    await finish(session, server)
