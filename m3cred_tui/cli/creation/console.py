"""What is written where: results to standard output, everything else to standard error."""

from __future__ import annotations

import sys
from contextlib import suppress
from textwrap import wrap
from typing import NamedTuple

from m3cred_tui.cli.streams import width_of


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
        """Tell of what goes on; on a terminal, only what is indented is cut between letters."""
        width = width_of(sys.stderr)
        for line in text.splitlines():
            if width is None or line.startswith(" "):
                self.tell(line)
            else:
                self.tell("\n".join(wrap(line, width, break_on_hyphens=False)))

    def tell(self, text: str, *, end: str = "\n") -> None:
        """Write it as it is; a terminal that has gone is no reason to stop."""
        with suppress(OSError):
            sys.stderr.write(f"{text}{end}")
            sys.stderr.flush()

    def command(self, *words: str) -> str:
        """Return what to type to do something in this place."""
        return " ".join(("m3cred", *(["--demo"] if self.demo else []), *words))
