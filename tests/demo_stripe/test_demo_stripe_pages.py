"""The pages between Stripe's URL and the redirect, through their real forms."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from stripe import StripeClient

from m3cred_tui.demo_stripe.description import Description

STATE = "a/b+c d&e=f%20\u00fc\"'<>"
HOSTILE = "\"><script>alert(1)</script>'&lt;\x1b[2J\u202e@x"


@pytest.fixture
def url(test_mode: StripeClient) -> str:
    return test_mode.oauth.authorize_url({"scope": "read_write", "state": STATE})


def test_approving_leads_back_to_m3ter_with_a_code_and_the_state_unchanged(
    demo: Description, browser: Any, url: str, query_of: Callable[[str], dict[str, str]]
) -> None:
    page = browser.press(browser.log_in(url), "Approve access")

    assert list(page.links) == ["Return to m3ter"]
    back = page.links["Return to m3ter"]
    assert back.startswith(demo.redirect_uris[0] + "?")
    query = query_of(back)
    assert query.pop("code").startswith("ac_")
    assert query == {"scope": "read_write", "state": STATE}


def test_the_link_back_is_on_the_left(browser: Any, url: str) -> None:
    page = browser.press(browser.log_in(url), "Approve access")
    tags = [tag for tag, _ in page.elements]

    assert tags.index("aside") < tags.index("a") < tags.index("main")


def test_refusing_redirects_immediately_with_stripes_error(
    demo: Description, browser: Any, url: str, query_of: Callable[[str], dict[str, str]]
) -> None:
    page = browser.press(browser.log_in(url), "Refuse access")

    assert page.response.status_code == 303
    assert page.response.headers["location"].startswith(demo.redirect_uris[0] + "?")
    assert query_of(page.response.headers["location"]) == {
        "error": "access_denied",
        "error_description": "The user denied your request",
        "state": STATE,
    }


def test_a_missing_state_is_not_invented(
    test_mode: StripeClient, browser: Any, query_of: Callable[[str], dict[str, str]]
) -> None:
    page = browser.press(browser.log_in(test_mode.oauth.authorize_url()), "Refuse access")

    assert query_of(page.response.headers["location"]).keys() == {"error", "error_description"}


def test_the_approval_page_shows_who_requests_what_for_which_account(
    browser: Any, url: str
) -> None:
    page = browser.log_in(url, "ada@northwind.example")

    for shown in (
        "Get started with Stripe",
        "Approve access for m3ter",
        "Test mode",
        "read_write",
        "create and change",
        "acct_",
        "ada@northwind.example",
    ):
        assert shown in page.text


def test_a_log_in_needs_an_email_and_a_password(browser: Any, url: str) -> None:
    for email, password in ((" ", "any"), ("ada@northwind.example", "")):
        page = browser.press(browser.open(url), "Log in", email=email, password=password)
        assert "Enter an e-mail and a password" in page.text


def test_somebody_else_can_log_in_instead(browser: Any, url: str) -> None:
    page = browser.log_in(url, "ada@northwind.example")
    page = browser.press(page, "Log in as somebody else")
    page = browser.press(page, "Log in", email="grace@northwind.example", password="any")

    assert "grace@northwind.example" in page.text
    assert "ada@" not in page.text


def test_the_first_decision_stands_however_often_the_form_is_sent(
    browser: Any, url: str
) -> None:
    asked = browser.log_in(url)
    first = browser.press(asked, "Approve access").links["Return to m3ter"]

    for button in ("Approve access", "Refuse access"):
        assert browser.press(asked, button).links["Return to m3ter"] == first


def test_nothing_is_approved_without_logging_in(browser: Any, url: str) -> None:
    page = browser.open(url)
    _, fields = page.form_with("Log in")
    page = browser.send(
        "/oauth/authorize/decision", session=fields["session"], approve="Approve access"
    )

    assert "Get started with Stripe" in page.text
    assert not page.links


def test_a_page_without_a_valid_session_says_so(browser: Any, url: str, clock: Any) -> None:
    page = browser.log_in(url)
    clock.advance(3600)

    guessed = {"session": "guessed", "email": "a@x", "password": "b"}
    for late in (
        browser.press(page, "Approve access"),
        browser.send("/oauth/authorize/log-in", **guessed),
    ):
        assert late.response.status_code == 410
        assert "no longer valid" in late.text
        assert "Go to Stripe" in late.text


def test_a_hostile_email_is_only_text(test_mode: StripeClient, browser: Any, url: str) -> None:
    page = browser.log_in(url, HOSTILE)

    assert not [tag for tag, _ in page.elements if tag == "script"]
    assert "<script>alert(1)</script>" in page.text
    assert "&lt;\ufffd" in page.text, "an entity was read, or an escape character let through"
    assert "\x1b" not in page.response.text
    assert "\u202e" not in page.response.text


def test_a_hostile_state_is_only_a_part_of_the_link(
    test_mode: StripeClient, browser: Any, query_of: Callable[[str], dict[str, str]]
) -> None:
    page = browser.log_in(test_mode.oauth.authorize_url({"state": HOSTILE}))
    page = browser.press(page, "Approve access")

    assert not [tag for tag, _ in page.elements if tag == "script"]
    back = page.links["Return to m3ter"]
    assert urlsplit(back).hostname == "127.0.0.1"
    assert query_of(back)["state"] == HOSTILE


def test_every_page_is_a_demo_without_scripts_or_cookies(
    browser: Any, url: str, http: httpx.Client
) -> None:
    logging_in = browser.open(url)
    asked = browser.log_in(url)
    approved = browser.press(asked, "Approve access")
    lost = browser.send("/oauth/authorize/decision")

    for page in (logging_in, asked, approved, lost):
        assert "Demo." in page.text
        assert "This is not Stripe" in page.text
        headers = page.response.headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; form-action 'self'")
        assert "script-src" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-type"] == "text/html; charset=utf-8"
        assert "set-cookie" not in headers
        assert not [a for _, a in page.elements if any(n.startswith("on") for n in a)]
        (style,) = [a["href"] for tag, a in page.elements if tag == "link"]
        assert http.get(style).headers["content-type"] == "text/css; charset=utf-8"


def test_a_browser_may_follow_the_refusal_to_m3cred_and_nowhere_else(
    browser: Any, url: str
) -> None:
    policy = browser.log_in(url).response.headers["content-security-policy"]

    assert "form-action 'self' http://127.0.0.1:27182;" in policy
