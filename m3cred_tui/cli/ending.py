"""How every command ends: its exit status, and how a problem is reported."""

from __future__ import annotations

import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.cli.output.streams import complain, flush_or_discard
from m3cred_tui.model.problem import Problem
from m3cred_tui.system import process

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from m3cred_tui.authorize.keeping import Keeping
    from m3cred_tui.cli.output.prompts import Handler

DONE, FAILED, WRONG_USAGE, NOT_KEPT, LOST = 0, 1, 2, 3, 4
_STATUSES = {"ApprovalNotKept": NOT_KEPT, "ApprovalLost": LOST}

_OPEN_NOTHING = frozenset({"list", "completion"})
"""These run often and open nothing sealed; closing a process takes 10 ms."""


def ended(command: str, do: Callable[[], int], *, as_json: bool = False) -> int:
    """Run a command, closed to this user's other processes; return its exit status.

    A ``Problem`` is reported as a sentence on stderr and, with --json, as an object.
    """
    if command not in _OPEN_NOTHING:
        if command == "exec":
            process.close_memory_to_others()  # its command may still write a core file
        else:
            process.close_to_others()
    try:
        return do()
    except (Problem, RuntimeError, MemoryError, OSError) as error:
        return failed(problem_of(error), as_json=as_json)
    finally:
        _let_browser_see()


def _let_browser_see() -> None:
    """Wait until a browser that has come back has its last page, or for seconds at most."""
    if server := sys.modules.get("m3cred_tui.callback.server"):
        with suppress(KeyboardInterrupt):
            for thread in server.leaving():
                thread.join()


class LimitReached(Problem, code="LimitReached"):
    """The system gives m3cred no other thread, no more memory, or no other open file."""

    text = """The system gives m3cred no more threads, memory or open files: a limit is
        reached (ulimit -a shows yours). What was kept stays; m3cred list shows it."""


def problem_of(error: Exception) -> Problem:
    """Return what to tell of an error; raises one that is a fault in m3cred."""
    if isinstance(error, Problem):
        return error
    from m3cred_tui.system.threads import lacks_resources  # noqa: PLC0415 - rare

    if not lacks_resources(error):
        raise error
    sys.unraisablehook = lambda _half_made: None  # an event loop that is deleted, for instance
    return LimitReached()


def failed(problem: Problem, *, as_json: bool = False) -> int:
    """Report a problem, and return the exit status."""
    complain(str(problem))
    sealed = sealed_in(problem)

    def put() -> None:
        if as_json:
            # Not for the first paint, which comes through here, too.
            from m3cred_tui.cli.output.json import error_fields, put_json  # noqa: PLC0415 - see above

            put_json({"error": error_fields(problem)})
        elif sealed:
            sys.stdout.write(f"{sealed}\n")

    return status_of(problem) if is_put_out(put, sealed) else LOST


def sealed_in(problem: Problem) -> str:
    """Return the approval that a problem brings along as it is nowhere else, or nothing."""
    sealed: bytes = getattr(problem, "sealed", b"")
    return sealed.decode("ascii")


def is_put_out(put: Callable[[], object], sealed: str) -> bool:
    """Write a result that has an approval in it, if there is one; return whether that is out.

    The disk that takes no approval may be the one behind standard output, and its reader may be
    gone: then the approval goes to standard error. Raises ``OSError`` only without an approval.
    """
    try:
        put()
        sys.stdout.flush()
    except OSError as error:
        if not sealed:
            raise
        flush_or_discard(sys.stdout)
        return _is_put_aside(sealed, error)
    return True


def _is_put_aside(sealed: str, error: OSError) -> bool:
    from m3cred_tui.store.problems import plain_reason  # noqa: PLC0415 - seldom, and 10 ms

    with suppress(OSError):
        told = f"standard output takes no more ({plain_reason(error)}), so it is here"
        sys.stderr.write(f"m3cred: {told}:\n{sealed}\n")
        sys.stderr.flush()
        return True
    return False


def status_of(problem: Problem) -> int:
    """Return the exit status of a command that ends with this problem."""
    return _STATUSES.get(problem.root.code, FAILED)


def misused(sentence: str) -> int:
    """Report wrong usage that argparse does not notice, and return the exit status."""
    complain(sentence)
    return WRONG_USAGE


_STDERR = 2
_WAITING = "waiting for Stripe's answer; what it approves is kept."
_IMPATIENT = (signal.SIGINT, signal.SIGTERM)  # a connection that drops may send SIGHUP twice
_LOOK_EVERY = 0.2  # seconds; a signal just before a wait does not interrupt it


def let_exchange_end() -> None:
    """Wait for what must not be cut off; the app's screen is already closed.

    Another Ctrl+C during a request to Stripe only repeats the message, as leaving now would
    lose the account that Stripe may have connected; the request's own time limits end the wait.
    An approval that is in memory only is tried again: at a terminal until Ctrl+C, in a script
    for a minute. Raises ``ApprovalNotKept`` and ``ApprovalLost``.
    """
    from m3cred_tui.authorize.exchange import unfinished  # noqa: PLC0415 - brings asyncio

    if exchanges := unfinished():
        with _handled(dict.fromkeys(_IMPATIENT, lambda *_signal: _say(_WAITING))):
            _say(_WAITING)
            for exchange in exchanges:
                while exchange.is_alive():
                    exchange.join(_LOOK_EVERY)
    keeping = sys.modules.get("m3cred_tui.authorize.keeping")
    for one in keeping.in_memory_only() if keeping else ():
        _let_keep(one)


def _handled(handlers: Mapping[int, Handler]) -> AbstractContextManager[None]:
    from m3cred_tui.cli.output.prompts import handled  # noqa: PLC0415 - rare, and 5 ms

    return handled(handlers)


def _let_keep(keeping: Keeping) -> None:
    """Wait until an approval is kept; raises what becomes of it if it is given up."""
    is_over = False

    def give_up(*_signal: object) -> None:
        nonlocal is_over
        is_over = True

    whose = f"Stripe's approval of {keeping.approved.account.id}"
    way_out = "; Ctrl+C gives up and shows it here, sealed" if _has_terminal() else ""
    with _handled(dict.fromkeys(_IMPATIENT, give_up)):
        _say(f"{whose} is in memory only: {keeping.problem} m3cred keeps trying{way_out}.")
        while keeping.is_in_memory_only and not is_over:
            if not keeping.is_alive():
                keeping.attempt()
            time.sleep(_LOOK_EVERY)
            is_late = time.monotonic() > keeping.until
            is_over = is_over or (is_late and not _has_terminal())
    if problem := keeping.give_up():
        raise problem
    _say("The approval is kept now: m3cred resume continues it.")


def _has_terminal() -> bool:
    """Return whether somebody can press Ctrl+C; a terminal may go meanwhile."""
    return sys.stdin is not None and sys.stdin.isatty()


def _say(sentence: str) -> None:
    # A signal may interrupt this very write, and sys.stderr is not reentrant.
    with suppress(OSError):
        os.write(_STDERR, f"m3cred: {sentence}\n".encode())
