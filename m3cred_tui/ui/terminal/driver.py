"""The driver of the app's terminal, which may disappear, and may send invalid text."""

from __future__ import annotations

import asyncio
import os
import re
import selectors
import signal
import sys
import termios
import time
from contextlib import suppress
from functools import partial
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

from textual.drivers.linux_driver import LinuxDriver

from m3cred_tui.system.terminal import can_be_continued, leave_blocked_streams
from m3cred_tui.ui.terminal.abilities import shown
from m3cred_tui.ui.terminal.incoming import Incoming
from m3cred_tui.ui.terminal.known_cells import KnownCells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from textual.app import App
    from textual.screen import Screen

    from m3cred_tui.ui.terminal.abilities import Abilities


# Control strings, private sequences and queries (ECMA-48, section 5.4; DEC's and kitty's own):
# an old terminal draws a part of each.
_YOUNGER = r"\x1b(?:[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\[[<=>][\d;:]*[@-~]|\[\?[\d;]*\$[@-~])"
# Textual turns each URL that it finds into one.
_HYPERLINK = r"\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)"
# Not every terminal has a second screen to leave: a console has none, GNU screen seldom.
_LEAVE = "\x1b[m\x1b[H\x1b[J\x1b[?7h\x1b[?1049l\x1b[?25h"
# What makes the terminal send something by itself: mouse, focus, paste, size; its keyboard.
_REPORTS = (1000, 1003, 1015, 1006, 1016, 1004, 2004, 2048)
_NO_REPORTS = "".join(f"\x1b[?{mode}l" for mode in _REPORTS) + "\x1b[<u"
_ARE_YOU_THERE, _HERE_I_AM = "\x1b[c", re.compile(rb"\x1b\[\?[\d;]*c")  # primary DA
_CANCEL = "\x18"  # ends a sequence that was cut
_DRAWS = re.compile(r"\x1b\[\d+;\d+H")
_OF_THE_BACKGROUND = (signal.SIGTTIN, signal.SIGTTOU)  # Textual resets what is ignored of them
_TICK_SECONDS = 0.1
_MOST_AT_ONCE = 4096
_AT_ONCE = 512
_MOST_WAITING = 30  # texts to be written; what a slower terminal misses is drawn later
_ROUND_TRIP = 1.0  # seconds that a terminal may take to answer
_STALLED = 1.0  # seconds without taking _AT_ONCE bytes: nobody reads what is written


