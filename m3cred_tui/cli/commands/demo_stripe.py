"""``m3cred demo-stripe``: the demo Stripe alone, in the foreground."""

import sys
from argparse import Namespace

from m3cred_tui.cli.ending import DONE
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import run_demo_stripe
from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri


def run(chosen: Namespace) -> int:
    """Run until SIGTERM (status 0) or SIGINT (130)."""
    run_demo_stripe(
        [*map(redirect_uri, CALLBACK_PORTS), *chosen.redirect_uris],
        chosen.port,
        started=_describe,
        require_https=chosen.require_https,
        token_seconds=chosen.token_seconds,
    )
    return DONE


def _describe(description: Description) -> None:
    """Write the line that scripts read; nothing else goes to stdout."""
    sys.stdout.write(f"{description.to_json()}\n")
    sys.stdout.flush()
