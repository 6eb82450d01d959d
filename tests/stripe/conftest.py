"""A stub of Stripe on a real socket that sends any reply and records the requests."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import AppsGateway, ConnectGateway
from m3cred_tui.stripe.gateway import Platform
from tests.stub_server import serving

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"

Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Stub:
    """What has arrived so far, and at which address."""

    host: str
    requests: list[str] = field(default_factory=list)
    connections: int = 0

    def gateway(
        self, *, time_limit: float = 5.0, key: str = KEY, scheme: str = "http"
    ) -> ConnectGateway:
        return ConnectGateway(self._platform(key, scheme), time_limit=time_limit)

    def apps(
        self, *, time_limit: float = 5.0, key: str = KEY, scheme: str = "http"
    ) -> AppsGateway:
        return AppsGateway(self._platform(key, scheme), lambda: NOW, time_limit=time_limit)

    def _platform(self, key: str, scheme: str) -> Platform:
        base = f"{scheme}://{self.host}"
        return Platform("ca_platform", Secret(key), base, base)


Serve = Callable[..., Awaitable[Stub]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start a stub that gives each request the same answer, then closes the connection."""
    async with contextlib.AsyncExitStack() as servers:

        async def start(
            answer: bytes | Answer, *, tls: ssl.SSLContext | None = None, listens: bool = True
        ) -> Stub:
            async def converse(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter
            ) -> None:
                stub.connections += 1
                if listens:
                    stub.requests.append(await _request(reader))
                if isinstance(answer, bytes):
                    writer.write(answer)
                else:
                    await answer(writer)

            stub = Stub(await servers.enter_async_context(serving(converse, tls)))
            return stub

        yield start


@pytest.fixture
def reply() -> Callable[..., bytes]:
    """Make an HTTP response from a JSON body, or from bytes as they are."""

    def make(body: object, status: int = 200, *headers: str) -> bytes:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = [f"HTTP/1.1 {status} X", f"Content-Length: {len(data)}", *headers, "", ""]
        return "\r\n".join(head).encode() + data

    return make


async def _request(reader: asyncio.StreamReader) -> str:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    return (head + await reader.readexactly(length)).decode()
