"""What is entered: forgiven what pasting brings, refused in one sentence otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.config.entered import (
    WrongModeKey,
    channel,
    client_id,
    oauth_model,
    ports,
    secret_key,
    tidy,
    without_key,
)
from m3cred_tui.model.credential import (
    DESTINATIONS,
    STRIPE,
    STRIPE_TEST,
    Destination,
    OAuthModel,
)
from m3cred_tui.model.problem import Problem

BODIES = st.text("abcXYZ0189", min_size=1, max_size=107)
JUNK = st.text(
    " \t\r\n\u00a0\u200b\ufeff\u202e\u2060\"'`\u201c\u201d\u2018\u2019«»<>\x00\x1b", max_size=12
)

SHAPE = (
    "A secret key of Stripe (Test Mode) is sk_test_ or rk_test_ followed by letters and digits"
)


def sentence(check: object, text: str, destination: Destination = STRIPE_TEST) -> str:
    assert callable(check)
    with pytest.raises(Problem) as told:
        check(text, destination)
    return str(told.value)


@given(before=JUNK, body=BODIES, after=JUNK, kind=st.sampled_from(["sk", "rk"]))
def test_a_key_is_taken_however_it_was_pasted(
    before: str, body: str, after: str, kind: str
) -> None:
    for destination, mode in ((STRIPE, "live"), (STRIPE_TEST, "test")):
        key = f"{kind}_{mode}_{body}"
        assert secret_key(f"{before}{key}{after}", destination).reveal() == key


@given(before=JUNK, body=BODIES, after=JUNK)
def test_a_client_id_is_taken_however_it_was_pasted(before: str, body: str, after: str) -> None:
    for destination in DESTINATIONS:
        assert client_id(f"{before}ca_{body}{after}", destination) == f"ca_{body}"


@given(st.text(max_size=60))
def test_tidying_twice_changes_nothing_more(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert tidy(text) in text


@given(st.text(max_size=80) | BODIES.map("sk_live_{}".format) | BODIES.map("pk_test_{}".format))
def test_whatever_is_pasted_is_a_key_of_the_mode_or_a_sentence_without_it(text: str) -> None:
    for destination in DESTINATIONS:
        try:
            key = secret_key(text, destination).reveal()
        except Problem as problem:
            told = str(problem)
            assert told.endswith((".", "?"))
            body = tidy(text).removeprefix("sk_live_")
            assert len(body) < 12 or body not in told
        else:
            assert key in text
            assert ("_live_" in key[:8]) is destination.livemode


def test_a_test_key_under_live_is_reported_as_what_it_is() -> None:
    with pytest.raises(WrongModeKey) as told:
        secret_key("sk_test_canary", STRIPE)
    assert str(told.value) == (
        "This is a test key (sk_test_…), and Stripe takes a live key: sk_live_ or rk_live_."
    )
    assert (told.value.destination, told.value.prefix) == (STRIPE, "sk_test_")


def test_a_live_key_under_test_is_reported_as_what_it_is() -> None:
    assert sentence(secret_key, "rk_live_canary") == (
        "This is a live key (rk_live_…), and Stripe (Test Mode) takes a test key: sk_test_ or "
        "rk_test_."
    )


@pytest.mark.parametrize(
    ("check", "text", "told"),
    [
        (secret_key, "ca_abc", "This is a client id, not a secret key: are the two swapped?"),
        (client_id, "sk_test_x", "This is a secret key, not a client id: are the two swapped?"),
        (client_id, "rk_live_x", "This is a secret key, not a client id: are the two swapped?"),
    ],
)
def test_swapped_id_and_key_are_reported(check: object, text: str, told: str) -> None:
    assert sentence(check, text) == told


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (" “” ", "The secret key is empty."),
        (
            "pk_test_canary",
            "This is the publishable key (pk_); the secret key begins with sk_test_ or "
            "rk_test_.",
        ),
        *(
            (
                masked,
                "This is the key as Stripe's dashboard masks it; reveal it there and copy it "
                "whole.",
            )
            for masked in ("sk_test_...9f3c", "sk_test_51H…9f3c", "sk_test_••••••9f3c")
        ),
        (
            "sk_test_canarysk_test_canary",
            f"{SHAPE}; this one is two keys in one.",
        ),
        (
            "sk_test_can ary",
            f"{SHAPE}; this one has white space in it.",
        ),
        (
            "sk_test_can\u200bary",
            f"{SHAPE}; this one has a character in it that cannot be seen (U+200B).",
        ),
        (
            "whsec_canary",
            f"{SHAPE}.",
        ),
        (
            "x" * 3000,
            f"{SHAPE}; this one has 3,000 characters.",
        ),
    ],
    ids=lambda text: ascii(text[:24]),
)
def test_an_invalid_secret_key_is_reported_without_showing_it(text: str, told: str) -> None:
    assert sentence(secret_key, text) == told


@pytest.mark.parametrize(
    "text", ["acct_1Acme", "ca_", "ca_ä", "ca_a b", "CA_abc", "ca_" + 999 * "a"]
)
def test_an_invalid_client_id_is_reported(text: str) -> None:
    told = sentence(client_id, text)
    assert told.startswith("A client id is ca_ followed by letters and digits")


def test_ports_are_taken_as_people_write_them() -> None:
    for text in ("27182,27183", " 27182 , 27183", "[27182, 27183]", "27182\n27183"):
        assert ports(text, STRIPE) == (27182, 27183)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "The list of ports is empty."),
        ("80", "The ports are whole numbers from 1024 to 65535."),
        ("27182,x", "The ports are whole numbers from 1024 to 65535."),
        ("65536", "The ports are whole numbers from 1024 to 65535."),
        ("٢٧١٨٢", "The ports are whole numbers from 1024 to 65535."),
        ("-27182", "The ports are whole numbers from 1024 to 65535."),
        ("9" * 5000, "The ports are whole numbers from 1024 to 65535."),
        ("27182 27182", "The ports include one twice."),
        (" ".join(map(str, range(2000, 2011))), "The ports are 11; 1 to 10 are allowed."),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_invalid_ports_are_reported(text: str, told: str) -> None:
    assert sentence(ports, text) == told


def test_an_oauth_model_is_reported_with_the_nearest_one() -> None:
    assert oauth_model(" Apps ", STRIPE) is OAuthModel.APPS
    assert sentence(oauth_model, "conect") == (
        "There is no OAuth model “conect”; did you mean connect?"
    )
    assert sentence(oauth_model, "zzz") == (
        "There is no OAuth model “zzz”; there are connect, apps."
    )


def test_an_invalid_channel_is_reported() -> None:
    assert channel(" chnlink_61Abc ", STRIPE) == "chnlink_61Abc"
    assert sentence(channel, "61Abc") == (
        "A channel is chnlink_ followed by letters and digits, as in the app's install link."
    )


def test_a_command_with_a_key_in_it_is_refused_and_its_quotes_are_kept() -> None:
    assert without_key(' pass show "stripe/live"\n', "command") == 'pass show "stripe/live"'
    with pytest.raises(Problem) as told:
        without_key("echo sk_live_canary", "command")
    assert str(told.value) == (
        "There is a secret key in clear text in the command; keep it in a password store, in a "
        "file that only you can read, or seal it with m3cred config set."
    )
