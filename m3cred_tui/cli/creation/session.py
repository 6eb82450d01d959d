"""Running ``m3cred create`` and ``m3cred resume``: the ways, signals, and how it ended."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from m3cred_tui.authorize.events import Approved, Failed, UrlReady
from m3cred_tui.authorize.journal import PendingJournal, draft_of
from m3cred_tui.cli.creation.consent import (
    NameTaken,
    Terms,
    agreed,
    find_pending,
    names_in_use,
    saved,
    state_of,
)
from m3cred_tui.cli.creation.following import Begun, Manner, announce_for_later, approval
from m3cred_tui.cli.ending import let_exchange_end
from m3cred_tui.cli.log import logging_to
from m3cred_tui.cli.opening import opened
from m3cred_tui.cli.output.console import Console
from m3cred_tui.cli.output.json import end_json
from m3cred_tui.cli.wiring import authorizer_for, created_by, demo_settings, now, ways_from
from m3cred_tui.config.settings import settings_from
from m3cred_tui.model.credential import DESTINATIONS, Credential, Status
from m3cred_tui.model.name import name_key
from m3cred_tui.model.problem import Problem
from m3cred_tui.system.process import close_to_others
from m3cred_tui.system.signals import told_of_signals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.config.settings import Settings
    from m3cred_tui.model.credential import Destination, Draft
    from m3cred_tui.store.directory.store import CredentialStore
    from m3cred_tui.store.identity import IdentityFile

    Work = Callable[["Session"], Awaitable[Credential | None]]


_DONE, _FAILED, _WRONG_USAGE, _SIGNALLED = 0, 1, 2, 128


class DestinationOpen(Problem, code="DestinationOpen"):
    """No destination was named, and not exactly one is set up (status 2)."""

    text = "Say which destination is meant: {either}."
    either = " or ".join(f"--destination {one.code.lower()}" for one in DESTINATIONS)


class Interrupted(Problem, code="Interrupted"):
    """A signal ended the command; what exists is kept."""

    text = "Interrupted{_left}"
    number: signal.Signals
    pending: Credential | None
    """On the disk."""
    go_on: str
    end: Approved | Failed | None = None
    """What became of a code."""

    @property
    def _left(self) -> str:
        if self.pending is not None:
            return f". {state_of(self.pending)}; to go on: {self.go_on}"
        if isinstance(self.end, Failed):
            return f". {self.end.problem}"
        if self.end is not None and self.end.unkept:
            return f". Stripe connected {self.end.account.id}. It is lost: {self.end.unkept}"
        return "; nothing was created."


@dataclass(slots=True)
class Session:
    """What a command works with."""

    console: Console
    settings: Settings
    identity: IdentityFile
    store: CredentialStore
    terms: Terms
    opens_browser: bool
    journal: PendingJournal | None = None
    """Knows the credential that it is about, once there is one."""


def in_session(chosen: argparse.Namespace, work: Work) -> int:
    """Do ``work``, which returns what it has created, if anything; return the exit status."""
    close_to_others()
    console = Console(chosen.json, chosen.demo)
    try:
        with _settings(demo=chosen.demo) as settings, logging_to(settings.locations.log):
            room = opened(demo=chosen.demo)
            room.unlock(chosen)
            session = Session(
                console,
                settings,
                room.identity,
                room.store,
                Terms(chosen.yes, chosen.expect_account),
                opens_browser=not chosen.no_browser,
            )
            return _status(session, work)
    except Problem as problem:
        _tell(console, None, problem)
        return _FAILED


def _settings(*, demo: bool) -> AbstractContextManager[Settings]:
    return demo_settings() if demo else nullcontext(settings_from(os.environ))


def _status(session: Session, work: Work) -> int:
    """Do it, tell how it ended, and return the exit status."""
    try:
        result = asyncio.run(_until_a_signal(work(session)))
    except Problem as problem:
        _tell(session.console, _kept(session), problem)
        return _WRONG_USAGE if isinstance(problem, DestinationOpen) else _FAILED
    finally:
        let_exchange_end()
    if isinstance(result, signal.Signals):
        return _interrupted(session, result)
    if result is not None:
        _tell(session.console, result, None)
    return _DONE


async def _until_a_signal(
    work: Awaitable[Credential | None],
) -> Credential | signal.Signals | None:
    """Return what the work does, or the signal that ended it."""
    working = asyncio.ensure_future(work)
    signals: list[signal.Signals] = []

    def leave(number: signal.Signals) -> None:
        signals.append(number)
        if len(signals) == 1:  # another one would cut off how it ends
            working.cancel()

    with told_of_signals(leave):
        try:
            return await working
        except asyncio.CancelledError:
            if not signals:
                raise
            return signals[0]


def _interrupted(session: Session, number: signal.Signals) -> int:
    """Tell what is there now: Stripe may have answered, or the disk taken it, since."""
    kept = _kept(session)
    if kept is not None and kept.status is Status.AUTHENTICATED:
        _tell(session.console, kept, None)
        return _DONE
    go_on = session.console.command("resume", kept.id) if kept else ""
    end = session.journal.end if session.journal else None
    _tell(session.console, kept, Interrupted(number, kept, go_on, end))
    return _SIGNALLED + number


def _kept(session: Session) -> Credential | None:
    """Return the credential as it is on the disk."""
    if session.journal is None or session.journal.credential is None:
        return None
    try:
        row = session.store.read(session.journal.credential.id)
    except Problem:
        return None
    return row if isinstance(row, Credential) else None


def _tell(console: Console, credential: Credential | None, problem: Problem | None) -> None:
    if console.json:
        console.put(end_json(credential, problem))
    if problem is not None:
        console.say(f"m3cred: {problem}")
    elif credential is not None and not console.json:
        console.put(f"The credential “{credential.name}” is created: {credential.id}")


async def create(session: Session, draft: Draft) -> Credential:
    """Go the whole way; raises the ``Problem`` that it ended with."""
    authorizer, journal = await _prepared(session, draft)
    approved = await approval(authorizer, None, journal, await _manner(session))
    return await _created(session, journal, approved, draft.name)


async def begin(session: Session, draft: Draft) -> None:
    """Keep the request, and show its URL; raises the ``Problem`` that it ended with."""
    authorizer, journal = await _prepared(session, draft)
    async with aclosing(authorizer.authorize()) as events:
        event = await anext(events)
    if isinstance(event, Failed):
        raise event.problem
    assert isinstance(event, UrlReady)  # noqa: S101 - it is the first to come
    assert journal.credential is not None  # noqa: S101 - it is requested
    manner = await _manner(session)
    begun = Begun(journal.credential, event, manner.here, manner.ways)
    announce_for_later(begun, session.console)


async def resume(
    session: Session, word: str | None, name: str | None, *, only_by_paste: bool = False
) -> Credential:
    """Go on with what is pending; raises the ``Problem`` that it ended with."""
    expired = await _expire(session)
    pending = await asyncio.to_thread(find_pending, session.store, word, expired)
    if pending.status is Status.AUTHENTICATED:
        session.console.say("It was created before; nothing was changed.")
        return pending
    journal = _journal(session, draft_of(pending), pending)
    if pending.account is not None:
        tokens = await asyncio.to_thread(session.store.tokens, pending.id)
        approved = Approved(tokens, pending.account)
    else:
        request = await asyncio.to_thread(session.store.requests.read, pending.id)
        authorizer = await asyncio.to_thread(_authorizer, session, pending.destination, journal)
        manner = (await _manner(session))._replace(only_by_paste=only_by_paste)
        approved = await approval(authorizer, request, journal, manner)
    return await _created(session, journal, approved, name or pending.name)


async def _prepared(session: Session, draft: Draft) -> tuple[Authorizer, PendingJournal]:
    """Check everything that can be checked before Stripe is asked."""
    await _expire(session)
    if name_key(draft.name) in await asyncio.to_thread(names_in_use, session.store):
        raise NameTaken(draft.name)
    destination = draft.destination or _only_one(session.settings)
    journal = _journal(session, draft._replace(destination=destination))
    return await asyncio.to_thread(_authorizer, session, destination, journal), journal


def _authorizer(
    session: Session, destination: Destination, journal: PendingJournal
) -> Authorizer:
    """Make sure that what Stripe will approve can be kept, before it is asked; may block."""
    session.store.prepare()
    authorizer = authorizer_for(destination, session.settings, session.identity)
    if not session.opens_browser:
        authorizer = replace(authorizer, open_browser=_open_none)
    return replace(authorizer, journal=journal)


def _journal(
    session: Session, draft: Draft, pending: Credential | None = None
) -> PendingJournal:
    journal = PendingJournal(session.store, draft, now, created_by(), pending)
    session.journal = journal
    return journal


async def _created(
    session: Session, journal: PendingJournal, approved: Approved, name: str
) -> Credential:
    pending = journal.credential
    assert pending is not None  # noqa: S101 - it is approved
    await agreed(approved, pending, session.terms, session.console)
    return await saved(approved, pending, name, session.store, session.console)


async def _expire(session: Session) -> list[Credential]:
    """Remove the requests whose time is over, tell of each once, and return them."""
    gone = await asyncio.to_thread(session.store.requests.expire, now())
    for one in gone:
        session.console.say(f"“{one.name}” was not approved in ten minutes and is removed.")
    return gone


async def _manner(session: Session) -> Manner:
    ways = ways_from(session.settings)
    here = await ways.here()
    return Manner(session.console, ways, here, opens_browser=session.opens_browser)


def _only_one(settings: Settings) -> Destination:
    """Return the destination that is set up, if it is the only one; raises ``Problem``."""
    if settings.platforms:
        raise DestinationOpen
    setups = [settings.setup(one) for one in DESTINATIONS]
    touched = [one.destination for one in setups if one.is_touched]
    if len(touched) != 1:
        raise DestinationOpen
    return touched[0]


async def _open_none(_url: str) -> None:
    """Leave it to the user."""
