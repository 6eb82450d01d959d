"""Two machines of a team, each with a home of its own, and one Stripe."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.cli.creation import Asked, set_up
from tests.cli.creation import started as started_anew
from tests.cli.forking import Forks, forks
from tests.store.bao_proxy import Fault, Proxy, proxy_before
from tests.store.port import bao
from tests.ui.visit import approve_only

if TYPE_CHECKING:
    from collections.abc import Iterator

Started = Future[int]
pytestmark = [pytest.mark.long, pytest.mark.timeout(60)]
_paths = count()


class Machine(NamedTuple):
    environ: dict[str, str]
    forks: Forks | None
    """Each command is started anew without."""
    is_impatient: bool = False
    """Whether it soon gives up a store that is gone."""

    def run(
        self, *arguments: str, given: str = "", started: Started | None = None
    ) -> subprocess.CompletedProcess[str]:
        if self.forks is None:
            with started_anew(self.environ, *arguments) as anew:
                anew.write(given)
                status, out = anew.end()
            return subprocess.CompletedProcess(arguments, status, out, anew.errors)
        command = self.forks.start(self.environ, *arguments, is_impatient=self.is_impatient)
        if started is not None:
            started.set_result(command.pid)
        command.stdin.write(given)
        return subprocess.CompletedProcess(arguments, *command.end())

    def aside(self) -> list[Path]:
        """Return the approvals that are sealed on this machine."""
        data = Path(self.environ["XDG_DATA_HOME"], "m3cred", "team")
        return [*data.glob("*/*-*-*-*-*.json")]

    def told(self, *arguments: str, given: str = "") -> Any:
        ended = self.run(*arguments, "--json", given=given)
        assert ended.stdout, ended.stderr
        return json.loads(
            ended.stdout.splitlines()[-1] if "\n{" in ended.stdout else ended.stdout
        )


@pytest.fixture
def asked() -> Asked:
    return Asked()


@pytest.fixture(scope="module")
def forked() -> Iterator[list[Forks]]:
    with forks() as one, forks() as two:
        yield [one, two]


@pytest.fixture
def machines(
    environment: dict[str, str], tmp_path: Path, asked: Asked, forked: list[Forks]
) -> Iterator[list[Machine]]:
    team = {
        "M3CRED_STORE_ENGINE": "openbao",
        "M3CRED_STORE_PATH": f"machines-{next(_paths)}",
        "BAO_ADDR": bao.running().address,
        "BAO_TOKEN": bao.ROOT,
    }
    with set_up(environment, asked.demo_stripe) as stripe:
        made = []
        for name, own in zip(("one", "two"), forked, strict=True):
            home = tmp_path / name
            home.mkdir()
            directories = {
                f"XDG_{kind}_HOME": str(home / kind) for kind in ("DATA", "CONFIG", "STATE")
            }
            environ = {**stripe, **team, **directories, "HOME": str(home)}
            made.append(Machine(environ, own))
        yield made


def begun(machine: Machine, name: str = "Acme") -> Any:
    create = ("create", "--name", name, "--destination", "stripe_test", "--begin")
    return machine.told(*create)


def test_what_is_begun_on_one_machine_is_finished_on_another_by_paste_and_used_on_both(
    machines: list[Machine],
) -> None:
    one, two = machines
    begin = begun(one)
    assert [row["status"] for row in two.told("list")["credentials"]] == ["pending"]
    address = approve_only(begin["url"])
    end = two.told("create", "--complete", begin["id"], "--yes", given=f"{address}\n")
    assert end["error"] is None
    for machine in machines:
        [row] = machine.told("list")["credentials"]
        assert (row["id"], row["status"]) == (begin["id"], "authenticated")
        key = machine.run("exec", "Acme", "--", "printenv", "STRIPE_API_KEY")
        assert key.returncode == 0, key.stderr
        assert key.stdout.startswith("sk_test_")
        assert machine.run("check", "Acme").returncode == 0
    assert one.run("delete", "Acme", "--yes").returncode == 0
    assert two.told("list")["credentials"] == []


def test_two_machines_that_finish_one_request_at_the_same_moment_exchange_its_code_once(
    machines: list[Machine],
) -> None:
    begin = begun(machines[0])
    address = approve_only(begin["url"])

    def finish(machine: Machine) -> str | None:
        end = machine.told("create", "--complete", begin["id"], "--yes", given=f"{address}\n")
        return str(end["error"]["code"]) if end["error"] else None

    with ThreadPoolExecutor(2) as both:
        ends = [*both.map(finish, machines)]
    # A second exchange of the code would be refused by Stripe. The later machine may find the
    # approval instead, and create the same credential from it.
    assert None in ends
    assert {*ends} <= {None, "AnsweredElsewhere", "NotPending", "CodeSent"}
    [row] = machines[0].told("list")["credentials"]
    assert row["status"] == "authenticated"


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with proxy_before(bao.running().address) as made:
        yield made


def writes(proxy: Proxy) -> list[int]:
    """Return which of the requests wrote a credential."""
    return [
        number
        for number, line in enumerate(proxy.seen)
        if line.startswith("POST") and "/data/" in line and "/credentials/" in line
    ]


def test_who_is_later_with_a_request_is_told_so_and_stripe_is_asked_once(
    machines: list[Machine], proxy: Proxy, asked: Asked
) -> None:
    # Forked, the later one asks the store for two things at the same time.
    one, two = (machine._replace(forks=None) for machine in machines)
    two.environ["BAO_ADDR"] = proxy.address
    complete = ("create", "--yes", "--complete")

    def finish(machine: Machine, begin: Any, address: str) -> Any:
        return machine.told(*complete, begin["id"], given=f"{address}\n")["error"]

    begin = begun(one, "Measured")
    proxy.expect(None)
    assert finish(two, begin, approve_only(begin["url"])) is None
    claim, *_ = writes(proxy)
    reading = next(number for number, line in enumerate(proxy.seen) if begin["id"] in line)

    ends = []
    for at in range(reading + 1, claim + 1):
        begin = begun(one, f"Acme {at}")
        address = approve_only(begin["url"])
        asked.lines.clear()
        earlier: list[Any] = []

        def meanwhile(
            begin: Any = begin,
            address: str = address,
            earlier: list[Any] = earlier,
            at: int = at,
        ) -> None:
            if all(number >= at for number in writes(proxy)):
                earlier.append(finish(one, begin, address))

        proxy.before = meanwhile
        proxy.expect(None, at)
        later = finish(two, begin, address)
        proxy.before = None
        assert asked.exchanges == 1
        if earlier:  # otherwise, its claim was an earlier request than the first time
            assert earlier == [None]
            ends.append(later and later["code"])
    # At one point the later machine may find the approval, and create the same from it.
    assert "AnsweredElsewhere" in ends
    assert set(ends) <= {None, "AnsweredElsewhere"}


@pytest.mark.parametrize("answered", [0, 2])
def test_an_approval_is_sealed_here_when_the_store_is_gone_as_stripe_replies_and_brought_once(
    machines: list[Machine], proxy: Proxy, asked: Asked, answered: int
) -> None:
    one, two = machines
    one.environ["BAO_ADDR"] = proxy.address
    one = one._replace(is_impatient=True)
    begin = begun(one)
    address = approve_only(begin["url"])
    # Of the second request, which keeps the approval, no answer comes.
    asked.replies = lambda: proxy.expect(Fault.GONE, answered - 1)
    ended = one.run("create", "--yes", "--complete", begin["id"], given=f"{address}\n")
    assert ended.returncode == 1
    assert "“Acme” is approved, and sealed on this machine until" in ended.stderr
    assert f"m3cred resume {begin['id']}" in ended.stderr
    assert "cannot be reached" in ended.stderr
    [sealed] = one.aside()
    assert "sk_test_" not in sealed.read_text()
    if not answered:
        for words in (("list",), ("resume",), ("doctor", "--offline")):
            told = one.run(*words)
            sentence = "“Acme” is approved, and sealed on this machine until"
            assert sentence in told.stdout + told.stderr, words
        environ = {**one.environ, "M3CRED_STORE_ENGINE": "directory"}
        here = Machine(environ, one.forks).run("doctor", "--offline")
        assert "“Acme” is approved, and sealed here for the team's store." in here.stdout
    shown = one.told("show", begin["id"])["credential"]
    assert (shown["status"], shown["account"]["id"][:5]) == ("pending", "acct_")

    proxy.expect(None)
    one = one._replace(is_impatient=False)
    if answered:
        assert one.told("resume", begin["id"], "--yes")["error"] is None
    else:
        assert [row["account"]["id"] for row in one.told("list")["credentials"]]
        assert one.aside() == []
        assert two.told("resume", begin["id"], "--yes")["error"] is None
    assert one.aside() == []
    for machine in machines:
        [row] = machine.told("list")["credentials"]
        assert (row["name"], row["status"]) == ("Acme", "authenticated")
    assert asked.exchanges == 1


def test_an_approval_outlives_a_kill_before_the_store_has_it_and_at_every_request_after_that(
    machines: list[Machine], proxy: Proxy, asked: Asked
) -> None:
    one, two = machines
    one.environ["BAO_ADDR"] = proxy.address

    def killed(at: int, *arguments: str, given: str = "") -> bool:
        started: Started = Future()
        proxy.after = lambda: os.kill(started.result(), signal.SIGKILL)
        proxy.expect(None, at)
        ended = one.run(*arguments, given=given, started=started)
        proxy.after = None
        return ended.returncode == -signal.SIGKILL

    begin = begun(one)
    address = approve_only(begin["url"])
    asked.replies = lambda: proxy.expect(None, 0)
    complete = ("create", "--yes", "--complete", begin["id"])
    assert killed(1000, *complete, given=f"{address}\n")
    assert len(one.aside()) == 1
    assert [row["status"] for row in two.told("list")["credentials"]] == ["unknown"]

    points = 0
    while one.aside():
        assert killed(points, "list")
        points += 1
    print(f"killed at {points} requests while it was brought")
    for machine in machines:
        [row] = machine.told("list")["credentials"]
        assert (row["status"], row["account"]["id"][:5]) == ("pending", "acct_")
    assert two.told("resume", begin["id"], "--yes")["error"] is None
    assert [row["status"] for row in one.told("list")["credentials"]] == ["authenticated"]
    assert asked.exchanges == 1
