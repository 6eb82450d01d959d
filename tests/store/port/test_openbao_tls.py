"""TLS to a real OpenBao: what is trusted, and what each certificate that is not is told as."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, NamedTuple

import pytest

from m3cred_tui.cli.team import store_setup, team_access
from m3cred_tui.config.locations import Locations
from m3cred_tui.store.openbao.access import Configured, Value, access
from m3cred_tui.store.openbao.client import Client
from m3cred_tui.store.openbao.problems import StoreNonsense, StoreNotTrusted
from tests.ports import free_port
from tests.store.port import bao
from tests.store.port.certificates import Authority, Pair

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.long, pytest.mark.timeout(120)]

_LISTENER = """
listener "tcp" {{
  address = "127.0.0.1:{port}"
  tls_cert_file = "{certificate}"
  tls_key_file = "{key}"
  {more}
}}
"""


class Listeners(NamedTuple):
    """One engine, reached by several addresses; the authority signs for all of them."""

    ports: dict[str, int]
    plain: str
    authority: Authority
    stranger: Authority
    own: dict[str, Pair]
    """Certificates of clients."""

    def environ(self, listener: str, **more: str | Path) -> dict[str, str]:
        """Return the variables of somebody who trusts the authority."""
        port = self.ports[listener]
        named = {"BAO_ADDR": f"https://127.0.0.1:{port}", "BAO_TOKEN": bao.ROOT}
        trusted = {"BAO_CACERT": self.authority.certificate}
        return {
            name: str(value) for name, value in {**named, **trusted, **more}.items() if value
        }

    def client(self, name: str) -> dict[str, str | Path]:
        pair = self.own[name]
        return {"BAO_CLIENT_CERT": pair.certificate, "BAO_CLIENT_KEY": pair.key}


@pytest.fixture(scope="module")
def listeners(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Listeners]:
    folder = tmp_path_factory.mktemp("tls")
    authority, stranger = Authority(folder / "ours"), Authority(folder / "other")
    served = {
        "good": authority.signed("good"),
        "expired": authority.signed("expired", is_expired=True),
        "elsewhere": authority.signed("elsewhere", "DNS:bao.example.com"),
        "mutual": authority.signed("mutual"),
    }
    own = {
        "ann": authority.signed("ann"),
        "bea": authority.signed("bea", is_expired=True),
        "eve": stranger.signed("eve"),
    }
    ports = {name: free_port() for name in served}
    verified = 'tls_require_and_verify_client_cert = true\n  tls_client_ca_file = "{}"'
    configuration = "".join(
        _LISTENER.format(
            port=ports[name],
            **pair._asdict(),
            more=verified.format(authority.certificate) if name == "mutual" else "",
        )
        for name, pair in served.items()
    )
    with bao.started(folder, configuration) as server:
        yield Listeners(ports, server.address, authority, stranger, own)


def refused(environ: dict[str, str]) -> str:
    """Return why a connection is not trusted; empty if the engine answers."""
    unset = Value("", "")
    address, ca = environ.pop("BAO_ADDR"), environ.pop("BAO_CACERT", "")
    configured = Configured(
        Value(address, ""), Value("secret", ""), Value("m3cred", ""), unset, Value(ca, "")
    )
    reached = access(environ, configured)
    try:
        Client(reached.place, reached.token).ask("GET", "auth/token/lookup-self")
    except (StoreNotTrusted, StoreNonsense) as problem:
        return str(problem.reason)
    return ""


def test_a_server_whose_certificate_is_in_order_is_trusted(listeners: Listeners) -> None:
    assert refused(listeners.environ("good")) == ""


def test_each_certificate_that_is_not_in_order_is_told_apart(listeners: Listeners) -> None:
    at = listeners.environ
    stranger = listeners.stranger.certificate
    assert refused(at("expired")).startswith("its certificate has expired")
    assert refused(at("elsewhere")) == "its certificate is for another host"
    assert "no known authority" in refused(at("good", BAO_CACERT=stranger))
    assert "no known authority" in refused(at("good", BAO_CACERT=""))


def test_a_name_for_the_certificate_may_be_given(listeners: Listeners) -> None:
    named = {"BAO_TLS_SERVER_NAME": "bao.example.com"}
    assert refused(listeners.environ("elsewhere", **named)) == ""
    assert "another host" in refused(listeners.environ("good", **named))


def test_a_client_shows_its_certificate_where_the_engine_wants_one(
    listeners: Listeners,
) -> None:
    assert refused(listeners.environ("mutual", **listeners.client("ann"))) == ""
    assert "wants a client certificate" in refused(listeners.environ("mutual"))
    for other in ("bea", "eve"):
        told = refused(listeners.environ("mutual", **listeners.client(other)))
        assert told == "it does not accept the client certificate"


def with_pem(variables: dict[str, Path]) -> dict[str, str]:
    """Return variables that name a file, or have its content where they end in _BYTES."""
    return {
        name: path.read_text() if name.endswith("_BYTES") else str(path)
        for name, path in variables.items()
    }


@pytest.mark.parametrize("prefix", ["BAO_", "VAULT_"])
def test_a_certificate_or_key_in_a_variable_counts_where_it_does_for_bao_itself(
    listeners: Listeners, tmp_path: Path, prefix: str
) -> None:
    ours, other = listeners.authority.certificate, listeners.stranger.certificate
    ann, eve, none = listeners.own["ann"], listeners.own["eve"], tmp_path / "none"
    none.write_text("no PEM")
    folder = tmp_path / "folder"
    folder.mkdir()
    cert, key = f"{prefix}CLIENT_CERT", f"{prefix}CLIENT_KEY"
    of_ann = {f"{cert}_BYTES": ann.certificate, f"{key}_BYTES": ann.key}
    of_eve = {f"{cert}_BYTES": eve.certificate, f"{key}_BYTES": eve.key}
    trusted = {f"{prefix}CACERT_BYTES": ours}
    cases: list[tuple[str, dict[str, Path], bool]] = [
        ("good", trusted, True),
        ("good", {f"{prefix}CACERT_BYTES": other}, False),
        ("good", {f"{prefix}CACERT_BYTES": none}, False),
        ("good", {f"{prefix}CACERT": other, **trusted}, False),
        ("good", {f"{prefix}CACERT": ours, f"{prefix}CACERT_BYTES": other}, True),
        ("good", {f"{prefix}CAPATH": folder, **trusted}, False),
        ("good", {"BAO_CACERT_BYTES": other, "VAULT_CACERT_BYTES": ours}, False),
        ("mutual", trusted, False),
        ("mutual", trusted | of_ann, True),
        ("mutual", trusted | of_eve, False),
        ("mutual", trusted | of_ann | {f"{key}_BYTES": eve.key}, False),
        ("mutual", trusted | of_ann | {cert: eve.certificate, key: eve.key}, False),
        ("mutual", trusted | of_eve | {cert: ann.certificate, key: ann.key}, True),
    ]
    for listener, variables, is_trusted in cases:
        environ = listeners.environ(listener, BAO_CACERT="") | with_pem(variables)
        assert is_reached(environ, tmp_path) is is_trusted, (listener, sorted(variables))
        status = [bao.program(), "status"]
        ended = subprocess.run(
            status, env=environ, check=False, capture_output=True, timeout=30
        )
        assert (ended.returncode == 0) is is_trusted, (listener, sorted(variables))


def is_reached(environ: dict[str, str], home: Path) -> bool:
    """Return whether the engine is reached as the command line does it."""
    places = Locations(home / "data", home / "config" / "identity.txt", home / "log")
    reached = team_access(store_setup(places, environ), environ)
    try:
        Client(reached.place, reached.token).ask("GET", "auth/token/lookup-self")
    except StoreNotTrusted:
        return False
    return True


def test_what_a_certificate_in_a_variable_is_comes_without_its_text(
    listeners: Listeners, tmp_path: Path
) -> None:
    ann = listeners.own["ann"]
    of_ann = {
        "BAO_CACERT_BYTES": listeners.authority.certificate,
        "VAULT_CLIENT_CERT_BYTES": ann.certificate,
        "VAULT_CLIENT_KEY_BYTES": ann.key,
    }
    environ = listeners.environ("mutual", BAO_CACERT="") | with_pem(of_ann)
    told = "certificates in PEM (BAO_CACERT_BYTES); it is shown a certificate in PEM"
    assert findings(environ, tmp_path)[1] == (
        f"ok: Its certificate is trusted by {told} (VAULT_CLIENT_CERT_BYTES)."
    )
    shown = run(environ, tmp_path, "store").stdout + run(environ, tmp_path, "config").stdout
    assert "  ca_file       certificates in PEM  (BAO_CACERT_BYTES)\n" in shown
    assert "  client_key    a key in PEM  (VAULT_CLIENT_KEY_BYTES)\n" in shown
    assert "BEGIN" not in shown
    wrong = run(environ | {"VAULT_CLIENT_KEY_BYTES": "canary"}, tmp_path, "list")
    assert "VAULT_CLIENT_CERT_BYTES and VAULT_CLIENT_KEY_BYTES cannot be used" in wrong.stderr
    assert "canary" not in wrong.stderr
    wrong = run(environ | {"BAO_CACERT_BYTES": "caf\u00e9"}, tmp_path, "list")
    assert "the variable BAO_CACERT_BYTES cannot be used: it has no certificate" in wrong.stderr


def run(
    environ: dict[str, str], home: Path, *arguments: str
) -> subprocess.CompletedProcess[str]:
    directories = {f"XDG_{kind}_HOME": str(home / kind) for kind in ("DATA", "CONFIG", "STATE")}
    team = {"HOME": str(home), "PATH": os.environ["PATH"], "M3CRED_STORE_ENGINE": "openbao"}
    return subprocess.run(
        [sys.executable, "-m", "m3cred_tui", *arguments],
        env={**directories, **team, **environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def findings(environ: dict[str, str], home: Path) -> list[str]:
    """Return what doctor says of the team's store."""
    found = json.loads(run(environ, home, "doctor", "--json").stdout)["findings"]
    return [f"{one['state']}: {one['told']}" for one in found if one["area"] == "team's store"]


