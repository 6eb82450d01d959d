"""The whole service against the real callback server and the real demo Stripe."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from typing import Any

from m3cred_tui.authorize.events import (
    Approved,
    BrowserOpened,
    Failed,
    Noticed,
    RedirectReceived,
    UrlReady,
)
from m3cred_tui.authorize.problems import ForeignRedirect, Refused, WrongMode
from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.model.credential import STRIPE
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.stripe.gateway import Platform
from m3cred_tui.stripe.problems import StripeRefused


async def test_approving_in_the_browser_yields_the_account(
    at_demo: Authorizer, visitor: Any, clock: Any, port: int
) -> None:
    async with aclosing(at_demo.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert ready.redirect_uri == f"http://127.0.0.1:{port}/callback"
        assert ready.expires_at == clock.time + timedelta(minutes=10)
        assert isinstance(await anext(events), BrowserOpened)
        way_back = await visitor.approve(ready.url)
        page = await visitor.go(way_back)
        assert page.status_code == 200
        assert "code=" not in str(page.url)
        assert isinstance(await anext(events), RedirectReceived)
        approved = await anext(events)
        assert isinstance(approved, Approved)
        assert [event async for event in events] == []
    account = approved.account
    assert account.id.startswith("acct_1Demo")
    assert account.name
    assert account.country
    assert (account.mode, approved.unread) == ("test", None)
    assert approved.tokens.account_id == account.id
    assert approved.tokens.access_token is not None


async def test_no_browser_is_opened_before_the_url_is_shown(
    at_demo: Authorizer, visitor: Any
) -> None:
    opened: list[str] = []

    async def browser(url: str) -> None:
        opened.append(url)

    async with aclosing(replace(at_demo, open_browser=browser).authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        assert opened == []
        await anext(events)
        assert opened == [ready.url]


async def test_a_refusal_in_the_browser_ends_the_authorization(
    at_demo: Authorizer, visitor: Any
) -> None:
    async with aclosing(at_demo.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        await anext(events)
        page = await visitor.go(await visitor.refuse(ready.url))
        assert page.status_code == 200
        failed = await anext(events)
    assert isinstance(failed, Failed)
    assert isinstance(failed.problem, Refused)
    assert failed.problem.error == "access_denied"
    assert str(failed.problem) == (
        "Access was refused on Stripe's page. Begin a new authorization."
    )


async def test_test_keys_for_the_live_destination_create_nothing(
    at_demo: Authorizer, visitor: Any
) -> None:
    async with aclosing(replace(at_demo, destination=STRIPE).authorize()) as events:
        failed = await _approve(events, visitor)
    assert isinstance(failed, Failed)
    assert isinstance(failed.problem, WrongMode)
    assert failed.problem.account_id.startswith("acct_")
    assert "in test mode, but the destination Stripe is for live mode" in str(failed.problem)


async def test_a_wrong_secret_key_is_reported_as_the_cause(
    at_demo: Authorizer, demo: Description, visitor: Any
) -> None:
    platform = Platform(
        demo.test.client_id, Secret("sk_test_wrong"), demo.connect_base, demo.api_base
    )
    wrong = replace(at_demo, gateway=ConnectGateway(platform))
    async with aclosing(wrong.authorize()) as events:
        failed = await _approve(events, visitor)
    assert isinstance(failed, Failed)
    assert isinstance(failed.problem, StripeRefused)
    assert failed.problem.status == 401
    assert "Check the secret key" in str(failed.problem)


async def test_forged_redirects_are_reported_and_do_not_end_the_wait(
    at_demo: Authorizer, visitor: Any, redirect_of: Callable[..., str]
) -> None:
    async with aclosing(at_demo.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        await anext(events)
        for count in (1, 2):
            forged = redirect_of(ready.url, state="forged", code="ac_forged")
            assert (await visitor.go(forged)).status_code == 400
            noticed = await anext(events)
            assert isinstance(noticed, Noticed)
            assert isinstance(noticed.problem, ForeignRedirect)
            assert noticed.problem.count == count
        await visitor.go(await visitor.approve(ready.url))
        assert isinstance(await anext(events), RedirectReceived)
        assert isinstance(await anext(events), Approved)


async def test_the_browser_still_gets_its_last_page_after_the_end(
    at_demo: Authorizer, visitor: Any, is_free: Callable[[], bool]
) -> None:
    async with aclosing(at_demo.authorize()) as events:
        ready = await anext(events)
        assert isinstance(ready, UrlReady)
        way_back = await visitor.approve(ready.url)
        redirected = await visitor.client.get(way_back)
        assert redirected.status_code == 303
        last = [event async for event in events][-1]
    assert isinstance(last, Approved)
    assert not is_free()
    end = redirected.url.join(redirected.headers["location"])
    assert (await visitor.go(str(end))).status_code == 200


async def _approve(events: Any, visitor: Any) -> Any:
    ready = await anext(events)
    await visitor.go(await visitor.approve(ready.url))
    return [event async for event in events][-1]
