from collections.abc import Callable, Mapping

import pytest

from m3cred_tui.config.entered import WrongModeKey
from m3cred_tui.config.locations import Locations
from m3cred_tui.config.problems import Misplaced, UnknownName
from m3cred_tui.config.settings import NotSetUp, Redirects, Settings, settings_from
from m3cred_tui.config.setup import Origin
from m3cred_tui.config.table import (
    ADDRESS,
    CA_FILE,
    CLIENT_ID,
    NAMESPACE,
    OAUTH,
    PORTS,
    SECRET_KEY,
    STORE,
    Setting,
)
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.model.credential import (
    DESTINATIONS,
    STRIPE,
    STRIPE_TEST,
    Destination,
    OAuthModel,
)
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.gateway import Platform

Write = Callable[[str], bytes]
With = Callable[..., Settings]

LIVE = {
    "M3CRED_STRIPE_CLIENT_ID": "ca_live",
    "M3CRED_STRIPE_SECRET_KEY": "sk_live_canary",
    "M3CRED_STRIPE_REDIRECT_URI": "https://relay.example.com/m3cred.html",
}
TEST = {
    "M3CRED_STRIPE_TEST_CLIENT_ID": "ca_test",
    "M3CRED_STRIPE_TEST_SECRET_KEY": "sk_test_canary",
}


@pytest.fixture
def settings(places: Locations) -> With:
    """Return the settings of a start with these variables."""

    def start(environ: Mapping[str, str] | None = None) -> Settings:
        return Settings(places, environ=environ or {})

    return start


def test_two_variables_set_up_the_test_mode(settings: With) -> None:
    platform = settings({**LIVE, **TEST}).platform(STRIPE_TEST)
    assert platform.client_id == "ca_test"
    assert platform.secret_key.reveal() == "sk_test_canary"


def test_live_and_test_are_set_up_apart(settings: With) -> None:
    assert settings(LIVE).platform(STRIPE).client_id == "ca_live"
    with pytest.raises(NotSetUp):
        settings(LIVE).platform(STRIPE_TEST)
    with pytest.raises(NotSetUp):
        settings(TEST).platform(STRIPE)


def test_a_destination_goes_to_stripe_itself_unless_told_otherwise(settings: With) -> None:
    platform = settings(TEST).platform(STRIPE_TEST)
    assert platform == Platform("ca_test", platform.secret_key)
    bases = {
        f"M3CRED_STRIPE_TEST_{name}_BASE": f"http://127.0.0.1:{port}/"
        for name, port in (("CONNECT", 1), ("API", 2), ("MARKETPLACE", 3))
    }
    platform = settings({**TEST, **bases}).platform(STRIPE_TEST)
    assert platform.connect_base == "http://127.0.0.1:1"
    assert platform.api_base == "http://127.0.0.1:2"
    assert platform.marketplace_base == "http://127.0.0.1:3"


@pytest.mark.parametrize("missing", TEST)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_half_a_setup_does_not_count_as_one(
    settings: With, missing: str, value: str | None
) -> None:
    environ = {name: text for name, text in TEST.items() if name != missing}
    if value is not None:
        environ[missing] = value
    with pytest.raises(NotSetUp) as told:
        settings(environ).platform(STRIPE_TEST)
    assert told.value.missing == (missing.removeprefix("M3CRED_STRIPE_TEST_").lower(),)


def test_live_mode_without_an_https_address_is_not_set_up(settings: With) -> None:
    environ = {name: text for name, text in LIVE.items() if "REDIRECT" not in name}
    with pytest.raises(NotSetUp) as told:
        settings(environ).platform(STRIPE)
    assert str(told.value) == (
        "Stripe is not set up: it has no HTTPS redirect URI. Run m3cred config set "
        "stripe.redirect_uri https://…, or try everything on the demo Stripe with m3cred "
        "--demo."
    )


