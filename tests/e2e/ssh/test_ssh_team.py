"""Two servers with a team's store on a network that both reach, each with its own user."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from asyncio.subprocess import DEVNULL, PIPE
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest
import pytest_asyncio

from tests.e2e.browsers import approve
from tests.e2e.ssh import machines
from tests.e2e.ssh.machines import ENVIRON, LAPTOP_ADDRESSES, Machine
from tests.e2e.ssh.sessions import logged_in, paste, ssh, to_stripe
from tests.e2e.wizard import ACCOUNT, create_credential
from tests.store.bao_cluster import certify
from tests.store.port import bao

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from playwright.async_api import Page

    from tests.e2e.ssh.machines import Keys, Server
    from tests.e2e.terminal import Terminal

pytestmark = [
    pytest.mark.long,
    pytest.mark.e2e,
    pytest.mark.xdist_group("ssh"),
    pytest.mark.asyncio(loop_scope="session"),
]

_PORT = 8443
_LISTENER = """
listener "tcp" {{
  address = "0.0.0.0:{port}"
  tls_cert_file = "{place}/certificate.pem"
  tls_key_file = "{place}/key.pem"
}}
"""
F5 = "\x1b[15~"


class Engine(NamedTuple):
    """An OpenBao on the laptop's side of the cables, with TLS."""

    laptop: Machine
    certificate: Path

    async def as_root(self, *arguments: str, given: str = "") -> str:
        """Run the real ``bao`` with the root token; return what it prints."""
        environ = {**ENVIRON, "BAO_ADDR": "http://127.0.0.1:8200", "BAO_TOKEN": bao.ROOT}
        return await _printed(
            self.laptop.on(bao.program(), *arguments), given, environ | {"HOME": "/nonexistent"}
        )


class Admin(NamedTuple):
    """A user of a server, who comes over SSH."""

    name: str
    server: Server
    laptop: Machine
    environ: dict[str, str]

    @property
    def _m3cred(self) -> list[str]:
        variables = [f"{name}={value}" for name, value in self.environ.items()]
        return ["env", *variables, sys.executable, "-m", "m3cred_tui"]

    def app(self) -> AbstractAsyncContextManager[Terminal]:
        return logged_in(self.server, self.laptop, shlex.join(self._m3cred), user=self.name)

    async def runs(self, *arguments: str) -> str:
        return await self.types(shlex.join([*self._m3cred, *arguments]))

    async def types(self, line: str, given: str = "") -> str:
        to = ("-p", str(machines.OPEN_PORT), f"{self.name}@{self.server.address}", line)
        return await _printed(ssh(self.server, self.laptop, *to), given, ENVIRON)


async def _printed(command: list[str], given: str, environ: dict[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    out, errors = await process.communicate(given.encode())
    assert process.returncode == 0, errors.decode()
    return out.decode()


@asynccontextmanager
async def running_engine(laptop: Machine, place: Path) -> AsyncIterator[Engine]:
    configuration = await asyncio.to_thread(_with_tls, place)
    server = ("server", "-dev", f"-dev-root-token-id={bao.ROOT}", "-dev-no-store-token")
    process = await asyncio.create_subprocess_exec(
        *laptop.on(bao.program(), *server, f"-config={configuration}"),
        env=ENVIRON,
        stdout=PIPE,
        stderr=DEVNULL,
    )
    assert process.stdout is not None
    try:
        while b"Root Token" not in (line := await process.stdout.readline()):
            assert line, "bao has ended"
        yield Engine(laptop, place / "certificate.pem")
    finally:
        process.kill()
        await process.communicate()


def _with_tls(place: Path) -> Path:
    """Return a configuration that has the engine listen to others than the laptop."""
    place.mkdir(mode=0o755)
    certify(place, *(f"IP:{address}" for address in LAPTOP_ADDRESSES))
    configuration = place / "listener.hcl"
    configuration.write_text(_LISTENER.format(port=_PORT, place=place))
    return configuration


@pytest_asyncio.fixture(loop_scope="session")
async def admins(keys: Keys, laptop: Machine) -> AsyncIterator[list[Admin]]:
    """Return alice and bob, each on another server, set up and logged in to the engine."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(running_engine(laptop, keys.place / "engine"))
        servers = [
            await stack.enter_async_context(machines.server(keys, laptop, number))
            for number in range(2)
        ]
        reaching = (laptop, *(server.machine for server in servers))
        await stack.enter_async_context(machines.stripe(keys, *reaching))
        told = json.loads(keys.stripe.read_text())
        environ = {
            "M3CRED_STRIPE_TEST_CLIENT_ID": told["test"]["client_id"],
            "M3CRED_STRIPE_TEST_SECRET_KEY": told["test"]["secret_key"],
            "M3CRED_STRIPE_TEST_CONNECT_BASE": told["connect_base"],
            "M3CRED_STRIPE_TEST_API_BASE": told["api_base"],
        }
        admins = [
            Admin(name, server, laptop, environ)
            for name, server in zip(("alice", "bob"), servers, strict=True)
        ]
        for admin, address in zip(admins, LAPTOP_ADDRESSES, strict=True):
            await _set_up(admin, engine, f"https://{address}:{_PORT}")
        yield admins


async def _set_up(admin: Admin, engine: Engine, address: str) -> None:
    settings = {
        "store.engine": "openbao",
        "store.address": address,
        "store.ca_file": str(engine.certificate),
    }
    for name, value in settings.items():
        await admin.runs("config", "set", name, value)
    policy = await admin.runs("store", "policy", "admin")
    await engine.as_root("policy", "write", "m3cred-admin", "-", given=policy)
    named = ("-policy=m3cred-admin", f"-display-name={admin.name}")
    token = await engine.as_root("token", "create", "-field=token", *named)
    # As bao login writes it.
    await admin.types("umask 077; cat > ~/.vault-token", given=token)


async def test_what_is_created_on_one_server_is_seen_checked_and_used_on_another(
    admins: list[Admin], page: Page
) -> None:
    alice, bob = admins
    async with alice.app() as at_alices:
        paste(at_alices, await approve(page, await to_stripe(at_alices)))
        await at_alices.shows(ACCOUNT)
        await at_alices.focuses("Create Credential")
        await create_credential(at_alices)
        await at_alices.shows(f"team: {LAPTOP_ADDRESSES[0]}:{_PORT} secret/m3cred")

        [row] = json.loads(await bob.runs("list", "--json"))["credentials"]
        assert (row["name"], row["status"]) == ("Acme", "authenticated")
        assert row["createdBy"].startswith("alice@")
        assert "ok" in await bob.runs("check", "Acme")
        key = await bob.runs("exec", "Acme", "--", "printenv", "STRIPE_API_KEY")
        assert key.startswith("sk_test_")
        async with bob.app() as at_bobs:
            await at_bobs.shows("Acme")
            await at_bobs.shows(f"team: {LAPTOP_ADDRESSES[1]}:{_PORT} secret/m3cred")

        await bob.runs("rename", "Acme", "Bolt")
        at_alices.press(F5)
        await at_alices.shows("Bolt")
    assert "by bob@" in await alice.runs("show", "Bolt")
    for admin in admins:
        assert not [*admin.server.home(admin.name).rglob("credentials/*.json")]
