"""A refresh that Stripe answered, but a proxy turned the answer into a failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from m3cred_tui.stripe.problems import ReplyLost, StripeFailed, StripeProblem, StripeRefused
from m3cred_tui.upkeep.problems import AnswerLost
from tests.upkeep.stub import HANG_UP, Answer
from tests.upkeep.test_upkeep_refresh import Answering, expired, left_over, new, used

if TYPE_CHECKING:
    from datetime import timedelta

    from tests.upkeep.conftest import World
    from tests.upkeep.stub import Asked

FAILED = Answer(504)
DEAD = Answer(400, {"error": "invalid_grant"})


class Answered(Answering):
    """Stripe, which has answered the first request, but a proxy fails on the way."""

    def __init__(self, *on_the_way: Answer | None) -> None:
        super().__init__()
        self.on_the_way = list(on_the_way)

    async def __call__(self, asked: Asked) -> Answer:
        self.keys.append(asked.headers["idempotency-key"])
        went_wrong = self.on_the_way.pop(0) if self.on_the_way else None
        if went_wrong:
            return went_wrong
        first, now = self.keys[0], self.keys[-1]
        if now == first:
            return new(1)
        return DEAD if now.startswith(first.removesuffix("0")) else new(2)

    @property
    def numbers(self) -> list[str]:
        return [key.rpartition("-")[2] for key in self.keys]


async def fails(world: World, one: str, problem: type[StripeProblem]) -> None:
    with pytest.raises(problem):
        await used(world, one)


def age(world: World, one: str) -> timedelta:
    obtained_at = world.store.tokens(one).obtained_at
    assert obtained_at
    return world.clock() - obtained_at


async def test_an_answer_withheld_by_a_proxy_is_found_later(world: World) -> None:
    one, stripe = world.connect(), Answered(FAILED)
    async with expired(world, stripe):
        await fails(world, one, StripeFailed)
        world.clock.go_on(minutes=11)
        assert await used(world, one) == "rk_test_new1"
    assert (stripe.numbers, left_over(world, one)) == (["0", "1", "0"], set())
    assert age(world, one).total_seconds() == 11 * 60, "it is not taken for younger"


async def test_it_is_found_after_any_number_of_failures(world: World) -> None:
    one, stripe = world.connect(), Answered(FAILED, FAILED, FAILED)
    async with expired(world, stripe):
        for _ in range(3):
            await fails(world, one, StripeFailed)
            world.clock.go_on(minutes=11)
        assert await used(world, one) == "rk_test_new1"
    assert stripe.numbers == ["0", "1", "2", "3", "2", "1", "0"]
    assert age(world, one).total_seconds() == 33 * 60


async def test_an_expired_answer_is_replaced_as_soon_as_it_is_found(
    world: World,
) -> None:
    one, stripe = world.connect(), Answered(FAILED)
    async with expired(world, stripe):
        await fails(world, one, StripeFailed)
        world.clock.go_on(hours=3)
        assert await used(world, one) == "rk_test_new2"
    assert age(world, one).total_seconds() == 0


@pytest.mark.parametrize(
    ("trouble", "problem"), [(FAILED, StripeFailed), (HANG_UP, ReplyLost)], ids=["504", "lost"]
)
async def test_creating_again_is_not_suggested_while_the_answer_may_exist(
    world: World, trouble: Answer, problem: type[StripeProblem]
) -> None:
    one, stripe = world.connect(), Answered(FAILED, None, trouble, None, trouble)
    async with expired(world, stripe):
        await fails(world, one, StripeFailed)
        for _ in range(2):
            world.clock.go_on(minutes=11)
            await fails(world, one, problem)
        assert await used(world, one) == "rk_test_new1"
    assert stripe.numbers == ["0", "1", "0", "1", "0", "1", "0"]


async def test_a_revoked_credential_is_reported_after_an_earlier_failure(world: World) -> None:
    one, stripe = world.connect(), Answering(FAILED, DEAD, DEAD)
    async with expired(world, stripe):
        await fails(world, one, StripeFailed)
        world.clock.go_on(minutes=11)
        with pytest.raises(StripeRefused, match="authorize the credential again"):
            await used(world, one)
    assert left_over(world, one) == set()


async def test_the_answer_to_a_refresh_begun_over_a_day_ago_is_gone(world: World) -> None:
    one, stripe = world.connect(), Answering(FAILED, FAILED, DEAD, DEAD, DEAD)
    async with expired(world, stripe):
        for _ in range(2):
            await fails(world, one, StripeFailed)
            world.clock.go_on(hours=13)
        with pytest.raises(AnswerLost, match="begun on 2026-03-04 at 07:06 UTC, was not fin"):
            await used(world, one)
