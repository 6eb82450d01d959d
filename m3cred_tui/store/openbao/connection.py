"""Connections to a team's store: where it is, what they trust, and why there is none."""

from __future__ import annotations

import errno
import os
import shlex
import socket
import ssl
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from m3cred_tui.model.secret import Secret
from m3cred_tui.store.openbao.problems import StoreNotTrusted, StoreUnreachable
from m3cred_tui.store.problems import plain_reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from m3cred_tui.store.problems import StoreUnusable


_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Pem(NamedTuple):
    """A certificate or a key itself, instead of a file that holds it."""

    text: Secret = Secret("")
    variable: str = ""
    """What gives it: ``BAO_CACERT_BYTES``."""

    def __bool__(self) -> bool:
        return bool(self.text)


_NO_PEM = Pem()


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
    ca_pem: Pem = _NO_PEM
    client_cert_pem: Pem = _NO_PEM
    client_key_pem: Pem = _NO_PEM

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

    @property
    def login(self) -> str:
        """The command that gets a token; ``bao`` knows nothing of m3cred's settings."""
        known = {
            "BAO_ADDR": self.addresses[0],
            "BAO_NAMESPACE": self.namespace,
            "BAO_CACERT": self.ca_file,
        }
        named = (f"{name}={shlex.quote(text)}" for name, text in known.items() if text)
        return " ".join([*named, "bao login"])

    def __str__(self) -> str:
        return f"{self.host} {self.mount}/{self.path}"


def connections(place: Place) -> httpx.HTTPTransport:
    """Return what connects to a store; raises ``StoreNotTrusted`` for a file of no use."""
    from m3cred_tui.store.openbao.wire import transport_over  # noqa: PLC0415 - takes 60 ms

    sockets = [one for one in place.addresses if one.startswith("unix://")]
    uds = sockets[0].removeprefix("unix://") if sockets else None
    return transport_over(_context(place), uds)


def _context(place: Place) -> ssl.SSLContext:
    if not place.has_tls:
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # trusts nobody
    ca = place.ca_pem
    # Comments between the certificates may be in any language.
    pem = ca.text.reveal().encode("ascii", "replace").decode()
    try:
        context = ssl.create_default_context(
            cafile=place.ca_file or None,
            capath=place.ca_path or None,
            cadata=pem or None,
        )
    except OSError as error:
        what, path = "CA file", place.ca_file or place.ca_path
        what, path = ("variable", ca.variable) if ca else (what, path)
        raise _unusable(place, what, path, error, "it has no certificate in PEM") from None
    if place.is_unverified:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if place.client_cert or place.client_cert_pem:
        _show_certificate(context, place)
    return context


def _show_certificate(context: ssl.SSLContext, place: Place) -> None:
    """Make these connections show the client certificate; raises ``StoreNotTrusted``."""
    cert, key = place.client_cert, place.client_key or place.client_cert
    pems = place.client_cert_pem, place.client_key_pem or place.client_cert_pem
    named = (cert, key) if cert else [one.variable for one in pems]
    try:
        with ExitStack() as stack:
            if not cert:
                cert, key = (stack.enter_context(_piped(one.text)) for one in pems)
            # No passphrase is asked for: the terminal may be the app's.
            context.load_cert_chain(cert, key, password=lambda: "")
    except OSError as error:
        both = " and ".join(dict.fromkeys(named))
        told = "they do not belong together, are not PEM, or the key has a passphrase"
        raise _unusable(place, "client certificate", both, error, told) from None


@contextmanager
def _piped(text: Secret) -> Iterator[str]:
    """Yield a path to a text that is on no disk, as OpenSSL takes a path only."""
    content = text.reveal().encode("utf-8", "replace")
    reading, writing = os.pipe()
    try:
        try:
            os.set_blocking(writing, False)
            if os.write(writing, content) < len(content):
                raise OSError(errno.EFBIG, os.strerror(errno.EFBIG))
        finally:
            os.close(writing)
        yield f"/dev/fd/{reading}"
    finally:
        os.close(reading)


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
        if not (place.client_cert or place.client_cert_pem):
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
