"""Setting a destination up at the keyboard: what is told, and what is written."""

from pathlib import Path

import pytest

from m3cred_tui.config import table
from m3cred_tui.config.key_source import Sealed
from m3cred_tui.config.table import CLIENT_ID, SECRET_KEY, Setting
from m3cred_tui.model.credential import STRIPE, STRIPE_TEST
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.ui.services import Services
from tests.store.light_age import wrapped_lightly
from tests.ui.settings_place import Place, choose, to_form
from tests.ui.user import opened

WHOLE = """\
version = 1  # ours

[stripe_test]
client_id = "ca_old"
secret_key_command = "pass show old"
"""
SEALED, COMMAND, FILE = 0, 1, 2


def replaced_by(text: str) -> list[str]:
    return ["end", "ctrl+u", *text]


@pytest.fixture
def place(tmp_path: Path, services: Services) -> Place:
    return Place(tmp_path, services, {"PATH": "/usr/bin:/bin"})


async def test_a_destination_is_set_up_by_enter_the_arrow_keys_and_paste(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.paste(" “ca_Acme1”\n")
        await user.press("enter", "down")
        await user.paste("\n 'sk_test_canary' \n")
        assert "canary" not in user.screen
        await user.press("enter", "down", "down", "down")
        await user.focuses("Save")
        await user.press("enter")
        await user.sees("✓ Saved: client id, secret key. Stripe (Test Mode) is set up.")
        assert user.page == "SettingsPage"
        await user.sees("ca_Acme1 (file)", "sealed by m3cred (file)")
    assert place.content == (
        'version = 1\n\n[stripe_test]\nclient_id = "ca_Acme1"\nsecret_key_sealed = true\n'
    )
    platform = place.settings.platform(STRIPE_TEST)
    assert platform.secret_key.reveal() == "sk_test_canary"


async def test_a_sealed_key_is_never_shown_again(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.press("down", "down")
        await user.paste("sk_test_canary")
        await user.press("ctrl+s")
        await user.sees("✓ Saved: secret key. Still to be set: client id.")
        await user.sees("sealed; paste another key to replace it")
        lines = [getattr(one, "value", None) for one in user.app.screen.query("SettingLine")]
        assert "sk_test_canary" not in lines


@pytest.mark.parametrize(
    ("test", "source", "text", "told"),
    [
        (
            False,
            SEALED,
            "sk_test_canary",
            "This is a test key (sk_test_…), and Stripe takes a live key: sk_live_ or "
            "rk_live_.",
        ),
        (
            True,
            SEALED,
            "rk_live_canary",
            "This is a live key (rk_live_…), and Stripe (Test Mode) takes a test key: sk_test_ "
            "or rk_test_.",
        ),
        (True, SEALED, "ca_x", "This is a client id, not a secret key: are the two swapped?"),
        (
            True,
            SEALED,
            "pk_test_canary",
            "This is the publishable key (pk_); the secret key begins with sk_test_ or "
            "rk_test_.",
        ),
        (
            True,
            SEALED,
            "sk_test_51…9f3c",
            "This is the key as Stripe's dashboard masks it; reveal it there and copy it "
            "whole.",
        ),
        (
            True,
            SEALED,
            "sk_test_can\nary",
            "A secret key of Stripe (Test Mode) is sk_test_ or rk_test_ followed by letters "
            "and digits; this one has white space in it.",
        ),
        (
            True,
            COMMAND,
            "echo sk_test_canary",
            "There is a secret key in clear text in the command; keep it in a password store, "
            "in a file that only you can read, or seal it with m3cred config set.",
        ),
        (
            True,
            FILE,
            "stripe.key",
            "The path of a key file must begin with / or ~/, and this is “stripe.key”.",
        ),
    ],
    ids=lambda value: ascii(value)[:20],
)
@pytest.mark.quick(1)
async def test_a_wrong_secret_key_is_reported_below_it_and_nothing_is_written(
    place: Place, test: bool, source: int, text: str, told: str
) -> None:
    before = place.write('version = 1\n[stripe]\nclient_id = "ca_live"\n')
    async with opened(place.services) as user:
        await to_form(user, test=test)
        await user.until(lambda: user.focus in {"SettingLine", "DropDown"})
        await user.press(*(["down"] if user.focus == "SettingLine" else []))
        if source:
            await choose(user, source)
        await user.paste(text)
        await user.sees(told)
        await user.press("ctrl+s")
        await user.sees(told)
        assert "canary" not in user.screen.replace(told, "") or source
        assert user.page == "SetUpPage"
    assert place.places.settings.read_bytes() == before
    assert not place.places.keys.exists()


@pytest.mark.parametrize(
    ("downs", "text", "told"),
    [
        (0, "sk_live_x", "This is a secret key, not a client id: are the two swapped?"),
        (0, "acct_1", "A client id is ca_ followed by letters and digits."),
        (
            3,
            "http://127.0.0.1:27182/callback",
            "The redirect URI begins with http://, and in live mode Stripe takes https:// "
            "only.",
        ),
        (3, "https://a.example/#x", "The redirect URI has a fragment (#)."),
        (4, "80, 27182", "The ports are whole numbers from 1024 to 65535."),
        (4, "27182 27182", "The ports include one twice."),
    ],
    ids=lambda value: str(value)[:20],
)
@pytest.mark.quick(1)
async def test_a_wrong_value_is_reported_below_it_and_nothing_is_written(
    place: Place, downs: int, text: str, told: str
) -> None:
    async with opened(place.services) as user:
        await to_form(user)
        await user.press(*["down"] * downs)
        await user.paste(text)
        await user.sees(told)
        await user.press("ctrl+s")
        assert user.page == "SetUpPage"
        await user.press(*replaced_by(""))
        await user.until(lambda: not user.shows(told))
    assert place.content == ""


async def test_a_typed_value_is_called_wrong_only_after_leaving_the_input(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user)
        await user.type("acct")
        assert "! " not in user.screen
        await user.press("enter")
        await user.sees("! A client id is ca_ followed by letters and digits.")
        assert user.focus == "SettingLine"
        await user.press(*replaced_by("ca_x"))
        await user.until(lambda: "! " not in user.screen)


async def test_one_wrong_value_prevents_writing_the_right_ones(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user)
        await user.paste("ca_right")
        await user.press("down", "down", "down")
        await user.paste("ftp://x")
        await user.press("up", "up", "up", "ctrl+s")
        await user.sees("! The redirect URI begins with neither https:// nor http://.")
        await user.until(lambda: getattr(user.app.screen.focused, "id", "") == "redirect_uri")
    assert place.content == ""


async def test_live_mode_asks_for_https_and_names_the_relay_page(
    place: Place,
) -> None:
    async with opened(place.services) as user:
        await to_form(user)
        await user.press("down", "down", "down")
        await user.sees("In live mode Stripe takes https:// only", "m3cred relay-page writes")


@pytest.mark.long
async def test_comments_stay_and_an_emptied_value_is_removed(place: Place) -> None:
    place.write(WHOLE + "ports = [4001]\n")
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.press(*["down"] * 4, *replaced_by(""), "ctrl+s")
        await user.sees("✓ Saved: ports removed.")
    assert place.content == WHOLE


@pytest.mark.long
async def test_choosing_stripe_apps_shows_its_channel(place: Place) -> None:
    place.write(WHOLE)
    async with opened(place.services) as user:
        await to_form(user, test=True)
        assert "Channel" not in user.screen
        await user.press(*["down"] * 5, "enter")
        await user.focuses("SelectOverlay")
        await user.press("down", "enter")
        await user.sees("Channel")
        await user.press("down")
        await user.paste("chnlink_1")
        await user.press("ctrl+s")
        await user.sees("✓ Saved: OAuth model, channel.")
    assert place.content == WHOLE + 'oauth = "apps"\nchannel = "chnlink_1"\n'


async def test_a_value_from_the_environment_is_shown_with_its_variable_and_not_editable(
    tmp_path: Path, services: Services
) -> None:
    environ = {
        "M3CRED_STRIPE_CLIENT_ID": "ca_env",
        "M3CRED_STRIPE_SECRET_KEY": "sk_live_canary",
        "M3CRED_STRIPE_PORTS": "80",
    }
    place = Place(tmp_path, services, environ)
    async with opened(place.services) as user:
        await to_form(user)
        await user.sees("ca_env from M3CRED_STRIPE_CLIENT_ID")
        await user.sees("set, sk_live_… from M3CRED_STRIPE_SECRET_KEY")
        await user.sees("! M3CRED_STRIPE_PORTS: The ports are whole numbers from 1024 to")
        lines = [one.id for one in user.app.screen.query("SettingLine")]
        assert lines == ["redirect_uri", "channel"]
        assert "canary" not in user.screen


async def test_a_variable_of_bao_or_vault_is_shown_where_it_takes_precedence(
    tmp_path: Path, services: Services
) -> None:
    environ = {"VAULT_ADDR": "https://bao.example.com", "BAO_CACERT": "/etc/bao.pem"}
    place = Place(tmp_path, services, environ)
    place.write('version = 1\n[store]\nengine = "openbao"\naddress = "https://file.example"\n')
    async with opened(place.services) as user:
        await user.press("comma", "down", "down")
        await user.sees("https://bao.example.com (VAULT_ADDR)", "/etc/bao.pem (BAO_CACERT)")
        await user.press("enter")
        await user.sees("https://bao.example.com from VAULT_ADDR")
        await user.sees("/etc/bao.pem from BAO_CACERT")
        assert "file.example" not in user.screen


async def test_leaving_with_unsaved_input_asks_and_writes_nothing(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user)
        await user.paste("ca_x")
        await user.press("escape")
        await user.sees("What you entered for this destination is not saved.")
        await user.press("enter")
        await user.until(lambda: user.page == "SetUpPage")
        assert "ca_x" in user.screen
        await user.press("escape")
        await user.answers_yes()
        await user.until(lambda: user.page == "SettingsPage")
    assert place.content == ""


async def test_quitting_with_unsaved_input_asks_too(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user)
        await user.paste("ca_x")
        await user.press("ctrl+q")
        await user.sees("What you entered for this destination is not saved.")


@pytest.mark.long
async def test_a_sealed_key_is_not_removed_without_a_question(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.press("down", "down")
        await user.paste("sk_test_canary")
        await user.press("ctrl+s")
        await user.sees("Still to be set")
        await user.press("down")
        await choose(user, COMMAND)
        await user.paste("pass show x")
        await user.press("ctrl+s")
        await user.sees(
            "The secret key that is sealed for this destination is removed with it."
        )
        await user.press("enter")
        await user.until(lambda: user.page == "SetUpPage")
        assert isinstance(place.settings.setup(STRIPE_TEST)[SECRET_KEY].value, Sealed)
        await user.press("ctrl+s")
        await user.answers_yes()
        await user.sees("✓ Saved: secret key. Still to be set: client id.")
    assert 'secret_key_command = "pass show x"' in place.content
    assert list(place.places.keys.iterdir()) == []


@pytest.mark.long
async def test_the_source_of_the_key_can_be_removed(place: Place) -> None:
    place.write(WHOLE)
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.press("down", "enter")
        await user.focuses("SelectOverlay")
        await user.press("up", "up", "enter")
        await user.press("ctrl+s")
        await user.sees("✓ Saved: secret key removed. Still to be set: secret key.")
    assert place.content == WHOLE.replace('secret_key_command = "pass show old"\n', "")


async def test_a_key_cannot_be_sealed_while_the_identity_has_a_passphrase(
    place: Place,
) -> None:
    before = place.write(WHOLE)
    identity = IdentityFile(place.places.identity, place.places.data)
    identity.to_seal()
    place.places.identity.write_bytes(
        wrapped_lightly(place.places.identity.read_bytes(), "correct horse")
    )
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.press("down", "enter")
        await user.focuses("SelectOverlay")
        await user.press("up", "enter")
        await user.paste("sk_test_new")
        await user.press("ctrl+s")
        await user.sees("is under a passphrase that was not entered.")
        assert user.page == "SetUpPage"
    assert place.places.settings.read_bytes() == before


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("version = 2\n", "has version 2, but this m3cred knows only version 1"),
        ("[stripe\n", "is not TOML at line 1, column 8"),
        ("[stripe]\nclientid = 1\n", "did you mean client_id?"),
        ('[stripe]\nsecret_key = "sk_live_canary"\n', "holds a secret key in clear"),
    ],
)
async def test_an_invalid_file_is_reported_and_left_unchanged(
    place: Place, content: str, told: str
) -> None:
    before = place.write(content)
    async with opened(place.services) as user:
        await user.press("comma")
        await user.until(lambda: told in " ".join(user.screen.split()))
        await user.press("enter")
        assert user.page == "SettingsPage"
        assert "canary" not in user.screen
        await user.press("escape")
        await user.until(lambda: user.page == "CredentialsPage")
    assert place.places.settings.read_bytes() == before


async def test_a_file_that_cannot_be_written_keeps_what_was_entered(place: Place) -> None:
    place.write(WHOLE)
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.press(*replaced_by("ca_new"))
        place.places.settings.parent.chmod(0o777)
        await user.press("ctrl+s")
        await user.sees("cannot be used:")
        assert "ca_new" in user.screen
        place.places.settings.parent.chmod(0o700)
        await user.press("ctrl+s")
        await user.sees("✓ Saved: client id.")


async def test_the_demo_says_that_it_needs_no_settings(services: Services) -> None:
    async with opened(services) as user:
        await user.press("comma")
        await user.sees("The demo Stripe needs no settings.", "start m3cred without --demo")
        await user.press("escape")
        await user.until(lambda: user.page == "CredentialsPage")


async def test_the_help_and_the_palette_name_the_settings(place: Place) -> None:
    async with opened(place.services) as user:
        await user.press("question_mark")
        await user.until(lambda: user.page == "Help")
        await user.until(
            lambda: any(", Settings" in " ".join(line.split()) for line in user.lines)
        )
        await user.press("escape", "ctrl+p")
        await user.focuses("CommandInput")
        await user.type("sett")
        await user.sees("Settings")
        await user.press("enter")
        await user.until(lambda: user.page == "SettingsPage")


async def test_nothing_is_saved_twice_by_an_impatient_second_enter(place: Place) -> None:
    async with opened(place.services) as user:
        await to_form(user)
        await user.paste("ca_x")
        await user.types_ahead("ctrl+s", "ctrl+s", "ctrl+s")
        await user.sees("Still to be set: secret key, redirect URI.")
        await user.press("ctrl+s")
        assert user.shows("✓ Saved: client id. Still to be set: secret key, redirect URI.")
    assert place.content.count("ca_x") == 1
    assert place.settings.setup(STRIPE)[CLIENT_ID].value == "ca_x"


async def test_saved_values_are_reported_although_another_one_is_wrong(
    tmp_path: Path, services: Services
) -> None:
    wrong = {"M3CRED_STRIPE_TEST_CLIENT_ID": "acct_1", "M3CRED_STRIPE_TEST_PORTS": "4001"}
    place = Place(tmp_path, services, wrong)
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.press("down")
        await user.focuses("SettingLine")
        await user.paste("sk_test_canary")
        await user.press("ctrl+s")
        await user.sees("✓ Saved: secret key.")


async def test_a_new_row_of_the_table_appears_in_the_form(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(text: str, _destination: object) -> str:
        return text.lower()

    row = Setting("colour", "Colour", check, "What the walls are painted in.", example="red")
    monkeypatch.setattr(table, "OF_A_DESTINATION", (*table.OF_A_DESTINATION, row))
    async with opened(place.services) as user:
        await to_form(user, test=True)
        await user.sees("Colour", "red")
        user.app.screen.query_one("#colour").focus()
        await user.sees("What the walls are painted in.")
        await user.paste("Blue")
        await user.press("ctrl+s")
        await user.sees("✓ Saved: colour.")
    assert place.content == 'version = 1\n\n[stripe_test]\ncolour = "blue"\n'