def test_the_command_line_and_doctor_say_it_in_one_sentence(
    listeners: Listeners, tmp_path: Path
) -> None:
    for listener, told in {
        "expired": "its certificate has expired",
        "elsewhere": "its certificate is for another host",
        "mutual": "it wants a client certificate",
    }.items():
        environ = listeners.environ(listener)
        ended = run(environ, tmp_path, "list")
        assert ended.returncode == 1
        [line] = ended.stderr.splitlines()
        assert "is not secure: " + told in line
        [found] = findings(environ, tmp_path)
        assert found.startswith("mend: ")
        assert told in found
    environ = listeners.environ("mutual", **listeners.client("ann"))
    assert run(environ, tmp_path, "list").returncode == 0
    certificate = findings(environ, tmp_path)[1]
    ca, own = environ["BAO_CACERT"], environ["BAO_CLIENT_CERT"]
    told = f"trusted by {ca} (BAO_CACERT); it is shown {own} (BAO_CLIENT_CERT)."
    assert certificate == f"ok: Its certificate is {told}"


def test_a_certificate_that_is_not_checked_is_never_silent(
    listeners: Listeners, tmp_path: Path
) -> None:
    environ = listeners.environ("elsewhere", VAULT_SKIP_VERIFY="true")
    warning = (
        "By VAULT_SKIP_VERIFY, its certificate is not checked: anybody on the way can read the "
        "token and the credentials."
    )
    ended = run(environ, tmp_path, "list", "--json")
    assert (ended.returncode, ended.stderr) == (0, f"m3cred: {warning}\n")
    assert (
        "secret/m3cred, its certificate is not checked"
        in run(environ, tmp_path, "store").stdout
    )
    assert findings(environ, tmp_path)[0] == f"mend: {warning}"
    for other in ("false", "0", "yes"):  # bao itself refuses the last
        environ = listeners.environ("elsewhere", BAO_SKIP_VERIFY=other)
        assert run(environ, tmp_path, "list").returncode == 1


