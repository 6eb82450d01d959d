"""Live mode end to end: HTTPS redirect, relay page, paste, both of Stripe's OAuth models."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from m3cred_tui.model.credential import OAuthModel
from tests.e2e.browsers import OpenedUrls, approve, approve_and_return, redirect_uri_of
from tests.e2e.conftest import Home, Start
from tests.e2e.live import Live, live_mode
from tests.e2e.terminal import ENTER, Terminal
from tests.e2e.wizard import ACCOUNT, create_credential, go_to_stripe, to_authenticate

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

LOOPBACK = "http://127.0.0.1:27182/callback"


@pytest_asyncio.fixture(loop_scope="session")
async def live(home: Home, tmp_path: Path) -> AsyncIterator[Live]:
    async with live_mode(home, tmp_path) as live:
        yield live


@pytest_asyncio.fixture(loop_scope="session")
async def tab(chromium: Browser) -> AsyncIterator[Page]:
    """Return a page of a browser that trusts the user's web server."""
    async with await chromium.new_context(ignore_https_errors=True) as context:
        yield await context.new_page()


@pytest_asyncio.fixture(loop_scope="session")
async def app(start: Start, live: Live) -> Terminal:
    """Return ``m3cred``, not its demo, before it goes to Stripe in live mode."""
    app = await start(environ=live.environ)
    await app.shows("There are no credentials yet")
    await to_authenticate(app, destination="Stripe")
    return app


async def send_to_terminal(page: Page) -> None:
    """Follow the relay page's link."""
    await page.get_by_role("link", name="Send to my terminal").click()
    await expect(page.get_by_role("heading")).to_contain_text("Stripe approved access")


@pytest.mark.long
async def test_by_the_relay_page_the_terminal_continues_by_itself(
    app: Terminal, live: Live, opened: OpenedUrls, tab: Page
) -> None:
    url = await go_to_stripe(app, opened)
    assert redirect_uri_of(url) == live.page
    await approve_and_return(tab, url)
    assert tab.url.startswith(f"{live.page}?")
    await send_to_terminal(tab)
    await app.shows(ACCOUNT)
    await app.shows("LIVE")
    await create_credential(app)
    record, tokens = live.created()
    assert (record["destination"], record["stripe"]["livemode"]) == ("STRIPE", True)
    assert (tokens.oauth, tokens.livemode) == (OAuthModel.CONNECT, True)


@pytest.mark.long
async def test_by_paste_of_the_pages_address_nothing_need_reach_the_terminal(
    app: Terminal, live: Live, opened: OpenedUrls, tab: Page
) -> None:
    await approve_and_return(tab, await go_to_stripe(app, opened))
    await expect(tab.get_by_label("Address to paste")).to_have_value(tab.url)
    app.press(f"\x1b[200~{tab.url}\x1b[201~")
    await create_credential(app)
    assert live.created()[1].livemode


@pytest.mark.long
async def test_stripe_apps_has_another_page_and_gives_tokens_that_are_refreshed(
    app: Terminal, live: Live, opened: OpenedUrls, tab: Page
) -> None:
    await live.configure(oauth="apps")  # counts at once, in the app that runs
    url = await go_to_stripe(app, opened)
    assert urlsplit(url).path == "/oauth/v2/authorize"
    assert "scope" not in parse_qs(urlsplit(url).query)
    await approve_and_return(tab, url)
    await send_to_terminal(tab)
    await app.shows(ACCOUNT)
    assert not app.reads("not told by Stripe")
    await create_credential(app)
    _, tokens = live.created()
    assert (tokens.oauth, tokens.livemode) == (OAuthModel.APPS, True)
    assert tokens.refresh_token
    assert tokens.obtained_at is not None


@pytest.mark.long
async def test_without_an_https_redirect_uri_it_is_refused_in_the_app_and_out_of_it(
    app: Terminal, live: Live
) -> None:
    await live.run("config", "unset", "stripe.redirect_uri")
    sentence = "Stripe is not set up: it has no HTTPS redirect URI. Run m3cred config set"
    await app.settles()
    app.press(ENTER)
    await app.shows(sentence)
    said = await live.run("create", "--name", "Acme", "--destination", "stripe", status=1)
    assert said.startswith(f"m3cred: {sentence} stripe.redirect_uri https://…")


@pytest.mark.long
async def test_a_plain_http_redirect_uri_cannot_be_set(live: Live) -> None:
    said = await live.run("config", "set", "stripe.redirect_uri", LOOPBACK, status=1)
    assert "in live mode Stripe takes https:// only" in said


@pytest.mark.long
async def test_what_stripe_says_to_a_plain_http_redirect_is_json_in_the_browser(
    app: Terminal, opened: OpenedUrls, tab: Page
) -> None:
    url = await go_to_stripe(app, opened)
    asked = re.sub(r"redirect_uri=[^&]+", f"redirect_uri={LOOPBACK}", url)
    await tab.goto(asked)
    shown = json.loads(await tab.inner_text("body"))
    assert shown["error"] == "invalid_redirect_uri"
    assert "it must be an HTTPS one" in shown["error_description"]


@pytest.mark.long
async def test_on_the_command_line_it_is_the_same_way(
    live: Live, start: Start, opened: OpenedUrls, tab: Page
) -> None:
    """The relay page again, with neither the app nor a full screen."""
    create = ("create", "--name", "Acme", "--destination", "stripe")
    command = await start(*create, environ={**live.environ, "TERM": "dumb"})
    url = await opened.next()
    await command.shows("Follow the link on m3cred's relay page.")
    address = await approve(tab, url)
    await tab.goto(address)
    await send_to_terminal(tab)
    await command.shows("Create the credential? [y/N]")
    assert "Mode            LIVE" in command.text
    command.press("y", ENTER)
    assert await command.ends() == 0
    assert live.created()[0]["name"] == "Acme"
