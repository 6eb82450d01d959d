"""What attackers send to a callback server, by kind.

They know the state, as nobody should. Where a request has it, something else is wrong with that
request, so that one look too few would let it pass.
"""

from __future__ import annotations

import secrets
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FORGED = "wrong states"

_MUCH = "a" * 40_000
_FROM_ELSEWHERE = "Origin: https://evil.example", "Referer: https://evil.example/"
_NOT_OUR_HOSTS = (
    "evil.example:{port}",
    "127.0.0.1.evil.example:{port}",
    "127.0.0.1:{port}.evil.example",
    "127.0.0.1:{port}@evil.example",
    "localhost.:{port}",
    "127.0.0.1",
    "127.0.0.1:1",
    "0.0.0.0:{port}",
    "[::ffff:127.0.0.1]:{port}",
    "",
)
_TLS_CLIENT_HELLO = bytes.fromhex("160301020001000001fc0303") + bytes(range(256)) * 2


class Aim(NamedTuple):
    """Whom to attack, and the state that is waited for there."""

    port: int
    state: str

    @property
    def redirect(self) -> str:
        """What would be taken for Stripe's, if it came as a browser sends it."""
        return f"/callback?code={_code()}&scope=read_write&state={self.state}"

    def request(self, method: str, target: str, *lines: str, host: str = "") -> bytes:
        first = f"{method} {target} HTTP/1.1", f"Host: {host or f'127.0.0.1:{self.port}'}"
        return "\r\n".join([*first, *lines, "", ""]).encode()


def _code() -> str:
    return f"ac_{secrets.token_hex(12)}"


def wrong_states(aim: Aim) -> Iterator[bytes]:
    ours = aim.state
    near = (
        ours[:-1],
        f"{ours}A",
        ours[1:],
        ours.swapcase(),
        ours[::-1],
        f"{ours}%00",
        f"+{ours}",
    )
    for miss in cycle(near):
        for state in (secrets.token_urlsafe(32), "", miss):
            query = f"code={_code()}&scope=read_write&state={state}"
            yield aim.request("GET", f"/callback?{query}")
        yield aim.request("GET", f"/callback?code={_code()}")


def repeated_parameters(aim: Aim) -> Iterator[bytes]:
    forged = secrets.token_urlsafe(32)
    additions = (
        f"&state={aim.state}",
        f"&state={forged}",
        f"&code={_code()}",
        "&code=",
        "&error=access_denied",
        "&error=",
        "&%73tate=x",
        "&x=" * 40,
        f"&x={'a' * 5000}",
        "&x=%ff",
    )
    for addition in cycle(additions):
        yield aim.request("GET", aim.redirect + addition)


def foreign_hosts(aim: Aim) -> Iterator[bytes]:
    for host in cycle(_NOT_OUR_HOSTS):
        named = host.format(port=aim.port) or " "
        yield aim.request("GET", aim.redirect, host=named)
        yield aim.request("GET", aim.redirect, f"Host: {named}")
        yield aim.request("GET", f"/callback?code={_code()}&state=x", *_FROM_ELSEWHERE)


def errors_without_state(aim: Aim) -> Iterator[bytes]:
    for error in cycle(("access_denied", "server_error", "", "x" * 3000, "%1b[2J")):
        for state in ("", f"&state={secrets.token_urlsafe(32)}", "&state="):
            yield aim.request("GET", f"/callback?error={error}{state}&error_description=no")


