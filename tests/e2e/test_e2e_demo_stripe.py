"""``m3cred demo-stripe`` in the foreground, used as a script would."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import stripe

from tests.e2e.conftest import M3CRED, Home
from tests.visitors import async_visitor

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


@asynccontextmanager
async def demo_stripe(home: Home, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        M3CRED,
        "demo-stripe",
        *arguments,
        env=home.environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def first_line(process: asyncio.subprocess.Process) -> dict[str, Any]:
    assert process.stdout is not None
    described = json.loads(await process.stdout.readline())
    assert isinstance(described, dict)
    return described


async def test_the_first_line_is_all_that_a_script_needs(home: Home) -> None:
    async with demo_stripe(home) as process:
        described = await first_line(process)
        assert described.keys() == {
            "connect_base",
            "api_base",
            "test",
            "live",
            "redirect_uris",
            "marketplace_base",
        }
        addresses: Any = {
            "api": described["api_base"],
            "connect": described["connect_base"],
        }
        client = stripe.StripeClient(
            described["test"]["secret_key"],
            client_id=described["test"]["client_id"],
            base_addresses=addresses,
        )
        account = await asyncio.to_thread(client.v1.accounts.retrieve_current)
        assert account.id.startswith("acct_")
        url = client.oauth.authorize_url(
            {
                "response_type": "code",
                "scope": "read_write",
                "redirect_uri": described["redirect_uris"][0],
                "state": "a-state",
            }
        )
        async with async_visitor() as visitor:
            assert "Get started with Stripe" in (await visitor.get(url)).text


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["SIGINT", "SIGTERM"]
)
async def test_a_signal_ends_it_with_the_status_of_the_contract(
    home: Home, number: signal.Signals, status: int
) -> None:
    async with demo_stripe(home) as process:
        await first_line(process)
        process.send_signal(number)
        out, error = await process.communicate()
        assert (process.returncode, out, error) == (status, b"", b"")


async def test_a_taken_port_is_reported_in_one_sentence(home: Home) -> None:
    async with demo_stripe(home) as first:
        port = (await first_line(first))["api_base"].rpartition(":")[2]
        async with demo_stripe(home, "--port", port) as second:
            out, error = await second.communicate()
    assert (second.returncode, out) == (1, b"")
    (line,) = error.decode().splitlines()
    assert port in line


async def test_a_port_that_is_none_is_wrong_usage(home: Home) -> None:
    async with demo_stripe(home, "--port", "x") as process:
        await process.communicate()
    assert process.returncode == 2
