"""``m3cred demo-stripe``: the demo Stripe alone, in the foreground."""

import sys
from argparse import Namespace
from collections.abc import Iterator

from m3cred_tui.cli.ending import DONE
from m3cred_tui.config.table import (
    API_AT,
    CLIENT_ID,
    CONNECT_AT,
    MARKETPLACE_AT,
    PORTS,
    REDIRECT_URI,
    SECRET_KEY,
    Setting,
    group_of,
    value_text,
)
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import run_demo_stripe
from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri
from m3cred_tui.model.credential import DESTINATIONS


def run(chosen: Namespace) -> int:
    """Run until SIGTERM (status 0) or SIGINT (130)."""
    run_demo_stripe(
        [*map(redirect_uri, CALLBACK_PORTS), *chosen.redirect_uris],
        chosen.port,
        started=_export if chosen.env else _describe,
        require_https=chosen.require_https,
        token_seconds=chosen.token_seconds,
    )
    return DONE


def _describe(stripe: Description) -> None:
    """Write the line that scripts read; nothing else goes to stdout."""
    _write(f"{stripe.to_json()}\n")


def _export(stripe: Description) -> None:
    """Write what a shell takes to have its m3cred use this Stripe."""
    # No value has a quote in it: the keys are ours, and no redirect URI may have one.
    _write("".join(f"export {name}='{value}'\n" for name, value in _variables(stripe)))


def _variables(stripe: Description) -> Iterator[tuple[str, str]]:
    for destination in reversed(DESTINATIONS):
        keys = stripe.keys(livemode=destination.livemode)
        values: list[tuple[Setting[object], str]] = [
            (CLIENT_ID, keys.client_id),
            (SECRET_KEY, keys.secret_key.reveal()),
            (CONNECT_AT, stripe.connect_base),
            (MARKETPLACE_AT, stripe.marketplace_base),
            (API_AT, stripe.api_base),
        ]
        if not destination.livemode:
            values.append((PORTS, value_text(CALLBACK_PORTS)))
        elif https := [one for one in stripe.redirect_uris if one.startswith("https:")]:
            values.append((REDIRECT_URI, https[0]))
        else:  # in live mode m3cred needs such a redirect URI, as Stripe does
            continue
        group = group_of(destination)
        yield from ((group.variable_of(setting), value) for setting, value in values)


def _write(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
