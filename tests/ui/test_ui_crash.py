"""A fault in m3cred itself, in a real terminal: what is left on it, and in the log."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.conftest import Home
from tests.e2e.terminal import Terminal, terminal

SECRETS = ("sk_live_canary", "canary", "local variable")
# ``s`` on the Credentials page, which sorts, does something nobody foresaw instead.
PROGRAM = """
import asyncio, gc, sys, threading
from m3cred_tui.cli.main import main
from m3cred_tui.ui.app import M3credApp
from m3cred_tui.ui.screens.credentials import CredentialsPage
from m3cred_tui.ui.screens.dialogs import Help

class Unforeseen(Exception):
    pass

class Lost:
    def __del__(self):
        fail()

def fail(*_):
    revealed = " ".join(["local", "variable"])
    value = "can" + "ary"  # from Python 3.13 on, a traceback has this program's lines, too
    raise Unforeseen("sk_live_" + value, "https://host/path?code=" + value, len(revealed))

async def fail_later():
    fail()

def task():
    loop = asyncio.get_running_loop()
    loop.create_task(fail_later()).add_done_callback(lambda _: loop.call_soon(gc.collect))

def compose(page):
    Help.compose = fail
    page.app.action_help()

WAYS = {
    "an action": lambda page: fail(),
    "a callback": lambda page: page.call_later(fail),
    "a worker": lambda page: page.run_worker(fail_later()),
    "a worker in a thread": lambda page: page.run_worker(fail, thread=True),
    "compose": compose,
    "a thread": lambda page: threading.Thread(target=fail).start(),
    "a task": lambda page: task(),
    "the event loop": lambda page: asyncio.get_running_loop().call_soon(fail),
    "a destructor": lambda page: Lost() and None,
}
way = WAYS[sys.argv[1]]
if "renamed" in sys.argv:  # a release of Textual that calls what fails by another name
    del M3credApp._handle_exception
CredentialsPage.check_action = lambda *_: True
CredentialsPage.action_sort = way
sys.exit(main(["--demo"]))
"""

Crashing = Callable[..., Awaitable[Terminal]]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
async def crashing(home: Home) -> AsyncIterator[Crashing]:
    """Start the app, and have it fail in one of the ways."""
    async with AsyncExitStack() as stack:

        async def crash(*way: str) -> Terminal:
            command = [sys.executable, "-c", PROGRAM, *way]
            app = await stack.enter_async_context(terminal(command, home.environ))
            await app.shows("There are no credentials yet")
            app.press("s")
            return app

        yield crash


@pytest.mark.parametrize(
    "way", ["an action", "a callback", "a worker", "a worker in a thread", "compose"]
)
@pytest.mark.quick(1)
async def test_a_crash_restores_the_terminal_and_reports_where_without_values(
    crashing: Crashing, home: Home, way: str
) -> None:
    app = await crashing(way)
    assert await app.ends() == 1
    assert app.line_discipline() == app.modes
    report = app.raw.decode().partition("\x1b[?1049l")[2]
    assert "Traceback (most recent call last)" in report
    assert "in fail" in report
    assert "Unforeseen" in report
    assert "m3cred: this is a fault in m3cred" in report
    assert str(log_of(home)) in report
    logged = log_of(home).read_text()
    assert "in fail" in logged
    assert logged.endswith("ends with status 1\n")
    assert_no_secret(app.raw.decode() + logged)


@pytest.mark.parametrize("way", ["an action", "a worker in a thread", "compose"])
@pytest.mark.quick(1)
async def test_no_value_is_printed_even_if_textual_renames_what_m3cred_overrides(
    crashing: Crashing, home: Home, way: str
) -> None:
    app = await crashing(way, "renamed")
    assert await app.ends() == 1
    assert app.line_discipline() == app.modes
    shown = app.raw.decode()
    assert "m3cred: this is a fault in m3cred" in shown.partition("\x1b[?1049l")[2]
    assert_no_secret(shown + log_of(home).read_text())


@pytest.mark.parametrize("way", ["a thread", "a task", "the event loop", "a destructor"])
@pytest.mark.quick(1)
async def test_failures_outside_the_app_are_logged_and_never_drawn_over_it(
    crashing: Crashing, home: Home, way: str
) -> None:
    app = await crashing(way)
    app.press("q")
    assert await app.ends() == 0
    assert app.line_discipline() == app.modes
    assert "Unforeseen" not in app.raw.decode()
    logged = log_of(home).read_text()
    assert "in fail" in logged
    assert_no_secret(app.raw.decode() + logged)


def log_of(home: Home) -> Path:
    return home.path / "state" / "m3cred" / "demo" / "m3cred.log"


def assert_no_secret(text: str) -> None:
    assert [secret for secret in SECRETS if secret in text] == []
