"""Creating, changing, deleting and listing credentials, with any engine."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.credential import Credential, TokenResponse, credential_id
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.port import Damaged, Newest
from m3cred_tui.store.problems import (
    AlreadyThere,
    CannotBeKept,
    CredentialDamaged,
    NameTaken,
    NotThere,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.store.port import Change, CredentialStore
    from tests.store.port.engines import Engine


@pytest.fixture
def oldest_first(store: CredentialStore, acme: Credential, tokens: TokenResponse) -> list[str]:
    ids = []
    for minutes in (0, 1, 2, 60, 1_000_000):
        created_at = acme.created_at + timedelta(minutes=minutes)
        ids.append(credential_id(created_at, bytes(10)))
        store.create(acme._replace(id=ids[-1], created_at=created_at), tokens)
    return ids


def another(acme: Credential) -> Credential:
    return acme._replace(id=credential_id(acme.created_at, b"\xff" * 10))


def test_the_newest_credential_is_first(
    store: CredentialStore, oldest_first: list[str]
) -> None:
    assert store.ids() == oldest_first[::-1]


@pytest.mark.parametrize("most", [0, 1, 3, 5, 50])
def test_the_first_screen_is_the_beginning_of_the_list(
    most: int, store: CredentialStore, oldest_first: list[str]
) -> None:
    assert store.newest(most) == Newest(oldest_first[::-1][:most], 5)


def test_pending_credentials_are_listed_before_the_others(
    store: CredentialStore, oldest_first: list[str], pending: Credential, tokens: TokenResponse
) -> None:
    long_ago = credential_id(pending.created_at - timedelta(days=365), bytes(10))
    store.keep_pending(pending._replace(id=long_ago), tokens)
    assert store.pending_ids() == [long_ago]
    assert store.ids() == [long_ago, *oldest_first[::-1]]
    assert store.newest(2) == Newest([long_ago, oldest_first[-1]], 6)


def test_an_approval_is_listed_and_has_its_secrets(
    store: CredentialStore, pending: Credential, tokens: TokenResponse
) -> None:
    store.keep_pending(pending, tokens)
    assert store.ids() == [pending.id]
    assert store.newest(5) == ([pending.id], 1)
    assert store.read(pending.id) == store.verified(pending.id) == pending
    assert store.read_many([pending.id]) == [pending]
    assert store.tokens(pending.id).scope == "read_write"


def test_storing_it_again_replaces_it(
    store: CredentialStore, pending: Credential, tokens: TokenResponse
) -> None:
    store.keep_pending(pending, tokens)
    anew = tokens._replace(access_token=Secret("sk_live_anew"))
    store.keep_pending(pending._replace(name="Acme anew"), anew)
    assert store.read(pending.id) == pending._replace(name="Acme anew")
    kept = store.tokens(pending.id).access_token
    assert kept is not None
    assert kept.reveal() == "sk_live_anew"


def test_a_created_credential_is_not_hidden_by_an_approval_with_its_id(
    store: CredentialStore, acme: Credential, pending: Credential, tokens: TokenResponse
) -> None:
    store.create(acme, tokens)
    with pytest.raises(AlreadyThere):
        store.keep_pending(pending, tokens)
    assert store.read(acme.id) == acme


def test_an_update_changes_fields_and_secrets_and_returns_them(
    store: CredentialStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.create(acme, tokens)
    renamed = acme._replace(name="Acme renamed")
    new = tokens._replace(access_token=Secret("sk_live_new"))
    given: list[tuple[object, object]] = []

    def change(before: Credential, secrets: TokenResponse) -> tuple[Credential, TokenResponse]:
        given.append((before, secrets.scope))
        return renamed, new

    assert store.update(acme.id, change) == renamed
    assert given == [(acme, "read_write")]
    assert store.verified(acme.id) == renamed
    kept = store.tokens(acme.id).access_token
    assert kept is not None
    assert kept.reveal() == "sk_live_new"


def test_an_update_of_a_pending_credential_or_to_another_id_changes_nothing(
    store: CredentialStore, acme: Credential, pending: Credential, tokens: TokenResponse
) -> None:
    with pytest.raises(NotThere):
        store.update(acme.id, lambda *before: before)
    store.keep_pending(pending, tokens)
    with pytest.raises(NotThere):
        store.update(acme.id, lambda *before: before)
    store.create(acme, tokens)
    other = another(acme)
    with pytest.raises(CannotBeKept, match="its ID would change"):
        store.update(acme.id, lambda _before, secrets: (other, secrets))
    assert store.ids() == [acme.id]
    assert store.read(acme.id) == acme


def test_an_update_whose_change_fails_changes_nothing(
    store: CredentialStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.create(acme, tokens)

    def change(*_before: object) -> tuple[Credential, TokenResponse]:
        raise KeyError("no such account")

    with pytest.raises(KeyError):
        store.update(acme.id, change)
    assert store.verified(acme.id) == acme
    store.update(acme.id, lambda row, secrets: (row._replace(name="Acme 2"), secrets))
    assert store.verified(acme.id) == acme._replace(name="Acme 2")


def test_a_created_credential_replaces_the_pending_one(
    store: CredentialStore, acme: Credential, pending: Credential, tokens: TokenResponse
) -> None:
    store.prepare()
    store.keep_pending(pending, tokens)
    store.create(acme, tokens)
    assert (store.ids(), store.pending_ids()) == ([acme.id], [])
    assert store.verified(acme.id) == acme


def test_a_damaged_record_is_a_row_that_says_so_and_can_only_be_deleted(
    engine: Engine, store: CredentialStore, acme: Credential, tokens: TokenResponse
) -> None:
    whole = another(acme)
    store.create(acme, tokens)
    store.create(whole, tokens)
    engine.damage(acme.id)
    for row in (store.read(acme.id), store.verified(acme.id), *store.read_many([acme.id])):
        assert isinstance(row, Damaged)
        assert (row.id, bool(row.reason)) == (acme.id, True)
    with pytest.raises(CredentialDamaged):
        store.opened(acme.id)
    with pytest.raises(CredentialDamaged):
        store.update(acme.id, lambda *before: before)
    with pytest.raises(AlreadyThere):
        store.create(acme, tokens)
    assert sorted(store.ids()) == sorted([acme.id, whole.id])
    assert store.read_many([whole.id, acme.id[:-1] + "1"]) == [whole, None]
    store.delete(acme.id)
    assert store.ids() == [whole.id]


def test_a_change_of_one_process_is_seen_by_the_other(
    store: CredentialStore, other: CredentialStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.create(acme, tokens)
    assert other.verified(acme.id) == acme
    other.update(acme.id, lambda row, secrets: (row._replace(name="Acme 2"), secrets))
    assert store.read(acme.id) == acme._replace(name="Acme 2")
    other.delete(acme.id)
    assert (store.ids(), store.read(acme.id)) == ([], None)


def test_each_change_of_another_process_is_noticed_and_the_written_records_are_named(
    store: CredentialStore,
    other: CredentialStore,
    acme: Credential,
    pending: Credential,
    tokens: TokenResponse,
) -> None:
    bolt = another(acme)
    changes: list[tuple[Callable[[], object], set[str]]] = [
        (lambda: other.create(acme, tokens), {acme.id}),
        (lambda: other.update(acme.id, lambda *before: before), {acme.id}),
        (lambda: other.keep_pending(pending._replace(id=bolt.id), tokens), {bolt.id}),
        (lambda: other.create(bolt, tokens), {bolt.id}),
        (lambda: other.delete(acme.id), set()),
        (lambda: other.delete(bolt.id), set()),
    ]
    for change, written in changes:
        stamp = store.stamp()
        change()
        assert store.stamp() != stamp
        assert written <= set(store.changed_since(stamp)) <= {acme.id, bolt.id}


def test_no_two_credentials_get_one_name_when_both_looked_before_either_did(
    store: CredentialStore, other: CredentialStore, acme: Credential, tokens: TokenResponse
) -> None:
    bolt = another(acme)._replace(name="Bolt")
    coil = acme._replace(
        id=credential_id(acme.created_at, b"\xee" * 10), name="Coil", created_by="bob"
    )
    store.create(acme, tokens)
    store.create(bolt, tokens)
    seen = store.stamp()
    store.update(acme.id, lambda row, secrets: (row._replace(name="Coil"), secrets), seen)
    with pytest.raises(NameTaken, match="“coil”"):
        other.update(bolt.id, lambda row, secrets: (row._replace(name="coil"), secrets), seen)
    with pytest.raises(NameTaken, match="“Coil”"):
        other.create(coil, tokens, seen)
    # Its own name, in other letters, is no other's.
    store.update(acme.id, lambda row, secrets: (row._replace(name="COIL"), secrets), seen)
    names = [row.name for row in other.read_many(other.ids()) if isinstance(row, Credential)]
    assert names == ["Bolt", "COIL"]


@pytest.fixture
def approved_again(
    store: CredentialStore, acme: Credential, pending: Credential, tokens: TokenResponse
) -> Credential:
    """Have a credential, and an approval that renews it."""
    store.create(acme, tokens)
    renewal = another(pending)._replace(renews=acme.id)
    store.keep_pending(renewal, tokens._replace(access_token=Secret("sk_live_again")))
    return renewal


def renewing(pending: Credential, store: CredentialStore) -> Change:
    again = store.tokens(pending.id)
    return lambda row, _: (row._replace(account=pending.account, approval=pending.id), again)


def test_a_pending_renewal_leaves_the_credential_and_its_tokens_as_they_are(
    store: CredentialStore, other: CredentialStore, acme: Credential, approved_again: Credential
) -> None:
    assert other.read(approved_again.id) == other.verified(approved_again.id) == approved_again
    assert other.pending_ids() == [approved_again.id]
    assert other.ids() == [approved_again.id, acme.id]
    assert other.verified(acme.id) == acme
    kept = other.tokens(acme.id).access_token
    assert kept is not None
    assert kept.reveal() != "sk_live_again"


def test_a_renewal_replaces_account_and_tokens_under_the_same_id_and_is_gone_after_that(
    store: CredentialStore, other: CredentialStore, acme: Credential, approved_again: Credential
) -> None:
    renewed = store.renew(acme.id, approved_again.id, renewing(approved_again, store))
    assert renewed == acme._replace(approval=approved_again.id)
    assert other.verified(acme.id) == renewed
    assert (other.ids(), other.pending_ids()) == ([acme.id], [])
    assert other.newest(5) == Newest([acme.id], 1)
    kept = other.tokens(acme.id).access_token
    assert kept is not None
    assert kept.reveal() == "sk_live_again"


def test_a_renewal_that_was_killed_halfway_is_seen_as_done_and_swept(
    store: CredentialStore, other: CredentialStore, acme: Credential, approved_again: Credential
) -> None:
    store.update(acme.id, renewing(approved_again, store))  # and no more
    assert (other.ids(), other.pending_ids()) == ([acme.id], [])
    other.prepare()
    assert other.read(approved_again.id) is None
    assert other.tokens(acme.id).scope == "read_write"


def test_an_approval_whose_credential_was_deleted_meanwhile_stays(
    store: CredentialStore, other: CredentialStore, acme: Credential, approved_again: Credential
) -> None:
    change = renewing(approved_again, store)
    other.delete(acme.id)
    with pytest.raises(NotThere):
        store.renew(acme.id, approved_again.id, change)
    other.prepare()
    assert other.ids() == [approved_again.id]
    assert other.tokens(approved_again.id).scope == "read_write"


def test_a_renewal_whose_change_fails_changes_nothing(
    store: CredentialStore, acme: Credential, approved_again: Credential
) -> None:
    def change(*_before: object) -> tuple[Credential, TokenResponse]:
        raise KeyError("another account")

    with pytest.raises(KeyError):
        store.renew(acme.id, approved_again.id, change)
    assert store.ids() == [approved_again.id, acme.id]
    assert store.verified(acme.id) == acme
