from collections.abc import Mapping
from dataclasses import replace

import pytest

from m3cred_tui.config.settings import LiveNeedsHttps, NotSetUp, settings_from
from m3cred_tui.model.destination import DESTINATIONS, STRIPE, STRIPE_TEST, Destination

LIVE = {"M3CRED_STRIPE_CLIENT_ID": "ca_live", "M3CRED_STRIPE_SECRET_KEY": "sk_live_canary"}
TEST = {
    "M3CRED_STRIPE_TEST_CLIENT_ID": "ca_test",
    "M3CRED_STRIPE_TEST_SECRET_KEY": "sk_test_canary",
}


def test_two_variables_set_up_a_destination() -> None:
    platform = settings_from({**LIVE, **TEST}).platform(STRIPE_TEST)
    assert platform.client_id == "ca_test"
    assert platform.secret_key.reveal() == "sk_test_canary"


def test_live_and_test_are_set_up_apart() -> None:
    assert settings_from(TEST).platforms.keys() == {STRIPE_TEST}
    assert settings_from(LIVE).platforms.keys() == {STRIPE}


def test_a_destination_goes_to_stripe_itself_unless_told_otherwise() -> None:
    platform = settings_from(TEST).platform(STRIPE_TEST)
    assert platform.connect_base == "https://connect.stripe.com"
    assert platform.api_base == "https://api.stripe.com"


@pytest.mark.parametrize("missing", TEST)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_half_a_set_up_is_none(missing: str, value: str | None) -> None:
    environ = {name: text for name, text in TEST.items() if name != missing}
    if value is not None:
        environ[missing] = value
    with pytest.raises(NotSetUp):
        settings_from(environ).platform(STRIPE_TEST)


def test_blanks_around_a_pasted_key_do_not_count() -> None:
    environ = {name: f" {text}\n" for name, text in TEST.items()}
    platform = settings_from(environ).platform(STRIPE_TEST)
    assert platform.client_id == "ca_test"
    assert platform.secret_key.reveal() == "sk_test_canary"


def test_live_mode_is_told_to_need_https_before_stripe_would_refuse_it() -> None:
    settings = settings_from(LIVE)
    with pytest.raises(LiveNeedsHttps, match="HTTPS addresses only"):
        settings.platform(STRIPE)
    assert replace(settings, demo=True).platform(STRIPE).client_id == "ca_live"


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
