"""Disconnecting and deleting: both happen, or the outcome is reported and can be continued."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.credential import STRIPE, STRIPE_TEST, OAuthModel, Status
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.problems import NotThere, StoreUnusable
from m3cred_tui.stripe.problems import ReplyLost, StripeRefused, StripeUnreachable
from tests.upkeep.conftest import threads_going_on
from tests.upkeep.stub import HANG_UP, Answer, Asked, Stub, account, refused, stub_stripe

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.store.port import Row
    from tests.upkeep.conftest import World

CONNECT, APPS = OAuthModel.CONNECT, OAuthModel.APPS
BOTH = "The account was disconnected at Stripe, and the credential was deleted."


@pytest.mark.parametrize("oauth", OAuthModel)
async def test_the_account_is_disconnected_at_stripe_and_the_credential_deleted(
    world: World, oauth: OAuthModel
) -> None:
    one, other = world.connect(oauth=oauth), world.connect("bob@b.example", oauth=oauth)
    done = await world.upkeep.disconnect(one)
    assert done == (True, True, BOTH, None)
    assert world.store.ids() == [other]
    assert len(world.demo.connections()) == 1
    assert world.store.disconnecting.ids() == []


@pytest.mark.parametrize("oauth", OAuthModel)
async def test_an_account_that_revoked_access_itself_is_reported_and_deleted(
    world: World, oauth: OAuthModel
) -> None:
    one = world.connect(oauth=oauth)
    world.revoke(one)
    world.clock.go_on(minutes=50)
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (True, True)
    assert done.told.startswith("The account was no longer connected at Stripe, and")
    assert world.store.ids() == []


async def test_an_approval_that_was_never_created_is_disconnected_too(world: World) -> None:
    for oauth in OAuthModel:
        one = world.connect(oauth=oauth, status=Status.PENDING)
        assert await world.upkeep.disconnect(one) == (True, True, BOTH, None)
    assert world.demo.connections() == []


@pytest.mark.parametrize("oauth", OAuthModel)
async def test_another_platforms_client_id_disconnects_and_deletes_nothing(
    world: World, oauth: OAuthModel
) -> None:
    one = world.connect(oauth=oauth)
    wrong = world.platforms[STRIPE_TEST]._replace(client_id="ca_other")
    world.platforms[STRIPE_TEST] = wrong
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (False, False)
    assert isinstance(done.problem, StripeRefused)
    assert "client id" in done.told
    assert done.told.endswith(
        "The account was not disconnected. The credential was not deleted."
    )
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([one], [])


async def test_nothing_changes_when_stripe_cannot_be_reached(world: World) -> None:
    one = world.connect(oauth=CONNECT)
    gone = world.platforms[STRIPE_TEST]._replace(connect_base="http://127.0.0.1:1")
    world.platforms[STRIPE_TEST] = gone
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (False, False)
    assert isinstance(done.problem, StripeUnreachable)
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([one], [])


async def test_a_missing_credential_is_reported_and_stripe_is_not_asked(world: World) -> None:
    done = await world.upkeep.disconnect("0196d5c8-0000-7000-8000-00000000000a")
    assert done[:2] == (False, False)
    assert isinstance(done.problem, NotThere)
    assert "Stripe was not asked" in done.told


async def test_a_disconnection_that_cannot_be_recorded_is_not_begun(world: World) -> None:
    one = world.connect()
    (world.store.data / "disconnecting").write_text("in the way")
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (False, False)
    assert isinstance(done.problem, StoreUnusable)
    assert world.store.ids() == [one]
    assert len(world.demo.connections()) == 1


async def test_a_disconnected_credential_that_was_not_deleted_is_shown_and_can_be_deleted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = world.connect()
    credentials = world.store.data / "credentials"

    def fails(_credential_id: str) -> None:
        raise StoreUnusable(credentials, "the disk reports an error")

    monkeypatch.setattr(world.store, "delete", fails)
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (True, False)
    assert done.told == (
        f"The account was disconnected at Stripe. {done.problem} "
        "The credential was not deleted; delete it again."
    )
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([one], [one])
    monkeypatch.undo()
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (True, True)
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([], [])


async def test_a_deletion_that_reports_a_problem_is_told_as_what_it_came_to(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = world.connect(), world.connect("bob@b.example")
    delete, read = world.store.delete, world.store.read

    def fails_late(credential_id: str) -> None:
        delete(credential_id)
        raise StoreUnusable(world.store.data, "the disk reports an error")

    def unreadable(credential_id: str) -> Row | None:
        raise StoreUnusable(world.store.data, "the disk reports an error")

    monkeypatch.setattr(world.store, "delete", fails_late)
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (True, True)
    assert done.told == f"The account was disconnected at Stripe. {done.problem}"
    assert read(one) is None

    monkeypatch.setattr(world.store, "read", unreadable)
    done = await world.upkeep.disconnect(other)
    assert done[:2] == (True, False), "it may still be there"
    assert done.told.endswith(" The credential was not deleted; delete it again.")


async def test_one_deleted_without_stripe_is_no_longer_shown(world: World) -> None:
    one, other = world.connect(), world.connect("bob@b.example")
    world.store.disconnecting.begin(one)
    assert world.store.disconnecting.ids() == [one]
    world.store.delete(one)
    assert world.store.disconnecting.ids() == []
    world.store.disconnecting.begin(other)
    left = [path.stem for path in (world.store.data / "disconnecting").iterdir()]
    assert left == [other]


def at_stub(world: World, stub: Stub) -> None:
    world.platforms[STRIPE_TEST] = stub.platform


class Losing:
    """Stripe, whose first answers are lost, whether or not it did what it was asked."""

    def __init__(self, lost: int, *, does: bool) -> None:
        self.lost, self.does, self.connected = lost, does, True

    async def __call__(self, asked: Asked) -> Answer:
        if asked.line.startswith("GET"):
            own = account(asked.account)
            return own if self.connected else refused(401, "api_key_expired")
        was_connected = self.connected
        if self.does or self.lost <= 0:
            self.connected = False
        self.lost -= 1
        if self.lost >= 0:
            return HANG_UP
        if not was_connected:
            return Answer(401, {"error": "invalid_client"})
        return Answer(200, {"stripe_user_id": asked.form.rpartition("=")[2]})


UNAUTHORIZED = refused(401, "api_key_expired")
NO_CLIENT = Answer(401, {"error": "invalid_client"})


@pytest.fixture
def refusals(request: pytest.FixtureRequest) -> set[int]:
    """Every 4xx status, or those that Stripe and proxies send."""
    is_long = request.config.getoption("--long")
    return {*range(400, 500)} if is_long else {400, 401, 402, 403, 404, 409, 429}


async def test_no_refusal_but_that_of_the_client_is_taken_for_a_disconnection(
    world: World, refusals: set[int]
) -> None:
    one = world.connect(oauth=CONNECT)

    async def answer(asked: Asked) -> Answer:
        # An access token that has ended proves nothing, unless Stripe knows no connection.
        return UNAUTHORIZED if asked.line.startswith("GET") else refusal

    async with stub_stripe(answer) as stub:
        at_stub(world, stub)
        for status in refusals:
            refusal = refused(status, "anything_else")
            done = await world.upkeep.disconnect(one)
            assert done[:2] == (False, False), status
            assert isinstance(done.problem, StripeRefused)
            assert (world.store.ids(), world.store.disconnecting.ids()) == ([one], []), status


@pytest.mark.parametrize("first", [NO_CLIENT, HANG_UP], ids=["refused", "lost"])
async def test_only_an_access_token_that_has_ended_proves_a_disconnection(
    world: World, refusals: set[int], first: Answer
) -> None:
    one = world.connect(oauth=CONNECT)

    async def answer(asked: Asked) -> Answer:
        return refused(status, "no") if asked.line.startswith("GET") else first

    async with stub_stripe(answer) as stub:
        at_stub(world, stub)
        for status in refusals - {401}:
            done = await world.upkeep.disconnect(one)
            assert done[:2] == (False, False), status
            assert world.store.ids() == [one], status
        status = 401
        assert (await world.upkeep.disconnect(one))[:2] == (True, True)


async def test_only_a_refresh_token_that_is_not_valid_proves_a_disconnection(
    world: World, refusals: set[int]
) -> None:
    one = world.connect(oauth=APPS)

    async def answer(asked: Asked) -> Answer:
        if asked.line.startswith("GET"):
            return UNAUTHORIZED
        return refreshing if "/token " in asked.line else NO_CLIENT

    async with stub_stripe(answer) as stub:
        at_stub(world, stub)
        for status in refusals:
            refreshing = Answer(status, {"error": "invalid_client"})
            done = await world.upkeep.disconnect(one)
            assert done[:2] == (False, False), status
            assert world.store.ids() == [one], status
        refreshing = Answer(400, {"error": "invalid_grant"})
        assert (await world.upkeep.disconnect(one))[:2] == (True, True)


async def test_an_access_token_whose_hour_is_over_proves_no_disconnection(
    world: World,
) -> None:
    one = world.connect(oauth=APPS, status=Status.PENDING)  # which is never refreshed
    world.clock.go_on(hours=2)

    async def answer(asked: Asked) -> Answer:
        return UNAUTHORIZED if asked.line.startswith("GET") else NO_CLIENT

    async with stub_stripe(answer) as stub:
        at_stub(world, stub)
        done = await world.upkeep.disconnect(one)
    assert done[:2] == (False, False)
    assert world.store.ids() == [one]


@pytest.mark.parametrize(("lost", "does"), [(1, True), (1, False), (2, True)])
async def test_a_lost_answer_is_determined_by_asking_again(
    world: World, lost: int, *, does: bool
) -> None:
    one = world.connect(oauth=CONNECT)
    async with stub_stripe(Losing(lost, does=does)) as stub:
        at_stub(world, stub)
        done = await world.upkeep.disconnect(one)
    assert done == (True, True, BOTH, None)
    assert world.store.ids() == []


async def test_a_second_answer_is_enough_where_access_cannot_be_looked_up(world: World) -> None:
    one, losing = world.connect(oauth=CONNECT), Losing(1, does=True)

    async def answer(asked: Asked) -> Answer:
        if asked.line.startswith("GET"):
            return Answer(500, {})
        losing.connected = True
        return await losing(asked)

    async with stub_stripe(answer) as stub:
        at_stub(world, stub)
        assert await world.upkeep.disconnect(one) == (True, True, BOTH, None)


async def test_a_refusal_settles_an_outcome_that_was_unknown(world: World) -> None:
    one = world.connect(oauth=CONNECT)
    world.store.disconnecting.begin(one)

    async def answer(_asked: Asked) -> Answer:
        return refused(403, "not_now")

    async with stub_stripe(answer) as stub:
        at_stub(world, stub)
        assert (await world.upkeep.disconnect(one))[:2] == (False, False)
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([one], [])


async def test_an_unknown_outcome_is_shown_until_it_is_known(world: World) -> None:
    one = world.connect(oauth=CONNECT)

    async def lost(_asked: Asked) -> Answer:
        return HANG_UP

    async with stub_stripe(lost) as stub:
        at_stub(world, stub)
        done = await world.upkeep.disconnect(one)
        assert done[:2] == (False, False)
        assert isinstance(done.problem, ReplyLost)
        assert "Whether Stripe has disconnected the account is not known." in done.told
        assert world.store.disconnecting.ids() == [one]
    done = await world.upkeep.disconnect(one)
    assert isinstance(done.problem, StripeUnreachable)
    assert world.store.disconnecting.ids() == [one], "the first time is as unknown as before"
    async with stub_stripe(Losing(0, does=True)) as stub:
        at_stub(world, stub)
        assert (await world.upkeep.disconnect(one))[:2] == (True, True)


async def test_leaving_during_a_disconnection_leaves_nothing_half_done(world: World) -> None:
    one = world.connect(oauth=CONNECT)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(asked: Asked) -> Answer:
        arrived.set()
        await go_on.wait()
        return Answer(200, {"stripe_user_id": asked.form.rpartition("=")[2]})

    async with stub_stripe(slow) as stub:
        at_stub(world, stub)
        leaving = asyncio.create_task(world.upkeep.disconnect(one))
        await arrived.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert world.store.disconnecting.ids() == [one]
        go_on.set()
        for thread in threads_going_on():
            await asyncio.to_thread(thread.join)
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([], [])


def test_credentials_that_would_lose_access_are_listed_beforehand(world: World) -> None:
    one = world.connect(oauth=CONNECT)
    same = world.connect(oauth=CONNECT)
    pending = world.connect(oauth=CONNECT, status=Status.PENDING)
    world.connect("bob@b.example", oauth=CONNECT)
    world.connect(oauth=CONNECT, destination=STRIPE)
    world.connect(oauth=APPS)
    assert {row.id for row in world.upkeep.also_affected(one)} == {same, pending}
    assert world.upkeep.also_affected("0196d5c8-0000-7000-8000-00000000000a") == []


async def test_no_message_contains_a_secret(
    world: World, with_key: Callable[[str], None]
) -> None:
    one = world.connect()
    with_key("sk_test_canary")
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (False, False)
    for secret in ("canary", world.access_token(one)):
        assert secret not in f"{done} {done.problem!r}"
    assert isinstance(world.store.tokens(one).refresh_token, Secret)
