"""Drives one authorization, and reports each step as an event."""

import asyncio
import logging
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import urljoin

from m3cred_tui.authorize.events import (
    Approved,
    End,
    Event,
    Failed,
    Noticed,
    RedirectReceived,
    UrlReady,
)
from m3cred_tui.authorize.exchange import EXCHANGE, claim
from m3cred_tui.authorize.journal import Journal
from m3cred_tui.authorize.problems import Expired, Refused
from m3cred_tui.authorize.waiting import Answer, until_answered
from m3cred_tui.callback.redirect import AuthorizationCode, Refusal
from m3cred_tui.callback.server import CallbackServer, NoFreePort
from m3cred_tui.model.authorization import (
    CALLBACK_PORTS,
    PORT_END,
    TIME_LIMIT,
    AuthorizationRequest,
    redirect_uri,
)
from m3cred_tui.model.credential import Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.gateway import StripeGateway
from m3cred_tui.system.threads import in_thread

_STATE_BYTES = 32


_Listener = tuple[CallbackServer | None, Problem | None]
"""A listener, or why there is none: the redirect can be pasted, too."""


def _requested(
    ports: Sequence[int], own_redirect_uri: str | None, expires_at: datetime
) -> tuple[AuthorizationRequest, _Listener]:
    """Make a request that nobody can guess, and listen on the first free port.

    For the user's own page, the state begins with the port, as Stripe gives that page nothing
    else of ours.
    """
    token = secrets.token_urlsafe(_STATE_BYTES)
    if own_redirect_uri is None:
        state = Secret(token)
        server, trouble = _listen(state, ports)
        leads_to = server.redirect_uri if server else redirect_uri(ports[0])
    else:
        leads_to = own_redirect_uri
        for port in ports:
            state = Secret(f"{port}{PORT_END}{token}")
            server, trouble = _listen(state, [port])
            if server is not None:
                break
        if isinstance(trouble, NoFreePort):
            trouble = NoFreePort(ports)
    return AuthorizationRequest(state, leads_to, expires_at), (server, trouble)


def _listen(state: Secret, ports: Sequence[int]) -> _Listener:
    server = CallbackServer(state, ports=ports)
    try:
        server.start()
    except Problem as problem:
        return None, problem
    return server, None


_log = logging.getLogger(__name__)

# The clock is read after each poll: it runs while a laptop sleeps, a timer does not.
_LONGEST_POLL = 5.0


