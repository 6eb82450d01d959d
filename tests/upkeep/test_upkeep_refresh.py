"""A refresh whose answer is lost, refused, late or without room on the disk."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.check import Outcome
from m3cred_tui.model.credential import STRIPE_TEST, Credential
from m3cred_tui.store import lock
from m3cred_tui.store.directory import refreshing
from m3cred_tui.store.problems import NotThere, StoreBusy, StoreUnusable
from m3cred_tui.stripe.problems import (
    ReplyLost,
    StripeFailed,
    StripeProblem,
    StripeRefused,
    StripeUnreachable,
)
from m3cred_tui.upkeep.problems import AnswerLost
from tests.upkeep.conftest import threads_going_on
from tests.upkeep.stub import HANG_UP, Answer, Asked, refused, stub_stripe

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from m3cred_tui.demo_stripe.grants import TokenReply
    from tests.upkeep.conftest import World


class Answering:
    """Stripe, which answers refreshes one after the other, and keeps the keys it was sent."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.keys: list[str] = []
        self.arrived, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()

    async def __call__(self, asked: Asked) -> Answer:
        assert asked.line == "POST /v1/oauth/token HTTP/1.1"
        self.keys.append(asked.headers["idempotency-key"])
        self.arrived.set()
        await self.go_on.wait()
        return self.answers.pop(0)


def new(number: int) -> Answer:
    tokens = {"access_token": f"rk_test_new{number}", "refresh_token": f"rt_new{number}"}
    return Answer(200, tokens)


@asynccontextmanager
async def expired(world: World, stripe: Answering, minutes: int = 120) -> AsyncIterator[None]:
    """Let this much time pass since the approvals, and ask this Stripe."""
    world.clock.go_on(minutes=minutes)
    async with stub_stripe(stripe) as stub:
        world.platforms[STRIPE_TEST] = stub.platform
        yield


async def used(world: World, one: str) -> str:
    return (await world.upkeep.access(one)).key.reveal()


def left_over(world: World, one: str) -> set[str]:
    folder = world.store.data / "refreshing"
    return {path.suffix for path in folder.iterdir() if path.stem == one} - {".lock"}


async def test_a_lost_answer_is_requested_again_with_the_same_key(world: World) -> None:
    one, stripe = world.connect(), Answering(HANG_UP, new(1), new(2))
    async with expired(world, stripe, minutes=56):
        with pytest.raises(ReplyLost, match="is not known yet"):
            await used(world, one)
        assert left_over(world, one) == {".json", ".room"}
        world.clock.go_on(minutes=20)
        assert await used(world, one) == "rk_test_new1"
        assert world.store.tokens(one).obtained_at == world.clock() - timedelta(minutes=20)
        assert left_over(world, one) == set()
        world.clock.go_on(hours=1)
        assert await used(world, one) == "rk_test_new2"
    assert stripe.keys[0] == stripe.keys[1] != stripe.keys[2]


async def test_an_answer_that_has_expired_is_replaced_immediately(
    world: World,
) -> None:
    one, stripe = world.connect(), Answering(HANG_UP, new(1), new(2))
    async with expired(world, stripe):
        with pytest.raises(ReplyLost):
            await used(world, one)
        world.clock.go_on(hours=3)
        assert await used(world, one) == "rk_test_new2"
    assert len(set(stripe.keys)) == 2


async def test_the_answer_to_a_refresh_begun_days_ago_is_gone_and_the_error_says_what_to_do(
    world: World,
) -> None:
    one, stripe = world.connect(), Answering(HANG_UP, Answer(400, {"error": "invalid_grant"}))
    async with expired(world, stripe):
        with pytest.raises(ReplyLost):
            await used(world, one)
        world.clock.go_on(days=3)
        with pytest.raises(AnswerLost, match=r"begun on 2026-03-04 at 07:06 UTC, was not fin"):
            await used(world, one)


