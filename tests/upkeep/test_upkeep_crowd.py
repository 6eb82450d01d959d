"""Single-use refresh tokens, many processes, and kills: no account is ever lost."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.upkeep.forking import Ask, Forks, Told, asked, forks

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.upkeep.conftest import World

pytestmark = pytest.mark.timeout(180)

SEED = 20260304
ROUNDS, PROCESSES, DOOMED = 12, 8, 6


@pytest.fixture
def forking() -> Iterator[Forks]:
    with forks() as started:
        yield started


def refreshes(world: World) -> int:
    """Return how often Stripe has replaced tokens, not counting repeated answers."""
    return len(world.demo._refresh_tokens) - 1


def is_connected(world: World, token: str) -> bool:
    held = world.demo.access_token(token)
    return bool(held and held.is_valid(token, world.demo.now()))


def tokens_used(crowd: list[Told]) -> set[str]:
    assert {told.outcome for told in crowd} <= {"used", "killed"}, crowd
    return {told.told for told in crowd if told.outcome == "used"}


@pytest.mark.long
def test_a_crowd_refreshes_once_an_hour_and_uses_the_same_token(
    world: World, tmp_path: Path, forking: Forks
) -> None:
    one = world.connect()
    for hour in range(1, 4):
        world.clock.go_on(hours=1)
        crowd = forking.crowd(asked(world, tmp_path, "access", one), [0] * PROCESSES)
        assert tokens_used(crowd) == {world.access_token(one)}
        assert refreshes(world) == hour
        assert is_connected(world, world.access_token(one))


@pytest.mark.long
def test_a_crowd_of_which_most_are_killed_loses_no_account_and_never_refreshes_twice(
    world: World, tmp_path: Path, forking: Forks
) -> None:
    one, chance = world.connect(), random.Random(SEED)
    ended: Counter[str] = Counter()
    [alone] = forking.crowd(asked(world, tmp_path, "access", one), [0])
    steps = 0
    for hour in range(1, ROUNDS + 1):
        world.clock.go_on(hours=1)
        ask = asked(world, tmp_path, "access", one)
        kills = [chance.randint(alone.steps, steps) if steps else 0 for _ in range(DOOMED)]
        crowd = forking.crowd(ask, [*kills, *[0] * (PROCESSES - DOOMED)])
        steps = steps or max(told.steps for told in crowd)
        ended.update(told.outcome for told in crowd)
        [last] = forking.crowd(ask, [0])
        assert tokens_used([*crowd, last]) == {world.access_token(one)}
        assert refreshes(world) == hour, crowd
        assert is_connected(world, last.told)
    assert ended["killed"] > ROUNDS, ended


@pytest.mark.long
def test_killed_at_any_step_of_a_refresh_the_next_one_has_the_one_answer(
    world: World, tmp_path: Path, forking: Forks
) -> None:
    one = world.connect()

    def ask() -> Ask:
        world.clock.go_on(hours=1)
        return asked(world, tmp_path, "access", one)

    forking.crowd(ask(), [0])
    [whole] = forking.crowd(ask(), [0])
    died = died_after_stripe_was_asked = 0
    for step in range(1, whole.steps + 1):
        before = refreshes(world)
        again = ask()
        [killed] = forking.crowd(again, [step])
        # Stripe's answer arrives in one piece or in two.
        died += killed.outcome == "killed"
        died_after_stripe_was_asked += refreshes(world) > before
        [then] = forking.crowd(again, [0])
        assert tokens_used([then]) == {world.access_token(one)}, step
        assert refreshes(world) == before + 1, step
        assert is_connected(world, then.told), step
    assert died >= whole.steps - 2
    assert died_after_stripe_was_asked > 5


@pytest.mark.long
def test_killed_at_any_step_of_a_disconnection_the_next_start_shows_and_finishes_it(
    world: World, tmp_path: Path, forking: Forks
) -> None:
    found = set()

    def killed(step: int) -> tuple[str, Told]:
        one = world.connect()
        return one, forking.crowd(asked(world, tmp_path, "disconnect", one), [step])[0]

    killed(0)
    _, whole = killed(0)
    assert whole.told.endswith("was disconnected at Stripe, and the credential was deleted.")
    for step in range(1, whole.steps + 1):
        one, _ = killed(step)
        is_there, is_connected = one in world.store.ids(), bool(world.demo.connections())
        is_shown = world.store.disconnecting.ids() == [one]
        assert is_shown or is_there == is_connected, step
        found.add((is_there, is_connected, is_shown))
        if is_there:
            [then] = forking.crowd(asked(world, tmp_path, "disconnect", one), [0])
            assert "and the credential was deleted" in then.told
        assert (world.store.ids(), world.demo.connections()) == ([], []), step
        assert world.store.disconnecting.ids() == []
    assert found == {
        (True, True, False),
        (True, True, True),
        (True, False, True),
        (False, False, False),
    }
