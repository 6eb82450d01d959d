"""Credentials that are there before a command is run."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from m3cred_tui.model.authorization import TIME_LIMIT, AuthorizationRequest
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

CANARY = "canary"
"""In every secret, and nowhere else."""

_BEGINNING = datetime(2026, 11, 20, 9, tzinfo=UTC)


def store_of(home: Path, *, demo: bool = False) -> DirectoryStore:
    """Return the store of the environment whose home this is."""
    below = "m3cred/demo" if demo else "m3cred"
    data = home / "data" / below
    return DirectoryStore(data, IdentityFile(home / "config" / below / "identity.txt", data))


def credential(
    number: int,
    name: str,
    destination: Destination = STRIPE_TEST,
    account: StripeAccount | None = None,
) -> Credential:
    """Return a credential, each a minute after the one before."""
    at = _BEGINNING + timedelta(minutes=number)
    acme = StripeAccount(f"acct_1Acme{number}", destination.livemode, "Acme Ltd", "GB")
    return Credential(
        id=credential_id(at, number.to_bytes(10)),
        name=name,
        entity_type=BILL,
        destination=destination,
        account=account or acme,
        created_at=at,
        created_by="ann@bastion",
        status=Status.AUTHENTICATED,
    )


def keep_pending(home: Path, name: str, *, since: timedelta) -> Credential:
    """Keep an authorization that waits for Stripe; return its credential."""
    at = datetime.now(UTC) - since
    waits = Credential(
        id=credential_id(at, name.encode().ljust(10)[:10]),
        name=name,
        entity_type=BILL,
        destination=STRIPE_TEST,
        account=None,
        created_at=at,
        created_by="ann@bastion",
        status=Status.PENDING,
    )
    store = store_of(home)
    store.prepare()
    uri = "http://127.0.0.1:27182/callback"
    request = AuthorizationRequest(Secret(f"{CANARY}-state"), uri, at + TIME_LIMIT)
    store.requests.keep(waits, request)
    return waits


def tokens_of(credential: Credential) -> TokenResponse:
    """Return tokens with a canary in each secret."""
    assert credential.account is not None
    return TokenResponse(
        account_id=credential.account.id,
        livemode=credential.account.livemode,
        scope="read_write",
        access_token=Secret(f"sk_test_{CANARY}_access"),
        refresh_token=Secret(f"rt_{CANARY}_refresh"),
        publishable_key="pk_test_publishable",
    )


def keep_used(home: Path, name: str, ago: timedelta) -> datetime:
    """Keep a credential of a Stripe App that was last used so long ago; return when."""
    at = datetime.now(UTC) - ago
    app = credential(99 - ago.days % 90, name)
    tokens = tokens_of(app)._replace(oauth=OAuthModel.APPS, obtained_at=at)
    store_of(home).create(app, tokens)
    return at


def keep(
    home: Path,
    names: Sequence[str],
    *,
    demo: bool = False,
    account: StripeAccount | None = None,
) -> list[Credential]:
    """Keep a credential of each name, every other one of live mode; return them."""
    store = store_of(home, demo=demo)
    kept = [
        credential(
            at,
            name,
            (STRIPE_TEST, STRIPE)[at % 2 if account is None else account.livemode],
            account,
        )
        for at, name in enumerate(names)
    ]
    for one in kept:
        store.create(one, tokens_of(one))
    return kept
