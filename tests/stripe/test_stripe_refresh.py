"""A refresh with Stripe Apps replaces both tokens, and a lost reply can be requested again."""

import asyncio
import base64
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import OAuthModel, TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.problems import (
    KeyOfOtherMode,
    ReplyLost,
    StripeFailed,
    StripeNonsense,
    StripeProblem,
    StripeRefused,
    StripeUnreachable,
    TokenMissing,
    kind_of,
)

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)  # the stub's gateway has this clock
ID = "acct_1032D82eZvKYlo2C"
NEW = {
    "access_token": "rk_test_new",
    "livemode": False,
    "refresh_token": "rt_new",
    "scope": "stripe_apps",
    "stripe_publishable_key": "pk_test_new",
    "stripe_user_id": ID,
    "token_type": "bearer",
}
AGAIN = "Whether Stripe has replaced the tokens is not known yet. Try again"


def tokens(**changes: Any) -> TokenResponse:
    fields: dict[str, Any] = {
        "account_id": ID,
        "livemode": False,
        "scope": "stripe_apps",
        "access_token": Secret("rk_test_old"),
        "refresh_token": Secret("rt_old"),
        "publishable_key": "pk_test_old",
        "oauth": OAuthModel.APPS,
        "obtained_at": NOW - timedelta(hours=3),
    }
    return TokenResponse(**fields | changes)


def revealed(response: TokenResponse) -> tuple[str, str]:
    assert response.access_token
    assert response.refresh_token
    return response.access_token.reveal(), response.refresh_token.reveal()


async def test_both_tokens_are_replaced_and_the_hour_starts_again(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply(NEW))
    after = await stub.apps().refresh(tokens(), "key-1")
    assert revealed(after) == ("rk_test_new", "rt_new")
    assert (after.account_id, after.publishable_key) == (ID, "pk_test_new")
    assert (after.oauth, after.obtained_at) == (OAuthModel.APPS, NOW)


async def test_the_request_is_stripes_documented_one_with_an_idempotency_key(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply(NEW))
    await stub.apps().refresh(tokens(), "key-1")
    head, _, form = stub.requests[0].partition("\r\n\r\n")
    assert head.startswith("POST /v1/oauth/token HTTP/1.1\r\n")
    credentials = base64.b64encode(b"sk_test_4eC39HqLyjWDarjtT1zdp7dc:").decode()
    assert f"Authorization: Basic {credentials}" in head
    assert "Idempotency-Key: key-1" in head
    assert form == "grant_type=refresh_token&refresh_token=rt_old"


async def test_a_repeated_reply_is_as_old_as_the_first_request(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply(NEW))
    asked_at = NOW - timedelta(minutes=50)
    after = await stub.apps().refresh(tokens(), "key-1", asked_at=asked_at)
    assert after.obtained_at == asked_at


@pytest.mark.parametrize("name", ["stripe_user_id", "account_id"])
async def test_fields_that_a_reply_omits_stay_unchanged(
    serve: Serve, reply: Reply, name: str
) -> None:
    stub = await serve(reply({"access_token": "rk_test_new", name: ID, "livemode": None}))
    after = await stub.apps().refresh(tokens(), "key-1")
    assert revealed(after) == ("rk_test_new", "rt_old")
    assert after.publishable_key == "pk_test_old"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"\xff",
        pytest.param(b"[" * 90000, id="deep"),
        {},
        {**NEW, "access_token": None},
        {**NEW, "access_token": ["rk_test_new"]},
        {**NEW, "access_token": "rk\r\nHost: evil"},
        {**NEW, "access_token": "x" * 5000},
        {**NEW, "refresh_token": {"a": 1}},
        {**NEW, "refresh_token": ""},
        {**NEW, "stripe_user_id": "acct_other"},
        {**NEW, "stripe_user_id": [ID]},
        {**NEW, "stripe_user_id": None, "account_id": "acct_other"},
        {**NEW, "livemode": True},
        {**NEW, "livemode": "false"},
    ],
)
async def test_a_reply_about_something_else_never_replaces_the_tokens(
    serve: Serve, reply: Reply, body: object
) -> None:
    stub = await serve(reply(body))
    with pytest.raises(StripeNonsense, match=AGAIN) as caught:
        await stub.apps().refresh(tokens(), "key-1")
    assert kind_of(caught.value) is Outcome.FAILED


