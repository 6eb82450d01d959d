"""An authorization on the command line, from the URL to what Stripe has approved."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

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
from m3cred_tui.callback.pasted import PasteIncomplete
from m3cred_tui.cli.creation.incoming import incoming, is_typed
from m3cred_tui.cli.output.json import begin_json
from m3cred_tui.cli.wiring import now
from m3cred_tui.model.authorization import CODE_LIFETIME, TIME_LIMIT
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence
    from datetime import datetime

    from m3cred_tui.authorize.events import Event, Paste
    from m3cred_tui.authorize.journal import PendingJournal
    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.browser.surroundings import Surroundings
    from m3cred_tui.browser.ways import Ways
    from m3cred_tui.cli.creation.incoming import Lines
    from m3cred_tui.cli.output.console import Console
    from m3cred_tui.model.authorization import AuthorizationRequest
    from m3cred_tui.model.credential import Credential


_MINUTES = CODE_LIFETIME // timedelta(minutes=1)


class Begun(NamedTuple):
    """A request that is on the disk, and where we are with it."""

    pending: Credential
    ready: UrlReady
    here: Surroundings
    ways: Ways

    @property
    def tunnel(self) -> str | None:
        """The command that lets a browser elsewhere reach us, where we listen."""
        port = urlsplit(self.ready.short_url or "").port
        return self.ways.tunnel(port, self.here).command if port else None


def announce(one: Begun, console: Console) -> None:
    """Show the URL of a request that is listened for, and say how to come back from it."""
    if console.json:
        console.put(begin_json(one.pending, one.ready, one.tunnel))
    else:
        console.say(_where(one.here))
        console.put(one.ready.url)
    console.say(_how_to_paste(one))
    if (tunnel := one.tunnel) and one.here.browser_is_elsewhere:
        console.say(
            "Or run this on your computer, and open the short address there:\n"
            f"  {tunnel}\n  {one.ready.short_url}"
        )
    console.say(f"“{one.pending.name}” waits for your approval until {_until(one)}.")


def announce_for_later(one: Begun, console: Console) -> None:
    """Show the URL of a request that nobody listens for."""
    go_on = console.command("create", "--complete", one.pending.id)
    if console.json:
        console.put(begin_json(one.pending, one.ready, None))
    else:
        console.say(_where(one.here))
        console.put(one.ready.url)
    console.say(
        f"“{one.pending.name}” waits for your approval until {_until(one)}. When you have "
        f"approved, give the address that the browser ends on to: {go_on}"
    )


def _where(here: Surroundings) -> str:
    if here.browser_is_elsewhere:
        reason = next(iter(here.reasons), "")
        why = f" ({reason})" if reason else ""
        return f"Open this URL in your own browser{why}, and approve access for m3ter there:"
    return "Open this URL in a browser on this computer, and approve access for m3ter there:"


def _how_to_paste(one: Begun) -> str:
    own_page = one.ready.redirect_uri.startswith("https:")
    address = "the address of your page" if own_page else "the address"
    if is_typed():
        paste = f"paste here {address} that it ends on (it is not shown), and press Enter"
    else:
        paste = f"write to standard input, as a line, {address} that it ends on"
    by_itself = (
        "If the browser comes back to this computer, m3cred goes on by itself. Otherwise "
    )
    if own_page:
        by_itself = "If you follow the link on your page, m3cred goes on by itself. Otherwise "
    first = by_itself if one.ready.short_url else "After that, "
    return f"{first}{paste}. It is good for {_MINUTES} minutes; give it to nobody else."


def _until(one: Begun) -> str:
    return f"{one.ready.expires_at.astimezone():%H:%M}"


SILENCE = 0.5
"""Seconds after which no other line of a wrapped address follows."""


async def take_address(lines: Lines, paste: Paste, tell: Callable[[Problem], object]) -> bool:
    """Hand lines over until they are an address that is taken; tell whether one was.

    A wrapped address comes in several lines. What is wrong is told, and the next line begins
    anew; of what is not whole, it is told once no more of it comes.
    """
    held, told = "", ""
    while True:
        line = await lines.get()
        held = f"{held}{line or ''}\n".lstrip()
        if held and held != told:
            problem = _refusal(paste, held, final=line is None)
            if isinstance(problem, PasteIncomplete) and line is not None:
                if await _more_comes(lines):
                    continue
                problem = _refusal(paste, held, final=True)
            if problem is None:
                return True
            tell(problem)
            held = told = held if isinstance(problem, PasteIncomplete) else ""
        if line is None:
            return False


def _refusal(paste: Paste, text: str, *, final: bool) -> Problem | None:
    try:
        paste(text, final=final)
    except Problem as problem:
        return problem
    return None


async def _more_comes(lines: Lines) -> bool:
    if lines.empty():
        await asyncio.sleep(SILENCE)
    return not lines.empty()


_SOON = timedelta(minutes=2)
_HINT = (
    "Does the browser show an error in braces, {…}? Stripe tells that to nobody else: check "
    "the keys of this destination (m3cred config check), and begin anew."
)
_SOON_OVER = "Two minutes are left for the approval."


class InputEnded(Problem, code="InputEnded"):
    """Standard input ended without an address, and nothing listens; the request is kept."""

    text = """Standard input ended without the address that the browser ended on.
        “{pending.name}” still waits for it: {go_on}"""
    pending: Credential
    go_on: str


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
