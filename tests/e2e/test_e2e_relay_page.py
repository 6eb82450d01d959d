"""The page that ``m3cred relay-page`` writes, on a real HTTPS server, in a real browser."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from m3cred_tui.callback.redirect import AuthorizationCode, Refusal
from m3cred_tui.callback.relay_page import relay_page
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.secret import Secret
from tests.e2e.https_server import https_server
from tests.ports import free_port

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

TOKEN = "Zk3_vN8-qXw1TtY0aB5cD7eF9gH2iJ4kL6mN8oP-rS_"
CODE = "ac_demo0123456789abcdef"


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def address(tmp_path: Path, port: int) -> Iterator[str]:
    root = tmp_path / "www"
    (root / "m3cred").mkdir(parents=True)
    (root / "m3cred/index.html").write_text(relay_page([port, 27182]))
    with https_server(root, tmp_path) as base:
        yield f"{base}m3cred/"


@pytest.fixture
def listening(port: int) -> Iterator[CallbackServer]:
    server = CallbackServer(Secret(f"{port}-{TOKEN}"), ports=[port])
    server.start()
    yield server
    server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def tab(chromium: Browser) -> AsyncIterator[Page]:
    permissions = ["clipboard-read", "clipboard-write"]
    async with await chromium.new_context(
        ignore_https_errors=True, permissions=permissions
    ) as context:
        yield await context.new_page()


def answer(state: str, **parts: str) -> str:
    return urlencode({"scope": "read_write", "code": CODE, "state": state, **parts})


async def test_the_link_brings_stripes_answer_to_the_terminals_port(
    tab: Page, address: str, port: int, listening: CallbackServer
) -> None:
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    await tab.goto(f"{address}?{answer(f'{port}-{TOKEN}')}")
    await expect(tab.get_by_role("link", name="Send to my terminal")).to_be_visible()
    assert [url.partition("?")[0] for url in requests] == [address]  # nothing of third parties
    assert listening.result() is None  # nor anything by itself
    await tab.get_by_role("link", name="Send to my terminal").click()
    await expect(tab.get_by_role("heading")).to_contain_text("Stripe approved access")
    result = listening.result()
    assert isinstance(result, AuthorizationCode)
    assert result.code.reveal() == CODE


async def test_a_refusal_is_led_on_too(
    tab: Page, address: str, port: int, listening: CallbackServer
) -> None:
    refusal = urlencode(
        {"error": "access_denied", "error_description": "No & no", "state": f"{port}-{TOKEN}"}
    )
    await tab.goto(f"{address}?{refusal}")
    await tab.get_by_role("link", name="Send to my terminal").click()
    await expect(tab.get_by_role("heading")).to_contain_text("Access was not approved")
    assert listening.result() == Refusal("access_denied", "No & no")


async def test_the_address_can_be_copied_whole(tab: Page, address: str, port: int) -> None:
    url = f"{address}?{answer(f'{port}-{TOKEN}')}"
    await tab.goto(url)
    await tab.get_by_role("button", name="Copy").click()
    await expect(tab.get_by_text("Copied.")).to_be_visible()
    assert await tab.evaluate("navigator.clipboard.readText()") == url


@pytest.mark.parametrize(
    "state", ["80-x", "27999-x", "27182.evil.example/-x", "x", "", "-x", "27182@evil.example-x"]
)
@pytest.mark.quick(2)
async def test_a_forged_state_makes_no_link_to_anywhere(
    tab: Page, address: str, state: str
) -> None:
    await tab.goto(f"{address}?{answer(state)}")
    await expect(tab.get_by_label("Address to paste")).to_be_visible()
    assert await tab.get_by_role("link", name="Send to my terminal").count() == 0


async def test_script_in_an_answer_is_text(tab: Page, address: str, port: int) -> None:
    seen: list[str] = []
    tab.on("dialog", lambda dialog: seen.append(dialog.message))
    hostile = "</textarea><script>alert(1)</script><img src=x onerror=alert(2)>"
    await tab.goto(f"{address}?{answer(f'{port}-{hostile}', code=hostile, x='javascript:1')}")
    link = await tab.get_by_role("link", name="Send to my terminal").get_attribute("href")
    assert link is not None
    assert link.startswith(f"http://127.0.0.1:{port}/callback?")
    assert "x=" not in link
    assert seen == []


async def test_without_an_answer_it_says_what_it_is_for(tab: Page, address: str) -> None:
    await tab.goto(address)
    await expect(tab.get_by_text("This address contains no")).to_be_visible()
    assert await tab.get_by_role("link").count() == 0
