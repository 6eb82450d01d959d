"""The addresses that are entered: each rule of the mode, in one sentence."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.config.entered import RedirectNeedsHttps, base, redirect_uri
from m3cred_tui.model.credential import DESTINATIONS, STRIPE, STRIPE_TEST, Destination
from m3cred_tui.model.problem import Problem


@pytest.mark.parametrize(
    ("text", "destination"),
    [
        ("https://relay.example.com/m3cred.html", STRIPE),
        ("https://relay.example.com/m3cred.html", STRIPE_TEST),
        ("https://relay.example.com:8443/a?b=c", STRIPE),
        ("https://[2001:db8::1]/x", STRIPE),
        ("https://127.0.0.1:8443/callback", STRIPE),
        ("http://127.0.0.1:27182/callback", STRIPE_TEST),
        ("http://localhost:8080/callback", STRIPE_TEST),
        ("http://[::1]:8080/callback", STRIPE_TEST),
    ],
)
def test_an_address_of_the_mode_is_taken_as_it_is(text: str, destination: Destination) -> None:
    assert redirect_uri(f" <{text}> \n", destination) == text


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:27182/callback", "HTTP://relay.example.com"]
)
def test_live_mode_takes_https_only(text: str) -> None:
    with pytest.raises(RedirectNeedsHttps) as told:
        redirect_uri(text, STRIPE)
    assert str(told.value) == (
        "The redirect URI begins with http://, and in live mode Stripe takes https:// only."
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("''", "The redirect URI is empty."),
        ("relay.example.com/x", "The redirect URI begins with neither https:// nor http://."),
        ("javascript:alert(1)", "The redirect URI begins with neither https:// nor http://."),
        ("https:///x", "The redirect URI names no host."),
        ("https://ann:pw@relay.example.com", "The redirect URI has a user name in it."),
        ("https://relay.example.com@evil.example", "The redirect URI has a user name in it."),
        ("https://relay.example.com/#", "The redirect URI has a fragment (#)."),
        (
            "https://relay.example.com:99999/",
            "The redirect URI has a host or a port that cannot be read.",
        ),
        ("https://[::1/", "The redirect URI has a host or a port that cannot be read."),
        ("https://relay.example.com:0/", "The redirect URI has port 0."),
        (
            "http://relay.example.com/x",
            "The redirect URI with http:// must be on this computer, like http://127.0.0.1:27182.",
        ),
        (
            "https://relay.example.com/?state=1",
            "The redirect URI has a parameter that Stripe adds itself (state).",
        ),
        *(
            (
                text,
                "The redirect URI has a character that must be percent-encoded, or be written "
                "as punycode.",
            )
            for text in (
                "https://relay.example.com/a b",
                "https://rélay.example",
                "https://a\tb",
            )
        ),
        (
            "https://relay.example.com/" + 2000 * "x",
            "The redirect URI has 2,026 characters; 2,000 is the most.",
        ),
    ],
    ids=lambda text: ascii(text[:30]),
)
def test_what_stripe_cannot_redirect_to_is_reported(text: str, told: str) -> None:
    with pytest.raises(Problem) as problem:
        redirect_uri(text, STRIPE_TEST)
    assert str(problem.value) == told


@given(st.text(max_size=40) | st.text(max_size=40).map("https://{}".format))
def test_any_text_is_a_plain_address_or_a_problem(text: str) -> None:
    for destination in DESTINATIONS:
        for check in (redirect_uri, base):
            with suppress(Problem):
                taken = check(text, destination)
                assert taken in text
                assert taken.isascii()
                assert taken.isprintable()


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("http://127.0.0.1:27181/", "http://127.0.0.1:27181"),
        ("https://stripe.example.com", "https://stripe.example.com"),
    ],
)
def test_a_stripe_is_on_this_computer_or_behind_https(text: str, taken: str) -> None:
    assert base(text, STRIPE) == taken


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "http://stripe.example.com",
            "The address with http:// must be on this computer, like http://127.0.0.1:27182.",
        ),
        (
            "https://stripe.example.com/v1",
            "The address ends with the host and port; this one has a path or a query.",
        ),
        ("ftp://127.0.0.1", "The address begins with neither https:// nor http://."),
    ],
)
def test_a_secret_key_is_sent_nowhere_else(text: str, told: str) -> None:
    with pytest.raises(Problem) as problem:
        base(text, STRIPE)
    assert str(problem.value) == told
