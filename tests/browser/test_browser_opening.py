"""With real programs: shell scripts that tell how they were started."""

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from m3cred_tui.browser.opening import BrowserDidNotOpen, open_browser

URL = "https://connect.stripe.com/oauth/authorize?client_id=ca_1&state=$(touch+x);`id`&x='y'"
SYSTEM_PATH = "/usr/bin:/bin"

Program = Callable[..., Path]


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """Make a program; by default it writes its arguments into ``<name>.said``."""
    (tmp_path / "bin").mkdir()

    def make(name: str, script: str = 'printf "%s\\n" "$@" > "$0.said"') -> Path:
        path = tmp_path / "bin" / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    return make


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment in which only our programs are found."""
    return {"PATH": str(tmp_path / "bin")}


def said(program: Path) -> list[str]:
    return program.with_name(f"{program.name}.said").read_text().splitlines()


async def why_not(environ: dict[str, str], url: str = URL, platform: str = "linux") -> str:
    with pytest.raises(BrowserDidNotOpen) as caught:
        await open_browser(url, environ, platform=platform)
    assert str(caught.value).startswith(f"No browser was opened because {caught.value.reason}.")
    return caught.value.reason


async def test_the_browser_variable_opens_the_url_also_over_ssh(
    program: Program, environ: dict[str, str]
) -> None:
    browser = program("mine")
    environ |= {"BROWSER": "mine --new", "SSH_CONNECTION": "1", "SSH_TTY": "/dev/pts/1"}
    await open_browser(URL, environ, platform="linux")
    assert said(browser) == ["--new", URL]


async def test_the_url_goes_where_the_browser_variable_puts_it(
    program: Program, environ: dict[str, str]
) -> None:
    browser = program("mine")
    environ["BROWSER"] = "mine --url=%s 'a b' ; touch x &"
    await open_browser(URL, environ, platform="linux")
    assert said(browser) == [f"--url={URL}", "a b", ";", "touch", "x"]


async def test_the_next_browser_of_the_list_is_tried_when_one_is_missing_or_fails(
    program: Program, environ: dict[str, str]
) -> None:
    program("failing", "exit 1")
    browser = program("mine")
    environ["BROWSER"] = "missing:'unclosed::failing %s:w3m:mine"
    await open_browser(URL, environ, platform="linux")
    assert said(browser) == [URL]


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ("missing", "$BROWSER names a program that was not found: missing"),
        ("'unclosed", "$BROWSER has an entry that cannot be read: 'unclosed"),
        ("&", "$BROWSER has an entry that cannot be read: &"),
        (":", "$BROWSER names no program"),
        ("failing", "failing ended with status 3"),
        ("garbage", "garbage could not be started (Exec format error)"),
    ],
)
async def test_a_browser_variable_that_does_not_work_says_why(
    program: Program, environ: dict[str, str], wish: str, reason: str
) -> None:
    program("failing", "exit 3")
    program("garbage").write_bytes(b"\x00\x01\x02")
    assert await why_not({**environ, "BROWSER": wish}) == reason


async def test_a_text_browser_never_gets_our_terminal(
    program: Program, environ: dict[str, str]
) -> None:
    browser = program("w3m")
    for wish in ("w3m", str(browser)):
        reason = await why_not({**environ, "BROWSER": wish})
        assert "shows pages in a terminal, and m3cred is using this one" in reason
    assert not browser.with_name("w3m.said").exists()


@pytest.mark.parametrize("variable", ["SSH_CONNECTION", "SSH_TTY", "SSH_CLIENT"])
@pytest.mark.parametrize("platform", ["linux", "darwin"])
async def test_over_ssh_no_browser_opens_where_nobody_sees_it(
    program: Program, environ: dict[str, str], variable: str, platform: str
) -> None:
    opener = program("xdg-open" if platform == "linux" else "open")
    environ |= {variable: "x", "DISPLAY": ":0"}
    assert await why_not(environ, platform=platform) == "this is an SSH session"
    assert not opener.with_name(f"{opener.name}.said").exists()


async def test_without_a_display_nothing_is_started(
    program: Program, environ: dict[str, str]
) -> None:
    program("xdg-open")
    environ |= {"DISPLAY": "", "BROWSER": " "}
    assert await why_not(environ) == "this computer has no graphical display"


@pytest.mark.parametrize(
    ("platform", "variables", "opener"),
    [
        ("linux", {"DISPLAY": ":0"}, "xdg-open"),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, "firefox"),
        ("linux", {"WSL_DISTRO_NAME": "Debian"}, "wslview"),
        ("darwin", {}, "open"),
    ],
)
async def test_at_the_computer_itself_its_browser_opens(
    program: Program,
    environ: dict[str, str],
    platform: str,
    variables: dict[str, str],
    opener: str,
) -> None:
    browser = program(opener)
    await open_browser(URL, {**environ, **variables}, platform=platform)
    assert said(browser) == [URL]


async def test_a_desktop_without_any_browser_says_so(environ: dict[str, str]) -> None:
    reason = await why_not({**environ, "DISPLAY": ":0"})
    assert reason == "no graphical browser was found"


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "javascript:alert(1)", "--help", "https:", "http://x/\n--y", ""],
)
async def test_only_web_addresses_are_handed_to_a_program(
    program: Program, environ: dict[str, str], url: str
) -> None:
    browser = program("mine")
    reason = await why_not({**environ, "BROWSER": "mine"}, url)
    assert reason == "the URL is not one for a browser"
    assert not browser.with_name("mine.said").exists()


async def test_a_browser_gets_neither_our_keys_nor_our_terminal(
    program: Program, environ: dict[str, str]
) -> None:
    script = (
        f"PATH={SYSTEM_PATH}; exec > $0.said; env; readlink /proc/self/fd/0; "
        "ps -o sid= -p $$ | tr -d ' '"
    )
    browser = program("mine", script)
    environ |= {"BROWSER": "mine", "M3CRED_STRIPE_SECRET_KEY": "sk_live_1", "KEPT": "yes"}
    await open_browser(URL, environ, platform="linux")
    told = said(browser)
    assert "sk_live_1" not in "\n".join(told)
    assert "KEPT=yes" in told
    assert "/dev/null" in told
    assert told[-1] != str(os.getsid(0))


async def test_xdg_open_is_kept_from_falling_back_on_a_text_browser(
    program: Program, environ: dict[str, str]
) -> None:
    browser = program("xdg-open", 'echo "$BROWSER" > "$0.said"')
    await open_browser(URL, {**environ, "DISPLAY": ":0"}, platform="linux")
    assert said(browser)[0].startswith("x-www-browser:firefox")


OUTLIVED = """
import asyncio, sys
from m3cred_tui.browser.opening import open_browser
asyncio.run(open_browser("https://x.example", {"BROWSER": sys.argv[1]}, soon=0.05))
"""


async def test_a_browser_that_stays_open_counts_as_opened_and_outlives_us(
    program: Program, tmp_path: Path
) -> None:
    go, done = tmp_path / "go", tmp_path / "done"
    os.mkfifo(go)
    os.mkfifo(done)
    browser = program("mine", f"read word < {go}; echo $word > {done}")
    command = [sys.executable, "-c", OUTLIVED, str(browser)]
    ended = await asyncio.to_thread(subprocess.run, command, capture_output=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")

    def ask() -> str:
        go.write_text("alive\n")
        return done.read_text()

    assert await asyncio.to_thread(ask) == "alive\n"
