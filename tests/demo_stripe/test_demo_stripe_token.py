"""POST /oauth/token, with the official ``stripe`` package as the client."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from stripe import StripeClient
from stripe.oauth_error import (
    InvalidClientError,
    InvalidGrantError,
    InvalidRequestError,
    InvalidScopeError,
    UnsupportedGrantTypeError,
)

from m3cred_tui.demo_stripe.description import Description


@pytest.fixture
def code(test_mode: StripeClient, browser: Any) -> str:
    return _approved(test_mode, browser)


def _approved(client: StripeClient, browser: Any, scope: Any = "read_write") -> str:
    code: str = browser.approve(client.oauth.authorize_url({"scope": scope, "state": "s"}))
    return code


def _exchange(client: StripeClient, code: str) -> Any:
    return client.oauth.token({"grant_type": "authorization_code", "code": code})


def test_an_approval_is_exchanged_for_the_account(test_mode: StripeClient, code: str) -> None:
    reply = _exchange(test_mode, code)

    assert reply.stripe_user_id.startswith("acct_")
    assert reply.livemode is False
    assert reply.scope == "read_write"
    assert reply.token_type == "bearer"
    assert reply.access_token.startswith("sk_test_")
    assert reply.refresh_token.startswith("rt_")
    assert reply.stripe_publishable_key.startswith("pk_test_")


def test_live_mode_gives_live_tokens(live_mode: StripeClient, browser: Any) -> None:
    reply = _exchange(live_mode, _approved(live_mode, browser))

    assert reply.livemode is True
    assert reply.access_token.startswith("sk_live_")
    assert reply.stripe_publishable_key.startswith("pk_live_")


@pytest.mark.parametrize("way", ["field", "basic", "bearer"])
def test_the_key_may_come_in_each_documented_way(
    demo: Description, http: httpx.Client, code: str, way: str
) -> None:
    key = demo.test.secret_key.reveal()
    form = {"grant_type": "authorization_code", "code": code}
    if way == "field":
        reply = http.post("/oauth/token", data=form | {"client_secret": key})
    elif way == "basic":
        reply = http.post("/oauth/token", data=form, auth=(key, ""))
    else:
        reply = http.post("/oauth/token", data=form, headers={"Authorization": f"Bearer {key}"})

    assert reply.status_code == 200
    assert reply.headers["cache-control"] == "no-store"


def test_a_code_used_twice_revokes_the_connection(test_mode: StripeClient, code: str) -> None:
    reply = _exchange(test_mode, code)

    with pytest.raises(InvalidGrantError, match=r"already been used.*revoked") as caught:
        _exchange(test_mode, code)

    assert caught.value.http_status == 400
    with pytest.raises(InvalidGrantError, match="revoked"):
        test_mode.oauth.token(
            {"grant_type": "refresh_token", "refresh_token": reply.refresh_token}
        )
    with pytest.raises(InvalidClientError, match="not connected"):
        test_mode.oauth.deauthorize({"stripe_user_id": reply.stripe_user_id})


def test_a_code_is_valid_for_five_minutes(
    test_mode: StripeClient, browser: Any, clock: Any
) -> None:
    in_time, too_late = _approved(test_mode, browser), _approved(test_mode, browser)

    clock.advance(299)
    assert _exchange(test_mode, in_time).stripe_user_id
    clock.advance(1)
    with pytest.raises(InvalidGrantError, match="expired"):
        _exchange(test_mode, too_late)


def test_a_code_of_test_mode_does_not_work_with_the_live_key(
    test_mode: StripeClient, live_mode: StripeClient, code: str
) -> None:
    with pytest.raises(InvalidGrantError, match=r"live mode API key.* test mode"):
        _exchange(live_mode, code)

    assert _exchange(test_mode, code).stripe_user_id, "the mistake cost the code"


def test_a_refresh_token_works_only_in_its_own_mode(
    test_mode: StripeClient, live_mode: StripeClient, code: str
) -> None:
    refresh_token = _exchange(test_mode, code).refresh_token

    with pytest.raises(InvalidGrantError):
        live_mode.oauth.token({"grant_type": "refresh_token", "refresh_token": refresh_token})


def test_a_refresh_gives_another_access_token(test_mode: StripeClient, code: str) -> None:
    first = _exchange(test_mode, code)
    second = test_mode.oauth.token(
        {"grant_type": "refresh_token", "refresh_token": first.refresh_token}
    )

    assert second.access_token != first.access_token
    assert second.stripe_user_id == first.stripe_user_id
    assert second.scope == "read_write"


def test_a_refresh_may_narrow_the_scope_but_not_widen_it(
    test_mode: StripeClient, browser: Any
) -> None:
    writer = _exchange(test_mode, _approved(test_mode, browser)).refresh_token
    reader = _exchange(test_mode, _approved(test_mode, browser, "read_only")).refresh_token

    lessened = test_mode.oauth.token(
        {"grant_type": "refresh_token", "refresh_token": writer, "scope": "read_only"}
    )
    assert lessened.scope == "read_only"
    with pytest.raises(InvalidScopeError):
        test_mode.oauth.token(
            {"grant_type": "refresh_token", "refresh_token": reader, "scope": "read_write"}
        )


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, InvalidRequestError),
        ({"grant_type": "authorization_code"}, InvalidRequestError),
        ({"grant_type": "authorization_code", "code": ""}, InvalidRequestError),
        ({"grant_type": "refresh_token"}, InvalidRequestError),
        ({"grant_type": "password"}, UnsupportedGrantTypeError),
        ({"grant_type": "authorization_code", "code": "ac_nobody"}, InvalidGrantError),
        ({"grant_type": "refresh_token", "refresh_token": "rt_nobody"}, InvalidGrantError),
    ],
)
def test_each_wrong_request_has_stripes_error(
    test_mode: StripeClient, form: Any, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        test_mode.oauth.token(form)

    assert caught.value.http_status == 400  # type: ignore[attr-defined]  # of OAuthError


def test_a_parameter_given_twice_is_refused(demo: Description, http: httpx.Client) -> None:
    reply = http.post(
        "/oauth/token",
        content="grant_type=authorization_code&code=ac_1&code=ac_2",
        headers={"Authorization": f"Bearer {demo.test.secret_key.reveal()}"},
    )

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_a_wrong_key_is_401_and_not_repeated(client_with: Callable[..., StripeClient]) -> None:
    with pytest.raises(InvalidClientError) as caught:
        _exchange(client_with("sk_test_of_somebody_else"), "ac_1")

    assert caught.value.http_status == 401
    assert "somebody_else" not in str(caught.value)


def test_no_key_is_401(http: httpx.Client) -> None:
    for headers in ({}, {"Authorization": "Basic ?"}, {"Authorization": "Bearer"}):
        reply = http.post("/oauth/token", data={"code": "ac_1"}, headers=headers)
        assert (reply.status_code, reply.json()["error"]) == (401, "invalid_client")


def test_a_clients_text_is_echoed_without_control_characters(
    demo: Description, http: httpx.Client
) -> None:
    form = {"grant_type": "authorization_code", "code": "\x1b]0;owned\x07\u202e"}
    reply = http.post("/oauth/token", data=form, auth=(demo.test.secret_key.reveal(), ""))

    assert reply.content.isascii()
    assert "\x1b" not in reply.json()["error_description"]
    assert "\u202e" not in reply.json()["error_description"]


def test_an_endless_body_is_not_read(http: httpx.Client) -> None:
    assert http.post("/oauth/token", content=b"a" * 70_000).status_code == 413
