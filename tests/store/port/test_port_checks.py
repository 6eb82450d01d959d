"""The results of checks, and the disconnections that were begun."""

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import TokenResponse
from m3cred_tui.store.port import CredentialStore
from tests.store.swept_operations import OTHERS, credential

AT = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
OK = CheckResult(Outcome.OK, AT)
REVOKED = CheckResult(Outcome.REVOKED, AT, "The account gives no access.")


@pytest.fixture
def ids(store: CredentialStore, tokens: TokenResponse) -> list[str]:
    for number, one in enumerate(OTHERS):
        store.create(credential(one, f"Name {number}"), tokens)
    return list(OTHERS)


@pytest.mark.parametrize("outcome", Outcome)
def test_each_outcome_is_read_as_it_was_stored_and_has_a_label(
    store: CredentialStore, ids: list[str], outcome: Outcome
) -> None:
    result = CheckResult(outcome, AT, "Why.")
    store.checks.keep({ids[0]: result})
    assert store.checks.read() == {ids[0]: result}
    assert result.label == outcome.value.replace("_", " ")


def test_results_are_added_to_earlier_ones_and_the_later_one_counts(
    store: CredentialStore, ids: list[str]
) -> None:
    later = CheckResult(Outcome.OK, AT + timedelta(seconds=1))
    store.checks.keep({ids[0]: REVOKED, ids[1]: later})
    store.checks.keep({ids[0]: later, ids[1]: REVOKED, ids[2]: OK})
    assert store.checks.read() == {ids[0]: later, ids[1]: later, ids[2]: OK}


def test_the_result_of_a_deleted_credential_is_dropped(
    store: CredentialStore, ids: list[str]
) -> None:
    store.checks.keep(dict.fromkeys(ids, OK))
    store.delete(ids[0])
    store.checks.keep({ids[0]: REVOKED, ids[1]: REVOKED})
    assert store.checks.read() == {ids[1]: REVOKED, ids[2]: OK}


def test_processes_that_store_results_simultaneously_lose_nothing(
    store: CredentialStore, ids: list[str]
) -> None:
    writers = [Thread(target=store.checks.keep, args=({one: OK},)) for one in ids * 5]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert store.checks.read() == dict.fromkeys(ids, OK)


def test_a_list_notices_the_checks_of_another_process(
    store: CredentialStore, other: CredentialStore, ids: list[str]
) -> None:
    stamps = [store.checks.stamp()]
    for result in (OK, REVOKED, OK):
        other.checks.keep({ids[0]: result})
        stamps.append(store.checks.stamp())
    assert len(set(stamps)) == 4
    assert store.checks.read() == {ids[0]: OK}


def test_a_disconnection_is_remembered_by_every_process_until_it_ends(
    store: CredentialStore, other: CredentialStore, ids: list[str]
) -> None:
    assert store.disconnecting.ids() == []
    assert not store.disconnecting.begin(ids[0])
    assert other.disconnecting.begin(ids[0]), "it was begun before"
    assert other.disconnecting.ids() == [ids[0]]
    other.disconnecting.end(ids[0])
    other.disconnecting.end(ids[0])
    assert store.disconnecting.ids() == []
    assert not store.disconnecting.begin(ids[0])


def test_the_disconnection_of_a_deleted_credential_is_forgotten(
    store: CredentialStore, other: CredentialStore, ids: list[str]
) -> None:
    store.disconnecting.begin(ids[0])
    other.delete(ids[0])
    assert store.disconnecting.ids() == []
