"""What the sweep does to a store: one change each, and the state before it."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.authorization import TIME_LIMIT, AuthorizationRequest
from m3cred_tui.model.credential import (
    BILL,
    STRIPE,
    Credential,
    Status,
    StripeAccount,
    TokenResponse,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.problems import NotThere

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ID = "0196d5c8-0000-7000-8000-000000000000"
OTHERS = tuple(f"0196d5c8-0000-7000-8000-00000000000{digit}" for digit in "abc")
YOUNGER = "0196d5c8-0000-7000-8000-00000000000d"
STALE = ".0123456789abcdef.tmp"
_TIME = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
OVER = _TIME + TIME_LIMIT


class Operation(NamedTuple):
    """A change to the credential ``ID``, and the state before it."""

    before: Callable[[Path], None]
    run: Callable[[DirectoryStore], object]


def store_in(root: Path) -> DirectoryStore:
    return DirectoryStore(
        root / "data", IdentityFile(root / "config" / "identity.txt", root / "data")
    )


def credential(credential_id: str = ID, name: str = "Acme") -> Credential:
    account = StripeAccount("acct_1Acme", livemode=True, name="Acme Ltd", country="GB")
    status = Status.AUTHENTICATED
    return Credential(credential_id, name, BILL, STRIPE, account, _TIME, "ann", status)


def tokens(access: str = "sk_live_first") -> TokenResponse:
    return TokenResponse("acct_1Acme", True, "read_write", access_token=Secret(access))


def request(state: str = "state_of_the_request") -> AuthorizationRequest:
    return AuthorizationRequest(Secret(state), "http://127.0.0.1:27182/callback", OVER)


PENDING = credential()._replace(status=Status.PENDING)
REQUESTED = PENDING._replace(account=None)


def _nothing(root: Path) -> None:
    """Not even a directory."""


def _others(root: Path) -> None:
    """One created, one pending and one damaged credential."""
    store = store_in(root)
    store.prepare()
    created, pending, damaged = OTHERS
    store.create(credential(created, "Created"), tokens("sk_created"))
    store.keep_pending(credential(pending, "Pending"), tokens("sk_pending"))
    store.create(credential(damaged, "Damaged"), tokens("sk_damaged"))
    file = root / "data" / "credentials" / f"{damaged}.json"
    file.write_bytes(file.read_bytes()[:500])


def _created(root: Path) -> None:
    _others(root)
    store_in(root).create(credential(), tokens())


def _pending(root: Path) -> None:
    _others(root)
    store_in(root).keep_pending(PENDING, tokens())


def _requested(root: Path) -> None:
    """Next to a request that has not expired when this one has."""
    _others(root)
    requests = store_in(root).requests
    requests.keep(REQUESTED, request())
    later = _TIME + timedelta(seconds=1)
    requests.keep(REQUESTED._replace(id=YOUNGER, created_at=later), request("state_younger"))


def _code_sent(root: Path) -> None:
    _requested(root)
    store_in(root).requests.answer(REQUESTED, request())


RENEWAL = PENDING._replace(id=YOUNGER, renews=ID)


def renewed(created: Credential, _before: TokenResponse) -> tuple[Credential, TokenResponse]:
    return created._replace(approval=YOUNGER), tokens("sk_live_renewed")


def _approved_again(root: Path) -> None:
    _created(root)
    store_in(root).keep_pending(RENEWAL, tokens("sk_live_renewed"))


def _renewed_and_still_pending(root: Path) -> None:
    """As left by a process that was killed during a renewal."""
    _approved_again(root)
    store_in(root).update(ID, renewed)


def _created_and_still_pending(root: Path) -> None:
    """As left by a process that was killed during a creation."""
    _pending(root)
    kept = root / "data" / "pending" / f"{ID}.json"
    aside = root / "aside"
    os.link(kept, aside)
    store_in(root).create(credential(), tokens())
    aside.rename(kept)


def _much_left_behind(root: Path) -> None:
    _created_and_still_pending(root)
    for folder in ("credentials", "pending"):
        file = root / "data" / folder / STALE
        file.write_bytes(b"half a rec")
        file.chmod(0o600)


def _create(store: DirectoryStore) -> None:
    store.create(credential(), tokens())


def _keep(store: DirectoryStore) -> None:
    store.keep_pending(PENDING, tokens())


def _keep_anew(store: DirectoryStore) -> None:
    store.keep_pending(PENDING._replace(name="Acme anew"), tokens("sk_live_anew"))


def _update(store: DirectoryStore) -> None:
    changed = credential(name="Acme changed"), tokens("sk_live_changed")
    store.update(ID, lambda *_before: changed)


def _renew(store: DirectoryStore) -> None:
    store.renew(ID, YOUNGER, renewed)


def _delete(store: DirectoryStore) -> None:
    store.delete(ID)


def _keep_request(store: DirectoryStore) -> None:
    store.requests.keep(REQUESTED, request())


def _answer_request(store: DirectoryStore) -> None:
    store.requests.answer(REQUESTED, request())


def _settle_request(store: DirectoryStore) -> None:
    store.requests.settle(ID)


def _drop_request(store: DirectoryStore) -> None:
    store.requests.drop(ID)


def _expire_request(store: DirectoryStore) -> None:
    if [one.id for one in store.requests.expire(OVER)] != [ID]:
        raise NotThere(ID)  # it is reported as still there


OPERATIONS = {
    "first create": Operation(_nothing, _create),
    "create": Operation(_others, _create),
    "create from pending": Operation(_pending, _create),
    "update": Operation(_created, _update),
    "renew": Operation(_approved_again, _renew),
    "renew again": Operation(_renewed_and_still_pending, _renew),
    "prepare after renewal": Operation(_renewed_and_still_pending, DirectoryStore.prepare),
    "delete": Operation(_created, _delete),
    "delete pending": Operation(_pending, _delete),
    "delete half-created": Operation(_created_and_still_pending, _delete),
    "keep pending": Operation(_others, _keep),
    "keep pending again": Operation(_pending, _keep_anew),
    "prepare": Operation(_much_left_behind, DirectoryStore.prepare),
    "first prepare": Operation(_nothing, DirectoryStore.prepare),
    "keep request": Operation(_others, _keep_request),
    "answer request": Operation(_requested, _answer_request),
    "settle request": Operation(_code_sent, _settle_request),
    "keep in its room": Operation(_code_sent, _keep),
    "drop request": Operation(_requested, _drop_request),
    "expire request": Operation(_requested, _expire_request),
}
