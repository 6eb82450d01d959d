from dataclasses import replace
from datetime import UTC, datetime

import pytest

from m3cred_tui.authorize.create import created, draft_of, pending_credential
from m3cred_tui.model.credential import Credential, Draft, Status, StripeAccount
from m3cred_tui.model.credential_id import is_credential_id
from m3cred_tui.model.destination import STRIPE, STRIPE_TEST
from m3cred_tui.model.entity_type import BILL

NOON = datetime(2025, 1, 1, 12, tzinfo=UTC)
ACCOUNT = StripeAccount("acct_1", livemode=False, name="Acme", country="GB")


def _create(draft: Draft, account: StripeAccount = ACCOUNT) -> Credential:
    return pending_credential(
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
        status=Status.PENDING,
    )


@pytest.mark.parametrize("draft", [Draft("a", BILL), Draft("a", None, STRIPE_TEST)])
def test_a_draft_with_a_stage_left_out_is_no_credential(draft: Draft) -> None:
    with pytest.raises(ValueError, match="draft"):
        _create(draft)


def test_a_test_account_never_becomes_a_live_credential() -> None:
    with pytest.raises(ValueError, match="mode"):
        _create(Draft("a", BILL, STRIPE))


def test_create_takes_the_name_that_was_entered_last_and_nothing_else() -> None:
    pending = _create(Draft("Acme", BILL, STRIPE_TEST))
    credential = created(pending, Draft(" Acme  two", BILL, STRIPE_TEST))
    assert credential == replace(pending, name="Acme two", status=Status.AUTHENTICATED)


def test_going_on_later_begins_with_what_was_entered() -> None:
    draft = Draft("Acme", BILL, STRIPE_TEST)
    assert draft_of(_create(draft)) == draft
