"""Credentials of a demo Stripe that runs in the test, for commands that ask it."""

from __future__ import annotations

from base64 import b64decode
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.demo_stripe.app import demo_stripe_app
from m3cred_tui.demo_stripe.grants import account_of
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.server import background_demo_stripe
from m3cred_tui.model.credential import OAuthModel, StripeAccount, TokenResponse
from m3cred_tui.model.secret import Secret
from tests.cli.kept import credential, store_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from m3cred_tui.demo_stripe.description import Description
    from m3cred_tui.model.credential import Credential


class Asked(NamedTuple):
    """A request as the demo Stripe received it."""

    method: str
    path: str
    key: str
    """In either kind of ``Authorization``."""
    account_id: str | None
    """Of the header ``Stripe-Account``."""


@dataclass
class Connected:
    """What runs, and how commands find it."""

    home: Path
    stripe: Platform
    environ: Mapping[str, str]
    connected: list[Credential] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    """The requests that reached the demo Stripe, in order."""

    def connect(
        self,
        name: str,
        oauth: OAuthModel = OAuthModel.CONNECT,
        used: timedelta = timedelta(),
    ) -> Credential:
        """Have an owner approve in test mode, and keep the credential under this name.

        One of a Stripe App was last ``used`` so long ago.
        """
        owner = account_of(f"{name}@acme.example")
        code = self.stripe.approve(owner, "read_write", livemode=False, oauth=oauth)
        reply = self.stripe.exchange(code, livemode=False, oauth=oauth)
        tokens = TokenResponse(
            owner.id,
            livemode=False,
            scope=reply.scope,
            access_token=Secret(reply.access_token),
            refresh_token=Secret(reply.refresh_token),
            oauth=oauth,
            obtained_at=datetime.now(UTC) - used if oauth is OAuthModel.APPS else None,
        )
        account = StripeAccount(owner.id, False, owner.name, owner.country)
        kept = credential(len(self.connected), name, account=account)
        store_of(self.home).create(kept, tokens)
        self.connected.append(kept)
        return kept

    def revoke(self, kept: Credential) -> None:
        """Have the owner take the access back."""
        assert kept.account is not None
        assert self.stripe.disconnect(kept.account.id, livemode=False, oauth=OAuthModel.CONNECT)


@contextmanager
def connected_to_demo_stripe(home: Path) -> Iterator[Connected]:
    """Run a demo Stripe, with test mode set up for it by the environment."""
    made: list[Platform] = []
    asked: list[Asked] = []

    def make_app(_description: Description) -> ASGIApp:
        app = demo_stripe_app(made[0])

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                asked.append(_asked(scope))
            await app(scope, receive, send)

        return recorded

    with background_demo_stripe(["http://127.0.0.1/"], make_app=make_app) as description:
        made.append(Platform(description))
        yield Connected(
            home,
            made[0],
            {
                "M3CRED_STRIPE_TEST_CLIENT_ID": description.test.client_id,
                "M3CRED_STRIPE_TEST_SECRET_KEY": description.test.secret_key.reveal(),
                "M3CRED_STRIPE_TEST_CONNECT_BASE": description.connect_base,
                "M3CRED_STRIPE_TEST_API_BASE": description.api_base,
            },
            asked=asked,
        )


def _asked(scope: Scope) -> Asked:
    headers = {name: value.decode() for name, value in scope["headers"]}
    kind, _, key = headers.get(b"authorization", "").partition(" ")
    if kind == "Basic":
        key = b64decode(key).decode().partition(":")[0]
    return Asked(scope["method"], scope["path"], key, headers.get(b"stripe-account"))
