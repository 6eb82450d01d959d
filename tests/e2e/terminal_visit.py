"""The whole way in one terminal, and what was found there: a row of docs/terminals.md."""

import asyncio
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import parse_qs, urlsplit

from tests.e2e.canaries import clipboard
from tests.e2e.sequences import kinds
from tests.e2e.terminal import DOWN, ENTER, Terminal
from tests.e2e.terminal_looks import (
    colours,
    comes_to,
    has_cursor,
    has_double_frame,
    is_reversed,
    modes_left,
    signs,
    stands_out,
    unwrapped,
)
from tests.e2e.terminals import AFTER, BEFORE, SETUPS, Found, Setup, opened
from tests.e2e.tmux import ask_tmux
from tests.e2e.wizard import ACCOUNT, WAITING, url_on
from tests.ui.visit import approve_only

NAME = "Caf\u00e9 in K\u00f6ln"
APPLICATION_DOWN = "\x1bOB"
STATE_LENGTH = 43
LEAST_LINES = 20
FIRST_PAGE = (
    "Integrations \u203a Credentials DEMO Create Integration Credential There are no "
    "credentials yet. An Integration Credential lets m3ter send your Bills to Stripe. Press "
    "Enter to create the first one. Support portal: https://support.m3ter.com/ \u23ce Select "
    "c Create ? Help q Quit ^p palette"
)

_KNOWN_TO_OLD = re.compile(r"CSI (?:\?[\d;]+[hl]|[Hm]|[\d;]*J)|U\+000[AD]")
_PATIENCE = 60.0
"""Seconds that a loaded machine may take for an address that comes as keys."""
_HYPERLINK = b"\x1b]8;id"
_MOUSE, _PASTE, _SECOND_SCREEN = b"\x1b[?1000h", b"\x1b[?2004h", b"\x1b[?1049h"


async def find_out(setup: Setup, directory: Path) -> Found:
    """Go the whole way in this terminal; what must hold everywhere is asserted on the way."""
    async with opened(setup, directory) as app:
        found: dict[str, str] = {}
        marked: dict[str, bool] = {}
        found["garbled"] = await _at_the_start(app, setup)
        button = "Create Integration Credential"
        marked["button"] = await comes_to(app, lambda: is_reversed(app, button))
        await _choose(app, marked)
        await _wait_at_stripe(app, marked)
        url = url_on(app.text)
        found["stage_4"] = await _stage_4(app, url)
        found["clipboard"] = await _clipboard(app, directory, setup, url)
        found["resize"] = await _resized(app, setup)
        found["paste"] = await _pasted(app, setup, url, marked)
        by_arrows = marked["choice"] and marked["paste line"]
        found["arrow_keys"] = "yes" if by_arrows else "no"
        found["focus"] = "everywhere" if all(marked.values()) else f"not: {marked}"
        found["end"] = await _ended(app, setup)
        raw = app.raw
        if setup.is_old and (unknown := _unknown_to_old(raw)):
            found["garbled"] = f"by {unknown}"
        return Found(
            **found,
            colours=colours(raw),
            signs=signs(raw),
            hyperlink="sent" if _HYPERLINK in raw else "left out",
            mouse="reported" if _MOUSE in raw else "left to the terminal",
        )


async def find_out_all() -> dict[str, Found | BaseException]:
    """Go the whole way in each terminal, in a few at a time: there are four callback ports."""
    few = asyncio.Semaphore(3)

    async def one(setup: Setup) -> Found:
        async with few:
            with TemporaryDirectory(prefix="m3") as directory:
                return await find_out(setup, Path(directory))

    found = await asyncio.gather(*map(one, SETUPS), return_exceptions=True)
    return dict(zip((setup.name for setup in SETUPS), found, strict=True))


async def _at_the_start(app: Terminal, setup: Setup) -> str:
    """Compare the first page, after all that is asked of a terminal at the start."""
    await app.shows("There are no credentials yet")
    await app.shows("Select")  # of the button, which has the focus by then
    await app.settles()
    wanted = FIRST_PAGE
    if setup.is_old or "LANG" in setup.environ:
        wanted = wanted.replace("\u203a", ">").replace("\u23ce", "enter")
    seen = " ".join(app.text.split())
    return "no" if seen == wanted else f"{seen}"


