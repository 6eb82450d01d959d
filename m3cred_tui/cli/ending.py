"""How every command ends: its exit status, and how a problem is reported."""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress

from m3cred_tui.model.problem import Problem

DONE, FAILED, WRONG_USAGE = 0, 1, 2


_OPEN_NOTHING = frozenset({"list", "completion"})
"""These run often and open nothing sealed; closing a process takes 10 ms."""


def ended(command: str, do: Callable[[], int], *, as_json: bool = False) -> int:
    """Run a command, closed to this user's other processes; return its exit status.

    A ``Problem`` is reported as a sentence on stderr and, with --json, as an object.
    """
    if command not in _OPEN_NOTHING:
        from m3cred_tui.system import process  # noqa: PLC0415 - 2 ms that `list` does without

        if command == "exec":
            process.close_memory_to_others()  # its command may still write a core file
        else:
            process.close_to_others()
    try:
        return do()
    except Problem as problem:
        return failed(problem, as_json=as_json)


def failed(problem: Problem, *, as_json: bool = False) -> int:
    """Report a problem, and return the exit status."""
    if as_json:
        # Not for the first paint, which comes through here, too.
        from m3cred_tui.cli.output.json import error_fields, put_json  # noqa: PLC0415 - see above

        put_json({"error": error_fields(problem)})
    sys.stderr.write(f"m3cred: {problem}\n")
    return FAILED


def misused(sentence: str) -> int:
    """Report wrong usage that argparse does not notice, and return the exit status."""
    sys.stderr.write(f"m3cred: {sentence}\n")
    return WRONG_USAGE


_STDERR = 2
_SENTENCE = b"m3cred: waiting for Stripe's answer; what it approves is kept.\n"
_IMPATIENT = (signal.SIGINT, signal.SIGTERM)
_LOOK_EVERY = 0.2  # seconds; a signal just before a wait does not interrupt it


def let_exchange_end() -> None:
    """Wait for requests to Stripe that are still running; the app's screen is already closed.

    Another Ctrl+C only repeats the message, as leaving now would lose the account that Stripe
    may have connected. The requests' own time limits end the wait.
    """
    from m3cred_tui.authorize.exchange import unfinished  # noqa: PLC0415 - brings asyncio

    exchanges = unfinished()
    if not exchanges:
        return
    from m3cred_tui.cli.output.prompts import handled  # noqa: PLC0415 - rare, and 5 ms

    with handled(dict.fromkeys(_IMPATIENT, _say)):
        _say()
        for exchange in exchanges:
            while exchange.is_alive():
                exchange.join(_LOOK_EVERY)


def _say(*_signal: object) -> None:
    # A signal may interrupt this very write, and sys.stderr is not reentrant.
    with suppress(OSError):
        os.write(_STDERR, _SENTENCE)