@pytest.mark.parametrize(
    ("destination", "lacks"),
    [
        (STRIPE, "no client id, no secret key and no HTTPS redirect URI"),
        (STRIPE_TEST, "no client id and no secret key"),
    ],
)
def test_what_is_not_set_up_is_reported_with_what_to_do(
    settings: With, destination: Destination, lacks: str
) -> None:
    with pytest.raises(NotSetUp) as told:
        settings().platform(destination)
    assert str(told.value) == (
        f"{destination.label} is not set up: it has {lacks}. Run m3cred config set "
        f"{destination.code.lower()}.client_id ca_…, or try everything on the demo Stripe with "
        "m3cred --demo."
    )
    assert told.value.destination == destination


def test_the_demo_needs_no_settings_in_either_mode(places: Locations, write: Write) -> None:
    write("= nonsense")
    given = {one: Platform("ca_demo", Secret("sk_x")) for one in DESTINATIONS}
    settings = Settings(places, given, demo=True)
    for destination in DESTINATIONS:
        assert settings.platform(destination) is given[destination]
        assert settings.redirects(destination) == Redirects(CALLBACK_PORTS, None)


def test_stripe_comes_back_to_the_port_or_to_the_address_that_is_set(
    settings: With, write: Write
) -> None:
    assert settings(TEST).redirects(STRIPE_TEST) == Redirects(CALLBACK_PORTS, None)
    write("[stripe]\nports = [4001, 4002]\n[stripe_test]\nports = [4003]\n")
    assert settings(TEST).redirects(STRIPE_TEST) == Redirects((4003,), None)
    assert settings(LIVE).redirects(STRIPE) == Redirects(
        (4001, 4002), "https://relay.example.com/m3cred.html"
    )


def test_a_change_of_the_file_takes_effect_without_a_restart(
    settings: With, write: Write
) -> None:
    started = settings(TEST)
    assert started.platform(STRIPE_TEST).oauth is OAuthModel.CONNECT
    write('[stripe_test]\noauth = "apps"\n')
    assert started.platform(STRIPE_TEST).oauth is OAuthModel.APPS


def test_the_environment_takes_precedence_and_each_value_has_its_origin(
    settings: With, write: Write
) -> None:
    write('[stripe_test]\nclient_id = "ca_file"\nports = [4001]\nsecret_key_command = "cat"\n')
    setup = settings(TEST).setup(STRIPE_TEST)
    found = {one: (entry.origin, entry.place) for one, entry in setup.entries.items()}
    assert found[CLIENT_ID] == (Origin.ENVIRONMENT, "M3CRED_STRIPE_TEST_CLIENT_ID")
    assert found[SECRET_KEY] == (Origin.ENVIRONMENT, "M3CRED_STRIPE_TEST_SECRET_KEY")
    assert found[PORTS] == (Origin.FILE, "stripe_test.ports")
    assert found[OAUTH] == (Origin.DEFAULT, "stripe_test.oauth")
    assert setup[CLIENT_ID].value == "ca_test"
    assert setup.is_touched
    assert not settings().setup(STRIPE).is_touched


@pytest.mark.parametrize(
    ("setting", "value", "names"),
    [
        (ADDRESS, "https://bao.example.com", ["AGENT_ADDR", "ADDR"]),
        (NAMESPACE, "team", ["NAMESPACE"]),
        (CA_FILE, "/etc/bao.pem", ["CACERT"]),
    ],
    ids=lambda one: one.name if isinstance(one, Setting) else "",
)
def test_what_people_have_for_their_own_tools_takes_precedence_over_the_file(
    settings: With, write: Write, setting: Setting[str], value: str, names: list[str]
) -> None:
    write(f'[store]\n{setting.name} = "{value}"\n')
    order = [f"{prefix}_{name}" for name in names for prefix in ("BAO", "VAULT")]
    variables = [STORE.variable_of(setting), *order]
    environ = dict.fromkeys(variables, value)
    for name in variables:
        entry = settings(environ).setup_of(STORE)[setting]
        assert entry == (value, Origin.ENVIRONMENT, name, None)
        environ[name] = " "  # counts as not set
    assert settings(environ).setup_of(STORE)[setting].origin is Origin.FILE