def test_a_token_in_clear_to_another_computer_is_never_silent(tmp_path: Path) -> None:
    environ = {"BAO_ADDR": "http://bao.invalid:8200", "BAO_TOKEN": "hvs.canary"}
    warning, problem = run(environ, tmp_path, "list").stderr.splitlines()
    assert warning.startswith("m3cred: By BAO_ADDR, it is not encrypted: ")
    assert "cannot be reached" in problem


def test_a_file_of_no_use_is_named(listeners: Listeners, tmp_path: Path) -> None:
    at, ann = listeners.environ, listeners.own["ann"]
    none, text, sealed = tmp_path / "none", tmp_path / "text", tmp_path / "sealed"
    text.write_text("no certificate")
    encrypt = ("openssl", "ec", "-in", ann.key, "-aes256", "-passout", "pass:x", "-out", sealed)
    subprocess.run(encrypt, check=True, capture_output=True)
    told = f"the CA file {none} cannot be used: it is not there"
    assert refused(at("good", BAO_CACERT=none)) == told
    assert "has no certificate in PEM" in refused(at("good", BAO_CACERT=text))
    for key in (text, sealed, listeners.own["eve"].key):
        mine = {"BAO_CLIENT_CERT": ann.certificate, "BAO_CLIENT_KEY": key}
        told = refused(at("mutual", **mine))
        assert told.startswith(f"the client certificate {ann.certificate} and {key} cannot be")
        assert "the key has a passphrase" in told
    mine = {"BAO_CLIENT_CERT": none, "BAO_CLIENT_KEY": ann.key}
    assert refused(at("mutual", **mine)).endswith("it is not there")


def test_an_address_with_the_wrong_scheme_says_so(listeners: Listeners) -> None:
    plain = listeners.plain.replace("http://", "https://")
    assert "may begin with http://" in refused(listeners.environ("good", BAO_ADDR=plain))
    tls = f"http://127.0.0.1:{listeners.ports['good']}"
    assert "may begin with https://" in refused(listeners.environ("good", BAO_ADDR=tls))
