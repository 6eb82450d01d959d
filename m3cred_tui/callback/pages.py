"""The responses to a browser: pages, and their style."""

import base64
import hashlib
import socket
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from string import Template

from m3cred_tui.model.authorization import TurnedAway
from m3cred_tui.model.text import clean


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response; nothing in it comes from a request."""

    status: HTTPStatus
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


STYLE = """
:root { color-scheme: light dark; --ground: #f4f3f8; --card: #fff; --text: #1d1b26;
  --quiet: #5d596b; --line: #dedbe8; --accent: #4f46c8; --good: #17704a; --bad: #a62c2c; }
@media (prefers-color-scheme: dark) { :root { --ground: #14131a; --card: #1e1c27;
  --text: #eceaf4; --quiet: #a8a3b8; --line: #383447; --accent: #aaa3ff; --good: #6fd3a3;
  --bad: #ff9b93; } }
* { box-sizing: border-box; margin: 0; }
body { min-height: 100vh; display: grid; place-items: center; padding: 1.5rem;
  background: var(--ground); color: var(--text);
  font: 1.0625rem/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { width: 100%; max-width: 30rem; padding: 2.5rem; background: var(--card);
  border: 1px solid var(--line); border-top: .25rem solid var(--mark);
  border-radius: .75rem; }
.approved { --mark: var(--good); } .refused { --mark: var(--bad); }
.notice { --mark: var(--accent); }
h1 { margin-bottom: 1rem; font-size: 1.5rem; line-height: 1.25; letter-spacing: -.01em;
  text-wrap: balance; }
h1 span { color: var(--mark); }
p + p { margin-top: .75rem; }
p:last-of-type { color: var(--quiet); font-size: .9375rem; }
kbd { padding: .1rem .45rem; border: 1px solid var(--line); border-bottom-width: 2px;
  border-radius: .3rem; font: .9em ui-monospace, monospace; white-space: nowrap; }
footer { margin-top: 2rem; color: var(--quiet); font-size: .875rem; }
"""


def hash_of(text: str) -> str:
    """Return the source expression that allows an inline text (CSP Level 3, 2.3.1)."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


DOCUMENT = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
$head<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title - m3cred</title>
<style>$style</style>
</head>
<body>
<main class="$kind">
$main
</main>
$end</body>
</html>
""")

_MAIN = """<h1><span aria-hidden="true">{glyph}</span> {title}</h1>
{text}
<footer>m3cred on {host}</footer>"""
_HOST = escape(clean(socket.gethostname()))
"""What tells a page that came through a tunnel from one of the browser's own computer."""

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
    (
        "Content-Security-Policy",
        f"default-src 'none'; style-src '{hash_of(STYLE)}'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
)


def _page(status: HTTPStatus, kind: str, glyph: str, title: str, *paragraphs: str) -> Response:
    """Return a page; ``paragraphs`` are HTML."""
    text = "\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    main = _MAIN.format(glyph=glyph, title=escape(title), text=text, host=_HOST)
    body = DOCUMENT.substitute(
        head="", title=escape(title), style=STYLE, kind=kind, main=main, end=""
    )
    return _response(status, "text/html; charset=utf-8", body)


def _response(status: HTTPStatus, kind: str, body: str, *headers: tuple[str, str]) -> Response:
    return Response(status, body.encode(), (("Content-Type", kind), *_HEADERS, *headers))


APPROVED = _page(
    HTTPStatus.OK,
    "approved",
    "\N{CHECK MARK}",
    "Stripe approved access for m3ter",
    "Go back to your terminal. It shows the Stripe account: check it, then press "
    "<kbd>Enter</kbd> on <strong>Create Credential</strong>.",
    "The credential is created only then. You can close this tab.",
)
REFUSED = _page(
    HTTPStatus.OK,
    "refused",
    "\N{MULTIPLICATION SIGN}",
    "Access was not approved",
    "Go back to your terminal. To try again, press <kbd>Enter</kbd> on "
    "<strong>Go to Stripe</strong> there.",
    "Nothing was saved. You can close this tab.",
)
NOT_EXPECTED = _page(
    HTTPStatus.BAD_REQUEST,
    "notice",
    "?",
    "This address is not expected",
    "It does not belong to the authorization request in your terminal, and it was not used.",
    "Open the URL that your terminal shows now. It is still waiting.",
)
ANOTHER_REQUEST = _page(
    HTTPStatus.NOT_FOUND,
    "notice",
    "?",
    "This short address is not the current one",
    "It belongs to another authorization request, which was answered, was deleted or has "
    "expired, or it is not complete. A request that is resumed keeps its address.",
    "Open the address that your terminal shows now. It is still waiting.",
)


_INSTEAD = (
    "It was not used, and your terminal is still waiting. If you came from Stripe, copy the "
    "whole address from the address bar, and paste it into your terminal."
)
TURNED_AWAY = {
    TurnedAway.NOT_OPENED: _page(
        HTTPStatus.FORBIDDEN,
        "notice",
        "?",
        "This address was not opened as a page",
        "A page, an add-on or a service worker requested it in the background or in a frame. "
        "m3cred takes Stripe's answer only from a page that you open.",
        _INSTEAD,
    ),
    TurnedAway.OTHER_HOST: _page(
        HTTPStatus.FORBIDDEN,
        "notice",
        "?",
        "This address has another name or port",
        "m3cred answers at 127.0.0.1 and at its own port. A tunnel must have the same port at "
        "both ends, as in the command that your terminal shows.",
        _INSTEAD,
    ),
    TurnedAway.TOO_LARGE: _page(
        HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
        "notice",
        "?",
        "Your browser sent too much with this address",
        "Most likely these are cookies of other programs on this computer. Open the address in "
        "a private window, or delete the cookies of 127.0.0.1 and load this page again.",
        _INSTEAD,
    ),
}


def plain(status: HTTPStatus, *headers: tuple[str, str]) -> Response:
    """Return a response that no person should see: its status as one line."""
    body = f"{status.value} {status.phrase}\n"
    return _response(status, "text/plain; charset=utf-8", body, *headers)


def json(body: str) -> Response:
    """Return a response for a program."""
    return _response(HTTPStatus.OK, "application/json", body)
