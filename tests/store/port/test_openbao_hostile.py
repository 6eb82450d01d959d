"""What a colleague, a proxy or an engine that means harm can do to m3cred: say no, and wait."""

from __future__ import annotations

import base64
import json
import os
import socket
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao import client as module
from m3cred_tui.store.openbao.access import access, exposed_token_file
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.connection import Place
from m3cred_tui.store.openbao.examining import examined
from m3cred_tui.store.openbao.known import Known
from m3cred_tui.store.openbao.kv import KeyValue
from m3cred_tui.store.openbao.problems import StoreTokenMissing, Unconfirmed
from m3cred_tui.store.openbao.store import OpenBaoStore
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import CredentialDamaged, StoreUnusable
from tests.store.port.bao import ROOT
from tests.store.port.engines import OpenBaoEngine
from tests.store.port.test_openbao_access import configured
from tests.store.swept_operations import ID, OTHERS, credential, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "hvs.canary"
ESCAPE = "\x1b]0;x\x07\u202e"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PATIENCE", 0.1)
    monkeypatch.setattr(module, "_LEAST", 0.1)
    monkeypatch.setattr(module, "_SILENCE", 0.1)


@contextmanager
def engine_that(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server that answers each request so; yield its address."""

    def serve() -> None:
        with suppress(OSError):  # it is closed at the end
            while True:
                with suppress(ConnectionError), listener.accept()[0] as connection:
                    connection.recv(65_536)
                    answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def says(body: bytes, status: str = "200 OK", header: bytes = b"X: y") -> Callable[..., None]:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n".encode()
    return lambda connection: connection.sendall(head + header + b"\r\n\r\n" + body)


def forever(begin: bytes, more: bytes) -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(begin)
        while True:
            connection.sendall(more)

    return answer


def client_at(address: str) -> Client:
    return Client(Place((address,), "secret", "m3cred"), lambda: Secret(TOKEN))


_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
_DEEP = base64.b64encode(b"[" * 40_000)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (forever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), "stopped answering"),
        (forever(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), ""),
        (forever(_CHUNKED, b"1\r\n \r\n"), "stopped answering"),
        (forever(_CHUNKED, b"100000\r\n" + b" " * 0x100000 + b"\r\n"), ""),
        (lambda connection: connection.sendall(b"hello"), "did not speak HTTP"),
        (says(b"", "101 Switching Protocols", b"Upgrade: x"), "did not speak HTTP"),
        (says(b'{"errors":' + b"[" * 99_999), "not whole JSON"),
        (says(b"\x1f\x8b\x08", header=b"Content-Encoding: gzip"), "not whole JSON"),
        (says(json.dumps({"data": {"type": ESCAPE}}).encode()), "of type"),
        (says(json.dumps({"errors": [ESCAPE, None, {}]}).encode(), "418 No"), "]0;x"),
        (says(b"{}", "429 No", b"Retry-After: \xff9"), "no more requests at the moment;"),
        (says(b"{}", "307 No", b"Location: http://127.0.0.1@evil/\x80"), "redirects to"),
    ],
    ids=range(12),
)
def test_a_hostile_answer_is_one_sentence_within_the_time_limit(
    answer: Callable[[socket.socket], None], told: str
) -> None:
    with engine_that(answer) as address:
        store = OpenBaoStore(client_at(address), Known(), pace=0)
        for _ in range(2):  # it has learned nothing that is held against the next request
            with pytest.raises(StoreUnusable) as raised:
                store.ids()
            assert told in str(raised.value)
            assert str(raised.value).isprintable()
            assert TOKEN not in str(raised.value)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "header",
    [
        b"X-Vault-Index: \xc3\xa9",
        b"X-Vault-Index: " + _DEEP,
        b"X-Vault-Index: " + b"a" * 60_000,
        b"Date: Mon, 01 Jan 0001 00:00:00 -0000",
        b"Date: Mon, 99 Jan 99999999999 00:00:00 +99999999999",
    ],
    ids=range(5),
)
def test_what_headers_say_is_believed_only_if_it_can_be_used(header: bytes) -> None:
    with engine_that(says(b"{}", header=header)) as address:
        client = client_at(address)
        for _ in range(2):
            assert client.ask("GET", "sys/health").data == {}


@pytest.mark.parametrize("keys", ["same", "more"])
def test_a_list_without_end_is_given_up(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("m3cred_tui.store.openbao.kv._PAGE", 1)
    monkeypatch.setattr("m3cred_tui.store.openbao.kv._MOST_PAGES", 5)
    number = iter(range(10_000))

    def answer(connection: socket.socket) -> None:
        key = "a" if keys == "same" else f"{next(number):06}"
        says(json.dumps({"data": {"keys": [key]}}).encode())(connection)

    with engine_that(answer) as address:
        kv = KeyValue(client_at(address))
        kv._is_fit = True
        with pytest.raises(StoreUnusable, match="does not come to an end"):
            list(kv.pages("credentials"))


@pytest.mark.usefixtures("impatient")
def test_a_change_that_is_not_said_to_be_made_is_not_reported_as_made() -> None:
    with engine_that(says(b"{}")) as address:
        kv = KeyValue(client_at(address))
        kv._is_fit, kv._name = True, "ann"
        with pytest.raises(Unconfirmed):
            kv.write("credentials/1", {}, 0)


@pytest.fixture
def engine(tmp_path: Path) -> OpenBaoEngine:
    return OpenBaoEngine(tmp_path)


def written(engine: OpenBaoEngine, credential_id: str, fields: dict[str, object]) -> None:
    """Change fields of a record, as a colleague may do without m3cred."""
    path = f"secret/data/{engine.path}/credentials/{credential_id}"
    data = engine.bao.ask("GET", path)[1]["data"]["data"]
    assert engine.bao.ask("POST", path, {"data": {**data, **fields}})[0] == 200


_ACCOUNT = {"account": "acct_1Acme", "name": None, "country": None, "livemode": True}
_TOKENS = {"accountId": "acct_1Evil", "livemode": True, "scope": "", "accessToken": "sk_live_e"}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": []}, "status is not text"),
        ({"status": {"a": 1}}, "status is not text"),
        ({"name": {}, "status": ["pending"]}, "status is not text"),
        ({"tokens": _TOKENS}, "not those of its account"),
        ({"tokens": {**_TOKENS, "accountId": "acct_1Acme", "livemode": False}}, "not those of"),
        (
            {"tokens": {**_TOKENS, "accountId": "acct_1Acme"} | {"accessToken": "a\nb"}},
            "Stripe's",
        ),
        (
            {"tokens": {**_TOKENS, "accountId": "acct_1Acme"} | {"accessToken": "sk_test_a"}},
            "mode",
        ),
        ({"stripe": {**_ACCOUNT, "account": "acct_1; reboot"}}, "not one of Stripe's"),
        ({"stripe": {**_ACCOUNT, "livemode": False}}, "other mode than its destination"),
        ({"tokens": None}, "no secrets"),
        ({"createdAt": "0001-01-01T00:00:00+23:59"}, "createdAt is not a time"),
        ({"destination": ESCAPE}, "is not known"),
    ],
)
def test_a_hostile_record_is_a_row_of_its_own_that_can_be_deleted(
    engine: OpenBaoEngine, fields: dict[str, object], reason: str
) -> None:
    store = engine.open()
    store.create(credential(), tokens())
    store.create(credential(OTHERS[0], "Whole"), tokens())
    written(engine, ID, fields)
    other = engine.open()
    rows = {row.id: row for row in other.read_many(other.ids()) if row}
    damaged = rows[ID]
    assert isinstance(damaged, Damaged)
    assert reason in damaged.reason
    assert damaged.reason.isprintable()
    assert rows[OTHERS[0]] == credential(OTHERS[0], "Whole")
    with pytest.raises(CredentialDamaged):
        other.tokens(ID)
    with pytest.raises(CredentialDamaged), other.refreshes.begun(ID):
        pass
    other.delete(ID)
    assert other.ids() == [OTHERS[0]]


@pytest.mark.parametrize(
    "changed",
    [
        {"history": "\\00d800"},
        {"status": "\\ffffff"},
        {"account": "acct_/../x"},
    ],
    ids=str,
)
def test_metadata_that_make_no_sense_are_not_believed(
    engine: OpenBaoEngine, changed: dict[str, str]
) -> None:
    engine.open().create(credential(), tokens())
    path = f"secret/metadata/{engine.path}/credentials/{ID}"
    shown = engine.bao.ask("GET", path)[1]["data"]["custom_metadata"] | changed
    assert engine.bao.ask("POST", path, {"custom_metadata": shown})[0] == 204
    store = engine.open()
    assert store.read_many(store.ids()) == [credential()]


@pytest.mark.parametrize("until", [1e308, 10**300, 4_000_000_000, True, "soon", []])
def test_a_claim_without_end_keeps_nobody_from_refreshing(
    engine: OpenBaoEngine, until: object
) -> None:
    store = engine.open()
    store.create(credential(), tokens())
    written(engine, ID, {"refresh": {"claim": "theirs", "claimedUntil": until}})
    with store.refreshes.begun(ID) as refresh:
        assert refresh.unanswered is None


def test_claims_of_names_that_make_no_sense_are_left_out(engine: OpenBaoEngine) -> None:
    claims = [{"id": ID, "name": "Acme", "at": at} for at in (10**300, 1e308, "now", None)]
    path = f"secret/data/{engine.path}/names"
    assert engine.bao.ask("POST", path, {"data": {"claims": [*claims, 7, []]}})[0] == 200
    store = engine.open()
    store.create(credential(OTHERS[0]), tokens(), store.stamp())
    assert store.ids() == [OTHERS[0]]


_LINE = f'm3cred-known-1 2026-01-01T00:00:00+00:00 1\n{ID} {{"status": "authenticated"}}\n'


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe",
        _LINE.encode(),
        _LINE.replace(ID, ESCAPE).encode(),
        _LINE.replace("{", "[" * 99_999).encode(),
        _LINE.replace("2026-01-01T00:00:00+00:00", "0001-01-01T00:00:00").encode(),
        _LINE.replace(" 1\n", " 99999999999999999999\n").encode(),
        _LINE.replace(" 1\n", " -1\n").encode(),
        None,
    ],
    ids=range(8),
)
def test_a_damaged_list_on_this_machine_is_no_list(
    tmp_path: Path, content: bytes | None
) -> None:
    folder = tmp_path / "team"
    folder.mkdir(mode=0o700)
    file = folder / "known"
    if content is None:
        os.mkfifo(file, 0o600)
    else:
        file.write_bytes(content)
        file.chmod(0o600)
    known = Known(file)
    assert len(known) <= 1
    assert all(one.isprintable() for one in known.ids())
    assert [known.row(one) for one in known.ids()] in ([], [None])
    known.take({}, 0)
    assert Known(file).ids() == []


def token_of(home: Path, **environ: str) -> Secret:
    reached = access({"HOME": str(home), **environ}, configured("http://127.0.0.1:9"))
    return reached.token()


def test_a_token_file_without_an_end_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".vault-token", 0o600)
    with pytest.raises(StoreTokenMissing):
        token_of(tmp_path)


@pytest.mark.parametrize(("mode", "is_told"), [(0o600, False), (0o640, True), (0o602, True)])
def test_a_token_file_that_others_may_read_is_told_of(
    engine: OpenBaoEngine, tmp_path: Path, mode: int, *, is_told: bool
) -> None:
    file = tmp_path / ".vault-token"
    file.write_text(ROOT)
    file.chmod(mode)
    environ = {"HOME": str(tmp_path)}
    reached = access(environ, configured(engine.bao.address))
    kv = KeyValue(Client(reached.place, reached.token))
    found = [one.told for one in examined(reached, kv, environ, datetime.now(UTC))]
    assert any(f"chmod 600 {file}" in one for one in found) is is_told
    assert exposed_token_file({**environ, "BAO_TOKEN": ROOT}) is None


def test_a_token_helper_that_prints_without_end_is_stopped(tmp_path: Path) -> None:
    helper = tmp_path / "helper"
    helper.write_text("#!/bin/sh\nexec yes\n")
    helper.chmod(0o700)
    (tmp_path / ".vault").write_text(f'token_helper = "{helper}"\n')
    with pytest.raises(StoreTokenMissing, match="far more than a token"):
        token_of(tmp_path, PATH=os.defpath)


@pytest.mark.parametrize(
    "token", ["hvs.caf\N{LATIN SMALL LETTER E WITH ACUTE}", "a\nX-Evil: b"]
)
def test_what_cannot_be_a_token_is_not_sent_and_not_shown(tmp_path: Path, token: str) -> None:
    with engine_that(says(b"{}")) as address:
        place = Place((address,), "secret", "m3cred")
        with pytest.raises(StoreTokenMissing) as raised:
            Client(place, lambda: token_of(tmp_path, BAO_TOKEN=token)).ask("GET", "sys/health")
        assert token not in str(raised.value)
