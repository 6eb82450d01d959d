"""A check distinguishes why a credential cannot be used, and stores its result."""

from __future__ import annotations

from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.config.key_source import CommandFailed
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import (
    STRIPE,
    STRIPE_TEST,
    Credential,
    Destination,
    Event,
    Happened,
    OAuthModel,
    Status,
)
from m3cred_tui.store.problems import IdentityMissing
from tests.upkeep.stub import Answer, Asked, refused, stub_stripe

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.stripe.gateway import Platform
    from tests.upkeep.conftest import World

CONNECT = OAuthModel.CONNECT


async def checked(world: World, *ids: str, **options: int) -> dict[str, CheckResult]:
    return {one: result async for one, result in world.upkeep.check(ids, **options)}


async def outcome(world: World, one: str) -> Outcome:
    return (await checked(world, one))[one].outcome


@pytest.mark.parametrize("oauth", OAuthModel)
async def test_a_connected_account_is_ok_and_one_that_withdrew_access_is_revoked(
    world: World, oauth: OAuthModel
) -> None:
    one = world.connect(oauth=oauth)
    assert await checked(world, one) == {one: CheckResult(Outcome.OK, world.clock())}
    world.revoke(one)
    world.clock.go_on(minutes=1)
    result = (await checked(world, one))[one]
    assert (result.outcome, result.at, result.label) == (
        Outcome.REVOKED,
        world.clock(),
        "revoked",
    )
    assert result.told in {
        "Access was revoked at Stripe.",
        "Access has expired or was revoked at Stripe.",
    }
    assert world.store.checks.read() == {one: result}


async def test_an_access_token_that_another_machine_has_ended_is_replaced_once(
    world: World,
) -> None:
    one = world.connect()
    held = world.demo.access_token(world.access_token(one))
    assert held
    held.grant.access_token = "rk_test_of_nobody"  # so Stripe no longer accepts this hour's
    before = world.access_token(one)
    assert await outcome(world, one) is Outcome.OK
    assert world.access_token(one) != before


async def test_an_app_without_a_token_or_its_hour_gets_a_new_one(world: World) -> None:
    one, other = world.connect(), world.connect("bob@b.example")
    world.store.update(one, lambda row, tokens: (row, tokens._replace(access_token=None)))
    world.store.update(other, lambda row, tokens: (row, tokens._replace(obtained_at=None)))
    results = await checked(world, one, other)
    assert {result.outcome for result in results.values()} == {Outcome.OK}
    assert world.store.tokens(one).access_token
    assert world.store.tokens(other).obtained_at == world.clock()


@pytest.mark.parametrize(("oauth", "status"), [(CONNECT, 401), (OAuthModel.APPS, 403)])
async def test_what_a_new_token_would_not_change_is_asked_once(
    world: World, oauth: OAuthModel, status: int
) -> None:
    one = world.connect(oauth=oauth)

    async def answer(_asked: Asked) -> Answer:
        return refused(status, "no")

    async with stub_stripe(answer) as stub:
        world.platforms[STRIPE_TEST] = stub.platform
        await checked(world, one)
    assert [asked.line for asked in stub.asked] == ["GET /v1/account HTTP/1.1"]


async def test_a_wrong_key_is_not_called_revoked(
    world: World, with_key: Callable[[str], None]
) -> None:
    connect, app = world.connect(oauth=CONNECT), world.connect()
    world.clock.go_on(hours=2)
    for key in ("sk_test_wrong", "sk_live_wrong", "not a key"):
        with_key(key)
        results = await checked(world, connect, app)
        assert {one.outcome for one in results.values()} == {Outcome.WRONG_KEY}, key
        assert all("not a key" not in one.told for one in results.values())
    with_key(world.demo.description.test.secret_key.reveal())
    assert await outcome(world, app) is Outcome.OK


async def test_a_missing_stripe_is_unreachable(world: World) -> None:
    one = world.connect(oauth=CONNECT)
    gone = world.platforms[STRIPE_TEST]._replace(api_base="http://127.0.0.1:1")
    world.platforms[STRIPE_TEST] = gone
    result = (await checked(world, one))[one]
    assert result.outcome is Outcome.UNREACHABLE
    assert result.told == "127.0.0.1:1 could not be reached: it refused the connection."


