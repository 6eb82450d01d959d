"""Leaving the program in an orderly way on a signal."""

from __future__ import annotations

import asyncio
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING

from m3cred_tui.system.terminal import leave_blocked_streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SIGNALS = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


@contextmanager
def told_of_signals(
    leave: Callable[[signal.Signals], object], holds: Callable[[], object] = bool
) -> Iterator[None]:
    """Call ``leave`` in the running event loop for a signal that would end the process.

    asyncio's own ``add_signal_handler`` loses signals while the loop is busy and a few hundred
    keys or mouse moves are queued. After the block, SIGHUP does nothing: shell and system both
    send one when a connection drops, and the second must not interrupt the clean-up. Nor do
    the others once one has arrived, or where something ``holds`` the process up by then, which
    a signal must not cut off. Signals already ignored, as under ``nohup``, stay so.
    """
    loop = asyncio.get_running_loop()
    is_leaving = False

    def handle(number: int, _frame: object) -> None:
        nonlocal is_leaving
        is_leaving = True
        leave_blocked_streams()
        loop.call_soon_threadsafe(leave, signal.Signals(number))

    before = {
        number: signal.signal(number, handle)
        for number in _SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN
    }
    try:
        yield
    finally:
        is_held = bool(holds())
        for number, handler in before.items():
            is_over = is_leaving or is_held or number == signal.SIGHUP
            signal.signal(number, _ignore if is_over else handler)


def exit_on_signals() -> None:
    """Exit in an orderly way, so that ``atexit`` runs, on a signal that would end the process.

    SIGINT does so already. One that is ignored or handled stays so.
    """

    def leave(number: int, _frame: object) -> None:
        ignore_signals()
        raise SystemExit(128 + number)  # the status that a shell gives for a signal

    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, leave)


def ignore_signals() -> None:
    """Let nothing interrupt the clean-up at the end of the process."""
    for number in _SIGNALS:
        signal.signal(number, _ignore)


def _ignore(_number: int, _frame: object) -> None:
    """Let the clean-up finish; unlike SIG_IGN, child processes do not inherit this."""
    leave_blocked_streams()
