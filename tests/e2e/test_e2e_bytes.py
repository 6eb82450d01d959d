"""How much goes over the line, where the browser is on another computer."""

import asyncio
import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.conftest import M3CRED, Home
from tests.e2e.terminal import DOWN, ENTER, Terminal, terminal
from tests.e2e.wizard import WAITING, create_credential, url_on
from tests.ui.visit import approve_only

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

TO_STRIPE = (ENTER, "Acme", ENTER, ENTER, ENTER, DOWN, ENTER, ENTER, ENTER)

# Bytes, about a third more than was counted: 9600 baud carry 960 in a second.
FIRST_PAGE, A_LETTER, A_STAGE, THE_WAIT, THE_WHOLE = 4_000, 100, 3_600, 5_000, 20_000
TICK = 32


@pytest_asyncio.fixture(loop_scope="session")
async def remote(home: Home) -> AsyncIterator[Terminal]:
    """Return the app on its empty list, in what looks like an SSH session."""
    environ = {**home.environ, "SSH_CONNECTION": "198.51.100.7 51234 203.0.113.9 22"}
    async with terminal([M3CRED, "--demo"], environ) as app:
        await app.shows("There are no credentials yet")
        await app.settles(0.5)
        yield app


async def wait_for_stripe(remote: Terminal) -> None:
    remote.press(*TO_STRIPE)
    await remote.shows(WAITING)
    await remote.settles(0.5)


@pytest.mark.long
async def test_what_is_said_already_is_not_drawn_again(remote: Terminal) -> None:
    await wait_for_stripe(remote)
    remote.press("y")
    await remote.shows("URL sent to your terminal's clipboard.")
    await remote.settles(0.5)
    before = len(remote.raw)
    remote.press("y")
    await remote.settles(0.5)
    again = remote.raw[before:]
    assert b"\x1b]52;" in again
    assert b"URL sent" not in again


@pytest.mark.long
async def test_each_page_is_a_few_seconds_of_a_slow_line(remote: Terminal) -> None:
    sizes = [len(remote.raw)]

    async def press(*keys: str) -> None:
        before = len(remote.raw)
        remote.press(*keys)
        await remote.settles(0.5)
        sizes.append(len(remote.raw) - before)

    await press(ENTER)
    await press("A")
    await press("c", "m", "e", ENTER)
    await press(ENTER)
    await press(ENTER, DOWN, ENTER, ENTER)
    await press(ENTER)
    await remote.shows(WAITING)
    first, stage_1, letter, *stages, wait = sizes
    assert first < FIRST_PAGE, sizes
    assert letter < A_LETTER, sizes
    assert max(stage_1, *stages) < 2 * A_STAGE, sizes  # of some, a drop-down comes and goes
    assert wait < THE_WAIT, sizes


@pytest.mark.long
async def test_ten_seconds_of_waiting_are_a_few_bytes(remote: Terminal) -> None:
    await wait_for_stripe(remote)
    before = len(remote.raw)
    await remote.output()
    await remote.settles()
    assert len(remote.raw) - before < TICK


@pytest.mark.long
async def test_the_url_is_linked_to_once(remote: Terminal) -> None:
    await wait_for_stripe(remote)
    links = re.findall(rb"\x1b\]8;[^;]*;(http[^\x07\x1b]*/oauth/[^\x07\x1b]*)", remote.raw)
    assert len(links) <= 2, links


@pytest.mark.long
async def test_the_whole_way_is_half_a_minute_of_a_slow_line(remote: Terminal) -> None:
    await wait_for_stripe(remote)
    redirect = await asyncio.to_thread(approve_only, url_on(remote.text))
    remote.press(f"\x1b[200~{redirect}\x1b[201~")
    await create_credential(remote)
    await remote.settles(0.5)
    assert len(remote.raw) < THE_WHOLE