async def test_a_failing_key_command_runs_once_and_is_reported_for_each(world: World) -> None:
    ids = [world.connect(f"{n}@a.example", oauth=CONNECT) for n in range(20)]
    live = world.connect(oauth=CONNECT, destination=STRIPE)
    runs: list[Destination] = []

    def platform(destination: Destination) -> Platform:
        runs.append(destination)
        if destination == STRIPE_TEST:
            raise CommandFailed("failed with status 1", "")
        return world.platforms[destination]

    upkeep = replace(world.upkeep, platform=platform)
    results = {one: result async for one, result in upkeep.check([*ids, live])}
    assert sorted(runs) == [STRIPE, STRIPE_TEST]
    assert results.pop(live).outcome is Outcome.OK
    assert {(one.outcome, one.told) for one in results.values()} == {
        (Outcome.NOT_SET_UP, "The command failed with status 1.")
    }
    assert len(results) == 20


async def test_a_credential_that_cannot_be_checked_is_reported_alone(world: World) -> None:
    good, pending = world.connect(), world.connect(status=Status.PENDING)
    damaged, gone = world.connect(), world.connect()
    file = world.store.data / "credentials" / f"{damaged}.json"
    file.write_bytes(file.read_bytes()[:-20])
    world.store.delete(gone)
    results = await checked(world, good, pending, damaged, gone, good)
    assert {one: result.outcome for one, result in results.items()} == {
        good: Outcome.OK,
        pending: Outcome.PENDING,
        damaged: Outcome.DAMAGED,
        gone: Outcome.FAILED,
    }
    assert "no longer exists" in results[gone].told
    assert pending in results[pending].told
    assert set(world.store.checks.read()) == {good, damaged}


async def test_a_missing_identity_is_reported_in_one_sentence_and_nothing_is_damaged(
    world: World,
) -> None:
    ids = [world.connect(f"{n}@a.example") for n in range(10)]
    world.store.identity.path.unlink()
    with pytest.raises(IdentityMissing):
        await checked(world, *ids)
    assert world.store.checks.read() == {}


async def test_results_are_kept_when_the_user_leaves_early(world: World) -> None:
    ids = [world.connect(f"{n}@a.example") for n in range(30)]
    seen = set()
    async with aclosing(world.upkeep.check(ids)) as results:
        async for one, _ in results:
            seen.add(one)
            if len(seen) == 10:
                break
    kept = set(world.store.checks.read())
    assert seen <= kept
    assert len(kept) < 30


async def test_a_renamed_account_shows_its_new_name_and_is_otherwise_unchanged(
    world: World,
) -> None:
    one, same = world.connect(), world.connect("bob@b.example")
    row = world.store.read(one)
    assert isinstance(row, Credential)
    assert row.account
    old = row.account._replace(name="Old Ltd", country=None)
    world.store.update(one, lambda now, tokens: (now._replace(account=old), tokens))
    file = world.store.data / "credentials" / f"{same}.json"
    before = file.stat().st_ino
    await checked(world, one, same)
    assert world.store.verified(one) == row
    assert file.stat().st_ino == before, "it was not written"


async def test_what_a_check_found_of_tokens_that_were_replaced_meanwhile_does_not_count(
    world: World,
) -> None:
    one, again = world.connect(), world.connect("bob@bolt.example")
    world.revoke(one)
    renewed, tokens = world.store.opened(again)

    def platform(destination: Destination) -> Platform:
        # The old tokens are in the check's hands by now.
        world.store.renew(
            one,
            again,
            lambda row, _: (row._replace(account=renewed.account, approval=again), tokens),
        )
        return world.platform(destination)

    upkeep = replace(world.upkeep, platform=platform, by="ann@ops")
    results = [result async for _, result in upkeep.check([one])]
    assert results == [CheckResult(Outcome.OK, world.clock(), by="ann@ops")]


async def test_a_credential_remembers_who_refreshed_it_last(world: World) -> None:
    one = world.connect()
    for by in ("ann@ops", "bob@ops"):
        world.clock.go_on(hours=2)
        await replace(world.upkeep, by=by).access(one)
    row = world.store.read(one)
    assert isinstance(row, Credential)
    assert row.history == (Event(Happened.REFRESHED, world.clock(), "bob@ops"),)
