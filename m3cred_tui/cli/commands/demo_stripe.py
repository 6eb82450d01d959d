"""``m3cred demo-stripe``: the demo Stripe alone, in the foreground."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from m3cred_tui.cli.parser import port_or_any
from m3cred_tui.model.credential import ACCESS_TOKEN_LIFETIME

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from m3cred_tui.demo_stripe.description import Description


_DONE, _FAILED, _INTERRUPTED = 0, 1, 130
_HOUR = round(ACCESS_TOKEN_LIFETIME.total_seconds())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the port, and the options in which a rehearsal may differ from the usual demo."""
    parser.description = (
        "Run only the demo Stripe, in the foreground. The first line on standard output is a "
        "JSON object with its addresses, client ids and keys."
    )
    parser.add_argument(
        "--port",
        type=port_or_any,
        default=0,
        metavar="N",
        help="port on 127.0.0.1; 0 takes any free one",
    )
    parser.add_argument(
        "--redirect-uri",
        action="append",
        default=[],
        type=_redirect_uri,
        dest="redirect_uris",
        metavar="URI",
        help="register this redirect URI, too, beside m3cred's own; may be repeated",
    )
    parser.add_argument(
        "--require-https",
        action="store_true",
        help="redirect to HTTPS addresses only in live mode, as Stripe does",
    )
    parser.add_argument(
        "--token-seconds",
        type=_seconds,
        default=_HOUR,
        metavar="N",
        help=f"how long an access token of Stripe Apps lasts; {_HOUR} as at Stripe",
    )


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    return serve(
        chosen.port,
        chosen.redirect_uris,
        require_https=chosen.require_https,
        token_seconds=chosen.token_seconds,
    )


def serve(
    port: int,
    redirect_uris: Sequence[str] = (),
    *,
    require_https: bool = False,
    token_seconds: int = _HOUR,
) -> int:
    """Run until SIGTERM (status 0) or SIGINT (130); 1 when it cannot, with the reason."""
    from m3cred_tui.demo_stripe.server import run_demo_stripe
    from m3cred_tui.model.authorization import CALLBACK_PORTS, redirect_uri
    from m3cred_tui.model.problem import Problem

    try:
        run_demo_stripe(
            [*map(redirect_uri, CALLBACK_PORTS), *redirect_uris],
            port,
            started=_describe,
            require_https=require_https,
            token_seconds=token_seconds,
        )
    except KeyboardInterrupt:
        return _INTERRUPTED
    except Problem as problem:
        sys.stderr.write(f"{problem}\n")
        return _FAILED
    return _DONE


def _describe(description: Description) -> None:
    """Write the line that scripts read; nothing else goes to stdout."""
    sys.stdout.write(f"{description.to_json()}\n")
    sys.stdout.flush()


def _redirect_uri(text: str) -> str:
    import argparse

    from m3cred_tui.demo_stripe.description import check_redirect_uri

    try:
        check_redirect_uri(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text[:80]!a} is not a redirect URI") from None
    return text


def _seconds(text: str) -> int:
    import argparse

    if not (text.isascii() and text.isdigit() and 0 < len(text) <= len("999999") and int(text)):
        raise argparse.ArgumentTypeError(f"{text[:40]!a} is not a number of seconds")
    return int(text)
