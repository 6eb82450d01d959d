"""A browser on the laptop that comes back through the tunnel on the screen."""

import pytest
from playwright.async_api import Error, Page

from tests.e2e.browsers import approve_and_return
from tests.e2e.ssh.machines import OPEN_PORT, SERVER_ADDRESS, Machine, Server
from tests.e2e.ssh.sessions import (
    DEMO,
    LogIn,
    at_stripe,
    finish,
    short_url_shown,
    to_stripe,
    tunnel,
    tunnel_shown,
)

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_a_browser_comes_back_through_the_tunnel_on_the_screen(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    await to_stripe(session)
    await session.shows("(this is an SSH session)")
    # What it says of the server, it knows from the real sshd.
    forwarded = ["-L", "27182:127.0.0.1:27182", "-p", str(OPEN_PORT)]
    assert await tunnel_shown(session) == ["ssh", "-N", *forwarded, f"alice@{SERVER_ADDRESS}"]
    await session.shows("tunnel not open yet")
    with pytest.raises(Error, match="ERR_CONNECTION_REFUSED"):
        await page.goto(await short_url_shown(session))
    await session.shows("tunnel not open yet")
    async with tunnel(server, laptop, session):
        await page.goto(await short_url_shown(session))
        await session.shows("tunnel works")
        await approve_and_return(page, page.url)
        await page.get_by_text("Stripe approved access for m3ter").wait_for()
        await finish(session, server)


async def test_the_demo_needs_nothing_on_the_laptop_but_the_tunnel(
    server: Server, laptop: Machine, log_in: LogIn, page: Page
) -> None:
    session = await log_in(DEMO)
    await to_stripe(session)
    async with tunnel(server, laptop, session):
        await approve_and_return(page, await short_url_shown(session))
        await page.get_by_text("Stripe approved access for m3ter").wait_for()
        await finish(session, server)
