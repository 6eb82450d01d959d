"""What the browser shows: plain forms without scripts, complete in a text browser."""

from starlette.responses import Response

from m3cred_tui.demo_stripe.business import Account
from m3cred_tui.demo_stripe.grants import APPS_SCOPE, mode
from m3cred_tui.demo_stripe.markup import Html, html, join
from m3cred_tui.demo_stripe.page import page
from m3cred_tui.demo_stripe.sessions import AuthorizationRequest, Session

LOG_IN_PATH = "/oauth/authorize/log-in"
DECIDE_PATH = "/oauth/authorize/decision"

_TITLE = "Get started with Stripe"

_PLATFORM = """\
<p class="platform">m3ter</p>
<p class="mode {mode}">{mode_name}</p>
<p class="note">{note}</p>
"""

_MODE_NAMES = {"live": "Live mode", "test": "Test mode"}
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
<p class="hint">Any e-mail and any password will do; the password is not kept. Please do not
type real ones. Each e-mail has a demo business of its own.</p>
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

_RIGHTS = {
    APPS_SCOPE: (
        "see the customers and invoices of the account",
        "create and change them on your behalf, as it does to send Bills as invoices",
    ),
    "read_only": (
        "see its data: customers, invoices, payments and balances",
        "change nothing",
    ),
    "read_write": (
        "see its data: customers, invoices, payments and balances",
        "create and change them on your behalf, as it does to send Bills as invoices",
    ),
}

_RETURN = """\
<p><a class="return" href="{answer}">Return to m3ter</a></p>
"""

_APPROVED = """\
<p>You have approved access for m3ter. To finish, select <strong>Return to m3ter</strong> at
the left within five minutes.</p>
{business}
<p class="hint">If your browser then says that it cannot connect, m3cred is on another
computer, and the port that it listens on is not forwarded to this one.</p>
"""

_EXPIRED = """\
<p>It was open for too long, or the demo Stripe has been started anew. Go back to your terminal
and select <strong>Go to Stripe</strong> again.</p>
"""


def log_in(session: Session, *, problem: str = "") -> Response:
    """Ask who is there."""
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
    """Ask whether m3ter may have access."""
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


def approved(session: Session, account: Account, answer: str) -> Response:
    """Show the way back to m3ter."""
    request = session.request
    aside = join([html(_RETURN, answer=answer), _platform(request)])
    main = html(_APPROVED, business=_business(account))
    return page("Access approved", aside, main, redirects_to=request.redirect_origin)


def expired() -> Response:
    """Say that the page's session is over."""
    return page("This page is no longer valid", Html(""), html(_EXPIRED), status=410)


def _platform(request: AuthorizationRequest) -> Html:
    word = mode(livemode=request.livemode)
    return html(_PLATFORM, mode=word, mode_name=_MODE_NAMES[word], note=_MODE_NOTES[word])


def _business(account: Account) -> Html:
    return html(
        _BUSINESS,
        name=account.trading_name,  # the name that a platform is shown
        id=account.id,
        country=account.country,
        currency=account.currency.upper(),
        email=account.email,
    )
