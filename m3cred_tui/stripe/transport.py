"""One HTTP request, sent at most once; imports httpx, so it is itself imported late."""

import asyncio
import os
import socket
import ssl
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.gateway import (
    LostError,
    MisconfiguredError,
    NotSentError,
    Reply,
    Request,
)

MOST_BYTES = 256 * 1024
"""Stripe's replies to m3cred are a few kilobytes long."""

_LONGEST_CONNECT = 10.0
_LAST_PORT = 65_535
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")
# ProxyError: the proxy refused the tunnel that the request would have gone through.
_NOTHING_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)
_REASONS: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.ConnectTimeout, "it did not answer in time"),
    (httpx.TimeoutException, "it stopped answering"),
    (httpx.ProxyError, "the proxy refused"),
    (httpx.RemoteProtocolError, "it broke off or did not speak HTTP"),
    (socket.gaierror, "its name cannot be resolved"),
    (
        ssl.SSLCertVerificationError,
        "no certificate authority of this computer vouches for it; SSL_CERT_FILE can name a "
        "file with another one",
    ),
    (ssl.SSLError, "no secure connection could be made"),
    (ConnectionRefusedError, "it refused the connection"),
)


async def send(request: Request, *, time_limit: float) -> Reply:
    """Send the request once, following no redirect, and return the reply.

    Raises :class:`NotSentError` if certainly nothing was sent, otherwise :class:`LostError`.
    """
    # In a thread, because reading the certificate authorities first takes some 90 ms.
    client, proxy = await asyncio.to_thread(_client, request.url, time_limit)
    by = f" (through the proxy {proxy.url.netloc.decode()})" if proxy else ""
    try:
        async with _limited(time_limit), client:
            return await _send(client, request)
    except _NOTHING_SENT as error:
        raise NotSentError(f"{_reason(error)}{by}") from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise LostError(f"{_reason(error)}{by}") from None
    except TimeoutError:
        raise LostError(f"it took longer than {time_limit:g} seconds{by}") from None


_STEPS = 10


@asynccontextmanager
async def _limited(seconds: float) -> AsyncIterator[None]:
    """Raise ``TimeoutError`` when the block has had this much time to run.

    While the process is stopped (Ctrl+Z), the clock runs on and the reply comes all the same,
    perhaps with what Stripe gives only once. So that time does not count.
    """
    async with asyncio.timeout(None) as limit:
        running = asyncio.create_task(_run_out(limit, seconds / _STEPS))
        try:
            yield
        finally:
            running.cancel()


async def _run_out(limit: asyncio.Timeout, step: float) -> None:
    time, left = asyncio.get_running_loop().time, _STEPS
    while left:
        due = time() + step
        await asyncio.sleep(step)
        left -= time() - due < step  # otherwise it was stopped, and what came is read first
    limit.reschedule(time())


async def _send(client: httpx.AsyncClient, request: Request) -> Reply:
    key = request.key.reveal()
    headers = {
        **request.headers,
        "Authorization": f"Bearer {key}",  # BasicAuth replaces it
        "Accept-Encoding": "identity",  # so that the limit below also limits memory
        "User-Agent": "m3cred",
    }
    auth = httpx.BasicAuth(key, "") if request.basic else None
    form = {
        name: value.reveal() if isinstance(value, Secret) else value
        for name, value in request.form.items()
    }
    async with client.stream(
        request.method, request.url, headers=headers, data=form or None, auth=auth
    ) as response:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise LostError(f"it is longer than {MOST_BYTES // 1024} KiB")
        return Reply(response.status_code, bytes(body))


def _client(url: str, time_limit: float) -> tuple[httpx.AsyncClient, httpx.Proxy | None]:
    """Return a client for one request, and the proxy that it goes through."""
    # The time limit of the whole is the caller's, which knows when the process was stopped.
    timeout = httpx.Timeout(None, connect=min(_LONGEST_CONNECT, time_limit / 3))
    if urlsplit(url).scheme == "http":
        # Loopback, which no network proxy can reach. This context trusts nobody.
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return httpx.AsyncClient(verify=nobody, trust_env=False, timeout=timeout), None
    try:
        trusted = _trusted(*map(os.environ.get, _CERTIFICATES))
    except OSError:
        raise MisconfiguredError(
            "the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read"
        ) from None
    # Not httpx's reading of the environment, which takes no IPv6 network in NO_PROXY.
    proxy = _proxy_for(url)
    client = httpx.AsyncClient(verify=trusted, proxy=proxy, trust_env=False, timeout=timeout)
    return client, proxy


@lru_cache(maxsize=4)
def _trusted(file: str | None, directory: str | None) -> ssl.SSLContext:
    """Return a context with the system's certificate authorities, or those that are named.

    ``file`` and ``directory`` are OpenSSL's two variables. Raises ``OSError``.
    """
    # Or OpenSSL would ignore what is wrong. It takes several directories, and one is enough.
    if file:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(file)
    if directory and not any(map(os.path.isdir, directory.split(os.pathsep))):
        raise NotADirectoryError(directory)
    if sys.platform == "linux" and ssl.get_default_verify_paths().cafile:
        return ssl.create_default_context()
    import truststore  # noqa: PLC0415 - macOS, and a Python that was built for another Linux

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def _proxy_for(url: str) -> httpx.Proxy | None:
    """Return the proxy that the environment, or on macOS the system, names for an address."""
    host = urlsplit(url).hostname or ""
    found = getproxies()
    named = found.get("https") or found.get("all")
    if not named or proxy_bypass(host) or _is_in_network(host, found.get("no", "")):
        return None
    scheme, separator, _ = named.partition("://")
    if separator and scheme.startswith("socks"):
        raise MisconfiguredError(
            "HTTPS_PROXY or ALL_PROXY names a SOCKS proxy; m3cred supports only HTTP proxies"
        )
    with suppress(ValueError, httpx.InvalidURL):
        proxy = httpx.Proxy(named if separator else f"http://{named}")
        if proxy.url.host and (proxy.url.port or 0) <= _LAST_PORT:
            return proxy
    raise MisconfiguredError("HTTPS_PROXY or ALL_PROXY names no HTTP proxy")


def _is_in_network(host: str, exceptions: str) -> bool:
    """Return whether NO_PROXY has this IP address, or its network, as curl takes it."""
    with suppress(ValueError):
        address = ip_address(host)
        for word in exceptions.split(","):
            with suppress(ValueError):
                if address in ip_network(word.strip().strip("[]"), strict=False):
                    return True
    return False


def _reason(error: Exception) -> str:
    """Return a plain reason for the failure, which httpx's own message seldom gives."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError) and (told := _by_clock(cause)):
            return told
        for kind, reason in _REASONS:
            if isinstance(cause, kind):
                return reason
    return "the connection failed"


_NOT_YET_VALID, _EXPIRED = 9, 10  # <openssl/x509_vfy.h>


def _by_clock(error: ssl.SSLCertVerificationError) -> str | None:
    """Return the reason where a certificate is not valid at this computer's time."""
    told = {_NOT_YET_VALID: "is not valid yet", _EXPIRED: "has expired"}.get(error.verify_code)
    return told and (
        f"its certificate {told}, or this computer's clock is wrong: it says "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    if isinstance(error, BaseExceptionGroup):  # one for each address tried
        for member in error.exceptions:
            yield from _causes(member)
    elif below := error.__cause__ or error.__context__:
        yield from _causes(below)
