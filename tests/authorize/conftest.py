"""The real demo Stripe with somebody before the browser, and a Stripe that counts and holds."""

import asyncio
import html
import json
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import background_demo_stripe
from m3cred_tui.model.authorization import redirect_uri
from m3cred_tui.model.credential import STRIPE_TEST
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.stripe.gateway import Platform
from tests.ports import free_port
from tests.stub_server import serving
from tests.visitors import async_visitor


@pytest.fixture
def port() -> int:
    """Return a port that is free on this machine."""
    return free_port()


@pytest.fixture
def demo(port: int) -> Iterator[Description]:
    with background_demo_stripe([redirect_uri(port)]) as description:
        yield description


class Clock:
    """A wall clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2025, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, minutes: float) -> None:
        self.time += timedelta(minutes=minutes)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def no_browser() -> Callable[[str], Awaitable[None]]:
    async def open_nothing(_url: str) -> None:
        return

    return open_nothing


@pytest.fixture
def at_demo(
    demo: Description, port: int, clock: Clock, no_browser: Callable[[str], Awaitable[None]]
) -> Authorizer:
    """Authorize in test mode at the demo Stripe."""
    platform = Platform(
        demo.test.client_id, demo.test.secret_key, demo.connect_base, demo.api_base
    )
    return Authorizer(ConnectGateway(platform), STRIPE_TEST, no_browser, clock, ports=(port,))


@dataclass
class Visitor:
    """Somebody with a browser at the demo Stripe."""

    client: httpx.AsyncClient

    async def decide(self, url: str, decision: str) -> httpx.Response:
        """Log in and decide; return the page that follows, without leaving the demo."""
        page = await self.client.get(url)
        form = {"session": _session(page), "email": "ada@acme.example", "password": "x"}
        page = await self.client.post(_action(page), data=form)
        return await self.client.post(
            _action(page), data={"session": _session(page), decision: "x"}
        )

    async def approve(self, url: str) -> str:
        """Approve; return where "Return to m3ter" leads."""
        page = await self.decide(url, "approve")
        found = re.search(r'<a class="return" href="([^"]+)">', page.text)
        assert found, page.text
        return html.unescape(found[1])

    async def refuse(self, url: str) -> str:
        page = await self.decide(url, "refuse")
        assert page.status_code == 303
        return page.headers["location"]

    async def go(self, url: str) -> httpx.Response:
        """Go to an address as a browser does, along its redirects."""
        return await self.client.get(url, follow_redirects=True)


def _session(page: httpx.Response) -> str:
    found = re.search(r'name="session" value="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


def _action(page: httpx.Response) -> httpx.URL:
    found = re.search(r'<form method="post" action="([^"]+)"', page.text)
    assert found, page.text
    return page.url.join(html.unescape(found[1]))


CODE = "ac_0123456789abcdefghijklmnopqrstuv"


@pytest.fixture
async def visitor() -> AsyncIterator[Visitor]:
    async with async_visitor(headers={"User-Agent": "Mozilla/5.0"}, timeout=10) as client:
        yield Visitor(client)


@pytest.fixture
def redirect_of() -> Callable[..., str]:
    """Make the redirect that answers an authorization URL; ``changes`` forge it."""

    def make(url: str, **changes: str) -> str:
        query = parse_qs(urlsplit(url).query)
        answer = {"code": CODE, "scope": "read_write", "state": query["state"][0], **changes}
        return str(httpx.URL(query["redirect_uri"][0], params=answer))

    return make


TOKENS = {"stripe_user_id": "acct_1Stub", "livemode": False, "scope": "read_write"}
ACCOUNT = {"id": "acct_1Stub", "country": "GB", "business_profile": {"name": "Acme"}}


def response(body: object, status: int = 200) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data


@dataclass
class StubStripe:
    """Counts what arrives; answers with bytes once it may."""

    exchange: bytes = response(TOKENS)
    accounts: list[bytes] = field(default_factory=lambda: [response(ACCOUNT)])
    paths: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    forms: list[str] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)
    base: str = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        path = head.split(b" ")[1].decode()
        if path == "/":  # whether it can be reached, before anybody approves
            writer.write(response(b""))
            return
        if found := re.search(rb"(?i)content-length: (\d+)", head):
            self.forms.append((await reader.readexactly(int(found[1]))).decode())
        if found := re.search(rb"(?i)authorization: ([^\r]+)", head):
            self.keys.append(found[1].decode())
        self.paths.append(path)
        self.arrived.set()
        await self.may_answer.wait()
        if path.endswith("/oauth/token"):
            writer.write(self.exchange)
        else:
            writer.write(self.accounts.pop(0) if self.accounts else b"")

    @property
    def exchanges(self) -> int:
        return self.paths.count("/oauth/token")


@pytest.fixture
async def stub() -> AsyncIterator[StubStripe]:
    stripe = StubStripe()
    stripe.may_answer.set()
    async with serving(stripe.serve) as host:
        stripe.base = f"http://{host}"
        yield stripe


@pytest.fixture
def at_stub(
    stub: StubStripe, port: int, clock: Clock, no_browser: Callable[[str], Awaitable[None]]
) -> Authorizer:
    platform = Platform("ca_x", Secret("sk_test_x"), stub.base, stub.base)
    return Authorizer(ConnectGateway(platform), STRIPE_TEST, no_browser, clock, ports=(port,))


@pytest.fixture
def is_free(port: int) -> Callable[[], bool]:
    """Tell whether nobody listens on the port any more."""

    def look() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) != 0

    return look
