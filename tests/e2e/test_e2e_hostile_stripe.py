"""Hostile text from Stripe: in a redirect, in a refusal, and as an account's name."""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.e2e import unruly_stripe
from tests.e2e.cells import watch
from tests.e2e.conftest import Home
from tests.e2e.hostile import MEGABYTE, ONE_OF_EACH_KIND, TRIED, Hostile
from tests.e2e.sequences import kinds
from tests.e2e.terminal import DOWN, ENTER, ESC, UP, Terminal, terminal
from tests.e2e.unruly_stripe import ACCOUNT, REDIRECT, TOKEN
from tests.e2e.wizard import to_authenticate

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(180),  # for hundreds of texts on a busy machine
]

MOST = 195  # characters; what is shown of a text is cut after 200
HARMLESS = [Hostile("none", "Copper Ltd", "Copper"), Hostile("none", "Brass B.V.", "Brass")]
TOO_LARGE = "longer than 256 KiB"


def batches(texts: Sequence[Hostile]) -> Iterator[list[Hostile]]:
    """Yield texts that are seen together when they are said at once."""
    batch: list[Hostile] = []
    for one in texts:
        if batch and sum(len(each.text) + 1 for each in batch) + len(one.text) > MOST:
            yield batch
            batch = []
        batch.append(one)
    yield batch


async def begin_again(app: Terminal, channel: str, said: int) -> None:
    """Go to Stripe once more; an account that was approved is left for another destination."""
    if channel == ACCOUNT and said:
        app.press(ESC)
        await app.shows("Destination Settings")
        app.press(UP, ENTER, DOWN if said % 2 else UP, ENTER, ENTER)
        await app.shows("Get started with Stripe")
    app.press(ENTER)


async def shows_all(app: Terminal, words: Sequence[str]) -> None:
    """Wait until all of these words are on the screen at once."""
    await app.shows(lambda _: all(map(app.reads, words)))


async def have_said(channel: str, hostile: Sequence[Hostile], home: Home) -> set[str]:
    """Have the texts said in this channel, and see each of them.

    Return the kinds of what was written beyond what harmless texts are written with.
    """
    said = [*([one] for one in HARMLESS), *batches(hostile)]
    texts = home.path / "texts"
    texts.write_text(json.dumps([" ".join(one.text for one in batch) for batch in said]))
    program = [sys.executable, unruly_stripe.__file__, channel, str(texts)]
    async with terminal(program, home.environ, columns=100, lines=40) as app:
        watch(app)
        await app.shows("There are no credentials yet")
        await to_authenticate(app, destination="Stripe")
        for number, batch in enumerate(said):
            words = [one.canary for one in batch]
            if channel != REDIRECT and len(batch[0].text) >= MEGABYTE:
                words = [TOO_LARGE if channel == TOKEN else "could not be read"]
            await begin_again(app, channel, number)
            await shows_all(app, words)
            if number == len(HARMLESS) - 1:
                await app.settles()
                expected = kinds(app.raw)
        await app.settles()
        return kinds(app.raw) - expected


async def test_nothing_that_stripe_says_reaches_the_terminal_as_more_than_text(
    tmp_path: Path,
) -> None:
    channels = {TOKEN: TRIED, REDIRECT: ONE_OF_EACH_KIND, ACCOUNT: ONE_OF_EACH_KIND}
    homes = [Home(tmp_path / channel) for channel in channels]
    for home in homes:
        home.path.mkdir()
    more = await asyncio.gather(*map(have_said, channels, channels.values(), homes))
    assert more == [set()] * len(channels)
