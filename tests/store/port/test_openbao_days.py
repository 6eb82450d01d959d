"""Bad days of a team's store: each is one sentence, and nothing goes where it should not."""

from __future__ import annotations

import json
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.store.files import FlawError
from m3cred_tui.store.openbao import client as module
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.kv import KeyValue
from m3cred_tui.store.openbao.problems import MountUnfit
from m3cred_tui.store.openbao.store import OpenBaoStore
from m3cred_tui.store.problems import StoreUnusable
from tests.store.port.engines import OpenBaoEngine
from tests.store.swept_operations import ID, OTHERS, credential, tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TOKEN = "hvs.canary"
LEADERLESS = "local node not active but active cluster node not found"


class Answers(BaseHTTPRequestHandler):
    """Answers each request in the same way, and takes note of the token that came with it."""

    protocol_version = "HTTP/1.1"
    status: ClassVar[int] = 200
    headers_sent: ClassVar[dict[str, str]] = {}
    body: ClassVar[bytes] = b""
    tokens: ClassVar[list[str | None]] = []

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.tokens.append(self.headers.get("X-Vault-Token"))
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        if "Content-Length" not in self.headers_sent:
            self.send_header("Content-Length", str(len(self.body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(self.body)
        self.close_connection = True

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - as http.server calls them

    def log_message(self, *_told: object) -> None:
        """Say nothing."""


@contextmanager
def answering(
    status: int, body: bytes, headers: dict[str, str] | None = None
) -> Iterator[tuple[str, list[str | None]]]:
    """Run a server that answers so; yield its address, and the tokens that it got."""
    got: list[str | None] = []
    told = {"status": status, "body": body, "headers_sent": headers or {}, "tokens": got}
    with ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Answers,), told)) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", got
        finally:
            server.shutdown()
            thread.join()


def store_at(*addresses: str) -> OpenBaoStore:
    return OpenBaoStore(
        Client(Place(addresses, "secret", "m3cred"), lambda: Secret(TOKEN)), Known(), pace=0
    )


def errors(*told: str) -> bytes:
    return json.dumps({"errors": told}).encode()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    monkeypatch.setattr(module, "_PAUSE", 0.01)


@pytest.mark.parametrize(
    ("status", "body", "headers", "code", "told"),
    [
        (503, errors("Vault is sealed"), {}, "StoreSealed", "unseal"),
        (501, errors("Vault is not initialized"), {}, "StoreNotInitialised", "not initialised"),
        (500, errors(LEADERLESS), {}, "StoreWithoutLeader", "no active node"),
        (473, b"", {}, "StoreWithoutLeader", "no active node"),
        (429, errors("quota exceeded"), {"Retry-After": "7"}, "StoreQuota", "for 7 s"),
        (429, errors(), {}, "StoreQuota", "takes no more requests"),
        (500, errors("disk is full"), {}, "StoreUnreachable", "disk is full"),
        (502, b"<html>Bad Gateway</html>", {}, "StoreUnreachable", "status 502"),
        (404, errors("namespace not found"), {}, "MountMissing", "namespace"),
        (404, errors('no handler for route "secret/"'), {}, "MountMissing", "no such mount"),
        (200, b"<!doctype html>", {}, "StoreNonsense", "not whole JSON"),
        (200, b'{"data": {"type', {}, "StoreNonsense", "not whole JSON"),
        (200, b"[1, 2]", {}, "StoreNonsense", "not whole JSON"),
        (418, errors("teapot"), {}, "StoreNonsense", "teapot"),
        (200, b'{"data":', {"Content-Length": "99"}, "StoreUnreachable", "broke off"),
        (403, errors("permission denied"), {}, "StoreTokenRefused", "bao login"),
    ],
    ids=lambda one: str(one)[:24] if isinstance(one, str | int) else "",
)
def test_each_is_one_sentence_that_says_what_it_is(
    status: int, body: bytes, headers: dict[str, str], code: str, told: str
) -> None:
    with answering(status, body, headers) as (address, _):
        store = store_at(address)
        for act in (store.ids, lambda: store.create(credential(), tokens())):
            with pytest.raises(StoreUnusable) as raised:
                act()
            assert raised.value.code == code
            assert told in str(raised.value)
            assert TOKEN not in str(raised.value)


