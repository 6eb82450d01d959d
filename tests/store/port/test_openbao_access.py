"""What a person has already, used as ``bao`` uses it: variables, token helper, file, agent."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.store.openbao.access import Configured, Value, access, origin_of_token
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.problems import StoreTokenMissing
from m3cred_tui.store.problems import StoreUnusable
from tests.store.port import bao

if TYPE_CHECKING:
    from pathlib import Path

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


def test_no_token_helper_is_taken_from_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = home_with(tmp_path, {"helper": HELPER, ".bao": 'token_helper = "helper"'})
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreTokenMissing, match="absolute path"):
        access(environ, configured("http://127.0.0.1:9")).token()
