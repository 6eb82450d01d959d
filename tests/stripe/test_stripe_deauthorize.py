from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from m3cred_tui.model.check import Outcome
from m3cred_tui.stripe.problems import (
    Call,
    ReplyLost,
    StripeFailed,
    StripeNonsense,
    StripeRefused,
    StripeUnreachable,
    kind_of,
)

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

ID = "acct_1032D82eZvKYlo2C"
FORM = f"client_id=ca_platform&stripe_user_id={ID}"
UNKNOWN = "Whether Stripe has disconnected the account is not known."


async def test_connect_disconnects_the_account_by_stripes_documented_request(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply({"stripe_user_id": ID}))
    await stub.gateway().deauthorize(ID)
    head, _, form = stub.requests[0].partition("\r\n\r\n")
    assert head.startswith("POST /oauth/deauthorize HTTP/1.1\r\n")
    assert "Authorization: Bearer sk_test_" in head
    assert form == FORM


async def test_an_app_disconnects_the_account_at_the_api(serve: Serve, reply: Reply) -> None:
    stub = await serve(reply({"stripe_user_id": ID}))
    await stub.apps().deauthorize(ID)
    head, _, form = stub.requests[0].partition("\r\n\r\n")
    assert head.startswith("POST /v1/oauth/deauthorize HTTP/1.1\r\n")
    assert "Authorization: Basic " in head
    assert form == FORM


@pytest.mark.parametrize("body", [b"", b"null", {}, {"stripe_user_id": "acct_other"}])
async def test_a_reply_that_does_not_name_the_account_is_not_a_disconnection(
    serve: Serve, reply: Reply, body: object
) -> None:
    stub = await serve(reply(body))
    with pytest.raises(StripeNonsense, match=UNKNOWN) as caught:
        await stub.gateway().deauthorize(ID)
    assert caught.value.call is Call.DEAUTHORIZE


async def test_after_a_lost_reply_the_outcome_is_unknown_and_nothing_is_sent_again(
    serve: Serve, reply: Reply
) -> None:
    for answer, kind in ((b"", ReplyLost), (reply(b"", 502), StripeFailed)):
        stub = await serve(answer)
        with pytest.raises(kind, match=UNKNOWN):
            await stub.gateway().deauthorize(ID)
        assert stub.connections == 1


async def test_an_unreachable_stripe_has_not_disconnected_the_account(serve: Serve) -> None:
    stub = await serve(b"")
    stub.host = "127.0.0.1:1"
    with pytest.raises(StripeUnreachable, match="sent to Stripe; the account was not disconn"):
        await stub.gateway().deauthorize(ID)


@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (401, "invalid_client", "Either the account is no longer connected, or the client"),
        (400, "no_deauth_on_controlled_account", "The account was not disconnected."),
        (400, "invalid_request", "The account was not disconnected."),
        (401, None, "Check the secret key"),
    ],
)
async def test_a_refusal_says_that_the_account_was_not_disconnected(
    serve: Serve, reply: Reply, status: int, error: str | None, sentence: str
) -> None:
    stub = await serve(reply({"error": error, "error_description": "No"}, status))
    with pytest.raises(StripeRefused) as caught:
        await stub.gateway().deauthorize(ID)
    assert sentence in str(caught.value)
    assert str(caught.value).endswith("The account was not disconnected.")
    assert (kind_of(caught.value) is Outcome.WRONG_KEY) == (status == 401)
