"""Drives one authorization, and reports each step as an event."""

import asyncio
import logging
import secrets
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
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
from m3cred_tui.authorize.problems import CodeUnused, Expired, Refused
from m3cred_tui.authorize.waiting import Answer, until_answered
from m3cred_tui.callback.redirect import AuthorizationCode, Refusal
from m3cred_tui.callback.server import CallbackServer, NoFreePort
from m3cred_tui.model.authorization import (
    CALLBACK_PORTS,
    CODE_LIFETIME,
    PORT_END,
    TIME_LIMIT,
    AuthorizationRequest,
    redirect_uri,
)
from m3cred_tui.model.credential import Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.problems import AnsweredElsewhere
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
        claiming = _Claiming(self, answer, result.code)
        try:
            yield RedirectReceived()
            async for noticed in claiming.delays():
                yield noticed
            end = await asyncio.shield(claiming.end)
        except (GeneratorExit, asyncio.CancelledError):
            claiming.leave()
            raise
        yield end

    async def _end_without_code(self, result: Refusal | None) -> Failed:
        await asyncio.to_thread(self.journal.ended)
        if result is None:
            return Failed(Expired(self.time_limit))
        return Failed(Refused(result.error, result.description))

    def _claim_what_came_last(self, answer: Answer) -> None:
        """Send a code that came while the user left, as the browser shows it as approved."""
        result = answer.result()
        if isinstance(result, AuthorizationCode) and not answer.is_claimed:
            _Claiming(self, answer, result.code).leave()

    def tell_late(self, claiming: asyncio.Future[End]) -> None:
        """Report the end of an exchange that nobody waited for."""
        if not claiming.cancelled():
            end = claiming.result()
            _log_end(end)
            if self.late is not None:
                self.late(end)


_LOOK_AGAIN = 0.5  # seconds


class _Claiming:
    """Sends the code as soon as an approval can be kept, even when nobody waits for it."""

    def __init__(self, authorizer: Authorizer, answer: Answer, code: Secret) -> None:
        answer.is_claimed = True
        self._authorizer = authorizer
        self._request = answer.request
        self._code = code
        self._loop = asyncio.get_running_loop()
        self._delays: asyncio.Queue[Noticed | None] = asyncio.Queue()
        self._is_left = threading.Event()
        self.end: asyncio.Future[End] = in_thread(self._work, name=EXCHANGE)
        self.end.add_done_callback(lambda _end: self._delays.put_nowait(None))

    async def delays(self) -> AsyncGenerator[Noticed]:
        """Yield why the code is not sent yet, until it was."""
        while noticed := await self._delays.get():
            yield noticed

    def leave(self) -> None:
        """Wait no longer for a store that takes no approval; what was sent stays sent."""
        self._is_left.set()
        self.end.add_done_callback(self._authorizer.tell_late)

    def _work(self) -> End:
        authorizer, journal = self._authorizer, self._authorizer.journal
        if problem := self._why_not_sent(journal):
            return Failed(problem)
        # Inseparable: a request that is answered and never claimed would be lost.
        gateway, destination = authorizer.gateway, authorizer.destination
        end = asyncio.run(claim(gateway, self._code, destination, journal))
        journal.claimed(end)
        return end

    def _why_not_sent(self, journal: Journal) -> Problem | None:
        """Wait until the code may be sent, for as long as it is good; return why it may not."""
        now = self._authorizer.now
        over, told = now() + CODE_LIFETIME, ""
        while True:
            try:
                journal.answered(self._request)
            except AnsweredElsewhere as problem:
                return problem
            except Problem as problem:
                if self._is_left.is_set():
                    return problem
                if now() >= over:
                    return CodeUnused(str(problem))
                if str(problem) != told:
                    told = str(problem)
                    self._tell(Noticed(problem))
            else:
                return None
            self._is_left.wait(_LOOK_AGAIN)

    def _tell(self, noticed: Noticed) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._delays.put_nowait, noticed)


def _log_end(end: End) -> None:
    if isinstance(end, Approved):
        _log.info("Stripe has approved %s", end.account.id)
    else:
        _log.warning("no approval: %s", end.problem.root.code)
