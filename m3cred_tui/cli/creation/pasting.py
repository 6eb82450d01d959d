"""The address that the browser ended on, as it comes by standard input."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from m3cred_tui.callback.pasted import PasteIncomplete
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from m3cred_tui.authorize.events import Paste
    from m3cred_tui.cli.creation.incoming import Lines

SILENCE = 0.5
"""Seconds after which no other line of a wrapped address follows."""


async def take_address(lines: Lines, paste: Paste, tell: Callable[[Problem], object]) -> bool:
    """Hand lines over until they are an address that is taken; tell whether one was.

    A wrapped address comes in several lines. What is wrong is told, and the next line begins
    anew; of what is not whole, it is told once no more of it comes.
    """
    held, told = "", ""
    while True:
        line = await lines.get()
        held = f"{held}{line or ''}\n".lstrip()
        if held and held != told:
            problem = _refusal(paste, held, final=line is None)
            if isinstance(problem, PasteIncomplete) and line is not None:
                if await _more_comes(lines):
                    continue
                problem = _refusal(paste, held, final=True)
            if problem is None:
                return True
            tell(problem)
            held = told = held if isinstance(problem, PasteIncomplete) else ""
        if line is None:
            return False


def _refusal(paste: Paste, text: str, *, final: bool) -> Problem | None:
    try:
        paste(text, final=final)
    except Problem as problem:
        return problem
    return None


async def _more_comes(lines: Lines) -> bool:
    if lines.empty():
        await asyncio.sleep(SILENCE)
    return not lines.empty()
