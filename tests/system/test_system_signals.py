"""Signals that would end the process, while it leaves in good order."""

import signal
import subprocess
import sys

import pytest

HANG_UP, INTERRUPT, TERMINATE = signal.SIGHUP, signal.SIGINT, signal.SIGTERM
# Leaves at the first signal, gets the second one while it cleans up, and says that it has.
LEAVING = """
import asyncio, signal, sys
from m3cred_tui.system.signals import told_of_signals

async def work(first, second, is_held=0):
    came = asyncio.Queue()
    with told_of_signals(came.put_nowait, lambda: is_held):
        if first:
            signal.raise_signal(first)
            assert await came.get() == first
    signal.raise_signal(second)
    assert came.empty()

asyncio.run(work(*map(int, sys.argv[1:])))
print("cleaned up")
"""


def left(first: int, second: int, *, is_held: bool = False) -> tuple[int, str]:
    """Return how a process has ended, and what it has said."""
    command = [sys.executable, "-c", LEAVING, *map(str, (first, second, int(is_held)))]
    ended = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    return ended.returncode, ended.stdout


@pytest.mark.parametrize("first", [HANG_UP, INTERRUPT, TERMINATE])
@pytest.mark.parametrize("second", [HANG_UP, INTERRUPT, TERMINATE])
@pytest.mark.quick(3)
def test_a_second_signal_does_not_interrupt_the_clean_up(first: int, second: int) -> None:
    assert left(first, second) == (0, "cleaned up\n")


@pytest.mark.parametrize(
    ("later", "end"),
    [
        (HANG_UP, (0, "cleaned up\n")),
        (INTERRUPT, (-INTERRUPT, "")),
        (TERMINATE, (-TERMINATE, "")),
    ],
)
def test_only_a_hang_up_does_nothing_after_an_ordinary_end(
    later: int, end: tuple[int, str]
) -> None:
    assert left(0, later) == end


@pytest.mark.parametrize("later", [HANG_UP, INTERRUPT, signal.SIGQUIT, TERMINATE])
def test_no_signal_cuts_off_what_holds_the_process_up_after_an_ordinary_end(later: int) -> None:
    assert left(0, later, is_held=True) == (0, "cleaned up\n")
