from datetime import UTC, datetime

import pytest

from m3cred_tui.authorize.journal import created, draft_of, pending_credential
from m3cred_tui.model.credential import (
    BILL,
    STRIPE,
    STRIPE_TEST,
    Credential,
    Draft,
    Status,
    StripeAccount,
    is_credential_id,
)

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
ACCOUNT = StripeAccount("acct_1", livemode=False, name="Acme", country="GB")


def _pending(draft: Draft) -> Credential:
    return pending_credential(draft, created_at=NOON, created_by="ada", randomness=bytes(10))


def test_a_pending_credential_holds_what_was_entered() -> None:
    credential = _pending(Draft("  Acme   Bills ", BILL, STRIPE_TEST))
    assert is_credential_id(credential.id)
    assert credential == Credential(
        id=credential.id,
        name="Acme Bills",
        entity_type=BILL,
        destination=STRIPE_TEST,
        account=None,
        created_at=NOON,
        created_by="ada",
        status=Status.PENDING,
    )


@pytest.mark.parametrize("draft", [Draft("a", BILL), Draft("a", None, STRIPE_TEST)])
def test_a_draft_without_a_stage_is_refused(draft: Draft) -> None:
    with pytest.raises(ValueError, match="draft"):
        _pending(draft)


def test_a_test_account_never_becomes_a_live_credential() -> None:
    draft = Draft("a", BILL, STRIPE)
    with pytest.raises(ValueError, match="mode"):
        created(_pending(draft), ACCOUNT, "a")


def test_create_takes_only_the_account_and_the_last_name_entered() -> None:
    pending = _pending(Draft("Acme", BILL, STRIPE_TEST))
    credential = created(pending, ACCOUNT, " Acme  two")
    changed = {"name": "Acme two", "account": ACCOUNT, "status": Status.AUTHENTICATED}
    assert credential == pending._replace(**changed)  # type: ignore[arg-type]  # of three types


def test_resuming_starts_with_what_was_entered() -> None:
    draft = Draft("Acme", BILL, STRIPE_TEST)
    assert draft_of(_pending(draft)) == draft
