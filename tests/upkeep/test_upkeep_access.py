from collections.abc import Callable
from datetime import timedelta

import pytest

from m3cred_tui.model.authorization import AuthorizationRequest, redirect_uri
from m3cred_tui.model.credential import STRIPE, Credential, OAuthModel, Status
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.problems import CredentialDamaged, NotThere
from m3cred_tui.stripe.problems import StripeRefused
from m3cred_tui.upkeep.problems import KeyDoesNotFit, NoOwnKey, StillPending
from tests.upkeep.conftest import World


@pytest.mark.parametrize("oauth", OAuthModel)
async def test_the_key_of_a_credential_is_its_own_and_not_the_platforms(
    world: World, oauth: OAuthModel
) -> None:
    one = world.connect(oauth=oauth, destination=STRIPE)
    access = await world.upkeep.access(one)
    assert access.key.reveal() == world.access_token(one)
    assert (access.account_id, access.platform_id) == (world.store.tokens(one).account_id, None)


async def test_the_own_key_of_a_connect_credential_needs_no_platform(world: World) -> None:
    one = world.connect(oauth=OAuthModel.CONNECT)
    assert await world.upkeep.access(one)
    assert world.looked_up == []


@pytest.mark.parametrize("oauth", OAuthModel)
async def test_the_platforms_key_comes_only_where_it_is_asked_for(
    world: World, oauth: OAuthModel
) -> None:
    one = world.connect(oauth=oauth, destination=STRIPE)
    access = await world.upkeep.access(one, by_platform=True)
    live = world.demo.description.live
    assert access.key.reveal() == live.secret_key.reveal()
    assert (access.account_id, access.platform_id) == (
        world.store.tokens(one).account_id,
        live.client_id,
    )


async def test_without_a_key_of_its_own_the_platforms_does_not_take_its_place(
    world: World,
) -> None:
    one = world.connect(oauth=OAuthModel.CONNECT)
    world.store.update(
        one, lambda credential, tokens: (credential, tokens._replace(access_token=None))
    )
    with pytest.raises(NoOwnKey, match="--platform-key") as caught:
        await world.upkeep.access(one)
    account_id = world.store.tokens(one).account_id
    assert (caught.value.id, caught.value.account_id) == (one, account_id)
    assert (await world.upkeep.access(one, by_platform=True)).platform_id


async def test_a_valid_access_token_is_used_unchanged(world: World) -> None:
    one = world.connect()
    before = world.access_token(one)
    world.clock.go_on(minutes=54)
    assert (await world.upkeep.access(one)).key.reveal() == before


@pytest.mark.parametrize(
    ("minutes", "is_used"), [(-6, False), (-5, True), (0, True), (55, False)]
)
async def test_an_access_token_is_used_up_to_five_minutes_before_its_end(
    world: World, minutes: int, *, is_used: bool
) -> None:
    one = world.connect()
    before = world.access_token(one)
    world.clock.go_on(minutes=minutes)
    assert ((await world.upkeep.access(one)).key.reveal() == before) is is_used


async def test_a_valid_access_token_is_used_while_another_process_refreshes(
    world: World,
) -> None:
    one = world.connect()
    with world.store.refreshes.begun(one):
        assert (await world.upkeep.access(one)).key.reveal() == world.access_token(one)


async def test_an_expiring_access_token_is_replaced_and_stored_before_use(
    world: World,
) -> None:
    one = world.connect()
    before = world.access_token(one)
    world.clock.go_on(minutes=56)
    access = await world.upkeep.access(one)
    assert access.key.reveal() == world.access_token(one) != before
    assert world.store.tokens(one).obtained_at == world.clock()
    world.clock.go_on(minutes=54)
    assert (await world.upkeep.access(one)).key.reveal() == access.key.reveal()


async def test_an_access_token_from_the_future_is_not_trusted(world: World) -> None:
    one = world.connect()
    before = world.access_token(one)
    world.clock.now -= timedelta(days=1)
    assert (await world.upkeep.access(one)).key.reveal() != before


async def test_a_credential_refreshed_for_a_month_stays_connected(
    world: World,
) -> None:
    one = world.connect()
    used = set()
    for _ in range(20):
        world.clock.go_on(hours=36)
        used.add((await world.upkeep.access(one)).key.reveal())
    assert len(used) == 20
    held = world.demo.access_token(world.access_token(one))
    assert held
    assert held.is_valid(world.access_token(one), world.demo.now())


async def test_an_account_that_revoked_access_is_reported_and_nothing_is_left_over(
    world: World,
) -> None:
    one = world.connect()
    world.revoke(one)
    world.clock.go_on(hours=2)
    with pytest.raises(StripeRefused, match="authorize the credential again"):
        await world.upkeep.access(one)
    kept = {path.suffix for path in (world.store.data / "refreshing").iterdir()}
    assert kept == {".lock"}


async def test_a_key_of_the_other_mode_is_refused_before_it_is_used(
    world: World, with_key: Callable[[str], None]
) -> None:
    with_key("sk_live_wrong")
    for oauth in OAuthModel:
        with pytest.raises(KeyDoesNotFit, match="for live mode, but the credential is for te"):
            await world.upkeep.access(world.connect(oauth=oauth), by_platform=True)


async def test_a_missing_pending_or_damaged_credential_gives_no_access(
    world: World,
) -> None:
    pending, damaged = world.connect(status=Status.PENDING), world.connect()
    file = world.store.data / "credentials" / f"{damaged}.json"
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(NotThere):
        await world.upkeep.access(damaged.replace("0", "1"))
    with pytest.raises(StillPending, match=f"{pending} is pending: create it"):
        await world.upkeep.access(pending)
    with pytest.raises(CredentialDamaged):
        await world.upkeep.access(damaged)
    row = world.store.read(pending)
    assert isinstance(row, Credential)
    waits = row._replace(id=pending.replace("0", "1"), account=None)
    request = AuthorizationRequest(Secret("state"), redirect_uri(27182), world.clock())
    world.store.requests.keep(waits, request)
    with pytest.raises(StillPending, match=f"{waits.id} is pending"):
        await world.upkeep.access(waits.id)
    assert world.looked_up == []
