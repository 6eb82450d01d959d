from collections.abc import Mapping

import pytest

from m3cred_tui.config.settings import NotSetUp, settings_from
from m3cred_tui.model.destination import DESTINATIONS, STRIPE, STRIPE_TEST, Destination

LIVE = {"M3CRED_STRIPE_CLIENT_ID": "ca_live", "M3CRED_STRIPE_SECRET_KEY": "sk_live_canary"}
TEST = {
    "M3CRED_STRIPE_TEST_CLIENT_ID": "ca_test",
    "M3CRED_STRIPE_TEST_SECRET_KEY": "sk_test_canary",
}


def test_two_variables_set_up_a_destination() -> None:
    platform = settings_from({**LIVE, **TEST}).platform(STRIPE)
    assert platform.client_id == "ca_live"
    assert platform.secret_key.reveal() == "sk_live_canary"


def test_live_and_test_are_set_up_apart() -> None:
    settings = settings_from(TEST)
    assert settings.platform(STRIPE_TEST).client_id == "ca_test"
    with pytest.raises(NotSetUp):
        settings.platform(STRIPE)


def test_a_destination_goes_to_stripe_itself_unless_told_otherwise() -> None:
    platform = settings_from(LIVE).platform(STRIPE)
    assert platform.connect_base == "https://connect.stripe.com"
    assert platform.api_base == "https://api.stripe.com"


@pytest.mark.parametrize("missing", LIVE)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_half_a_set_up_is_none(missing: str, value: str | None) -> None:
    environ = {name: text for name, text in LIVE.items() if name != missing}
    if value is not None:
        environ[missing] = value
    with pytest.raises(NotSetUp):
        settings_from(environ).platform(STRIPE)


def test_blanks_around_a_pasted_key_do_not_count() -> None:
    environ = {name: f" {text}\n" for name, text in LIVE.items()}
    platform = settings_from(environ).platform(STRIPE)
    assert platform.client_id == "ca_live"
    assert platform.secret_key.reveal() == "sk_live_canary"


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_what_is_not_set_up_is_told_with_what_to_do(destination: Destination) -> None:
    with pytest.raises(NotSetUp) as told:
        settings_from({}).platform(destination)
    assert str(told.value) == (
        f"{destination.label} is not set up: set M3CRED_{destination.code}_CLIENT_ID and "
        f"M3CRED_{destination.code}_SECRET_KEY, then start m3cred again; or try everything on "
        "the demo Stripe with m3cred --demo."
    )
    assert told.value.destination == destination


def test_a_start_is_not_a_demo_by_itself() -> None:
    assert not settings_from({}).demo


@pytest.mark.parametrize("environ", [{}, LIVE, {**LIVE, **TEST}])
def test_settings_in_a_crash_report_show_no_key(environ: Mapping[str, str]) -> None:
    shown = repr(settings_from(environ))
    assert "canary" not in shown
