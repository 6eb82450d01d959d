"""What upkeep reads of the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import NotThere
from m3cred_tui.upkeep.problems import StillPending

if TYPE_CHECKING:
    from m3cred_tui.model.credential import OAuthModel
    from m3cred_tui.store.port import CredentialStore


def opened(store: CredentialStore, credential_id: str) -> tuple[Credential, TokenResponse]:
    """Return a credential that Stripe has approved, and its tokens.

    Raises :class:`StillPending` where Stripe has not, and what ``CredentialStore.opened`` does.
    """
    try:
        return store.opened(credential_id)
    except NotThere:
        if store.read(credential_id) is None:
            raise
        raise StillPending(credential_id) from None


def sharing(store: CredentialStore, credential_id: str) -> list[Credential]:
    """Return the other credentials of the same account, mode and OAuth model.

    One that cannot be opened is believed to be of the same model. Raises ``StoreUnusable``.
    """
    mine = store.read(credential_id)
    if not isinstance(mine, Credential) or mine.account is None:
        return []
    others = [one for one in store.ids() if one != credential_id]
    same_account = [
        row
        for row in store.read_many(others)
        if isinstance(row, Credential) and row.account and row.account.id == mine.account.id
        if row.destination == mine.destination
    ]
    model = _model(store, mine)
    return [one for one in same_account if not model or _model(store, one) in {model, None}]


def _model(store: CredentialStore, credential: Credential) -> OAuthModel | None:
    try:
        return store.tokens(credential.id).oauth
    except Problem:
        return None
