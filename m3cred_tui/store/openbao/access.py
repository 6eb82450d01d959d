"""How to reach a team's store: what its users already have for their own tools, then settings.

``BAO_…`` takes precedence over ``VAULT_…``, and both over the settings file. The token comes
from a variable, the token helper or the token file, which ``bao login`` writes, each found and
asked as ``bao`` itself does it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from select import select
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Pem, Place
from m3cred_tui.store.openbao.problems import (
    StoreLoginRefused,
    StoreNotSetUp,
    StoreTokenMissing,
    StoreTokenRefused,
)
from m3cred_tui.store.problems import StoreUnusable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from m3cred_tui.store.fields import Json

_PREFIXES = "BAO_", "VAULT_"
_CONFIGS = (".bao", ".vault")
"""Of ``bao`` and of ``vault``."""
_BYTES = "_BYTES"
"""The end of a variable that has the content of a file, in PEM."""
_TOKEN_FILE = ".vault-token"  # noqa: S105 - bao writes it there, too
_LARGEST = 64 * 1024
_HELPER_PATIENCE = 30  # seconds
_AT_THE_END = 3.0  # seconds
_helper = re.compile(
    r'(?:^\s*|[{,]\s*)"?token_helper"?\s*[=:]\s*("(?:[^"\\]|\\.)*")', re.MULTILINE
)
"""In the language of both programs, or as JSON."""


class Value(NamedTuple):
    """A value, and where it comes from: ``BAO_ADDR``, ``store.address``; empty if unset."""

    text: str
    origin: str


class Configured(NamedTuple):
    """What the settings and their variables say, each with its origin."""

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
    is_agent: bool = False
    """Whether it is an agent on this computer, which adds its own token where there is none."""

    @property
    def warning(self) -> str:
        """What makes the connection weak, in a sentence; empty if nothing does."""
        if not self.place.weakness:
            return ""
        by = "skip_verify" if self.place.is_unverified else "address"
        told = "anybody on the way can read the token and the credentials"
        return f"By {self.origins[by].origin}, {self.place.weakness}: {told}."


def access(environ: Mapping[str, str], configured: Configured) -> Access:
    """Return how to reach the store; raises ``StoreNotSetUp`` without an address."""
    found = {
        **configured._asdict(),
        "ca_path": _variable(environ, "CAPATH"),
        **_client(environ),
        "server_name": _variable(environ, "TLS_SERVER_NAME"),
        "skip_verify": _variable(environ, "SKIP_VERIFY"),
    }
    addresses = tuple(found["address"].text.replace(",", " ").split())
    if not addresses:
        raise StoreNotSetUp
    if found["ca_path"].text and found["ca_file"].origin.endswith(_BYTES):
        found["ca_file"] = Value("", "")  # bao does not combine the two
    texts = {name: value.text for name, value in found.items()}
    place = Place(
        addresses,
        texts["mount"].strip("/"),
        texts["path"].strip("/"),
        texts["namespace"],
        ca_file=_path(found["ca_file"]),
        ca_path=_path(found["ca_path"]),
        client_cert=_path(found["client_cert"]),
        client_key=_path(found["client_key"]),
        server_name=texts["server_name"],
        ca_pem=_pem(environ, found["ca_file"]),
        client_cert_pem=_pem(environ, found["client_cert"]),
        client_key_pem=_pem(environ, found["client_key"]),
    )
    is_unverified = place.has_tls and texts["skip_verify"].lower() in {"1", "t", "true"}
    place = place._replace(is_unverified=is_unverified)
    is_agent = "AGENT" in found["address"].origin or addresses[0].startswith("unix://")
    token = partial(_token, environ, place, is_optional=is_agent)
    return Access(place, token, found, is_agent)


_sessions: dict[tuple[object, ...], tuple[Place, Secret]] = {}
"""The tokens of AppRoles that this process has logged in, whatever it uses them for."""
_logging_in = threading.Lock()


def end_sessions() -> Iterator[StoreUnusable]:
    """Revoke the tokens of AppRoles, or each call would leave a lease; yield what prevents it.

    Called at the end of the process, and before another program replaces it.
    """
    while _sessions:
        _, (place, token) = _sessions.popitem()
        if problem := _not_revoked(place, token):
            yield problem


def _not_revoked(place: Place, token: Secret) -> StoreUnusable | None:
    """Revoke a token; return what prevents it, unless that it has ended."""
    client = Client(place, lambda: token, patience=_AT_THE_END)
    try:
        client.ask("POST", "auth/token/revoke-self")
    except StoreTokenRefused:
        return None
    except StoreUnusable as problem:
        return problem
    return None


class AppRole:
    """The token of a pipeline, which logs in once and revokes its token at the end."""

    def __init__(self, place: Place, role_id: str, secret_id: Callable[[], Secret]) -> None:
        self._place = place
        self._role_id = role_id
        self._secret_id = secret_id
        self._client = Client(place, lambda: Secret(""))

    def __call__(self) -> Secret:
        """Return the token of this process; log in if there is none that is still valid."""
        with _logging_in:
            key = self._place.addresses, self._place.namespace, self._role_id
            place, token = _sessions.get(key, (self._place, None))
            if token is None or not self._is_valid(token):
                if token is not None:
                    del _sessions[key]
                    _not_revoked(place, token)  # if it may not look at itself
                token = self._log_in()
                _sessions[key] = self._place, token
            return token

    def _is_valid(self, token: Secret) -> bool:
        try:
            Client(self._place, lambda: token).ask("GET", "auth/token/lookup-self")
        except StoreTokenRefused:
            return False
        return True

    def _log_in(self) -> Secret:
        body: Json = {"role_id": self._role_id, "secret_id": self._secret_id().reveal()}
        try:
            reply = self._client.ask("POST", "auth/approle/login", body)
        except StoreTokenRefused:
            raise StoreLoginRefused(str(self._place), "it is forbidden") from None
        auth = reply.data.get("auth")
        token = auth.get("client_token") if isinstance(auth, dict) else None
        if not reply.is_there or not isinstance(token, str):
            reason = f"it says “{reply.errors or reply.status}”"
            raise StoreLoginRefused(str(self._place), reason)
        return Secret(token)


def _path(value: Value) -> str:
    is_path = value.text and not value.origin.endswith(_BYTES)
    return str(Path(value.text).expanduser()) if is_path else ""


def _pem(environ: Mapping[str, str], value: Value) -> Pem:
    is_pem = value.text and value.origin.endswith(_BYTES)
    return Pem(Secret(environ[value.origin]), value.origin) if is_pem else Pem()


def _client(environ: Mapping[str, str]) -> dict[str, Value]:
    """Return the client certificate and its key, which may be variables themselves.

    As with ``bao``, they are so only where no variable names a file.
    """
    names = {"client_cert": "a certificate in PEM", "client_key": "a key in PEM"}
    files = {name: _variable(environ, name.upper()) for name in names}
    if any(one.text for one in files.values()):
        return files
    found = {name: _variable(environ, name.upper() + _BYTES) for name in names}
    return {
        name: Value(names[name] if one.text else "", one.origin) for name, one in found.items()
    }


def _variable(environ: Mapping[str, str], name: str) -> Value:
    found = (prefix + name for prefix in _PREFIXES if environ.get(prefix + name, "").strip())
    origin = next(found, "")
    return Value(environ.get(origin, "").strip(), origin)


def has_token(environ: Mapping[str, str]) -> bool:
    """Return whether a variable has a token."""
    return bool(_variable(environ, "TOKEN").text)


def _token(environ: Mapping[str, str], place: Place, *, is_optional: bool) -> Secret:
    """Return the token as it is now; an agent adds its own where there is none."""
    try:
        token = _source_of_token(environ, place)[1]()
    except StoreTokenMissing:
        if not is_optional:
            raise
        token = Secret("")
    if not token and not is_optional:
        told = "no variable, token helper or ~/.vault-token has one"
        raise StoreTokenMissing(str(place), told, login=place.login)
    return token


def origin_of_token(environ: Mapping[str, str], place: Place) -> str:
    """Return where the token comes from; a token helper is not run."""
    return _source_of_token(environ, place)[0]


def _source_of_token(
    environ: Mapping[str, str], place: Place
) -> tuple[str, Callable[[], Secret]]:
    """Return where the token comes from, and what returns it, which may be empty."""
    found = _variable(environ, "TOKEN")
    if found.text:
        return found.origin, lambda: Secret(found.text)
    if helper := _helper_in(environ):
        return f"token helper {clean(helper, most=200)}", partial(
            _helped, helper, environ, place
        )
    named, path = _variable(environ, "TOKEN_PATH"), _token_file(environ)
    return named.origin or f"~/{_TOKEN_FILE}", lambda: Secret(_text(path))


def exposed_token_file(environ: Mapping[str, str]) -> Path | None:
    """Return the file that the token comes from, if other users can read or change it."""
    path = _token_file(environ)
    with suppress(OSError):
        if path.stat().st_mode & 0o077 and not has_token(environ) and not _helper_in(environ):
            return path
    return None


def _token_file(environ: Mapping[str, str]) -> Path:
    named = _variable(environ, "TOKEN_PATH").text
    return Path(named).expanduser() if named else _home(environ) / _TOKEN_FILE


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())


def _helper_in(environ: Mapping[str, str]) -> str:
    home, named = _home(environ), _variable(environ, "CONFIG_PATH").text
    for path in (Path(named).expanduser(),) if named else (home / one for one in _CONFIGS):
        if found := _helper.search(_text(path)):
            with suppress(ValueError):
                return str(json.loads(found[1]))
    return ""


def _helped(helper: str, environ: Mapping[str, str], place: Place) -> Secret:
    """Return what a token helper prints when it is asked for the token, which may be empty.

    A helper may have a token for each address, which it expects in these variables. Raises
    ``StoreTokenMissing``.
    """
    address = place.addresses[0]
    try:
        if not Path(helper).is_absolute():
            raise FileNotFoundError  # never one of the current directory
        printed = _printed(helper, {**environ, "BAO_ADDR": address, "VAULT_ADDR": address})
    except subprocess.TimeoutExpired:
        reason = f"took longer than {_HELPER_PATIENCE} seconds"
    except subprocess.CalledProcessError as failed:
        reason = f"failed with status {failed.returncode}"
    except (OSError, ValueError):
        reason = "cannot be run; bao wants an absolute path, without arguments"
    else:
        if len(printed) <= _LARGEST:
            return Secret(printed.decode("ascii", "replace").strip())
        reason = "prints far more than a token"
    told = f"the token helper {clean(helper, most=200)} {reason}"
    raise StoreTokenMissing(str(place), told, login=place.login)


def _printed(helper: str, environ: Mapping[str, str]) -> bytes:
    """Return what a token helper prints, or the beginning if that is too much."""
    until, printed = time.monotonic() + _HELPER_PATIENCE, bytearray()
    with subprocess.Popen(  # noqa: S603 - the user's own, named in a file of theirs
        ["/bin/sh", "-c", 'exec "$0" get', helper],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environ,
    ) as process:
        try:
            assert process.stdout is not None  # noqa: S101 - a pipe, as above
            pipe = process.stdout.fileno()
            while len(printed) <= _LARGEST:
                if not select([pipe], [], [], max(0, until - time.monotonic()))[0]:
                    raise subprocess.TimeoutExpired(helper, _HELPER_PATIENCE)
                if not (chunk := os.read(pipe, _LARGEST)):
                    status = process.wait(max(0, until - time.monotonic()))
                    if status:
                        raise subprocess.CalledProcessError(status, helper)
                    break
                printed += chunk
        finally:
            process.kill()
    return bytes(printed)


def _text(path: Path) -> str:
    with suppress(OSError), open(path, "rb", opener=_opened) as file:
        return (file.read(_LARGEST) or b"").decode("utf-8", "replace").strip()
    return ""


def _opened(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY)  # or a FIFO would be waited for
