"""The tokens of a credential are replaced once, in one process at a time."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from m3cred_tui.model.credential import (
    Credential,
    Event,
    Happened,
    OAuthModel,
    TokenResponse,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.store.problems import CredentialDamaged, NotThere
from tests.store.port.engines import Engine

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def numbered(number: int) -> TokenResponse:
    return TokenResponse(
        "acct_1Acme",
        True,
        "stripe_apps",
        Secret(f"rk_{number}"),
        Secret(f"rt_{number}"),
        oauth=OAuthModel.APPS,
        obtained_at=NOW + number * timedelta(hours=1),
    )


def access(tokens: TokenResponse) -> str:
    assert tokens.access_token is not None
    return tokens.access_token.reveal()


@pytest.fixture
def one(store: CredentialStore, acme: Credential) -> str:
    store.create(acme, numbered(0))
    return acme.id


def test_the_answer_replaces_the_tokens(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    with store.refreshes.begun(one) as refresh:
        assert access(refresh.tokens) == "rk_0"
        assert refresh.unanswered is None
        asked = refresh.ask(NOW)
        assert asked.is_for(numbered(0))
        refresh.keep(numbered(1))
        assert access(refresh.tokens) == "rk_1"
        assert refresh.unanswered is None
        assert refresh.ask(NOW).key != asked.key
    assert access(other.tokens(one)) == "rk_1"


def test_a_refresh_puts_off_the_end_of_the_credential(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    begun, year = store.read(one), timedelta(days=365)
    assert isinstance(begun, Credential)
    assert begun.expires_at == NOW + year
    with store.refreshes.begun(one) as refresh:
        refresh.ask(NOW)
        refresh.keep(numbered(1))
    refreshed = other.read(one)
    assert refreshed == begun._replace(expires_at=NOW + timedelta(hours=1) + year)
    assert other.verified(one) == refreshed
    connect = numbered(2)._replace(oauth=OAuthModel.CONNECT)
    authorized = store.update(one, lambda now, _before: (now, connect))
    assert authorized == other.read(one) == begun._replace(expires_at=None)


def test_an_unanswered_refresh_is_requested_again_with_the_same_key_by_the_next_process(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    with store.refreshes.begun(one) as refresh:
        asked = refresh.ask(NOW)
    with other.refreshes.begun(one) as refresh:
        assert refresh.unanswered == asked
        assert refresh.ask(NOW + timedelta(hours=1)) == asked


def test_a_key_that_has_failed_for_ten_minutes_is_replaced(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    with store.refreshes.begun(one) as refresh:
        first = refresh.ask(NOW)
        refresh.failed(first)
        assert refresh.ask(NOW + 9 * MINUTE).key == first.key
        second = refresh.ask(NOW + 10 * MINUTE)
    assert second.key != first.key
    assert (second.begun_at, second.earlier) == (NOW, first)
    with other.refreshes.begun(one) as refresh:
        assert refresh.unanswered == second


def test_a_forgotten_refresh_is_requested_as_if_for_the_first_time(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    with store.refreshes.begun(one) as refresh:
        refresh.ask(NOW)
        refresh.forget()
    with other.refreshes.begun(one) as refresh:
        assert refresh.unanswered is None
        assert refresh.ask(NOW + MINUTE).at == NOW + MINUTE


def test_two_processes_do_not_refresh_simultaneously(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    seen = []

    def refresh_elsewhere() -> None:
        with other.refreshes.begun(one) as refresh:
            seen.append(access(refresh.tokens))

    elsewhere = Thread(target=refresh_elsewhere)
    with store.refreshes.begun(one) as refresh:
        elsewhere.start()
        refresh.ask(NOW)
        refresh.keep(numbered(1))
    elsewhere.join()
    assert seen == ["rk_1"]


def test_tokens_of_another_approval_are_not_replaced_and_a_new_name_stays(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    with store.refreshes.begun(one) as refresh:
        refresh.ask(NOW)
        other.update(one, lambda row, tokens: (row._replace(name="Acme 2"), tokens))
        refresh.keep(numbered(1))
        refresh.ask(NOW)
        other.update(one, lambda row, _tokens: (row, numbered(7)))
        refresh.keep(numbered(2))
        assert access(refresh.tokens) == "rk_7"
    row, tokens = other.opened(one)
    assert (row.name, access(tokens)) == ("Acme 2", "rk_7")


def test_a_deleted_pending_or_damaged_credential_is_not_refreshed(
    engine: Engine, store: CredentialStore, one: str, pending: Credential
) -> None:
    engine.damage(one)
    with pytest.raises(CredentialDamaged), store.refreshes.begun(one):
        pass
    store.delete(one)
    with pytest.raises(NotThere), store.refreshes.begun(one):
        pass
    store.keep_pending(pending, numbered(0))
    with pytest.raises(NotThere), store.refreshes.begun(one):
        pass


def test_a_credential_that_is_deleted_while_stripe_is_asked_stays_deleted(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    with store.refreshes.begun(one) as refresh:
        refresh.ask(NOW)
        other.delete(one)
        with pytest.raises(NotThere):
            refresh.keep(numbered(1))
    assert store.ids() == []


def test_a_refresh_is_remembered_next_to_what_happened_meanwhile_and_only_the_last_one(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    renamed = Event(Happened.RENAMED, NOW + MINUTE, "bob", "Acme")
    with store.refreshes.begun(one) as refresh:
        refresh.ask(NOW)
        refresh.keep(numbered(1), Event(Happened.REFRESHED, NOW, "ann"))
        refresh.ask(NOW)
        other.update(one, lambda row, tokens: (row.remembering(renamed), tokens))
        last = Event(Happened.REFRESHED, NOW + 2 * MINUTE, "ann")
        refresh.keep(numbered(2), last)
    row = other.verified(one)
    assert isinstance(row, Credential)
    assert row.history == (renamed, last)
    assert access(other.tokens(one)) == "rk_2"


def test_a_refresh_that_was_in_flight_leaves_the_tokens_of_another_approval(
    store: CredentialStore, other: CredentialStore, one: str
) -> None:
    approval = "0196d5c8-0000-7000-8000-00000000000d"
    with store.refreshes.begun(one) as refresh:
        refresh.ask(NOW)
        other.renew(one, approval, lambda row, _: (row, numbered(7)))
        refresh.keep(numbered(1), Event(Happened.REFRESHED, NOW, "ann"))
        assert access(refresh.tokens) == "rk_7"
    assert access(other.tokens(one)) == "rk_7"
    with store.refreshes.begun(one) as refresh:
        assert refresh.unanswered is None