@dataclass(frozen=True, slots=True)
class Authorizer:
    """What authorizations depend on; each call of :meth:`authorize` is a new one."""

    gateway: StripeGateway
    destination: Destination
    open_browser: Callable[[str], Awaitable[None]]
    """Raises :class:`~m3cred_tui.browser.opening.BrowserDidNotOpen`."""
    now: Callable[[], datetime]
    ports: Sequence[int] = CALLBACK_PORTS
    own_redirect_uri: str | None = None
    """An address of the user's that Stripe redirects to, in place of our listener."""
    time_limit: timedelta = TIME_LIMIT
    late: Callable[[End], None] | None = None
    """Is given the end of an authorization that was closed after its code was sent."""
    journal: Journal = field(default_factory=Journal)
    """Writes down each step before the next one is taken."""

    async def reach(self) -> None:
        """Reach Stripe, before anybody is asked to approve; raises ``StripeProblem``."""
        await self.gateway.reach()

    async def authorize(
        self, resumed: AuthorizationRequest | None = None
    ) -> AsyncGenerator[Event]:
        """Yield what happens; the last event is :class:`Approved` or :class:`Failed`.

        A request that was left before is ``resumed`` by its state, at its own port if that is
        free. Close the generator (``aclosing``) or cancel the task that it runs in to leave:
        listener and polls end with it. A code that is being exchanged then is not taken back,
        as Stripe may already have connected the account: the exchange continues, even
        beyond the event loop (see :func:`~m3cred_tui.authorize.exchange.unfinished`), and
        :attr:`late` is given its end.
        """
        if resumed is None:
            expires_at = self.now() + self.time_limit
            request, listener = _requested(self.ports, self.own_redirect_uri, expires_at)
        else:
            request, listener = resumed, _listen(resumed.state, [resumed.port])
        server, trouble = listener
        url = self.gateway.authorize_url(redirect_uri=request.redirect_uri, state=request.state)
        answer = Answer(request, server, stripe=urljoin(url, "/"))
        leaves_by_itself = False
        try:
            if resumed is None:
                await asyncio.to_thread(self.journal.requested, request)
            async with aclosing(self._steps(url, answer, trouble)) as events:
                async for event in events:
                    if isinstance(event, Approved | Failed):
                        _log_end(event)
                        if server is not None and server.result() is not None:
                            server.close_after_end_page()
                            leaves_by_itself = True
                    yield event
        except Problem as problem:
            _log_end(Failed(problem))
            yield Failed(problem)
        finally:
            try:
                if not leaves_by_itself:
                    await asyncio.shield(answer.hear_no_more())
            finally:
                self._claim_what_came_last(answer)

    async def _steps(
        self, url: str, answer: Answer, trouble: Problem | None
    ) -> AsyncGenerator[Event]:
        request, server = answer.request, answer.server
        short_url = server.short_address_for(url) if server else None
        yield UrlReady(url, request.redirect_uri, request.expires_at, answer.paste, short_url)
        if trouble:
            yield Noticed(trouble)

        def patience() -> float:
            left = (request.expires_at - self.now()).total_seconds()
            return min(max(left, 0.0), _LONGEST_POLL)

        opening, taken = partial(self.open_browser, url), self.journal.taken
        async with aclosing(until_answered(answer, opening, taken, patience)) as happenings:
            async for happening in happenings:
                yield happening
        if answer.result() is None:
            await answer.hear_no_more()  # what the browser shows as approved is not dropped
        result = answer.result()
        if not isinstance(result, AuthorizationCode):
            yield await self._end_without_code(result)
            return
        # Begun before it is reported: the code is spent however slowly the event is drawn.
        claiming = self._claiming(answer, result.code)
        try:
            yield RedirectReceived()
            end = await asyncio.shield(claiming)
        except (GeneratorExit, asyncio.CancelledError):
            claiming.add_done_callback(self._tell_late)
            raise
        yield end

    async def _end_without_code(self, result: Refusal | None) -> Failed:
        await asyncio.to_thread(self.journal.ended)
        if result is None:
            return Failed(Expired(self.time_limit))
        return Failed(Refused(result.error, result.description))

    def _claiming(self, answer: Answer, code: Secret) -> asyncio.Future[End]:
        """Send the code; the exchange continues when nobody waits for it."""
        answer.is_claimed = True

        async def work() -> End:
            # Inseparable: a request that is answered and never claimed would be lost.
            journal = self.journal
            try:
                journal.answered()
            except Problem as problem:
                return Failed(problem)
            end = await claim(self.gateway, code, self.destination, journal)
            journal.claimed(end)
            return end

        return in_thread(lambda: asyncio.run(work()), name=EXCHANGE)

    def _claim_what_came_last(self, answer: Answer) -> None:
        """Send a code that came while the user left, as the browser shows it as approved."""
        result = answer.result()
        if isinstance(result, AuthorizationCode) and not answer.is_claimed:
            self._claiming(answer, result.code).add_done_callback(self._tell_late)

    def _tell_late(self, claiming: asyncio.Future[End]) -> None:
        if not claiming.cancelled():
            end = claiming.result()
            _log_end(end)
            if self.late is not None:
                self.late(end)


def _log_end(end: End) -> None:
    if isinstance(end, Approved):
        _log.info("Stripe has approved %s", end.account.id)
    else:
        _log.warning("no approval: %s", end.problem.root.code)
