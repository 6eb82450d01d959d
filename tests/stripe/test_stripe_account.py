from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from m3cred_tui.model.credential import StripeAccount
from m3cred_tui.stripe.problems import (
    Call,
    KeyOfOtherMode,
    ReplyLost,
    StripeFailed,
    StripeNonsense,
    StripeRefused,
)

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

ID = "acct_1032D82eZvKYlo2C"


async def test_the_owner_recognises_the_account_by_name_and_country(
    serve: Serve, reply: Reply
) -> None:
    settings = {"dashboard": {"display_name": "Acme [prod]"}}
    stub = await serve(reply({"id": ID, "settings": settings, "country": "GB"}))
    account = await stub.gateway(key="sk_live_1").account(ID, livemode=True)
    assert account == StripeAccount(ID, livemode=True, name="Acme [prod]", country="GB")
    assert stub.requests[0].startswith("GET /v1/account HTTP/1.1\r\n")
    assert f"stripe-account: {ID}".lower() in stub.requests[0].lower()


@pytest.mark.parametrize(
    "settings",
    [
        None,
        {},
        {"dashboard": None},
        {"dashboard": {"display_name": None}},
        {"dashboard": {"display_name": " "}},
        {"dashboard": "text"},
    ],
)
async def test_the_business_name_stands_in_for_a_missing_display_name(
    serve: Serve, reply: Reply, settings: object
) -> None:
    profile = {"name": "Acme Limited"}
    stub = await serve(reply({"id": ID, "settings": settings, "business_profile": profile}))
    account = await stub.gateway().account(ID, livemode=False)
    assert account == StripeAccount(ID, livemode=False, name="Acme Limited")


@pytest.mark.parametrize(("key", "livemode"), [("sk_test_1", True), ("rk_live_1", False)])
async def test_a_key_of_the_other_mode_is_reported_and_not_sent(
    serve: Serve, key: str, *, livemode: bool
) -> None:
    stub = await serve(b"")
    with pytest.raises(KeyOfOtherMode) as caught:
        await stub.gateway(key=key).account(ID, livemode=livemode)
    needed, given = ("live", "test") if livemode else ("test", "live")
    assert f"is for {given} mode, but the credential is for {needed} mode." in str(caught.value)
    assert stub.connections == 0


async def test_a_key_whose_mode_cannot_be_seen_is_tried(serve: Serve, reply: Reply) -> None:
    stub = await serve(reply({"id": ID}))
    await stub.gateway(key="a_key_of_a_kind_to_come").account(ID, livemode=True)
    assert len(stub.requests) == 1


@pytest.mark.parametrize("country", [None, "", "gb", "GBR", "\x1bG", 7])
async def test_an_account_without_name_and_country_is_still_an_account(
    serve: Serve, reply: Reply, country: object
) -> None:
    stub = await serve(reply({"id": ID, "country": country, "business_profile": None}))
    account = await stub.gateway().account(ID, livemode=False)
    assert account == StripeAccount(ID, livemode=False)


async def test_an_account_name_cannot_control_the_terminal(serve: Serve, reply: Reply) -> None:
    name = "Acme\x1b]52;c;AAAA\x07\n\u202e\ud800" + "x" * 5000
    stub = await serve(reply({"id": ID, "business_profile": {"name": name}}))
    account = await stub.gateway().account(ID, livemode=False)
    assert account.name is not None
    assert account.name.isprintable()
    assert len(account.name) <= 200


@pytest.mark.parametrize("body", [b"", [], {"id": "acct_other"}, {}])
async def test_another_account_is_never_shown_for_the_approved_one(
    serve: Serve, reply: Reply, body: object
) -> None:
    stub = await serve(reply(body))
    with pytest.raises(StripeNonsense):
        await stub.gateway().account(ID, livemode=False)


async def test_an_account_that_cannot_be_read_does_not_call_for_a_new_authorization(
    serve: Serve, reply: Reply
) -> None:
    unread = "The account's name and country could not be read."
    gone = {
        "error": {"type": "invalid_request_error", "code": "account_invalid", "message": "No"}
    }
    stub = await serve(reply(gone, 403))
    with pytest.raises(StripeRefused) as refused:
        await stub.gateway().account(ID, livemode=False)
    assert (
        str(refused.value) == f"{stub.host} refused (account_invalid, status 403): No. {unread}"
    )
    for answer, kind in ((reply(b"", 503), StripeFailed), (b"", ReplyLost)):
        stub = await serve(answer)
        with pytest.raises(kind) as caught:
            await stub.gateway().account(ID, livemode=False)
        assert caught.value.call is Call.ACCOUNT
        assert str(caught.value).endswith(unread)
