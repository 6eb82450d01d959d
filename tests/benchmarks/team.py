"""A team's store on a real OpenBao against the same requests without m3cred."""

from __future__ import annotations

import http.client
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING

from m3cred_tui.model.check import CheckResult, Outcome
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.records import record_fields, shown_fields
from m3cred_tui.store.openbao.store import OpenBaoStore
from tests.benchmarks.first_paint import paint_line, paints
from tests.benchmarks.places import TOKENS, credential
from tests.benchmarks.table import Line, median_ratio, milliseconds
from tests.store.port import bao

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from m3cred_tui.model.credential import Credential, TokenResponse
    from tests.benchmarks.programs import Programs

_COUNT = 10_000
_PAGE = 4000
_CHANGES = 20
"""In a round."""
_MOST_ROUNDS = 5
_AIM_OF_LIST = 1.5  # seconds
_AIM_OF_PAINT = 1.2
_WRITERS = 6


def team(programs: Programs, rounds: int) -> Iterator[Line]:
    """Measure with a server in development mode; nothing without ``bao``."""
    if shutil.which("bao") is None:
        yield Line("a team's store: not measured, as bao is not installed", "")
        return
    few = min(rounds, _MOST_ROUNDS)
    with bao.started(programs.root, "") as server:
        yield _listing(server.port, programs.root / "known", few)
        yield from _changes(server.port, few)
        app = programs.team(server.address, "listed", _COUNT)
        reached = paints([programs.bare(), programs.credentials(_COUNT), app], rounds)
    bare, here, there = reached
    what = f"first paint, {_COUNT:,} of a team"
    yield paint_line(what, _AIM_OF_PAINT, there, bare)
    yield paint_line(what, _AIM_OF_PAINT, there, here, "the same in the directory")
    bare, here, away = paints([programs.bare(), programs.credentials(_COUNT), app], rounds)
    what += " whose store cannot be reached"
    yield paint_line(what, _AIM_OF_PAINT, away, bare)
    yield paint_line(what, _AIM_OF_PAINT, away, here, "the same in the directory")


def _store(port: int, path: str, known: Path | None = None) -> OpenBaoStore:
    place = Place((f"http://127.0.0.1:{port}",), "secret", path)
    return OpenBaoStore(Client(place, lambda: Secret(bao.ROOT)), Known(known))


