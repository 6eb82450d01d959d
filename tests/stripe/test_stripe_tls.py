"""With real certificates, made by the openssl command where there is one."""

import os
import shutil
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.problems import StripeUnreachable

Serve = Callable[..., Awaitable[Any]]
Reply = Callable[..., bytes]

CODE = Secret("ac_123456789")
GOOD = {"stripe_user_id": "acct_1", "livemode": False}
OPENSSL = shutil.which("openssl")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


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
    assert caught.value.reason == "its certificate is not trusted here"
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


async def test_a_stripe_that_speaks_no_tls_gets_neither_key_nor_code(
    serve: Serve, reply: Reply
) -> None:
    stub = await serve(reply(b"", 400), listens=False)
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway(scheme="https").exchange(CODE)
    assert caught.value.reason == "no secure connection could be made"
    assert stub.requests == []


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SSL_CERT_FILE", "/nowhere/ca.pem"),
        ("HTTPS_PROXY", "socks5://127.0.0.1:1"),
        ("HTTPS_PROXY", "gopher://127.0.0.1:1"),
    ],
)
async def test_an_environment_that_cannot_be_used_is_told_of(
    serve: Serve, reply: Reply, monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.delenv("https_proxy", raising=False)
    monkeypatch.setenv(variable, value)
    stub = await serve(reply(GOOD))
    with pytest.raises(StripeUnreachable) as caught:
        await stub.gateway(scheme="https").exchange(CODE)
    assert "environment" in caught.value.reason or "SSL_CERT" in caught.value.reason
    assert stub.connections == 0
