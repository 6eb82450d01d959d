import asyncio
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from m3cred_tui.model.credential import OAuthModel
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import ConnectGateway, gateway_for
from m3cred_tui.stripe.gateway import Platform
from m3cred_tui.stripe.problems import (
    Call,
    ReplyLost,
    SecretKeyUnusable,
    StripeFailed,
    StripeNonsense,
    StripeUnreachable,
)
from tests.stripe.conftest import KEY, NOW

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

CODE = Secret("ac_123456789")
GOOD = {"stripe_user_id": "acct_1032D82eZvKYlo2C", "livemode": False, "scope": "read_write"}


async def test_an_exchange_returns_the_approved_account_and_its_tokens(
    serve: Serve, reply: Reply
) -> None:
    deprecated = {"access_token": "sk_test_x", "refresh_token": "rt_x"}
    stub = await serve(reply({**GOOD, **deprecated, "stripe_publishable_key": "pk_test_x"}))
    tokens = await stub.gateway().exchange(CODE)
    assert (tokens.account_id, tokens.livemode) == ("acct_1032D82eZvKYlo2C", False)
    assert (tokens.scope, tokens.publishable_key) == ("read_write", "pk_test_x")
    assert tokens.access_token is not None
    assert tokens.refresh_token is not None
    assert tokens.access_token.reveal() == "sk_test_x"
    assert tokens.refresh_token.reveal() == "rt_x"


async def test_an_approval_is_kept_when_stripe_leaves_out_the_deprecated_tokens(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply({**GOOD, "access_token": None}))
    tokens = await stub.gateway().exchange(CODE)
    assert (tokens.access_token, tokens.refresh_token) == (None, None)
    assert tokens.publishable_key is None


async def test_the_key_travels_as_bearer_and_the_code_in_the_form(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply(GOOD))
    await stub.gateway().exchange(CODE)
    head, _, form = stub.requests[0].partition("\r\n\r\n")
    assert head.startswith("POST /oauth/token HTTP/1.1\r\n")
    assert "authorization: bearer sk_test_4ec39hqlyjwdarjtt1zdp7dc" in head.lower()
    assert form == "grant_type=authorization_code&code=ac_123456789"
    assert "\r\naccept-encoding: identity\r\n" in head.lower(), "no small reply becomes large"
    assert "\r\nuser-agent: m3cred\r\n" in head.lower()


async def test_a_refused_connection_says_that_nothing_was_sent() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, not listening: connections are refused
        base = f"http://127.0.0.1:{taken.getsockname()[1]}"
        gateway = ConnectGateway(Platform("ca_x", Secret("sk_x"), base, base))
        with pytest.raises(StripeUnreachable) as caught:
            await gateway.exchange(CODE)
    assert caught.value.call is Call.EXCHANGE
    assert caught.value.reason == "it refused the connection"
    assert "Nothing was sent to Stripe. Begin a new authorization." in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers nothing then")
