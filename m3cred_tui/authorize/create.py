"""From a draft and what Stripe approved to a credential, by way of a pending one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from m3cred_tui.model.credential import Credential, Draft, Status, StripeAccount
from m3cred_tui.model.credential_id import credential_id
from m3cred_tui.model.name import tidy_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from m3cred_tui.model.credential import TokenResponse
    from m3cred_tui.store.store import CredentialStore


@dataclass(slots=True)
class Approval:
    """Keeps what Stripe approves for a draft in the store, as a pending credential."""

    store: CredentialStore
    draft: Draft
    now: Callable[[], datetime]
    created_by: str
    credential: Credential | None = field(default=None, init=False)
    """The pending credential, from the moment on that there is an approval."""

    def keep(self, tokens: TokenResponse, account: StripeAccount) -> None:
        """Write the approval down, or what is known of its account by now.

        Raises what :meth:`CredentialStore.keep_pending` does.
        """
        if self.credential is None:
            self.credential = pending_credential(
                self.draft,
                account,
                created_at=self.now(),
                created_by=self.created_by,
                randomness=os.urandom(10),
            )
        self.credential = replace(self.credential, account=account)
        self.store.keep_pending(self.credential, tokens)


def pending_credential(
    draft: Draft,
    account: StripeAccount,
    *,
    created_at: datetime,
    created_by: str,
    randomness: bytes,
) -> Credential:
    """Return what waits for Create Credential; ``randomness`` is for :func:`credential_id`.

    Raises :class:`ValueError` for a draft with a stage left out, or an account of the other
    mode than the destination's.
    """
    if draft.entity_type is None or draft.destination is None:
        raise ValueError("the draft has no entity type or no destination")
    if account.livemode != draft.destination.livemode:
        raise ValueError("the account is of the other mode than the destination")
    return Credential(
        id=credential_id(created_at, randomness),
        name=tidy_name(draft.name),
        entity_type=draft.entity_type,
        destination=draft.destination,
        account=account,
        created_at=created_at,
        created_by=created_by,
        status=Status.PENDING,
    )


def created(pending: Credential, draft: Draft) -> Credential:
    """Return what Create Credential makes of it; the draft may have a new name by then."""
    return replace(pending, name=tidy_name(draft.name), status=Status.AUTHENTICATED)


def draft_of(pending: Credential) -> Draft:
    """Return the draft that the user goes on with where it was left."""
    return Draft(pending.name, pending.entity_type, pending.destination)
