"""Authorizing a credential again, at a stub of Stripe and a real store."""

from __future__ import annotations

from contextlib import aclosing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.authorize.authorization import Authorization, State
from m3cred_tui.authorize.events import UrlReady
from m3cred_tui.authorize.problems import OtherAccount, RenewedGone
from m3cred_tui.authorize.renewal import draft_to_renew, renewals_of
from m3cred_tui.listing.history import history_of
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import (
    BILL,
    STRIPE_TEST,
    Credential,
    Draft,
    Event,
    Happened,
    Status,
    StripeAccount,
    TokenResponse,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.names import rename
from m3cred_tui.store.problems import OutcomeUnknown, StoreBusy
from tests.authorize.conftest import TOKENS, response

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from m3cred_tui.authorize.service import Authorizer
    from m3cred_tui.model.problem import Problem
    from m3cred_tui.store.port import Change
    from tests.authorize.conftest import Clock, StubStripe

    RedirectOf = Callable[..., str]
    Begin = Callable[..., Authorization]

ID = "019cb73d-3593-7000-8000-00000000000a"
AT = datetime(2024, 12, 1, tzinfo=UTC)


class Store(DirectoryStore):
    """A real store whose disk can fail at renewing, before it has written or after."""

    failure: Problem | None = None
    fails_after: bool = False

    def renew(self, credential_id: str, pending_id: str, change: Change) -> Credential:
        if self.failure is not None and not self.fails_after:
            raise self.failure
        renewed = super().renew(credential_id, pending_id, change)
        if self.failure is not None:
            raise self.failure
        return renewed


@pytest.fixture
def store(tmp_path: Path) -> Store:
    data = tmp_path / "data"
    return Store(data, IdentityFile(tmp_path / "config" / "identity.txt", data))


@pytest.fixture
def revoked(store: Store) -> Credential:
    """Have a credential of the stub's account, whose last check found it revoked."""
    account = StripeAccount("acct_1Stub", livemode=False, name="Acme Ltd", country="GB")
    one = Credential(ID, "Acme", BILL, STRIPE_TEST, account, AT, "ann", Status.AUTHENTICATED)
    store.create(one, TokenResponse("acct_1Stub", False, "read_write", Secret("sk_old")))
    store.checks.keep({ID: CheckResult(Outcome.REVOKED, AT, "Access was revoked.")})
    return one


@pytest.fixture
def begin(store: Store, at_stub: Authorizer, clock: Clock) -> Begin:
    def make(what: Draft | Credential) -> Authorization:
        return Authorization(
            store,
            {STRIPE_TEST: at_stub}.__getitem__,
            what,
            now=clock,
            created_by="bob@bastion",
        )

    return make


async def follow(authorization: Authorization, redirect_of: RedirectOf) -> None:
    async with aclosing(authorization.follow()) as events:
        async for event in events:
            if isinstance(event, UrlReady):
                authorization.paste(redirect_of(event.url), final=True)


def access_token(store: Store, credential_id: str = ID) -> str:
    token = store.tokens(credential_id).access_token
    return token.reveal() if token else ""


def of_another(stub: StubStripe) -> None:
    stub.exchange = response({**TOKENS, "stripe_user_id": "acct_1Bolt", "access_token": "sk_b"})
    stub.accounts = [response({"id": "acct_1Bolt", "business_profile": {"name": "Bolt Ltd"}})]


def of_the_same(stub: StubStripe) -> None:
    stub.exchange = response({**TOKENS, "access_token": "sk_new"})


async def test_the_old_tokens_stay_until_the_account_is_confirmed_and_then_the_id_does(
    store: Store,
    revoked: Credential,
    begin: Begin,
    redirect_of: RedirectOf,
    stub: StubStripe,
    clock: Clock,
) -> None:
    of_the_same(stub)
    authorization = begin(draft_to_renew(revoked))
    await follow(authorization, redirect_of)
    pending = authorization.pending
    assert pending is not None
    assert (pending.renews, pending.name, pending.status) == (ID, "Acme", Status.PENDING)
    assert store.ids() == [pending.id, ID]
    assert authorization.renewed() == revoked
    assert access_token(store) == "sk_old"
    assert access_token(store, pending.id) == "sk_new"
    done = await authorization.create("whatever")
    assert (authorization.state, done.doubt) == (State.CREATED, None)
    assert store.ids() == [ID]
    again = Event(Happened.AUTHORIZED, clock(), "bob@bastion", "acct_1Stub")
    account = StripeAccount("acct_1Stub", livemode=False, name="Acme", country="GB")
    assert store.verified(ID) == done.credential
    assert done.credential == revoked._replace(
        account=account, approval=pending.id, history=(again,)
    )
    assert access_token(store) == "sk_new"
    assert store.checks.read()[ID] == CheckResult(Outcome.OK, clock(), by="bob@bastion")
    assert history_of(done.credential, None)[-1].line.endswith(
        "authorized again by bob@bastion"
    )
    other = done.credential._replace(account=account._replace(id="acct_1Other"))
    assert history_of(other, None)[-1].line.endswith(", in place of acct_1Stub")


async def test_another_account_needs_an_agreement_that_names_the_one_before(
    store: Store,
    revoked: Credential,
    begin: Begin,
    redirect_of: RedirectOf,
    stub: StubStripe,
) -> None:
    of_another(stub)
    authorization = begin(draft_to_renew(revoked))
    await follow(authorization, redirect_of)
    for wrongly in (None, "acct_1Bolt"):
        with pytest.raises(OtherAccount) as told:
            await authorization.create("Acme", replacing=wrongly)
        assert "acct_1Bolt (Bolt Ltd) in place of acct_1Stub (Acme Ltd)" in str(told.value)
    assert store.verified(ID) == revoked
    assert access_token(store) == "sk_old"
    assert len(renewals_of(store, ID)) == 1
    done = await authorization.create("Acme", replacing="acct_1Stub")
    assert done.credential.account == StripeAccount("acct_1Bolt", False, "Bolt Ltd")
    assert access_token(store) == "sk_b"


async def test_what_somebody_else_has_replaced_meanwhile_is_asked_about_again(
    store: Store,
    revoked: Credential,
    begin: Begin,
    redirect_of: RedirectOf,
    stub: StubStripe,
) -> None:
    of_the_same(stub)
    authorization = begin(draft_to_renew(revoked))
    await follow(authorization, redirect_of)
    theirs = StripeAccount("acct_1Coil", livemode=False)
    store.renew(ID, "0" * 36, lambda row, tokens: (row._replace(account=theirs), tokens))
    with pytest.raises(OtherAccount, match="in place of acct_1Coil"):
        await authorization.create("Acme")
    assert access_token(store) == "sk_old"


async def test_an_approval_that_was_left_is_resumed_and_not_called_checked(
    store: Store,
    revoked: Credential,
    begin: Begin,
    redirect_of: RedirectOf,
    stub: StubStripe,
) -> None:
    of_the_same(stub)
    await follow(begin(draft_to_renew(revoked)), redirect_of)
    renamed = rename(store, revoked, "Acme live", at=AT, by="ann")
    (pending,) = renewals_of(store, ID)
    authorization = begin(pending)
    await follow(authorization, redirect_of)
    done = await authorization.create("Acme")
    assert done.credential.name == "Acme live", "its own, not that of the request"
    assert done.credential.id == renamed.id
    result = store.checks.read()[ID]
    assert (result.outcome, result.told) == (
        Outcome.FAILED,
        "It was authorized again, and not checked since.",
    )


async def test_an_approval_whose_credential_was_deleted_can_become_a_new_one(
    store: Store,
    revoked: Credential,
    begin: Begin,
    redirect_of: RedirectOf,
    stub: StubStripe,
) -> None:
    of_the_same(stub)
    authorization = begin(draft_to_renew(revoked))
    await follow(authorization, redirect_of)
    store.delete(ID)
    with pytest.raises(RenewedGone, match="“Acme” was deleted while"):
        authorization.renewed()
    with pytest.raises(RenewedGone):
        await authorization.create("Acme")
    pending = authorization.pending
    assert pending is not None
    assert store.ids() == [pending.id], "the approval is kept"
    authorization.renew_nothing()
    done = await authorization.create("Acme 2")
    assert (done.credential.id, done.credential.renews) == (pending.id, None)
    assert store.ids() == [pending.id]
    assert access_token(store, pending.id) == "sk_new"


@pytest.mark.parametrize("fails_after", [False, True])
async def test_a_disk_that_fails_at_the_end_keeps_the_approval_or_has_used_it(
    store: Store,
    revoked: Credential,
    begin: Begin,
    redirect_of: RedirectOf,
    stub: StubStripe,
    fails_after: bool,
) -> None:
    of_the_same(stub)
    authorization = begin(draft_to_renew(revoked))
    await follow(authorization, redirect_of)
    store.fails_after = fails_after
    store.failure = OutcomeUnknown(store.data, "x") if fails_after else StoreBusy(store.data)
    if fails_after:
        done = await authorization.create("Acme")
        assert done.doubt is store.failure
    else:
        with pytest.raises(StoreBusy):
            await authorization.create("Acme")
        assert authorization.state is State.APPROVED
        store.failure = None
        done = await authorization.create("Acme")
    assert done.credential.id == ID
    assert store.ids() == [ID]
    assert access_token(store) == "sk_new"


async def test_renewing_again_after_a_kill_in_between_puts_no_older_tokens_back(
    store: Store,
    revoked: Credential,
    begin: Begin,
    redirect_of: RedirectOf,
    stub: StubStripe,
) -> None:
    of_the_same(stub)
    authorization = begin(draft_to_renew(revoked))
    await follow(authorization, redirect_of)
    pending = authorization.pending
    assert pending is not None
    sealed = store.sealed(pending, store.tokens(pending.id))
    await authorization.create("Acme")
    fresher = TokenResponse("acct_1Stub", False, "read_write", Secret("sk_fresher"))
    store.update(ID, lambda row, _: (row, fresher))
    resumed = begin(store.keep_sealed(sealed))  # as somebody may who saved it
    await follow(resumed, redirect_of)
    await resumed.create("Acme")
    assert access_token(store) == "sk_fresher"
    assert store.ids() == [ID]


async def test_a_disconnection_that_was_begun_is_over_once_it_is_authorized_again(
    store: Store,
    revoked: Credential,
    begin: Begin,
    redirect_of: RedirectOf,
) -> None:
    store.disconnecting.begin(revoked.id)
    authorization = begin(draft_to_renew(revoked))
    await follow(authorization, redirect_of)
    assert store.disconnecting.ids() == [ID]
    await authorization.create("Acme")
    assert store.disconnecting.ids() == []
