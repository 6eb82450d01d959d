"""The app on a demo Stripe that says what it is told to; run it as a program.

    python unruly_stripe.py CHANNEL TEXTS

TEXTS is a file with a JSON array; each authorization says the next one of it in CHANNEL. The
browser is this program, too: it approves at once.
"""

import asyncio
import http.client
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, urlsplit

from m3cred_tui.cli.commands.app import services_from
from m3cred_tui.config.locations import locations
from m3cred_tui.config.settings import Settings
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import background_demo_stripe, demo_stripe
from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri
from m3cred_tui.model.credential import STRIPE, STRIPE_TEST, Destination
from m3cred_tui.stripe.gateway import Platform
from m3cred_tui.ui.app import M3credApp

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from m3cred_tui.authorize.service import Authorizer

REDIRECT, TOKEN, ACCOUNT = "redirect", "token", "account"
"""The error in Stripe's redirect, the error of the exchange, and the account's name."""

_ACCOUNT_ID = "acct_1Unruly"


@dataclass
class Unruly:
    """What is said next, and where."""

    channel: str
    texts: Iterator[str]
    answers: dict[str, tuple[int, object]] = field(default_factory=dict)

    def stripe(self, description: Description) -> "ASGIApp":
        """Return a demo Stripe that answers as it has been told to."""
        ruly = demo_stripe(description)

        async def serve(scope: "Scope", receive: "Receive", send: "Send") -> None:
            if scope["path"] not in self.answers:
                await ruly(scope, receive, send)
                return
            while (await receive()).get("more_body"):
                pass
            status, answer = self.answers[scope["path"]]
            await send({"type": "http.response.start", "status": status, "headers": []})
            body = json.dumps(answer).encode("ascii")
            await send({"type": "http.response.body", "body": body})

        return serve

    async def visit(self, url: str, *, livemode: bool) -> None:
        """Go from the URL to the redirect, with the next text said on the way."""
        text = next(self.texts)
        self._prepare(text, livemode=livemode)
        if self.channel != REDIRECT:
            await asyncio.to_thread(_redirect, url, "code=ac_1")
        elif not await asyncio.to_thread(_redirect, url, _error(text)):
            # Not believed, as it is too long or no text at all; then as much of it as can be.
            readable = text[:200].encode("utf-8", "replace").decode()
            await asyncio.to_thread(_redirect, url, _error(readable))

    def _prepare(self, text: str, *, livemode: bool) -> None:
        if self.channel == TOKEN:
            refusal = {"error": text, "error_description": text}
            self.answers = {"/oauth/token": (400, refusal)}
            return
        tokens = {"stripe_user_id": _ACCOUNT_ID, "livemode": livemode, "scope": text[:100]}
        settings = {"dashboard": {"display_name": text}}
        account = {"id": _ACCOUNT_ID, "country": text, "settings": settings}
        self.answers = {"/oauth/token": (200, tokens), "/v1/account": (200, account)}


def _error(text: str) -> str:
    return (
        f"error=server_error&error_description={quote(text.encode('utf-8', 'surrogatepass'))}"
    )


def _redirect(url: str, answer: str) -> bool:
    """Go where Stripe redirects to, and on from there; tell whether the answer was believed."""
    query = parse_qs(urlsplit(url).query)
    to = urlsplit(query["redirect_uri"][0])
    address = f"{to.path}?{answer}&state={query['state'][0]}"
    while address:
        connection = http.client.HTTPConnection(to.netloc, timeout=5)
        connection.request("GET", address)
        response = connection.getresponse()
        response.read()
        address = response.headers.get("Location", "")
        connection.close()
    return response.status == http.client.OK


def open_app(unruly: Unruly) -> None:
    """Open the app; what is said is in the order of the authorizations."""
    redirect_uris = [redirect_uri(port) for port in CALLBACK_PORTS]
    with background_demo_stripe(redirect_uris, make_app=unruly.stripe) as stripe:
        bases = stripe.connect_base, stripe.api_base
        platforms = {
            STRIPE: Platform(*stripe.live, *bases),
            STRIPE_TEST: Platform(*stripe.test, *bases),
        }
        services = services_from(Settings(locations(demo=True), platforms, demo=True))

        def authorizer(destination: Destination) -> "Authorizer":
            async def visit(url: str) -> None:
                await unruly.visit(url, livemode=destination.livemode)

            return replace(services.authorizer(destination), open_browser=visit)

        M3credApp(services._replace(authorizer=authorizer)).run()


if __name__ == "__main__":
    open_app(Unruly(sys.argv[1], iter(json.loads(Path(sys.argv[2]).read_text()))))
