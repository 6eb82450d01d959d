import json
from pathlib import Path

import pytest

from m3cred_tui.browser.opening import BrowserDidNotOpen
from m3cred_tui.model.credential import (
    M3TER_MUST_KNOW,
    Credential,
    OAuthModel,
    StripeAccount,
)
from m3cred_tui.model.credential import dashboard_url as dashboard
from m3cred_tui.store.port import CredentialStore
from m3cred_tui.ui.screens.details import DetailsPage
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Browser, Keep
from tests.ui.records import rewrite
from tests.ui.user import User, opened

KEYS = "esc Back a Authorize v Check y Copy ID i Fields n Rename d Delete ? Help q Quit"


async def to_details(user: User) -> None:
    await user.focuses("CredentialList")
    await user.press("enter")
    await user.until(lambda: user.page == "DetailsPage")


@pytest.mark.quick(1)
@pytest.mark.parametrize("size", [(80, 24), (60, 20)], ids=str)
async def test_every_field_is_shown_and_what_the_credential_is_for(
    services: Services,
    keep: Keep,
    size: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = StripeAccount("acct_1Acme", livemode=True, name="Acme Ltd", country="GB")
    acme = keep("Acme", livemode=True, account=account)
    async with opened(services, size) as user:
        await to_details(user)
        await user.sees(
            "Integrations › Credentials › Acme",
            acme.id,
            "Entity type Bill",
            "Destination Stripe",
            "Stripe account Acme Ltd",
            "Account ID acct_1Acme",
            "Country GB",
            "Mode ● LIVE",
            "Status ✓ authenticated",
            f"Created {acme.created_at.astimezone():%Y-%m-%d %H:%M:%S}",
            "Created by ann@server",
            "Sealed part opened, agrees with the fields above",
        )
        await user.press("end")  # a small window scrolls
        await user.sees("native Integration Configuration")


async def test_fields_that_stripe_did_not_give_are_not_left_blank(
    services: Services, keep: Keep
) -> None:
    keep("Acme", account=StripeAccount("acct_1Acme", livemode=False))
    async with opened(services) as user:
        await to_details(user)
        await user.sees("Stripe account not told by Stripe", "Country not told by Stripe")
        await user.sees("Mode TEST")


async def test_o_opens_the_account_at_stripe_or_says_why_not(
    services: Services, keep: Keep, browser: Browser
) -> None:
    keep("Acme")
    url = "https://dashboard.stripe.com/test/connect/accounts/acct_1Kept0000"

    def dashboard_url(one: Credential) -> str | None:
        return one.account and dashboard(one.account, OAuthModel.CONNECT)

    async def open_none(_url: str) -> None:
        raise BrowserDidNotOpen("this is an SSH session")

    own = services._replace(dashboard_url=dashboard_url)
    async with opened(own) as user:
        await to_details(user)
        await user.until(lambda: user.shows_address(url))
        await user.press("o")
        await user.until(lambda: browser.opened == [url])
    async with opened(own._replace(open_browser=open_none)) as user:
        await to_details(user)
        await user.until(lambda: user.shows_address(url))
        await user.press("o")
        await user.sees("No browser was opened because this is an SSH session.")


async def test_an_account_of_the_demo_has_no_dashboard(services: Services, keep: Keep) -> None:
    keep("Acme")
    async with opened(services) as user:
        await to_details(user)
        await user.sees("opened, agrees")
        assert user.lines[-1].rstrip() == KEYS
        await user.press("o")
        assert not user.shows("dashboard.stripe.com")
        assert not user.shows("o Dashboard")


async def test_y_sends_the_credential_id_to_the_clipboard(
    services: Services, keep: Keep
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await to_details(user)
        await user.press("y")
        await user.sees("sent to your terminal's clipboard")
        assert user.clipboard == acme.id


@pytest.mark.parametrize("back", ["escape", "backspace"])
async def test_back_returns_to_the_same_row(services: Services, keep: Keep, back: str) -> None:
    for name in ("Acme", "Bolt", "Coil"):
        keep(name)
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("down")
        await to_details(user)
        await user.sees("Bolt")
        await user.press(back)
        await user.focuses("CredentialList")
        await user.sees("▌Bolt")


async def test_an_answer_that_arrives_while_the_page_closes_does_no_harm(
    services: Services, keep: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its parts have gone by then, and what it waits for is not given up yet.
    def answer(page: DetailsPage) -> None:
        page._show_check(None)

    monkeypatch.setattr(DetailsPage, "on_unmount", answer, raising=False)
    keep("Acme")
    async with opened(services) as user:
        await to_details(user)
        await user.press("escape")
        await user.sees("1 credential")


async def test_delete_asks_and_can_be_refused(services: Services, keep: Keep) -> None:
    keep("Acme")
    async with opened(services) as user:
        await to_details(user)
        await user.press("d")
        await user.sees("Delete “Acme”?")
        await user.press("escape")
        await user.focuses("CredentialList")
        assert user.rows() == ["Acme"]


async def test_a_long_name_leaves_its_line_readable(services: Services, keep: Keep) -> None:
    name = "Acme " + "x" * 59
    keep(name)
    async with opened(services, (60, 20)) as user:
        await to_details(user)
        await user.until(lambda: user.shows_address(name.replace(" ", "")))


async def test_a_forged_name_is_damage_once_the_sealed_part_is_opened(
    services: Services, keep: Keep, credentials: Path
) -> None:
    acme = keep("Acme")
    keep("Bolt")
    rewrite(credentials / f"{acme.id}.json", name="Forged")
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.press("down")
        await user.sees("▌Forged")  # nothing in the clear fields tells
        await to_details(user)
        await user.sees(acme.id, "Damaged its fields were changed after it was sealed")
        assert not user.shows("native Integration Configuration")
        await user.press("escape")
        await user.sees("▌✗ damaged: its fields were changed after it was sealed")
        assert not user.shows("Forged")
        await user.press("slash", *"damaged")
        await user.sees("1 of 2 credentials", "▌✗ damaged")


async def test_a_record_that_was_fixed_is_no_longer_damaged(
    services: Services, keep: Keep, credentials: Path
) -> None:
    acme = keep("Acme")
    file = credentials / f"{acme.id}.json"
    whole = file.read_bytes()
    file.write_bytes(b"{")  # in place, which the directory does not tell
    async with opened(services) as user:
        await user.focuses("CredentialList")
        await user.sees("▌✗ damaged")
        file.write_bytes(whole)
        await to_details(user)
        await user.sees("Account ID", "agrees with the fields above")
        await user.press("escape")
        await user.sees("▌Acme", "✓ authenticated")


@pytest.mark.parametrize(
    ("identity", "sentence"),
    [
        (None, "Sealed part not opened: The identity"),
        (b"-----BEGIN AGE ENCRYPTED FILE-----\n", "is under a passphrase"),
    ],
    ids=["missing", "locked"],
)
async def test_without_the_identity_the_unsealed_fields_and_the_reason_are_shown(
    services: Services, keep: Keep, tmp_path: Path, identity: bytes | None, sentence: str
) -> None:
    keep("Acme")
    file = tmp_path / "config" / "identity.txt"
    file.unlink() if identity is None else file.write_bytes(identity)
    async with opened(services) as user:
        await to_details(user)
        await user.sees("Account ID acct_1Kept0000", sentence)
        await user.press("escape")
        await user.sees("▌Acme", "✓ authenticated")


async def test_a_credential_that_is_deleted_while_it_is_opened_is_reported_as_such(
    services: Services, keep: Keep, store: CredentialStore
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await user.sees("▌Acme")
        store.delete(acme.id)
        await to_details(user)
        await user.sees("another m3cred has deleted the credential")
        await user.press("escape")
        await user.sees("There are no credentials yet.")


async def test_what_m3ters_api_needs_is_sent_to_the_clipboard(
    services: Services, keep: Keep
) -> None:
    acme = keep("Acme “Köln”")
    async with opened(services) as user:
        await to_details(user)
        await user.press("i")
        await user.sees("Integration fields of “Acme “Köln”” sent to your terminal")
    assert json.loads(user.clipboard) == {
        "name": acme.name,
        "entityType": "Bill",
        "destination": "STRIPE_TEST",
        "integrationCredentialsId": acme.id,
    }


async def test_the_details_say_that_m3ter_must_know_the_id(
    services: Services, keep: Keep
) -> None:
    keep("Acme")
    async with opened(services) as user:
        await to_details(user)
        await user.press("end")
        await user.sees(M3TER_MUST_KNOW)
