import pytest

from m3cred_tui.model.credential import StripeAccount
from m3cred_tui.ui.services import Services
from tests.ui.conftest import Keep
from tests.ui.user import User, opened


async def to_details(user: User) -> None:
    await user.focuses("CredentialList")
    await user.press("enter")
    await user.until(lambda: user.page == "DetailsPage")


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
            "Mode LIVE",
            "Status ✓ authenticated",
            f"Created {acme.created_at.astimezone():%Y-%m-%d %H:%M:%S}",
            "Created by ann@server",
            "native Integration Configuration",
        )


async def test_what_stripe_did_not_tell_is_said_and_not_left_blank(
    services: Services, keep: Keep
) -> None:
    keep("Acme", account=StripeAccount("acct_1Acme", livemode=False))
    async with opened(services) as user:
        await to_details(user)
        await user.sees("Stripe account not told by Stripe", "Country not told by Stripe")
        await user.sees("Mode TEST")


async def test_y_sends_the_credential_id_to_the_clipboard(
    services: Services, keep: Keep
) -> None:
    acme = keep("Acme")
    async with opened(services) as user:
        await to_details(user)
        await user.press("y")
        assert user.app.clipboard == acme.id
        await user.sees("sent to your terminal's clipboard")


@pytest.mark.parametrize("back", ["escape", "backspace"])
async def test_back_is_the_row_that_was_left(services: Services, keep: Keep, back: str) -> None:
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
