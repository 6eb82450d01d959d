"""The rooms below the app, all of them real; only the browser is a person in a thread."""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from textual.css import stylesheet
from textual.css.model import RuleSet
from textual.css.parse import parse
from textual.css.tokenize import tokenize_values
from textual.css.tokenizer import Token
from textual.css.types import CSSLocation

from m3cred_tui.authorize.service import Authorizer
from m3cred_tui.browser.ways import Ways
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import background_demo_stripe
from m3cred_tui.model.authorization import redirect_uri
from m3cred_tui.model.credential import (
    BILL,
    STRIPE,
    STRIPE_TEST,
    Credential,
    Destination,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.stripe.gateway import Platform
from m3cred_tui.ui.services import Services, View
from m3cred_tui.upkeep.service import Upkeep
from tests.ports import free_port
from tests.ui import visit

Keep = Callable[..., Credential]

SOMEWHERE = {"TERM": "xterm-256color", "DISPLAY": ":0", "PATH": "/usr/bin:/bin"}
"""The environment of somebody who sits before a screen of this computer."""


@pytest.fixture(scope="session", autouse=True)
def styles_parsed_once() -> Iterator[None]:
    """Let an app take the styles that another one has parsed: they are half of its start."""
    tokens: dict[Hashable, dict[str, list[Token]]] = {}
    rules: dict[Hashable, list[RuleSet]] = {}

    def tokenize(variables: dict[str, str]) -> dict[str, list[Token]]:
        colours = (*variables.items(),)
        if colours not in tokens:
            tokens[colours] = tokenize_values(variables)
        return tokens[colours]

    def parse_in(
        scope: str,
        css: str,
        read_from: CSSLocation,
        *,
        variable_tokens: dict[str, list[Token]],
        is_default_rules: bool,
        tie_breaker: int,
    ) -> list[RuleSet]:
        where = scope, css, read_from, is_default_rules, tie_breaker
        key = *where, id(variable_tokens)
        if key not in rules:
            rules[key] = [*parse(*where[:3], None, variable_tokens, *where[3:])]
        return rules[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stylesheet, "tokenize_values", tokenize)
        patch.setattr(stylesheet, "parse", parse_in)
        yield


class Clock:
    """A wall clock that goes only when it is told to."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 8, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def forward(self, **time: float) -> None:
        self.time += timedelta(**time)


class Browser:
    """What the app opens a browser with: keeps the addresses, and visits them when told."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.then: Callable[[], None] = lambda: None

    async def __call__(self, url: str) -> None:
        self.opened.append(url)
        self.then()

    async def approve(self, email: str = visit.EMAIL) -> visit.Seen:
        return await asyncio.to_thread(visit.approve, self.opened[-1], email)

    async def refuse(self) -> str:
        return await asyncio.to_thread(visit.refuse, self.opened[-1])

    async def redirect(self, **answer: str) -> None:
        await asyncio.to_thread(visit.redirect, self.opened[-1], **answer)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def browser() -> Browser:
    return Browser()


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """Return the directory of the records; it is not there yet."""
    return tmp_path / "data" / "credentials"


@pytest.fixture
def store(tmp_path: Path, credentials: Path) -> DirectoryStore:
    return DirectoryStore(
        credentials.parent,
        IdentityFile(tmp_path / "config" / "identity.txt", credentials.parent),
    )


@pytest.fixture
def ports() -> tuple[int, ...]:
    """Return ports that are free; the registered ones may be another test's."""
    return free_port(), free_port()


@pytest.fixture
def demo(ports: tuple[int, ...]) -> Iterator[Description]:
    with background_demo_stripe([redirect_uri(port) for port in ports]) as description:
        yield description


@pytest.fixture
def platforms(demo: Description) -> dict[Destination, Platform]:
    bases = demo.connect_base, demo.api_base
    return {STRIPE: Platform(*demo.live, *bases), STRIPE_TEST: Platform(*demo.test, *bases)}


@pytest.fixture
def services(
    store: DirectoryStore,
    clock: Clock,
    browser: Browser,
    ports: tuple[int, ...],
    platforms: dict[Destination, Platform],
    tmp_path: Path,
) -> Services:
    def authorizer(destination: Destination) -> Authorizer:
        gateway = ConnectGateway(platforms[destination])
        return Authorizer(gateway, destination, browser, clock, ports=ports)

    ways = Ways(SOMEWHERE, tmp_path / "state" / "url")
    upkeep = Upkeep(store, platforms.__getitem__, clock)
    return Services(
        store,
        authorizer,
        browser,
        ways,
        lambda: upkeep,
        clock,
        "ann@server",
        View(),
        demo=True,
    )


@pytest.fixture
def keep(store: DirectoryStore, clock: Clock) -> Keep:
    """Put one more credential into the store, a minute later than the one before."""
    kept: list[Credential] = []

    def keep_one(
        name: str,
        *,
        livemode: bool = False,
        account: StripeAccount | None = None,
        created_by: str = "ann@server",
        status: Status = Status.AUTHENTICATED,
    ) -> Credential:
        made = clock() - timedelta(days=40) + timedelta(minutes=len(kept))
        one = Credential(
            id=credential_id(made, bytes([len(kept)] * 10)),
            name=name,
            entity_type=BILL,
            destination=STRIPE if livemode else STRIPE_TEST,
            account=account
            or StripeAccount(f"acct_1Kept{len(kept):04}", livemode, f"{name} Ltd", "GB"),
            created_at=made,
            created_by=created_by,
            status=status,
        )
        account_id = one.account.id if one.account else ""
        tokens = TokenResponse(account_id, livemode, "read_write", Secret("sk_canary"))
        (store.keep_pending if status is Status.PENDING else store.create)(one, tokens)
        kept.append(one)
        return one

    return keep_one
