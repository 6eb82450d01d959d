"""A team's store on a real OpenBao against the same requests without m3cred."""

from __future__ import annotations

import http.client
import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from time import perf_counter
from typing import TYPE_CHECKING

from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.client import Client, Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.records import record_fields, shown_fields
from m3cred_tui.store.openbao.store import OpenBaoStore
from tests.benchmarks.places import TOKENS, credential
from tests.benchmarks.table import Line, median_ratio, milliseconds
from tests.store.port import bao

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.benchmarks.programs import Programs

_COUNT = 10_000
_PAGE = 4000
_CHANGES = 20
"""In a round."""
_MOST_ROUNDS = 5
_AIM_OF_LIST = 1.5  # seconds
_WRITERS = 6


def team(programs: Programs, rounds: int) -> Iterator[Line]:
    """Measure in this process, with a server in development mode; nothing without ``bao``."""
    if shutil.which("bao") is None:
        yield Line("a team's store: not measured, as bao is not installed", "")
        return
    rounds = min(rounds, _MOST_ROUNDS)
    port = bao.running().port
    yield _listing(port, programs.root / "known", rounds)
    yield from _changes(port, rounds)


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
        _bare_create(connection, "listed", number)
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
    ours = _store(port, "ours")
    ours.prepare()
    bare = http.client.HTTPConnection("127.0.0.1", port)
    creates: tuple[list[float], list[float]] = [], []
    reads: tuple[list[float], list[float]] = [], []
    for number in range(rounds):
        numbers = range(1 + number * _CHANGES, 1 + (number + 1) * _CHANGES)
        ids = [credential(one).id for one in numbers]
        times = [perf_counter()]
        for one in numbers:
            ours.create(credential(one), TOKENS)
        times.append(perf_counter())
        for one in numbers:
            _ask(bare, "GET", f"secret/data/bare/credentials/{credential(one).id}")
            _bare_create(bare, "bare", one)
        times.append(perf_counter())
        for one_id in ids:
            ours.opened(one_id)
        times.append(perf_counter())
        for one_id in ids:
            json.loads(_ask(bare, "GET", f"secret/data/bare/credentials/{one_id}"))
        times.append(perf_counter())
        spent = [(end - begin) / _CHANGES for begin, end in pairwise(times)]
        for side, seconds in zip((*creates, *reads), spent, strict=True):
            side.append(seconds)
    bare.close()
    yield _line("create in a team's store", *creates)
    yield _line("open a credential in a team's store, as a check does first", *reads)


def _line(what: str, ours: list[float], bare: list[float]) -> Line:
    yardstick = f"the same requests {milliseconds(bare)}"
    return Line(what, milliseconds(ours), yardstick, f"{median_ratio(ours, bare):.2f}")


def _bare_create(connection: http.client.HTTPConnection, path: str, number: int) -> None:
    one = credential(number)
    fields = record_fields(one, TOKENS)
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
