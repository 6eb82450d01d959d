"""A pipeline that logs in to a team's store by AppRole, and what it leaves there: nothing."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.policy import policy
from m3cred_tui.store.openbao.store import OpenBaoStore
from tests.store.bao_proxy import Fault, Proxy, proxy_before
from tests.store.port import bao
from tests.store.swept_operations import credential, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.cli.conftest import Start

pytestmark = [pytest.mark.long, pytest.mark.timeout(90)]

_ASK = """
import http.client, os, sys
connection = http.client.HTTPConnection("127.0.0.1", {port})
connection.request("LIST", "/v1/auth/token/accessors", headers={{"X-Vault-Token": "root"}})
sys.stdout.write(connection.getresponse().read().decode())
"""
_ENDED_BY = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129, signal.SIGQUIT: 131}


class Pipeline(NamedTuple):
    """A machine of a pipeline, behind a proxy, and the engine itself."""

    environ: dict[str, str]
    proxy: Proxy
    engine: bao.Bao
    place: Place

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "m3cred_tui", *arguments]
        return subprocess.Popen(
            command,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        self.proxy.expect(None)
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    def accessors(self) -> set[str]:
        """Return the accessors of all tokens that the engine knows."""
        return {*self.engine.ask("LIST", "auth/token/accessors")[1]["data"]["keys"]}

    def is_known(self, accessor: str) -> bool:
        """Return whether the engine has a token with this accessor."""
        lookup = {"accessor": accessor}
        return self.engine.ask("POST", "auth/token/lookup-accessor", lookup)[0] == 200

    @property
    def logins(self) -> int:
        return sum("approle/login" in line for line in self.proxy.seen)

    @property
    def revocations(self) -> int:
        return sum("revoke-self" in line for line in self.proxy.seen)


@pytest.fixture
def pipeline(environment: dict[str, str], tmp_path: Path) -> Iterator[Pipeline]:
    """Return a pipeline whose token has nothing but m3cred's own policy."""
    engine = bao.running()
    name = tmp_path.name
    place = Place((engine.address,), "secret", name)
    role_id, secret_id = bao.login(engine, name, policy(place, "admin"))
    with proxy_before(engine.address) as proxy:
        settings = {"ENGINE": "openbao", "ADDRESS": proxy.address, "PATH": name}
        settings |= {"ROLE_ID": role_id, "SECRET_ID": secret_id}
        variables = {f"M3CRED_STORE_{key}": value for key, value in settings.items()}
        # A variable that is set to nothing is not a token.
        yield Pipeline({**environment, **variables, "BAO_TOKEN": ""}, proxy, engine, place)


@pytest.fixture
def acme(pipeline: Pipeline) -> None:
    """Store a credential, as a colleague would."""
    client = Client(pipeline.place, lambda: Secret(bao.ROOT))
    OpenBaoStore(client, Known(), pace=0).create(credential(), tokens())


@pytest.mark.usefixtures("acme")
@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("list", "--json"), 0),
        (("show", "Acme", "--json"), 0),
        (("rename", "Acme", "Bolt"), 0),
        (("check", "Acme"), 1),
        (("doctor", "--json"), 1),
        (("store", "move", "--to", "directory"), 0),
        (("delete", "Acme", "--yes"), 0),
        (("show", "Nobody"), 1),
        (("exec", "Acme", "--", "true"), 0),
        (("exec", "Acme", "--", "/nonexistent"), 127),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else "",
)
def test_a_command_logs_in_once_and_its_token_is_gone_whatever_comes_of_it(
    pipeline: Pipeline, arguments: tuple[str, ...], status: int
) -> None:
    before = pipeline.accessors()
    ended, out, err = pipeline.run(*arguments)
    assert ended == status, out + err
    assert (pipeline.logins, pipeline.revocations) == (1, 1)
    assert pipeline.accessors() == before


@pytest.mark.usefixtures("acme")
def test_the_command_of_exec_finds_the_token_gone(pipeline: Pipeline) -> None:
    before = pipeline.accessors()
    script = _ASK.format(port=pipeline.engine.port)
    ended, out, err = pipeline.run("exec", "Acme", "--", sys.executable, "-c", script)
    assert ended == 0, err
    assert {*json.loads(out)["data"]["keys"]} == before
    assert pipeline.logins == 1


@pytest.mark.parametrize("leave", ["q", "hang up", "SIGTERM"])
async def test_the_app_keeps_its_token_until_it_ends(
    pipeline: Pipeline, start: Start, leave: str
) -> None:
    before = pipeline.accessors()
    async with start(columns=100, **pipeline.environ) as app:
        await app.shows("There are no credentials yet")
        while not pipeline.accessors() - before:  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0.05)  # the first paint does not wait for it
        [accessor] = pipeline.accessors() - before
        assert (pipeline.logins, pipeline.is_known(accessor)) == (1, True)
        if leave == "q":
            app.press("q")
        elif leave == "SIGTERM":
            app.signal(signal.SIGTERM)
        else:
            app.hang_up()
        await app.ends()
    assert not pipeline.is_known(accessor)


@pytest.mark.parametrize("number", _ENDED_BY, ids=lambda one: signal.Signals(one).name)
def test_a_signal_in_the_middle_of_a_request_leaves_no_token(
    pipeline: Pipeline, number: signal.Signals
) -> None:
    before = pipeline.accessors()
    pipeline.proxy.expect(Fault.HELD, 2)  # the login and one other are answered
    seen: list[set[str]] = []
    process = pipeline.start("list")

    def interrupt() -> None:
        seen.append(pipeline.accessors() - before)
        process.send_signal(number)

    pipeline.proxy.after = interrupt
    with process:
        process.communicate(timeout=60)
    assert process.returncode == _ENDED_BY[number]
    [[accessor]] = seen
    assert not pipeline.is_known(accessor)


def test_a_token_that_ends_in_the_middle_is_followed_by_another_that_is_revoked(
    pipeline: Pipeline,
) -> None:
    before = pipeline.accessors()

    def revoke() -> None:
        for accessor in pipeline.accessors() - before:
            pipeline.engine.ask("POST", "auth/token/revoke-accessor", {"accessor": accessor})

    pipeline.proxy.expect(None, 2)
    pipeline.proxy.before = revoke
    with pipeline.start("list", "--json") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, ""), out
    assert pipeline.logins == 2
    assert pipeline.accessors() == before


def test_an_engine_that_is_gone_at_the_end_does_not_keep_a_pipeline_waiting(
    pipeline: Pipeline,
) -> None:
    pipeline.run("list")
    pipeline.proxy.expect(Fault.GONE, len(pipeline.proxy.seen) - 1)
    with pipeline.start("list", "--json") as process:
        out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["credentials"]) == (0, [])
    assert err.startswith("m3cred: the token of the AppRole is not revoked, and ends by itself")
