"""Results go to standard output, everything else to standard error."""

import sys
from contextlib import suppress
from textwrap import wrap
from typing import NamedTuple

from m3cred_tui.cli.output.streams import width_of

_PROGRAM = "m3cred"


class Console(NamedTuple):
    """Writes for a person or for a script."""

    json: bool
    """Standard output is for scripts: one JSON object a line."""
    demo: bool = False

    def put(self, line: str) -> None:
        """Write a line of the result."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        """Report progress; on a terminal, wrapped so that it can be read and copied."""
        width = width_of(sys.stderr)
        for line in text.splitlines():
            self.tell(line if width is None else "\n".join(_lines(line, width)))

    def tell(self, text: str) -> None:
        """Write text as it is; a terminal that is gone is no reason to stop."""
        with suppress(OSError):
            sys.stderr.write(f"{text}\n")
            sys.stderr.flush()

    def command(self, *words: str) -> str:
        """Return the command to type, with ``--demo`` if this is the demo."""
        return " ".join((_PROGRAM, *(["--demo"] if self.demo else []), *words))


def _lines(line: str, width: int) -> list[str]:
    """Wrap a line between words; a command to be copied stays in one piece."""
    if line.startswith(" "):
        return [line]
    prose, is_followed, command = line.partition(f": {_PROGRAM} ")
    if is_followed:
        return [*_lines(f"{prose}:", width), f"  {_PROGRAM} {command}"]
    return wrap(line, width, break_on_hyphens=False)
