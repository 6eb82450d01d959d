"""TLS and proxies, with real certificates if the openssl command is installed."""

import asyncio
import os
import shutil
import ssl
import subprocess
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from m3cred_tui.model.credential import TokenResponse
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe import transport
from m3cred_tui.stripe.problems import StripeNonsense, StripeUnreachable

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

CODE = Secret("ac_123456789")
GOOD = {"stripe_user_id": "acct_1", "livemode": False}
OPENSSL = shutil.which("openssl")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Make a self-signed certificate for 127.0.0.1, its key in the same file."""
    if OPENSSL is None:
        assert os.environ.get("CI") != "true", "CI installs openssl"
        pytest.skip("needs the openssl command")
    both = tmp_path / "both.pem"
    command = (
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=stub "
        "-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out certificate.pem"
    )
    subprocess.run([OPENSSL, *command.split()], check=True, capture_output=True, cwd=tmp_path)
    parts = [tmp_path / "key.pem", tmp_path / "certificate.pem"]
    both.write_text("".join(part.read_text() for part in parts))
    return both


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


async def test_somebody_between_us_and_stripe_gets_neither_key_nor_code(
    serve: Serve, reply: Reply, tls: ssl.SSLContext
) -> None:
    stub = await serve(reply(GOOD), tls=tls)
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway(scheme="https").exchange(CODE)
    assert caught.value.reason == (
        "no certificate authority of this computer vouches for it; SSL_CERT_FILE can name a "
        "file with another one"
    )
    assert stub.requests == []


async def test_a_company_certificate_named_by_the_environment_is_trusted(
    serve: Serve,
    reply: Reply,
    tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    stub = await serve(reply(GOOD), tls=tls)
    assert (await stub.gateway(scheme="https").exchange(CODE)).account_id == "acct_1"


# The app starts so, and needs TLS only later.
APP = """
import sys
from m3cred_tui.cli.main import import_asyncio
import_asyncio()
assert not [name for name in sys.modules if "ssl" in name and name != "asyncio.sslproto"]
import asyncio
from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.adapters import ConnectGateway
from m3cred_tui.stripe.gateway import Platform
platform = Platform("ca_platform", Secret("sk_test_1"), sys.argv[1], sys.argv[1])
print(asyncio.run(ConnectGateway(platform).exchange(Secret("ac_1"))).account_id)
"""


async def test_the_app_speaks_tls_though_its_asyncio_was_imported_without(
    serve: Serve,
    reply: Reply,
    tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    stub = await serve(reply(GOOD), tls=tls)
    app = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", APP, f"https://{stub.host}"), stdout=asyncio.subprocess.PIPE
    )
    assert (await app.communicate())[0] == b"acct_1\n"


async def test_certificates_may_be_in_several_directories(
    serve: Serve, reply: Reply, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_DIR", f"/nowhere:{certificate.parent}")
    stub = await serve(reply(GOOD), listens=False)
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway(scheme="https").exchange(CODE)
    assert "SSL_CERT" not in caught.value.reason


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("scheme", ["https", "http"])
async def test_a_redirect_takes_neither_key_nor_code_nor_token_anywhere(
    serve: Serve,
    reply: Reply,
    tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    status: int,
    scheme: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    thief = await serve(reply(GOOD), tls=tls if scheme == "https" else None)
    leading_away = reply(b"", status, f"Location: {scheme}://{thief.host}/oauth/token")
    stub = await serve(leading_away, tls=tls)
    connect, apps = stub.gateway(scheme="https"), stub.apps(scheme="https")
    tokens = TokenResponse("acct_1", False, "", refresh_token=Secret("rt_1"))
    for call in (
        connect.exchange(CODE),
        connect.account("acct_1", livemode=False),
        connect.deauthorize("acct_1"),
        apps.exchange(CODE),
        apps.account("acct_1", livemode=False, access_token=Secret("rk_1")),
        apps.refresh(tokens, "key"),
    ):
        with pytest.raises(StripeNonsense, match=f"status {status}"):
            await call
    await connect.reach()  # which sends no secret
    assert thief.connections == 0
    assert len(stub.requests) == 7


async def test_a_stripe_that_speaks_no_tls_gets_neither_key_nor_code(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply(b"", 400), listens=False)
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway(scheme="https").exchange(CODE)
    assert caught.value.reason == "no secure connection could be made"
    assert stub.requests == []


CANNOT_BE_READ = "<the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read>"


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("SSL_CERT_FILE", "/nowhere/ca.pem", CANNOT_BE_READ),
        ("SSL_CERT_FILE", __file__, CANNOT_BE_READ),
        ("SSL_CERT_FILE", "/", CANNOT_BE_READ),
        ("SSL_CERT_DIR", "/nowhere", CANNOT_BE_READ),
        ("SSL_CERT_DIR", __file__, CANNOT_BE_READ),
        (
            "HTTPS_PROXY",
            "socks5://127.0.0.1:1",
            "names a SOCKS proxy; m3cred supports only HTTP",
        ),
        (
            "ALL_PROXY",
            "socks5h://127.0.0.1:1",
            "names a SOCKS proxy; m3cred supports only HTTP",
        ),
        ("HTTPS_PROXY", "gopher://127.0.0.1:1", "HTTPS_PROXY or ALL_PROXY names no HTTP proxy"),
        ("HTTPS_PROXY", "http://127.0.0.1:x", "HTTPS_PROXY or ALL_PROXY names no HTTP proxy"),
        ("HTTPS_PROXY", "http://127.0.0.1:65536", "ALL_PROXY names no HTTP proxy"),
        ("HTTPS_PROXY", ":", "HTTPS_PROXY or ALL_PROXY names no HTTP proxy"),
    ],
)
async def test_an_unusable_environment_is_reported(
    serve: Serve,
    reply: Reply,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    told: str,
) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv(variable, value)
    stub = await serve(reply(GOOD))
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway(scheme="https").exchange(CODE)
    assert told in f"<{caught.value.reason}>"
    assert stub.connections == 0


@pytest.mark.parametrize(
    "exceptions",
    [
        "127.0.0.0/8",
        "127.0.0.1/8",
        "nowhere.example, 10.0.0.0/8,127.0.0.0/8",
        "10.0.0.0/8,fd00::/8, 127.0.0.1 ,[::1]",
        "*",
        "[127.0.0.1]",
        "127.0.0.1",
    ],
)
async def test_no_proxy_is_asked_for_what_no_proxy_names(
    serve: Serve,
    reply: Reply,
    tls: ssl.SSLContext,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    exceptions: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    stub = await serve(reply(GOOD), tls=tls)
    monkeypatch.setenv("no_proxy", exceptions)
    assert (await stub.gateway(scheme="https").exchange(CODE)).account_id == "acct_1"


@pytest.mark.parametrize("exceptions", ["", "fd00::/8", "10.0.0.0/8,[fd00::1]", "]", "::/x"])
async def test_a_proxy_that_fails_is_the_one_that_is_blamed(
    serve: Serve, reply: Reply, monkeypatch: pytest.MonkeyPatch, exceptions: str
) -> None:
    monkeypatch.setenv("https_proxy", "127.0.0.1:1")
    monkeypatch.setenv("no_proxy", exceptions)
    monkeypatch.setenv("NO_PROXY", exceptions)
    stub = await serve(reply(GOOD))
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway(scheme="https").exchange(CODE)
    assert caught.value.reason == ("it refused the connection (through the proxy 127.0.0.1:1)")
    assert stub.connections == 0


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [
        (
            "20200101000000Z",
            "20200201000000Z",
            "its certificate has expired, or this",
        ),
        (
            "20990101000000Z",
            "20990201000000Z",
            "its certificate is not valid yet, or this",
        ),
    ],
)
async def test_a_certificate_not_valid_now_is_reported_with_this_computers_time(
    serve: Serve,
    reply: Reply,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    begins: str,
    ends: str,
    told: str,
) -> None:
    both = valid_between(begins, ends, tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(both)
    monkeypatch.setenv("SSL_CERT_FILE", str(both))
    stub = await serve(reply(GOOD), tls=context)
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway(scheme="https").exchange(CODE)
    assert told in caught.value.reason
    assert f"{datetime.now(UTC):%Y-%m-%d}" in caught.value.reason


def valid_between(begins: str, ends: str, place: Path) -> Path:
    """Make a self-signed certificate for 127.0.0.1, its key in the same file."""
    if OPENSSL is None:
        assert os.environ.get("CI") != "true", "CI installs openssl"
        pytest.skip("needs the openssl command")
    (place / "ca.cnf").write_text(CA)
    (place / "index.txt").touch()
    (place / "serial").write_text("01")
    request = "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=stub "
    signing = f"ca -batch -selfsign -notext -startdate {begins} -enddate {ends} -config ca.cnf "
    for command in (
        f"{request} -keyout key.pem -out request.pem",
        f"{signing} -keyfile key.pem -in request.pem -out certificate.pem",
    ):
        subprocess.run([OPENSSL, *command.split()], check=True, capture_output=True, cwd=place)
    both = place / "both.pem"
    both.write_text((place / "key.pem").read_text() + (place / "certificate.pem").read_text())
    return both


CA = """
[ca]
default_ca = here
[here]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = names
x509_extensions = extensions
[names]
commonName = supplied
[extensions]
subjectAltName = IP:127.0.0.1
"""


@pytest.mark.skipif(sys.platform != "linux", reason="macOS keeps them in no file")
def test_the_certificate_authorities_are_those_of_the_system() -> None:
    """An administrator adds a company's to that file (update-ca-certificates)."""
    file = ssl.get_default_verify_paths().cafile
    if file is None:
        pytest.skip("this Python was built for another system, or there are none")
    trusted = transport._trusted(None, None)
    assert trusted.cert_store_stats()["x509"] == Path(file).read_text().count("BEGIN CERT")
