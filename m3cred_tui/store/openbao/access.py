"""How to reach a team's store: what its users already have for their own tools, then settings.

``BAO_…`` takes precedence over ``VAULT_…``, and both over the settings file. The token comes
from a variable, the token helper or the token file, which ``bao login`` writes.
"""

from __future__ import annotations

import atexit
import re
import shlex
import subprocess
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.client import Client, Place
from m3cred_tui.store.openbao.problems import (
    StoreLoginRefused,
    StoreNotSetUp,
    StoreTokenMissing,
    StoreTokenRefused,
)
from m3cred_tui.store.problems import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from m3cred_tui.store.fields import Json

_PREFIXES = "BAO_", "VAULT_"
_CONFIGS = (".bao", ".vault")
_TOKEN_FILE = ".vault-token"  # noqa: S105 - bao writes it there, too
_LARGEST = 64 * 1024
_HELPER_PATIENCE = 30  # seconds
_helper = re.compile(r'^\s*token_helper\s*=\s*"((?:[^"\\]|\\.)*)"', re.MULTILINE)


class Value(NamedTuple):
    """A value, and where it comes from: ``BAO_ADDR``, ``store.address``; empty if unset."""

    text: str
    origin: str


class Configured(NamedTuple):
    """What the settings say, each with its origin."""

    address: Value
    mount: Value
    path: Value
    namespace: Value
    ca_file: Value


class Access(NamedTuple):
    """Where the store is, what returns the token, and where all of that comes from."""

    place: Place
    token: Callable[[], Secret]
    origins: Mapping[str, Value]


def access(environ: Mapping[str, str], configured: Configured) -> Access:
    """Return how to reach the store; raises ``StoreNotSetUp`` without an address."""
    found = {
        "address": _first(environ, ("AGENT_ADDR", "ADDR"), configured.address),
        "mount": configured.mount,
        "path": configured.path,
        "namespace": _first(environ, ("NAMESPACE",), configured.namespace),
        "ca_file": _first(environ, ("CACERT",), configured.ca_file),
        "ca_path": _first(environ, ("CAPATH",)),
        "client_cert": _first(environ, ("CLIENT_CERT",)),
        "client_key": _first(environ, ("CLIENT_KEY",)),
        "server_name": _first(environ, ("TLS_SERVER_NAME",)),
        "skip_verify": _first(environ, ("SKIP_VERIFY",)),
    }
    addresses = tuple(found["address"].text.replace(",", " ").split())
    if not addresses:
        raise StoreNotSetUp
    texts = {name: value.text for name, value in found.items()}
    place = Place(
        addresses,
        texts["mount"].strip("/"),
        texts["path"].strip("/"),
        texts["namespace"],
        ca_file=_path(texts["ca_file"]),
        ca_path=_path(texts["ca_path"]),
        client_cert=_path(texts["client_cert"]),
        client_key=_path(texts["client_key"]),
        server_name=texts["server_name"],
        is_unverified=texts["skip_verify"].lower() in {"1", "t", "true"},
    )
    is_agent = "AGENT" in found["address"].origin or addresses[0].startswith("unix://")
    return Access(place, partial(_token, environ, place, is_optional=is_agent), found)


_sessions: list[Callable[[], None]] = []


@atexit.register
def end_sessions() -> None:
    """Revoke the tokens of AppRoles, or each call would leave a lease; exec does it, too."""
    while _sessions:
        _sessions.pop()()


class AppRole:
    """The token of a pipeline, which logs in once and revokes its token at the end."""

    def __init__(self, place: Place, role_id: str, secret_id: Callable[[], Secret]) -> None:
        self._place = place
        self._role_id = role_id
        self._secret_id = secret_id

    def __call__(self) -> Secret:
        """Log in; called again when the engine refuses the token, as it has ended."""
        client = Client(self._place, lambda: Secret(""))
        body: Json = {"role_id": self._role_id, "secret_id": self._secret_id().reveal()}
        try:
            reply = client.ask("POST", "auth/approle/login", body)
        except StoreTokenRefused:
            raise StoreLoginRefused(str(self._place), "it is forbidden") from None
        auth = reply.data.get("auth")
        token = auth.get("client_token") if isinstance(auth, dict) else None
        if not reply.is_there or not isinstance(token, str):
            reason = f"it says “{reply.errors or reply.status}”"
            raise StoreLoginRefused(str(self._place), reason)
        _sessions.append(partial(self._revoke, Secret(token)))
        return Secret(token)

    def _revoke(self, token: Secret) -> None:
        with suppress(StoreUnusable):
            Client(self._place, lambda: token).ask("POST", "auth/token/revoke-self")


def _path(text: str) -> str:
    return str(Path(text).expanduser()) if text else ""


def _first(
    environ: Mapping[str, str], names: tuple[str, ...], configured: Value | None = None
) -> Value:
    # A variable of m3cred's own says it most precisely.
    if configured and configured.text and configured.origin.startswith("M3CRED_"):
        return configured
    for name in names:
        for prefix in _PREFIXES:
            if text := environ.get(prefix + name, "").strip():
                return Value(text, prefix + name)
    return configured or Value("", "")


def _token(environ: Mapping[str, str], place: Place, *, is_optional: bool) -> Secret:
    """Return the token as it is now; an agent adds its own where there is none."""
    token, _ = token_from(environ)
    if not token and not is_optional:
        told = "no variable, token helper or ~/.vault-token has one"
        raise StoreTokenMissing(str(place), told)
    return token


def token_from(environ: Mapping[str, str]) -> tuple[Secret, str]:
    """Return the token, which may be empty, and where it comes from."""
    found = _first(environ, ("TOKEN",))
    if found.text:
        return Secret(found.text), found.origin
    home = Path(environ.get("HOME") or Path.home())
    if helper := _helper_in(environ, home):
        return Secret(_helped(helper, environ)), f"token helper {helper}"
    return Secret(_text(home / _TOKEN_FILE)), f"~/{_TOKEN_FILE}"


def _helper_in(environ: Mapping[str, str], home: Path) -> str:
    named = _first(environ, ("CONFIG_PATH",)).text
    for path in (Path(named).expanduser(),) if named else (home / one for one in _CONFIGS):
        if found := _helper.search(_text(path)):
            return found[1]
    return ""


def _helped(helper: str, environ: Mapping[str, str]) -> str:
    """Return what a token helper prints when it is asked for the token."""
    with suppress(OSError, ValueError, subprocess.SubprocessError):
        done = subprocess.run(  # noqa: S603 - the user's own, named in a file of theirs
            [*shlex.split(helper), "get"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_HELPER_PATIENCE,
            env=dict(environ),
            check=True,
        )
        return done.stdout[:_LARGEST].decode("ascii", "replace").strip()
    return ""


def _text(path: Path) -> str:
    with suppress(OSError), path.open("rb") as file:
        return file.read(_LARGEST).decode("utf-8", "replace").strip()
    return ""