@pytest.mark.parametrize("odd", ["", 5, ["pk"], "p" * 201, "pk test\n"], ids=repr)
async def test_new_tokens_are_kept_whatever_publishable_key_comes_with_them(
    serve: Serve, reply: Reply, odd: object
) -> None:
    stub = await serve(reply({**NEW, "stripe_publishable_key": odd}))
    after = await stub.apps().refresh(tokens(), "key-1")
    assert revealed(after) == ("rk_test_new", "rt_new")
    assert after.publishable_key == "pk_test_old"


async def _silence(writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", _silence]
)
async def test_after_a_lost_reply_the_outcome_is_unknown_and_nothing_is_retried_automatically(
    serve: Serve, answer: Any
) -> None:
    stub = await serve(answer)
    with pytest.raises(ReplyLost, match=AGAIN) as caught:
        await stub.apps(time_limit=1.2).refresh(tokens(), "key-1")
    assert kind_of(caught.value) is Outcome.UNREACHABLE
    assert stub.connections == 1


@pytest.mark.parametrize(
    ("status", "error", "kind", "sentence"),
    [
        (400, "invalid_grant", Outcome.REVOKED, "authorize the credential again"),
        (401, None, Outcome.WRONG_KEY, "Check the secret key"),
        (403, "more_permissions_required", Outcome.NO_PERMISSION, "gave no new access token"),
        (409, "idempotency_key_in_use", Outcome.FAILED, AGAIN),
        (429, "rate_limit", Outcome.FAILED, "gave no new access token"),
    ],
)
async def test_each_refusal_says_what_it_means_for_the_credential(
    serve: Serve, reply: Reply, status: int, error: str | None, kind: Outcome, sentence: str
) -> None:
    stub = await serve(reply({"error": error, "error_description": "rt_old sk_test_x"}, status))
    with pytest.raises(StripeRefused) as caught:
        await stub.apps().refresh(tokens(), "key-1")
    assert kind_of(caught.value) is kind
    assert sentence in str(caught.value)
    assert "rt_old" not in str(caught.value)


async def test_a_failing_stripe_leaves_the_refresh_unknown(serve: Serve, reply: Reply) -> None:
    stub = await serve(reply(b"", 500))
    with pytest.raises(StripeFailed, match=AGAIN):
        await stub.apps().refresh(tokens(), "key-1")


async def test_a_refresh_that_was_never_sent_says_so(serve: Serve) -> None:
    stub = await serve(b"")
    wrong: list[tuple[TokenResponse, str, type[StripeProblem]]] = [
        (tokens(refresh_token=None), "sk_test_1", TokenMissing),
        (tokens(), "sk_live_1", KeyOfOtherMode),
        (tokens(livemode=True), "sk_test_1", KeyOfOtherMode),
    ]
    for held, key, problem in wrong:
        with pytest.raises(problem, match="Nothing was sent to Stripe; the tokens are un") as e:
            await stub.apps(key=key).refresh(held, "key-1")
        if problem is KeyOfOtherMode:
            given, needed = ("test", "live") if held.livemode else ("live", "test")
            assert f"is for {given} mode" in str(e.value)
            assert f"credential is for {needed} mode" in str(e.value)
    assert stub.connections == 0
    stub.host = "127.0.0.1:1"
    with pytest.raises(StripeUnreachable, match="Nothing was sent"):
        await stub.apps().refresh(tokens(), "key-1")


@pytest.mark.parametrize("key", ["", "a b", "a\r\nX: y", "ä", "k" * 256])
async def test_an_invalid_idempotency_key_is_not_sent(serve: Serve, key: str) -> None:
    stub = await serve(b"")
    with pytest.raises(ValueError, match="idempotency key"):
        await stub.apps().refresh(tokens(), key)
    assert stub.connections == 0


async def test_tokens_of_connect_do_not_expire_so_nothing_is_sent(serve: Serve) -> None:
    stub = await serve(b"")
    held = tokens(oauth=OAuthModel.CONNECT)
    assert await stub.gateway().refresh(held, "key-1") is held
    assert stub.connections == 0
