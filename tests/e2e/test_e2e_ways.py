"""Stage 4 on a server: every way from there to a browser, and back by a paste."""

import asyncio
import re
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import pytest_asyncio

from tests.e2e.browsers import redirect_uri_of
from tests.e2e.canaries import clipboard
from tests.e2e.conftest import Home
from tests.e2e.terminal import DOWN, ENTER, Terminal, terminal
from tests.e2e.wizard import (
    ACCOUNT,
    WAITING,
    create_credential,
    is_pending,
    to_authenticate,
    url_on,
)
from tests.ui.visit import approve_only

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

ROOT = Path(__file__).parents[2]


@pytest_asyncio.fixture(loop_scope="session")
async def waiting(home: Home) -> AsyncIterator[Terminal]:
    """Wait for Stripe in what looks like an SSH session."""
    environ = {
        **home.environ,
        "PYTHONPATH": str(ROOT),
        "SSH_CONNECTION": "198.51.100.7 51234 203.0.113.9 2222",
    }
    async with terminal([sys.executable, "-m", "m3cred_tui", "--demo"], environ) as app:
        await app.shows("There are no credentials yet")
        await to_authenticate(app)
        await app.settles()
        app.press(ENTER)
        await app.shows(WAITING)
        await app.shows("tunnel not open yet")
        await app.settles()
        yield app


async def test_a_paste_finishes_what_no_browser_can_reach(
    waiting: Terminal, home: Home
) -> None:
    url = url_on(waiting.text)
    port = urlsplit(redirect_uri_of(url)).port  # not always the first: others may have it
    await waiting.shows(f"ssh -N -L {port}:127.0.0.1:{port}")
    await waiting.shows("-p 2222")
    redirect = await asyncio.to_thread(approve_only, url)
    wrapped = "\r\n  ".join(re.findall(".{1,40}", redirect))
    waiting.press(f"\x1b[200~<{wrapped}>\x1b[201~")
    await create_credential(waiting)
    assert len(home.saved()) == 1
    assert redirect.partition("code=")[2][:20].encode() not in waiting.raw


@pytest.mark.long
async def test_the_enter_after_an_address_that_comes_as_keys_creates_nothing(
    waiting: Terminal, home: Home
) -> None:
    redirect = await asyncio.to_thread(approve_only, url_on(waiting.text))
    waiting.press(DOWN)
    await waiting.settles()
    waiting.press(redirect, ENTER)  # as a terminal without bracketed paste does
    await waiting.shows(ACCOUNT)
    await waiting.settles(1.5)
    await waiting.shows(ACCOUNT)
    assert home.saved() == []
    await create_credential(waiting)


@pytest.mark.long
async def test_what_is_pasted_wrongly_is_reported_and_cleared(waiting: Terminal) -> None:
    waiting.press(f"\x1b[200~{url_on(waiting.text)}\x1b[201~")
    await waiting.shows("This is Stripe's own page")
    redirect = await asyncio.to_thread(approve_only, url_on(waiting.text))
    waiting.press(f"\x1b[200~{redirect}\x1b[201~")
    await create_credential(waiting)


@pytest.mark.long
async def test_the_url_can_be_had_whole_by_clipboard_plain_line_and_file(
    waiting: Terminal, home: Home
) -> None:
    url = url_on(waiting.text)
    waiting.press("y")
    await waiting.shows("URL sent to your terminal's clipboard.")
    assert clipboard(waiting.raw).decode() == url

    waiting.press("f")
    await waiting.shows("until this authorization ends")
    (file,) = home.path.rglob("url")
    assert file.read_text().strip() == url
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    before = len(waiting.raw)
    waiting.press("u")
    await waiting.shows("Press Enter to go back")
    assert url.encode() in waiting.raw[before:]  # unbroken, outside of the full screen
    assert b"\x1b[?1049l" in waiting.raw[before:]
    waiting.press(ENTER)
    await waiting.shows(WAITING)

    redirect = await asyncio.to_thread(approve_only, url)
    waiting.press(f"\x1b[200~{redirect}\x1b[201~")
    await create_credential(waiting)
    assert not file.exists()


@pytest.mark.long
async def test_a_connection_that_drops_while_stripe_is_waited_for_continues_later(
    waiting: Terminal, home: Home
) -> None:
    url, short = url_on(waiting.text), re.findall(r"/go/\S+", waiting.text)
    waiting.hang_up()
    await waiting.ends()
    environ = {**home.environ, "PYTHONPATH": str(ROOT), "SSH_TTY": "/dev/pts/1"}
    async with terminal([sys.executable, "-m", "m3cred_tui", "--demo"], environ) as again:
        await again.shows("“Acme” waits for Stripe until")
        await again.shows(is_pending)
        again.press(ENTER)
        await again.shows(WAITING)
        await again.settles()
        resumed = url_on(again.text)
        assert re.findall(r"/go/\S+", again.text) == short
        assert resumed.partition("state=")[2] == url.partition("state=")[2]
        redirect = await asyncio.to_thread(approve_only, resumed)
        again.press(f"\x1b[200~{redirect}\x1b[201~")
        await create_credential(again)
    assert len(home.saved()) == 1


@pytest.mark.long
async def test_an_approval_at_a_demo_that_has_ended_is_good_in_the_next_one(
    waiting: Terminal, home: Home
) -> None:
    redirect = await asyncio.to_thread(approve_only, url_on(waiting.text))
    waiting.hang_up()
    await waiting.ends()
    environ = {**home.environ, "PYTHONPATH": str(ROOT), "SSH_TTY": "/dev/pts/1"}
    async with terminal([sys.executable, "-m", "m3cred_tui", "--demo"], environ) as again:
        await again.shows(is_pending)
        again.press(ENTER)
        await again.shows(WAITING)
        await again.settles()
        again.press(f"\x1b[200~{redirect}\x1b[201~")
        await create_credential(again)
    assert len(home.saved()) == 1
