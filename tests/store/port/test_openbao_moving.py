"""Moving credentials between this machine and a team's store."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import pytest

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.moving import Outcome as Moving
from m3cred_tui.store.moving import move
from m3cred_tui.store.problems import StoreUnusable
from tests.store.port.engines import ENGINES
from tests.store.swept_operations import ID, OTHERS, PENDING, credential, tokens

if TYPE_CHECKING:
    from pathlib import Path

    from m3cred_tui.store.port import CredentialStore
    from tests.store.port.engines import Engine


class Two(NamedTuple):
    source: Engine
    target: Engine

    def outcomes(self, *, dry: bool = False) -> dict[str, str]:
        moved = move(self.source.open(), self.target.open(), dry=dry)
        return {one.row.id: one.outcome.value for one in moved}


@pytest.fixture(params=["directory", "openbao"])
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Two:
    for name in ENGINES:
        (tmp_path / name).mkdir()
    made = {name: make(tmp_path / name) for name, make in ENGINES.items()}
    source = made.pop(request.param)
    return Two(source, next(iter(made.values())))


@pytest.fixture
def source(two: Two) -> CredentialStore:
    store = two.source.open()
    store.prepare()
    for one in OTHERS:
        store.create(credential(one, f"Name {one[-1]}"), tokens(f"sk_live_{one[-1]}"))
    store.keep_pending(PENDING, tokens())
    return store


@pytest.mark.usefixtures("source")
def test_what_is_moved_is_there_whole_and_no_longer_here(two: Two) -> None:
    checked = CheckResult(Outcome.OK, credential().created_at)
    two.source.open().checks.keep({OTHERS[0]: checked})
    assert two.outcomes() == {**dict.fromkeys(OTHERS, "moved"), ID: "pending"}
    there = two.target.open()
    assert sorted(there.ids()) == sorted(OTHERS)
    for one in OTHERS:
        row, kept = there.opened(one)
        assert row == credential(one, f"Name {one[-1]}")
        assert kept.access_token is not None
        assert kept.access_token.reveal() == f"sk_live_{one[-1]}"
    assert there.checks.read() == {OTHERS[0]: checked}
    assert two.source.open().ids() == [ID]


@pytest.mark.usefixtures("source")
def test_a_dry_run_changes_nothing(two: Two) -> None:
    assert two.outcomes(dry=True) == {**dict.fromkeys(OTHERS, "moved"), ID: "pending"}
    assert two.target.open().ids() == []
    assert len(two.source.open().ids()) == 4


def test_the_same_is_only_removed_here_and_another_is_left_where_it_is(
    two: Two, source: CredentialStore
) -> None:
    same, another, damaged = OTHERS
    there = two.target.open()
    there.create(credential(same, f"Name {same[-1]}"), tokens(f"sk_live_{same[-1]}"))
    there.create(credential(another, f"Name {another[-1]}"), tokens("sk_live_older"))
    two.source.damage(damaged)
    expected = {same: "was_there", another: "differs", damaged: "damaged", ID: "pending"}
    assert two.outcomes() == expected
    assert sorted(source.ids()) == sorted([another, damaged, ID])
    kept = two.target.open().tokens(another).access_token
    assert kept is not None
    assert kept.reveal() == "sk_live_older"


def test_it_can_be_run_again_after_it_was_interrupted_anywhere(
    two: Two, source: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = two.source.open()
    monkeypatch.setattr(stopping, "delete", _stop)
    with pytest.raises(KeyboardInterrupt):
        list(move(stopping, two.target.open(), dry=False))
    assert len(source.ids()) == 4
    assert len(two.target.open().ids()) == 1
    assert sorted(two.outcomes().values()) == ["moved", "moved", "pending", "was_there"]


def _stop(*_given: object) -> None:
    raise KeyboardInterrupt


def test_a_store_that_does_not_answer_is_one_sentence_and_nothing_is_removed(
    two: Two, source: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = two.target.open()
    monkeypatch.setattr(target, "create", _refuse)
    moved = list(move(source, target, dry=False))
    failed = [one for one in moved if one.outcome is Moving.FAILED]
    assert len(failed) == 3
    assert all("cannot be used: it is gone" in one.told for one in failed)
    assert len(source.ids()) == 4


def _refuse(*_given: object) -> None:
    raise StoreUnusable("the store", "it is gone")


@pytest.mark.parametrize("moment", ["create", "delete"])
def test_new_tokens_are_not_removed_with_the_copy_that_was_moved(
    moment: str, two: Two, source: CredentialStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = {"create": two.target.open(), "delete": two.source.open()}
    act, numbers = getattr(ends[moment], moment), count()

    def acting(*given: object) -> object:
        if moment == "delete":
            _approve(source, f"sk_live_new_{next(numbers)}")
        acted = act(*given)
        if moment == "create":
            _approve(source, f"sk_live_new_{next(numbers)}")
        return acted

    monkeypatch.setattr(ends[moment], moment, acting)
    moving = {one.row.id: one for one in move(ends["delete"], ends["create"], dry=False)}
    assert moving[OTHERS[0]].outcome is Moving.DIFFERS
    kept = source.tokens(OTHERS[0]).access_token
    assert kept is not None
    assert kept.reveal() == "sk_live_new_2"
    assert two.target.open().read(OTHERS[0]) is None
    assert two.outcomes() == {OTHERS[0]: "moved", ID: "pending"}


def _approve(store: CredentialStore, secret: str) -> None:
    store.update(OTHERS[0], lambda row, kept: (row, kept._replace(access_token=Secret(secret))))
