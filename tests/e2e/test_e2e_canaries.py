"""No secret shows anywhere outside the sealed parts, whatever happens to the app."""

import asyncio
import json
import shlex
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from m3cred_tui.model.credential import Credential
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.policy import ADMIN, policy
from tests.cli.creation import Asked, Environ, set_up
from tests.e2e.browsers import OpenedUrls
from tests.e2e.canaries import clipboard, files_below, process_of, sightings
from tests.e2e.conftest import M3CRED, Home
from tests.e2e.terminal import ENTER, ESC, RIGHT, UP, Terminal, terminal
from tests.e2e.tmux import ask_tmux, in_tmux
from tests.e2e.wizard import ACCOUNT, create_credential, go_to_stripe, to_authenticate
from tests.store.bao_operations import team_store
from tests.store.bao_proxy import Fault, Proxy, proxy_before
from tests.store.port import bao
from tests.ui.visit import approve

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]

# The tokens are in the frames that the crash goes through.
CRASHING = """
import sys
from m3cred_tui.cli.main import main
from m3cred_tui.ui.stages.account import AccountPanel

def compose(self):
    approved, tokens = self._approved, self._approved.tokens
    secret = tokens.access_token
    raise RuntimeError("forced")

AccountPanel.compose = compose
sys.exit(main(sys.argv[1:]))
"""
IMPATIENT = """
from tests.store.bao_operations import impatient
impatient()
"""
NAME = "Canary Ltd"


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
    async with terminal([sys.executable, "-c", CRASHING, "--demo"], environ) as app:
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


class Team(NamedTuple):
    """A team's store on an engine with an audit log, and who may use it."""

    engine: bao.Bao
    proxy: Proxy
    environ: Environ
    """Of m3cred, apart from what opens the store."""
    token: str
    role_id: str
    secret_id: str

    def secrets(self) -> Iterator[str]:
        """Yield every secret that the store has, and what opens it."""
        store = team_store(self.engine.address, path="m3cred")
        rows = store.read_many(store.ids())
        for row in [one for one in rows if isinstance(one, Credential) and one.account]:
            tokens = store.tokens(row.id)
            for token in (tokens.access_token, tokens.refresh_token):
                assert token
                yield token.reveal()
        yield from (self.token, self.secret_id)
        yield self.environ["M3CRED_STRIPE_TEST_SECRET_KEY"]

    @property
    def by_token(self) -> Environ:
        return {**self.environ, "BAO_TOKEN": self.token}

    @property
    def by_role(self) -> Environ:
        named = {"ROLE_ID": self.role_id, "SECRET_ID": self.secret_id}
        return self.environ | {f"M3CRED_STORE_{name}": one for name, one in named.items()}


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture
def team(environ: dict[str, str], asked: Asked, tmp_path: Path) -> Iterator[Team]:
    place = tmp_path / "engine"
    place.mkdir()
    audit = f'audit "file" "to-file" {{ options {{ file_path = "{place}/audit.log" }} }}'
    with (
        bao.started(place, audit) as engine,
        proxy_before(engine.address) as proxy,
        set_up(environ, asked.demo_stripe) as at_stripe,
    ):

        def told(method: str, path: str, body: object = None) -> dict[str, str]:
            status, answer = engine.ask(method, path, body)
            assert status in {200, 204}, answer
            found: dict[str, str] = answer.get("auth") or answer.get("data") or {}
            return found

        text = policy(Place((), "secret", "m3cred"), ADMIN)
        told("POST", "sys/policies/acl/m3cred-admin", {"policy": text})
        allowed = {"policies": ["m3cred-admin"], "ttl": "1h"}
        token = told("POST", "auth/token/create", allowed)["client_token"]
        told("POST", "sys/auth/approle", {"type": "approle"})
        told("POST", "auth/approle/role/ci", {"token_policies": ["m3cred-admin"]})
        role_id = told("GET", "auth/approle/role/ci/role-id")["role_id"]
        secret_id = told("POST", "auth/approle/role/ci/secret-id")["secret_id"]
        at_store = {"M3CRED_STORE_ENGINE": "openbao", "M3CRED_STORE_ADDRESS": proxy.address}
        yield Team(engine, proxy, {**at_stripe, **at_store}, token, role_id, secret_id)


