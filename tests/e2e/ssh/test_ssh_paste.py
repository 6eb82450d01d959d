"""A server that forwards nothing: the address comes back by paste."""

import textwrap

import pytest
from playwright.async_api import Error, Page

from tests.e2e.browsers import approve
from tests.e2e.ssh.machines import BASTION_PORT, Machine, Server, says
from tests.e2e.ssh.sessions import (
    LogIn,
    at_stripe,
    finish,
    paste,
    short_url_shown,
    to_stripe,
    tunnel,
)
from tests.e2e.terminal import DOWN, ENTER
from tests.e2e.wizard import ACCOUNT

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def ended_on(page: Page, url: str) -> str:
    """Approve; return the address of the page that the browser cannot show."""
    await approve(page, url)
    failing = page.expect_event("requestfailed", lambda one: one.is_navigation_request())
    async with failing as failed:
        await page.get_by_role("link", name="Return to m3ter").click()
    request = await failed.value
    assert request.failure == "net::ERR_CONNECTION_REFUSED"
    address: str = request.url
    return address


async def test_where_no_tunnel_may_be_the_address_that_the_browser_ends_on_is_pasted(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server), port=BASTION_PORT)
    address = await ended_on(page, await to_stripe(session))
    lines = textwrap.wrap(address, 60)
    paste(session, "\r".join(f"  {line}" for line in lines))
    assert (await finish(session, server))["name"] == "Acme"


async def test_the_enter_after_an_address_that_comes_as_keys_creates_nothing(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server), port=BASTION_PORT)
    address = await ended_on(page, await to_stripe(session))
    session.press(DOWN)
    await session.settles()
    session.press(address, ENTER)  # as a terminal without bracketed paste does
    await session.shows(ACCOUNT)
    await session.settles()
    await session.shows(ACCOUNT)
    await finish(session, server)


async def test_a_tunnel_that_sshd_forbids_is_never_said_to_work(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server), port=BASTION_PORT)
    url = await to_stripe(session)
    async with tunnel(server, laptop, session) as ssh:
        with pytest.raises(Error, match="ERR_"):
            await page.goto(await short_url_shown(session))
        await says(ssh, "administratively prohibited")
    await session.settles()
    await session.shows("tunnel not open yet")
    paste(session, await ended_on(page, url))
    await finish(session, server)
