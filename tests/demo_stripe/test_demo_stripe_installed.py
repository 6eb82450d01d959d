"""/installed-apps, where the owner of an account revokes access."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from stripe import PermissionError as NoAccessError
from stripe import StripeClient

from m3cred_tui.demo_stripe.description import Description

PATH = "/installed-apps"


def _connected(client: StripeClient, browser: Any, email: str = "ada@northwind.example") -> str:
    code = browser.approve(client.oauth.authorize_url({"scope": "read_write"}), email)
    reply = client.oauth.token({"grant_type": "authorization_code", "code": code})
    return str(reply.stripe_user_id)


def _account(client: StripeClient, account_id: str) -> Any:
    return client.v1.accounts.retrieve_current(options={"stripe_account": account_id})


def test_nobody_is_connected_at_first(browser: Any) -> None:
    assert "access to no account" in browser.open(PATH).text


def test_m3ter_loses_an_account_that_its_owner_disconnects(
    test_mode: StripeClient, browser: Any
) -> None:
    account_id = _connected(test_mode, browser)
    page = browser.open(PATH)
    assert account_id in page.text
    assert "test mode, by Stripe Connect" in page.text
    assert browser.press(page, "Disconnect m3ter").response.headers["location"] == PATH
    assert account_id not in browser.open(PATH).text
    with pytest.raises(NoAccessError) as caught:
        _account(test_mode, account_id)
    assert caught.value.http_status == 403
    assert caught.value.error
    assert caught.value.error.code == "account_invalid"


def test_each_mode_and_model_is_disconnected_separately(
    demo: Description,
    test_mode: StripeClient,
    live_mode: StripeClient,
    browser: Any,
    http: httpx.Client,
) -> None:
    account_id = _connected(test_mode, browser)
    assert _connected(live_mode, browser) == account_id
    code = browser.approve(
        f"/oauth/v2/authorize?{urlencode({'client_id': demo.test.client_id})}"
    )
    form = {"grant_type": "authorization_code", "code": code}
    key = demo.test.secret_key.reveal()
    token = http.post("/v1/oauth/token", data=form, auth=(key, "")).json()["access_token"]

    page = browser.open(PATH)
    for shown in (
        "live mode, by Stripe Connect",
        "test mode, by Stripe Connect",
        "test mode, by Stripe Apps",
    ):
        assert shown in page.text
    _, fields = page.form_with("Disconnect m3ter")
    browser.send(f"{PATH}/disconnect", **fields | {"mode": "test", "oauth": "apps"})

    assert http.get("/v1/account", auth=(token, "")).status_code == 401
    assert _account(test_mode, account_id)
    assert _account(live_mode, account_id)


def test_another_web_page_disconnects_nothing(test_mode: StripeClient, browser: Any) -> None:
    account_id = _connected(test_mode, browser)
    _, fields = browser.open(PATH).form_with("Disconnect m3ter")
    for forged in ({**fields, "page": "guessed"}, {**fields, "page": "\u00fc"}, {}):
        assert browser.send(f"{PATH}/disconnect", **forged).response.status_code == 410
    assert _account(test_mode, account_id)


def test_disconnecting_twice_or_something_invalid_changes_nothing(
    test_mode: StripeClient, browser: Any
) -> None:
    kept = _connected(test_mode, browser, "grace@northwind.example")
    gone = _connected(test_mode, browser)
    _, fields = browser.open(PATH).form_with("Disconnect m3ter")
    sent = [{"account": gone}, {"account": gone}, {"oauth": "oauth3"}, {"account": "acct_x"}]
    for change in sent:
        browser.send(f"{PATH}/disconnect", **fields | change)
    assert _account(test_mode, kept)
    with pytest.raises(NoAccessError):
        _account(test_mode, gone)


def test_the_page_is_a_demo_without_scripts_or_cookies(
    test_mode: StripeClient, browser: Any
) -> None:
    _connected(test_mode, browser)
    page = browser.open(PATH)
    assert "This is not Stripe" in page.text
    policy = page.response.headers["content-security-policy"]
    assert "form-action 'self';" in policy
    assert "script-src" not in policy
    assert "set-cookie" not in page.response.headers
