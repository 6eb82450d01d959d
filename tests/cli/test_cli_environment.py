"""Variables of the environment that a library would obey at the user's expense."""

import os
import pwd
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.creation import set_up
from tests.cli.kept import keep
from tests.e2e.terminal import ESC, Terminal, terminal

Start = Callable[..., AbstractAsyncContextManager[Terminal]]
Run = Callable[..., CompletedProcess[str]]

CANARY = "canaryname"
XDG = ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_STATE_HOME")


async def test_what_is_typed_reaches_no_file_of_textuals_developers_tools(
    start: Start, tmp_path: Path
) -> None:
    recorded, pictures = tmp_path / "recorded", tmp_path / "pictures"
    pictures.mkdir()
    developers = {
        "TEXTUAL": "debug,devtools",
        "TEXTUAL_DEBUG": "1",
        "TEXTUAL_LOG": str(recorded),
        "TEXTUAL_SCREENSHOT": "0",
        "TEXTUAL_SCREENSHOT_LOCATION": str(pictures),
        "TEXTUAL_PRESS": "q",
        "TEXTUAL_SHOW_RETURN": "1",
        "TEXTUAL_DRIVER": "textual.drivers.headless_driver:HeadlessDriver",
        "TEXTUAL_THEME": "textual-light",
    }
    async with start(**developers) as app:
        await app.shows("There are no credentials yet")
        app.press("c")
        await app.shows("Name credential")
        app.press(CANARY)
        await app.shows(CANARY)
        app.press(ESC)
        await app.settles()
    assert not recorded.exists()
    assert [*pictures.iterdir()] == []
    log = (tmp_path / "state" / "m3cred" / "m3cred.log").read_text()
    assert CANARY not in log
    told = [line for line in log.splitlines() if "ignored in the environment" in line]
    assert len(told) == 1
    assert all(name in told[0] for name in developers if name != "TEXTUAL_THEME")
    assert "TEXTUAL_THEME" not in told[0]


def test_the_keys_of_tls_are_not_written_down(python: Run, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    ended = python(
        "-c",
        "import ssl; from m3cred_tui.cli.main import main; main(['--version']); "
        "from m3cred_tui.stripe.transport import _client; _client('https://x.example', 1.0); "
        "print(ssl.create_default_context().keylog_filename)",
        more={"SSLKEYLOGFILE": str(keys)},
    )
    assert ended.stdout.endswith("\nNone\n"), ended.stderr
    assert not keys.exists()


@pytest.mark.parametrize("name", ["SSLKEYLOGFILE", "TEXTUAL_LOG"])
def test_the_command_of_exec_has_the_variable_that_m3cred_does_without(
    m3cred_anew: Run, tmp_path: Path, name: str
) -> None:
    keep(tmp_path, ["Acme"])
    command = (sys.executable, "-c", f"import os; print(os.environ[{name!r}])")
    ended = m3cred_anew("exec", "Acme", "--", *command, **{name: "/dev/null"})
    assert (ended.returncode, ended.stdout) == (0, "/dev/null\n"), ended.stderr


# As in a container that is run for any uid: no name and no home directory.
NAMELESS = """
import pwd, sys

def getpwuid(uid):
    raise KeyError(f"getpwuid(): uid not found: {uid}")

pwd.getpwuid = getpwuid
from m3cred_tui.cli.main import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.long
def test_a_uid_without_a_name_creates_credentials_by_its_number(
    python: Run, tmp_path: Path
) -> None:
    begin = ("create", "--name", "Acme", "--destination", "stripe_test", "--begin")
    with set_up({}) as environ:
        ended = python("-c", NAMELESS, *begin, more=environ)
    assert ended.returncode == 0, ended.stderr
    ended = python("-c", NAMELESS, "show", "Acme")
    me = f"{os.getuid()}@{socket.gethostname()}"
    assert re.search(rf"^Created by: +{re.escape(me)}$", ended.stdout, re.MULTILINE)
    ended = python("-c", NAMELESS, "doctor", "--offline")
    assert f"It has no name here; credentials are created by {me}." in ended.stdout


async def test_the_app_opens_for_a_uid_without_a_name(
    environment: dict[str, str], tmp_path: Path
) -> None:
    async with terminal([sys.executable, "-c", NAMELESS], environment) as app:
        await app.shows("There are no credentials yet")


@pytest.mark.long
def test_a_uid_without_name_and_home_is_told_to_set_home(python: Run) -> None:
    unset = {"HOME": "", **dict.fromkeys(XDG, "")}
    for command in (["list"], ["check", "--all"], ["doctor"], []):
        ended = python("-c", NAMELESS, *command, more=unset)
        assert ended.returncode == 1
        if command:
            assert ended.stderr.startswith("m3cred: There is no home directory for uid ")
            assert ended.stderr.endswith(": set HOME to a directory that is yours.\n")


@pytest.mark.parametrize("home", ["", "relative", None], ids=str)
def test_without_a_usable_home_the_accounts_own_directory_counts(
    environment: dict[str, str], home: str | None
) -> None:
    environ = {name: value for name, value in environment.items() if name not in XDG}
    environ.pop("HOME")
    if home is not None:
        environ["HOME"] = home
    look = (
        "from m3cred_tui.cli.main import main; main(['--version']);"
        "from m3cred_tui.config.locations import locations; print(locations(demo=False).data)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", look], env=environ, capture_output=True, text=True, check=True
    )
    own = Path(pwd.getpwuid(os.getuid()).pw_dir)
    assert Path(ended.stdout.splitlines()[-1]).is_relative_to(own)


async def test_a_window_is_believed_rather_than_columns_and_lines(start: Start) -> None:
    async with start(columns=80, COLUMNS="20", LINES="5") as app:
        await app.shows("There are no credentials yet")
        app.resize(100, 30)
        await app.settles()
        await app.shows("There are no credentials yet")