async def test_an_answer_that_stripe_still_gives_is_not_called_lost(world: World) -> None:
    one, stripe = world.connect(), Answering(HANG_UP, Answer(400, {"error": "invalid_grant"}))
    async with expired(world, stripe):
        with pytest.raises(ReplyLost):
            await used(world, one)
        world.clock.go_on(days=1)
        with pytest.raises(StripeRefused):
            await used(world, one)


async def test_a_failing_idempotency_key_is_dropped_only_after_a_while(
    world: World,
) -> None:
    one, failed = world.connect(), Answer(500)
    stripe = Answering(failed, failed, failed, new(1))
    async with expired(world, stripe):
        for minutes in (5, 5, 1):
            with pytest.raises(StripeFailed):
                await used(world, one)
            world.clock.go_on(minutes=minutes)
        assert await used(world, one) == "rk_test_new1"
    first, again, other, last = stripe.keys
    assert first == again != other == last
    assert world.store.tokens(one).obtained_at == world.clock() - timedelta(minutes=1)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(400, {"error": "invalid_grant"}),
        refused(401, "invalid_key"),
        refused(403, "more_permissions_required"),
        refused(429, "rate_limit"),
    ],
)
async def test_a_refusal_leaves_only_the_tokens(world: World, answer: Answer) -> None:
    one = world.connect()
    before = world.access_token(one)
    async with expired(world, Answering(answer)):
        with pytest.raises(StripeRefused):
            await used(world, one)
    assert (world.access_token(one), left_over(world, one)) == (before, set())


async def test_a_possibly_answered_refresh_is_remembered_through_other_failures(
    world: World,
) -> None:
    one = world.connect()
    stripe = Answering(HANG_UP, refused(401, "x"), refused(429, "x"), Answer(200, []), new(1))
    async with expired(world, stripe):
        for _ in range(4):
            with pytest.raises(StripeProblem):
                await used(world, one)
            world.clock.go_on(minutes=1)
        platform = world.platforms[STRIPE_TEST]
        world.platforms[STRIPE_TEST] = platform._replace(api_base="http://127.0.0.1:1")
        with pytest.raises(StripeUnreachable):
            await used(world, one)
        world.platforms[STRIPE_TEST] = platform
        assert await used(world, one) == "rk_test_new1"
    assert len(set(stripe.keys)) == 1
    assert world.store.tokens(one).obtained_at == world.clock() - timedelta(minutes=4)


async def test_a_refresh_request_survives_a_damaged_file(world: World) -> None:
    one, stripe = world.connect(), Answering(HANG_UP, HANG_UP, new(1))
    file = world.store.data / "refreshing" / f"{one}.json"
    async with expired(world, stripe):
        for content in (b"nonsense", b"{}"):
            with pytest.raises(ReplyLost):
                await used(world, one)
            file.write_bytes(content)
        assert await used(world, one) == "rk_test_new1"
    assert len(set(stripe.keys)) == 1


async def test_leaving_during_a_refresh_loses_no_answer(world: World) -> None:
    one, stripe = world.connect(), Answering(new(1))
    stripe.go_on.clear()
    async with expired(world, stripe):
        leaving = asyncio.create_task(used(world, one))
        await stripe.arrived.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        stripe.go_on.set()
        for thread in threads_going_on():
            await asyncio.to_thread(thread.join)
        assert world.access_token(one) == "rk_test_new1"


def test_an_ending_process_waits_for_the_answer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, roll = world.connect(), world.demo.roll
    before = world.access_token(one)
    world.clock.go_on(hours=2)
    asked, go_on = threading.Event(), threading.Event()

    def slow(refresh_token: str, *, livemode: bool) -> TokenReply:
        asked.set()
        assert go_on.wait(30)
        return roll(refresh_token, livemode=livemode)

    monkeypatch.setattr(world.demo, "roll", slow)

    async def leave() -> None:
        leaving = asyncio.create_task(used(world, one))
        await asyncio.to_thread(asked.wait)
        leaving.cancel()
        await asyncio.wait([leaving])
        go_on.set()

    asyncio.run(leave())
    assert threads_going_on() == []
    held = world.demo.access_token(world.access_token(one))
    assert held
    assert held.is_valid(world.access_token(one), world.demo.now())
    assert world.access_token(one) != before


