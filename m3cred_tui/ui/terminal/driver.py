"""The driver of the app's terminal, which may disappear, and may send invalid text."""

from __future__ import annotations

import asyncio
import os
import re
import selectors
import signal
import sys
from codecs import getincrementaldecoder
from contextlib import suppress
from functools import partial
from queue import Queue
from threading import Thread
from typing import TYPE_CHECKING, Any

from textual._xterm_parser import (
    XTermParser,
)  # Textual's thread of its own reads no paste safely
from textual.drivers.linux_driver import LinuxDriver

from m3cred_tui.ui.terminal.abilities import shown
from m3cred_tui.ui.terminal.known_cells import KnownCells

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import IO

    from textual.app import App
    from textual.screen import Screen

    from m3cred_tui.ui.terminal.abilities import Abilities


_BEGIN, _END = "\x1b[200~", "\x1b[201~"
_ESCAPE, _HARMLESS = "\x1b", "\N{REPLACEMENT CHARACTER}"


class BracketedPaste:
    """Passes on what a terminal sends, without escape characters inside a paste."""

    def __init__(self) -> None:
        self._is_inside = False
        self._before = ""  # of what was passed on, as much as may be a part of a mark
        self._held = ""

    def passed_on(self, text: str) -> str:
        """Return what can be passed on now; outside a paste, that is everything."""
        parts: list[str] = []
        while text:
            part, text = self._inside(text) if self._is_inside else self._outside(text)
            parts.append(part)
        return "".join(parts)

    def _outside(self, text: str) -> tuple[str, str]:
        # Nothing is held back here: an escape alone is a key.
        seen = self._before + text
        _, mark, after = seen.partition(_BEGIN)
        self._is_inside = bool(mark)
        self._before = "" if mark else seen[1 - len(_BEGIN) :]
        return (text.removesuffix(after), after) if mark else (text, "")

    def _inside(self, text: str) -> tuple[str, str]:
        pasted, mark, after = (self._held + text).partition(_END)
        self._held = ""
        self._is_inside = not mark
        if not mark:
            pasted, self._held = _without_beginning(pasted, _END)
        return pasted.replace(_ESCAPE, _HARMLESS) + mark, after


def _without_beginning(text: str, mark: str) -> tuple[str, str]:
    """Return the text, and separately the beginning of ``mark`` that it may end with."""
    for length in range(min(len(mark) - 1, len(text)), 0, -1):
        if text.endswith(mark[:length]):
            return text[:-length], text[-length:]
    return text, ""


# Control strings, private sequences and queries (ECMA-48, section 5.4; DEC's and kitty's own):
# an old terminal draws a part of each.
_YOUNGER = r"\x1b(?:[]PX^_][^\x07\x1b]*(?:\x07|\x1b\\)|\[[<=>][\d;:]*[@-~]|\[\?[\d;]*\$[@-~])"
# Textual turns each URL that it finds into one.
_HYPERLINK = r"\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)"
# Not every terminal has a second screen to leave: a console has none, GNU screen seldom.
_CLEAR = "\x1b[m\x1b[H\x1b[J"
_OF_THE_BACKGROUND = (signal.SIGTTIN, signal.SIGTTOU)  # Textual resets what is ignored of them
_TICK_SECONDS = 0.1
_MOST_AT_ONCE = 4096
_MOST_WAITING = 30  # texts to be written; a terminal that is slower slows the app down


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
        self._known = KnownCells()
        self._terminal = sys.__stderr__ or sys.stderr
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
        text = self._known.changes(data)
        if self._abilities.is_old:
            text = re.sub(_YOUNGER, "", text)
        elif not self._abilities.hyperlinks:
            text = re.sub(_HYPERLINK, "", text)
        if text and self._output is not None:
            self._output.write(shown(text, self._abilities.characters))

    def after_written(self, call: Callable[[], object]) -> None:
        """Call it in the event loop when everything until now is written to the terminal."""
        if self._output is not None:
            self._output.write(lambda: self._soon(call))

    def forget(self) -> None:
        """Invalidate what is known about the terminal's cells."""
        self._known.forget()

    def start_application_mode(self) -> None:
        """Take the terminal."""
        self._is_on = True
        self._output = _Output(self._terminal, self._let_go)
        handlers = {number: signal.getsignal(number) for number in _OF_THE_BACKGROUND}
        super().start_application_mode()  # type: ignore[no-untyped-call]  # in Textual
        for number, handler in handlers.items():
            signal.signal(number, handler)

    def stop_application_mode(self) -> None:
        """Give the terminal back as it was."""
        self._is_on = False
        self.write(_CLEAR)
        super().stop_application_mode()

    def close(self) -> None:
        """Wait until everything is written."""
        super().close()
        if self._output is not None:
            self._output.close()

    def _on_signal(self, act: Callable[[], object], *_: object) -> None:
        """Act in the event loop: where a handler runs, its thread may hold the queue's lock."""
        with suppress(RuntimeError):  # the loop is closed, and the terminal is given back
            self._soon(act)

    def _stop(self) -> None:
        if self._is_on:  # it is not while the app is suspended, which then resumes it
            self.suspend_application_mode()
            self._is_stopped = True
        os.kill(os.getpid(), signal.SIGSTOP)

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
        parser = XTermParser()
        paste = BracketedPaste()
        # Invalid text (Latin-1, noise on the line, a binary paste) must not end the app.
        decode = getincrementaldecoder("utf-8")("replace").decode
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if selector.select(_TICK_SECONDS):
                    data = self._read()
                    if not data:
                        self._let_go()
                        return
                    try:
                        if text := decode(data):  # nothing, while a character is incomplete
                            for message in parser.feed(paste.passed_on(text)):
                                self.process_message(message)
                    except (OverflowError, ValueError):  # as from ESC [ 9999999999 ~
                        parser = XTermParser()
                for message in parser.tick():
                    self.process_message(message)

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

    def __init__(self, file: IO[str], failed: Callable[[], None]) -> None:
        self._file = file
        self._failed = failed
        self._texts: Queue[str | Callable[[], object] | None] = Queue(_MOST_WAITING)
        self._thread = Thread(target=self._run, name="terminal", daemon=True)
        self._thread.start()

    def write(self, text: str | Callable[[], object]) -> None:
        """Write a text, or call a function when all before it is written."""
        self._texts.put(text)

    def close(self) -> None:
        self._texts.put(None)
        self._thread.join()

    def _run(self) -> None:
        goes_on = True
        while goes_on:
            text = self._texts.get()
            goes_on = text is not None
            try:
                if isinstance(text, str):
                    self._file.write(text)
                if not isinstance(text, str) or self._texts.empty():
                    self._file.flush()
            except OSError:
                self._failed()
            if callable(text):
                with suppress(RuntimeError):  # the loop is closed
                    text()


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
    if isinstance(driver := screen.app._driver, TerminalDriver):  # noqa: SLF001  as above
        written = asyncio.Event()
        driver.after_written(written.set)
        with suppress(TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await written.wait()


def forget_cells(app: App[Any]) -> None:
    """Invalidate what is known about the terminal, so that the next drawing is whole."""
    if isinstance(driver := app._driver, TerminalDriver):  # noqa: SLF001  as above
        driver.forget()
