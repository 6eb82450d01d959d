"""A demo Stripe whose clock is the test's, and a store with credentials of it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.demo_stripe.app import demo_stripe_app
from m3cred_tui.demo_stripe.grants import account_of
from m3cred_tui.demo_stripe.platform import Platform as DemoPlatform
from m3cred_tui.demo_stripe.server import background_demo_stripe
from m3cred_tui.model.credential import (
    BILL,
    STRIPE,
    STRIPE_TEST,
    Credential,
    Destination,
    OAuthModel,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.stripe.gateway import Platform
from m3cred_tui.upkeep.service import Upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from m3cred_tui.demo_stripe.description import Description

START = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@dataclass
class Clock:
    """Moves on command, for m3cred and for Stripe."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **units: float) -> None:
        self.now += timedelta(**units)


@dataclass
class World:
    """m3cred's store, the demo Stripe, and its approvals."""

    store: DirectoryStore
    demo: DemoPlatform
    clock: Clock
    looked_up: list[Destination] = field(default_factory=list)
    platforms: dict[Destination, Platform] = field(default_factory=dict)

    @property
    def upkeep(self) -> Upkeep:
        return Upkeep(self.store, self.platform, self.clock, time_limit=5.0)

    def platform(self, destination: Destination) -> Platform:
        self.looked_up.append(destination)
        return self.platforms[destination]

    def connect(
        self,
        email: str = "ann@acme.example",
        *,
        oauth: OAuthModel = OAuthModel.APPS,
        destination: Destination = STRIPE_TEST,
        status: Status = Status.AUTHENTICATED,
    ) -> str:
        """Let an owner approve, and create the credential; return its ID."""
        owner, live = account_of(email), destination.livemode
        code = self.demo.approve(owner, "read_write", livemode=live, oauth=oauth)
        reply = self.demo.exchange(code, livemode=live, oauth=oauth)
        is_app = oauth is OAuthModel.APPS
        tokens = TokenResponse(
            owner.id,
            live,
            reply.scope,
            Secret(reply.access_token),
            Secret(reply.refresh_token),
            oauth=oauth,
            obtained_at=self.clock() if is_app else None,
        )
        account = StripeAccount(owner.id, live, owner.trading_name, owner.country)
        number = len(self.store.ids()).to_bytes(10)
        new = Credential(
            credential_id(self.clock(), number),
            f"{owner.trading_name} {number.hex()[-4:]}",
            BILL,
            destination,
            account,
            self.clock(),
            "ann",
            status,
        )
        keep = self.store.keep_pending if status is Status.PENDING else self.store.create
        keep(new, tokens)
        return new.id

    def revoke(self, credential_id: str) -> None:
        """Let the owner revoke the access."""
        tokens = self.store.tokens(credential_id)
        assert self.demo.disconnect(
            tokens.account_id, livemode=tokens.livemode, oauth=tokens.oauth
        )

    def access_token(self, credential_id: str) -> str:
        token = self.store.tokens(credential_id).access_token
        assert token
        return token.reveal()


@contextmanager
def world_in(root: Path) -> Iterator[World]:
    clock = Clock()
    store = DirectoryStore(
        root / "data", IdentityFile(root / "config" / "identity.txt", root / "data")
    )
    demo: list[DemoPlatform] = []
    running = background_demo_stripe(
        ["http://127.0.0.1/"], make_app=lambda _description: demo_stripe_app(demo[0])
    )
    with running as description:

        def seconds() -> float:
            return (clock() - START).total_seconds()

        demo.append(DemoPlatform(description, now=seconds))
        world = World(store, demo[0], clock)
        world.platforms = platforms_of(description)
        yield world


def platforms_of(description: Description) -> dict[Destination, Platform]:
    bases = description.connect_base, description.api_base
    return {
        STRIPE: Platform(*description.live, *bases),
        STRIPE_TEST: Platform(*description.test, *bases),
    }


def threads_going_on() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "m3cred-going-on"]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with world_in(tmp_path) as made:
        yield made


@pytest.fixture
def with_key(world: World) -> Callable[[str], None]:
    """Set another secret key for test mode."""

    def change(key: str) -> None:
        platform = world.platforms[STRIPE_TEST]
        world.platforms[STRIPE_TEST] = platform._replace(secret_key=Secret(key))

    return change