async def test_an_answer_on_disk_is_applied_without_stripe(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, stripe = world.connect(), Answering(new(1))
    stripe.go_on.clear()
    async with expired(world, stripe):
        using = asyncio.create_task(used(world, one))
        await stripe.arrived.wait()
        monkeypatch.setattr(lock, "_PATIENCE", 0.05)
        with lock.locked(world.store.data):
            stripe.go_on.set()
            with pytest.raises(StoreBusy):
                await using
    assert world.access_token(one) != "rk_test_new1"
    assert await used(world, one) == "rk_test_new1", "though Stripe is not there any more"
    assert left_over(world, one) == set()


async def test_an_account_that_is_renamed_meanwhile_keeps_both(world: World) -> None:
    one, stripe = world.connect(), Answering(new(1))
    stripe.go_on.clear()
    async with expired(world, stripe):
        using = asyncio.create_task(used(world, one))
        await stripe.arrived.wait()
        world.store.update(one, lambda row, tokens: (row._replace(name="Renamed"), tokens))
        stripe.go_on.set()
        assert await using == "rk_test_new1"
    row = world.store.verified(one)
    assert isinstance(row, Credential)
    assert (row.name, world.access_token(one)) == ("Renamed", "rk_test_new1")


async def test_a_credential_that_is_deleted_meanwhile_stays_deleted(world: World) -> None:
    one, stripe = world.connect(), Answering(new(1), new(2))
    other = world.connect("bob@b.example")
    stripe.go_on.clear()
    async with expired(world, stripe):
        using = asyncio.create_task(used(world, one))
        await stripe.arrived.wait()
        world.store.delete(one)
        stripe.go_on.set()
        with pytest.raises(NotThere):
            await using
        assert world.store.ids() == [other]
        await used(world, other)
    assert left_over(world, one) == set(), "the next refresh has swept"
    assert not (world.store.data / "refreshing" / f"{one}.lock").exists()


async def test_many_simultaneous_refreshes_in_one_process_ask_stripe_once(world: World) -> None:
    one, stripe = world.connect(), Answering(new(1))
    async with expired(world, stripe):
        keys = await asyncio.gather(*(used(world, one) for _ in range(20)))
    assert set(keys) == {"rk_test_new1"}


async def test_others_are_refreshed_and_changed_while_one_waits_for_stripe(
    world: World,
) -> None:
    one, other = world.connect(), world.connect("bob@b.example")
    stripe = Answering(new(1), new(2))
    stripe.go_on.clear()
    async with expired(world, stripe):
        both = [asyncio.create_task(used(world, each)) for each in (one, other)]
        async with asyncio.timeout(30):
            while len(stripe.keys) < 2:
                stripe.arrived.clear()
                await stripe.arrived.wait()
        world.connect("eve@e.example")
        stripe.go_on.set()
        assert set(await asyncio.gather(*both)) == {"rk_test_new1", "rk_test_new2"}


async def test_waiting_too_long_for_another_process_is_reported(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refreshing, "_PATIENCE", 0.05)
    one, stripe = world.connect(), Answering(new(1))
    stripe.go_on.clear()
    async with expired(world, stripe):
        first = asyncio.create_task(used(world, one))
        await stripe.arrived.wait()
        with pytest.raises(StoreBusy):
            await used(world, one)
        stripe.go_on.set()
        assert await first == "rk_test_new1"
    assert len(stripe.keys) == 1


async def test_stripe_is_not_asked_without_room_for_the_answer(world: World) -> None:
    one, stripe = world.connect(), Answering()
    (world.store.data / "refreshing").write_text("in the way")
    async with expired(world, stripe):
        with pytest.raises(StoreUnusable):
            await used(world, one)
        [(_, result)] = [one async for one in world.upkeep.check([one])]
    assert result.outcome is Outcome.FAILED
    assert "refreshing cannot be used" in result.told
    assert stripe.keys == []
