"""Running ``m3cred create`` and ``m3cred resume``: the rooms, signals, and how it ended."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from m3cred_tui.authorize.events import Failed
from m3cred_tui.cli.creation.consent import Terms
from m3cred_tui.cli.creation.console import Console
from m3cred_tui.cli.creation.objects import end_json
from m3cred_tui.cli.creation.pending import state_of
from m3cred_tui.cli.exchange_end import let_exchange_end
from m3cred_tui.cli.log_file import logging_to
from m3cred_tui.cli.opening import opened
from m3cred_tui.cli.process import close_to_others
from m3cred_tui.cli.rooms import demo_settings
from m3cred_tui.config.settings import settings_from
from m3cred_tui.model.credential import DESTINATIONS, Credential, Status
from m3cred_tui.model.problem import Problem
from m3cred_tui.ui.leaving import told_of_signals

if TYPE_CHECKING:
    import argparse
    from collections.abc import Awaitable, Callable
    from contextlib import AbstractContextManager

    from m3cred_tui.authorize.events import Approved
    from m3cred_tui.authorize.journal import PendingJournal
    from m3cred_tui.config.settings import Settings
    from m3cred_tui.store.directory.store import CredentialStore
    from m3cred_tui.store.identity import IdentityFile

    Work = Callable[["Session"], Awaitable[Credential | None]]

_DONE, _FAILED, _WRONG_USAGE, _SIGNALLED = 0, 1, 2, 128


class DestinationOpen(Problem):
    """It has to be said which destination is meant."""

    def __init__(self) -> None:
        either = " or ".join(f"--destination {one.code.lower()}" for one in DESTINATIONS)
        super().__init__(f"Say which destination is meant: {either}.")


class Interrupted(Problem):
    """A signal ended the command; what was begun is still there, or why it is not."""

    def __init__(
        self,
        number: signal.Signals,
        pending: Credential | None,
        go_on: str,
        end: Approved | Failed | None = None,
    ) -> None:
        """Take what is on the disk, how to go on with it, and what became of a code."""
        super().__init__(
            f"Interrupted. {state_of(pending)}; to go on: {go_on}"
            if pending is not None
            else f"Interrupted. {end.problem}"
            if isinstance(end, Failed)
            else f"Interrupted. Stripe connected {end.account.id}. It is lost: {end.unkept}"
            if end is not None and end.unkept
            else "Interrupted; nothing was created."
        )
        self.number = number
        self.pending = pending


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