def other_methods(aim: Aim) -> Iterator[bytes]:
    asked = "Origin: https://evil.example", "Access-Control-Request-Method: GET"
    private = "Access-Control-Request-Private-Network: true"
    while True:
        yield aim.request("OPTIONS", aim.redirect, *asked, private)
        yield aim.request("OPTIONS", "*", *asked, private)
        for method in ("HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "get", "X" * 300):
            yield aim.request(method, aim.redirect)


def prefetches(aim: Aim) -> Iterator[bytes]:
    headers = (
        "Sec-Purpose: prefetch",
        "Sec-Purpose: prefetch;prerender",
        "Sec-Purpose: prefetch;anonymous-client-ip",
        "Purpose: prefetch",
        "X-Moz: prefetch",
    )
    for header in cycle(headers):
        yield aim.request("GET", aim.redirect, header)


def not_opened(aim: Aim) -> Iterator[bytes]:
    purposes = (
        ("Sec-Fetch-Mode: no-cors", "Sec-Fetch-Dest: image"),
        ("Sec-Fetch-Mode: cors", "Sec-Fetch-Dest: empty"),
        ("Sec-Fetch-Mode: navigate", "Sec-Fetch-Dest: iframe"),
        ("Connection: Upgrade", "Upgrade: websocket"),
    )
    for purpose in cycle(purposes):
        yield aim.request("GET", aim.redirect, *purpose)


def guessed_paths(aim: Aim) -> Iterator[bytes]:
    while True:
        token = secrets.token_urlsafe(9)
        for path in (
            f"/go/{token}",
            "/go/",
            f"/go/{token[:-1]}",
            "/go",
            "/go/%00",
            "/go/../go",
        ):
            yield aim.request("GET", path)
        for path in ("/", "/callback/", "//callback", "/callbac%6b", "/x/../callback"):
            yield aim.request("GET", aim.redirect.replace("/callback", path))
        for path in ("/favicon.ico", "/.git/config", "/json/version"):
            yield aim.request("GET", path)


def oversize(aim: Aim) -> Iterator[bytes]:
    many = ["A: b"] * 101
    while True:
        yield aim.request("GET", f"{aim.redirect}&x={_MUCH}")
        yield aim.request("GET", aim.redirect, f"Cookie: {_MUCH}")
        yield aim.request("GET", aim.redirect, *many)
        yield aim.request("HEAD", aim.redirect, *many)
        yield aim.request("POST", aim.redirect, "Content-Length: 200000") + b"a" * 200_000
        yield aim.request("POST", aim.redirect, "Transfer-Encoding: chunked") + b"f" * 5000


def malformed(aim: Aim) -> Iterator[bytes]:
    target = aim.redirect
    while True:
        yield _TLS_CLIENT_HELLO
        yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
        yield secrets.token_bytes(300) + b"\r\n\r\n"
        yield b"\0" * 200 + b"\r\n\r\n"
        yield f"GET {target}\r\n\r\n".encode()
        yield f"GET {target} HTTP/1.0\r\n\r\n".encode()
        yield f"GET {target} HTTP/1.1\r\n\r\n".encode()
        yield f"GET  {target} HTTP/1.1\r\nHost: 127.0.0.1:{aim.port}\r\n\r\n".encode()
        yield aim.request("GET", target, "no colon")
        yield aim.request("GET", target, "Content-Length: -1")
        yield aim.request("GET", target, "Content-Length: 1", "Content-Length: 2")
        yield aim.request("GET", f"{target}\x1b[2J")
        yield aim.request("GET", f"{target}\N{SNOWMAN}")


def end_pages(aim: Aim) -> Iterator[bytes]:
    while True:
        for path in ("/done", "/done/", f"/done/{secrets.token_hex(16)}"):
            yield aim.request("GET", path)


def held_polls(aim: Aim) -> Iterator[bytes]:
    while True:
        for path in ("/status", "/status/", f"/status/{secrets.token_hex(16)}"):
            yield aim.request("GET", f"{path}?after=999999999&wait=25.000")


REQUESTS: dict[str, Callable[[Aim], Iterator[bytes]]] = {
    FORGED: wrong_states,
    "repeated parameters": repeated_parameters,
    "foreign Host or Origin": foreign_hosts,
    "error without state": errors_without_state,
    "preflights, other methods": other_methods,
    "prefetches": prefetches,
    "images, scripts, frames": not_opened,
    "guessed paths": guessed_paths,
    "oversize": oversize,
    "malformed": malformed,
    "guessed end page": end_pages,
    "guessed status, held": held_polls,
}
"""Each kind that is sent whole, one request after the other."""
