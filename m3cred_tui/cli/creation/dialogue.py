"""What ``m3cred create`` and ``m3cred resume`` show, ask and read."""

import asyncio
import sys
from argparse import Namespace
from collections.abc import Coroutine
from contextlib import ExitStack, aclosing, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from shlex import quote
from textwrap import wrap
from typing import Any, NamedTuple

from m3cred_tui.authorize.authorization import Authorization
from m3cred_tui.authorize.events import (
    Approved,
    BrowserOpened,
    Event,
    Failed,
    Noticed,
    RedirectReceived,
    UrlReady,
    Visited,
)
from m3cred_tui.authorize.keeping import PATIENCE
from m3cred_tui.authorize.problems import OtherAccount, RenewedGone
from m3cred_tui.authorize.renewal import other_account
from m3cred_tui.authorize.steps import MINUTES, TUNNEL_WORKS, Steps
from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.browser.ways import Ways, Whereabouts
from m3cred_tui.cli.creation.standard_input import Lines, incoming, take_address
from m3cred_tui.cli.output.json import begin_json
from m3cred_tui.cli.output.prompts import can_ask, is_typed, says_yes
from m3cred_tui.cli.output.streams import coloured, width_of
from m3cred_tui.cli.wiring import now
from m3cred_tui.listing.columns import clock_time
from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.credential import Credential, StripeAccount
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import NameTaken

_ONLY_HERE = (
    f"Paste it only here, within {MINUTES} minutes of approving (it is not shown), and press "
    "Enter."
)
_ONLY_AS_LINE = (
    f"It is read from standard input, as a line, within {MINUTES} minutes of approving."
)
_NOT_TOLD = "not told by Stripe"
_SOON = timedelta(minutes=2)
_HINT = (
    "Does the browser show an error in braces, {…}? Stripe tells that to nobody else: check "
    "the keys of this destination (m3cred config check), and start again."
)
_ANSWERED = "Stripe has answered; asking which account it is."
_NOT_KEPT = (
    "Stripe's approval is in memory only, and m3cred keeps trying to write it: please set that "
    "right. Do not end this process."
)
_SOON_OVER = "Two minutes are left for the approval."
_PROGRAM = "m3cred"
_LOUD = "1;7;31"
"""Bold, reversed and red."""


class Console(NamedTuple):
    """Results go to standard output, everything else to standard error."""

    json: bool
    """Standard output is for scripts: one JSON object a line."""
    demo: bool = False

    def put(self, line: str) -> None:
        """Write a line of the result."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Report progress; on a terminal, wrapped so that it can be read and copied."""
        width = width_of(sys.stderr)
        with suppress(OSError):  # a terminal that is gone is no reason to stop
            for line in text.splitlines():
                shown = [line] if width is None else _wrapped(line, width)
                sys.stderr.writelines(f"{one}\n" for one in shown)
            sys.stderr.flush()

    def command(self, *words: str) -> str:
        """Return the command to type, with ``--demo`` if this is the demo."""
        return " ".join((_PROGRAM, *(["--demo"] if self.demo else []), *words))


def _wrapped(line: str, width: int) -> list[str]:
    """Wrap a line between words; a command to be copied stays in one piece."""
    if line.startswith(" "):
        return [line]
    prose, is_followed, command = line.partition(f": {_PROGRAM} ")
    if is_followed:
        return [*_wrapped(f"{prose}:", width), f"  {_PROGRAM} {command}"]
    return wrap(line, width, break_on_hyphens=False)


class InputEnded(Problem, code="InputEnded"):
    """Standard input ended without an address, and nothing listens; the request is kept."""

    text = """Standard input ended without the address that the browser ended on.
        “{pending.name}” is still waiting for it: {go_on}"""
    pending: Credential
    go_on: str


class NotConfirmed(Problem, code="NotConfirmed"):
    """Nobody agreed to the account; the approval is kept."""

    text = """{_nothing} for {account.id}, because {reason}. Stripe's approval is kept; to
        continue: {go_on}"""
    account: StripeAccount
    reason: str
    go_on: str
    renewed: Credential | None = None
    _nothing = property(lambda self: _not_done(self.renewed).capitalize())


class UnexpectedAccount(Problem, code="UnexpectedAccount"):
    """Stripe approved another account than ``--expect-account``; the approval is kept."""

    text = """Stripe has approved {account.id}, not {expected}, so {_nothing}. The approval is
        kept; to use it anyway: {go_on}"""
    account: StripeAccount
    expected: str
    go_on: str
    renewed: Credential | None = None
    _nothing = property(lambda self: _not_done(self.renewed))


def _not_done(renewed: Credential | None) -> str:
    return "nothing was changed" if renewed else "no credential was created"


