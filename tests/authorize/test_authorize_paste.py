"""The address that a browser ended on, pasted while the listener waits for the browser."""

import asyncio
import socket
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

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
from m3cred_tui.authorize.journal import Journal
from m3cred_tui.authorize.problems import CodeUnused, CodeWaits, Refused
from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.callback.redirect import WrongState
from m3cred_tui.model.authorization import CODE_LIFETIME, AuthorizationRequest, redirect_uri
from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.problem import Problem

RedirectOf = Callable[..., str]


class Trouble(Problem):
    text = "{what}"
    what: str


@dataclass
class Told(Journal):
    """A journal that can be read."""

    steps: list[str] = field(default_factory=list)
    accounts: list[StripeAccount] = field(default_factory=list)
    request: AuthorizationRequest | None = None
    trouble: str = ""
    """The beginning of the steps that fail."""
    elsewhere: Problem | None = None

    def requested(self, request: AuthorizationRequest) -> None:
        self.request = request
        self._step("requested")

    def answered(self, request: AuthorizationRequest) -> None:
        assert request
        self._step("answered")

    def taken(self) -> Problem | None:
        return self.elsewhere

    def approved(self, tokens: TokenResponse, account: StripeAccount) -> None:
        self.accounts.append(account)
        self._step(f"approved {account.name}")

    def claimed(self, end: Approved | Failed) -> None:
        self._step(f"claimed, {type(end).__name__}")

    def ended(self) -> None:
        self._step("ended")

    def _step(self, step: str) -> None:
        self.steps.append(step)
        if self.trouble and step.startswith(self.trouble):
            raise Trouble(f"trouble at {step}")


