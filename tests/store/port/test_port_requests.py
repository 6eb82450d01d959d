"""An authorization request is answered once, in whichever process."""

from datetime import timedelta

import pytest

from m3cred_tui.model.authorization import TIME_LIMIT
from m3cred_tui.model.credential import Credential, TokenResponse
from m3cred_tui.store.port import CredentialStore, Damaged
from m3cred_tui.store.problems import AnsweredElsewhere, CredentialDamaged, NotThere
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
    other.requests.answer(ID)
    with pytest.raises(AnsweredElsewhere):
        store.requests.answer(ID)
    assert not store.requests.waits(ID)
    with pytest.raises(NotThere):
        store.requests.read(ID)
    assert store.ids() == []


@pytest.mark.usefixtures("kept")
def test_an_approval_replaces_its_request_and_is_never_dropped(
    store: CredentialStore, other: CredentialStore, tokens: TokenResponse
) -> None:
    store.keep_pending(PENDING, tokens)
    assert not other.requests.waits(ID)
    other.requests.drop(ID)
    with pytest.raises(AnsweredElsewhere):
        other.requests.answer(ID)
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
    for ask in (store.requests.read, store.requests.answer, store.requests.waits):
        with pytest.raises(CredentialDamaged):
            ask(kept.id)
    assert store.requests.expire(kept.created_at + 2 * TIME_LIMIT) == []
    assert isinstance(store.read(kept.id), Damaged)
