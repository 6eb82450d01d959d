"""Visitors of servers on this computer: a proxy is not asked, and no certificate is read.

httpx would read those of every authority for each client: 20 ms of CPU.
"""

import ssl
from typing import Any

import httpx

_NO_AUTHORITY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def visitor(**named: Any) -> httpx.Client:
    """Return a client that takes what httpx's does."""
    return httpx.Client(verify=_NO_AUTHORITY, trust_env=False, **named)


def async_visitor(**named: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(verify=_NO_AUTHORITY, trust_env=False, **named)


def get(url: str, **named: Any) -> httpx.Response:
    """Ask once, as :func:`httpx.get` does."""
    return httpx.get(url, verify=_NO_AUTHORITY, trust_env=False, **named)
