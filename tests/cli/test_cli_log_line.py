"""Whatever is logged: harmless lines, without a secret."""

import logging
import re
import string
from base64 import urlsafe_b64encode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from m3cred_tui.cli.log import line_of, lines_of, traceback_of
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean

LETTERS = string.ascii_letters + string.digits
BODY = st.text(LETTERS, min_size=24, max_size=64)
PREFIXES = ("sk_live_", "sk_test_", "rk_live_", "pk_live_", "ac_", "rt_", "whsec_")
KEYS = st.one_of(
    st.tuples(st.sampled_from(PREFIXES), BODY),
    st.tuples(st.just("AGE-SECRET-KEY-1"), st.text(string.ascii_uppercase, min_size=58)),
)
AROUND = st.text(max_size=40)
NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=20)


@given(AROUND, KEYS, AROUND)
def test_a_key_is_masked_whatever_surrounds_it(
    before: str, key: tuple[str, str], after: str
) -> None:
    prefix, body = key
    assume(body not in before + after)
    assert body not in line_of(f"{before}{prefix}{body}{after}")


@given(NAMES, BODY, BODY)
def test_no_query_and_no_fragment_of_a_url_is_left(name: str, value: str, more: str) -> None:
    for url in (
        f"https://connect.stripe.com/oauth/authorize?{name}={value}&state={more}",
        f"GET /callback?{name}={value}&state={more} HTTP/1.1",
        f"http://127.0.0.1:27182/callback?{value}{more}",
        f"https://host/path#{name}={value}&{more}",
        f"https://{value}:{more}@host/path",
        f"code={value}&state={more}",
    ):
        line = line_of(f"the address was '{url}' then")
        assert value not in line
        assert more not in line


@given(st.binary(min_size=32, max_size=32))
def test_a_state_is_masked_wherever_it_is(random: bytes) -> None:
    state = urlsafe_b64encode(random).decode().rstrip("=")
    assume(re.search(r"\d", state) and state.lower() != state != state.upper())
    assert state not in line_of(f"it was {state!r}")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "Basic", "Authorization: Bearer"])
def test_what_proves_who_asks_is_masked(scheme: str) -> None:
    assert "Y2FuYXJ5Y2FuYXJ5" not in line_of(f"{scheme} Y2FuYXJ5Y2FuYXJ5")


@pytest.mark.parametrize(
    "text",
    [
        "Stripe has approved acct_1PgafTB1d2e3f4g5",
        "created 0190b2c3-1111-7222-8333-444455556666",
        "listening on port 27182",
        "a redirect was turned away: this has no state, so anybody may have made it",
        "/home/ann/.local/share/m3cred/credentials cannot be used: permission is denied.",
        "start_application_mode task_id risk_free",
        "test_a_long_name_of_a_function_is_not_taken_for_a_secret",
    ],
)
def test_what_helps_to_understand_stays(text: str) -> None:
    assert line_of(text) == text


@given(st.text())
def test_whatever_comes_is_one_line_that_a_terminal_only_draws(text: str) -> None:
    line = line_of(text)
    assert line.splitlines() in ([line], [])
    assert clean(line, most=len(line) + 1) == line.strip()


def record(message: str, *values: object) -> logging.LogRecord:
    made = logging.LogRecord("m3cred_tui.callback.server", 20, "", 0, message, values, None)
    made.created, made.process = 1_795_436_400.25, 4711
    return made


def test_a_record_says_when_in_utc_and_who() -> None:
    assert lines_of(record("listening on port %d", 27182)) == (
        "2026-11-23T12:20:00.250+00:00 4711 INFO callback.server: listening on port 27182\n"
    )


@given(st.text())
def test_nobody_can_forge_a_record(name: str) -> None:
    error = ValueError(name)
    failed = record("%s failed", name)
    failed.exc_info = type(error), error, None
    first, *others = lines_of(failed).splitlines()
    assert first.startswith("2026-11-23T12:20:00.250+00:00 4711 INFO callback.server: ")
    assert all(line.startswith("  ") for line in others)


def test_a_secret_that_is_logged_does_not_show() -> None:
    assert "canary" not in lines_of(record("%s %r", Secret("canary"), Secret("canary")))


def test_a_traceback_holds_no_value_and_is_not_endless() -> None:
    def fail(depth: int, revealed: str) -> None:
        if depth == 0:
            raise ValueError("\n" * 10_000 + "the end")
        fail(depth - 1, revealed) if depth % 2 else fail(depth - 1, revealed + "")

    with pytest.raises(ValueError, match="the end") as raised:
        fail(150, " ".join(["a", "value"]))
    lines = traceback_of(raised.value)
    assert len(lines) == 200
    assert lines[-1] == "the end"
    assert "a value" not in "".join(lines)
