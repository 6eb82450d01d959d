"""What goes over the line while nobody does anything."""

import time

import pytest

from tests.e2e.browsers import OpenedUrls
from tests.e2e.terminal import Terminal
from tests.e2e.wizard import go_to_stripe, to_authenticate

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

SMALL = 300
"""Bytes that one update of the time left may take."""


async def written_in(app: Terminal, seconds: float) -> list[int]:
    """Watch the line for so long; return the size of each burst of bytes."""
    end = time.monotonic() + seconds
    bursts: list[int] = []
    last = 0.0
    seen = len(app.written)
    while (left := end - time.monotonic()) > 0:
        await app.writes_within(left)
        for output in app.written[seen:]:
            if output.at - last > 0.1:
                bursts.append(0)
            bursts[-1] += len(output.data)
            last = output.at
        seen = len(app.written)
    return bursts


async def test_not_a_byte_is_written_while_the_list_is_left_alone(app: Terminal) -> None:
    await app.settles(1)
    assert await written_in(app, 3) == []


@pytest.mark.long
async def test_not_a_byte_is_written_while_a_stage_is_left_alone(app: Terminal) -> None:
    await to_authenticate(app)
    await app.settles(1)
    assert await written_in(app, 2) == []


@pytest.mark.long
async def test_waiting_writes_one_small_update_a_second(
    app: Terminal, opened: OpenedUrls
) -> None:
    await to_authenticate(app)
    await go_to_stripe(app, opened)
    await app.shows("browser was opened")
    await app.settles()
    bursts = await written_in(app, 3)
    assert 2 <= len(bursts) <= 4, bursts
    assert max(bursts) <= SMALL, bursts


@pytest.mark.long
async def test_the_help_over_the_wait_writes_as_little(
    app: Terminal, opened: OpenedUrls
) -> None:
    await to_authenticate(app)
    await go_to_stripe(app, opened)
    app.press("?")
    await app.shows("Esc closes")
    await app.settles()
    bursts = await written_in(app, 2)
    assert max(bursts, default=0) <= SMALL, bursts