def test_a_test_key_under_live_is_reported_with_the_variable_it_is_in(settings: With) -> None:
    environ = {**LIVE, "M3CRED_STRIPE_SECRET_KEY": "sk_test_canary"}
    with pytest.raises(Misplaced) as told:
        settings(environ).platform(STRIPE)
    assert isinstance(told.value.problem, WrongModeKey)
    assert str(told.value) == (
        "M3CRED_STRIPE_SECRET_KEY: This is a test key (sk_test_…), and Stripe takes a live "
        "key: sk_live_ or rk_live_."
    )


def test_a_misspelt_variable_is_reported_with_the_nearest_one(settings: With) -> None:
    with pytest.raises(Misplaced) as told:
        settings({**TEST, "M3CRED_STRIPE_TEST_CLIENTID": "ca_x"}).platform(STRIPE_TEST)
    assert isinstance(told.value.problem, UnknownName)
    assert str(told.value) == (
        "the environment: There is no variable “M3CRED_STRIPE_TEST_CLIENTID”; did you mean "
        "M3CRED_STRIPE_TEST_CLIENT_ID?"
    )


def test_two_sources_of_the_key_are_one_too_many(settings: With, write: Write) -> None:
    more = {"M3CRED_STRIPE_TEST_SECRET_KEY_COMMAND": "cat"}
    with pytest.raises(Misplaced) as told:
        settings({**TEST, **more}).platform(STRIPE_TEST)
    assert str(told.value) == (
        "the environment: The secret key can come from one place only, but "
        "M3CRED_STRIPE_TEST_SECRET_KEY and M3CRED_STRIPE_TEST_SECRET_KEY_COMMAND are set."
    )
    write('[stripe_test]\nsecret_key_command = "cat"\nsecret_key_sealed = true\n')
    problem = settings().setup(STRIPE_TEST).problem
    assert str(problem) == (
        "stripe_test: The secret key can come from one place only, but secret_key_command "
        "and secret_key_sealed are set."
    )
    assert settings(TEST).setup(STRIPE_TEST).problem is None


def test_a_wrong_value_affects_only_its_own_destination(settings: With, write: Write) -> None:
    write("[stripe]\nports = [80]\n")
    assert settings({**TEST}).platform(STRIPE_TEST).client_id == "ca_test"
    with pytest.raises(Misplaced) as told:
        settings(LIVE).redirects(STRIPE)
    assert str(told.value) == ("stripe.ports: The ports are whole numbers from 1024 to 65535.")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("client_id = 1", "stripe.client_id: This must be text."),
        ('ports = "27182"', "stripe.ports: This must be a list of whole numbers."),
        ("ports = [27182.0]", "stripe.ports: This must be a list of whole numbers."),
        ("ports = [true]", "stripe.ports: This must be a list of whole numbers."),
        ("ports = []", "stripe.ports: The list of ports is empty."),
        ("secret_key_sealed = 1", "stripe.secret_key_sealed: This must be true or false."),
        (
            "secret_key_sealed = true",
            "stripe.secret_key_sealed: The sealed secret key of Stripe is missing; seal it "
            "again with m3cred config set stripe.secret_key.",
        ),
        (
            'secret_key_file = "key"',
            "stripe.secret_key_file: The path of a key file must begin with / or ~/, and this "
            "is “key”.",
        ),
        ("secret_key_sealed = false", "None"),
    ],
)
def test_a_value_of_the_file_that_is_wrong_is_reported_with_its_name(
    settings: With, write: Write, line: str, told: str
) -> None:
    write(f"[stripe]\n{line}\n")
    assert str(settings().setup(STRIPE).problem) == told


def test_a_start_is_not_a_demo_by_itself_and_reads_nothing(write: Write) -> None:
    write("= nonsense")
    assert not settings_from({}).demo


@pytest.mark.parametrize("environ", [{}, LIVE, {**LIVE, **TEST}])
def test_settings_in_a_crash_report_show_no_key(
    settings: With, environ: Mapping[str, str]
) -> None:
    started = settings(environ)
    setups = [started.setup(one) for one in DESTINATIONS]
    assert "canary" not in repr((started, setups, started._replace(demo=True)))
