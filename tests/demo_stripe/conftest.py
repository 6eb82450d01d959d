"""A demo Stripe on a real socket, with a test clock, a browser and the official client."""

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
import stripe

from m3cred_tui.demo_stripe.app import demo_stripe_app
from m3cred_tui.demo_stripe.description import ClientKeys, Description
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.server import background_demo_stripe
from tests.visitors import visitor

REDIRECT_URIS = (
    "http://127.0.0.1:27182/callback",
    "https://m3ter.example/callback?from=stripe",
)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class Page(HTMLParser):
    """A page as a browser without scripts understands it."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.response = response
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.links: dict[str, str] = {}
        self._href: str | None = None
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        self.elements.append((tag, attributes))
        if tag == "a":
            self._href = attributes["href"]

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._href = None

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._href is not None:
            self.links[data.strip()] = self._href

    def form_with(self, button: str) -> tuple[str, dict[str, str]]:
        """Return the action, and what pressing ``button`` sends."""
        action = ""
        fields: dict[str, str] = {}
        for tag, attributes in self.elements:
            if tag == "form":
                action, fields = attributes["action"], {}
            elif tag == "input" and attributes["type"] != "submit":
                fields[attributes["name"]] = attributes.get("value", "")
            elif tag == "input" and attributes["value"] == button:
                if "name" in attributes:
                    fields[attributes["name"]] = button
                return action, fields
        raise AssertionError(f"no button {button!r} on: {self.text}")


class Browser:
    """Presses buttons; follows no redirect, so that a test can look at it."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http

    def open(self, url: str) -> Page:
        return Page(self._http.get(url))

    def press(self, page: Page, button: str, **typed: str) -> Page:
        action, fields = page.form_with(button)
        assert typed.keys() <= fields.keys()
        return self.send(action, **fields | typed)

    def send(self, action: str, **fields: str) -> Page:
        return Page(self._http.post(action, data=fields))

    def log_in(self, url: str, email: str = "ada@northwind.example") -> Page:
        return self.press(self.open(url), "Log in", email=email, password="any")

    def approve(self, url: str, email: str = "ada@northwind.example") -> str:
        """Go through all the pages; return the code."""
        page = self.press(self.log_in(url, email), "Approve access")
        return _query_of(page.links["Return to m3ter"])["code"]


def _query_of(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query, strict_parsing=True))


@pytest.fixture
def query_of() -> Callable[[str], dict[str, str]]:
    return _query_of


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Current:
    """An application that delegates to another, so that one server serves many tests."""

    def __init__(self) -> None:
        self.app: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[Description, Current]]:
    current = Current()
    with background_demo_stripe(REDIRECT_URIS, make_app=lambda _: current) as description:
        yield description, current


@pytest.fixture
def demo(server: tuple[Description, Current], clock: Clock) -> Description:
    """Return a demo Stripe without any visit so far."""
    description, current = server
    current.app = demo_stripe_app(Platform(description, now=clock))
    return description


@pytest.fixture
def http(demo: Description) -> Iterator[httpx.Client]:
    with visitor(base_url=demo.connect_base) as client:
        yield client


@pytest.fixture
def browser(http: httpx.Client) -> Browser:
    return Browser(http)


@pytest.fixture
def client_with(demo: Description) -> Iterator[Callable[..., stripe.StripeClient]]:
    transports = []

    def make(key: str, client_id: str = demo.test.client_id) -> stripe.StripeClient:
        transport = stripe.RequestsClient()
        transports.append(transport)
        return stripe.StripeClient(
            key,
            client_id=client_id,
            base_addresses={"connect": demo.connect_base, "api": demo.api_base},
            max_network_retries=0,
            http_client=transport,
        )

    yield make
    for transport in transports:
        transport.close()  # type: ignore[no-untyped-call]  # theirs


def _of(keys: ClientKeys, client_with: Callable[..., stripe.StripeClient]) -> Any:
    return client_with(keys.secret_key.reveal(), keys.client_id)


@pytest.fixture
def test_mode(demo: Description, client_with: Callable[..., Any]) -> stripe.StripeClient:
    client: stripe.StripeClient = _of(demo.test, client_with)
    return client


@pytest.fixture
def live_mode(demo: Description, client_with: Callable[..., Any]) -> stripe.StripeClient:
    client: stripe.StripeClient = _of(demo.live, client_with)
    return client
