import asyncio
import socket
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from typing import Any

import httpx
import pytest

from m3cred_tui.authorize.events import (
    Approved,
    BrowserOpened,
    Event,
    Failed,
    Noticed,
    RedirectReceived,
    UrlReady,
)
from m3cred_tui.authorize.problems import (
    AccountUnseen,
    Expired,
    ListenerUnreachable,
    Refused,
)
from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.callback.server import (
    CallbackServer,
    Listening,
    NoFreePort,
    PortsOfAnotherUser,
)
from m3cred_tui.model.authorization import AuthorizationRequest, redirect_uri
from m3cred_tui.model.credential import StripeAccount
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import AppsGateway, ConnectGateway
from m3cred_tui.stripe.problems import (
    ReplyLost,
    StripeFailed,
    StripeNonsense,
    StripeRefused,
    StripeUnreachable,
)
from tests.authorize.conftest import CODE, TOKENS, response
from tests.other_user import as_root, held_by_another_user, held_silently
from tests.ports import free_port
from tests.visitors import get

RedirectOf = Callable[..., str]


async def _go_through(authorizer: Authorizer, visitor: Any, redirect_of: RedirectOf) -> Event:
    """Come back from Stripe with a code as soon as there is a URL; return the last event."""
    last: Event | None = None
    async with aclosing(authorizer.authorize()) as events:
        async for last in events:
            if isinstance(last, UrlReady):
                await visitor.go(redirect_of(last.url))
    assert last is not None
    return last


BAD_GATEWAY = b"HTTP/1.1 502 X\r\nContent-Length: 0\r\n\r\n"
GONE = b"HTTP/1.1 403 X\r\nContent-Length: 2\r\n\r\n{}"


@pytest.mark.parametrize(
    ("answer", "kind", "sentence"),
    [
        (b"", ReplyLost, "not known. Begin a new authorization."),
        (BAD_GATEWAY, StripeFailed, "not known. Begin a new authorization."),
        (
            b"HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\n{}",
            StripeNonsense,
            "not known. Begin a new authorization.",
        ),
        (
            b"HTTP/1.1 400 X\r\nContent-Length: 25\r\n\r\n" + b'{"error":"invalid_grant"}',
            StripeRefused,
            "refused (invalid_grant, status 400). Begin a new authorization.",
        ),
    ],
)
async def test_a_failed_exchange_is_reported_and_not_retried(
    at_stub: Authorizer,
    stub: Any,
    visitor: Any,
    redirect_of: RedirectOf,
    answer: bytes,
    kind: type[Exception],
    sentence: str,
) -> None:
    stub.exchange = answer
    failed = await _go_through(at_stub, visitor, redirect_of)
    assert isinstance(failed, Failed)
    assert isinstance(failed.problem, kind)
    assert str(failed.problem).endswith(sentence)
    assert stub.paths == ["/oauth/token"]


async def test_nothing_was_sent_when_stripe_cannot_be_reached(
    at_stub: Authorizer, visitor: Any, redirect_of: RedirectOf
) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert isinstance(at_stub.gateway, ConnectGateway)
        platform = at_stub.gateway.platform._replace(connect_base=base)
        authorizer = replace(at_stub, gateway=ConnectGateway(platform))
        failed = await _go_through(authorizer, visitor, redirect_of)
    assert isinstance(failed, Failed)
    assert isinstance(failed.problem, StripeUnreachable)
    assert "Nothing was sent" in str(failed.problem)


async def test_ten_browsers_that_come_twice_cause_one_exchange(
    at_stub: Authorizer, stub: Any, visitor: Any, redirect_of: RedirectOf
) -> None:
    stub.may_answer.clear()
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert isinstance(await anext(events), BrowserOpened)
        redirect = redirect_of(ready.url)
        pages = await asyncio.gather(*(visitor.go(redirect) for _ in range(20)))
        assert {page.status_code for page in pages} == {200}
        stub.may_answer.set()
        rest = [event async for event in events]
    assert [type(event) for event in rest] == [RedirectReceived, Approved]
    assert stub.exchanges == 1


async def test_an_account_that_cannot_be_read_at_first_is_read_again(
    at_stub: Authorizer, stub: Any, visitor: Any, redirect_of: RedirectOf
) -> None:
    stub.accounts.insert(0, BAD_GATEWAY)
    approved = await _go_through(at_stub, visitor, redirect_of)
    assert isinstance(approved, Approved)
    assert (approved.account.name, approved.unread) == ("Acme", None)
    assert stub.paths == ["/oauth/token", "/v1/account", "/v1/account"]