def channels_of(environ: Environ, tmp_path: Path) -> dict[str, bytes]:
    """Return what every command that shows or uses a credential leaves to be seen."""
    child = tmp_path / "child"
    seen = {
        "exec": f"exec '{NAME}' -- sh -c 'env | grep -v ^STRIPE_API_KEY= >{child}'",
        "check --json": "check --all --json",
        "show": f"show '{NAME}'",
        "show --json": f"show '{NAME}' --json",
        "list --json": "list --json",
        "begin": "create --name Begun --destination stripe_test --begin --json",
        "doctor": "doctor",
        "store": "store --json",
        "log": "log",
    }
    channels = {}
    for name, line in seen.items():
        command = [M3CRED, *shlex.split(line)]
        done = subprocess.run(command, env=environ, capture_output=True, check=False)
        assert done.returncode == 0 or name == "doctor", done.stderr.decode()
        channels[name] = done.stdout + done.stderr
    return channels | {"child": child.read_bytes()}


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_no_secret_of_a_teams_store_is_seen_in_a_full_run(
    home: Home, opened: OpenedUrls, team: Team, tmp_path: Path
) -> None:
    async with terminal([M3CRED], team.by_token, columns=100) as app:
        await app.shows("There are no credentials yet")
        end_page = await to_approval(app, opened, name=NAME)
        processes = process_of(app.pid, has_secrets=True)
        await create_credential(app)
        await app.settles()
        app.press(ENTER)
        await app.shows("Account ID")
        app.press("y", ESC)
        await app.settles()
        processes += process_of(app.pid, has_secrets=True)
        app.signal(signal.SIGTERM)
        await app.ends()
    channels = {"terminal": app.raw, "clipboard": clipboard(app.raw), "processes": processes}
    for how, environ in {"token": team.by_token, "role": team.by_role}.items():
        left = await asyncio.to_thread(channels_of, environ, tmp_path)
        channels |= {f"{name} by {how}": data for name, data in left.items()}
    known = {*await asyncio.to_thread(lambda: [*team.secrets()])}
    identity = home.path / "config" / "m3cred" / "identity.txt"
    files = files_below(tmp_path, but=identity)
    channels |= {"browser": end_page.encode(), **files}
    assert len(known) == 5
    assert {"browser-environ", "browser-argv", "engine/audit.log"} < channels.keys()
    assert any("data/m3cred/team/known-" in name for name in channels)
    assert sightings(channels, known) == {}
    shown = json.loads(channels["show --json by role"])["credential"]["account"]
    named = {NAME.encode(), shown["id"].encode(), shown["name"].encode()}
    for name in ("engine/audit.log", "processes", "browser-argv", "browser-environ"):
        assert not {one for one in named if one in channels[name]}, name


@pytest.mark.long
@pytest.mark.timeout(60)
async def test_no_secret_is_seen_when_the_store_is_gone_as_stripe_replies_and_m3cred_crashes(
    home: Home, opened: OpenedUrls, team: Team, asked: Asked, tmp_path: Path
) -> None:
    asked.replies = lambda: team.proxy.expect(Fault.GONE, -1)
    async with terminal([sys.executable, "-c", f"{IMPATIENT}{CRASHING}"], team.by_token) as app:
        await app.shows("There are no credentials yet")
        await to_authenticate(app, name=NAME)
        await asyncio.to_thread(approve, await go_to_stripe(app, opened))
        assert await app.ends() == 1
    assert "RuntimeError: forced" in app.text
    data, config = home.path / "data" / "m3cred", home.path / "config" / "m3cred"
    identity = config / "identity.txt"
    sealed_here = DirectoryStore(data / "team", IdentityFile(identity, data))
    [approval] = sealed_here.pending_ids()
    access_token = sealed_here.tokens(approval).access_token
    assert access_token
    known = {access_token.reveal(), identity.read_text().split()[-1], *team.secrets()}
    channels = {"terminal": app.raw, **files_below(tmp_path, but=identity)}
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
