"""No secret shows anywhere outside the sealed parts, whatever happens to the app."""

import asyncio
import shlex
import signal
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from tests.e2e.browsers import OpenedUrls
from tests.e2e.canaries import clipboard, files_below, process_of, sightings
from tests.e2e.conftest import M3CRED, Home
from tests.e2e.terminal import ENTER, ESC, RIGHT, UP, Terminal, terminal
from tests.e2e.tmux import ask_tmux, in_tmux
from tests.e2e.wizard import ACCOUNT, create_credential, go_to_stripe, to_authenticate
from tests.ui.visit import approve

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

# The tokens are in the frames that the crash goes through.
CRASHING = """
import sys
from m3cred_tui.cli.main import main
from m3cred_tui.ui.stages.authenticate import AccountPanel

def compose(self):
    approved, tokens = self._approved, self._approved.tokens
    secret = tokens.access_token
    raise RuntimeError("forced")

AccountPanel.compose = compose
sys.exit(main(["--demo"]))
"""


@pytest.fixture
def environ(home: Home, opened: OpenedUrls, tmp_path: Path) -> dict[str, str]:
    """Return an environment whose browser writes down all that it is given."""
    shell, rest = opened.program.read_text().split("\n", 1)
    given = f"env > '{tmp_path}/browser-environ'; echo \"$@\" > '{tmp_path}/browser-argv'"
    opened.program.write_text(f"{shell}\n{given}\n{rest}")
    (tmp_path / "tmp").mkdir()
    return {
        **home.environ,
        "BROWSER": str(opened.program),
        "TMPDIR": str(tmp_path / "tmp"),
        "PWD": str(tmp_path),
    }


def secrets_of(home: Home) -> Iterator[str]:
    """Yield every secret that is sealed in the store, and the identity."""
    store = DirectoryStore(
        home.credentials.parent, IdentityFile(home.identity, home.credentials.parent)
    )
    for credential_id in store.ids():
        tokens = store.tokens(credential_id)
        assert tokens.access_token
        assert tokens.refresh_token
        yield tokens.access_token.reveal()
        yield tokens.refresh_token.reveal()
    yield home.identity.read_text().split()[-1]


async def to_approval(
    app: Terminal, opened: OpenedUrls, key: str = ENTER, name: str = "Acme"
) -> str:
    """Go to the approved account; return the last page that the browser was shown."""
    await to_authenticate(app, key=key, name=name)
    seen = await asyncio.to_thread(approve, await go_to_stripe(app, opened))
    await app.shows(ACCOUNT)
    return seen.end_page


@pytest.mark.long
async def test_no_secret_is_seen_in_a_full_run(
    home: Home, opened: OpenedUrls, environ: dict[str, str], tmp_path: Path
) -> None:
    known: set[str] = set()
    async with terminal([M3CRED, "--demo"], environ) as app:
        await app.shows("There are no credentials yet")
        end_page = await to_approval(app, opened)
        known.update(secrets_of(home))
        processes = process_of(app.pid)
        app.resize(100, 30)
        await app.settles()
        app.resize(60, 20)
        await app.settles()
        app.resize(80, 24)
        await create_credential(app)
        known.update(secrets_of(home))
        await app.settles()
        app.press("y")
        await app.shows("Credential ID of “")
        app.press(ENTER)
        await app.shows("Account ID")
        app.press("y", ESC)
        await app.settles()
        end_page += await to_approval(app, opened, key="c", name="Bolt")
        known.update(secrets_of(home))
        app.press(ESC, ESC, ESC, ESC)
        await app.settles()
        if app.reads("Leave this page?"):
            app.press(RIGHT, ENTER)
        await app.shows("… pending")
        await app.settles()
        app.press(UP, "d")
        await app.shows("Delete “Bolt”?")
        await app.settles()
        app.press(RIGHT, ENTER)
        await app.shows("1 credential")
        processes += process_of(app.pid)
        app.signal(signal.SIGTERM)
        await app.ends()
    channels = {
        "terminal": app.raw,
        "clipboard": clipboard(app.raw),
        "processes": processes,
        "browser": end_page.encode(),
        **files_below(tmp_path, but=home.identity),
    }
    assert len(known) == 5
    assert clipboard(app.raw).count(b"-") == 8  # two IDs
    assert {"home/data/m3cred/demo/lock", "browser-environ", "browser-argv"} < channels.keys()
    assert sightings(channels, known) == {}


@pytest.mark.long
async def test_no_secret_is_seen_in_a_crash(
    home: Home, opened: OpenedUrls, environ: dict[str, str], tmp_path: Path
) -> None:
    async with terminal([sys.executable, "-c", CRASHING], environ) as app:
        await app.shows("There are no credentials yet")
        await to_authenticate(app)
        await asyncio.to_thread(approve, await go_to_stripe(app, opened))
        assert await app.ends() == 1
    assert "RuntimeError: forced" in app.text
    known = set(secrets_of(home))
    assert len(known) == 3  # the approval is kept
    channels = {"terminal": app.raw, **files_below(tmp_path, but=home.identity)}
    assert sightings(channels, known) == {}


@pytest.mark.long
async def test_no_secret_is_left_in_the_scrollback_of_tmux(
    home: Home, opened: OpenedUrls, environ: dict[str, str], tmux_directory: Path
) -> None:
    command = f"{shlex.quote(M3CRED)} --demo; exec cat"
    async with in_tmux(tmux_directory, environ, "sh", "-c", command) as app:
        await app.shows("There are no credentials yet")
        await to_approval(app, opened)
        await create_credential(app)
        known = set(secrets_of(home))
        app.press("q")
        await app.shows(lambda screen: not screen.strip())
        socket = str(tmux_directory / "socket")
        left = await ask_tmux(socket, "capture-pane", "-p", "-e", "-S", "-", "-E", "-")
        buffers = await ask_tmux(socket, "show-buffer")
    assert len(known) == 3
    channels = {"scrollback": left.encode(), "buffers": buffers.encode(), "all": app.raw}
    assert sightings(channels, known) == {}


async def test_a_secret_is_seen_in_whatever_it_is_wrapped() -> None:
    secret = "sk_live_acctdemo0123456789abcdef0123456789abcdef"
    wrapped = {
        "plain": f"x{secret}".encode(),
        "base64": b"\x1b]52;c;" + b64encode(f"ab {secret} c".encode()),
        "hex": secret.encode().hex().encode(),
        "another": b"ac_demo00",
    }
    assert sightings(wrapped, [secret]).keys() == wrapped.keys()
    assert sightings(wrapped, []).keys() == {"plain", "another"}
