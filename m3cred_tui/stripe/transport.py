"""One HTTP request, sent at most once; imports httpx, so it is itself imported late."""

import asyncio
import base64
import os
import socket
import ssl
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import urlsplit

import httpx

from m3cred_tui.model.secret import Secret
from m3cred_tui.stripe.gateway import LostError, NotSentError, Reply, Request

MOST_BYTES = 256 * 1024
"""Stripe's replies to m3cred are a few kilobytes long."""

_LONGEST_CONNECT = 10.0
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
    (ssl.SSLCertVerificationError, "its certificate is not trusted here"),
    (ssl.SSLError, "no secure connection could be made"),
    (ConnectionRefusedError, "it refused the connection"),
)


async def send(request: Request, *, time_limit: float) -> Reply:
    """Send the request once, following no redirect, and return the reply.

    Raises :class:`NotSentError` if certainly nothing was sent, otherwise :class:`LostError`.
    """
    # In a thread, because reading the certificate authorities first takes some 90 ms.
    client = await asyncio.to_thread(_client, request.url, time_limit)
    try:
        async with asyncio.timeout(time_limit), client:
            return await _send(client, request)
    except _NOTHING_SENT as error:
        raise NotSentError(_reason(error)) from None
    except (httpx.HTTPError, httpx.StreamError) as error:
        raise LostError(_reason(error)) from None
    except TimeoutError:
        raise LostError(f"it took longer than {time_limit:g} seconds") from None


async def _send(client: httpx.AsyncClient, request: Request) -> Reply:
    headers = {
        **request.headers,
        "Authorization": _authorization(request),
        "Accept-Encoding": "identity",  # so that the limit below also limits memory
        "User-Agent": "m3cred",
    }
    form = {name: _text(value) for name, value in request.form.items()}
    async with client.stream(
        request.method, request.url, headers=headers, data=form or None
    ) as response:
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MOST_BYTES:
                raise LostError(f"it is longer than {MOST_BYTES // 1024} KiB")
        return Reply(response.status_code, bytes(body))


def _authorization(request: Request) -> str:
    key = request.key.reveal()
    if request.basic:
        return f"Basic {base64.b64encode(f'{key}:'.encode()).decode()}"
    return f"Bearer {key}"


def _text(value: Secret | str) -> str:
    return value.reveal() if isinstance(value, Secret) else value


def _client(url: str, time_limit: float) -> httpx.AsyncClient:
    timeout = httpx.Timeout(time_limit, connect=min(_LONGEST_CONNECT, time_limit / 3))
    if urlsplit(url).scheme == "http":
        # Loopback, which no network proxy can reach. This context trusts nobody.
        nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        return httpx.AsyncClient(verify=nobody, trust_env=False, timeout=timeout)
    try:
        return httpx.AsyncClient(
            verify=_trusted(*map(os.environ.get, _CERTIFICATES)), timeout=timeout
        )
    except OSError:
        raise NotSentError(
            "the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read"
        ) from None
    except (ImportError, ValueError, httpx.InvalidURL):
        raise NotSentError("the proxy that the environment names cannot be used") from None


@lru_cache(maxsize=4)
def _trusted(_file: str | None, _directory: str | None) -> ssl.SSLContext:
    """Return what httpx trusts for these values of the two variables."""
    return httpx.create_ssl_context()


def _reason(error: Exception) -> str:
    """Return a plain reason for the failure, which httpx's own message seldom gives."""
    for cause in _causes(error):
        for kind, reason in _REASONS:
            if isinstance(cause, kind):
                return reason
    return "the connection failed"


def _causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    if isinstance(error, BaseExceptionGroup):  # one for each address tried
        for member in error.exceptions:
            yield from _causes(member)
    elif below := error.__cause__ or error.__context__:
        yield from _causes(below)
