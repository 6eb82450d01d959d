"""Run the app on a demo Stripe that holds its answer to an exchange until it is let go.

    python -m tests.e2e.held_stripe FIFO

It says ``asked`` into the FIFO when the exchange has arrived, and answers when a line can be
read from it.
"""

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from m3cred_tui.cli.commands import app
from m3cred_tui.config.locations import locations
from m3cred_tui.config.settings import Settings
from m3cred_tui.demo_stripe.server import background_demo_stripe, demo_stripe
from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri
from m3cred_tui.model.credential import STRIPE_TEST
from m3cred_tui.stripe.gateway import Platform

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from m3cred_tui.demo_stripe.description import Description


def held(description: "Description", fifo: Path) -> "ASGIApp":
    """Return a demo Stripe whose exchange waits for the FIFO."""
    stripe = demo_stripe(description)

    async def serve(scope: "Scope", receive: "Receive", send: "Send") -> None:
        if scope["path"] == "/oauth/token":
            await asyncio.to_thread(fifo.write_text, "asked\n")
            await asyncio.to_thread(fifo.read_text)
        await stripe(scope, receive, send)

    return serve


def main(fifo: Path) -> int:
    """Open the app as ``m3cred --demo`` does."""
    redirect_uris = [redirect_uri(port) for port in CALLBACK_PORTS]
    with background_demo_stripe(redirect_uris, make_app=lambda one: held(one, fifo)) as stripe:
        platform = Platform(*stripe.test, stripe.connect_base, stripe.api_base)
        settings = Settings(locations(demo=True), {STRIPE_TEST: platform}, demo=True)
        return app._run(settings, None)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