def _listing(port: int, known: Path, rounds: int) -> Line:
    """List all, as a machine does that has not connected before, and keep the list."""
    groups = [range(first, _COUNT + 1, _WRITERS) for first in range(1, _WRITERS + 1)]
    with ThreadPoolExecutor(_WRITERS) as several:
        list(several.map(lambda numbers: _fill(port, numbers), groups))
    ours, bare = [], []
    for number in range(rounds):
        began = perf_counter()
        found = len(_store(port, "listed", known / f"{number}").ids())
        ours.append(perf_counter() - began)
        began = perf_counter()
        listed = _bare_list(port)
        bare.append(perf_counter() - began)
        if not found == listed == _COUNT:
            raise ValueError(f"{found} and {listed} of {_COUNT} were listed")
    return Line(
        f"{_COUNT:,} of a team listed, from connecting to the list kept here",
        milliseconds(ours),
        f"the same requests, decoded {milliseconds(bare)}",
        f"{median_ratio(ours, bare):.2f}",
        f"{_AIM_OF_LIST} s",
        sorted(ours)[len(ours) // 2] <= _AIM_OF_LIST,
    )


def _fill(port: int, numbers: range) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for number in numbers:
        _bare_create(connection, "listed", credential(number))
    connection.close()


def _bare_list(port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    count, after = 0, ""
    while True:
        query = f"?list=true&limit={_PAGE}&after={after}"
        path = f"secret/detailed-metadata/listed/credentials/{query}"
        keys = json.loads(_ask(connection, "GET", path))["data"]["keys"]
        count += len(keys)
        if len(keys) < _PAGE:
            connection.close()
            return count
        after = keys[-1]


def _changes(port: int, rounds: int) -> Iterator[Line]:
    """Change what is in a store of its own, and send the same requests without m3cred."""
    store, bare = _store(port, "ours"), _Bare(port)
    store.prepare()
    times: dict[str, tuple[list[float], list[float]]] = {what: ([], []) for what in _WHATS}
    for number in range(rounds):
        of_round = range(1 + number * _CHANGES, 1 + (number + 1) * _CHANGES)
        does = zip(_WHATS, _ours(store), bare.requests(), strict=True)
        for what, ours, theirs in does:
            for does_it, side in zip((ours, theirs), times[what], strict=True):
                began = perf_counter()
                for one in map(credential, of_round):
                    does_it(one)
                side.append((perf_counter() - began) / _CHANGES)
    bare.connection.close()
    for what, (own, yardstick) in times.items():
        told = f"the same requests {milliseconds(yardstick)}"
        yield Line(what, milliseconds(own), told, f"{median_ratio(own, yardstick):.2f}")


_WHATS = (
    "create in a team's store",
    "open a credential in a team's store",
    "check a credential: open it, keep the result",
    "refresh: claim, ask, keep the answer",
)


def _ours(store: OpenBaoStore) -> Sequence[Callable[[Credential], object]]:
    def check(one: Credential) -> None:
        store.opened(one.id)
        store.checks.keep({one.id: CheckResult(Outcome.OK, one.created_at)})

    def refresh(one: Credential) -> None:
        with store.refreshes.begun(one.id) as refresh:
            refresh.ask(one.created_at)
            refresh.keep(_tokens(one))

    return (
        lambda one: store.create(one, _tokens(one)),
        lambda one: store.opened(one.id),
        check,
        refresh,
    )


def _tokens(one: Credential) -> TokenResponse:
    assert one.account is not None
    token = Secret(f"sk_{'live' if one.account.livemode else 'test'}_{'a' * 98}")
    return TOKENS._replace(
        account_id=one.account.id, livemode=one.account.livemode, access_token=token
    )


class _Bare:
    """The requests of each change on one connection, without anything of m3cred."""

    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port)

    def requests(self) -> Sequence[Callable[[Credential], object]]:
        return self._create, self._open, self._check, self._refresh

    def _create(self, one: Credential) -> None:
        self._open(one)
        _bare_create(self.connection, "bare", one)

    def _open(self, one: Credential) -> object:
        return self._read(f"credentials/{one.id}")

    def _check(self, one: Credential) -> None:
        self._open(one)
        key = f"checks/{one.id[-1]}"
        record = self._read(key)
        _ask(self.connection, "POST", f"secret/data/bare/{key}", {"data": record})

    def _refresh(self, one: Credential) -> None:
        record = self._open(one)
        path = f"credentials/{one.id}"
        for _ in ("claim", "ask", "keep"):
            _ask(self.connection, "POST", f"secret/data/bare/{path}", {"data": record})
        shown = {"custom_metadata": shown_fields(record_fields(one, _tokens(one)), 1)}
        _ask(self.connection, "POST", f"secret/metadata/bare/{path}", shown)

    def _read(self, key: str) -> object:
        found = json.loads(_ask(self.connection, "GET", f"secret/data/bare/{key}"))
        return found["data"]["data"] if "data" in found else {}


def _bare_create(connection: http.client.HTTPConnection, path: str, one: Credential) -> None:
    fields = record_fields(one, _tokens(one))
    record = {"options": {"cas": 0}, "data": fields}
    _ask(connection, "POST", f"secret/data/{path}/credentials/{one.id}", record)
    shown = {"custom_metadata": shown_fields(fields, 1)}
    _ask(connection, "POST", f"secret/metadata/{path}/credentials/{one.id}", shown)


def _ask(
    connection: http.client.HTTPConnection, method: str, path: str, body: object = None
) -> bytes:
    content = None if body is None else json.dumps(body)
    connection.request(method, f"/v1/{path}", content, {"X-Vault-Token": bao.ROOT})
    return connection.getresponse().read()
