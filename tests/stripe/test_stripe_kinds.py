"""What a check distinguishes: revoked, wrong key, no permission, unreachable, failed."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from m3cred_tui.model.check import Outcome
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.problems import StripeProblem, StripeRefused, TokenMissing, kind_of

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

ID = "acct_1032D82eZvKYlo2C"
TOKEN = Secret("rk_test_of_the_account")


def body(code: str | None) -> dict[str, object]:
    return {"error": {"type": "invalid_request_error", "code": code, "message": "No"}}


@pytest.mark.parametrize(
    ("status", "code", "by_key", "by_token"),
    [
        (401, None, Outcome.WRONG_KEY, Outcome.REVOKED),
        (401, "api_key_expired", Outcome.WRONG_KEY, Outcome.REVOKED),
        (403, None, Outcome.REVOKED, Outcome.REVOKED),
        (403, "account_invalid", Outcome.REVOKED, Outcome.REVOKED),
        (400, "account_invalid", Outcome.REVOKED, Outcome.REVOKED),
        (403, "more_permissions_required", Outcome.NO_PERMISSION, Outcome.NO_PERMISSION),
        (
            403,
            "more_permissions_required_for_application",
            Outcome.NO_PERMISSION,
            Outcome.NO_PERMISSION,
        ),
        (429, "rate_limit", Outcome.FAILED, Outcome.FAILED),
        (404, None, Outcome.FAILED, Outcome.FAILED),
        (500, None, Outcome.FAILED, Outcome.FAILED),
        (200, None, Outcome.FAILED, Outcome.FAILED),
        (302, None, Outcome.FAILED, Outcome.FAILED),
    ],
)
async def test_a_refused_key_is_not_a_revoked_account(
    serve: Serve,
    reply: Reply,
    status: int,
    code: str | None,
    by_key: Outcome,
    by_token: Outcome,
) -> None:
    stub = await serve(reply(body(code), status))
    with pytest.raises(StripeProblem) as caught:
        await stub.gateway().account(ID, livemode=False)
    assert kind_of(caught.value) is by_key
    with pytest.raises(StripeProblem) as caught:
        await stub.apps().account(ID, livemode=False, access_token=TOKEN)
    assert kind_of(caught.value) is by_token


async def test_the_hint_is_about_the_key_that_was_used(serve: Serve, reply: Reply) -> None:
    stub = await serve(reply(body(None), 401))
    with pytest.raises(StripeRefused, match="Check the secret key that is set"):
        await stub.gateway().account(ID, livemode=False)
    with pytest.raises(StripeRefused, match="access token has expired or was revoked"):
        await stub.apps().account(ID, livemode=False, access_token=TOKEN)


async def test_without_an_answer_there_is_no_verdict_on_the_credential(serve: Serve) -> None:
    for answer, host in ((b"", None), (b"", "127.0.0.1:1")):
        stub = await serve(answer)
        stub.host = host or stub.host
        with pytest.raises(StripeProblem) as caught:
            await stub.gateway().account(ID, livemode=False)
        assert kind_of(caught.value) is Outcome.UNREACHABLE


async def test_a_key_that_is_wrong_on_sight_is_reported_as_wrong(serve: Serve) -> None:
    stub = await serve(b"")
    for key in ("sk_live_1", "", "sk\nx"):
        with pytest.raises(StripeProblem) as caught:
            await stub.gateway(key=key).account(ID, livemode=False)
        assert kind_of(caught.value) is Outcome.WRONG_KEY
    assert stub.connections == 0


async def test_an_app_reads_the_account_by_its_access_token_alone(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply({"id": ID, "country": "GB"}))
    account = await stub.apps().account(ID, livemode=False, access_token=TOKEN)
    assert (account.id, account.country) == (ID, "GB")
    head = stub.requests[0].lower()
    assert "authorization: bearer rk_test_of_the_account\r\n" in head
    assert "stripe-account" not in head
    assert "sk_test" not in head


@pytest.mark.parametrize("token", [None, Secret(""), Secret("a\r\nb")])
async def test_without_an_access_token_the_platforms_key_is_not_sent_instead(
    serve: Serve, token: Secret | None
) -> None:
    stub = await serve(b"")
    with pytest.raises(TokenMissing, match="holds no access token"):
        await stub.apps().account(ID, livemode=False, access_token=token)
    assert stub.connections == 0


async def test_a_refusal_that_repeats_the_access_token_does_not_show_it(
    serve: Serve, reply: Reply
) -> None:
    said = {"error": {"message": f"Expired API Key provided: {TOKEN.reveal()}"}}
    stub = await serve(reply(said, 401))
    with pytest.raises(StripeRefused) as caught:
        await stub.apps().account(ID, livemode=False, access_token=TOKEN)
    assert caught.value.description == "Expired API Key provided: ***"