async def test_a_pasted_address_works_as_well_as_the_browser(
    at_stub: Authorizer, stub: Any, redirect_of: RedirectOf
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert isinstance(await anext(events), BrowserOpened)
        ready.paste(redirect_of(ready.url), final=True)
        rest = [event async for event in events]
    assert [type(event) for event in rest] == [RedirectReceived, Approved]
    assert stub.exchanges == 1


async def test_a_paste_and_ten_browsers_cause_one_exchange(
    at_stub: Authorizer, stub: Any, visitor: Any, redirect_of: RedirectOf
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        redirect = redirect_of(ready.url)
        stub.may_answer.clear()
        for _ in range(2):
            ready.paste(redirect, final=True)
        for _ in range(10):
            assert (await visitor.go(redirect)).status_code == 200
        ready.paste(redirect, final=True)
        stub.may_answer.set()
        assert isinstance([event async for event in events][-1], Approved)
    assert stub.exchanges == 1


@pytest.mark.parametrize("comes_back", ["paste", "browser"])
@pytest.mark.parametrize("approves", [True, False])
async def test_of_two_answers_that_come_before_one_is_read_the_first_counts(
    at_stub: Authorizer,
    stub: Any,
    visitor: Any,
    redirect_of: RedirectOf,
    comes_back: str,
    approves: bool,
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        approval = redirect_of(ready.url)
        refusal = approval.replace("?code=", "?error=access_denied&was=")
        first, second = (approval, refusal) if approves else (refusal, approval)
        if comes_back == "browser":
            await visitor.go(first)
        else:
            ready.paste(first, final=True)
        ready.paste(second, final=True)
        page = await visitor.go(second)
        assert ("Stripe approved access" in page.text) is approves
        last = [event async for event in events][-1]
    assert isinstance(last, Approved if approves else Failed)
    assert stub.exchanges == approves


async def test_of_two_pastes_the_first_counts_without_a_listener_too(
    at_stub: Authorizer, stub: Any, port: int, redirect_of: RedirectOf
) -> None:
    with socket.create_server(("127.0.0.1", port)):
        async with aclosing(at_stub.authorize()) as events:
            ready = await anext(events)
            assert isinstance(ready, UrlReady)
            approval = redirect_of(ready.url)
            ready.paste(approval, final=True)
            ready.paste(approval.replace("?code=", "?error=access_denied&was="), final=True)
            assert isinstance([event async for event in events][-1], Approved)
    assert stub.exchanges == 1


async def test_a_wrong_paste_is_reported_and_the_wait_continues(
    at_stub: Authorizer, visitor: Any, redirect_of: RedirectOf
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        with pytest.raises(WrongState):
            ready.paste(redirect_of(ready.url, state="x" * 43), final=True)
        with pytest.raises(Problem, match=r"Stripe's own page"):
            ready.paste(ready.url, final=True)
        await visitor.go(redirect_of(ready.url))
        assert isinstance([event async for event in events][-1], Approved)


async def test_a_refusal_can_be_pasted_too(
    at_stub: Authorizer, redirect_of: RedirectOf
) -> None:
    async with aclosing(at_stub.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        state = redirect_of(ready.url).partition("state=")[2]
        ready.paste(f"?error=access_denied&state={state}", final=True)
        last = [event async for event in events][-1]
    assert isinstance(last, Failed)
    assert isinstance(last.problem, Refused)


async def test_a_browser_at_the_short_address_is_reported_and_sent_to_stripe(
    at_demo: Authorizer, visitor: Any
) -> None:
    async with aclosing(at_demo.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert ready.short_url
        page = await visitor.go(ready.short_url)
        assert str(page.url) == ready.url
        assert Visited() in [await anext(events), await anext(events)]


async def _first(events: Any) -> Event:
    async with aclosing(events):
        return await anext(events)


async def test_the_request_is_written_before_its_url_is_shown(
    at_stub: Authorizer, redirect_of: RedirectOf
) -> None:
    told = Told()
    async with aclosing(replace(at_stub, journal=told).authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert told.request
        assert told.steps == ["requested"]
        assert ready.url.endswith(told.request.state.reveal())
        ready.paste(redirect_of(ready.url), final=True)
        assert isinstance([event async for event in events][-1], Approved)


async def test_tokens_are_kept_before_anything_else_is_asked_of_stripe(
    at_stub: Authorizer, stub: Any, redirect_of: RedirectOf
) -> None:
    told = Told(steps=stub.paths)
    async with aclosing(replace(at_stub, journal=told).authorize()) as events:
        async for event in events:
            if isinstance(event, UrlReady):
                event.paste(redirect_of(event.url), final=True)
    assert told.steps == [
        "requested",
        "answered",
        "/oauth/token",
        "approved None",
        "/v1/account",
        "approved Acme",
        "claimed, Approved",
    ]
    unnamed = StripeAccount("acct_1Stub", livemode=False)
    assert told.accounts == [unnamed, unnamed._replace(name="Acme", country="GB")]


@pytest.mark.parametrize(
    ("trouble", "is_kept"),
    [("approved None", True), ("approved Acme", True), ("approved", False)],
)
async def test_an_approval_is_kept_unless_it_cannot_be_kept_with_or_without_its_name(
    at_stub: Authorizer, redirect_of: RedirectOf, trouble: str, is_kept: bool
) -> None:
    told = Told(trouble=trouble)
    async with aclosing(replace(at_stub, journal=told).authorize()) as events:
        async for event in events:
            if isinstance(event, UrlReady):
                event.paste(redirect_of(event.url), final=True)
    assert isinstance(event, Approved)
    assert (event.unkept is None) is is_kept
    assert told.steps[2:] == ["approved None", "approved Acme", "claimed, Approved"]


async def test_each_reason_for_which_the_code_is_not_sent_yet_is_told_once(
    at_stub: Authorizer, redirect_of: RedirectOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("m3cred_tui.authorize.service._LOOK_AGAIN", 0.0)
    reasons = ["full", "full", "read-only", "read-only", "full"]

    class Reluctant(Told):
        def answered(self, request: AuthorizationRequest) -> None:
            if reasons:
                raise Trouble(reasons.pop(0))
            super().answered(request)

    told = []
    async with aclosing(replace(at_stub, journal=Reluctant()).authorize()) as events:
        async for event in events:
            if isinstance(event, UrlReady):
                event.paste(redirect_of(event.url), final=True)
            if isinstance(event, Noticed) and isinstance(event.problem, CodeWaits):
                told.append(event.problem.reason)
    assert isinstance(event, Approved)
    assert told == ["full", "read-only", "full"]


async def test_no_url_is_shown_for_a_request_that_could_not_be_written(
    at_stub: Authorizer, stub: Any
) -> None:
    told = Told(trouble="requested")
    async with aclosing(replace(at_stub, journal=told).authorize()) as events:
        (event,) = [event async for event in events]
    assert isinstance(event, Failed)
    assert "trouble at requested" in str(event.problem)
    assert stub.exchanges == 0


async def test_a_code_is_sent_only_when_what_it_brings_can_be_kept(
    at_stub: Authorizer, stub: Any, redirect_of: RedirectOf
) -> None:
    told = Told(trouble="answered")
    async with aclosing(replace(at_stub, journal=told).authorize()) as events:
        async for event in events:
            match event:
                case UrlReady():
                    event.paste(redirect_of(event.url), final=True)
                case Noticed(CodeWaits(reason="trouble at answered")):
                    assert stub.exchanges == 0
                    told.trouble = ""
                case Approved():
                    break
    assert told.steps[1:3] == ["answered", "answered"]
    assert stub.exchanges == 1


async def test_leaving_a_code_that_cannot_be_sent_yet_leaves_it_unsent(
    at_stub: Authorizer, stub: Any, redirect_of: RedirectOf
) -> None:
    late: asyncio.Queue[Approved | Failed] = asyncio.Queue()
    told = Told(trouble="answered")
    authorizer = replace(at_stub, journal=told, late=late.put_nowait)
    async with aclosing(authorizer.authorize()) as events:
        async for event in events:
            if isinstance(event, UrlReady):
                event.paste(redirect_of(event.url), final=True)
            if isinstance(event, Noticed):
                break
    assert isinstance(await late.get(), Failed)
    assert stub.exchanges == 0


async def test_a_code_that_could_not_be_sent_while_it_was_good_is_not_sent_at_all(
    at_stub: Authorizer, stub: Any, redirect_of: RedirectOf
) -> None:
    clock = [at_stub.now()]
    told = Told(trouble="answered")
    authorizer = replace(at_stub, journal=told, now=lambda: clock[0])
    async with aclosing(authorizer.authorize()) as events:
        async for event in events:
            match event:
                case UrlReady():
                    event.paste(redirect_of(event.url), final=True)
                case Noticed():
                    clock[0] += CODE_LIFETIME
                case Failed(problem):
                    assert isinstance(problem, CodeUnused)
                    assert "trouble at answered" in str(problem)
    assert stub.exchanges == 0


async def test_a_resumed_request_keeps_its_state_and_port(
    at_stub: Authorizer, visitor: Any, redirect_of: RedirectOf
) -> None:
    left = Told()
    before = await _first(replace(at_stub, journal=left).authorize())
    assert isinstance(before, UrlReady)
    again = Told()
    async with aclosing(replace(at_stub, journal=again).authorize(left.request)) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert (ready.url, ready.expires_at) == (before.url, before.expires_at)
        await visitor.go(redirect_of(before.url))  # in the browser that was open all the time
        assert isinstance([event async for event in events][-1], Approved)
    assert again.steps[0] == "answered"


async def test_the_wait_ends_when_another_m3cred_has_answered(
    at_stub: Authorizer, stub: Any, is_free: Callable[[], bool]
) -> None:
    elsewhere = Trouble("answered in another m3cred")
    told = Told(elsewhere=elsewhere)
    async with aclosing(replace(at_stub, journal=told).authorize()) as events:
        assert [event async for event in events][-1] == Failed(elsewhere)
    assert told.steps == ["requested"]  # what the other one keeps is left alone
    assert stub.exchanges == 0
    assert is_free()


async def test_an_expired_request_ends_when_it_is_resumed(
    at_stub: Authorizer, clock: Any
) -> None:
    left, again = Told(), Told()
    await _first(replace(at_stub, journal=left).authorize())
    clock.forward(timedelta(minutes=10) / timedelta(minutes=1))
    resumed = replace(at_stub, journal=again).authorize(left.request)
    assert isinstance([event async for event in resumed][-1], Failed)
    assert again.steps == ["ended"]


OWN = "https://login.example.com/m3cred/"


async def test_the_users_own_page_links_to_the_port_in_the_state(
    at_stub: Authorizer, port: int, visitor: Any, redirect_of: RedirectOf
) -> None:
    async with aclosing(replace(at_stub, own_redirect_uri=OWN).authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert ready.redirect_uri == OWN
        redirect = redirect_of(ready.url)
        assert redirect.startswith(OWN)
        assert f"state={port}-" in redirect
        await visitor.go(redirect.replace(OWN, redirect_uri(port)))
        assert isinstance([event async for event in events][-1], Approved)


async def test_a_paste_of_the_users_own_page_or_of_stripes_is_told_apart_from_others(
    at_stub: Authorizer, stub: Any
) -> None:
    async with aclosing(replace(at_stub, own_redirect_uri=OWN).authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        for text, told in (
            (OWN, "the beginning of the address"),
            (f"{stub.base}/login", "Stripe's own page"),
            ("https://other.example/", "an address of other"),
        ):
            with pytest.raises(Problem, match=told):
                ready.paste(text, final=True)


async def test_a_request_through_the_users_own_page_is_resumed_at_its_port(
    at_stub: Authorizer, port: int, visitor: Any, redirect_of: RedirectOf
) -> None:
    told = Told()
    before = await _first(replace(at_stub, own_redirect_uri=OWN, journal=told).authorize())
    assert isinstance(before, UrlReady)
    async with aclosing(at_stub.authorize(told.request)) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert ready.url == before.url
        await visitor.go(redirect_of(before.url).replace(OWN, redirect_uri(port)))
        assert isinstance([event async for event in events][-1], Approved)


async def test_without_a_free_port_the_address_of_the_users_own_page_is_pasted(
    at_stub: Authorizer, port: int, redirect_of: RedirectOf
) -> None:
    with socket.create_server(("127.0.0.1", port)):
        async with aclosing(replace(at_stub, own_redirect_uri=OWN).authorize()) as events:
            ready = await anext(events)
            assert isinstance(ready, UrlReady)
            assert ready.short_url is None
            ready.paste(redirect_of(ready.url), final=True)
            assert isinstance([event async for event in events][-1], Approved)
