"""Any reply is read or refused with a reason; none breaks m3cred."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.model.credential import StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe import replies
from m3cred_tui.stripe.replies import ReplyError

ID = "acct_1A"
BEFORE = TokenResponse(ID, False, "stripe_apps", Secret("rk_old"), Secret("rt_old"), "pk_old")

FIELDS = (
    "stripe_user_id",
    "account_id",
    "id",
    "livemode",
    "scope",
    "access_token",
    "refresh_token",
    "stripe_publishable_key",
    "settings",
    "business_profile",
    "country",
    "error",
    "error_description",
)
likely = st.sampled_from(
    [ID, "acct_2B", True, False, None, "rk_new", "", "x" * 5000, 0, "\x1b[2J"]
)
anything = st.recursive(
    likely | st.text() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
bodies = st.binary(max_size=50) | (
    st.dictionaries(st.sampled_from(FIELDS), anything) | anything
).map(lambda body: json.dumps(body).encode())

READERS: dict[str, Callable[[bytes], Any]] = {
    "exchange": replies.token_response,
    "exchange of apps": replies.apps_token_response,
    "refresh": lambda body: replies.refreshed(body, BEFORE),
    "account": lambda body: replies.stripe_account(body, ID, livemode=False),
    "deauthorize": lambda body: replies.deauthorized(body, ID),
    "refusal": lambda body: replies.refusal(body, secrets=(Secret("rk_new"),)),
}


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
@given(body=bodies)
def test_any_reply_is_read_or_refused_with_a_reason(
    reader: Callable[[bytes], Any], body: bytes
) -> None:
    with suppress(ReplyError):
        read = reader(body)
        if isinstance(read, StripeAccount):
            assert read.id == ID
        for text in _texts(read):
            assert text.isprintable()
            assert len(text) <= 4096


@given(body=bodies)
def test_no_reply_turns_the_tokens_into_those_of_another_account_or_mode(body: bytes) -> None:
    with suppress(ReplyError):
        after = replies.refreshed(body, BEFORE)
        assert (after.account_id, after.livemode) == (ID, False)
        assert after.access_token
        assert after.refresh_token


OTHER = "it is about another account"
NO_MODE = "it does not say whether the account is live or test"
GIVEN = {"stripe_user_id": ID, "livemode": False, "access_token": "rk_new"}


@pytest.mark.parametrize(
    ("reader", "body", "reason"),
    [
        ("exchange", b"<", "it is not JSON"),
        ("exchange", b"[]", "it is not an object"),
        ("exchange", {}, "it names no account"),
        ("exchange", {"stripe_user_id": ID}, NO_MODE),
        ("exchange of apps", GIVEN | {"access_token": 1}, "it has no usable access token"),
        ("refresh", GIVEN | {"stripe_user_id": "acct_other"}, OTHER),
        ("refresh", GIVEN | {"livemode": True}, "it is of the other mode"),
        ("refresh", GIVEN | {"access_token": 1}, "it has no usable access token"),
        ("refresh", GIVEN | {"refresh_token": 1}, "its refresh token is unusable"),
        ("account", {"id": "acct_other"}, OTHER),
        ("deauthorize", {}, "it does not name the account"),
    ],
)
def test_what_is_wrong_with_a_reply_is_told_exactly(
    reader: str, body: object, reason: str
) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(ReplyError, match=f"^{reason}$"):
        READERS[reader](data)


def _texts(read: Any) -> list[str]:
    names: tuple[str, ...] = getattr(read, "__slots__", ()) or getattr(read, "_fields", ())
    values = [getattr(read, name) for name in names]
    revealed = [value.reveal() if isinstance(value, Secret) else value for value in values]
    return [value for value in revealed if isinstance(value, str)]
