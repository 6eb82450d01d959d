"""From the empty Credentials page to the new row in it, with real browsers."""

import stat
import time

import httpx
import pytest
from playwright.async_api import Page

from tests.e2e.browsers import OpenedUrls, approve, approve_and_return, approve_in_w3m
from tests.e2e.conftest import Home, Start
from tests.e2e.terminal import ENTER, ESC, Terminal
from tests.e2e.wizard import ACCOUNT, create_credential, go_to_stripe, to_authenticate, url_on
from tests.visitors import async_visitor

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


async def test_an_approval_in_chromium_ends_with_the_new_row(
    app: Terminal, opened: OpenedUrls, page: Page, home: Home
) -> None:
    await to_authenticate(app, name="Acme bills")
    await approve_and_return(page, await go_to_stripe(app, opened))
    await page.get_by_text("Go back to your terminal").wait_for()
    assert "code=" not in page.url
    await app.shows(ACCOUNT)
    await app.shows(lambda screen: "acct_1Demo" in screen and "TEST" in screen)
    assert home.saved() == []

    screen = await create_credential(app)
    row = next(line for line in screen.splitlines() if "Acme bills" in line)
    for words in ("Bill", "Stripe (Test Mode)", "authenticated"):
        assert words in row
    (saved,) = home.saved()
    (file,) = home.credentials.iterdir()
    assert file.name == f"{saved['id']}.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (saved["name"], saved["entityType"]) == ("Acme bills", "Bill")
    assert (saved["destination"], saved["stripe"]["livemode"]) == ("STRIPE_TEST", False)


@pytest.mark.long
async def test_an_approval_in_w3m_ends_with_the_new_row(
    app: Terminal, opened: OpenedUrls, w3m: Start, home: Home
) -> None:
    await to_authenticate(app, destination="Stripe")
    browser = await w3m(await go_to_stripe(app, opened))
    await approve_in_w3m(browser)
    await browser.shows("Go back to your terminal")
    screen = await app.shows(ACCOUNT)
    assert "LIVE" in screen
    assert home.saved() == []

    await create_credential(app)
    (saved,) = home.saved()
    assert (saved["destination"], saved["stripe"]["livemode"]) == ("STRIPE", True)


@pytest.mark.long
async def test_the_new_row_is_the_one_that_enter_opens(
    app: Terminal, opened: OpenedUrls, page: Page
) -> None:
    for number, (name, key) in enumerate((("First", ENTER), ("Second", "c")), start=1):
        await to_authenticate(app, key=key, name=name)
        await approve_and_return(page, await go_to_stripe(app, opened))
        await create_credential(app, there_are=f"{number} credential")
    screen = await app.shows(lambda screen: "First" in screen and "Second" in screen)
    assert screen.index("Second") < screen.index("First")
    app.press(ENTER)
    await app.shows("Credential ID")
    await app.shows("› Second")
    app.press(ESC)
    await app.shows("2 credentials")


@pytest.mark.long
async def test_the_url_can_be_read_off_the_screen(
    app: Terminal, opened: OpenedUrls, page: Page
) -> None:
    await to_authenticate(app)
    url = await go_to_stripe(app, opened)
    await app.shows(lambda screen: url_on(screen) == url)
    await approve_and_return(page, url_on(app.text))
    await app.shows(ACCOUNT)


@pytest.mark.long
async def test_the_url_is_on_the_screen_before_a_browser_is_started(
    app: Terminal, opened: OpenedUrls
) -> None:
    screens = []

    def look() -> None:
        app.catch_up()
        screens.append(app.text)

    opened.on_start = look
    await to_authenticate(app)
    url = await go_to_stripe(app, opened)
    (screen,) = screens
    assert "/oauth/authorize" in screen, screen
    assert url_on(screen) == url


@pytest.mark.long
async def test_the_screen_follows_the_callback(
    app: Terminal, opened: OpenedUrls, page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    await to_authenticate(app)
    answer = await approve(page, await go_to_stripe(app, opened))
    await app.settles()
    assert not app.reads(ACCOUNT)
    async with async_visitor() as client:
        sent = time.monotonic()
        response = await client.get(answer)
        answered = time.monotonic()
    assert response.status_code == httpx.codes.SEE_OTHER
    await app.shows(ACCOUNT)
    seen = app.written[-1].at
    assert sent < seen
    with capsys.disabled():
        print(
            f"\ncallback answered in {(answered - sent) * 1e3:.0f} ms, "
            f"code exchanged and account on the screen in {(seen - sent) * 1e3:.0f} ms"
        )
