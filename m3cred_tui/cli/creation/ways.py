"""The ways of ``m3cred create`` and ``m3cred resume``, from a draft to a credential."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from m3cred_tui.authorize.events import Approved, Failed, UrlReady
from m3cred_tui.authorize.journal import PendingJournal, draft_of
from m3cred_tui.cli.creation.announcing import Begun, announce_for_later
from m3cred_tui.cli.creation.authorizing import Manner, approval
from m3cred_tui.cli.creation.consent import NameTaken, agreed, saved
from m3cred_tui.cli.creation.pending import find_pending, names_in_use
from m3cred_tui.cli.creation.session import DestinationOpen
from m3cred_tui.cli.rooms import authorizer_for, created_by, now, ways_from
from m3cred_tui.model.credential import DESTINATIONS, Status
from m3cred_tui.model.name import name_key

if TYPE_CHECKING:
    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.cli.creation.session import Session
    from m3cred_tui.config.settings import Settings
    from m3cred_tui.model.credential import Credential, Destination, Draft


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
