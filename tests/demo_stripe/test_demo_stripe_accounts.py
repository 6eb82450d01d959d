"""GET /v1/account and POST /oauth/deauthorize, with the official ``stripe`` package."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from stripe import AuthenticationError, StripeClient
from stripe import PermissionError as NoAccessError
from stripe.oauth_error import InvalidClientError, InvalidRequestError

from m3cred_tui.demo_stripe.description import Description

Clients = Callable[..., StripeClient]


@pytest.fixture
def connect(browser: Any) -> Callable[..., Any]:
    def connect(client: StripeClient, email: str = "ada@northwind.example") -> Any:
        code = browser.approve(client.oauth.authorize_url({"scope": "read_write"}), email)
        return client.oauth.token({"grant_type": "authorization_code", "code": code})

    return connect


def _account(client: StripeClient, account_id: str | None = None) -> Any:
    options: Any = {} if account_id is None else {"stripe_account": account_id}
    return client.v1.accounts.retrieve_current(options=options)


def test_the_account_is_read_with_the_platforms_key(
    test_mode: StripeClient, connect: Callable[..., Any]
) -> None:
    reply = connect(test_mode)
    account = _account(test_mode, reply.stripe_user_id)

    assert account.id == reply.stripe_user_id
    assert account.email == "ada@northwind.example"
    assert account.business_profile.name.startswith(account.settings.dashboard.display_name)
    assert (len(account.country), len(account.default_currency)) == (2, 3)
    assert account.charges_enabled
    assert account.payouts_enabled
    assert account.details_submitted
    assert "livemode" not in account


def test_the_account_is_read_with_the_access_token(
    test_mode: StripeClient, connect: Callable[..., Any], client_with: Clients
) -> None:
    reply = connect(test_mode)
    owner = client_with(reply.access_token)

    assert _account(owner).id == reply.stripe_user_id
    assert _account(owner, reply.stripe_user_id).id == reply.stripe_user_id
    with pytest.raises(NoAccessError):
        _account(owner, "acct_other")


def test_without_an_account_the_platforms_key_reads_its_own(test_mode: StripeClient) -> None:
    assert _account(test_mode).business_profile.name == "m3ter"


def test_each_log_in_has_its_own_account_and_keeps_it(
    test_mode: StripeClient, live_mode: StripeClient, connect: Callable[..., Any]
) -> None:
    people = [f"person{number}@northwind.example" for number in range(8)]
    accounts = {connect(test_mode, person).stripe_user_id for person in people}
    again = {connect(live_mode, person.upper()).stripe_user_id for person in people}

    assert len(accounts) == len(people)
    assert accounts == again
    names = {_account(test_mode, each).business_profile.name for each in accounts}
    assert len(names) == len(people)


def test_an_account_connected_in_test_mode_is_not_reached_in_live_mode(
    test_mode: StripeClient, live_mode: StripeClient, connect: Callable[..., Any]
) -> None:
    account_id = connect(test_mode).stripe_user_id

    with pytest.raises(NoAccessError) as caught:
        _account(live_mode, account_id)
    assert caught.value.http_status == 403


def test_a_code_used_twice_ends_access_to_the_account(
    test_mode: StripeClient, browser: Any, client_with: Clients
) -> None:
    code = browser.approve(test_mode.oauth.authorize_url())
    form: Any = {"grant_type": "authorization_code", "code": code}
    reply = test_mode.oauth.token(form)
    assert _account(test_mode, reply.stripe_user_id).id == reply.stripe_user_id

    with pytest.raises(Exception, match="already been used"):
        test_mode.oauth.token(form)

    with pytest.raises(NoAccessError):
        _account(test_mode, reply.stripe_user_id)
    with pytest.raises(AuthenticationError):
        _account(client_with(reply.access_token))


def test_an_approval_that_was_never_exchanged_gives_no_access(
    test_mode: StripeClient, browser: Any, connect: Callable[..., Any]
) -> None:
    account_id = connect(test_mode).stripe_user_id
    test_mode.oauth.deauthorize({"stripe_user_id": account_id})
    browser.approve(test_mode.oauth.authorize_url())

    with pytest.raises(NoAccessError):
        _account(test_mode, account_id)


def test_a_bad_key_is_401_and_not_repeated(
    client_with: Clients, http: httpx.Client, demo: Description
) -> None:
    with pytest.raises(AuthenticationError) as caught:
        _account(client_with("sk_test_of_somebody_else"))
    assert caught.value.http_status == 401
    assert "somebody_else" not in str(caught.value)
    assert http.get("/v1/account").status_code == 401


def test_a_disconnected_account_is_gone(
    test_mode: StripeClient, connect: Callable[..., Any], client_with: Clients
) -> None:
    reply = connect(test_mode)
    answer = test_mode.oauth.deauthorize({"stripe_user_id": reply.stripe_user_id})

    assert answer.stripe_user_id == reply.stripe_user_id
    with pytest.raises(NoAccessError):
        _account(test_mode, reply.stripe_user_id)
    with pytest.raises(AuthenticationError):
        _account(client_with(reply.access_token))
    with pytest.raises(InvalidClientError):
        test_mode.oauth.deauthorize({"stripe_user_id": reply.stripe_user_id})


def test_disconnecting_takes_the_right_client_mode_and_account(
    demo: Description,
    test_mode: StripeClient,
    live_mode: StripeClient,
    connect: Callable[..., Any],
    client_with: Clients,
) -> None:
    account_id = connect(test_mode).stripe_user_id
    mixed = client_with(demo.live.secret_key.reveal(), demo.test.client_id)

    for client in (live_mode, mixed, client_with("sk_test_wrong")):
        with pytest.raises(InvalidClientError):
            client.oauth.deauthorize({"stripe_user_id": account_id})
    with pytest.raises(InvalidClientError):
        test_mode.oauth.deauthorize({"stripe_user_id": "acct_unknown"})
    with pytest.raises(InvalidRequestError):
        test_mode.oauth.deauthorize({})  # type: ignore[typeddict-item]  # what is missing
    with pytest.raises(InvalidRequestError):
        test_mode.oauth.deauthorize({"client_id": "", "stripe_user_id": account_id})

    assert _account(test_mode, account_id).id == account_id, "a refused request disconnected"
