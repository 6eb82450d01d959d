"""Two machines of a team, each with a home of its own, and one Stripe."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from m3cred_tui.demo_stripe.server import demo_stripe
from tests.cli.creation import set_up
from tests.store.bao_proxy import Proxy, proxy_before
from tests.store.port import bao
from tests.ui.visit import approve_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from m3cred_tui.demo_stripe.description import Description

pytestmark = [pytest.mark.long, pytest.mark.timeout(60)]
_paths = count()


class Machine(NamedTuple):
    environ: dict[str, str]

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "m3cred_tui", *arguments],
            env=self.environ,
            input=given,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def told(self, *arguments: str, given: str = "") -> Any:
        ended = self.run(*arguments, "--json", given=given)
        assert ended.stdout, ended.stderr
        return json.loads(
            ended.stdout.splitlines()[-1] if "\n{" in ended.stdout else ended.stdout
        )


@pytest.fixture
def asked() -> list[str]:
    """Return the method and path of each request to Stripe."""
    return []


@pytest.fixture
def machines(
    environment: dict[str, str], tmp_path: Path, asked: list[str]
) -> Iterator[list[Machine]]:
    def counted(description: Description) -> Any:
        app = demo_stripe(description)

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                asked.append(f"{scope['method']} {scope['path']}")
            await app(scope, receive, send)

        return counting

    team = {
        "M3CRED_STORE_ENGINE": "openbao",
        "M3CRED_STORE_PATH": f"machines-{next(_paths)}",
        "BAO_ADDR": bao.running().address,
        "BAO_TOKEN": bao.ROOT,
    }
    with set_up(environment, counted) as stripe:
        made = []
        for name in ("one", "two"):
            home = tmp_path / name
            home.mkdir()
            directories = {
                f"XDG_{kind}_HOME": str(home / kind) for kind in ("DATA", "CONFIG", "STATE")
            }
            made.append(Machine({**stripe, **team, **directories, "HOME": str(home)}))
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
    machines: list[Machine], proxy: Proxy, asked: list[str]
) -> None:
    one, two = machines
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
        asked.clear()
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
        assert asked.count("POST /oauth/token") == 1
        if earlier:  # otherwise, its claim was an earlier request than the first time
            assert earlier == [None]
            ends.append(later and later["code"])
    # At one point the later machine may find the approval, and create the same from it.
    assert "AnsweredElsewhere" in ends
    assert set(ends) <= {None, "AnsweredElsewhere"}
