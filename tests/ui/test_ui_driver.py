"""The driver and the terminal that it writes to."""

import os
import pty
import tty
from collections.abc import Iterator
from threading import Thread

import pytest

from m3cred_tui.ui.terminal.driver import _Output

MORE_THAN_IT_TAKES = 100_000


@pytest.fixture
def line() -> Iterator[tuple[int, int]]:
    """Return both ends of a terminal that nobody reads yet."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    yield ours, theirs
    os.close(theirs)
    os.close(ours)


def test_a_slow_terminal_has_shown_everything_once_it_is_given_back(
    line: tuple[int, int],
) -> None:
    ours, theirs = line
    output = _Output(theirs, "utf-8", pytest.fail)
    for text in ("the app, " * MORE_THAN_IT_TAKES, "and the end of its full screen"):
        output.write(text)
    closing = Thread(target=output.close)
    closing.start()
    shown = b""
    while not shown.endswith(b"full screen"):
        shown += os.read(ours, 65_536)
    closing.join()
    assert shown.decode() == "the app, " * MORE_THAN_IT_TAKES + "and the end of its full screen"


def test_a_terminal_that_nobody_reads_is_given_back_and_has_the_end_before_it(
    line: tuple[int, int],
) -> None:
    ours, theirs = line
    output = _Output(theirs, "utf-8", pytest.fail)
    output.write("\x1b[1;1H" + "the app, " * MORE_THAN_IT_TAKES)
    output.write("the end of its full screen")
    output.close()
    shown = b""
    while not shown.endswith(b"full screen"):
        shown += os.read(ours, 65_536)
    assert len(shown) < MORE_THAN_IT_TAKES
