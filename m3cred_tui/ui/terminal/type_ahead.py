"""Holding back keys that are typed faster than screens open."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from textual.events import Key, Paste
from textual.widgets import Input

if TYPE_CHECKING:
    from textual.app import App
    from textual.message_pump import MessagePump


_ROUNDS = 4  # a button's key moves the focus to the next stage after a chain of messages
_SECONDS = 3.0  # a slower widget does not hold the keys back
# Held down to scroll a list; each acts on the widget with the focus when it is handled.
_CURSOR_KEYS = frozenset({"up", "down", "pageup", "pagedown"})
_ERASE = frozenset({"backspace", "delete"})
_APART = 1.0  # seconds between keys, after which the first has long taken effect


class TypeAhead:
    """Holds a key back until everything that the previous key started has finished."""

    def __init__(self, app: App[Any]) -> None:
        self._app = app
        self._held: deque[Key | Paste] = deque()
        self._released: deque[Key | Paste] = deque()
        self._last: Key | Paste | None = None
        self._following: asyncio.Task[None] | None = None

    def admit(self, key: Key | Paste) -> bool:
        """Return whether to handle the key now; otherwise it is posted again later.

        A paste keeps its place among the keys.
        """
        if self._released and key is self._released[0]:
            self._released.popleft()
            return True
        before, self._last = self._last, key
        apart = before is None or key.time - before.time > _APART
        moves = before is not None and {_name(before), _name(key)} <= _CURSOR_KEYS
        # Released keys are behind this one in the queue, but were pressed before it.
        waits = self._following is not None or bool(self._released)
        if not waits and (apart or moves or self._only_writes(before, key)):
            return True
        self._held.append(key)
        if self._following is None:
            self._following = asyncio.create_task(self._follow())
        return False

    async def _follow(self) -> None:
        while self._held:
            await _settle(self._app)
            self._release()
            while self._held and self._only_writes(self._released[-1], self._held[0]):
                self._release()
        self._following = None

    def _release(self) -> None:
        key = self._held.popleft()
        self._released.append(key)
        self._app.post_message(key)

    def _only_writes(self, before: Key | Paste | None, key: Key | Paste) -> bool:
        """Return whether both keys change the text of the focused input, and move nothing."""
        return isinstance(self._app.focused, Input) and _writes(before) and _writes(key)


def _writes(event: Key | Paste | None) -> bool:
    return isinstance(event, Key) and (event.is_printable or event.key in _ERASE)


def _name(event: Key | Paste) -> str:
    return getattr(event, "key", "")


async def _settle(app: App[Any]) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(_SECONDS):
            for _ in range(_ROUNDS):
                for pump in (app.focused or app.screen).ancestors_with_self:
                    await _rest(pump)


async def _rest(pump: MessagePump) -> None:
    rested = asyncio.Event()
    if pump.call_later(rested.set):
        await rested.wait()
