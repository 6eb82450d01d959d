"""With real files, real programs and a real tmux."""

import asyncio
import itertools
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from m3cred_tui.browser.opening import BrowserDidNotOpen, browser_commands
from m3cred_tui.browser.surroundings import (
    Surroundings,
    attached_environ,
    ssh_connection,
    surroundings,
)
from m3cred_tui.browser.terminal import takes_hyperlinks
from tests.e2e.conftest import program
from tests.e2e.terminal import terminal

FROM_HOME = "203.0.113.9 52000 198.51.100.7 22"
FROM_WORK = "10.1.0.9 40000 10.1.0.7 2222"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return the root of a machine that is neither a container nor WSL."""
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/version").write_text("Linux version 6.12 (gcc 14) #1 SMP\n")
    (tmp_path / "run").mkdir()
    (tmp_path / "bin").mkdir()
    for name in ("mine", "w3m", "xdg-open", "open", "wslview"):
        file = tmp_path / "bin" / name
        file.write_text("#!/bin/sh\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return tmp_path


def look(root: Path, platform: str = "linux", **environ: str) -> Surroundings:
    environ = {"PATH": str(root / "bin"), **environ}
    return surroundings(environ, platform=platform, root=root)


def test_at_the_computer_itself_the_browser_is_here(root: Path) -> None:
    for here in (
        look(root, DISPLAY=":0"),
        look(root, WAYLAND_DISPLAY="wayland-0"),
        look(root, platform="darwin"),
        look(root, WSL_DISTRO_NAME="Debian"),
    ):
        assert not here.browser_is_elsewhere


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"])
def test_over_ssh_the_browser_is_elsewhere_whatever_display_there_is(
    root: Path, variable: str
) -> None:
    for platform in ("linux", "darwin"):
        here = look(root, platform, **{variable: "x"}, DISPLAY=":0")
        assert here.browser_is_elsewhere
        assert here.reasons == ("this is an SSH session",)


def test_without_a_display_the_browser_is_elsewhere(root: Path) -> None:
    here = look(root, DISPLAY="", SSH_TTY="")
    assert here.browser_is_elsewhere
    assert here.reasons == ("no display here",)


@pytest.mark.parametrize(
    ("wish", "is_elsewhere"), [("mine", False), ("w3m", True), ("gone", True), (" ", True)]
)
def test_the_browser_variable_brings_the_browser_here_if_it_can_be_started(
    root: Path, wish: str, is_elsewhere: bool
) -> None:
    here = look(root, SSH_CONNECTION=FROM_HOME, BROWSER=wish)
    assert here.browser_is_elsewhere is is_elsewhere
    assert ("$BROWSER is set" in here.reasons) is not is_elsewhere


@pytest.mark.parametrize("elsewhere", [{}, {"SSH_CONNECTION": FROM_HOME}], ids=["here", "ssh"])
@pytest.mark.parametrize(
    ("wish", "mistake"),
    [
        ("firefx", "$BROWSER names a program that was not found: firefx"),
        ("firefx:w3m", "$BROWSER names a program that was not found: firefx"),
        ("'mine", "$BROWSER has an entry that cannot be read: 'mine"),
        (":", "$BROWSER names no program"),
        ("w3m", None),
        ("mine:firefx", None),
    ],
)
def test_a_mistyped_browser_variable_is_named_where_none_would_open(
    root: Path, wish: str, mistake: str | None, elsewhere: dict[str, str]
) -> None:
    reasons = look(root, BROWSER=wish, **elsewhere).reasons
    assert reasons[0] == mistake if mistake else "not found" not in str(reasons)


def test_tmux_and_screen_are_reported_after_what_decides(root: Path) -> None:
    here = look(root, SSH_CONNECTION=FROM_HOME, TMUX="/tmp/x,1,0", STY="1.pts", DISPLAY=":0")
    assert here.reasons == ("this is an SSH session", "in tmux", "in screen")
    assert look(root, TMUX="/tmp/x,1,0", DISPLAY=":0").browser_is_elsewhere is False


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv"])
def test_a_container_is_known_by_its_file(root: Path, mark: str) -> None:
    assert not look(root).container
    (root / mark).touch()
    assert look(root).reasons == ("no display here", "in a container")


@pytest.mark.parametrize("variable", ["container", "KUBERNETES_SERVICE_HOST"])
def test_a_container_is_known_by_its_variable(root: Path, variable: str) -> None:
    assert look(root, **{variable: "podman"}).container


def test_wsl_is_recognized_without_the_variables_that_sudo_drops(root: Path) -> None:
    (root / "proc/version").write_text("Linux version 6.6.87.2-microsoft-standard-WSL2\n")
    here = look(root)
    assert (here.wsl, here.browser_is_elsewhere) == (True, False)
    (root / ".dockerenv").touch()
    assert not look(root).wsl, "Docker Desktop's containers have the same kernel"


def test_a_machine_without_proc_version_is_no_failure(root: Path) -> None:
    (root / "proc/version").unlink()
    assert look(root).reasons == ("no display here",)


def test_where_a_browser_would_be_opened_it_is_never_said_to_be_elsewhere(root: Path) -> None:
    choices = {
        "SSH_TTY": "/dev/pts/1",
        "DISPLAY": ":0",
        "BROWSER": "mine",
        "WSL_DISTRO_NAME": "Debian",
        "TMUX": "x",
        "container": "oci",
    }
    opened = 0
    for some in itertools.product([False, True], repeat=len(choices)):
        chosen = dict(itertools.compress(choices.items(), some))
        environ = {"PATH": str(root / "bin"), **chosen}
        for platform in ("linux", "darwin"):
            with suppress(BrowserDidNotOpen):
                browser_commands("https://x.example", environ, platform)
                opened += 1
                assert not look(root, platform, **chosen).browser_is_elsewhere, chosen
    assert opened


def test_both_ends_of_the_connection_are_read() -> None:
    found = ssh_connection("2001:db8::9 52000 2001:db8::7 2222")
    assert found
    assert (str(found.client), str(found.server)) == ("2001:db8::9", "2001:db8::7")
    assert (found.client_port, found.server_port) == (52000, 2222)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "UNKNOWN 65535 UNKNOWN 65535",
        "1.2.3.4 1 web.example 22",
        "1.2.3.4 1 5.6.7.8",
        "1.2.3.4 1 5.6.7.8 22 9",
        "1.2.3.4 1 5.6.7.8 0",
        "1.2.3.4 1 5.6.7.8 65536",
        "1.2.3.4 1 5.6.7.8 -1",
        "1.2.3.4 1 5.6.7.8 \u0662\u0662",
        "1.2.3.4 1 5.6.7.8 2" + "2" * 5000,
        "1.2.3.4 1 $(id) 22",
        "1.2.3.4 1 5.6.7.8\x1b]0;x\x07 22",
    ],
)
def test_a_malformed_connection_is_ignored(root: Path, value: str) -> None:
    assert ssh_connection(value) is None
    assert look(root, SSH_CONNECTION=value).connection is None


@pytest.fixture
def tmux() -> Iterator[tuple[str, ...]]:
    """Return the command of a tmux of its own; its socket's path is short."""
    with tempfile.TemporaryDirectory(prefix="m3") as directory:
        command = (program("tmux"), "-f", os.devnull, "-S", f"{directory}/s")
        yield command
        subprocess.run([*command, "kill-server"], check=False, stderr=subprocess.DEVNULL)


