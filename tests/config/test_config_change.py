"""Changing the settings file: one value, everything else as the user wrote it, or nothing."""

import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from m3cred_tui.config.editor import SettingsEditor
from m3cred_tui.config.entered import WrongModeKey
from m3cred_tui.config.locations import Locations
from m3cred_tui.config.settings import Settings
from m3cred_tui.config.table import Setting, group_of, settable, setting_named
from m3cred_tui.model.credential import DESTINATIONS, STRIPE, STRIPE_TEST, Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.problems import IdentityMissing

Write = Callable[[str], bytes]

WRITTEN = """\
# how we do it here
version = 1

[stripe]  # live
client_id = "ca_live"   # the platform's
# ann knows the vault
secret_key_command = "pass show stripe/live"
ports = [
  27182,  # the tunnel's
  27183,
]

[stripe_test]
oauth = "apps"
"""
GOOD = {
    "client_id": "ca_new",
    "secret_key_command": "pass show x | head -1",
    "secret_key_file": "~/key",
    "redirect_uri": "https://relay.example.com/x",
    "ports": "4001,4002",
    "oauth": "apps",
    "channel": "chnlink_1",
}


def test_each_setting_is_tried_here() -> None:
    assert {f"stripe.{name}" for name in (*GOOD, "secret_key")} == {
        name for name in settable() if name.startswith("stripe.")
    }


def row(name: str) -> Setting[object]:
    return setting_named(f"stripe.{name}")[1]


def set_value(places: Locations, destination: Destination, name: str, text: str) -> None:
    editor = SettingsEditor(Settings(places), IdentityFile(places.identity, places.data))
    editor.change(group_of(destination), row(name), text)


def unset_value(places: Locations, destination: Destination, name: str) -> bool:
    editor = SettingsEditor(Settings(places), IdentityFile(places.identity, places.data))
    return bool(editor.change(group_of(destination), row(name), None))


def seal_key(
    places: Locations, destination: Destination, key: Secret, identity: IdentityFile
) -> None:
    editor = SettingsEditor(Settings(places), identity)
    editor.change(group_of(destination), row("secret_key"), key.reveal())


@pytest.fixture
def identity(places: Locations) -> IdentityFile:
    return IdentityFile(places.identity, places.data)


def content(places: Locations) -> str:
    return places.settings.read_text()


def test_the_first_value_makes_the_file_for_this_user_alone(places: Locations) -> None:
    set_value(places, STRIPE_TEST, "client_id", " 'ca_abc' ")
    assert content(places) == 'version = 1\n\n[stripe_test]\nclient_id = "ca_abc"\n'
    assert stat.S_IMODE(places.settings.stat().st_mode) == 0o600
    assert stat.S_IMODE(places.settings.parent.stat().st_mode) == 0o700
    assert list(places.settings.parent.iterdir()) == [places.settings]


def test_comments_and_order_stay_as_the_user_has_them(places: Locations, write: Write) -> None:
    write(WRITTEN)
    set_value(places, STRIPE, "client_id", "ca_new")
    set_value(places, STRIPE_TEST, "ports", "4001")
    assert content(places) == (WRITTEN.replace('"ca_live"', '"ca_new"') + "ports = [4001]\n")
    assert unset_value(places, STRIPE_TEST, "ports")
    assert not unset_value(places, STRIPE_TEST, "ports")
    assert content(places) == WRITTEN.replace('"ca_live"', '"ca_new"')


@pytest.mark.parametrize("name", GOOD)
def test_what_is_set_is_what_is_read_and_can_be_removed(places: Locations, name: str) -> None:
    for destination in DESTINATIONS:
        set_value(places, destination, name, GOOD[name])
        setup = Settings(places).setup(destination)
        value = setup[setup.group.value_of(row(name))].value
        assert value == row(name).check(GOOD[name], destination)
        assert unset_value(places, destination, name)
    assert content(places) == "version = 1\n\n[stripe]\n\n[stripe_test]\n"


