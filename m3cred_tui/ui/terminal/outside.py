"""Output to the terminal besides the screen that Textual draws."""

from __future__ import annotations

import asyncio
import os
import sys
import termios
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from textual.events import Paste

from m3cred_tui.model.credential import Credential, integration_fields
from m3cred_tui.system.terminal import Echo
from m3cred_tui.ui.terminal.driver import write_to_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from textual.app import App

    from m3cred_tui.browser.ways import Ways
    from m3cred_tui.listing.columns import Row

_MOST_AT_ONCE = 4096
_ENDS = frozenset(b"\r\n\x03\x04\x1b")  # Enter, ctrl+c, ctrl+d, Esc
_LAST_LINE_SECONDS = 0.1  # a wrapped address is pasted as several lines


async def send_to_clipboard(app: App[Any], ways: Ways, text: str, *, what: str) -> str:
    """Send ``text`` to the clipboard; return a sentence that begins with ``what``."""
    sequence, said = await ways.clip(text, what=what)
    write_to_terminal(app, sequence)
    return said


async def send_id(app: App[Any], ways: Ways, row: Row) -> str:
    """Send a Credential ID to the clipboard."""
    whose = f" of “{row.name}”" if isinstance(row, Credential) else ""
    return await send_to_clipboard(app, ways, row.id, what=f"Credential ID{whose}")


async def send_fields(app: App[Any], ways: Ways, credential: Credential) -> str:
    """Send the integration fields of a credential, as JSON, to the clipboard."""
    import json  # noqa: PLC0415 - 8 ms, and the first paint needs none of it

    text = json.dumps(integration_fields(credential), indent=2, ensure_ascii=False)
    what = f"Integration fields of “{credential.name}”"
    return await send_to_clipboard(app, ways, text, what=what)


def print_alone(app: App[Any], text: str) -> None:
    """Leave the full screen until Enter is pressed, with ``text`` as one unbroken line.

    There, every terminal selects it as a whole, however many lines it takes. The app keeps
    running, so that a redirect from Stripe is handled in time; a paste there is not echoed,
    and goes to the widget with the focus afterwards.
    """
    app.run_worker(_alone(app, text), group="alone")


async def _alone(app: App[Any], text: str) -> None:
    # Without the pause, the app would draw over this.
    with app.batch_update(), app.suspend():
        descriptor = sys.stdin.fileno()
        with _unechoed(descriptor):  # before the prompt
            sys.stdout.write(f"\n{text}\n\nPress Enter to go back to m3cred. ")
            sys.stdout.flush()
            entered = await _entered(descriptor)
    if pasted := entered.decode(errors="replace").strip("\r\n\x03\x04\x1b"):
        app.post_message(Paste(pasted))


async def _entered(descriptor: int) -> bytes:
    """Return what is typed until Enter or another ending key, or the end of input."""
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
    """Echo nothing that is typed: it may be an authorization code."""
    with ExitStack() as after:
        with suppress(termios.error):  # the terminal has gone
            also = termios.ICANON | termios.ISIG
            after.enter_context(Echo(descriptor, also=also, when=termios.TCSADRAIN)).turn_off()
        yield
