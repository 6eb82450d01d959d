"""What is written where: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from contextlib import suppress
from textwrap import wrap
from typing import NamedTuple

from m3cred_tui.cli.output.streams import width_of

_PROGRAM = "m3cred"


class Console(NamedTuple):
    """How to talk to whoever runs the command."""

    json: bool
    """Standard output is for machines: objects, one a line."""
    demo: bool = False

    def put(self, line: str) -> None:
        """Write a line of the result."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Tell of what goes on; on a terminal, in lines that can be read and copied."""
        width = width_of(sys.stderr)
        for line in text.splitlines():
            self.tell(line if width is None else "\n".join(_lines(line, width)))

    def tell(self, text: str, *, end: str = "\n") -> None:
        """Write it as it is; a terminal that has gone is no reason to stop."""
        with suppress(OSError):
            sys.stderr.write(f"{text}{end}")
            sys.stderr.flush()

    def command(self, *words: str) -> str:
        """Return what to type to do something in this place."""
        return " ".join((_PROGRAM, *(["--demo"] if self.demo else []), *words))


def _lines(line: str, width: int) -> list[str]:
    """Return a line as several, cut between words; what is to be copied stays in one piece."""
    if line.startswith(" "):
        return [line]
    prose, is_followed, command = line.partition(f": {_PROGRAM} ")
    if is_followed:
        return [*_lines(f"{prose}:", width), f"  {_PROGRAM} {command}"]
    return wrap(line, width, break_on_hyphens=False)