@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_stripe_that_accepts_no_connection_was_certainly_sent_nothing(
    scheme: str,
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        address = full.getsockname()
        with socket.create_connection(address):
            base = f"{scheme}://127.0.0.1:{address[1]}"
            platform = Platform("ca_x", Secret("sk_x"), base, base)
            with pytest.raises(StripeUnreachable) as caught:
                await ConnectGateway(platform, time_limit=0.6).exchange(CODE)
    assert caught.value.reason == "it did not answer in time"


async def test_a_host_name_that_does_not_resolve_is_reported() -> None:
    base = "https://connect.stripe.invalid"
    gateway = ConnectGateway(Platform("ca_x", Secret("sk_x"), base, base))
    with pytest.raises(StripeUnreachable) as caught:
        await gateway.exchange(CODE)
    assert caught.value.reason == "its name cannot be resolved"


async def _reset(writer: asyncio.StreamWriter) -> None:
    linger = struct.pack("ii", 1, 0)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"


@pytest.mark.parametrize(
    "answer", [b"", _reset, b"HTTP/1.1 200 OK\r\n", HEAD, HEAD + b'{"stripe_user_id": "acct_1']
)
async def test_after_a_lost_reply_the_outcome_is_unknown_and_the_code_is_not_sent_again(
    serve: Serve, answer: Any
) -> None:
    stub = await serve(answer)
    with pytest.raises(ReplyLost) as caught:
        await stub.gateway().exchange(CODE)
    assert "not known. Begin a new authorization." in str(caught.value)
    assert caught.value.host == stub.host
    assert (len(stub.requests), stub.connections) == (1, 1)


async def _silence(writer: asyncio.StreamWriter) -> None:
    await writer.wait_closed()


async def _drip(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:  # each byte in time, the whole never
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("answer", [_silence, _drip])
async def test_a_stripe_that_never_finishes_is_given_up_on_without_a_second_try(
    serve: Serve, answer: Any
) -> None:
    stub = await serve(answer)
    with pytest.raises(ReplyLost, match=r": it took longer than 1\.2 seconds\."):
        await stub.gateway(time_limit=1.2).exchange(CODE)
    assert stub.connections == 1


async def test_a_reply_that_came_while_the_process_was_stopped_is_taken_however_long_that_was(
    serve: Serve, reply: Reply
) -> None:
    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(reply({**GOOD, "access_token": "sk_test_x"}))
        time.sleep(1.5)  # noqa: ASYNC251 - nothing runs, as after Ctrl+Z, but the clock

    stub = await serve(answer)
    tokens = await stub.gateway(time_limit=1.2).exchange(CODE)
    assert tokens.account_id == GOOD["stripe_user_id"]


@pytest.mark.parametrize("status", [500, 502, 503])
async def test_a_failing_stripe_leaves_the_outcome_unknown(
    serve: Serve, reply: Reply, status: int
) -> None:
    stub = await serve(reply(b"<html>", status))
    with pytest.raises(StripeFailed) as caught:
        await stub.gateway().exchange(CODE)
    assert caught.value.status == status
    assert "not known. Begin a new authorization." in str(caught.value)
    assert len(stub.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"\xff\xfe{}",
        pytest.param(b"{" * 90000, id="deep"),
        pytest.param(b"9" * 9000, id="long"),
        {},
        {**GOOD, "stripe_user_id": "cus_123"},
        {**GOOD, "stripe_user_id": "acct_../../v1/charges"},
        {**GOOD, "stripe_user_id": "acct_1\n"},
        {**GOOD, "stripe_user_id": ["acct_1"]},
        {**GOOD, "livemode": "false"},
        {**GOOD, "livemode": None},
        {**GOOD, "livemode": 0},
    ],
)
async def test_a_reply_that_is_not_a_token_response_never_gives_an_account(
    serve: Serve, reply: Reply, body: object
) -> None:
    stub = await serve(reply(body))
    with pytest.raises(StripeNonsense) as caught:
        await stub.gateway().exchange(CODE)
    assert f"The answer from {stub.host} cannot be understood: it " in str(caught.value)
    assert "not known. Begin a new authorization." in str(caught.value)


ODD = ["", " ", 5, True, ["sk_x"], {"a": 1}, "x" * 5000, "rt x\r\nHost: evil", "sk_\u00e9"]


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
@pytest.mark.parametrize(
    "field", ["access_token", "refresh_token", "stripe_publishable_key", "scope", "token_type"]
)
async def test_an_approval_is_kept_whatever_the_optional_fields_contain(
    serve: Serve, reply: Reply, field: str, odd: object
) -> None:
    stub = await serve(reply({**GOOD, field: odd}))
    tokens = await stub.gateway().exchange(CODE)
    assert (tokens.account_id, tokens.livemode) == (GOOD["stripe_user_id"], False)
    assert (tokens.access_token, tokens.refresh_token) == (None, None)
    assert tokens.publishable_key is None


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: repr(odd)[:20])
async def test_an_approval_of_an_app_requires_only_its_access_token(
    serve: Serve, reply: Reply, odd: object
) -> None:
    needless = {"refresh_token": odd, "stripe_publishable_key": odd}
    stub = await serve(reply({**GOOD, **needless, "access_token": "rk_test_x"}))
    tokens = await stub.apps().exchange(CODE)
    assert tokens.access_token is not None
    assert tokens.access_token.reveal() == "rk_test_x"
    assert (tokens.refresh_token, tokens.publishable_key) == (None, None)
    stub = await serve(reply({**GOOD, "access_token": odd, "refresh_token": "rt_x"}))
    with pytest.raises(StripeNonsense):
        await stub.apps().exchange(CODE)


