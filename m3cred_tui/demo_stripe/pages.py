"""The pages for a browser: plain HTML forms, without scripts."""

from html import escape
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from m3cred_tui.demo_stripe.grants import (
    APPS_SCOPE,
    Account,
    AuthorizationRequest,
    Session,
    mode,
)


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def html(template: str, **values: str) -> Html:
    """Fill ``{name}`` in the template; a value that is not :class:`Html` is escaped."""
    safe = {
        name: value if isinstance(value, Html) else escape(value)
        for name, value in values.items()
    }
    return Html(template.format_map(safe))


def join(parts: list[Html]) -> Html:
    """Return the parts in order, as markup."""
    return Html("\n".join(parts))


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
    """Return the only style sheet."""
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-cache"}
    return Response(_STYLE, headers=headers, media_type="text/css")


def page(
    title: str, aside: Html, main: Html, *, redirects_to: str = "", status: int = 200
) -> Response:
    """Return a whole page, whose forms may redirect only to our origin and the given one."""
    text = html(_PAGE, title=title, style=STYLE_PATH, aside=aside, main=main)
    # Browsers apply form-action to the redirect after a form, too.
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


LOG_IN_PATH = "/oauth/authorize/log-in"
DECIDE_PATH = "/oauth/authorize/decision"

_TITLE = "Get started with Stripe"

_PLATFORM = """\
<p class="platform">m3ter</p>
<p class="mode {mode}">{mode_name}</p>
<p class="note">{note}</p>
"""

_MODE_NOTES = {
    "live": "At Stripe, live mode is where real customers pay real money.",
    "test": "At Stripe, test mode is for trying things out: no money moves.",
}

_LOG_IN = """\
<p>m3ter asks for access to your Stripe account in <strong>{mode} mode</strong>.
Log in to see what it asks for.</p>
{problem}
<form method="post" action="{action}">
<input type="hidden" name="session" value="{session}">
<p><label for="email">Email</label>
<input id="email" name="email" type="text" inputmode="email" size="32" maxlength="254"
 value="{email}" autocomplete="off" autocapitalize="none" spellcheck="false" required
{first}></p>
<p><label for="password">Password</label>
<input id="password" name="password" type="password" size="32" maxlength="254"
 autocomplete="off" required {second}></p>
<p class="actions"><input type="submit" value="Log in"></p>
</form>
<p class="hint">Any e-mail and any password will do; the password is not stored. Please do not
type real ones. Each e-mail has its own demo business.</p>
"""

_BUSINESS = """\
<div class="business"><table>
<tr><th scope="row" align="left">Business</th><td><strong>{name}</strong></td></tr>
<tr><th scope="row" align="left">Account</th><td><code>{id}</code></td></tr>
<tr><th scope="row" align="left">Country</th><td>{country}, {currency}</td></tr>
<tr><th scope="row" align="left">Logged in as</th><td>{email}</td></tr>
</table></div>
"""

_APPROVE = """\
<h2>Approve access for m3ter</h2>
{business}
<p>If you approve, m3ter has <code>{scope}</code> access to this account in
<strong>{mode} mode</strong>:</p>
<ul>
{rights}
</ul>
<p>It lasts until m3ter disconnects the account, or you do, at <code>/installed-apps</code>
here.</p>
<form method="post" action="{action}">
<input type="hidden" name="session" value="{session}">
<p class="actions"><input type="submit" name="approve" value="Approve access">
<input type="submit" name="refuse" value="Refuse access" class="quiet"></p>
</form>
<form method="post" action="{log_in}">
<input type="hidden" name="session" value="{session}">
<p class="actions"><input type="submit" name="another" class="link"
 value="Log in as somebody else"></p>
</form>
"""

_SEE_ALL = "see its data: customers, invoices, payments and balances"
_CHANGE = "create and change them on your behalf, as it does to send Bills as invoices"
_RIGHTS = {
    APPS_SCOPE: ("see the customers and invoices of the account", _CHANGE),
    "read_only": (_SEE_ALL, "change nothing"),
    "read_write": (_SEE_ALL, _CHANGE),
}

_RETURN = """\
<p><a class="return" href="{redirect}">Return to m3ter</a></p>
"""

_APPROVED = """\
<p>You have approved access for m3ter. To finish, select <strong>Return to m3ter</strong> on
the left within five minutes.</p>
{business}
<p class="hint">If your browser then says that it cannot connect, m3cred is on another
computer, and the port that it listens on is not forwarded to this one.</p>
"""

_EXPIRED = """\
<p>It was open for too long, or the demo Stripe was restarted. Go back to your terminal and
select <strong>Go to Stripe</strong> again.</p>
"""


def log_in(session: Session, *, problem: str = "") -> Response:
    """Ask for an e-mail and a password."""
    request = session.request
    autofocus, none = Html("autofocus"), Html("")
    main = html(
        _LOG_IN,
        mode=mode(livemode=request.livemode),
        problem=html('<p class="problem">{text}</p>', text=problem) if problem else none,
        action=LOG_IN_PATH,
        session=session.id,
        email=request.prefilled_email,
        first=none if request.prefilled_email else autofocus,
        second=autofocus if request.prefilled_email else none,
    )
    return page(_TITLE, _platform(request), main, redirects_to=request.redirect_origin)


def approve(session: Session, account: Account) -> Response:
    """Ask for approval of m3ter's access."""
    request = session.request
    rights = [html("<li>{right}</li>", right=right) for right in _RIGHTS[request.scope]]
    main = html(
        _APPROVE,
        mode=mode(livemode=request.livemode),
        scope=request.scope,
        rights=join(rights),
        business=_business(account),
        action=DECIDE_PATH,
        log_in=LOG_IN_PATH,
        session=session.id,
    )
    return page(_TITLE, _platform(request), main, redirects_to=request.redirect_origin)


def approved(session: Session, account: Account, redirect: str) -> Response:
    """Show the link back to m3ter."""
    request = session.request
    aside = join([html(_RETURN, redirect=redirect), _platform(request)])
    main = html(_APPROVED, business=_business(account))
    return page("Access approved", aside, main, redirects_to=request.redirect_origin)


def expired() -> Response:
    """Report that the page's session has ended."""
    return page("This page is no longer valid", Html(""), html(_EXPIRED), status=410)


def _platform(request: AuthorizationRequest) -> Html:
    word = mode(livemode=request.livemode)
    return html(_PLATFORM, mode=word, mode_name=f"{word.title()} mode", note=_MODE_NOTES[word])


def _business(account: Account) -> Html:
    return html(
        _BUSINESS,
        name=account.trading_name,  # the name that Stripe shows to platforms
        id=account.id,
        country=account.country,
        currency=account.currency.upper(),
        email=account.email,
    )
