"""What every page of the demo Stripe looks like, and its one style sheet."""

from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from m3cred_tui.demo_stripe.markup import Html, html

STYLE_PATH = "/demo-stripe.css"

_STYLE = Path(__file__).with_name("pages.css").read_text(encoding="utf-8")

_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} (demo)</title>
<link rel="stylesheet" href="{style}">
</head>
<body>
<p class="demo"><strong>Demo.</strong> This is not Stripe but the demo Stripe that comes with
m3cred: no account, key or money in it is real.</p>
<div class="frame">
<aside>
{aside}
</aside>
<main>
<h1>{title}</h1>
{main}
</main>
</div>
</body>
</html>
"""


async def style(_request: Request) -> Response:
    """Return the one style sheet."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return Response(_STYLE, headers=headers, media_type="text/css")


def page(
    title: str, aside: Html, main: Html, *, redirects_to: str = "", status: int = 200
) -> Response:
    """Return a whole page; a form of it may redirect to the one origin beside our own."""
    text = html(_PAGE, title=title, style=STYLE_PATH, aside=aside, main=main)
    # A browser holds the redirect after a form to form-action as well.
    targets = f"'self' {redirects_to}".rstrip()
    headers = {
        "Cache-Control": "no-store",
        "Content-Security-Policy": (
            f"default-src 'none'; style-src 'self'; form-action {targets}; "
            "base-uri 'none'; frame-ancestors 'none'"
        ),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(text, status, headers, media_type="text/html")
