"""Disconnecting when Stripe may be asked as a platform other than the approved one."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from m3cred_tui.model.credential import STRIPE_TEST, OAuthModel, Status
from m3cred_tui.stripe.problems import ReplyLost
from tests.upkeep.stub import HANG_UP, KEY, Answer, Asked, account, refused, stub_stripe

if TYPE_CHECKING:
    from tests.upkeep.conftest import World
    from tests.upkeep.stub import Stub

CONNECT, APPS = OAuthModel.CONNECT, OAuthModel.APPS
BOTH_POSSIBILITIES = (
    "Either the account is no longer connected, or the client id or secret key that is set for "
    "this destination belongs to another platform or mode. The account was not disconnected. "
    "The credential was not deleted."
)
ALONE = " To delete it anyway, delete it without disconnecting."


class ToAnother:
    """Stripe as it answers a platform to which the account is not connected."""

    def __init__(self, *, is_connected: bool = True, lost: int = 0) -> None:
        self.is_connected, self.lost = is_connected, lost
        self.account_id = ""

    async def __call__(self, asked: Asked) -> Answer:
        if asked.line.startswith("GET"):
            return self._account(asked)
        if "deauthorize" not in asked.line:
            return Answer(400, {"error": "invalid_grant"})
        self.account_id = parse_qs(asked.form)["stripe_user_id"][0]
        self.lost -= 1
        return HANG_UP if self.lost >= 0 else Answer(401, {"error": "invalid_client"})

    def _account(self, asked: Asked) -> Answer:
        if asked.headers["authorization"] == f"bearer {KEY.lower()}":
            return refused(403, "account_invalid")
        if self.is_connected:
            return account(self.account_id)
        return refused(401, "api_key_expired")


def at_stub(world: World, stub: Stub) -> None:
    world.platforms[STRIPE_TEST] = stub.platform


def without_access_token(world: World, one: str) -> None:
    """Leave out what Stripe calls deprecated with Connect."""
    world.store.update(one, lambda row, tokens: (row, tokens._replace(access_token=None)))


@pytest.mark.parametrize("lost", [0, 1, 2])
@pytest.mark.parametrize("hours", [0, 2])
@pytest.mark.parametrize("oauth", OAuthModel)
async def test_an_account_that_another_platform_has_connected_keeps_its_credential(
    world: World, oauth: OAuthModel, hours: int, lost: int
) -> None:
    one = world.connect(oauth=oauth)
    world.clock.go_on(hours=hours)
    async with stub_stripe(ToAnother(lost=lost)) as stub:
        at_stub(world, stub)
        done = await world.upkeep.disconnect(one)
    assert done[:2] == (False, False)
    assert isinstance(done.problem, ReplyLost) if lost else BOTH_POSSIBILITIES in done.told
    assert world.store.ids() == [one]


async def test_an_ambiguous_refusal_is_reported_and_can_be_deleted_alone(
    world: World,
) -> None:
    one = world.connect(oauth=CONNECT)
    without_access_token(world, one)
    async with stub_stripe(ToAnother()) as stub:
        at_stub(world, stub)
        done = await world.upkeep.disconnect(one)
    assert done.told.endswith(BOTH_POSSIBILITIES + ALONE)
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([one], [])
    world.store.delete(one)
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([], [])


async def test_deleting_is_not_suggested_for_a_connected_account(
    world: World,
) -> None:
    one = world.connect(oauth=CONNECT)
    async with stub_stripe(ToAnother()) as stub:
        at_stub(world, stub)
        done = await world.upkeep.disconnect(one)
    assert done.told.endswith(BOTH_POSSIBILITIES)


@pytest.mark.parametrize(("oauth", "minutes"), [(CONNECT, 0), (CONNECT, 120), (APPS, 50)])
async def test_the_access_token_shows_that_an_account_revoked_access(
    world: World, oauth: OAuthModel, minutes: int
) -> None:
    one = world.connect(oauth=oauth)
    world.clock.go_on(minutes=minutes)
    async with stub_stripe(ToAnother(is_connected=False)) as stub:
        at_stub(world, stub)
        done = await world.upkeep.disconnect(one)
    assert done[:2] == (True, True)
    assert done.told.startswith("The account was no longer connected at Stripe, and")
    assert world.store.ids() == []


@pytest.mark.parametrize("status", Status)
async def test_an_expired_access_token_proves_nothing(world: World, status: Status) -> None:
    one = world.connect(status=status)
    world.revoke(one)
    world.clock.go_on(hours=2)
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (False, False)
    assert done.told.endswith(BOTH_POSSIBILITIES + ALONE)
    assert (world.store.ids(), world.store.disconnecting.ids()) == ([one], [])


async def test_an_approval_hours_old_stays_despite_a_wrong_client_id(
    world: World,
) -> None:
    one = world.connect(status=Status.PENDING)
    world.clock.go_on(hours=2)
    wrong = world.platforms[STRIPE_TEST]._replace(client_id="ca_other")
    world.platforms[STRIPE_TEST] = wrong
    done = await world.upkeep.disconnect(one)
    assert done[:2] == (False, False)
    assert done.told.endswith(BOTH_POSSIBILITIES + ALONE)
    assert world.store.ids() == [one]
    assert len(world.demo.connections()) == 1
