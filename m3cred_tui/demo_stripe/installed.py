"""The page on which owners see the accounts connected to m3ter, and disconnect one.

At Stripe, each owner finds this in the Dashboard, behind a log-in. Here all share one page, to
rehearse what m3ter sees when access is revoked.
"""

import hmac
import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from m3cred_tui.demo_stripe.grants import Grant, mode
from m3cred_tui.demo_stripe.pages import Html, expired, html, join, page
from m3cred_tui.demo_stripe.platform import Platform
from m3cred_tui.demo_stripe.replies import form_parameters
from m3cred_tui.model.credential import OAuthModel

PATH = "/installed-apps"
DISCONNECT_PATH = "/installed-apps/disconnect"

_ASIDE = """\
<p class="platform">Installed apps</p>
<p class="note">At Stripe, each owner finds this in the Dashboard of their own account.</p>
"""

_INTRODUCTION = """\
<p>m3ter has access to the demo accounts below. The owner of each can revoke it.</p>
"""

_NOBODY = """\
<p>m3ter has access to no account. Approve access to one, then open this page again.</p>
"""

_CONNECTION = """\
<div class="business"><table>
<tr><th scope="row" align="left">Business</th><td><strong>{name}</strong></td></tr>
<tr><th scope="row" align="left">Account</th><td><code>{id}</code></td></tr>
<tr><th scope="row" align="left">Access</th><td>{mode} mode, by {model}</td></tr>
</table>
<form method="post" action="{action}">
<input type="hidden" name="page" value="{page}">
<input type="hidden" name="account" value="{id}">
<input type="hidden" name="mode" value="{mode}">
<input type="hidden" name="oauth" value="{oauth}">
<p class="actions"><input type="submit" value="Disconnect m3ter" class="quiet"></p>
</form></div>
"""

_MODELS = {OAuthModel.CONNECT: "Stripe Connect", OAuthModel.APPS: "Stripe Apps"}


class InstalledApps:
    """The page of one demo Stripe; only a browser that has it open can disconnect anything."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._page = secrets.token_urlsafe(24)  # stops other web pages from sending the form

    async def show(self, _request: Request) -> Response:
        """List the connections."""
        shown = [self._connection(grant) for grant in self._platform.connections()]
        main = join([html(_INTRODUCTION), *shown]) if shown else html(_NOBODY)
        return page("Apps with access to your account", html(_ASIDE), main)

    async def disconnect(self, request: Request) -> Response:
        """Revoke access to an account, and list the rest; a repetition changes nothing."""
        form = await form_parameters(request)
        if not hmac.compare_digest(form.get("page", "").encode(), self._page.encode()):
            return expired()
        if form.get("oauth") in set(OAuthModel):
            self._platform.disconnect(
                form.get("account", ""),
                livemode=form.get("mode") == mode(livemode=True),
                oauth=OAuthModel(form["oauth"]),
            )
        return RedirectResponse(PATH, 303, {"Cache-Control": "no-store"})

    def _connection(self, grant: Grant) -> Html:
        return html(
            _CONNECTION,
            name=grant.account.trading_name,
            id=grant.account.id,
            mode=mode(livemode=grant.livemode),
            model=_MODELS[grant.oauth],
            oauth=grant.oauth.value,
            action=DISCONNECT_PATH,
            page=self._page,
        )
