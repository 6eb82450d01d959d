"""Stripe Apps: the documented HTTP, and its tokens with the official ``stripe`` package."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from stripe import AuthenticationError, StripeClient
from stripe import PermissionError as NoAccessError
from stripe.oauth_error import InvalidClientError, InvalidGrantError

from m3cred_tui.demo_stripe.description import ClientKeys, Description

HOUR, DAY = 3600, 86_400

Clients = Callable[..., StripeClient]


def _url(keys: ClientKeys, channel: str = "", **changes: str) -> str:
    query = {"client_id": keys.client_id, "state": "the state"} | changes
    return f"/oauth/v2/{channel}authorize?{urlencode(query)}"


class App:
    """The server of an app: its calls to the API, with the key of one mode."""

    def __init__(self, http: httpx.Client, keys: ClientKeys) -> None:
        self._http = http
        self._key = keys.secret_key.reveal()

    def post(self, path: str, key: str | None = None, **form: str) -> httpx.Response:
        headers = {} if key is None else {"Idempotency-Key": key}
        return self._http.post(path, data=form, auth=(self._key, ""), headers=headers)

    def exchange(self, code: str, key: str | None = None) -> httpx.Response:
        return self.post("/v1/oauth/token", key, grant_type="authorization_code", code=code)

    def refresh(self, refresh_token: str, key: str | None = None) -> httpx.Response:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.post("/v1/oauth/token", key, **form)


@pytest.fixture
def app(http: httpx.Client, demo: Description) -> App:
    return App(http, demo.test)


@pytest.fixture
def live_app(http: httpx.Client, demo: Description) -> App:
    return App(http, demo.live)


@pytest.fixture
def code(browser: Any, demo: Description) -> str:
    approved: str = browser.approve(_url(demo.test))
    return approved


@pytest.fixture
def first(app: App, code: str) -> dict[str, Any]:
    """Return the tokens of an approval that was just exchanged."""
    given: dict[str, Any] = app.exchange(code).json()
    return given


def _account(client: StripeClient, account_id: str | None = None) -> Any:
    options: Any = {} if account_id is None else {"stripe_account": account_id}
    return client.v1.accounts.retrieve_current(options=options)


def _refused(reply: httpx.Response) -> tuple[int, str]:
    return reply.status_code, reply.json()["error"]


def test_an_approval_leads_back_with_a_code_and_the_state_and_no_scope(
    demo: Description, browser: Any, query_of: Callable[[str], dict[str, str]]
) -> None:
    page = browser.log_in(_url(demo.test))
    assert "Get started with Stripe" in page.text
    assert "stripe_apps" in page.text
    assert "Test mode" in page.text
    back = browser.press(page, "Approve access").links["Return to m3ter"]
    assert back.startswith(demo.redirect_uris[0] + "?")
    query = query_of(back)
    assert query.pop("code").startswith("ac_")
    assert query == {"state": "the state"}


def test_a_refusal_leads_back_with_stripes_error(
    demo: Description, browser: Any, query_of: Callable[[str], dict[str, str]]
) -> None:
    page = browser.press(browser.log_in(_url(demo.live)), "Refuse access")
    query = query_of(page.response.headers["location"])
    assert (query["error"], query["state"]) == ("access_denied", "the state")


def test_an_app_that_is_not_published_is_approved_by_the_link_of_its_channel(
    demo: Description, browser: Any
) -> None:
    assert browser.approve(_url(demo.test, "chnlink_61Q/")).startswith("ac_")


def test_a_wrong_request_is_shown_as_json_and_never_redirected(
    demo: Description, http: httpx.Client
) -> None:
    reply = http.get(_url(demo.test, redirect_uri="https://evil.example/"))
    assert _refused(reply) == (400, "invalid_redirect_uri")
    assert reply.json()["state"] == "the state"
    assert http.get("/oauth/v2/authorize").json()["error"] == "invalid_request"
    assert http.get("/oauth/v2/authorize?client_id=ca_nobody").status_code == 400


def test_the_token_response_is_stripes_documented_one(first: dict[str, Any]) -> None:
    assert first.pop("access_token").startswith("rk_test_")
    assert first.pop("refresh_token").startswith("rt_")
    assert first.pop("stripe_publishable_key").startswith("pk_test_")
    assert first.pop("stripe_user_id").startswith("acct_")
    assert first == {"livemode": False, "scope": "stripe_apps", "token_type": "bearer"}


def test_the_official_client_reads_the_account_with_the_access_token(
    first: dict[str, Any], client_with: Clients
) -> None:
    account = _account(client_with(first["access_token"]))
    assert account.id == first["stripe_user_id"]
    assert account.email == "ada@northwind.example"


def test_the_platforms_key_does_not_reach_an_account_of_the_app(
    first: dict[str, Any], test_mode: StripeClient
) -> None:
    with pytest.raises(NoAccessError):
        _account(test_mode, first["stripe_user_id"])


def test_an_access_token_lasts_an_hour(
    first: dict[str, Any], client_with: Clients, clock: Any
) -> None:
    client = client_with(first["access_token"])
    clock.advance(HOUR - 1)
    assert _account(client)
    clock.advance(1)
    with pytest.raises(AuthenticationError) as caught:
        _account(client)
    assert caught.value.http_status == 401
    assert caught.value.error
    assert caught.value.error.code == "api_key_expired"


def test_a_refresh_replaces_both_tokens_and_invalidates_the_old_ones_immediately(
    app: App, first: dict[str, Any], client_with: Clients
) -> None:
    second = app.refresh(first["refresh_token"]).json()
    assert second["stripe_user_id"] == first["stripe_user_id"]
    assert second["refresh_token"] != first["refresh_token"]
    assert _account(client_with(second["access_token"])).id == first["stripe_user_id"]
    with pytest.raises(AuthenticationError):
        _account(client_with(first["access_token"]))
    assert _refused(app.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert app.refresh(second["refresh_token"]).status_code == 200, (
        "the mistake cost the account"
    )


def test_a_refresh_token_lasts_a_year_from_its_issue(
    app: App, first: dict[str, Any], clock: Any
) -> None:
    clock.advance(365 * DAY - 1)
    second = app.refresh(first["refresh_token"]).json()
    clock.advance(365 * DAY)
    assert _refused(app.refresh(second["refresh_token"])) == (400, "invalid_grant")


def test_a_lost_reply_can_be_requested_again_with_the_same_key(
    app: App, first: dict[str, Any], client_with: Clients
) -> None:
    lost = app.refresh(first["refresh_token"], "key-1")
    again = app.refresh(first["refresh_token"], "key-1")
    assert "idempotent-replayed" not in lost.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (again.status_code, again.content) == (lost.status_code, lost.content)
    assert _account(client_with(again.json()["access_token"]))


def test_a_refusal_is_kept_under_the_key_too(app: App, first: dict[str, Any]) -> None:
    refused = app.refresh("rt_nobody", "key-1")
    again = app.refresh("rt_nobody", "key-1")
    assert _refused(again) == _refused(refused) == (400, "invalid_grant")
    assert again.headers["idempotent-replayed"] == "true"


def test_an_invalid_request_does_not_use_up_its_key(app: App, first: dict[str, Any]) -> None:
    assert app.post("/v1/oauth/token", "key-1").status_code == 400
    assert app.refresh(first["refresh_token"], "key-1").status_code == 200


def test_a_key_is_valid_for_one_request_only(app: App, first: dict[str, Any]) -> None:
    second = app.refresh(first["refresh_token"], "key-1").json()
    reply = app.refresh(second["refresh_token"], "key-1")
    assert reply.status_code == 400
    assert reply.json()["error"]["type"] == "idempotency_error"
    reply = app.post(
        "/v1/oauth/deauthorize", "key-1", client_id="ca_x", stripe_user_id="acct_x"
    )
    assert reply.json()["error"]["type"] == "idempotency_error"
    assert app.refresh(second["refresh_token"], "key-2").status_code == 200


def test_a_key_is_valid_for_one_mode_only(app: App, live_app: App) -> None:
    assert _refused(app.refresh("rt_nobody", "key-1"))[1] == "invalid_grant"
    assert "idempotent-replayed" not in live_app.refresh("rt_nobody", "key-1").headers


def test_a_key_is_forgotten_after_a_day(app: App, first: dict[str, Any], clock: Any) -> None:
    app.refresh(first["refresh_token"], "key-1")
    clock.advance(DAY - 1)
    assert app.refresh(first["refresh_token"], "key-1").status_code == 200
    clock.advance(1)
    assert _refused(app.refresh(first["refresh_token"], "key-1")) == (400, "invalid_grant")


def test_a_key_of_invalid_length_is_refused(app: App) -> None:
    assert (
        app.refresh("rt_nobody", "k" * 256).json()["error"]["type"] == "invalid_request_error"
    )


def test_a_code_used_twice_revokes_the_connection(
    app: App, code: str, first: dict[str, Any], client_with: Clients
) -> None:
    assert _refused(app.exchange(code)) == (400, "invalid_grant")
    assert _refused(app.refresh(first["refresh_token"])) == (400, "invalid_grant")
    with pytest.raises(AuthenticationError):
        _account(client_with(first["access_token"]))


def test_a_code_is_valid_for_five_minutes(app: App, code: str, clock: Any) -> None:
    clock.advance(300)
    assert _refused(app.exchange(code)) == (400, "invalid_grant")


def test_neither_code_nor_refresh_token_works_in_the_other_mode(
    app: App, live_app: App, code: str
) -> None:
    assert _refused(live_app.exchange(code)) == (400, "invalid_grant")
    first = app.exchange(code).json()
    assert _refused(live_app.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert app.refresh(first["refresh_token"]).status_code == 200


def test_neither_code_nor_refresh_token_works_with_the_other_model(
    app: App, test_mode: StripeClient, browser: Any, code: str
) -> None:
    with pytest.raises(InvalidGrantError):
        test_mode.oauth.token({"grant_type": "authorization_code", "code": code})
    first = app.exchange(code).json()
    with pytest.raises(InvalidGrantError):
        test_mode.oauth.token(
            {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
        )
    of_connect = browser.approve(test_mode.oauth.authorize_url())
    assert _refused(app.exchange(of_connect)) == (400, "invalid_grant")


def test_a_disconnected_account_is_gone(
    app: App, demo: Description, first: dict[str, Any], client_with: Clients
) -> None:
    account_id = first["stripe_user_id"]
    form = {"client_id": demo.test.client_id, "stripe_user_id": account_id}
    reply = app.post("/v1/oauth/deauthorize", **form)
    assert (reply.status_code, reply.json()) == (200, {"stripe_user_id": account_id})
    with pytest.raises(AuthenticationError):
        _account(client_with(first["access_token"]))
    assert _refused(app.refresh(first["refresh_token"])) == (400, "invalid_grant")
    assert _refused(app.post("/v1/oauth/deauthorize", **form)) == (401, "invalid_client")


def test_disconnecting_one_model_leaves_the_other(
    app: App, demo: Description, test_mode: StripeClient, browser: Any, first: dict[str, Any]
) -> None:
    account_id = first["stripe_user_id"]
    with pytest.raises(InvalidClientError):
        test_mode.oauth.deauthorize({"stripe_user_id": account_id})
    code = browser.approve(test_mode.oauth.authorize_url())
    test_mode.oauth.token({"grant_type": "authorization_code", "code": code})
    form = {"client_id": demo.test.client_id, "stripe_user_id": account_id}
    assert app.post("/v1/oauth/deauthorize", **form).status_code == 200
    assert _account(test_mode, account_id).id == account_id


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "ac_nobody"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "rt_nobody"}, "invalid_grant"),
    ],
)
def test_each_wrong_request_has_stripes_error(
    app: App, form: dict[str, str], error: str
) -> None:
    assert _refused(app.post("/v1/oauth/token", **form)) == (400, error)


def test_only_the_platforms_key_gets_tokens(http: httpx.Client, first: dict[str, Any]) -> None:
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    for key, status in (("", 401), ("sk_test_wrong", 401), (first["access_token"], 403)):
        for path in ("/v1/oauth/token", "/v1/oauth/deauthorize"):
            reply = http.post(path, data=form, auth=(key, ""))
            assert (reply.status_code, reply.json()["error"]["type"]) == (
                status,
                "invalid_request_error",
            )
