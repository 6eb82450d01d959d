"""The way through Create Integration Credential, as fingers know it."""

import re
from itertools import dropwhile, takewhile

from tests.e2e.browsers import OpenedUrls
from tests.e2e.terminal import DOWN, ENTER, Terminal

WAITING = "1 Open this URL"
ACCOUNT = "Is this the account you meant?"


def is_pending(screen: str) -> bool:
    """Say whether a row shows when its wait ends; before midnight, it has the date."""
    return bool(re.search(r"… (until|\d\d [A-Z][a-z]{2}) \d\d:\d\d", screen))


async def open_create(app: Terminal, key: str = ENTER) -> None:
    app.press(key)
    await app.shows("Name the credential")
    await app.settles()


async def name_it(app: Terminal, name: str) -> None:
    await app.shows("Name credential")
    app.press(name, ENTER)


async def take_bill(app: Terminal) -> None:
    """Go on from stage 2, where the only choice is made already."""
    await app.shows("Entity Type Settings")
    await app.settles()
    app.press(ENTER)


async def choose(app: Terminal, title: str, choice: str, *, at: int) -> None:
    """Open the drop-down, take line ``at`` (from 0), and go on: Enter and arrows alone."""
    await app.shows(title)
    app.press(ENTER)
    await app.shows(lambda screen: _is_line(screen, choice))
    app.press(*[DOWN] * at, ENTER)
    await app.shows("Next")
    await app.settles()
    app.press(ENTER)


async def to_authenticate(
    app: Terminal,
    *,
    key: str = ENTER,
    name: str = "Acme",
    destination: str = "Stripe (Test Mode)",
) -> None:
    """Go from the Credentials page to stage 4; ``key`` leaves that page."""
    await open_create(app, key)
    await name_it(app, name)
    await take_bill(app)
    await app.shows("Destination Settings")
    await app.settles()
    at = ("Stripe", "Stripe (Test Mode)").index(destination)
    if app.reads("Select the destination"):
        await choose(app, "Destination Settings", destination, at=at)
    else:  # the only one that is set up is chosen already
        app.press(ENTER)
    await app.shows("You will need to provide authentication details on the Stripe website")


async def go_to_stripe(app: Terminal, opened: OpenedUrls) -> str:
    """Press Enter on Go to Stripe; return the URL that a browser was started with."""
    await app.shows("Go to Stripe")
    await app.settles()
    app.press(ENTER)
    url = await opened.next()
    await app.shows(WAITING)
    return url


async def create_credential(app: Terminal, *, there_are: str = "1 credential") -> str:
    """Press Enter on Create Credential; return the Credentials page with the new row."""
    await app.shows(ACCOUNT)
    await app.focuses("Create Credential")  # after a paste, in a second
    await app.settles()
    app.press(ENTER)
    await app.shows(there_are)
    return await app.shows("✓ authenticated")


def url_on(screen: str) -> str:
    """Put together the URL that is wrapped over some lines of the screen; none is empty."""
    lines = [line.split("  ")[-1].strip() for line in screen.splitlines()]
    begun = dropwhile(lambda line: not line.startswith("http://"), lines)
    return "".join(takewhile(lambda line: line and " " not in line, begun))


def _is_line(screen: str, text: str) -> bool:
    """Say whether a line inside a frame is ``text`` and nothing else."""
    lines = (line.split("▊")[-1].split("║")[-2:][0] for line in screen.splitlines())
    return any(line.strip(" ▎") == text for line in lines)
