"""The connection is lost: what was waited for is there at the next one."""

import signal

import pytest
from playwright.async_api import Page

from tests.e2e.browsers import approve, approve_and_return
from tests.e2e.ssh.machines import Machine, Server
from tests.e2e.ssh.processes import (
    holding,
    lose,
    server_loses_power,
    ssh_client_dies,
    sshd_session_dies,
)
from tests.e2e.ssh.sessions import (
    LogIn,
    at_stripe,
    finish,
    go_on,
    paste,
    short_url_shown,
    to_stripe,
    tunnel,
    tunnel_shown,
    url_of,
)
from tests.e2e.terminal import ENTER
from tests.e2e.wizard import ACCOUNT, WAITING

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh-lost"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_a_connection_lost_while_waiting_is_gone_on_with_by_paste(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    url = await to_stripe(session)
    await lose(server_loses_power, session, server)
    address = await approve(page, url)

    again = await go_on(server, log_in)
    assert await url_of(again) == url
    paste(again, address)
    await finish(again, server)


async def test_a_connection_lost_while_waiting_is_gone_on_with_through_the_same_tunnel(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    url = await to_stripe(session)
    command = await tunnel_shown(session)
    async with tunnel(server, laptop, session):
        await page.goto(await short_url_shown(session))
        await session.shows("tunnel works")
        await lose(ssh_client_dies, session, server)

        again = await go_on(server, log_in)
        await url_of(again)
        assert await tunnel_shown(again) == command
        await approve_and_return(page, url)
        await page.get_by_text("Stripe approved access for m3ter").wait_for()
        await finish(again, server)


async def test_a_port_that_another_user_took_meanwhile_is_refused_until_it_is_free(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    url = await to_stripe(session)
    await lose(ssh_client_dies, session, server)
    async with holding(server, "bob", "127.0.0.1:27182"):
        again = await go_on(server, log_in)
        await again.shows("by another user's program (bob)")
        assert "ssh -N" not in again.text
        assert "/go/" not in again.text
    again = await go_on(server, log_in)
    await again.shows(WAITING)
    paste(again, await approve(page, url))
    await finish(again, server)


async def test_a_connection_lost_after_the_approval_is_gone_on_with_at_the_account(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    paste(session, await approve(page, await to_stripe(session)))
    await session.shows(ACCOUNT)
    await lose(sshd_session_dies, session, server)

    again = await log_in(at_stripe(server))
    await again.shows("Stripe has approved “Acme”")
    await again.settles()
    again.press(ENTER)
    await finish(again, server)


async def test_a_connection_that_hangs_does_not_keep_the_answer_from_the_next_one(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    session = await log_in(at_stripe(server))
    url = await to_stripe(session)
    session.signal(signal.SIGSTOP)  # the server is told nothing: its m3cred still listens

    again = await go_on(server, log_in)
    await again.shows("Another program holds port 27182")
    paste(again, await approve(page, url))
    await finish(again, server)