BAD = {
    "a newer version": ("version = 2\n", "client_id", "ca_x", "has version 2"),
    "not TOML": ("[stripe\n", "client_id", "ca_x", "is not TOML at line 1, column 8"),
    "an unknown name": ("[stripe]\nclientid = 1\n", "ports", "4001", "did you mean client_id?"),
    "a key in clear": ('[stripe]\nsecret_key = "sk"\n', "ports", "4001", "in clear"),
    "no table": ("stripe = 1\n", "ports", "4001", "This must be a table."),
    "swapped": (WRITTEN, "client_id", "sk_live_canary", "are the two swapped?"),
    "http in live mode": (WRITTEN, "redirect_uri", "http://127.0.0.1:1/", "https:// only"),
    "a privileged port": (WRITTEN, "ports", "80", "from 1024 to 65535"),
    "a key in a command": (WRITTEN, "secret_key_command", "echo sk_live_x", "in clear"),
    "an unknown model": (WRITTEN, "oauth", "conect", "did you mean connect?"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_changes_nothing(places: Locations, write: Write, case: str) -> None:
    text, name, value, told = BAD[case]
    before = write(text)
    stamp = places.settings.stat().st_mtime_ns
    with pytest.raises(Problem) as problem:
        set_value(places, STRIPE, name, value)
    assert told in str(problem.value)
    assert "canary" not in str(problem.value)
    assert places.settings.read_bytes() == before
    assert places.settings.stat().st_mtime_ns == stamp


def test_wrong_values_can_be_fixed_one_by_one(places: Locations, write: Write) -> None:
    write('[stripe]\nports = [80]\nredirect_uri = "http://x"\n')
    set_value(places, STRIPE, "ports", "4001")
    set_value(places, STRIPE, "redirect_uri", "https://x.example")
    assert content(places) == '[stripe]\nports = [4001]\nredirect_uri = "https://x.example"\n'


def test_what_is_set_already_is_not_written_again(places: Locations, write: Write) -> None:
    write(WRITTEN)
    inode = places.settings.stat().st_ino
    set_value(places, STRIPE, "client_id", "ca_live")
    assert places.settings.stat().st_ino == inode


def test_a_sealed_key_takes_the_place_of_the_command_and_the_other_way_round(
    places: Locations, write: Write, identity: IdentityFile
) -> None:
    write(WRITTEN)
    seal_key(places, STRIPE, Secret(" sk_live_canary\n"), identity)
    assert "secret_key_sealed = true" in content(places)
    assert "secret_key_command" not in content(places)
    set_value(places, STRIPE, "redirect_uri", "https://relay.example.com")
    assert Settings(places).platform(STRIPE).secret_key.reveal() == "sk_live_canary"
    sealed = places.keys / "STRIPE.age"
    assert sealed.exists()
    set_value(places, STRIPE, "secret_key_command", "pass show stripe/live")
    assert "secret_key_sealed" not in content(places)
    assert not sealed.exists()


def test_sealing_is_the_way_out_for_a_key_in_clear(
    places: Locations, write: Write, identity: IdentityFile, tmp_path: Path
) -> None:
    write('[stripe_test]\nsecret_key = "sk_test_canary"\nclient_id = "ca_a"\n')
    seal_key(places, STRIPE_TEST, Secret("sk_test_canary"), identity)
    assert content(places) == '[stripe_test]\nclient_id = "ca_a"\nsecret_key_sealed = true\n'
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert [one for one in files if b"canary" in one.read_bytes()] == []


def test_unset_removes_the_key_wherever_it_is_from(
    places: Locations, write: Write, identity: IdentityFile
) -> None:
    seal_key(places, STRIPE_TEST, Secret("sk_test_canary"), identity)
    assert unset_value(places, STRIPE_TEST, "secret_key")
    assert list(places.keys.iterdir()) == []
    assert not unset_value(places, STRIPE_TEST, "secret_key")
    write('[stripe]\nsecret_key = "sk_live_canary"\n')
    assert unset_value(places, STRIPE, "secret_key")
    assert content(places) == "[stripe]\n"


def test_a_key_of_the_wrong_mode_is_not_sealed(
    places: Locations, write: Write, identity: IdentityFile
) -> None:
    before = write(WRITTEN)
    with pytest.raises(WrongModeKey):
        seal_key(places, STRIPE, Secret("sk_test_canary"), identity)
    assert places.settings.read_bytes() == before
    assert not places.keys.exists()
    assert not places.identity.exists()


def test_a_file_that_would_not_be_understood_keeps_a_key_from_being_sealed(
    places: Locations, write: Write, identity: IdentityFile
) -> None:
    before = write("version = 2\n")
    with pytest.raises(Problem, match="has version 2"):
        seal_key(places, STRIPE, Secret("sk_live_canary"), identity)
    assert places.settings.read_bytes() == before
    assert not places.keys.exists()


def test_no_second_identity_is_made_where_a_key_is_sealed(
    places: Locations, identity: IdentityFile
) -> None:
    seal_key(places, STRIPE, Secret("sk_live_canary"), identity)
    before = places.settings.read_bytes()
    places.identity.unlink()
    with pytest.raises(IdentityMissing):
        seal_key(places, STRIPE_TEST, Secret("sk_test_canary"), identity)
    assert not places.identity.exists()
    assert places.settings.read_bytes() == before


def test_a_key_whose_identity_is_lost_is_reported_and_can_be_sealed_again(
    places: Locations, identity: IdentityFile
) -> None:
    set_value(places, STRIPE_TEST, "client_id", "ca_a")
    seal_key(places, STRIPE_TEST, Secret("sk_test_canary"), identity)
    places.identity.unlink()
    with pytest.raises(Problem) as told:
        Settings(places).platform(STRIPE_TEST)
    assert str(told.value) == (
        f"stripe_test.secret_key_sealed: The identity {places.identity} that the secret key of "
        "Stripe (Test Mode) is sealed for is missing; put it back, or seal the key again with "
        "m3cred config set stripe_test.secret_key."
    )
    seal_key(places, STRIPE_TEST, Secret("sk_test_again"), identity)
    assert Settings(places).platform(STRIPE_TEST).secret_key.reveal() == "sk_test_again"


def test_a_file_that_is_a_link_stays_one(
    places: Locations, tmp_path: Path, write: Write
) -> None:
    write(WRITTEN)
    dotfiles = tmp_path / "dotfiles" / "m3cred.toml"
    dotfiles.parent.mkdir(mode=0o755)
    places.settings.rename(dotfiles)
    places.settings.symlink_to(dotfiles)
    set_value(places, STRIPE, "oauth", "apps")
    assert places.settings.is_symlink()
    assert 'oauth = "apps"' in dotfiles.read_text()


def test_many_changes_at_once_are_all_kept(places: Locations) -> None:
    todo = [(one, name) for one in DESTINATIONS for name in ("client_id", "ports", "oauth")]
    with ThreadPoolExecutor(len(todo)) as pool:
        list(pool.map(lambda one: set_value(places, one[0], one[1], GOOD[one[1]]), todo))
    for destination, name in todo:
        value = Settings(places).setup(destination)[row(name)].value
        assert value == row(name).check(GOOD[name], destination)


def test_a_configuration_directory_that_cannot_be_made_is_reported(places: Locations) -> None:
    places.settings.parent.write_text("in the way")
    with pytest.raises(Problem, match="a part of its path is not a directory"):
        set_value(places, STRIPE, "oauth", "apps")
    assert places.settings.parent.read_text() == "in the way"