async def test_tokens_longer_than_those_of_today_are_kept_whole(
    serve: Serve, reply: Reply
) -> None:
    longer = {"access_token": "a" * 4096, "refresh_token": "r" * 4096}
    stub = await serve(reply({**GOOD, **longer, "stripe_publishable_key": "p" * 200}))
    tokens = await stub.apps().exchange(CODE)
    assert tokens.access_token is not None
    assert tokens.refresh_token is not None
    assert tokens.access_token.reveal() == "a" * 4096
    assert tokens.refresh_token.reveal() == "r" * 4096
    assert tokens.publishable_key == "p" * 200


async def test_a_publishable_key_that_a_record_would_cut_is_none(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply({**GOOD, "stripe_publishable_key": "p" * 201}))
    assert (await stub.gateway().exchange(CODE)).publishable_key is None


async def test_an_endless_reply_is_cut_off(serve: Serve) -> None:
    async def flood(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b" " * 65536)
            await writer.drain()

    stub = await serve(flood)
    with pytest.raises(ReplyLost) as caught:
        await stub.gateway().exchange(CODE)
    assert caught.value.reason == "it is longer than 256 KiB"


async def test_an_http_redirect_is_not_followed_with_the_code(
    serve: Serve, reply: Reply
) -> None:
    thief = await serve(reply(GOOD))
    stub = await serve(reply(b"", 307, f"Location: http://{thief.host}/oauth/token"))
    with pytest.raises(StripeNonsense):
        await stub.gateway().exchange(CODE)
    assert thief.connections == 0


async def test_the_network_proxy_is_not_used_for_this_machine(
    serve: Serve, reply: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, stub = await serve(b""), await serve(reply(GOOD))
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, f"http://{proxy.host}")
        monkeypatch.setenv(name.upper(), f"http://{proxy.host}")
    await stub.gateway().exchange(CODE)
    assert proxy.connections == 0


@pytest.mark.parametrize(
    "key", ["sk_test_\N{GREEK SMALL LETTER ALPHA}", "sk x", "sk\r\nx: y", ""]
)
async def test_an_impossible_key_is_reported_and_not_sent(
    serve: Serve, reply: Reply, key: str
) -> None:
    stub = await serve(reply(GOOD))
    with pytest.raises(SecretKeyUnusable) as caught:
        await stub.gateway(key=key).exchange(CODE)
    assert stub.connections == 0
    assert "Nothing was sent" in str(caught.value)
    assert caught.value.host == stub.host


def test_a_key_is_never_sent_in_clear_over_a_network() -> None:
    with pytest.raises(ValueError, match="this machine only"):
        ConnectGateway(Platform("ca_x", Secret("sk_x"), connect_base="http://stripe.example"))


def test_the_first_paint_does_not_wait_for_httpx() -> None:
    code = (
        "import sys, m3cred_tui.stripe.adapters, m3cred_tui.stripe.problems;"
        "sys.exit('httpx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_stripe_is_reached_without_a_key_and_whatever_it_answers(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply(b"", 404))
    await stub.gateway().reach()
    (request,) = stub.requests
    assert request.startswith("GET / HTTP/1.1\r\n")
    assert "sk_test" not in request
    assert "c2tfdGVzd" not in request  # nor in base64
    stub.host = "127.0.0.1:1"
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway().reach()
    assert (caught.value.call, caught.value.host) == (Call.REACH, stub.host)


@pytest.mark.parametrize("oauth", OAuthModel)
async def test_whoever_makes_the_gateway_says_how_long_it_waits(
    serve: Serve, oauth: OAuthModel
) -> None:
    silent = asyncio.Event()

    async def say_nothing(_writer: asyncio.StreamWriter) -> None:
        await silent.wait()

    stub = await serve(say_nothing)
    base = f"http://{stub.host}"
    platform = Platform("ca_platform", Secret(KEY), base, base, oauth)
    gateway = gateway_for(platform, lambda: NOW, time_limit=1.5)  # a third of it to connect
    with pytest.raises(ReplyLost, match=r"longer than 1\.5 seconds"):
        await gateway.exchange(CODE)
    silent.set()
