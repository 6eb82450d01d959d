"""More than one browser at the callback."""

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page

from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.authorization import TurnedAway
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from tests.e2e.browsers import OpenedUrls, approve, load_ahead, load_twice, origin_of
from tests.e2e.conftest import Home
from tests.e2e.terminal import Terminal
from tests.e2e.wizard import WAITING, create_credential, go_to_stripe, to_authenticate
from tests.stub_server import serving
from tests.visitors import async_visitor

pytestmark = [pytest.mark.long, pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

BROWSERS = 10


async def test_ten_browsers_that_load_the_callback_twice_make_one_credential(
    app: Terminal, opened: OpenedUrls, chromium: Browser, page: Page, home: Home
) -> None:
    await to_authenticate(app)
    url = await go_to_stripe(app, opened)
    answer = await approve(page, url)
    await load_ahead(chromium, answer)
    await app.settles()
    await app.shows(WAITING)

    read = await asyncio.gather(*(load_twice(chromium, answer) for _ in range(BROWSERS)))
    ends = [text for texts in read for text in texts]
    assert ends
    assert all("Stripe approved access for m3ter" in text for text in ends)
    await create_credential(app)
    (saved,) = home.saved()
    # Had the code been used twice, Stripe would have revoked what it gave for it.
    account = await account_of(home.credentials, home.identity, saved["id"], origin_of(url))
    assert account == saved["stripe"]["account"]


_EMBEDDING = """<img src="{url}"><iframe src="{url}"></iframe><object data="{url}"></object>
<script>
fetch("{url}").catch(() => {{}});
fetch("{url}", {{mode: "no-cors"}}).catch(() => {{}});
new WebSocket("{url}".replace("http", "ws"));
</script>"""


async def test_a_web_page_cannot_deliver_an_answer_behind_the_users_back(page: Page) -> None:
    with CallbackServer(Secret("s"), ports=(0,)) as server:
        url = f"{server.redirect_uri}?code=ac_123&state=s"

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            html = _EMBEDDING.format(url=url).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + html)

        seen: list[str] = []
        page.on("response", lambda response: seen.append(response.url))
        async with serving(serve) as host:
            await page.goto(f"http://{host}/", wait_until="networkidle")
        shown = ("image", "frame", "fetch")  # of the others the browser hides the reply
        assert seen.count(url) >= len(shown)
        assert server.result() is None
        assert server._reception.status.turned_away == (TurnedAway.NOT_OPENED,)
        await page.goto(url)
        assert "Stripe approved access for m3ter" in await page.inner_text("main")


async def test_a_browser_with_too_many_cookies_reads_what_to_do(page: Page) -> None:
    with CallbackServer(Secret("s"), ports=(0,)) as server:
        url = f"{server.redirect_uri}?code=ac_123&state=s"
        await page.context.add_cookies(
            [{"name": f"n{i}", "value": "a" * 4000, "url": url} for i in range(12)]
        )
        await page.goto(url)
        assert "Your browser sent too much" in await page.inner_text("main")
        await page.context.clear_cookies()
        await page.reload()
        assert "Stripe approved access for m3ter" in await page.inner_text("main")


async def account_of(
    credentials: Path, identity: Path, credential_id: str, api_base: str
) -> str:
    """Ask Stripe which account the saved access token is for."""
    data = credentials.parent
    tokens = DirectoryStore(data, IdentityFile(identity, data)).tokens(credential_id)
    assert tokens.access_token is not None
    headers = {"Authorization": f"Bearer {tokens.access_token.reveal()}"}
    async with async_visitor() as client:
        response = await client.get(f"{api_base}/v1/account", headers=headers)
    account_id = response.raise_for_status().json()["id"]
    assert isinstance(account_id, str)
    return account_id