class TerminalDriver(LinuxDriver):
    """Textual's driver, for a terminal that may disappear.

    Without a terminal, Textual's own reads the end of its input in a busy loop, and waits
    forever for the thread that a failed write has ended. This one releases the terminal, and
    calls ``gone``, as the system does not send a SIGHUP to every process: not without a
    controlling terminal, nor does one arrive that ``nohup`` has it ignore.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        abilities: Abilities,
        gone: Callable[[], object],
        mouse: bool = True,
        **options: Any,
    ) -> None:
        stop = signal.getsignal(signal.SIGTSTP)  # Textual's own replaces it
        # Textual cannot read an old terminal's mouse reports; without, text can be selected.
        super().__init__(app, mouse=mouse and not abilities.is_old, **options)
        self._abilities = abilities
        self._is_on = False
        self._is_stopped = False
        self._is_gone = False
        self._is_heard = False
        self._has_missed = False
        self._known = KnownCells()
        self._terminal = sys.__stderr__ or sys.stderr
        self._encoding = self._terminal.encoding
        self._output: _Output | None = None
        self._app_to_resume = app
        self._soon = asyncio.get_running_loop().call_soon_threadsafe
        self._gone = gone
        signal.signal(signal.SIGCONT, partial(self._on_signal, self._continue))
        is_ignored = stop is signal.SIG_IGN
        signal.signal(
            signal.SIGTSTP, stop if is_ignored else partial(self._on_signal, self._stop)
        )

    def write(self, data: str) -> None:
        """Send what the terminal does not show yet, in a form that it can show."""
        if self._output is None or (self._output.is_behind and self._misses(data)):
            return
        text = self._known.changes(data)
        if self._abilities.is_old:
            text = re.sub(_YOUNGER, "", text)
        elif not self._abilities.hyperlinks:
            text = re.sub(_HYPERLINK, "", text)
        if text:
            self._output.write(shown(text, self._abilities.characters))

    def _misses(self, data: str) -> bool:
        """Leave out what only draws: to wait for the terminal would keep a signal waiting."""
        if not _DRAWS.search(data):
            return False
        if not self._has_missed:
            self._has_missed = True
            self.after_written(self._catch_up)
        return True

    def _catch_up(self) -> None:
        self._has_missed = False
        self._app_to_resume.screen.refresh()

    def after_written(self, call: Callable[[], object]) -> None:
        """Call it in the event loop when everything until now is written to the terminal."""
        if self._output is not None:
            self._output.write(lambda: self._soon(call))

    def forget(self) -> None:
        """Invalidate what is known about the terminal's cells."""
        self._known.forget()

    def start_application_mode(self) -> None:
        """Take the terminal."""
        self._is_on = self._is_heard = True
        self._output = _Output(self._terminal.fileno(), self._encoding, self._let_go)
        handlers = {number: signal.getsignal(number) for number in _OF_THE_BACKGROUND}
        super().start_application_mode()  # type: ignore[no-untyped-call]  # in Textual
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def disable_input(self) -> None:
        """Read on until the terminal sends nothing more, which the shell would take for typed.

        Its answer to the last question is behind all that was on its way from it.
        """
        if self._is_heard:
            self._is_heard = False
            self.write(_NO_REPORTS if self._abilities.is_old else _NO_REPORTS + _ARE_YOU_THERE)
            super().disable_input()

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self._is_on = False
        self.disable_input()
        if self.attrs_before is not None:
            with suppress(termios.error):
                termios.tcsetattr(self.fileno, termios.TCSANOW, self.attrs_before)
        self.write(_LEAVE)

    def close(self) -> None:
        """Wait until everything is written."""
        super().close()
        if self._output is not None:
            self._output.close()
            self._output = None

    def _on_signal(self, act: Callable[[], object], *_: object) -> None:
        """Act in the event loop: where a handler runs, its thread may hold the queue's lock."""
        with suppress(RuntimeError):  # the loop is closed, and the terminal is given back
            self._soon(act)

    def _stop(self) -> None:
        if self._is_on:  # it is not while the app is suspended, which then resumes it
            self.suspend_application_mode()
            self._is_stopped = True
        # A program that has started this one and waits for it has to stop, too: the shell
        # waits for that program.
        os.kill(0 if can_be_continued() else os.getpid(), signal.SIGSTOP)

    def _continue(self) -> None:
        """Take the terminal after a stop, unless the app is about to end.

        What ends programs, as systemd and ``timeout`` do, sends a SIGCONT after the SIGTERM.
        """
        if self._is_on:  # SIGSTOP: nobody could give it back, and the shell had it meanwhile
            self.suspend_application_mode()
        elif not self._is_stopped:
            return
        self.resume_application_mode()
        if self._is_stopped:
            self._is_stopped = False
            self._app_to_resume.post_message(self.SignalResume())

    def run_input_thread(self) -> None:
        """Read keys until input is disabled or the terminal has gone."""
        incoming = Incoming()
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_TICK_SECONDS):
                    data = self._read()
                    if not data:
                        self._let_go()
                        return
                    for message in incoming.messages(data):
                        self.process_message(message)
                for message in incoming.tick():
                    self.process_message(message)
            if not self._abilities.is_old:
                self._drop_until_answered(selector)

    def _drop_until_answered(self, selector: selectors.SelectSelector) -> None:
        dropped = b""
        end = time.monotonic() + _ROUND_TRIP
        while not _HERE_I_AM.search(dropped) and (left := end - time.monotonic()) > 0:
            if selector.select(left):
                data = self._read()
                if not data:
                    self._let_go()
                    return
                dropped = dropped[-_AT_ONCE:] + data

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, _MOST_AT_ONCE)
        except OSError:
            return b""

    def _let_go(self) -> None:
        """Replace the terminal with the null device, so that no later write or exit fails."""
        if self._is_gone:
            return
        self._is_gone = True
        nothing = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        for descriptor in (self.fileno, self._terminal.fileno()):
            os.dup2(nothing, descriptor)
        os.close(nothing)
        self._on_signal(self._gone)


