"""At Stripe, but without an approval: refused, left open, cancelled, forged."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from playwright.async_api import Page

from tests.e2e.browsers import (
    OpenedUrls,
    approve_and_return,
    log_in,
    redirect_uri_of,
    refuse,
)
from tests.e2e.conftest import Home
from tests.e2e.terminal import ENTER, ESC, Terminal
from tests.e2e.wizard import ACCOUNT, WAITING, create_credential, go_to_stripe, to_authenticate
from tests.visitors import async_visitor

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

_LISTENS = "0A"


def listening_ports() -> set[int]:
    """Return the ports of this machine; those of m3cred alone only root may ask for."""
    ports = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == _LISTENS:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


@pytest.mark.long
async def test_a_refusal_is_reported_and_the_next_try_can_be_approved(
    app: Terminal, opened: OpenedUrls, page: Page, home: Home
) -> None:
    await to_authenticate(app)
    await refuse(page, await go_to_stripe(app, opened))
    await page.get_by_role("heading", name="Access was not approved").wait_for()
    await app.shows(lambda screen: not app.reads(WAITING) and "!" in screen)
    assert home.saved() == []
    await approve_and_return(page, await go_to_stripe(app, opened))
    await create_credential(app)


@pytest.mark.long
async def test_a_browser_closed_without_deciding_leaves_the_wait_until_esc(
    app: Terminal, opened: OpenedUrls, page: Page, home: Home
) -> None:
    await to_authenticate(app)
    url = await go_to_stripe(app, opened)
    await log_in(page, url)
    await page.get_by_text("Approve access for m3ter").wait_for()
    await page.close()
    await app.settles()
    await app.shows(WAITING)
    parts = urlsplit(redirect_uri_of(url))
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)

    assert parts.port in listening_ports()

    app.press(ESC)
    await app.shows("Destination Settings")
    assert await reader.read() == b""  # the listener hung up
    assert parts.port not in listening_ports()
    writer.close()
    await writer.wait_closed()
    assert home.saved() == []


@pytest.mark.long
async def test_an_approval_that_is_left_is_no_credential_and_is_still_there(
    app: Terminal, opened: OpenedUrls, page: Page, home: Home
) -> None:
    await to_authenticate(app)
    await approve_and_return(page, await go_to_stripe(app, opened))
    await app.shows(ACCOUNT)
    app.press(ESC)
    await app.shows("Destination Settings")
    assert home.saved() == []
    await app.settles()
    app.press(ENTER)
    await create_credential(app)


@pytest.mark.long
async def test_a_forged_redirect_is_reported_and_the_wait_continues(
    app: Terminal, opened: OpenedUrls, page: Page
) -> None:
    await to_authenticate(app)
    url = await go_to_stripe(app, opened)
    forged = f"{redirect_uri_of(url)}?code=ac_forged&state=guessed"
    async with async_visitor() as client:
        assert (await client.get(forged)).status_code == httpx.codes.BAD_REQUEST
    await app.shows("turned away")
    await app.shows(WAITING)
    await approve_and_return(page, url)
    await app.shows(ACCOUNT)


@pytest.mark.long
async def test_what_was_entered_is_kept_when_going_back(
    app: Terminal, opened: OpenedUrls
) -> None:
    await to_authenticate(app, name="Kept name")
    for title in ("Destination Settings", "Entity Type Settings", "Name credential"):
        await app.settles()
        app.press(ESC)
        await app.shows(title)
    await app.shows("Kept name")
    for title in ("Entity Type Settings", "Destination Settings", "Go to Stripe"):
        await app.settles()
        app.press(ENTER)
        await app.shows(title)
    await app.shows("Stripe (Test Mode)")
    await go_to_stripe(app, opened)