def outside(**variables: str) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "TERM": "xterm-256color", **variables}


def pane(tmux: tuple[str, ...]) -> dict[str, str]:
    """Return the environment that m3cred has in the pane since it was started."""
    where = "#{socket_path},#{pid},0"
    answer = subprocess.check_output([*tmux, "display-message", "-p", where], text=True)
    stale = {"SSH_CONNECTION": "9.9.9.9 9 9.9.9.9 9", "SSH_TTY": "x", "SSH_CLIENT": "x"}
    return outside(TMUX=answer.strip(), TMUX_PANE="%0", EDITOR="vi", **stale)


async def test_in_tmux_the_attached_client_counts_not_the_one_that_started_it(
    tmux: tuple[str, ...],
) -> None:
    session = (*tmux, "new-session", "-A", "-s", "x", "sh -c 'echo begun; cat'")
    async with terminal(session, outside(SSH_CONNECTION=FROM_HOME)) as at_home:
        await at_home.shows("begun")
        begun = pane(tmux)
        environ = await attached_environ(begun)
        assert environ["SSH_CONNECTION"] == FROM_HOME
        assert environ["EDITOR"] == "vi"
        assert not {"SSH_TTY", "SSH_CLIENT"} & environ.keys()
    async with terminal(session, outside(SSH_CONNECTION=FROM_WORK)) as at_work:
        await at_work.shows("begun")
        assert (await attached_environ(begun))["SSH_CONNECTION"] == FROM_WORK
    async with terminal(session, outside(DISPLAY=":0")) as at_the_computer:
        await at_the_computer.shows("begun")
        here = surroundings(await attached_environ(begun), platform="linux")
        assert (here.ssh, here.display, here.browser_is_elsewhere) == (False, True, False)


async def test_outside_tmux_the_environment_stays_as_it_is() -> None:
    environ = outside(SSH_TTY="/dev/pts/1")
    assert await attached_environ(environ) == environ


async def test_a_tmux_that_has_gone_is_not_asked_twice(tmp_path: Path) -> None:
    environ = outside(TMUX=f"{tmp_path}/gone,1,0", SSH_TTY="/dev/pts/1")
    assert await attached_environ(environ) == environ
    environ["PATH"] = str(tmp_path)
    assert await attached_environ(environ) == environ


async def test_a_tmux_that_hangs_is_not_waited_for_long(tmp_path: Path) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text("#!/bin/sh\nexec sleep 60\n")
    tmux.chmod(0o700)
    environ = outside(TMUX="x,1,0", SSH_TTY="/dev/pts/1")
    environ["PATH"] = f"{tmp_path}:{environ['PATH']}"
    async with asyncio.timeout(10):
        assert await attached_environ(environ) == environ


@pytest.mark.parametrize(
    "environ",
    [
        {"TERM": "xterm-256color"},
        {"TERM": "xterm-kitty"},
        {"TERM": "xterm-256color", "VTE_VERSION": "7800"},
        {"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app", "TERM_PROGRAM_VERSION": "3.5"},
        {"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM_VERSION": "3.4"},
        {"TERM": "screen", "TMUX": "x", "TERM_PROGRAM_VERSION": "next-3.6"},
    ],
)
def test_a_terminal_that_may_know_links_gets_one(environ: dict[str, str]) -> None:
    assert takes_hyperlinks(environ)


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"TERM": "dumb"},
        {"TERM": "linux"},
        {"TERM": "vt220"},
        {"TERM": "screen.xterm-256color", "STY": "1.x"},
        {"TERM": "screen-256color"},
        {"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"},
        {"TERM": "xterm-256color", "VTE_VERSION": "5000"},
        {"TERM": "tmux-256color", "TMUX": "x", "TERM_PROGRAM_VERSION": "3.3a"},
        {"TERM": "tmux-256color", "TMUX": "x"},
    ],
)
def test_a_terminal_that_would_lose_the_link_gets_none(environ: dict[str, str]) -> None:
    assert not takes_hyperlinks(environ)
