"""What Create Credential makes of a draft and its approved account."""

from datetime import datetime

from m3cred_tui.model.credential import Credential, Draft, Status, StripeAccount
from m3cred_tui.model.credential_id import credential_id
from m3cred_tui.model.name import tidy_name


def credential_from(
    draft: Draft,
    account: StripeAccount,
    *,
    created_at: datetime,
    created_by: str,
    randomness: bytes,
) -> Credential:
    """Return the authenticated credential; ``randomness`` is for :func:`credential_id`.

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
        status=Status.AUTHENTICATED,
    )
