"""GET /oauth/authorize: the checks, and the errors that the browser shows."""

from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from stripe import StripeClient

from m3cred_tui.demo_stripe.description import Description

HOSTILE = '"><script>alert(1)</script>\x1b]0;owned\x07\u202e'


def _url(demo: Description, **changes: str | None) -> str:
    query = {
        "client_id": demo.test.client_id,
        "response_type": "code",
        "redirect_uri": demo.redirect_uris[0],
        "scope": "read_write",
        "state": "the state",
    } | changes
    return "/oauth/authorize?" + urlencode({k: v for k, v in query.items() if v is not None})


def test_stripes_own_authorize_url_shows_the_log_in(
    test_mode: StripeClient, browser: Any
) -> None:
    page = browser.open(test_mode.oauth.authorize_url())

    assert page.response.status_code == 200
    assert "Get started with Stripe" in page.text


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_id": None}, "invalid_request"),
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "everything"}, "invalid_scope"),
        ({"redirect_uri": "http://127.0.0.1:27182/"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1:27182/callback/"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1:27182/callback?a=b"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://localhost:27182/callback"}, "invalid_redirect_uri"),
        ({"redirect_uri": "http://127.0.0.1:9/callback"}, "invalid_redirect_uri"),
        ({"redirect_uri": "https://evil.example/"}, "invalid_redirect_uri"),
    ],
)
def test_a_wrong_request_is_shown_as_json_and_never_redirected(
    demo: Description, http: httpx.Client, changes: dict[str, str | None], error: str
) -> None:
    reply = http.get(_url(demo, **changes))

    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["error"] == error
    assert reply.json()["error_description"]
    assert reply.json()["state"] == "the state"
    assert "location" not in reply.headers


def test_an_unknown_client_has_stripes_odd_error(demo: Description, http: httpx.Client) -> None:
    reply = http.get(_url(demo, client_id="ca_nobody"))

    assert reply.status_code == 400
    assert reply.json()["error"]["message"].startswith("No application matches")


def test_a_parameter_given_twice_is_refused(demo: Description, http: httpx.Client) -> None:
    for twice in ("&state=another", f"&client_id={demo.live.client_id}"):
        reply = http.get(_url(demo) + twice)
        assert (reply.status_code, reply.json()["error"]) == (400, "invalid_request")


def test_an_error_cannot_control_a_browser_or_a_terminal(
    demo: Description, http: httpx.Client
) -> None:
    reply = http.get(_url(demo, scope=HOSTILE, state=HOSTILE))

    assert reply.json()["state"] == HOSTILE
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.content.isascii()
    assert b"\x1b" not in reply.content
    assert b"\x07" not in reply.content


def test_without_a_redirect_uri_the_first_registered_one_is_used(
    demo: Description, browser: Any
) -> None:
    page = browser.press(browser.log_in(_url(demo, redirect_uri=None)), "Approve access")

    assert page.links["Return to m3ter"].startswith(demo.redirect_uris[0] + "?")


def test_a_redirect_uri_keeps_its_own_parameters(demo: Description, browser: Any) -> None:
    page = browser.log_in(_url(demo, redirect_uri=demo.redirect_uris[1]))
    page = browser.press(page, "Approve access")

    assert page.links["Return to m3ter"].startswith(demo.redirect_uris[1] + "&scope=")


def test_the_mode_is_that_of_the_client_id(demo: Description, browser: Any) -> None:
    for client_id, mode in ((demo.test.client_id, "Test"), (demo.live.client_id, "Live")):
        page = browser.log_in(_url(demo, client_id=client_id))
        assert f"{mode} mode" in page.text
        assert f"access to this account in\n{mode.lower()} mode" in page.text


def test_an_email_may_be_prefilled_and_nonsense_is_ignored(
    demo: Description, browser: Any
) -> None:
    for given, shown in (("ada@northwind.example", "ada@northwind.example"), (HOSTILE, "")):
        page = browser.open(_url(demo, **{"stripe_user[email]": given}))
        assert page.form_with("Log in")[1]["email"] == shown


def test_a_request_from_a_rebound_name_is_refused(
    demo: Description, http: httpx.Client
) -> None:
    for host, status in (
        ("evil.example", 400),
        (f"evil.example:{http.base_url.port}", 400),
        ("127.0.0.1:8080", 200),  # the near end of a tunnel
        ("localhost:8080", 200),
    ):
        assert http.get(_url(demo), headers={"Host": host}).status_code == status
