"""How much goes over the line, where the browser is on another computer."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.e2e.conftest import M3CRED, Home
from tests.e2e.terminal import DOWN, ENTER, Terminal, terminal
from tests.e2e.wizard import WAITING

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.xdist_group("e2e"),
    pytest.mark.asyncio(loop_scope="session"),
]

TO_STRIPE = (ENTER, "Acme", ENTER, ENTER, ENTER, ENTER, ENTER, DOWN, ENTER, ENTER, ENTER)


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
