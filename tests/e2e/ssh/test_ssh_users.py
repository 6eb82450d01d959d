"""A server that several users share, as all of them do its 127.0.0.1."""

import pytest
from playwright.async_api import Browser, Page

from m3cred_tui.model.authorization import CALLBACK_PORTS
from tests.e2e.browsers import approve, approve_and_return, redirect_uri_of
from tests.e2e.ssh.machines import Machine, Server
from tests.e2e.ssh.processes import holding
from tests.e2e.ssh.sessions import (
    LogIn,
    at_stripe,
    finish,
    paste,
    short_url_shown,
    to_button,
    to_stripe,
    tunnel,
    tunnel_shown,
)
from tests.e2e.terminal import ENTER

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh"),
    pytest.mark.asyncio(loop_scope="session"),
]


async def test_two_users_at_the_same_time_come_back_each_to_their_own(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page, chromium: Browser
) -> None:
    alice = await log_in(at_stripe(server))
    bob = await log_in(at_stripe(server), user="bob")
    alices_url, bobs_url = await to_stripe(alice), await to_stripe(bob, name="Bob's")
    assert redirect_uri_of(alices_url) == "http://127.0.0.1:27182/callback"
    assert redirect_uri_of(bobs_url) == "http://127.0.0.1:27183/callback"
    assert {"27183:127.0.0.1:27183", "bob@10.27.18.2"} <= {*await tunnel_shown(bob)}
    bobs_short_url = await short_url_shown(bob)
    async with tunnel(server, laptop, alice), tunnel(server, laptop, bob):
        address = await approve(page, alices_url)
        paste(bob, address)
        await bob.shows("! This redirect does not answer this authorization request")
        await page.goto(address)
        alices = await finish(alice, server)

        async with await chromium.new_context() as context:
            bobs_page = await context.new_page()
            await approve_and_return(bobs_page, bobs_short_url)
            bobs = await finish(bob, server, "bob")
    assert (alices["name"], bobs["name"]) == ("Acme", "Bob's")


async def test_a_port_that_another_user_holds_is_never_shown_as_ours(
    server: Server, laptop: Machine, stripe: None, log_in: LogIn, page: Page
) -> None:
    async with holding(server, "bob", "127.0.0.1:27182", "::1:27183"):
        session = await log_in(at_stripe(server))
        url = await to_stripe(session)
        assert redirect_uri_of(url) == "http://127.0.0.1:27184/callback"
        assert "27184:127.0.0.1:27184" in await tunnel_shown(session)
        async with tunnel(server, laptop, session):
            await approve_and_return(page, await short_url_shown(session))
            await finish(session, server)
    assert b"27182" not in session.raw
    assert b"27183" not in session.raw


EVERY_PORT = [f"127.0.0.1:{port}" for port in CALLBACK_PORTS]


async def test_without_any_port_there_is_no_tunnel_and_the_address_is_pasted(
    server: Server, stripe: None, log_in: LogIn, page: Page
) -> None:
    async with holding(server, "alice", *EVERY_PORT):
        session = await log_in(at_stripe(server))
        url = await to_stripe(session)
        await session.shows("Other programs on this computer hold the ports")
        assert "ssh -N" not in session.text
        assert "/go/" not in session.text
        paste(session, await approve(page, url))
        await finish(session, server)


async def test_where_another_user_holds_every_port_stripe_is_not_asked(
    server: Server, stripe: None, log_in: LogIn
) -> None:
    async with holding(server, "bob", *EVERY_PORT):
        session = await log_in(at_stripe(server))
        await to_button(session)
        session.press(ENTER)
        await session.shows("are held by another user's")
        assert "/oauth/" not in session.text
