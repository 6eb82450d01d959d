"""The last thing that a process does: to wait for an answer of Stripe that is under way."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

_STDERR = 2
_SENTENCE = b"m3cred: waiting for Stripe's answer; what it approves is kept.\n"
_IMPATIENT = (signal.SIGINT, signal.SIGTERM)
_LOOK_EVERY = 0.2  # seconds, as a signal that comes just before a wait does not wake it


def let_exchange_end() -> None:
    """Wait for an answer of Stripe that is under way; the screen is the user's again by now.

    A second Ctrl+C is told the same, as ending now would lose the account that Stripe may have
    connected. The calls' own time limits end the wait.
    """
    from m3cred_tui.authorize.exchange import unfinished

    exchanges = unfinished()
    if not exchanges:
        return
    before = {number: signal.signal(number, _say) for number in _IMPATIENT}
    try:
        _say()
        for exchange in exchanges:
            while exchange.is_alive():
                exchange.join(_LOOK_EVERY)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _say(*_signal: object) -> None:
    # A signal may come while it is being said: sys.stderr would refuse to say it twice.
    with suppress(OSError):
        os.write(_STDERR, _SENTENCE)
