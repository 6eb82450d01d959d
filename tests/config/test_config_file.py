"""The settings file: what it may be, and one sentence for what it may not."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.config.file import (
    FileProblem,
    KeyInFile,
    NewerVersion,
    NotToml,
    read_file,
    tables_in,
)
from m3cred_tui.config.locations import Locations
from m3cred_tui.model.problem import Problem
from m3cred_tui.store.problems import StoreUnusable

Write = Callable[[str], bytes]

PATH = Path("/home/ann/config.toml")


def sentence(content: bytes) -> str:
    with pytest.raises(Problem) as told:
        tables_in(content, PATH)
    return str(told.value)


def test_no_file_and_an_empty_one_set_nothing(places: Locations, write: Write) -> None:
    assert tables_in(read_file(places.settings), places.settings) == {}
    write("# nothing yet\n")
    assert tables_in(read_file(places.settings), places.settings) == {}


def test_a_byte_order_mark_is_no_part_of_the_settings(places: Locations, write: Write) -> None:
    write('\ufeff[stripe]\nclient_id = "a"\n')
    found = tables_in(read_file(places.settings), places.settings)
    assert found == {"stripe": {"client_id": "a"}}


def test_a_table_for_each_destination() -> None:
    content = b'version = 1\n[stripe]\nclient_id = "a"\n[stripe_test]\noauth = "apps"\n'
    assert tables_in(content, PATH) == {
        "stripe": {"client_id": "a"},
        "stripe_test": {"oauth": "apps"},
    }


@pytest.mark.parametrize(
    ("content", "line", "column"),
    [
        (b"[stripe]\nclient_id 1\n", 2, 11),
        (b"[stripe]\nclient_id = ca_abc\n", 2, 13),
        (b"[stripe\n", 1, 8),
        (b'[stripe]\n\n  client_id = "ca_', 3, 19),
        (b'# caf\xc3\xa9\n[stripe]\nclient_id = "\xff"\n', 3, 14),
        (b"[stripe]\n[stripe]\n", 2, 8),
    ],
)
def test_what_is_not_toml_is_reported_with_line_and_column(
    content: bytes, line: int, column: int
) -> None:
    with pytest.raises(NotToml) as told:
        tables_in(content, PATH)
    assert (told.value.line, told.value.column) == (line, column)
    assert str(told.value).startswith(f"{PATH} is not TOML at line {line}, column {column}: ")


def test_the_sentence_for_what_is_not_toml_is_one() -> None:
    assert sentence(b"[stripe]\nclient_id = ca_abc\n") == (
        "/home/ann/config.toml is not TOML at line 2, column 13: invalid value."
    )


def test_a_file_of_a_newer_version_is_left_to_the_newer_m3cred() -> None:
    with pytest.raises(NewerVersion) as told:
        tables_in(b"version = 2\n[stripe]\nnew_key = 1\n", PATH)
    assert told.value.version == 2
    assert str(told.value) == (
        "/home/ann/config.toml has version 2, but this m3cred knows only version 1: use the "
        "newer m3cred that wrote it. Nothing was changed."
    )


@pytest.mark.parametrize("version", ['"1"', "0", "-1", "true", "1.0"])
def test_a_version_is_a_number(version: str) -> None:
    assert sentence(f"version = {version}\n".encode()) == (
        "/home/ann/config.toml, version: This must be the number 1."
    )


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            "[stripe]\nclientid = 1",
            "/home/ann/config.toml, [stripe]: There is no setting “clientid”; did you mean "
            "client_id?",
        ),
        (
            "[stripe_tset]\n",
            "/home/ann/config.toml, [stripe_tset]: There is no table “stripe_tset”; did you "
            "mean stripe_test?",
        ),
        (
            "[stripe]\nquux = 1",
            "/home/ann/config.toml, [stripe]: There is no setting “quux”; there are client_id, "
            "secret_key_command, secret_key_file, secret_key_sealed, redirect_uri, ports, "
            "oauth, channel.",
        ),
        ("stripe = 3", "/home/ann/config.toml, stripe: This must be a table."),
        ('stripe = "sk_live_canary"', "/home/ann/config.toml, stripe: This must be a table."),
    ],
)
def test_an_unknown_name_is_reported_with_the_nearest_one(content: str, told: str) -> None:
    assert sentence(content.encode()) == told


@pytest.mark.parametrize("value", ['"sk_live_canary"', '""', "1"])
def test_a_key_in_clear_is_refused_with_the_way_out(value: str) -> None:
    with pytest.raises(KeyInFile) as told:
        tables_in(f"[stripe]\nsecret_key = {value}\n".encode(), PATH)
    assert str(told.value) == (
        "/home/ann/config.toml holds a secret key in clear text (stripe.secret_key), which "
        "m3cred does not accept: run m3cred config set stripe.secret_key, which seals the key "
        "and removes that line, or set a secret_key_command or secret_key_file instead."
    )


def test_a_key_that_stands_where_a_name_belongs_is_not_repeated() -> None:
    assert "canary" not in sentence(b"[stripe]\nsk_live_canary = 1\n")
    assert "canary" not in sentence(b"[sk_live_canary]\n")


@given(st.binary(max_size=80) | st.text(max_size=80).map(str.encode))
def test_any_bytes_are_settings_or_a_sentence(content: bytes) -> None:
    try:
        tables_in(content, PATH)
    except (NotToml, FileProblem, KeyInFile, NewerVersion) as problem:
        told = str(problem)
        assert told.startswith(str(PATH))
        assert told.isprintable()


def test_a_file_nested_too_deeply_is_reported() -> None:
    assert "nested too deeply" in sentence(b"a = " + b"[" * 20_000)


def refused(path: Path) -> str:
    with pytest.raises(StoreUnusable) as told:
        read_file(path)
    return str(told.value).replace(str(path), "FILE")


@pytest.mark.parametrize(
    ("mode", "told"),
    [
        (0o602, "FILE cannot be used: other users can write to it. Run: chmod go-w FILE"),
        (0o620, "FILE cannot be used: other users can write to it. Run: chmod go-w FILE"),
    ],
)
def test_a_file_that_others_could_write_commands_into_is_refused(
    places: Locations, write: Write, mode: int, told: str
) -> None:
    write("")
    places.settings.chmod(mode)
    assert refused(places.settings) == told


def test_a_file_that_others_may_read_is_taken(places: Locations, write: Write) -> None:
    content = write("[stripe]\n")
    places.settings.chmod(0o644)
    assert read_file(places.settings) == content


def test_a_directory_in_which_others_could_put_another_file_is_refused(
    places: Locations, write: Write
) -> None:
    write("")
    places.settings.parent.chmod(0o777)
    assert "other users can write to the directory" in refused(places.settings)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_file_of_another_user_is_refused(places: Locations, write: Write) -> None:
    write("")
    os.chown(places.settings, 12345, -1)
    assert refused(places.settings) == (
        "FILE cannot be used: it belongs to another user (uid 12345)."
    )


def test_a_link_to_the_file_is_followed_and_a_broken_one_reported(
    places: Locations, tmp_path: Path, write: Write
) -> None:
    content = write("[stripe]\n")
    dotfiles = tmp_path / "dotfiles"
    places.settings.rename(dotfiles)
    places.settings.symlink_to(dotfiles)
    assert read_file(places.settings) == content
    dotfiles.chmod(0o666)
    assert "other users can write to it" in refused(places.settings)
    dotfiles.unlink()
    assert refused(places.settings) == "FILE cannot be used: it is a link to nothing."
    dotfiles.symlink_to(places.settings)
    assert refused(places.settings) == "FILE cannot be used: it links to itself."


def test_a_large_or_special_file_is_refused_without_blocking(
    places: Locations, write: Write
) -> None:
    write("#" * 70_000)
    assert refused(places.settings) == "FILE cannot be used: it has more than 65,536 bytes."
    places.settings.unlink()
    os.mkfifo(places.settings, 0o600)
    assert refused(places.settings) == "FILE cannot be used: it is not a regular file."
    places.settings.unlink()
    places.settings.mkdir()
    assert refused(places.settings) == "FILE cannot be used: it is not a regular file."
