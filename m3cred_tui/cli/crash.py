"""Telling of a fault of m3cred's own."""

import sys
from contextlib import suppress
from pathlib import Path

from m3cred_tui.cli.log_line import line_of, traceback_of


def tell_crash(fault: BaseException, log: Path) -> None:
    """Write to stderr where it happened, without a value or a secret, and where the log is."""
    sentence = "m3cred: this is a fault in m3cred, not in what you did; what was saved is kept."
    if log.exists():
        sentence += f" The log is {line_of(str(log))}"
    with suppress(OSError):  # the terminal may be the fault
        sys.stderr.write("\n".join([*traceback_of(fault), sentence, ""]))