class _Output:
    """Writes in its own thread; a failed write is reported, and later ones go nowhere."""

    def __init__(self, terminal: int, encoding: str, failed: Callable[[], None]) -> None:
        self._descriptor = os.dup(terminal)  # that one may be replaced meanwhile
        self._encoding = encoding
        self._failed = failed
        self._has_failed = self._is_abandoned = False
        self._taken = 0  # bytes
        self._texts: Queue[str | Callable[[], object] | None] = Queue()
        self._thread = Thread(target=self._run, name="terminal", daemon=True)
        self._thread.start()

    @property
    def is_behind(self) -> bool:
        return self._texts.qsize() >= _MOST_WAITING

    def write(self, text: str | Callable[[], object]) -> None:
        """Write a text, or call a function when all before it is written."""
        self._texts.put(text)

    def close(self) -> None:
        """Wait until everything is written.

        Of what a terminal does not take that nobody reads, only the end is left for it.
        """
        self._texts.put(None)
        if not self._ends(_STALLED):
            self._is_abandoned = True
            with suppress(OSError, termios.error):
                termios.tcflush(self._descriptor, termios.TCOFLUSH)
                # The system does not wake the write that waits for the room made here.
                signal.pthread_kill(self._thread.ident or 0, signal.SIGCONT)
            self._ends(_TICK_SECONDS)
            leave_blocked_streams(0)
        if not self._thread.is_alive():
            os.close(self._descriptor)

    def _ends(self, patience: float) -> bool:
        """Wait for the thread as long as the terminal takes something."""
        taken = -1
        while self._thread.is_alive() and taken != self._taken:
            taken = self._taken
            self._thread.join(patience)
        return not self._thread.is_alive()

    def _run(self) -> None:
        text: str | Callable[[], object] | None = ""
        waiting: list[str] = []
        while text is not None:
            text = self._texts.get()
            if isinstance(text, str):
                waiting.append(text)
            if not isinstance(text, str) or self._texts.empty():
                self._send(waiting)
                waiting.clear()
            if callable(text):
                with suppress(RuntimeError):  # the loop is closed
                    text()

    def _send(self, texts: Sequence[str]) -> None:
        left, is_whole = self._encoded(texts), True
        while left and not self._has_failed:
            if self._is_abandoned and is_whole:
                is_whole = False
                controls = [text for text in texts if not _DRAWS.search(text)]
                left = self._encoded([_CANCEL, *controls])
            try:
                taken = os.write(self._descriptor, left[:_AT_ONCE])
            except OSError:
                self._has_failed = True
                self._failed()
            else:
                self._taken += taken
                left = left[taken:]

    def _encoded(self, texts: Sequence[str]) -> bytes:
        return "".join(texts).encode(self._encoding, "replace")


def write_to_terminal(app: App[Any], sequence: str) -> None:
    """Send a control sequence that draws nothing, such as one for the clipboard."""
    # Textual offers no other way to its driver; in tests, it is another one.
    if sequence and (driver := app._driver) is not None:  # noqa: SLF001
        driver.write(sequence)
        driver.flush()


_PATIENCE = 1.0  # seconds; a terminal may be stopped (Ctrl+S), or its line be slow


async def seen(screen: Screen[Any]) -> None:
    """Return when the terminal has what this screen shows now, or after a second."""
    painted = asyncio.Event()
    screen.call_after_refresh(painted.set)
    await painted.wait()
    await written(screen.app)


async def written(app: App[Any]) -> None:
    """Return when the terminal has what was drawn until now, or after a second."""
    if isinstance(driver := app._driver, TerminalDriver):  # noqa: SLF001  as above
        has_it = asyncio.Event()
        driver.after_written(has_it.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await has_it.wait()


def can_suspend() -> bool:
    """Tell whether Ctrl+Z can stop the app, and a shell then continue it."""
    return can_be_continued() and signal.getsignal(signal.SIGTSTP) is not signal.SIG_IGN


def forget_cells(app: App[Any]) -> None:
    """Invalidate what is known about the terminal, so that the next drawing is whole."""
    if isinstance(driver := app._driver, TerminalDriver):  # noqa: SLF001  as above
        driver.forget()
