"""Runs ``m3cred create`` and ``m3cred resume``: signals, and how they end."""

import asyncio
import signal
from argparse import Namespace
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass, replace

from m3cred_tui.authorize.authorization import Authorization, created_from
from m3cred_tui.authorize.events import Failed
from m3cred_tui.authorize.exchange import is_approval_at_risk
from m3cred_tui.authorize.problems import CodeSent, KeepsItsName
from m3cred_tui.authorize.renewal import account_to_approve, draft_to_renew, renewals_of
from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.cli.creation.dialogue import Console, Dialogue
from m3cred_tui.cli.creation.pending import find_pending, state_of
from m3cred_tui.cli.ending import (
    DONE,
    LOST,
    WRONG_USAGE,
    is_put_out,
    let_exchange_end,
    problem_of,
    sealed_in,
    status_of,
)
from m3cred_tui.cli.output.json import end_json
from m3cred_tui.cli.selecting import intact, opened, selected, tell_aside
from m3cred_tui.cli.wiring import (
    authorizer_for,
    created_by,
    now,
    settings_of_command,
    upkeep_from,
    ways_from,
)
from m3cred_tui.config.settings import Settings
from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import (
    DESTINATIONS,
    Credential,
    Destination,
    Draft,
    Status,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.system.signals import told_of_signals
from m3cred_tui.system.threads import run
from m3cred_tui.upkeep.problems import StillPending

Work = Callable[["Session"], Awaitable[Credential | None]]


class DestinationOpen(Problem, code="DestinationOpen"):
    """No destination was named, and not exactly one is set up (status 2)."""

    text = "Say which destination is meant: {either}.{_none}"
    is_none_set_up: bool = False
    either = " or ".join(f"--destination {one.code.lower()}" for one in DESTINATIONS)

    @property
    def _none(self) -> str:
        if not self.is_none_set_up:
            return ""
        return (
            " None is set up yet: see m3cred config --help, or try everything on the demo "
            "Stripe with m3cred --demo."
        )


class Interrupted(Problem, code="Interrupted"):
    """A signal ended the command; what exists is kept."""

    text = "Interrupted{_left}"
    number: signal.Signals
    pending: Credential | None
    """On the disk."""
    go_on: str
    end: str = ""
    """Why a code brought nothing, or what it brought is not known."""

    @property
    def _left(self) -> str:
        if self.pending is not None:
            return f". {state_of(self.pending)}; to continue: {self.go_on}"
        if self.end:
            return f". {self.end}"
        return "; nothing was created."


@dataclass(slots=True)
class Session:
    """What a command works with."""

    chosen: Namespace
    console: Console
    settings: Settings
    identity: IdentityFile
    store: CredentialStore
    authorization: Authorization | None = None
    """The one that the command is about, once it has begun."""

    def dialogue(self, begun: Draft | Credential) -> Dialogue:
        """Return what shows a new or a resumed authorization."""
        self.authorization = Authorization(
            self.store, self._authorizer, begun, now=now, created_by=created_by()
        )
        ways = ways_from(self.settings)
        return Dialogue(self.chosen, self.console, ways, self.authorization)

    def _authorizer(self, destination: Destination) -> Authorizer:
        authorizer = authorizer_for(destination, self.settings, self.identity)
        unseen = self.chosen.yes and not self.chosen.expect_account
        if self.chosen.no_browser:
            return replace(authorizer, unseen=unseen, open_browser=_open_none)
        return replace(authorizer, unseen=unseen)


def in_session(chosen: Namespace, work: Work) -> int:
    """Do ``work``, which returns what it has created, if anything; return the exit status."""
    console = Console(chosen.json, chosen.demo)
    session: Session | None = None
    try:
        with settings_of_command(demo=chosen.demo) as settings:
            here = opened(demo=chosen.demo)
            here.unlock(chosen.passphrase_fd)
            session = Session(chosen, console, settings, here.identity, here.store)
            try:
                result = run(_until_a_signal(work(session)))
            finally:
                let_exchange_end()
    except (Problem, RuntimeError, MemoryError, OSError) as error:
        problem = problem_of(error)
        if session is not None:
            tell_aside(session.store)
        status = _told(console, _kept(session) if session else None, problem)
        return WRONG_USAGE if isinstance(problem, DestinationOpen) else status
    if isinstance(result, signal.Signals):
        return _interrupted(session, result)
    return DONE if result is None else _told(console, result, None)


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

    with told_of_signals(leave, is_approval_at_risk):
        try:
            return await working
        except asyncio.CancelledError:
            if not signals:
                raise
            return signals[0]


def _interrupted(session: Session, number: signal.Signals) -> int:
    """Report what exists now: Stripe may have answered, or the disk taken it, meanwhile."""
    try:
        kept = _read(session)
    except Problem as unread:
        kept, failed = None, f"What there is of it cannot be read now: {unread}"
    else:
        end = session.authorization.end if session.authorization else None
        failed = str(end.problem) if isinstance(end, Failed) else ""
    if kept is not None and kept.status is Status.AUTHENTICATED:
        return _told(session.console, kept, None)
    go_on = session.console.command("resume", kept.id) if kept else ""
    pending = kept
    if kept is not None and kept.status is Status.UNKNOWN:
        pending, failed = None, failed or str(CodeSent(kept))
    _told(session.console, kept, Interrupted(number, pending, go_on, failed))
    return 128 + number  # the status that a shell gives for a signal


def _kept(session: Session) -> Credential | None:
    """Return the credential as it is on the disk, if it can be read."""
    try:
        return _read(session)
    except Problem:
        return None


def _read(session: Session) -> Credential | None:
    if session.authorization is None or session.authorization.pending is None:
        return None
    pending = session.authorization.pending
    if (created := created_from(session.store, pending)) is not None:
        return created
    row = session.store.read(pending.id)
    return row if isinstance(row, Credential) else None


_NEXT = "Next: choose it in the Integration Configuration in m3ter. Its integration fields"


def _told(console: Console, credential: Credential | None, problem: Problem | None) -> int:
    """Report the end; return the exit status."""
    sealed = sealed_in(problem) if problem else ""

    def put() -> None:
        if console.json:
            console.put(end_json(credential, problem))
        elif sealed:
            console.put(sealed)
        elif credential is not None and problem is None:
            console.put(f"{_done(credential)}: {credential.id}")
            if not credential.approval:
                console.say(f"{_NEXT}: {console.command('show --integration', credential.id)}")

    if problem is not None:
        console.say(f"m3cred: {problem}")
    is_out = is_put_out(put, sealed)
    if problem is None:
        return DONE
    return status_of(problem) if is_out else LOST


def _done(credential: Credential) -> str:
    if credential.approval:
        return f"“{credential.name}” is authorized again"
    return f"The credential “{credential.name}” is created"


async def create(session: Session, draft: Draft) -> Credential:
    """Create a credential; raises the ``Problem`` that it ended with."""
    return await (await _begun(session, draft)).create(draft.name)


async def begin(session: Session, draft: Draft) -> None:
    """Keep the request, and show its URL; raises the ``Problem`` that it ended with."""
    await (await _begun(session, draft)).begin()


async def resume(session: Session, word: str | None, name: str | None) -> Credential:
    """Resume a pending credential; raises the ``Problem`` that it ended with."""
    expired = await _expire(session)
    pending = await asyncio.to_thread(find_pending, session.store, word, expired)
    if pending.status is Status.AUTHENTICATED:
        was = "authorized again" if pending.approval else "created"
        session.console.say(f"It was {was} before; nothing was changed.")
        return pending
    if pending.status is Status.UNKNOWN:
        raise CodeSent(pending)
    return await _resumed(session, pending, name)


async def resume_sealed(session: Session, text: bytes, name: str | None) -> Credential:
    """Keep an approval that was written out, sealed, and resume it; raises ``Problem``."""
    pending = await asyncio.to_thread(session.store.keep_sealed, text)
    return await _resumed(session, pending, name)


async def _resumed(session: Session, pending: Credential, name: str | None) -> Credential:
    dialogue = session.dialogue(pending)
    if pending.renews and name:
        renewed = await asyncio.to_thread(session.store.read, pending.renews)
        if isinstance(renewed, Credential):
            raise KeepsItsName(renewed.name)
        dialogue.authorization.renew_nothing()
    return await _checked(session, await dialogue.create(name or pending.name))


async def reauthorize(session: Session, word: str) -> Credential:
    """Authorize a credential again, or resume that; raises the ``Problem`` it ended with."""
    await _expire(session)
    row = await _to_renew(session, word)
    renewals = await asyncio.to_thread(renewals_of, session.store, row.id)
    for pending in renewals:
        if pending.status is Status.PENDING:
            session.console.say(f"{state_of(pending)}; that is resumed.")
            return await _resumed(session, pending, None)
    return await _checked(session, await session.dialogue(draft_to_renew(row)).create(row.name))


async def begin_renewal(session: Session, word: str) -> None:
    """Keep a request to authorize a credential again, and show its URL; raises ``Problem``."""
    await _expire(session)
    row = await _to_renew(session, word)
    await session.dialogue(draft_to_renew(row)).begin()


async def _to_renew(session: Session, word: str) -> Credential:
    row = intact(await asyncio.to_thread(selected, session.store, word))
    if row.status is not Status.AUTHENTICATED:
        raise StillPending(row.id)
    session.console.say(account_to_approve(row))
    return row


async def _checked(session: Session, credential: Credential) -> Credential:
    """Ask Stripe about a credential that was authorized again, if that is not known."""
    known = (await asyncio.to_thread(session.store.checks.read)).get(credential.id)
    if credential.approval and (known is None or known.outcome is not Outcome.OK):
        upkeep = upkeep_from(session.settings, session.store, session.identity)
        with suppress(Problem):  # which is for m3cred check to report
            async with aclosing(upkeep.check([credential.id])) as results:
                async for _result in results:
                    pass
    return credential


async def _begun(session: Session, draft: Draft) -> Dialogue:
    """Check what can be checked before Stripe is asked."""
    await _expire(session)
    destination = draft.destination or _only_one(session.settings)
    dialogue = session.dialogue(draft._replace(destination=destination))
    await dialogue.authorization.check_name(draft.name)
    return dialogue


async def _expire(session: Session) -> list[Credential]:
    """Remove the requests whose time is over, report each once, and return them."""
    gone = await asyncio.to_thread(session.store.requests.expire, now())
    for one in gone:
        stays = "stays as it was" if one.renews else "is removed"
        session.console.say(f"“{one.name}” was not approved in ten minutes and {stays}.")
    return gone


def _only_one(settings: Settings) -> Destination:
    """Return the destination that is set up, if it is the only one; raises ``Problem``."""
    if settings.platforms:
        raise DestinationOpen
    setups = [settings.setup(one) for one in DESTINATIONS]
    touched = [one.destination for one in setups if one.is_touched]
    if len(touched) != 1:
        raise DestinationOpen(is_none_set_up=not touched)
    return touched[0]


async def _open_none(_url: str) -> None:
    """Leave it to the user."""
