"""The cable is pulled out: neither side is told, and no process dies of it by itself."""

import sys

import pytest
from playwright.async_api import Page

from tests.e2e.browsers import approve, approve_and_return
from tests.e2e.ssh.machines import WATCHED_PORT, Machine, Server, unplugged
from tests.e2e.ssh.processes import gone, processes
from tests.e2e.ssh.sessions import (
    LogIn,
    at_stripe,
    finish,
    go_on,
    paste,
    short_url_shown,
    to_stripe,
    tunnel,
)
from tests.e2e.terminal import ENTER
from tests.e2e.wizard import ACCOUNT

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh-lost"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_what_is_pasted_while_the_cable_is_out_for_a_moment_arrives(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    url = await to_stripe(session)
    with unplugged(laptop):
        paste(session, await approve(page, url))
    await finish(session, server)


async def test_a_line_that_is_dead_while_waiting_is_gone_on_with_through_a_new_tunnel(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server), port=WATCHED_PORT)
    await to_stripe(session)
    with unplugged(laptop):
        await gone(processes(server, sys.executable))

    again = await go_on(server, log_in)
    await again.shows("tunnel not open yet")
    await again.settles()
    async with tunnel(server, laptop, again):
        await approve_and_return(page, await short_url_shown(again))
        await finish(again, server)


async def test_a_line_that_is_dead_after_the_approval_is_gone_on_with_at_the_account(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server), port=WATCHED_PORT)
    paste(session, await approve(page, await to_stripe(session)))
    await session.shows(ACCOUNT)
    with unplugged(laptop):
        await gone(processes(server, sys.executable))

    again = await log_in(at_stripe(server))
    await again.shows("Stripe has approved “Acme”")
    await again.settles()
    again.press(ENTER)
    await finish(again, server)
