"""The terminal shows something else than m3cred knows of."""

import pytest

from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

CTRL_L = "\x0c"


@pytest.mark.parametrize("page", ["", "?"], ids=["the list", "the help"])
@pytest.mark.quick(1)
async def test_what_another_program_wrote_is_gone_after_ctrl_l(
    app: Terminal, page: str
) -> None:
    app.press(page)
    await app.settles(0.5)
    before = app.text
    app._stream.feed(b"\x1b[2;3Hbroadcast message\x1b[12;30Hfrom root")
    assert app.text != before
    app.press(CTRL_L)
    await app.shows(lambda screen: screen == before)


@pytest.mark.long
async def test_a_window_that_was_small_for_a_moment_is_drawn_whole(app: Terminal) -> None:
    await app.settles(0.5)
    before = app.text
    app.resize(62, 21)
    app.resize(80, 24)
    await app.shows(lambda screen: screen == before)