async def test_the_account_of_an_app_is_read_with_the_token_that_the_code_gave(
    at_stub: Authorizer, stub: Any, clock: Any, visitor: Any, redirect_of: RedirectOf
) -> None:
    stub.exchange = response(TOKENS | {"access_token": "rk_of_the_account"})
    assert isinstance(at_stub.gateway, ConnectGateway)
    gateway = AppsGateway(at_stub.gateway.platform, clock)
    approved = await _go_through(replace(at_stub, gateway=gateway), visitor, redirect_of)
    assert isinstance(approved, Approved)
    assert (approved.account.name, approved.unread) == ("Acme", None)
    assert stub.keys[-1] == "Bearer rk_of_the_account"


async def test_an_account_that_stripe_will_not_show_is_still_approved(
    at_stub: Authorizer, stub: Any, visitor: Any, redirect_of: RedirectOf
) -> None:
    stub.accounts = [GONE]
    approved = await _go_through(at_stub, visitor, redirect_of)
    assert isinstance(approved, Approved)
    assert approved.account == StripeAccount("acct_1Stub", livemode=False)
    assert approved.tokens.account_id == "acct_1Stub"
    assert isinstance(approved.unread, StripeRefused)
    assert stub.paths == ["/oauth/token", "/v1/account"]


async def test_when_every_port_is_taken_the_user_is_told_and_can_paste(
    at_stub: Authorizer, redirect_of: RedirectOf
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        ports = (other.getsockname()[1],)
        async with aclosing(replace(at_stub, ports=ports).authorize()) as events:
            ready = await anext(events)
            assert isinstance(ready, UrlReady)
            assert ready.short_url is None  # the port is not ours
            noticed = await anext(events)
            assert isinstance(noticed, Noticed)
            assert isinstance(noticed.problem, NoFreePort)
            ready.paste(redirect_of(ready.url), final=True)
            assert isinstance([event async for event in events][-1], Approved)


@pytest.mark.parametrize("own", [None, "https://pay.example/m3cred/"])
async def test_the_redirect_leads_to_the_first_port_that_is_free(
    at_stub: Authorizer, port: int, own: str | None
) -> None:
    def named(ready: Event) -> str:
        assert isinstance(ready, UrlReady)
        return ready.redirect_uri if own is None else ready.url.partition("state=")[2]

    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        new = replace(at_stub, ports=(taken, port, free_port()), own_redirect_uri=own)
        async with aclosing(new.authorize()) as events:
            assert str(port) in named(await anext(events))
        async with aclosing(replace(new, ports=(taken,)).authorize()) as events:
            assert str(taken) in named(await anext(events))
            noticed = await anext(events)
            assert isinstance(noticed, Noticed)
            assert str(taken) in str(noticed.problem)


@as_root
@pytest.mark.parametrize("own", [None, "https://pay.example/m3cred/"])
async def test_nothing_is_asked_of_stripe_while_another_user_holds_every_port(
    at_stub: Authorizer, clock: Any, own: str | None
) -> None:
    with held_by_another_user(0, 0) as theirs:
        new = replace(at_stub, ports=theirs, own_redirect_uri=own)
        state = Secret(f"{theirs[0]}-s")
        left = AuthorizationRequest(state, own or redirect_uri(theirs[0]), clock())
        one_is_free = replace(new, ports=(*theirs, 0))
        for events in (new.authorize(), one_is_free.authorize(left)):
            async with aclosing(events):
                with pytest.raises(PortsOfAnotherUser):
                    await anext(events)


@as_root
@pytest.mark.parametrize("own", [None, "https://pay.example/m3cred/"])
async def test_a_redirect_to_be_pasted_leads_to_a_port_of_this_user(
    at_stub: Authorizer, own: str | None
) -> None:
    with held_by_another_user(0) as theirs, socket.create_server(("127.0.0.1", 0)) as ours:
        port = ours.getsockname()[1]
        new = replace(at_stub, ports=(*theirs, port), own_redirect_uri=own, unseen=True)
        async with aclosing(new.authorize()) as events:
            ready = await anext(events)
            assert isinstance(ready, UrlReady)
            named = ready.redirect_uri if own is None else ready.url.partition("state=")[2]
            assert str(port) in named


async def test_an_account_is_not_taken_unseen_where_the_listener_may_be_anyones(
    at_stub: Authorizer,
) -> None:
    with held_silently() as port:
        there = replace(at_stub, ports=(port,))
        async with aclosing(replace(there, unseen=True).authorize()) as events:
            with pytest.raises(AccountUnseen, match=f"port {port}.*--expect-account"):
                await anext(events)
        async with aclosing(there.authorize()) as events:
            assert isinstance(await anext(events), UrlReady)
            noticed = await anext(events)
            assert isinstance(noticed, Noticed)
            assert noticed.problem.root.code == "NoFreePort"
            assert "compare the account's ID" in str(noticed.problem)


async def test_an_account_is_not_taken_unseen_where_the_system_lets_nobody_listen(
    at_stub: Authorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The one thing that is not available here for real: a sandbox without sockets.
    def forbidden(*_: object) -> None:
        raise PermissionError(1, "no")

    monkeypatch.setattr(socket.socket, "bind", forbidden)
    async with aclosing(replace(at_stub, unseen=True).authorize()) as events:
        with pytest.raises(AccountUnseen):
            await anext(events)
    async with aclosing(at_stub.authorize()) as events:
        await anext(events)
        noticed = await anext(events)
        assert isinstance(noticed, Noticed)
        assert noticed.problem.root.code == "CannotListen"


async def test_the_wait_ends_at_the_time_limit_of_the_wall_clock(
    at_stub: Authorizer,
    clock: Any,
    visitor: Any,
    redirect_of: RedirectOf,
    is_free: Callable[[], bool],
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert isinstance(await anext(events), BrowserOpened)
        waiting = asyncio.ensure_future(anext(events))
        clock.forward(minutes=10)  # as when a laptop was asleep: what wakes it is any poll
        with suppress(httpx.HTTPError):  # the listener may be gone already
            await visitor.go(redirect_of(ready.url, state="forged"))
        last = [await waiting, *[event async for event in events]][-1]
    assert isinstance(last, Failed)
    assert isinstance(last.problem, Expired)
    assert "within 10 minutes. Begin a new authorization." in str(last.problem)
    assert is_free()


async def test_a_code_that_arrives_in_the_last_second_is_used(
    at_stub: Authorizer, clock: Any, visitor: Any, redirect_of: RedirectOf
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        await anext(events)
        await visitor.go(redirect_of(ready.url))
        clock.forward(minutes=11)
        assert isinstance([event async for event in events][-1], Approved)


async def test_a_code_that_arrives_as_the_listener_closes_at_the_end_of_its_time_is_used(
    at_stub: Authorizer, clock: Any, redirect_of: RedirectOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    class LastMoment(CallbackServer):
        def close(self) -> None:
            if self.result() is None:
                page = get(redirect, follow_redirects=True)
                assert "approved" in page.text
            super().close()

    monkeypatch.setattr("m3cred_tui.authorize.service.CallbackServer", LastMoment)
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        redirect = redirect_of(ready.url)
        clock.forward(minutes=11)
        assert isinstance([event async for event in events][-1], Approved)


async def test_a_browser_that_does_not_open_is_reported_and_the_wait_continues(
    at_stub: Authorizer, visitor: Any, redirect_of: RedirectOf
) -> None:
    async def broken(_url: str) -> None:
        raise BrowserDidNotOpen("this is an SSH session")

    async with aclosing(replace(at_stub, open_browser=broken).authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        noticed = await anext(events)
        assert isinstance(noticed, Noticed)
        assert isinstance(noticed.problem, BrowserDidNotOpen)
        await visitor.go(redirect_of(ready.url))
        assert isinstance([event async for event in events][-1], Approved)


async def test_a_browser_that_is_slow_to_start_delays_nothing(
    at_stub: Authorizer, visitor: Any, redirect_of: RedirectOf
) -> None:
    async def endless(_url: str) -> None:
        await asyncio.Event().wait()

    last = await _go_through(replace(at_stub, open_browser=endless), visitor, redirect_of)
    assert isinstance(last, Approved)


async def test_an_undocumented_error_from_stripe_is_shown_verbatim(
    at_stub: Authorizer, visitor: Any, port: int, redirect_of: RedirectOf
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        redirect = redirect_of(ready.url, error="odd", error_description="Not today.")
        await visitor.go(redirect.replace(f"code={CODE}&", ""))
        failed = [event async for event in events][-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.problem, Refused)
    assert str(failed.problem).startswith("Stripe ended the authorization (odd): Not today. ")


async def test_an_unreachable_listener_is_reported_once(
    at_stub: Authorizer, clock: Any, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Deaf(CallbackServer):
        def start(self, listening: Listening | None = None) -> None:
            super().start(listening)
            self.close()

    monkeypatch.setattr("m3cred_tui.authorize.service.CallbackServer", Deaf)
    monkeypatch.setattr("m3cred_tui.authorize.waiting._PAUSE", 0.0)
    told: list[Noticed | Failed] = []
    looked = 0

    def ticking() -> Any:
        nonlocal looked
        looked += 1
        if looked > 20:
            clock.forward(minutes=1)
        return clock()

    async with aclosing(replace(at_stub, now=ticking).authorize()) as events:
        told = [event async for event in events if isinstance(event, Noticed | Failed)]
    assert [type(event.problem) for event in told] == [ListenerUnreachable, Expired]
    assert f"listener at 127.0.0.1:{port} does not answer" in str(told[0].problem)
