"""What reaches the terminal besides the screen that Textual draws."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from textual.events import Paste

from m3cred_tui.system.terminal import echo_off
from m3cred_tui.ui.terminal.driver import write_to_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App

    from m3cred_tui.browser.ways import Ways

_MOST_AT_ONCE = 4096
_ENDS = frozenset(b"\r\n\x03\x04\x1b")  # Enter, ctrl+c, ctrl+d, Esc
_LAST_LINE_SECONDS = 0.1  # a wrapped address is pasted as some lines


async def send_to_clipboard(app: App[Any], ways: Ways, text: str, *, what: str) -> str:
    """Send ``text`` to the terminal's clipboard, and say so; ``what`` begins the sentence."""
    sequence, said = await ways.clip(text, what=what)
    write_to_terminal(app, sequence)
    return said


def print_alone(app: App[Any], text: str) -> None:
    """Leave the full screen until Enter is pressed, with ``text`` as one unbroken line.

    There, every terminal selects it whole, however many lines it takes. The app continues
    meanwhile, so that what Stripe answers is taken in time; what is pasted there is masked,
    and pasted where the focus is afterwards.
    """
    app.run_worker(_alone(app, text), group="alone")


async def _alone(app: App[Any], text: str) -> None:
    # Without a pause in its painting, the app would write where this stands.
    with app.batch_update(), app.suspend():
        descriptor = sys.stdin.fileno()
        with _unechoed(descriptor):  # before anybody is asked to press a key
            sys.stdout.write(f"\n{text}\n\nPress Enter to go back to m3cred. ")
            sys.stdout.flush()
            entered = await _entered(descriptor)
    if pasted := entered.decode(errors="replace").strip("\r\n\x03\x04\x1b"):
        app.post_message(Paste(pasted))


async def _entered(descriptor: int) -> bytes:
    """Return what is typed up to an Enter or another key that ends things, or the end."""
    loop = asyncio.get_running_loop()
    entered, ended = bytearray(), asyncio.Event()

    def read() -> None:
        try:
            data = os.read(descriptor, _MOST_AT_ONCE)
        except OSError:
            data = b""
        entered.extend(data)
        if not data:
            loop.remove_reader(descriptor)
        if not data or _ENDS & {*data}:
            ended.set()

    loop.add_reader(descriptor, read)
    try:
        await ended.wait()
        await asyncio.sleep(_LAST_LINE_SECONDS)
    finally:
        loop.remove_reader(descriptor)
    return bytes(entered)


@contextmanager
def _unechoed(descriptor: int) -> Iterator[None]:
    """Show nothing of what is typed, as it may be an authorization code."""
    with ExitStack() as after:
        with suppress(termios.error):  # the terminal has gone
            also = termios.ICANON | termios.ISIG
            after.enter_context(echo_off(descriptor, also=also, when=termios.TCSADRAIN))()
        yield
