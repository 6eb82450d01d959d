"""Checking credentials at the demo Stripe, and disconnecting them there."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

from m3cred_tui.model.authorization import TIME_LIMIT, AuthorizationRequest
from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.credential import (
    BILL,
    STRIPE_TEST,
    Credential,
    OAuthModel,
    Status,
    StripeAccount,
    TokenResponse,
    credential_id,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.services import Services
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


def keep_waiting(store: CredentialStore, clock: Clock, name: str) -> Credential:
    """Keep an authorization that Stripe has not answered."""
    one = Credential(
        id=credential_id(clock(), name.encode().ljust(10)[:10]),
        name=name,
        entity_type=BILL,
        destination=STRIPE_TEST,
        account=None,
        created_at=clock(),
        created_by="ann@server",
        status=Status.PENDING,
    )
    store.prepare()
    uri = "http://127.0.0.1:27182/callback"
    end = clock() + TIME_LIMIT
    store.requests.keep(one, AuthorizationRequest(Secret("canary-state"), uri, end))
    return one


async def test_the_list_shows_the_last_check_of_a_credential_with_its_date(
    services: Services, browser: Browser, keep: Keep
) -> None:
    keep("Gone")
    async with opened(services) as user:
        await create(user, browser, "Acme")
        await user.press("v")
        await user.sees("✓ authenticated", "“Acme”: ok")
        await user.press("down", "v")
        await user.sees("✗ revoked")
        await user.sees("“Gone”: Access was revoked at Stripe. Press a to authorize again.")


async def test_checking_all_checks_and_counts_every_listed_credential(
    services: Services, keep: Keep
) -> None:
    for name in ("Acme one", "Acme two", "Bolt"):
        keep(name)
    async with opened(services) as user:
        await user.press("slash", *"acme", "enter", "V")
        await user.sees("Checked 2: 2 revoked")
        await user.press("escape")
        assert [row for row in user.rows() if "Bolt" in row and "revoked" in row] == []


async def test_results_that_cannot_be_kept_are_shown_all_the_same(
    services: Services, keep: Keep, tmp_path: Path
) -> None:
    keep("Acme")
    lock = tmp_path / "data" / "lock"
    await asyncio.to_thread(lock.unlink)
    await asyncio.to_thread(lock.mkdir)
    async with opened(services) as user:
        await user.press("V")
        await user.sees("✗ revoked", "The results were not kept.", "it is a directory")


async def test_details_show_the_last_check_and_can_check_again(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    acme = keep("Acme")
    store.checks.keep({acme.id: CheckResult(Outcome.UNREACHABLE, clock(), "No answer came.")})
    async with opened(services) as user:
        await user.sees("! unreachable")
        await user.press("enter")
        await user.sees("unreachable, ", "No answer came.")
        await user.press("v")
        await user.sees(
            "revoked, ", "Access was revoked at Stripe. Press a to authorize again."
        )


async def test_a_check_by_another_m3cred_is_seen(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await user.sees("✓ authenticated")
        store.checks.keep({acme.id: CheckResult(Outcome.WRONG_KEY, clock(), "Wrong.")})
        await user.sees("! wrong key")


async def test_a_failed_check_is_the_status_that_is_filtered_sorted_and_in_the_details(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    kept = [keep(name) for name in ("Acme", "Bolt", "Cord")]
    async with opened(services) as user:
        await user.press("slash", *"revoked", "enter")
        await user.sees("0 of 3 credentials")
        lost = CheckResult(Outcome.REVOKED, clock(), "No access.")
        store.checks.keep({kept[1].id: lost})
        await user.sees("1 of 3 credentials", "✗ revoked")
        assert user.rows() == ["Bolt"]
        await user.press("escape", *"sss")
        await user.sees("Status▾")
        assert user.rows() == ["Cord", "Acme", "Bolt"]
        await user.press("down", "enter")
        await user.sees("Status ✗ revoked", "Last check revoked, 2026-11-23")
        store.checks.keep({kept[1].id: CheckResult(Outcome.OK, clock())})
        await user.press("escape")
        await user.until(lambda: user.rows() == ["Cord", "Bolt", "Acme"])


async def test_what_was_just_found_revoked_is_found_by_the_filter(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await user.press("v")
        await user.sees("✗ revoked")
        await user.press("slash", *"revoked", "enter")
        await user.sees("1 of 1 credential")


async def test_checking_all_skips_pending_credentials(
    services: Services, store: CredentialStore, keep: Keep
) -> None:
    bolt = keep("Bolt")
    keep("Acme", status=Status.PENDING)
    async with opened(services) as user:
        await user.press("V")
        await user.sees("✗ revoked", "… pending")
        assert not user.shows("! pending")
    assert {*store.checks.read()} == {bolt.id}


async def test_checking_all_says_so_when_everything_is_pending(
    services: Services, keep: Keep
) -> None:
    keep("Acme", status=Status.PENDING)
    async with opened(services) as user:
        await user.press("V")
        await user.sees("There are no credentials to check")


async def test_checking_a_pending_credential_says_that_it_is_pending(
    services: Services, store: CredentialStore, keep: Keep
) -> None:
    keep("Acme", status=Status.PENDING)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("v")
        await user.sees("“Acme” is pending: there is nothing to check", "… pending")
    assert store.checks.read() == {}


async def test_one_whose_code_was_sent_says_what_to_do_and_is_deleted_when_it_was_seen(
    services: Services, store: CredentialStore, clock: Clock
) -> None:
    acme, bolt = (keep_waiting(store, clock, name) for name in ("Acme", "Bolt"))
    store.requests.answer(acme, store.requests.read(acme.id))
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.sees("! unknown", f"“{bolt.name}” waits for Stripe until")
        await user.press(*(["down"] if user.rows()[0] == "Bolt" else []), "enter")
        await user.sees(
            "! unknown", "The code for “Acme” was sent to Stripe", "Stripe may have"
        )
        await user.press("d")
        await user.sees("Stripe may have connected an account for it, which then stays")
        await user.answers_yes()
        await user.until(lambda: store.ids() == [bolt.id])


async def test_a_wait_that_ends_tomorrow_shows_the_date(
    services: Services, store: CredentialStore, clock: Clock
) -> None:
    clock.time = datetime(2026, 11, 23, 23, 55).astimezone()
    keep_waiting(store, clock, "Acme")
    async with opened(services) as user:
        await user.sees(f"“Acme” waits for Stripe until 2026-11-24 00:05 {clock.time:%Z}.")
        assert "… 24 Nov 00:05" in user.screen


async def test_a_pending_request_shows_when_it_ends_and_no_earlier_check(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    waits, late = (keep_waiting(store, clock, name) for name in ("Acme", "Bolt"))
    cora = keep("Cora")
    store.checks.keep(
        {
            waits.id: CheckResult(Outcome.PENDING, clock(), "It is pending."),
            late.id: CheckResult(Outcome.REVOKED, clock(), "Revoked."),
            cora.id: CheckResult(Outcome.WRONG_KEY, clock(), "Wrong."),
        }
    )
    until = (clock() + TIME_LIMIT).astimezone()
    async with opened(services) as user:
        await user.sees("! wrong key")
        assert user.screen.count(f"… until {until:%H:%M}") == 2
        assert not user.shows("! pending")
        assert not user.shows("✗ revoked")


async def test_a_check_from_before_it_was_created_is_not_shown(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    acme, bolt = keep("Acme"), keep("Bolt")
    store.checks.keep(
        {
            acme.id: CheckResult(Outcome.PENDING, clock(), "It is pending."),
            bolt.id: CheckResult(Outcome.WRONG_KEY, clock(), "Wrong."),
        }
    )
    async with opened(services) as user:
        await user.sees("! wrong key", "✓ authenticated")


async def test_deleting_can_disconnect_at_stripe_and_says_so(
    services: Services, browser: Browser, store: CredentialStore
) -> None:
    async with opened(services) as user:
        await create(user, browser, "Acme")
        await user.press("d")
        await user.sees("stays connected, unless you disconnect it")
        await user.press("down", "down")
        await user.focuses("Delete it, and disconnect at Stripe")
        await user.press("enter")
        await user.sees("There are no credentials yet", "disconnected")
    assert store.ids() == []


async def test_other_credentials_that_lose_access_are_named_before_disconnecting(
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


async def test_a_disconnection_that_was_cut_off_is_reported_at_the_next_start(
    services: Services, keep: Keep
) -> None:
    services.store.disconnecting.begin(keep("Acme").id)
    async with opened(services) as user:
        await user.sees("was being disconnected at Stripe", "Press d on it")


async def test_a_credential_near_its_end_says_so_in_the_list_and_in_its_details(
    services: Services, store: CredentialStore, keep: Keep, clock: Clock
) -> None:
    acme, used = keep("Acme"), clock() - timedelta(days=336)

    def of_an_app(
        credential: Credential, tokens: TokenResponse
    ) -> tuple[Credential, TokenResponse]:
        return credential, tokens._replace(oauth=OAuthModel.APPS, obtained_at=used)

    store.update(acme.id, of_an_app)
    async with opened(services) as user:
        await user.sees("! until 22 Dec")
        await user.press("enter")
        await user.sees("! expires 2026-12-22", "unless it is used before: a check renews it")
        await user.press("escape")
        clock.forward(days=30)
        await user.press("enter")
        await user.sees("✗ expired 2026-12-22", "it was not used for a year")
