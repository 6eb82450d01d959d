"""The fixed pages that the browser ends on."""

from html import escape
from http import HTTPStatus
from string import Template

from m3cred_tui.callback.response import Response
from m3cred_tui.callback.style import STYLE, hash_of

_PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title - m3cred</title>
<style>$style</style>
</head>
<body>
<main class="$kind">
<h1><span aria-hidden="true">$glyph</span> $title</h1>
$text
<footer>m3cred, on the computer that your terminal runs on</footer>
</main>
</body>
</html>
""")

_HEADERS = (
    ("Content-Type", "text/html; charset=utf-8"),
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
    body = _PAGE.substitute(
        title=escape(title),
        style=STYLE,
        kind=kind,
        glyph=glyph,
        text="\n".join(f"<p>{paragraph}</p>" for paragraph in paragraphs),
    )
    return Response(status, body.encode(), _HEADERS)


APPROVED = _page(
    HTTPStatus.OK,
    "approved",
    "\N{CHECK MARK}",
    "Stripe approved access for m3ter",
    "Go back to your terminal. It shows the Stripe account: check it, then press "
    "<kbd>Enter</kbd> on <strong>Create Credential</strong>.",
    "Nothing is saved before that. You can close this tab.",
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
    "It does not answer the authorization request that your terminal waits for, "
    "and it was not used.",
    "Open the URL that your terminal shows now. The wait goes on.",
)


def plain(status: HTTPStatus, *headers: tuple[str, str]) -> Response:
    """Return a response for what no person is meant to see: its status as one line."""
    body = f"{status.value} {status.phrase}\n".encode()
    content_type = ("Content-Type", "text/plain; charset=utf-8")
    return Response(status, body, (content_type, *_HEADERS[1:], *headers))
