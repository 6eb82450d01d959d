import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.problems import StripeProblem

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

CODE = Secret("ac_123456789")
GOOD = {"stripe_user_id": "acct_1032D82eZvKYlo2C", "livemode": False, "scope": "read_write"}


@pytest.mark.parametrize("status", [200, 400, 502])
async def test_neither_key_nor_code_nor_token_is_ever_logged(
    serve: Serve, reply: Reply, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    caplog.set_level(logging.DEBUG)
    body = {**GOOD, "access_token": "sk_test_secret", "error_description": "ac_123456789"}
    stub = await serve(reply(body, status))
    with contextlib.suppress(StripeProblem):
        await stub.gateway().exchange(CODE)
    assert caplog.records, "httpx was expected to log something at all"
    logged = caplog.text + repr([record.__dict__ for record in caplog.records])
    for secret in ("sk_test_4eC39HqLyjWDarjtT1zdp7dc", "ac_123456789", "sk_test_secret"):
        assert secret not in logged
