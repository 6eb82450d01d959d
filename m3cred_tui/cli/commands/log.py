"""``m3cred log``: what happened, from the log file."""

import sys
import time
from argparse import Namespace
from contextlib import closing

from m3cred_tui.cli.ending import DONE
from m3cred_tui.cli.output.streams import put
from m3cred_tui.config.locations import locations
from m3cred_tui.config.log_reader import LogReader
from m3cred_tui.model.text import clean_path

_LOOK_EVERY = 0.5  # seconds


def run(chosen: Namespace) -> int:
    """Write the log, and with ``--follow`` what comes, until Ctrl+C (status 130)."""
    path = locations(demo=chosen.demo).log
    with closing(LogReader(path)) as reader:
        is_empty = _write(reader)
        if is_empty:
            put(f"There is no log yet; it will be {clean_path(path)}.", sys.stderr)
        while chosen.follow:
            time.sleep(_LOOK_EVERY)
            _write(reader)
    return DONE


def _write(reader: LogReader) -> bool:
    """Write what is new; return whether that was nothing."""
    is_empty = True
    for line in reader.lines():
        put(line, sys.stdout, hanging=2)
        is_empty = False
    sys.stdout.flush()
    return is_empty
