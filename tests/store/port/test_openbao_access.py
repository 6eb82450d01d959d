"""What a person has already, used as ``bao`` uses it: variables, token helper, file, agent."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.store.openbao.access import Configured, Value, access, origin_of_token
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.examining import examined
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.kv import KeyValue
from m3cred_tui.store.openbao.policy import policy
from m3cred_tui.store.openbao.problems import (
    StoreTokenMissing,
    StoreTokenRefused,
    StoreUnreachable,
)
from m3cred_tui.store.openbao.store import OpenBaoStore
from m3cred_tui.store.problems import StoreUnusable
from m3cred_tui.system.process import without_ours
from tests.store.port import bao
from tests.store.swept_operations import ID, credential, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator

WRONG = "hvs.wrong"
HELPER = f"""#!/bin/sh
[ "$#" = 1 ] && [ "$1" = get ] && [ "$BAO_ADDR" = "$VAULT_ADDR" ] || exit 9
case $VAULT_ADDR in http://127.0.0.1:*) printf {bao.ROOT};; *) exit 8;; esac
"""


def configured(address: str = "") -> Configured:
    unset = Value("", "")
    mount, path = Value("secret", "default"), Value("m3cred", "default")
    return Configured(Value(address, "store.address"), mount, path, unset, unset)


def has_token(environ: dict[str, str], address: str) -> bool:
    """Return whether m3cred finds a token that the engine takes."""
    reached = access(environ, configured(address))
    try:
        Client(reached.place, reached.token).ask("GET", "auth/token/lookup-self")
    except StoreUnusable:
        return False
    return True


def bao_has_token(environ: dict[str, str], address: str) -> bool:
    """Return whether the real program finds one."""
    lookup = [bao.program(), "token", "lookup", f"-address={address}"]
    ended = subprocess.run(lookup, env=environ, check=False, capture_output=True, timeout=30)
    return ended.returncode == 0


def home_with(folder: Path, files: dict[str, str]) -> dict[str, str]:
    """Return the environment of a user who has these files; ``HOME`` in them is replaced."""
    for name, content in files.items():
        (folder / name).write_text(content.replace("HOME", str(folder)))
        (folder / name).chmod(0o700)
    return {"HOME": str(folder), "PATH": os.defpath}


NAMED = 'token_helper = "HOME/helper"\n'


@pytest.mark.long
@pytest.mark.parametrize(
    ("files", "environ", "is_found"),
    [
        ({".vault-token": bao.ROOT}, {}, True),
        ({".vault-token": f"{bao.ROOT}\n"}, {}, True),
        ({".bao": NAMED, ".vault-token": WRONG}, {}, True),
        ({".bao": '{"token_helper": "HOME/helper"}', ".vault-token": WRONG}, {}, True),
        ({".bao": f"# mine\n{NAMED}"}, {}, True),
        ({".bao": f"# {NAMED}", ".vault-token": bao.ROOT}, {}, True),
        ({"named": NAMED, ".vault-token": WRONG}, {"BAO_CONFIG_PATH": "named"}, True),
        ({"named": NAMED, ".vault-token": WRONG}, {"VAULT_CONFIG_PATH": "named"}, True),
        ({"helper": "#!/bin/sh\nexit 1\n", ".bao": NAMED, ".vault-token": bao.ROOT}, {}, False),
        ({"helper": "#!/bin/sh\n", ".bao": NAMED, ".vault-token": bao.ROOT}, {}, False),
        ({".bao": 'token_helper = "HOME/helper --for me"'}, {}, False),
        ({".bao": NAMED.replace('helper"', 'none"'), ".vault-token": bao.ROOT}, {}, False),
        ({"other": bao.ROOT, ".vault-token": WRONG}, {"BAO_TOKEN_PATH": "other"}, True),
        ({"other": bao.ROOT, ".vault-token": WRONG}, {"VAULT_TOKEN_PATH": "other"}, True),
        ({".bao": NAMED}, {"VAULT_TOKEN": WRONG}, False),
        ({".vault-token": WRONG}, {"VAULT_TOKEN": WRONG, "BAO_TOKEN": bao.ROOT}, True),
        ({}, {}, False),
    ],
)
def test_the_token_is_the_one_that_bao_itself_finds(
    tmp_path: Path, files: dict[str, str], environ: dict[str, str], *, is_found: bool
) -> None:
    address = bao.running().address
    at_home = home_with(tmp_path, {"helper": HELPER, **files})
    paths = {name: str(tmp_path / text) for name, text in environ.items() if "PATH" in name}
    whole = at_home | environ | paths
    assert has_token(whole, address) is is_found
    assert bao_has_token(whole, address) is is_found


def test_a_token_helper_of_vault_is_used_where_bao_has_none(tmp_path: Path) -> None:
    environ = home_with(tmp_path, {"helper": HELPER, ".vault": NAMED, ".vault-token": WRONG})
    reached = access(environ, configured("http://127.0.0.1:9"))
    assert reached.token().reveal() == bao.ROOT
    assert origin_of_token(environ, reached.place) == f"token helper {tmp_path}/helper"


@pytest.mark.parametrize(
    ("helper", "told"),
    [
        ("#!/bin/sh\necho hvs.canary\nexit 3\n", "failed with status 3"),
        ("", "has one"),
        ("\0", "failed with status 12"),
    ],
)
def test_a_token_helper_that_fails_is_told_from_one_that_has_no_token(
    tmp_path: Path, helper: str, told: str
) -> None:
    environ = home_with(tmp_path, {"helper": helper, ".bao": NAMED, ".vault-token": WRONG})
    with pytest.raises(StoreTokenMissing, match=told) as raised:
        access(environ, configured("http://127.0.0.1:9")).token()
    assert "canary" not in str(raised.value)
    assert str(raised.value).endswith(", or run: BAO_ADDR=http://127.0.0.1:9 bao login")


def test_no_token_helper_is_taken_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = home_with(tmp_path, {"helper": HELPER, ".bao": 'token_helper = "helper"'})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreTokenMissing, match="absolute path"):
        access(environ, configured("http://127.0.0.1:9")).token()


def test_another_program_gets_no_token_and_no_key_of_the_engine() -> None:
    environ = {"VAULT_TOKEN": "x", "BAO_CLIENT_KEY_BYTES": "x", "BAO_CLIENT_KEY": "file"}
    assert without_ours(environ) == {"BAO_CLIENT_KEY": "file"}
    assert without_ours(environ, has_token=True) == environ


@pytest.fixture
def short() -> Iterator[Path]:
    """Return a directory whose path leaves room for the name of a socket."""
    with TemporaryDirectory(prefix="m3cred-") as folder:
        yield Path(folder)


_AGENT = """
pid_file = "HOME/pid"
vault {{ address = "{address}" }}
auto_auth {{
  method "approle" {{
    config = {{
      role_id_file_path = "HOME/role"
      secret_id_file_path = "HOME/secret"
    }}
  }}
}}
api_proxy {{ use_auto_auth_token = true }}
listener "unix" {{
  address = "HOME/socket"
  tls_disable = true
  require_request_header = true
}}
"""


@contextmanager
def running(kind: str, folder: Path, path: str) -> Iterator[dict[str, str]]:
    """Run an agent that logs in by itself; yield the environment of a user without a token."""
    server = bao.running()
    place = Place((server.address,), "secret", path)
    role, secret = bao.login(server, f"{kind}-{path}", policy(place, "admin"))
    files = {"role": role, "secret": secret, "hcl": _AGENT.format(address=server.address)}
    environ = home_with(folder, files)
    with subprocess.Popen(
        [bao.program(), kind, f"-config={folder}/hcl"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            next(line for line in process.stdout if "authentication successful" in line)
            until = time.monotonic() + 30
            while not has_token(environ, f"unix://{folder}/socket"):
                assert time.monotonic() < until, "the agent does not use its token"
                time.sleep(0.02)  # it says nothing when it does
            yield environ
        finally:
            process.kill()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["agent", "proxy"])
def test_an_agent_on_a_unix_socket_needs_no_token_of_ours(short: Path, kind: str) -> None:
    with running(kind, short, short.name) as environ:
        mine = configured(f"unix://{short}/socket")._replace(path=Value(short.name, ""))
        reached = access(environ, mine)
        kv = KeyValue(Client(reached.place, reached.token))
        store = OpenBaoStore(kv.client, Known(), pace=0)
        store.create(credential(), tokens())
        assert store.ids() == [ID]
        store.delete(ID)
        [*_, token, allowed] = examined(reached, kv, environ, datetime.now(UTC))
        assert token.told.startswith(
            "The token (the agent's, which the store calls “approle”) is valid until"
        )
        assert allowed.told.startswith("Its policies allow to create, use and change")
        dead = {"BAO_ADDR": "http://127.0.0.1:9", "M3CRED_STORE_ENGINE": "openbao"}
        named = {"VAULT_AGENT_ADDR": f"unix://{short}/socket", "M3CRED_STORE_PATH": short.name}
        listed = subprocess.run(
            [sys.executable, "-m", "m3cred_tui", "list", "--json"],
            env=environ | dead | named,
            capture_output=True,
            check=False,
        )
        assert (listed.returncode, listed.stderr) == (0, b"")
        # A token of one's own goes before that of the agent.
        own = access({**environ, "BAO_TOKEN": WRONG}, mine)
        with pytest.raises(StoreTokenRefused):
            OpenBaoStore(Client(own.place, own.token), Known()).ids()


def test_an_agent_that_is_not_there_is_one_sentence(short: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{short}/left")
    too_long = short / ("x" * 120)
    for path, told in {
        short / "none": "its socket does not exist",
        short / "left": "it refused the connection",
        too_long: "the path of its socket is too long",
    }.items():
        reached = access({"HOME": str(short)}, configured(f"unix://{path}"))
        with pytest.raises(StoreUnreachable, match=told):
            Client(reached.place, reached.token).ask("GET", "sys/health")
