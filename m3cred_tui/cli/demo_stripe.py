"""``m3cred demo-stripe``: the demo Stripe alone, in the foreground."""

import sys

from m3cred_tui.callback.ports import CALLBACK_PORTS, redirect_uri
from m3cred_tui.demo_stripe.description import Description
from m3cred_tui.demo_stripe.server import run_demo_stripe
from m3cred_tui.model.problem import Problem

_DONE, _FAILED, _INTERRUPTED = 0, 1, 130


def run(port: int) -> int:
    """Run until SIGTERM (status 0) or SIGINT (130); 1 when it cannot, with the reason."""
    try:
        run_demo_stripe(
            [redirect_uri(each) for each in CALLBACK_PORTS], port, started=_describe
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