class Dialogue:
    """Shows an authorization to the user, and asks about its account."""

    def __init__(
        self, chosen: Namespace, console: Console, ways: Ways, authorization: Authorization
    ) -> None:
        self._chosen = chosen
        self._console = console
        self._ways = ways
        self.authorization = authorization
        # With --complete, the URL was shown before, and standard input has the address.
        self._only_by_paste = bool(getattr(chosen, "complete", None))
        self._whereabouts: Whereabouts | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._input = ExitStack()
        self._fault: BaseException | None = None
        self._is_answered = False

    @property
    def _pending(self) -> Credential:
        pending = self.authorization.pending
        assert pending is not None  # noqa: S101 - it is requested
        return pending

    async def create(self, name: str) -> Credential:
        """Follow it to the credential; raises the ``Problem`` that it ends with."""
        approved = await self._until_kept(await self._follow())
        go_on = self._console.command("resume", self._pending.id)
        try:
            replacing = await self._agree(approved, go_on)
            credential, doubt = await self.authorization.create(name, replacing=replacing)
        except NameTaken:
            raise NameTaken(name, f"{go_on} --name NAME") from None
        except RenewedGone:
            named = f"{go_on} --name {quote(self._pending.name)}"
            raise RenewedGone(self._pending, named) from None
        except OtherAccount as other:
            expecting = f"{go_on} --expect-account {other.after.id}"
            raise OtherAccount(other.name, other.before, other.after, expecting) from None
        if doubt is not None:
            self._console.say(str(doubt))
        return credential

    async def _follow(self) -> Approved:
        """Follow to the approval; raises the ``Problem`` that it ends with."""
        try:
            async with aclosing(self.authorization.follow()) as events:
                async for event in events:
                    match event:
                        case UrlReady():
                            await self._begin(event)
                        case RedirectReceived():
                            self._is_answered = True
                            await self._cancel_tasks()  # nothing more can be pasted
                            self._console.say(_ANSWERED)
                        case Approved():
                            return event
                        case Failed(problem):
                            raise problem
                        case _:
                            self._tell(event)
        finally:
            await self._cancel_tasks()
        assert self._fault is not None  # noqa: S101 - nothing else leaves
        raise self._fault

    async def _until_kept(self, approved: Approved) -> Approved:
        """Wait until the approval is on the disk: on a terminal, as long as its user does."""
        if approved.unkept is not None:
            self._console.say(f"! {approved.unkept}\n{_NOT_KEPT}")
            await self.authorization.until_kept(None if is_typed() else PATIENCE)
            self._console.say("It is kept now.")
        return replace(approved, unkept=None)

    async def begin(self) -> None:
        """Keep the request and show its URL, for later; raises ``Problem``."""
        async with aclosing(self.authorization.follow()) as events:
            event = await anext(events)
        if isinstance(event, Failed):
            raise event.problem
        assert isinstance(event, UrlReady)  # noqa: S101 - it is the first to come
        command = "reauthorize" if self._pending.renews else "create"
        go_on = self._console.command(command, "--complete", self._pending.id)
        self._show_url(event, await self._ways.whereabouts(None), alone=True)
        self._console.say(
            f"“{self._pending.name}” waits for your approval until {_until(event)}. When you "
            f"have approved, give the address that the browser ends on to: {go_on}"
        )

    async def _begin(self, ready: UrlReady) -> None:
        """Show the URL, and start the tasks that run during the wait."""
        self._whereabouts = await self._ways.whereabouts(ready.short_url)
        # Before anybody is asked to paste, or what comes at once would be echoed.
        lines = self._input.enter_context(incoming())
        if not self._only_by_paste:
            self._announce(ready, self._whereabouts)
            self._run_meanwhile(_remind(ready.expires_at, self._console))
        elif is_typed():
            self._console.say("Paste the address that the browser ended on (it is not shown):")
        self._run_meanwhile(self._take_paste(ready, lines))

    def _run_meanwhile(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._leave_on_fault)
        self._tasks.append(task)

    def _leave_on_fault(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (fault := task.exception()):
            self._fault = fault
            self.authorization.leave()

    async def _cancel_tasks(self) -> None:
        running = [task for task in self._tasks if not task.done()]
        for task in running:
            task.cancel()
        with self._input:
            if running:
                await asyncio.wait(running)

    async def _take_paste(self, ready: UrlReady, lines: Lines) -> None:
        say, paste = self._console.say, self.authorization.paste
        with self._input:
            was_taken = await take_address(lines, paste, lambda problem: say(f"! {problem}"))
        if not was_taken and (self._only_by_paste or ready.short_url is None):
            raise InputEnded(self._pending, self._console.command("resume", self._pending.id))

    def _show_url(
        self, ready: UrlReady, whereabouts: Whereabouts, *, alone: bool = False
    ) -> None:
        """Show the first step, which has no number ``alone``, or the object for scripts."""
        if self._console.json:
            self._console.put(begin_json(self._pending, ready, whereabouts.tunnel))
            return
        steps = _steps(ready, whereabouts)
        self._console.say(steps.open.removeprefix("1 ") if alone else steps.open)
        if steps.tunnel_first:
            self._console.say(_tunnel(ready, whereabouts, "or"))
        self._console.put(ready.url)

    def _announce(self, ready: UrlReady, whereabouts: Whereabouts) -> None:
        say, steps = self._console.say, _steps(ready, whereabouts)
        self._show_url(ready, whereabouts)
        say(f"{steps.approve}\n{steps.come_back}")
        is_told = steps.tunnel_first and not self._console.json
        if whereabouts.tunnel and whereabouts.browser_is_elsewhere and not is_told:
            say(_tunnel(ready, whereabouts))
        say(f"{steps.paste} {_ONLY_HERE if is_typed() else _ONLY_AS_LINE}")
        say(f"“{self._pending.name}” waits for your approval until {_until(ready)}.")

    def _tell(self, event: Event) -> None:
        say = self._console.say
        match event:
            case BrowserOpened() if not (self._chosen.no_browser or self._only_by_paste):
                say("A browser was opened. If you do not see it, open the URL.")
            case Visited():
                told = self._whereabouts
                works = TUNNEL_WORKS if told and told.browser_is_elsewhere else "✓ reachable"
                say(f"{works}: a browser has opened the short address.")
            case Noticed(BrowserDidNotOpen()) if (
                self._whereabouts and self._whereabouts.browser_is_elsewhere
            ):
                pass  # as is said with the URL
            case Noticed(problem) if not self._only_by_paste or self._is_answered:
                say(f"! {problem}")

    async def _agree(self, approved: Approved, go_on: str) -> str | None:
        """Return once the user has seen the account and agrees.

        Returns the ID of the account that another may replace. Raises
        :class:`UnexpectedAccount`, :class:`NotConfirmed`, ``OtherAccount`` and ``RenewedGone``.
        """
        account, console = approved.account, self._console
        console.say(_described(approved))
        renewed = await asyncio.to_thread(self.authorization.renewed)
        other = renewed and other_account(renewed, account)
        expected = self._chosen.expect_account
        if expected not in {None, account.id}:
            raise UnexpectedAccount(account, expected, go_on, renewed)
        if not expected and other:
            if self._chosen.yes or not can_ask():
                raise other
            console.say(f"! {other}")
        if not (self._chosen.yes or expected):
            reason = await _refusal(other.question if other else _question(renewed))
            if reason:
                agreeing = "" if can_ask() else f" --expect-account {account.id}"
                raise NotConfirmed(account, reason, f"{go_on}{agreeing}", renewed)
        return other.before.id if other else None


async def _refusal(question: str) -> str:
    """Ask, and return why the answer is not yes; empty if it is."""
    if not can_ask():
        return "nobody could be asked"
    return "" if await says_yes(question) else "you did not agree"


def _question(renewed: Credential | None) -> str:
    if renewed is None:
        return "Create the credential?"
    return f"The account is the same as before. Authorize “{renewed.name}” again?"


async def _remind(expires_at: datetime, console: Console) -> None:
    """Say what helps when it takes long."""
    for before_end, sentence in ((TIME_LIMIT - _SOON, _HINT), (_SOON, _SOON_OVER)):
        wait = expires_at - before_end - now()
        await asyncio.sleep(max(wait.total_seconds(), 0))
        console.say(sentence)


def _steps(ready: UrlReady, whereabouts: Whereabouts) -> Steps:
    return Steps.of(ready, whereabouts, elsewhere=whereabouts.browser_is_elsewhere)


def _tunnel(ready: UrlReady, whereabouts: Whereabouts, *more: str) -> str:
    lines = (
        "Run on your computer:",
        f"  {whereabouts.tunnel}",
        f"and open:\n  {ready.short_url}",
    )
    return "\n".join((*lines, *more))


def _until(ready: UrlReady) -> str:
    return clock_time(ready.expires_at, now())


def _described(approved: Approved) -> str:
    account = approved.account
    mode = coloured("LIVE", _LOUD, sys.stderr) if account.livemode else "TEST"
    lines = (
        "Stripe has approved access to this account:",
        f"  Stripe account  {account.name or _NOT_TOLD}",
        f"  Account ID      {account.id}",
        f"  Country         {account.country or _NOT_TOLD}",
        f"  Mode            {mode}",
        *([str(approved.unread)] if approved.unread else []),
        *([approved.already] if approved.already else []),
    )
    return "\n".join(lines)
