"""A signal during the question for a passphrase, at whatever instruction it comes."""

import contextlib
import gc
import os
import pty
import signal
import sys
import termios
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, NamedTuple

import pytest

from m3cred_tui.cli.output import prompts
from m3cred_tui.system import terminal as modes

ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT)
THERE = {module.__file__ for module in (prompts, modes, contextlib)}


class Line(NamedTuple):
    """Both ends of a pseudo-terminal."""

    keyboard: int
    terminal: int


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Return what is the controlling terminal for a question, on which Enter is the answer."""
    line = Line(*pty.openpty())
    os.set_blocking(line.keyboard, False)
    monkeypatch.setattr(os, "open", lambda *_: os.dup(line.terminal))
    monkeypatch.setattr(prompts, "_wait_for_line", lambda _: os.write(line.keyboard, b"\n"))
    before = {number: signal.getsignal(number) for number in (*ENDING, signal.SIGCONT)}
    yield line
    for number, handler in before.items():
        signal.signal(number, handler)
    os.close(line.keyboard)
    os.close(line.terminal)


class At:
    """Traces what is executed, and sends a signal at the nth instruction, at the 0th none."""

    def __init__(self, nth: int, number: signal.Signals) -> None:
        self._left = nth
        self._number = number

    def __call__(self, frame: FrameType, event: str, _argument: object) -> Any:
        if frame.f_code.co_filename not in THERE:
            return None
        frame.f_trace_opcodes = True
        if event == "opcode":
            self._left -= 1
            if not self._left:
                signal.raise_signal(self._number)
        return self


def ended(do: Callable[[], object], tracer: At) -> BaseException | None:
    """Return how it ended, as something is only given up when that is forgotten."""
    before = sys.gettrace()
    gc.disable()  # or another test's rubbish might be cleared away, and get the signal
    sys.settrace(tracer)
    try:
        do()
    except (SystemExit, KeyboardInterrupt) as end:
        return end
    finally:
        sys.settrace(before)
        gc.enable()
    return None


@pytest.mark.parametrize("number", ENDING, ids=lambda it: it.name)
def test_at_no_instruction_does_a_signal_leave_the_echo_off(
    number: signal.Signals, line: Line
) -> None:
    before = termios.tcgetattr(line.terminal)
    assert ended(lambda: prompts.asked("?"), At(0, number)) is None  # 3.12 traces from then on
    ends: list[BaseException | None] = []
    while None not in ends:  # until all was over before the signal would have come
        signal.signal(number, lambda *_: sys.exit())
        ends.append(ended(lambda: prompts.asked("?"), At(len(ends) + 1, number)))
        assert termios.tcgetattr(line.terminal) == before, f"at instruction {len(ends)}"
        with contextlib.suppress(BlockingIOError):
            os.read(line.keyboard, 1_000)
    assert len(ends) > 300
