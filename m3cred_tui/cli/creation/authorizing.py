"""An authorization on the command line, from the URL to what Stripe has approved."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from m3cred_tui.authorize.events import (
    Approved,
    BrowserOpened,
    Failed,
    Noticed,
    RedirectReceived,
    UrlReady,
    Visited,
)
from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.cli.creation.announcing import Begun, announce
from m3cred_tui.cli.creation.incoming import incoming, is_typed
from m3cred_tui.cli.creation.pasting import take_address
from m3cred_tui.cli.rooms import now
from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import datetime

    from m3cred_tui.authorize.events import Event
    from m3cred_tui.authorize.journal import PendingJournal
    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.browser.surroundings import Surroundings
    from m3cred_tui.browser.ways import Ways
    from m3cred_tui.cli.creation.console import Console
    from m3cred_tui.model.authorization import AuthorizationRequest
    from m3cred_tui.model.credential import Credential

_SOON = timedelta(minutes=2)
_HINT = (
    "Does the browser show an error in braces, {…}? Stripe tells that to nobody else: check "
    "the keys of this destination (m3cred config check), and begin anew."
)
_SOON_OVER = "Two minutes are left for the approval."


class InputEnded(Problem):
    """Standard input has ended without an address, and nothing else can bring one."""

    def __init__(self, pending: Credential, go_on: str) -> None:
        super().__init__(
            "Standard input ended without the address that the browser ended on. "
            f"“{pending.name}” still waits for it: {go_on}"
        )
        self.pending = pending


class Manner(NamedTuple):
    """How an authorization is gone through."""

    console: Console
    ways: Ways
    here: Surroundings
    opens_browser: bool = True
    only_by_paste: bool = False
    """It was announced before, and the address of its end comes by standard input."""


async def approval(
    authorizer: Authorizer,
    request: AuthorizationRequest | None,
    journal: PendingJournal,
    manner: Manner,
) -> Approved:
    """Follow a new authorization, or the one that ``request`` was left with.

    Raises the ``Problem`` that it ended with, and :class:`InputEnded`.
    """
    beside: list[asyncio.Task[None]] = []
    try:
        async with aclosing(authorizer.authorize(request)) as events:
            while True:
                match await _next(events, beside):
                    case UrlReady() as ready:
                        assert journal.credential is not None  # noqa: S101 - it is requested
                        beside += _begin(journal.credential, ready, manner)
                    case RedirectReceived():
                        await _end(beside)  # nothing is taken any more
                        manner.console.say("Stripe has answered; asking which account it is.")
                    case Approved() as approved:
                        return approved
                    case Failed(problem):
                        raise problem
                    case event:
                        _tell(event, manner)
    finally:
        await _end(beside)


async def _next(events: AsyncGenerator[Event], beside: list[asyncio.Task[None]]) -> Event:
    """Return the next event, or raise what ended beside it."""
    upcoming = asyncio.ensure_future(anext(events))
    try:
        while not upcoming.done():
            for task in beside:  # it may have ended between two events
                if task.done() and not task.cancelled():
                    task.result()
            running = [task for task in beside if not task.done()]
            await asyncio.wait([upcoming, *running], return_when=asyncio.FIRST_COMPLETED)
        return upcoming.result()
    finally:
        await _end([upcoming])


async def _end(tasks: Sequence[asyncio.Future[Any]]) -> None:
    running = [task for task in tasks if not task.done()]
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running)


def _begin(pending: Credential, ready: UrlReady, manner: Manner) -> list[asyncio.Task[None]]:
    """Show the URL, and return what goes on beside the wait for its end."""
    console = manner.console
    if manner.only_by_paste:
        if is_typed():
            console.say("Paste the address that the browser ended on (it is not shown):")
    else:
        announce(Begun(pending, ready, manner.here, manner.ways), console)
    tasks = [asyncio.create_task(_take_paste(pending, ready, manner))]
    if not manner.only_by_paste:
        tasks.append(asyncio.create_task(_remind(ready.expires_at, console)))
    return tasks


async def _take_paste(pending: Credential, ready: UrlReady, manner: Manner) -> None:
    console = manner.console
    with incoming(shown=False) as lines:
        was_taken = await take_address(lines, ready.paste, lambda one: console.say(f"! {one}"))
    if not was_taken and (manner.only_by_paste or ready.short_url is None):
        raise InputEnded(pending, console.command("resume", pending.id))


async def _remind(expires_at: datetime, console: Console) -> None:
    """Tell what helps when it takes long."""
    for before_end, sentence in ((TIME_LIMIT - _SOON, _HINT), (_SOON, _SOON_OVER)):
        wait = expires_at - before_end - now()
        await asyncio.sleep(max(wait.total_seconds(), 0))
        console.say(sentence)


def _tell(event: Event, manner: Manner) -> None:
    console = manner.console
    match event:
        case BrowserOpened() if manner.opens_browser and not manner.only_by_paste:
            console.say("A browser was opened. If you do not see it, open the URL.")
        case Visited():
            console.say("A browser came by the short address: it can reach m3cred.")
        case Noticed(BrowserDidNotOpen()) if manner.here.browser_is_elsewhere:
            pass  # as is said with the URL
        case Noticed(problem) if not manner.only_by_paste:
            console.say(f"! {problem}")
