"""Where a secret key comes from: a command, a file, sealed; each real."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from m3cred_tui.config.locations import Locations
from m3cred_tui.config.problems import Misplaced
from m3cred_tui.config.settings import Settings
from m3cred_tui.model.credential import STRIPE_TEST

Write = Callable[[str], bytes]
Get = Callable[[str], str]

ENVIRON = {"PATH": os.environ["PATH"], "M3CRED_STRIPE_TEST_CLIENT_ID": "ca_test"}


@pytest.fixture
def key(places: Locations, write: Write) -> Get:
    """Return the key of the test mode that a line of the file leads to."""

    def get(line: str) -> str:
        write(f"[stripe_test]\n{line}\n")
        settings = Settings(places, environ=ENVIRON)
        return settings.platform(STRIPE_TEST).secret_key.reveal()

    return get


def sentence(key: Get, line: str) -> str:
    with pytest.raises(Misplaced) as told:
        key(line)
    return str(told.value)


def test_a_command_gives_the_key(key: Get) -> None:
    assert key("secret_key_command = \"printf '%s_%s_%s' sk test a\"") == "sk_test_a"
    assert (
        key("secret_key_command = \"printf '\\\\n%s_test_a\\\\r\\\\n\\\\n' rk\"") == "rk_test_a"
    )


@pytest.mark.parametrize(
    ("command", "told"),
    [
        (
            "printf 'sk_%s_a\\\\nlogin: ann\\\\n' test",
            "The command printed 2 lines; it must be only the key, on one line.",
        ),
        (
            "printf '\\\\377'",
            "The command printed what is not UTF-8; it must be only the key, on one line.",
        ),
        (
            "echo hello",
            "A secret key of Stripe (Test Mode) is sk_test_ or rk_test_ followed by letters "
            "and digits.",
        ),
        (
            "printf %s_a sk_live",
            "This is a live key (sk_live_…), and Stripe (Test Mode) takes a test key: sk_test_ "
            "or rk_test_.",
        ),
        ("exit 5", "The command failed with status 5."),
    ],
    ids=["two lines", "not UTF-8", "no key", "live key", "fails"],
)
def test_what_a_command_gives_that_is_no_key_is_reported(
    key: Get, command: str, told: str
) -> None:
    assert sentence(key, f'secret_key_command = "{command}"') == (
        f"stripe_test.secret_key_command: {told}"
    )


def test_a_file_of_mine_alone_gives_the_key_and_a_link_to_it_too(
    key: Get, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    file = tmp_path / "key"
    file.touch(mode=0o600)
    file.write_text("sk_test_a\n")
    (tmp_path / "link").symlink_to(file)
    for path in (file, tmp_path / "link", "~/key"):
        assert key(f'secret_key_file = "{path}"') == "sk_test_a"


def test_a_file_of_a_key_is_refused_as_ssh_refuses_it(key: Get, tmp_path: Path) -> None:
    file = tmp_path / "key"
    line = f'secret_key_file = "{file}"'
    place = f"stripe_test.secret_key_file: {file} cannot be used:"
    assert sentence(key, line) == f"{place} it is not there."
    file.touch(mode=0o600)
    file.write_text("sk_test_a\n")
    file.chmod(0o640)
    assert (
        sentence(key, line) == f"{place} other users have access to it. Run: chmod 600 {file}"
    )
    file.chmod(0o600)
    file.write_text("a\n" * 4000)
    assert sentence(key, line) == f"{place} it has 8,000 bytes; 4,096 is the most."
    file.write_text("\n")
    assert sentence(key, line) == (
        "stripe_test.secret_key_file: The file holds nothing; it must be only the key, on "
        "one line."
    )
    file.unlink()
    os.mkfifo(file, 0o600)
    assert sentence(key, line) == f"{place} it is not a regular file."
    file.unlink()
    file.symlink_to(file)
    assert sentence(key, line) == f"{place} it links to itself."
