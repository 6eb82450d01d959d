"""The driver and the terminal that it writes to."""

import io
from threading import Event, Thread

import pytest

from m3cred_tui.ui.terminal.driver import _Output


class SlowFile(io.StringIO):
    """A terminal that takes text only once it is told to, and shows what is flushed."""

    def __init__(self) -> None:
        super().__init__()
        self.takes = Event()
        self.shown = ""

    def write(self, text: str) -> int:
        self.takes.wait(10)
        return super().write(text)

    def flush(self) -> None:
        self.shown = self.getvalue()


def test_a_slow_terminal_has_shown_everything_once_it_is_given_back() -> None:
    terminal = SlowFile()
    output = _Output(terminal, pytest.fail)
    for text in ("the app, ", "and the end of its full screen"):
        output.write(text)
    closing = Thread(target=output.close)
    closing.start()
    while output._texts.qsize() < 2:  # until its end is queued, too
        closing.join(0.001)
    terminal.takes.set()
    closing.join()
    assert terminal.shown == "the app, and the end of its full screen"
