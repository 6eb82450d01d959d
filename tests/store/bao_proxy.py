"""What may happen between m3cred and an engine: a proxy that fails at a chosen request."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Fault(Enum):
    """What becomes of one request."""

    REFUSED = "refused"
    """The connection is closed before the engine hears of it."""
    CUT = "cut"
    """The engine acts, and the connection is closed without an answer."""
    HALF = "half"
    """The engine acts, and half of its answer arrives."""
    HELD = "held"
    """The engine acts, and no answer arrives in time."""
    STATUS_500 = "500"
    STATUS_503 = "503"
    STATUS_429 = "429"
    NONSENSE = "nonsense"
    """A page of HTML in its place."""
    GONE = "gone"
    """As :attr:`CUT`, and from then on every request is refused."""


_IN_PLACE = {
    Fault.STATUS_500: (500, b'{"errors":["internal error"]}'),
    Fault.STATUS_503: (503, b"<html>Service Unavailable</html>"),
    Fault.STATUS_429: (429, b'{"errors":["request path rate limit quota exceeded"]}'),
    Fault.NONSENSE: (200, b"<!doctype html><title>It works!</title>"),
}
_PASSED_ON = {"content-type", "location", "retry-after", "x-vault-index"}


@dataclass
class Proxy:
    """A proxy before an engine; without a fault it changes nothing."""

    address: str
    fault: Fault | None = None
    at: int = 0
    """Which of the requests from now on the fault befalls."""
    is_vault: bool = False
    """Whether it answers as Vault does where that differs: without detailed lists."""
    seen: list[str] = field(default_factory=list)
    """The method and path of each request since :meth:`expect`."""
    before: Callable[[], None] | None = None
    """Called before the request that the fault would befall is passed on."""
    after: Callable[[], None] | None = None
    """Called once the engine has acted on that request."""
    release: threading.Event = field(default_factory=threading.Event)
    """Ends the wait of what is held."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def expect(self, fault: Fault | None, at: int = 0) -> None:
        """Have the fault befall one of the requests from now on; ``None`` is no fault."""
        self.fault, self.at = fault, at
        self.seen.clear()

    def take(self, line: str) -> tuple[bool, Fault | None]:
        """Take note of a request; return whether it is the chosen one, and what befalls it."""
        with self._lock:
            at = len(self.seen)
            self.seen.append(line)
        if at == self.at:
            return True, self.fault
        return False, Fault.REFUSED if self.fault is Fault.GONE and at > self.at else None


@contextmanager
def proxy_before(engine: str) -> Iterator[Proxy]:
    """Run a proxy before the engine at this address, both on loopback and without TLS."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        proxy = Proxy(f"http://127.0.0.1:{server.server_address[1]}")

        class Bound(_Handler):
            at = proxy
            upstream = urlsplit(engine).netloc

        server.RequestHandlerClass = Bound
        thread = threading.Thread(target=_serve, args=(server, proxy.release))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.release.set()
            socket.create_connection(("127.0.0.1", server.server_port)).close()
            thread.join()


def _serve(server: ThreadingHTTPServer, ended: threading.Event) -> None:
    """Serve until a connection comes after the end: the library's own loop looks and looks."""
    while not ended.is_set():
        server.handle_request()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # or each answer waits 40 ms
    at: ClassVar[Proxy]
    upstream: ClassVar[str]

    def setup(self) -> None:
        super().setup()
        self.engine = HTTPConnection(self.upstream, timeout=30)

    def finish(self) -> None:
        self.engine.close()
        super().finish()

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65_537)
        if not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            self._pass()

    def _pass(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        is_due, fault = self.at.take(f"{self.command} {self.path}")
        if fault is Fault.REFUSED:
            self._cut()
        elif fault in _IN_PLACE:
            self._answer(*_IN_PLACE[fault])
        elif self.at.is_vault and "/detailed-metadata" in self.path:
            self._answer(404, b'{"errors":["unsupported path"]}')
        else:
            self._forward(body, fault, is_due=is_due)

    def _forward(self, body: bytes, fault: Fault | None, *, is_due: bool) -> None:
        headers = {name: value for name, value in self.headers.items() if name != "Host"}
        if is_due and self.at.before:
            self.at.before()
        self.engine.request(self.command, self.path, body, headers)
        reply = self.engine.getresponse()
        answer = reply.read()
        if is_due and self.at.after:
            self.at.after()
        if fault in {Fault.CUT, Fault.GONE}:
            self._cut()
        elif fault is Fault.HELD:
            self.at.release.wait()
            self._cut()
        else:
            kept = {name: value for name in _PASSED_ON if (value := reply.getheader(name))}
            self._answer(reply.status, answer, kept, half=fault is Fault.HALF)

    def _answer(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str] | None = None,
        *,
        half: bool = False,
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            self._cut()

    def _cut(self) -> None:
        self.close_connection = True
        with suppress(OSError):  # the client is gone
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass
