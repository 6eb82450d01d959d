"""Hostile text pasted and typed as a name, on the terminal's bytes."""

import asyncio
import os
import re

import pytest

from m3cred_tui.model.name import name_problem
from tests.e2e.cells import watch
from tests.e2e.conftest import Home, Start
from tests.e2e.hostile import TRIED, TWINS, Hostile
from tests.e2e.records import keep
from tests.e2e.sequences import kinds
from tests.e2e.terminal import Terminal

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(180),  # for hundreds of texts on a busy machine
]

CANARY = re.compile(r"Zq\d{3}x")
CLEAR = "\x15"
EMPTY = "▊  Name  "
WIDE = 160  # columns, so that a notice stands on one line
SEEN = 55  # characters that the field shows even if they are wide
TAKEN = "Another credential already has this name."
HARMLESS = (("Acme bills", None), ("Acme", TAKEN), ("x" * 65, name_problem("x" * 65)))


def notice(screen: str) -> str:
    """Return what is said below the field."""
    lines = (line.strip() for line in screen.splitlines())
    return next((line for line in lines if line.startswith("! ")), "")


async def enter(app: Terminal, typed: bytes, arrives: str, problem: str | None) -> None:
    """Type what arrives as a text in the empty field; see both it and its problem; clear it."""
    await write(app, typed)
    if not arrives:
        return
    canary = CANARY.search(arrives[:SEEN])

    def answered(screen: str) -> bool:
        shown = canary is None or len(arrives) > SEEN or canary[0] in screen
        told = notice(screen) == (f"! {problem}" if problem else "")
        return shown and told and EMPTY not in screen

    await app.shows(answered)
    app.press(CLEAR)
    await app.shows(lambda screen: EMPTY in screen and not notice(screen))


async def write(app: Terminal, data: bytes) -> None:
    """Write to the terminal as fast as the app reads."""
    loop = asyncio.get_running_loop()
    left = memoryview(data)
    while left:
        writable = asyncio.Event()
        loop.add_writer(app._master, writable.set)
        await writable.wait()
        loop.remove_writer(app._master)
        left = left[os.write(app._master, left) :]


def pasted(text: str) -> tuple[bytes, str]:
    """Return the bytes of a paste, and the line that Textual takes from it.

    Escapes are left out, as terminals do it (xterm's ``disallowedPasteControls``): they would
    end the paste.
    """
    data = text.replace("\x1b", " ").encode("utf-8", "surrogatepass")
    lines = data.decode("utf-8", "replace").replace("\0", "").splitlines()
    return b"\x1b[200~" + data + b"\x1b[201~", lines[0]


def typed(text: str) -> tuple[bytes, str]:
    """Return the bytes of a text that is typed, and what of it are no control keys."""
    return text.encode(), "".join(one for one in text if one.isprintable())


def can_be_typed(text: str) -> bool:
    """Tell whether no character of the text is a key that does something."""
    return len(text) < 20 and not any(
        one < " " or "\x7f" <= one < "\xa0" or "\ud800" <= one < "\ue000" for one in text
    )


async def test_every_name_is_refused_in_words_or_shown_as_plain_text(
    home: Home, start: Start
) -> None:
    keep(home, [Hostile("none", name, name) for name in ("Acme", *TWINS)])
    app = await start("--demo", columns=WIDE, lines=20)
    watch(app)
    await app.shows(f"{len(TWINS) + 1} credentials")
    app.press("c")
    await app.shows(EMPTY)
    for text, problem in HARMLESS:
        for way in (pasted, typed):
            await enter(app, *way(text), problem)
    await app.settles()
    expected = kinds(app.raw)

    for hostile in TRIED:
        keys, arrives = pasted(hostile.text)
        await enter(app, keys, arrives, name_problem(arrives))
    for hostile in [one for one in TRIED if can_be_typed(one.text)][::8]:
        keys, arrives = typed(hostile.text)
        await enter(app, keys, arrives, name_problem(arrives))
    for twin in (twin for twins in TWINS.values() for twin in twins):
        await enter(app, *pasted(twin), TAKEN)
    await app.settles()
    assert kinds(app.raw) - expected == set()
