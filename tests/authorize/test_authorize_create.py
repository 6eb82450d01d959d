from datetime import UTC, datetime

import pytest

from m3cred_tui.authorize.create import credential_from
from m3cred_tui.model.credential import Credential, Draft, Status, StripeAccount
from m3cred_tui.model.credential_id import is_credential_id
from m3cred_tui.model.destination import STRIPE, STRIPE_TEST
from m3cred_tui.model.entity_type import BILL

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
ACCOUNT = StripeAccount("acct_1", livemode=False, name="Acme", country="GB")


def _create(draft: Draft, account: StripeAccount = ACCOUNT) -> Credential:
    return credential_from(
        draft, account, created_at=NOON, created_by="ada", randomness=bytes(10)
    )


def test_the_credential_is_what_was_entered_and_what_stripe_approved() -> None:
    credential = _create(Draft("  Acme   Bills ", BILL, STRIPE_TEST))
    assert is_credential_id(credential.id)
    assert credential == Credential(
        id=credential.id,
        name="Acme Bills",
        entity_type=BILL,
        destination=STRIPE_TEST,
        account=ACCOUNT,
        created_at=NOON,
        created_by="ada",
        status=Status.AUTHENTICATED,
    )


@pytest.mark.parametrize("draft", [Draft("a", BILL), Draft("a", None, STRIPE_TEST)])
def test_a_draft_with_a_stage_left_out_is_no_credential(draft: Draft) -> None:
    with pytest.raises(ValueError, match="draft"):
        _create(draft)


def test_a_test_account_never_becomes_a_live_credential() -> None:
    with pytest.raises(ValueError, match="mode"):
        _create(Draft("a", BILL, STRIPE))
