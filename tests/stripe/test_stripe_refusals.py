from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import CUT
from m3cred_tui.stripe.problems import StripeRefused

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

CODE = Secret("ac_123456789")


@pytest.mark.parametrize(
    ("status", "error", "description"),
    [
        (400, "invalid_grant", "Authorization code expired"),
        (401, "invalid_client", "No such API key"),
        (418, "an_error_nobody_documented", "Something else."),
    ],
)
async def test_a_refusal_is_reported_in_stripes_words(
    serve: Serve, reply: Reply, status: int, error: str, description: str
) -> None:
    stub = await serve(reply({"error": error, "error_description": description}, status))
    with pytest.raises(StripeRefused) as caught:
        await stub.gateway().exchange(CODE)
    problem = caught.value
    assert (problem.status, problem.error, problem.description) == (status, error, description)
    told = f"refused ({error}, status {status}): {description.rstrip('.')}. "
    assert told in str(problem)
    assert ("Check the secret key" in str(problem)) == (status == 401)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b'"text"',
        b"[]",
        b'{"error": [1]}',
        b'{"error": " ", "error_description": "\\n"}',
        pytest.param(b"[" * 90000, id="deep"),
    ],
)
async def test_a_refusal_without_words_is_still_a_refusal(
    serve: Serve, reply: Reply, body: object
) -> None:
    stub = await serve(reply(body, 403))
    with pytest.raises(StripeRefused) as caught:
        await stub.gateway().exchange(CODE)
    assert (caught.value.error, caught.value.description) == (None, None)
    assert "refused (status 403). Begin" in str(caught.value)


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ({"type": "api_error", "message": "Sorry."}, ("api_error", "Sorry.")),
        ({"type": "card_error", "code": "x_1", "message": "No."}, ("x_1", "No.")),
        ({"code": "c" * 64, "message": "m" * 200}, ("c" * 64, "m" * 200)),
        ({"code": "c" * 65, "message": "m" * 201}, ("c" * 63 + CUT, "m" * 199 + CUT)),
    ],
)
async def test_an_error_of_the_api_is_reported_by_its_code_or_else_its_type(
    serve: Serve, reply: Reply, error: dict[str, str], shown: tuple[str, str]
) -> None:
    stub = await serve(reply({"error": error}, 400))
    with pytest.raises(StripeRefused) as caught:
        await stub.gateway().exchange(CODE)
    assert (caught.value.error, caught.value.description) == shown


async def test_a_refusal_cannot_send_escapes_to_the_terminal(
    serve: Serve, reply: Reply
) -> None:
    body = {"error": "x\x1b[2J", "error_description": "a\nb\x9b31m \u202ec" + "d" * 9999}
    stub = await serve(reply(body, 400))
    with pytest.raises(StripeRefused) as caught:
        await stub.gateway().exchange(CODE)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


async def test_a_refusal_that_repeats_code_and_key_shows_neither(
    serve: Serve, reply: Reply
) -> None:
    description = (
        "ac_123456789 is no code: ac_123456789 (sk_test_4eC39HqLyjWDarjtT1zdp7dc, "
        "sk_test_4eC39HqLyjWDarjtT1zdp7dc)"
    )
    stub = await serve(reply({"error": "invalid_grant", "error_description": description}, 400))
    with pytest.raises(StripeRefused) as caught:
        await stub.gateway().exchange(CODE)
    assert caught.value.description == "*** is no code: *** (***, ***)"
