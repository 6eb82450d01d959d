"""Both gateways with the demo Stripe, from the approval to the disconnection."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from starlette.applications import Starlette

from m3cred_tui.demo_stripe.app import demo_stripe_app
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.platform import Platform as DemoPlatform
from m3cred_tui.demo_stripe.server import background_demo_stripe
from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import (
    ACCESS_TOKEN_LIFETIME,
    OAuthModel,
    StripeAccount,
    TokenResponse,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import gateway_for
from m3cred_tui.stripe.gateway import Platform, StripeGateway
from m3cred_tui.stripe.problems import StripeProblem, StripeRefused, kind_of
from tests.visitors import visitor

REDIRECT_URI = "http://127.0.0.1:27182/callback"
FORM = ("page", "account", "mode")


class Clock:
    """One clock for both sides: in seconds for Stripe, as a date for m3cred."""

    def __init__(self) -> None:
        self.date = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)

    def seconds(self) -> float:
        return self.date.timestamp()

    def now(self) -> datetime:
        return self.date

    def forward(self, time: timedelta) -> None:
        self.date += time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def demo(clock: Clock) -> Iterator[Description]:
    def app(description: Description) -> Starlette:
        return demo_stripe_app(DemoPlatform(description, now=clock.seconds))

    with background_demo_stripe([REDIRECT_URI], make_app=app) as description:
        yield description


@pytest.fixture
def platform(demo: Description) -> Platform:
    return Platform(
        *demo.test, demo.connect_base, demo.api_base, marketplace_base=demo.marketplace_base
    )


@pytest.fixture
def connect(platform: Platform, clock: Clock) -> StripeGateway:
    return gateway_for(platform, clock.now)


@pytest.fixture
def apps(platform: Platform, clock: Clock) -> StripeGateway:
    return gateway_for(platform._replace(oauth=OAuthModel.APPS), clock.now)


def approve(gateway: StripeGateway) -> Secret:
    """Do in the browser what the account's owner does; return the code."""
    url = gateway.authorize_url(redirect_uri=REDIRECT_URI, state=Secret("the state"))
    with visitor(base_url=url) as browser:
        page = browser.get(url)
        post = partial(_post, browser)
        page = post(page, email="ada@acme.example", password="any")
        page = post(page, approve="x")
    found = re.search(r'class="return" href="([^"]+)"', page.text)
    assert found, page.text
    query = parse_qs(urlsplit(unescape(found[1])).query)
    assert query["state"] == ["the state"]
    return Secret(query["code"][0])


def _post(browser: httpx.Client, page: httpx.Response, **fields: str) -> httpx.Response:
    action = re.search(r'action="([^"]+)"', page.text)
    session = re.search(r'name="session" value="([^"]+)"', page.text)
    assert action
    assert session
    base = urlsplit(str(browser.base_url))
    url = f"{base.scheme}://{base.netloc}{action[1]}"
    return browser.post(url, data={"session": session[1], **fields})


def take_back(demo: Description) -> None:
    """Disconnect the one account from both models, as its owner does."""
    with visitor(base_url=demo.connect_base) as owner:
        page = owner.get("/installed-apps").text
        shown = {name: re.search(rf'name="{name}" value="([^"]+)"', page) for name in FORM}
        fields = {name: found[1] for name, found in shown.items() if found}
        for oauth in OAuthModel:
            owner.post("/installed-apps/disconnect", data={**fields, "oauth": oauth.value})


async def account_of(gateway: StripeGateway, tokens: TokenResponse) -> StripeAccount:
    return await gateway.account(
        tokens.account_id, livemode=tokens.livemode, access_token=tokens.access_token
    )


async def why_not(gateway: StripeGateway, tokens: TokenResponse) -> Outcome:
    with pytest.raises(StripeProblem) as caught:
        await account_of(gateway, tokens)
    return kind_of(caught.value)


@pytest.mark.parametrize("model", list(OAuthModel))
async def test_a_credential_works_by_its_model_from_approval_to_disconnection(
    platform: Platform, clock: Clock, model: OAuthModel
) -> None:
    gateway = gateway_for(platform._replace(oauth=model), clock.now)
    tokens = await gateway.exchange(approve(gateway))
    assert tokens.oauth is model
    account = await account_of(gateway, tokens)
    assert (account.id, account.livemode) == (tokens.account_id, False)
    assert account.name
    await gateway.deauthorize(tokens.account_id)
    assert await why_not(gateway, tokens) is Outcome.REVOKED
    with pytest.raises(StripeRefused, match="no longer connected, or the client id"):
        await gateway.deauthorize(tokens.account_id)


async def test_an_app_continues_after_its_hour_with_a_refresh(
    apps: StripeGateway, clock: Clock
) -> None:
    tokens = await apps.exchange(approve(apps))
    assert tokens.obtained_at == clock.now()
    clock.forward(ACCESS_TOKEN_LIFETIME - timedelta(seconds=1))
    await account_of(apps, tokens)
    clock.forward(timedelta(seconds=1))
    assert await why_not(apps, tokens) is Outcome.REVOKED
    after = await apps.refresh(tokens, "key-1")
    assert after.obtained_at == clock.now()
    assert (await account_of(apps, after)).id == tokens.account_id


async def test_a_crash_before_the_answer_is_on_disk_does_not_lose_the_account(
    apps: StripeGateway, clock: Clock
) -> None:
    tokens, asked_at = await apps.exchange(approve(apps)), clock.now()
    await apps.refresh(tokens, "key-1")  # and the process dies
    clock.forward(timedelta(minutes=59))
    after = await apps.refresh(tokens, "key-1", asked_at=asked_at)
    assert after.obtained_at == asked_at
    assert (await account_of(apps, after)).id == tokens.account_id
    with pytest.raises(StripeRefused, match="authorize the credential again") as caught:
        await apps.refresh(tokens, "key-2")
    assert kind_of(caught.value) is Outcome.REVOKED


async def test_access_that_the_owner_ended_is_revoked_with_both_models(
    demo: Description, connect: StripeGateway, apps: StripeGateway
) -> None:
    held = [(one, await one.exchange(approve(one))) for one in (connect, apps)]
    take_back(demo)
    for gateway, tokens in held:
        assert await why_not(gateway, tokens) is Outcome.REVOKED
    gateway, tokens = held[1]
    with pytest.raises(StripeRefused, match="authorize the credential again"):
        await gateway.refresh(tokens, "key-1")


async def test_a_wrong_secret_key_is_never_taken_for_a_revoked_account(
    platform: Platform, clock: Clock, connect: StripeGateway, apps: StripeGateway
) -> None:
    wrong = platform._replace(secret_key=Secret("sk_test_wrong"))
    tokens = await connect.exchange(approve(connect))
    assert await why_not(gateway_for(wrong, clock.now), tokens) is Outcome.WRONG_KEY
    tokens = await apps.exchange(approve(apps))
    gateway = gateway_for(wrong._replace(oauth=OAuthModel.APPS), clock.now)
    await account_of(gateway, tokens)  # by its own access token
    with pytest.raises(StripeRefused) as caught:
        await gateway.refresh(tokens, "key-1")
    assert kind_of(caught.value) is Outcome.WRONG_KEY
    assert (await apps.refresh(tokens, "key-2")).account_id == tokens.account_id