class Hours:
    """A clock that a request for the time moves on, so that hanging takes no time here."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def test_an_engine_that_answers_nothing_takes_its_time_once_however_much_is_asked() -> None:
    asked = []
    clock = Hours()
    with answering(500, errors("disk is full")) as (address, got):
        place = Place((address,), "secret", "m3cred")
        client = Client(place, lambda: Secret(TOKEN), patience=20, clock=clock)
        store = OpenBaoStore(client, Known(), pace=0)
        change = partial(client.ask, "POST", "secret/data/x", {})
        for act in (store.ids, change, store.prepare, store.disconnecting.ids, change):
            before = len(got)
            with pytest.raises(StoreUnusable):
                act()
            asked.append(len(got) - before)
        clock.now += 60  # a user's next attempt has the whole time again
        before = len(got)
        with pytest.raises(StoreUnusable):
            store.ids()
        asked.append(len(got) - before)
    first, *others, later = asked
    assert later == first > 2
    assert {*others} == {1}


def test_a_token_does_not_follow_a_redirect_to_an_address_that_is_not_configured() -> None:
    with answering(200, b"{}") as (elsewhere, got):
        moved = {"Location": f"{elsewhere}/v1/secret/data/x?token=1"}
        with answering(307, b"", moved) as (address, _):
            with pytest.raises(StoreUnusable) as raised:
                store_at(address).ids()
            assert raised.value.code == "StoreElsewhere"
            assert elsewhere in str(raised.value)
            assert got == []


def test_a_redirect_to_another_of_the_configured_nodes_is_followed(tmp_path: Path) -> None:
    engine = OpenBaoEngine(tmp_path)
    there = engine.bao.address
    with answering(307, b"", {"Location": f"{there}/v1/secret/data/x"}) as (standby, _):
        place = Place((standby, there), "secret", engine.path)
        store = OpenBaoStore(Client(place, lambda: Secret("root")), Known(), pace=0)
        store.create(credential(), tokens())
        assert store.ids() == [ID]


def test_the_next_node_is_asked_where_one_does_not_answer(tmp_path: Path) -> None:
    engine = OpenBaoEngine(tmp_path)
    place = Place(("http://127.0.0.1:9", engine.bao.address), "secret", engine.path)
    store = OpenBaoStore(Client(place, lambda: Secret("root")), Known(), pace=0)
    store.create(credential(), tokens())
    assert store.ids() == [ID]


@pytest.mark.parametrize(
    ("mounted", "told"),
    [({"type": "kv"}, "KV version 1"), ({"type": "transit"}, "of type transit")],
)
def test_a_mount_that_would_take_writes_without_a_check_is_refused(
    tmp_path: Path, mounted: dict[str, str], told: str
) -> None:
    engine = OpenBaoEngine(tmp_path)
    mount = f"other-{engine.path}"
    assert engine.bao.ask("POST", f"sys/mounts/{mount}", mounted)[0] == 204
    place = Place((engine.bao.address,), mount, "m3cred")
    store = OpenBaoStore(Client(place, lambda: Secret("root")), Known(), pace=0)
    for act in (store.ids, store.prepare, lambda: store.create(credential(), tokens())):
        with pytest.raises(MountUnfit, match=told):
            act()


def test_a_value_that_is_too_large_is_told_from_a_bad_day() -> None:
    # Only a real storage has a limit, not that of the development mode.
    with answering(500, errors("put failed due to value being too large")) as (address, _):
        kv = KeyValue(Client(Place((address,), "secret", "m3cred"), lambda: Secret(TOKEN)))
        kv._is_fit, kv._name = True, "ann"
        with pytest.raises(FlawError, match="larger than the team's store takes"):
            kv.write("credentials/1", {}, 0)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"hello": "world"}, "not an m3cred credential"),
        ({"schema": 99}, "a newer m3cred wrote it"),
        ({"id": OTHERS[0]}, "not the one in its path"),
        ({"tokens": "none"}, "no secrets"),
        ({"name": 7}, "its name is not text"),
    ],
)
def test_a_record_that_somebody_else_wrote_is_a_row_that_says_so(
    tmp_path: Path, fields: dict[str, object], reason: str
) -> None:
    engine = OpenBaoEngine(tmp_path)
    store = engine.open()
    store.create(credential(), tokens())
    store.create(credential(OTHERS[0], "Whole"), tokens())
    data = f"secret/data/{engine.path}/credentials/{ID}"
    _, answer = engine.bao.ask("GET", data)
    written = fields if "hello" in fields else {**answer["data"]["data"], **fields}
    assert engine.bao.ask("POST", data, {"data": written})[0] == 200
    [damaged] = [row for row in store.read_many(store.ids()) if row and row.id == ID]
    assert reason in str(damaged)
    assert store.read(OTHERS[0]) == credential(OTHERS[0], "Whole")
    store.delete(ID)
    assert store.ids() == [OTHERS[0]]


def test_a_record_that_was_hidden_by_hand_is_gone_and_comes_back(tmp_path: Path) -> None:
    engine = OpenBaoEngine(tmp_path)
    store = engine.open()
    store.create(credential(), tokens())
    record = f"{engine.path}/credentials/{ID}"
    assert engine.bao.ask("DELETE", f"secret/data/{record}")[0] == 204
    assert (store.ids(), store.read(ID), store.verified(ID)) == ([], None, None)
    undeleted = engine.bao.ask("POST", f"secret/undelete/{record}", {"versions": [1]})
    assert undeleted[0] == 204
    assert store.ids() == [ID]
    assert store.verified(ID) == credential()


def test_what_is_no_credential_under_the_path_is_left_alone(tmp_path: Path) -> None:
    engine = OpenBaoEngine(tmp_path)
    note = f"secret/data/{engine.path}/credentials/read-me"
    assert engine.bao.ask("POST", note, {"data": {"a": "b"}})[0] == 200
    store = engine.open()
    store.create(credential(), tokens())
    assert store.ids() == [ID]
    assert engine.bao.ask("GET", note)[0] == 200