async def _choose(app: Terminal, marked: dict[str, bool]) -> None:
    """Go to stage 4 by Enter and the arrow keys of either kind."""
    app.press(ENTER)
    await app.shows("Name credential")
    marked["line"] = await comes_to(app, lambda: has_cursor(app, "Name  "))
    app.press(NAME, ENTER)
    await app.shows("Entity Type Settings")
    marked["next"] = await comes_to(app, lambda: is_reversed(app, "Next"))
    app.press(ENTER)
    await app.shows("Destination Settings")
    prompt = "Select the destination"
    marked["drop-down"] = await comes_to(
        app, lambda: stands_out(app, prompt) or has_double_frame(app)
    )
    app.press(ENTER)
    await app.shows("esc Close")
    app.press(APPLICATION_DOWN)
    marked["choice"] = await comes_to(app, lambda: stands_out(app, "Stripe (Test Mode)"))
    marked["choice"] &= not stands_out(app, "Select the destination")
    app.press(ENTER)
    marked["next"] &= await comes_to(app, lambda: is_reversed(app, "Next"))
    app.press(ENTER)
    await app.shows("Go to Stripe")


async def _wait_at_stripe(app: Terminal, marked: dict[str, bool]) -> None:
    marked["go on"] = await comes_to(app, lambda: is_reversed(app, "Go to Stripe"))
    app.press(ENTER)
    await app.shows(WAITING)
    way = "Send the command to the clipboard"
    marked["way"] = await comes_to(app, lambda: is_reversed(app, way))
    await app.settles()


async def _stage_4(app: Terminal, url: str) -> str:
    (state,) = parse_qs(urlsplit(url).query)["state"]
    assert len(state) == STATE_LENGTH
    await app.shows("Paste the address here")
    tunnel = app.reads("ssh -N -L") and "/go/" in app.text
    return "all of it" if tunnel else "all but the tunnel"


async def _clipboard(app: Terminal, directory: Path, setup: Setup, url: str) -> str:
    app.press("y")
    await app.shows(lambda text: "clipboard" in text.replace("the clipboard", ""))
    await app.settles()
    plain, wrapped = unwrapped(app.raw)
    took = [clipboard(sent).decode() for sent in (plain, wrapped)]
    assert {*took} <= {url, ""}
    if not any(took):
        await app.shows("has no clipboard")
        return "none, and says so"
    if setup.within == "tmux":
        assert url == await ask_tmux(str(directory / "socket"), "show-buffer")
        return "OSC 52 and tmux's buffer"
    return "OSC 52" if not took[1] else "OSC 52, plain and wrapped for screen"


async def _resized(app: Terminal, setup: Setup) -> str:
    app.resize(setup.columns - 1, LEAST_LINES - 1)
    await app.shows(
        lambda screen: "m3cred needs a window of" in screen and WAITING not in screen
    )
    app.resize(setup.columns, setup.lines)
    await app.shows(WAITING)
    await app.settles()
    return "yes"


async def _pasted(app: Terminal, setup: Setup, url: str, marked: dict[str, bool]) -> str:
    """Paste as keys, as an old terminal does, and between marks, as others do when asked."""
    redirect = await asyncio.to_thread(approve_only, url)
    app.press(DOWN)
    marked["paste line"] = await comes_to(app, lambda: has_cursor(app, "Paste the address"))
    if setup.is_old:
        app.press(redirect, ENTER)
    else:
        app.press("example.org/", ENTER)
        await app.shows("! This is an address of example.org")
        assert _PASTE in app.raw
        app.press(f"\x1b[200~{redirect}\x1b[201~")
    await app.shows(ACCOUNT, _PATIENCE)
    await app.shows(lambda _: is_reversed(app, "Create Credential"))
    app.press(ENTER)
    await app.shows("1 credential")
    row = re.compile(r"^\W(?=Caf)", re.MULTILINE)
    marked["row"] = await comes_to(app, lambda: row.search(app.text) is not None)
    return "as keys" if setup.is_old else "bracketed, or as keys"


async def _ended(app: Terminal, setup: Setup) -> str:
    """Leave, and look what the terminal of a person is like then."""
    app.press("q")
    await app.shows(AFTER)
    if setup.within:
        return "as before" if BEFORE in app.text else "cleared"
    assert app.text.split() == [AFTER]  # the emulator has one screen only
    assert _SECOND_SCREEN in app.raw
    assert not modes_left(app.raw)
    assert app.cursor_shown
    return "cleared" if setup.is_old else "second screen left"


def _unknown_to_old(raw: bytes) -> list[str]:
    return sorted(kind for kind in kinds(raw) if not _KNOWN_TO_OLD.fullmatch(kind))
