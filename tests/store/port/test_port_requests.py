"""An authorization request is answered once, in whichever process."""

from datetime import timedelta

import pytest

from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.credential import Credential, Status, TokenResponse
from m3cred_tui.store.port import CredentialStore, Damaged
from m3cred_tui.store.problems import (
    AlreadyThere,
    AnsweredElsewhere,
    CredentialDamaged,
    NotSealed,
    NotThere,
)
from tests.store.port.engines import Engine
from tests.store.swept_operations import ID, PENDING, REQUESTED, YOUNGER, request


@pytest.fixture
def kept(store: CredentialStore) -> Credential:
    store.prepare()
    store.requests.keep(REQUESTED, request())
    return REQUESTED


@pytest.mark.usefixtures("kept")
def test_a_request_is_a_pending_credential_that_has_no_account_and_no_tokens(
    store: CredentialStore, other: CredentialStore
) -> None:
    assert (other.ids(), other.pending_ids()) == ([ID], [ID])
    assert other.read(ID) == other.verified(ID) == REQUESTED
    assert other.requests.waits(ID)
    with pytest.raises(NotThere):
        store.opened(ID)
    read, asked = other.requests.read(ID), request()
    assert read.state.reveal() == asked.state.reveal()
    assert (read.redirect_uri, read.expires_at) == (
        request().redirect_uri,
        request().expires_at,
    )


@pytest.mark.usefixtures("kept")
def test_of_two_processes_one_answers_a_request(
    store: CredentialStore, other: CredentialStore
) -> None:
    other.requests.answer(REQUESTED, request())
    with pytest.raises(AnsweredElsewhere):
        store.requests.answer(REQUESTED, request())
    assert not store.requests.waits(ID)
    with pytest.raises(NotThere):
        store.requests.read(ID)


@pytest.mark.usefixtures("kept")
def test_a_request_whose_code_was_sent_stays_until_the_answer_is_known(
    store: CredentialStore, other: CredentialStore
) -> None:
    other.requests.answer(REQUESTED, request())
    store.requests.drop(ID)
    assert store.requests.expire(REQUESTED.created_at + 2 * TIME_LIMIT) == []
    assert store.verified(ID) == REQUESTED._replace(status=Status.UNKNOWN)
    assert (store.ids(), store.pending_ids()) == ([ID], [ID])
    other.requests.settle(ID)
    assert store.ids() == []


@pytest.mark.usefixtures("kept")
def test_an_approval_is_kept_after_its_code_was_sent_and_is_not_settled(
    store: CredentialStore, other: CredentialStore, tokens: TokenResponse
) -> None:
    store.requests.answer(REQUESTED, request())
    store.keep_pending(PENDING, tokens)
    other.requests.settle(ID)
    assert other.verified(ID) == PENDING
    assert other.tokens(ID).scope == tokens.scope


def test_a_sealed_text_is_kept_once_and_nothing_else_is_taken_for_one(
    store: CredentialStore, other: CredentialStore, tokens: TokenResponse
) -> None:
    store.prepare()
    sealed = store.sealed(PENDING, tokens)
    for wrong in (b"", sealed[:-20], sealed.replace(b"Acme", b"Bcme"), b"{}", b"[1]"):
        with pytest.raises((NotSealed, CredentialDamaged)):
            other.keep_sealed(wrong)
    assert other.ids() == []
    assert other.keep_sealed(sealed + b"\n") == PENDING
    assert store.tokens(ID).scope == tokens.scope
    store.create(PENDING._replace(status=Status.AUTHENTICATED), tokens)
    with pytest.raises(AlreadyThere):
        other.keep_sealed(sealed)


@pytest.mark.usefixtures("kept")
def test_an_approval_replaces_its_request_and_is_never_dropped(
    store: CredentialStore, other: CredentialStore, tokens: TokenResponse
) -> None:
    store.keep_pending(PENDING, tokens)
    assert not other.requests.waits(ID)
    other.requests.drop(ID)
    with pytest.raises(AnsweredElsewhere):
        other.requests.answer(REQUESTED, request())
    assert other.requests.expire(REQUESTED.created_at + 2 * TIME_LIMIT) == []
    assert store.verified(ID) == PENDING
    with pytest.raises(NotThere):
        store.requests.read(ID)


@pytest.mark.usefixtures("kept")
def test_a_request_can_be_stored_again_and_dropped(store: CredentialStore) -> None:
    store.requests.keep(REQUESTED._replace(name="Acme 2"), request("another_state"))
    assert store.requests.read(ID).state.reveal() == "another_state"
    store.requests.drop(ID)
    store.requests.drop(ID)
    assert store.ids() == []


@pytest.mark.usefixtures("kept")
def test_only_requests_past_their_time_limit_expire(store: CredentialStore) -> None:
    later = REQUESTED.created_at + timedelta(seconds=1)
    younger = REQUESTED._replace(id=YOUNGER, created_at=later)
    store.requests.keep(younger, request("state_younger"))
    assert store.requests.expire(REQUESTED.created_at) == []
    assert store.requests.expire(REQUESTED.created_at + TIME_LIMIT) == [REQUESTED]
    assert store.ids() == [YOUNGER]


@pytest.mark.usefixtures("kept")
def test_a_request_begun_by_a_clock_far_ahead_does_not_wait_until_then(
    store: CredentialStore,
) -> None:
    before = REQUESTED.created_at - timedelta(days=1)
    assert store.requests.expire(before) == [REQUESTED]
    assert store.ids() == []


def test_a_damaged_request_is_neither_answered_nor_removed(
    engine: Engine, store: CredentialStore, kept: Credential
) -> None:
    engine.damage(kept.id)
    requests = store.requests
    for ask in (requests.read, lambda _id: requests.answer(kept, request()), requests.waits):
        with pytest.raises(CredentialDamaged):
            ask(kept.id)
    assert store.requests.expire(kept.created_at + 2 * TIME_LIMIT) == []
    assert isinstance(store.read(kept.id), Damaged)
