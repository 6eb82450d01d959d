"""Fingers that are faster than the line, and terminals that show less than most."""

import re

import pytest

from tests.e2e.browsers import OpenedUrls
from tests.e2e.conftest import Home, Start
from tests.e2e.terminal import DOWN, ENTER, ESC, Terminal
from tests.e2e.wizard import WAITING, go_to_stripe, open_create, to_authenticate

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

_COLOUR = re.compile(rb"[34]8;2;(\d+);(\d+);(\d+)")


@pytest.mark.long
async def test_a_name_typed_ahead_is_a_name(app: Terminal) -> None:
    app.press("c", "quick dogs", ENTER)
    await app.shows("Entity Type Settings")
    await app.settles()
    app.press(ESC)
    await app.shows("Name credential")
    await app.shows("quick dogs")


@pytest.mark.long
async def test_an_enter_too_many_chooses_no_destination(app: Terminal) -> None:
    await open_create(app)
    app.press("Acme", ENTER, ENTER, ENTER)
    await app.shows("✓ Select entity type")
    await app.settles(0.5)
    assert "● Select destination" in app.text


async def test_six_enters_lead_from_the_name_to_the_url(
    app: Terminal, opened: OpenedUrls
) -> None:
    await open_create(app)
    app.press("Acme", *[ENTER] * 6)
    await opened.next(patience=5)
    await app.shows(WAITING)


@pytest.mark.long
async def test_enter_held_down_does_no_harm(app: Terminal, home: Home) -> None:
    await open_create(app)
    app.press("Acme", *[ENTER] * 30)
    await app.shows("✓ Name the credential")
    await app.writes_within(1)
    assert not app.closed, app
    assert "Traceback" not in app.text
    assert home.saved() == []


@pytest.mark.long
async def test_the_whole_way_typed_ahead_arrives(app: Terminal, opened: OpenedUrls) -> None:
    choose_second = [ENTER, DOWN, ENTER, ENTER]
    app.press("c", "Acme", ENTER, ENTER, *choose_second, ENTER)
    await opened.next(patience=5)
    await app.shows(WAITING)


@pytest.mark.long
async def test_without_colour_everything_can_be_read(start: Start) -> None:
    app = await start("--demo", environ={"NO_COLOR": "1", "COLORTERM": "truecolor"})
    await app.shows("There are no credentials yet")
    await to_authenticate(app)
    for words in ("DEMO", "✓ Select destination", "● Authenticate", "Go to Stripe"):
        await app.shows(words)
    assert _COLOUR.findall(app.raw) == []


@pytest.mark.long
async def test_in_the_smallest_window_the_way_is_the_same(
    start: Start, opened: OpenedUrls
) -> None:
    app = await start("--demo", columns=60, lines=20)
    await app.shows("There are no credentials yet")
    await to_authenticate(app)
    await go_to_stripe(app, opened)


async def test_a_window_that_is_too_small_says_so_and_loses_nothing(app: Terminal) -> None:
    await open_create(app)
    app.press("Kept")
    await app.shows("Kept")
    app.resize(50, 12)
    await app.shows("larger")
    app.resize(80, 24)
    await app.shows("Name credential")
    await app.shows("Kept")


@pytest.mark.long
async def test_a_locale_without_line_drawing_still_starts(start: Start, home: Home) -> None:
    app = await start("--demo", environ={"LANG": "C", "LC_ALL": "C"})
    await app.shows("There are no credentials yet")
    app.press("q")
    assert await app.ends() == 0
