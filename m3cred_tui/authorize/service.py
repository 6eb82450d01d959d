"""Drives one authorization; tells of each step, and knows nobody who listens."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from m3cred_tui.authorize.claim import Keep, claim, keep_nothing
from m3cred_tui.authorize.events import (
    Approved,
    Event,
    Failed,
    RedirectReceived,
    UrlReady,
)
from m3cred_tui.authorize.outliving import outliving
from m3cred_tui.authorize.problems import Expired, Refused
from m3cred_tui.authorize.waiting import until_redirect
from m3cred_tui.callback.ports import CALLBACK_PORTS
from m3cred_tui.callback.redirect import AuthorizationCode, Refusal
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.destination import Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.gateway import StripeGateway

_log = logging.getLogger(__name__)

TIME_LIMIT = timedelta(minutes=10)
"""As long as m3ter keeps a credential whose authentication is not finished."""

_STATE_BYTES = 32
# The clock is looked at after each poll: it goes on while a laptop sleeps, a timer does not.
_LONGEST_POLL = 5.0

OpenBrowser = Callable[[str], Awaitable[None]]
End = Approved | Failed


def _nobody(_end: End) -> None:
    """Let an end that nobody waits for pass."""


@dataclass(frozen=True, slots=True)
class Authorizer:
    """What authorizations depend on; each call of :meth:`authorize` is one of its own."""

    gateway: StripeGateway
    destination: Destination
    open_browser: OpenBrowser
    """Raises :class:`~m3cred_tui.authorize.problems.BrowserDidNotOpen`."""
    now: Callable[[], datetime]
    ports: Sequence[int] = CALLBACK_PORTS
    time_limit: timedelta = TIME_LIMIT
    late: Callable[[End], None] = _nobody
    """Is given the end of an authorization that was closed after its code was sent."""
    keep: Keep = keep_nothing
    """Writes down what Stripe approved, before anything else is done with it."""

    async def authorize(self) -> AsyncGenerator[Event]:
        """Yield what happens; the last event is :class:`Approved` or :class:`Failed`.

        Close the generator (``aclosing``) or cancel the task that it runs in to end the
        authorization early: listener and polls end with it. A code that is being exchanged
        then is not taken back, as Stripe may already have connected the account: the
        exchange goes on by itself, beyond the event loop too (see
        :func:`~m3cred_tui.authorize.outliving.unfinished`), and :attr:`late` is given its end.
        """
        state = Secret(secrets.token_urlsafe(_STATE_BYTES))
        server = CallbackServer(state, ports=self.ports)
        try:
            server.start()
        except Problem as problem:
            _log_end(Failed(problem))
            yield Failed(problem)
            return
        leaves_by_itself = False
        try:
            async with aclosing(self._steps(server, state)) as events:
                async for event in events:
                    if isinstance(event, Approved | Failed):
                        _log_end(event)
                        server.close_after_end_page()
                        leaves_by_itself = True
                    yield event
        finally:
            if not leaves_by_itself:
                await asyncio.shield(asyncio.to_thread(server.close))

    async def _steps(self, server: CallbackServer, state: Secret) -> AsyncGenerator[Event]:
        url = self.gateway.authorize_url(redirect_uri=server.redirect_uri, state=state)
        expires_at = self.now() + self.time_limit
        yield UrlReady(url, server.redirect_uri, expires_at)

        def patience() -> float:
            left = (expires_at - self.now()).total_seconds()
            return min(max(left, 0.0), _LONGEST_POLL)

        opening = partial(self.open_browser, url)
        async with aclosing(until_redirect(server, opening, patience)) as happenings:
            async for happening in happenings:
                yield happening
        match server.result():
            case AuthorizationCode(code):
                async with aclosing(self._claim(code)) as events:
                    async for event in events:
                        yield event
            case Refusal(error, description):
                yield Failed(Refused(error, description))
            case None:
                yield Failed(Expired(self.time_limit))

    async def _claim(self, code: Secret) -> AsyncGenerator[Event]:
        # Begun before it is told of: the code is spent however slowly the event is drawn.
        work = partial(claim, self.gateway, code, self.destination, self.keep)
        claiming = asyncio.create_task(outliving(work))
        try:
            yield RedirectReceived()
            end = await asyncio.shield(claiming)
        except (GeneratorExit, asyncio.CancelledError):
            claiming.add_done_callback(self._tell_late)
            raise
        yield end

    def _tell_late(self, claiming: asyncio.Task[End]) -> None:
        if not claiming.cancelled():
            _log_end(claiming.result())
            self.late(claiming.result())


def _log_end(end: End) -> None:
    if isinstance(end, Approved):
        _log.info("Stripe has approved %s", end.account.id)
    else:
        _log.warning("no approval: %s", type(end.problem).__name__)
