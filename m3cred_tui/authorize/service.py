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
from m3cred_tui.authorize.problems import (
    AccountUnseen,
    CodeUnused,
    CodeWaits,
    Expired,
    ListenerUnknown,
    Refused,
)
from m3cred_tui.authorize.waiting import Answer, until_answered
from m3cred_tui.callback.redirect import AuthorizationCode, Refusal
from m3cred_tui.callback.server import (
    CallbackServer,
    CannotListen,
    Listening,
    NoFreePort,
    listen_on_loopback,
    redirect_port,
)
from m3cred_tui.model.authorization import (
    CALLBACK_PORTS,
    CODE_LIFETIME,
    PORT_END,
    TIME_LIMIT,
    AuthorizationRequest,
    Countdown,
    redirect_uri,
)
from m3cred_tui.model.credential import Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.problems import AnsweredElsewhere
from m3cred_tui.stripe.gateway import StripeGateway
from m3cred_tui.system.threads import in_thread, run

_STATE_BYTES = 32


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
    unseen: bool = False
    """Whether nobody looks at the account before it is created."""
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
        :attr:`late` is given its end. Raises :class:`PortsOfAnotherUser` and
        :class:`AccountUnseen`, before anything is asked of Stripe.
        """
        ports = self.ports if resumed is None else [resumed.port]
        port, listening, trouble = await self._listening(ports)
        request = resumed or self._request(port)
        server = None
        if listening is not None:
            server = CallbackServer(request.state)
            server.start(listening)
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

    async def _listening(
        self, ports: Sequence[int]
    ) -> tuple[int, Listening | None, Problem | None]:
        """Listen, or say why not and which port a redirect to be pasted may lead to."""
        try:
            listening = listen_on_loopback(ports)
        except (NoFreePort, CannotListen) as trouble:
            port, is_ours = await asyncio.to_thread(redirect_port, ports)
            if is_ours:
                return port, None, trouble
            if self.unseen:
                raise AccountUnseen(port) from None
            return port, None, ListenerUnknown(trouble)
        return listening[0], listening, None

    def _request(self, port: int) -> AuthorizationRequest:
        """Make a request that nobody can guess.

        For the user's own page, the state begins with the port, as Stripe gives that page
        nothing else of ours.
        """
        token, own = secrets.token_urlsafe(_STATE_BYTES), self.own_redirect_uri
        state = token if own is None else f"{port}{PORT_END}{token}"
        expires_at = self.now() + self.time_limit
        return AuthorizationRequest(Secret(state), own or redirect_uri(port), expires_at)

    async def _steps(
        self, url: str, answer: Answer, trouble: Problem | None
    ) -> AsyncGenerator[Event]:
        request, server = answer.request, answer.server
        short_url = server.short_address_for(url) if server else None
        yield UrlReady(url, request.redirect_uri, request.expires_at, answer.paste, short_url)
        if trouble:
            yield Noticed(trouble)

        countdown = Countdown(request.expires_at, self.now)

        def patience() -> float:
            return min(countdown.left().total_seconds(), _LONGEST_POLL)

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
        end = run(claim(gateway, self._code, destination, journal))
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
                    self._tell(Noticed(CodeWaits(told)))
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
