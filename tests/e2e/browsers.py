"""The browsers that go to Stripe, and how m3cred hands them the URL."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from html import escape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from playwright.async_api import Browser, Error, Page, async_playwright

from tests.e2e.terminal import ENTER, TAB, Terminal

_CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class OpenedUrls:
    """What ``$BROWSER`` is set to: a program that only passes its URL on to the test."""

    def __init__(self, directory: Path) -> None:
        fifo = directory / "opened-urls"
        os.mkfifo(fifo)
        self._fifo = os.open(fifo, os.O_RDWR | os.O_NONBLOCK)
        self._urls: asyncio.Queue[str] = asyncio.Queue()
        self.on_start: Callable[[], object] = lambda: None
        """Called as soon as a browser has been started."""
        self.program = directory / "browser"
        self.program.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$1\" > '{fifo}'\n")
        self.program.chmod(0o755)
        asyncio.get_running_loop().add_reader(self._fifo, self._read)

    async def next(self, patience: float = 15.0) -> str:
        """Wait for the next URL that m3cred opens."""
        async with asyncio.timeout(patience):
            return await self._urls.get()

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._fifo)
        os.close(self._fifo)

    def _read(self) -> None:
        self.on_start()
        for url in os.read(self._fifo, 65_536).decode().splitlines():
            self._urls.put_nowait(url)


def redirect_uri_of(url: str) -> str:
    """Return where this authorization request asks Stripe to redirect to."""
    return parse_qs(urlsplit(url).query)["redirect_uri"][0]


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@asynccontextmanager
async def headless_chromium(program: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program, args=_CHROMIUM_ARGUMENTS
        )
        try:
            yield browser
        finally:
            await browser.close()


async def visit(page: Page, url: str) -> None:
    """Go to ``url``, again where the browser hears only then that a cable is back in.

    It then drops what it is loading, which Playwright reports as an error.
    """
    while True:
        try:
            await page.goto(url)
        except Error as error:
            if "ERR_NETWORK_CHANGED" not in error.message:
                raise
        else:
            return


async def log_in(page: Page, url: str, email: str = "owner@example.com") -> None:
    """Log in under "Get started with Stripe"."""
    await visit(page, url)
    await page.get_by_role("heading", name="Get started with Stripe").wait_for()
    await page.get_by_label("Email").fill(email)
    await page.get_by_label("Password").fill("any password")
    await page.get_by_role("button", name="Log in").click()


async def approve(page: Page, url: str) -> str:
    """Log in and approve; return the address behind Return to m3ter."""
    await log_in(page, url)
    await page.get_by_role("button", name="Approve access").click()
    address = await page.get_by_role("link", name="Return to m3ter").get_attribute("href")
    assert address is not None
    return address


async def approve_and_return(page: Page, url: str) -> None:
    await approve(page, url)
    await page.get_by_role("link", name="Return to m3ter").click()


async def refuse(page: Page, url: str) -> None:
    await log_in(page, url)
    await page.get_by_role("button", name="Refuse access").click()


async def load_ahead(browser: Browser, address: str) -> None:
    """Let a browser prefetch ``address`` and ask for a favicon; be sure that it did."""
    context = await browser.new_context()
    page = await context.new_page()
    turned_away = page.expect_event("requestfailed", lambda request: request.url == address)
    async with turned_away as ahead:
        await _look_ahead(page, address)
    assert (await (await ahead.value).all_headers())["sec-purpose"] == "prefetch"
    await context.close()


async def load_twice(browser: Browser, address: str) -> list[str]:
    """Look ahead to ``address`` in a browser of its own, go there, and go there again.

    After each page it asks for a favicon by itself. Return what was read; once nobody
    listens any more, that is nothing.
    """
    context = await browser.new_context()
    page = await context.new_page()
    await _look_ahead(page, address)
    read = []
    for _ in range(2):
        with suppress(Error):
            await page.goto(address)
            read.append(await page.inner_text("main"))
    await context.close()
    return read


async def _look_ahead(page: Page, address: str) -> None:
    """Prefetch ``address`` and ask its host for a favicon, from an empty page."""
    await page.set_content(
        f'<link rel="prefetch" href="{escape(address)}">'
        f'<img src="{origin_of(address)}/favicon.ico">'
    )


async def approve_in_w3m(w3m: Terminal) -> None:
    """Do the same with the keyboard of a text browser."""
    await w3m.shows("Get started with Stripe")
    await _fill(w3m, "owner@example.com")
    await _fill(w3m, "any password")
    w3m.press(TAB, ENTER)
    await w3m.shows("Approve access for m3ter")
    w3m.press(TAB, ENTER)
    await w3m.shows("Return to m3ter")
    w3m.press(TAB, ENTER)


async def _fill(w3m: Terminal, text: str) -> None:
    """Go to the next field and fill it; w3m asks for the text on its last line."""
    w3m.press(TAB, ENTER)
    await w3m.shows(lambda screen: screen.splitlines()[-1].startswith(("TEXT:", "Password:")))
    w3m.press(text, ENTER)
    await w3m.shows(lambda screen: not screen.splitlines()[-1].startswith(("TEXT:", "Pass")))
