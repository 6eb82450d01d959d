"""A list notices what another process changed."""

import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from m3cred_tui.model.credential import Credential, Status, TokenResponse, credential_id
from m3cred_tui.store.directory.store import DirectoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.store.directory.folder import Stamp

_LATER = 3_600_000_000_000
"""Nanoseconds; long after the last change."""


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the clock that separates old changes from new ones an hour ahead."""
    time_ns = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: time_ns() + _LATER)


def another(acme: Credential) -> Credential:
    return acme._replace(id=credential_id(acme.created_at, b"\xff" * 10))


@pytest.mark.usefixtures("later")
def test_a_stamp_stays_the_same_while_nothing_changes(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    assert store.stamp() == store.stamp() == ((), ())
    store.create(acme, tokens)
    stamp = store.stamp()
    store.read(acme.id)
    store.ids()
    assert store.stamp() == stamp


@pytest.mark.usefixtures("later")
def test_each_change_is_noticed_and_the_written_records_are_named(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    other, pending = another(acme), another(acme)._replace(status=Status.PENDING)
    changes: list[tuple[Callable[[], object], list[str]]] = [
        (lambda: store.create(acme, tokens), [acme.id]),
        (lambda: store.update(acme.id, lambda *before: before), [acme.id]),
        (lambda: store.keep_pending(pending, tokens), [other.id]),
        (lambda: store.keep_pending(pending, tokens), [other.id]),
        (lambda: store.create(other, tokens), [other.id]),
        (lambda: store.delete(acme.id), []),
        (lambda: store.delete(other.id), []),
    ]
    for change, written in changes:
        stamp = store.stamp()
        change()
        assert store.stamp() != stamp
        assert set(written) <= set(store.changed_since(stamp)) <= {acme.id, other.id}


def test_a_stamp_taken_in_the_same_tick_as_a_change_is_not_trusted(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    """An older kernel gives two changes within 10 ms the same time."""
    store.create(acme, tokens)
    stamp = store.stamp()
    assert store.stamp() != stamp
    assert store.changed_since(stamp) == [acme.id]


@pytest.mark.usefixtures("later")
def test_records_written_after_the_clock_was_set_back_are_named(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse
) -> None:
    store.create(acme, tokens)
    created, pending = cast("tuple[Stamp, Stamp]", store.stamp())
    from_the_future = (*created[:-1], created[-1] + _LATER)
    assert store.changed_since((from_the_future, pending)) == [acme.id]


@pytest.mark.usefixtures("later")
def test_a_directory_that_vanishes_and_returns_is_noticed(
    store: DirectoryStore, acme: Credential, tokens: TokenResponse, credentials: Path
) -> None:
    store.create(acme, tokens)
    stamp = store.stamp()
    shutil.rmtree(credentials.parent)
    gone = store.stamp()
    assert gone != stamp
    assert store.ids() == store.changed_since(stamp) == []
    assert store.read(acme.id) is None
    assert store.read_many([acme.id]) == [None]
    store.create(acme, tokens)
    assert store.stamp() not in (stamp, gone)
    assert store.changed_since(gone) == [acme.id]
