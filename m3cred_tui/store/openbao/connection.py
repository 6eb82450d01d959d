"""Connections to a team's store: where it is, what they trust, and why there is none."""

from __future__ import annotations

import os
import socket
import ssl
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.store.openbao.problems import StoreNotTrusted, StoreUnreachable
from m3cred_tui.store.problems import plain_reason

if TYPE_CHECKING:
    import httpx

    from m3cred_tui.store.problems import StoreUnusable


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Place(NamedTuple):
    """Where a team's store is, and how to reach it."""

    addresses: tuple[str, ...]
    """Of the nodes or whatever is in front of them: ``https://…``, ``unix:///…``."""
    mount: str
    path: str
    namespace: str = ""
    ca_file: str = ""
    ca_path: str = ""
    client_cert: str = ""
    client_key: str = ""
    server_name: str = ""
    is_unverified: bool = False
    """Whether any certificate is accepted, as ``BAO_SKIP_VERIFY`` asks for."""

    @property
    def has_tls(self) -> bool:
        """Whether there is a certificate at all."""
        return any(one.startswith("https://") for one in self.addresses)

    @property
    def weakness(self) -> str:
        """What lets others on the way read the token, in words; empty if nothing does.

        The settings take no such address, but the variables of other tools may have one.
        """
        if self.is_unverified:
            return "its certificate is not checked"
        hosts = (urlsplit(one).hostname for one in self.addresses if one.startswith("http://"))
        return "it is not encrypted" if any(one not in _LOOPBACK for one in hosts) else ""

    @property
    def host(self) -> str:
        """The first address without its scheme."""
        return self.addresses[0].partition("://")[2]

    def __str__(self) -> str:
        return f"{self.host} {self.mount}/{self.path}"


def connections(place: Place) -> httpx.Client:
    """Return what connects to a store; raises ``StoreNotTrusted`` for a file of no use."""
    import httpx  # noqa: PLC0415 - takes 60 ms

    from m3cred_tui.store.openbao.wire import transport_over  # noqa: PLC0415 - the same

    sockets = [one for one in place.addresses if one.startswith("unix://")]
    uds = sockets[0].removeprefix("unix://") if sockets else None
    transport = transport_over(_context(place), uds)
    return httpx.Client(transport=transport, trust_env=False, follow_redirects=False)


def _context(place: Place) -> ssl.SSLContext:
    if not place.has_tls:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
    try:
        context = ssl.create_default_context(
            cafile=place.ca_file or None, capath=place.ca_path or None
        )
    except OSError as error:
        path = place.ca_file or place.ca_path
        raise _unusable(place, "CA file", path, error, "it has no certificate in PEM") from None
    if place.is_unverified:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if place.client_cert:
        key = place.client_key or place.client_cert
        try:
            # No passphrase is asked for: the terminal may be the app's.
            context.load_cert_chain(place.client_cert, key, password=lambda: "")
        except OSError as error:
            both = " and ".join(dict.fromkeys((place.client_cert, key)))
            told = "they do not belong together, are not PEM, or the key has a passphrase"
            raise _unusable(place, "client certificate", both, error, told) from None
    return context


def _unusable(place: Place, what: str, path: str, error: OSError, told: str) -> StoreNotTrusted:
    reason = told if isinstance(error, ssl.SSLError) else plain_reason(error)
    return StoreNotTrusted(str(place), f"the {what} {path} cannot be used: {reason}")


def probe(address: str) -> None:
    """Raise ``OSError`` if nothing listens at ``unix://…``.

    httpcore would leave its socket open, one more at each attempt.
    """
    with socket.socket(socket.AF_UNIX) as unix:
        unix.settimeout(_PROBED)
        unix.connect(address.removeprefix("unix://"))


_PROBED = 3.0
"""Seconds; a local connection waits only while the other side's queue is full."""


def unreachable(place: Place, error: Exception) -> StoreUnusable:
    """Return what keeps a request from being answered."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = _BY_CODE.get(cause.verify_code, "its certificate is not trusted here")
            return StoreNotTrusted(str(place), reason)
        if isinstance(cause, ssl.SSLError):
            return StoreNotTrusted(str(place), _refusal(place, cause.reason or ""))
    return StoreUnreachable(str(place), _reason(error))


_BY_CODE = {
    9: "its certificate is not valid yet, or this computer's clock is wrong",
    10: "its certificate has expired, or this computer's clock is wrong",
    18: "its certificate is self-signed; store.ca_file can name the file to trust",
    19: "no known authority has signed its certificate; store.ca_file can name one",
    20: "no known authority has signed its certificate; store.ca_file can name one",
    62: "its certificate is for another host",
    64: "its certificate is for another host",
}


def _refusal(place: Place, reason: str) -> str:
    """Return what an error of TLS means, by OpenSSL's name for it."""
    if "ALERT" in reason and any(one in reason for one in _OF_CLIENTS):
        if not place.client_cert:
            return "it wants a client certificate; BAO_CLIENT_CERT and BAO_CLIENT_KEY name one"
        return "it does not accept the client certificate"
    if reason in {"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST"}:
        return "it does not speak TLS; its address may begin with http://"
    return "it does not speak TLS as expected"


_OF_CLIENTS = "CERTIFICATE", "UNKNOWN_CA", "ACCESS_DENIED", "HANDSHAKE_FAILURE"


def _causes(error: BaseException) -> list[BaseException]:
    found = [error]
    while below := found[-1].__cause__ or found[-1].__context__:
        found.append(below)
    return found


def _reason(error: Exception) -> str:
    """Return why no answer came, in words."""
    import httpx  # noqa: PLC0415 - takes 60 ms

    reasons: tuple[tuple[type[BaseException], str], ...] = (
        (httpx.ConnectTimeout, "it did not answer in time"),
        (httpx.TimeoutException, "it stopped answering"),
        (httpx.RemoteProtocolError, "it broke off or did not speak HTTP"),
        (httpx.UnsupportedProtocol, "store.address is not an address"),
        (socket.gaierror, "its name cannot be resolved"),
        (ConnectionRefusedError, "it refused the connection"),
        (FileNotFoundError, "its socket does not exist"),
    )
    for cause in _causes(error):
        for kind, reason in reasons:
            if isinstance(cause, kind):
                return reason
        if isinstance(cause, OSError) and cause.errno:
            return os.strerror(cause.errno)
    told = str(error).lower()
    if "path too long" in told:
        return "the path of its socket is too long"
    if "refused" in told:
        return "it refused the connection"
    if "name" in told and ("resol" in told or "known" in told):
        return "its name cannot be resolved"
    return "the connection failed"
