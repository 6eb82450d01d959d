"""Checking credentials at the demo Stripe, and disconnecting them there."""

from dataclasses import replace

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import Status, StripeAccount
from m3cred_tui.store.store import CredentialStore
from m3cred_tui.ui.services import Services
from m3cred_tui.upkeep.service import Upkeep
from tests.ui.conftest import Browser, Clock, Keep
from tests.ui.user import User, opened, to_stage_4


async def create(user: User, browser: Browser, name: str) -> None:
    await to_stage_4(user, name)
    await user.press("enter")
    await user.until(lambda: browser.opened)
    await browser.approve()
    browser.opened.clear()
    await user.focuses("Create Credential")
    await user.press("enter")
    await user.focuses("CredentialList")


async def test_what_stripe_says_of_a_credential_is_in_the_list_with_its_day(
    services: Services, browser: Browser, keep: Keep
) -> None:
    keep("Gone")
    async with opened(services) as user:
        await create(user, browser, "Acme")
        await user.press("v")
        await user.sees("✓ ok", "Stripe knows the account")
        await user.press("down", "v")
        await user.sees("! revoked")


async def test_all_that_is_listed_is_checked_and_counted(
    services: Services, keep: Keep
) -> None:
    for name in ("Acme one", "Acme two", "Bolt"):
        keep(name)
    async with opened(services) as user:
        await user.press("slash", *"acme", "enter", "V")
        await user.sees("Checked 2: 2 revoked")
        await user.press("escape")
        assert [row for row in user.rows() if "Bolt" in row and "revoked" in row] == []


async def test_the_details_say_what_the_check_said_and_check_anew(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    acme = keep("Acme")
    store.checks.keep({acme.id: CheckResult(Outcome.UNREACHABLE, clock(), "No answer came.")})
    async with opened(services) as user:
        await user.sees("! unreachable")
        await user.press("enter")
        await user.sees("unreachable, ", "No answer came.")
        await user.press("v")
        await user.sees("revoked, ")


async def test_a_check_by_another_m3cred_is_seen(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await user.sees("✓ authenticated")
        store.checks.keep({acme.id: CheckResult(Outcome.WRONG_KEY, clock(), "Wrong.")})
        await user.sees("! wrong key")


async def test_what_waits_to_be_created_is_not_checked(services: Services, keep: Keep) -> None:
    keep("Acme", status=Status.PENDING)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        assert "v" not in user.app.screen.active_bindings


async def test_deleting_can_disconnect_at_stripe_and_says_so(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await create(user, browser, "Acme")
        await user.press("d")
        await user.sees("stays connected, unless you have that ended")
        await user.press("down", "down")
        await user.focuses("Delete it, and disconnect at Stripe")
        await user.press("enter")
        await user.sees("There are no credentials yet", "disconnected")
    assert store.ids() == []


async def test_who_else_loses_access_is_told_before_disconnecting(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    account = StripeAccount("acct_1Same", livemode=False, name="Same")
    keep("Acme", account=account)
    keep("Bolt", account=account)
    async with opened(services) as user:
        await user.press("d", "down", "down", "enter")
        await user.sees("Disconnect the account for all of them?", "“Acme”")
        await user.press("enter")
        await user.focuses("CredentialList")
    assert len(store.ids()) == 2


async def test_a_disconnection_that_was_cut_off_is_told_at_the_next_start(
    services: Services, keep: Keep
) -> None:
    acme = keep("Acme")

    class Begun(Upkeep):
        def unfinished(self) -> list[str]:
            return [acme.id]

    upkeep = services.upkeep()
    begun = Begun(upkeep.store, upkeep.platform, upkeep.now)
    async with opened(replace(services, upkeep=lambda: begun)) as user:
        await user.sees("was being disconnected at Stripe", "Press d on it")
