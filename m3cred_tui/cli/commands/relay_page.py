"""``m3cred relay-page``: write the page that takes Stripe's HTTPS redirect to the terminal."""

import os
import stat
import sys
from argparse import Namespace
from contextlib import suppress
from pathlib import Path

from m3cred_tui.callback.relay_page import relay_page
from m3cred_tui.cli.ending import DONE
from m3cred_tui.cli.output.streams import put
from m3cred_tui.config.settings import Settings, settings_from
from m3cred_tui.config.table import PORTS
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.model.credential import DESTINATIONS
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean_path
from m3cred_tui.store import files
from m3cred_tui.store.problems import plain_reason

# O_PATH: a directory that takes files may show nobody what is in it.
_FOLDER = os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
_READABLE = 0o644  # before the umask


class FileNotWritten(Problem, code="FileNotWritten"):
    """A file could not be written; an existing one of that name was left unchanged."""

    text = "{path} was not written: {reason}."
    path: Path
    reason: str


def write_public(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file; ``replace`` an existing one. Raises :class:`FileNotWritten`."""
    try:
        folder = os.open(path.parent, _FOLDER)
        try:
            if replace:
                _refuse_special(path)
            put = files.replace if replace else files.create_anywhere
            with suppress(files.UnconfirmedError):  # after a crash it is written again
                put(folder, path.name, data, _READABLE)
        finally:
            os.close(folder)
    except FileExistsError:
        reason = "something of that name is there already; --force replaces a file"
        raise FileNotWritten(path, reason) from None
    except OSError as error:
        raise FileNotWritten(path, plain_reason(error)) from error


def _refuse_special(path: Path) -> None:
    """Raise :class:`FileNotWritten` unless it is a plain file; ``/dev/stdout`` is not."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise FileNotWritten(
                path, "it is a directory, a link or a device, not a plain file"
            )


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    ports = chosen.ports or _ports_set(settings_from(os.environ))
    page = relay_page(ports)
    if chosen.file is None:
        sys.stdout.write(page)
        return DONE
    write_public(chosen.file, page.encode(), replace=chosen.force)
    shown = clean_path(chosen.file)
    named = f"port{'s' * (len(ports) > 1)} {', '.join(map(str, ports))}"
    put(f"{shown} leads to {named}. Put it where your redirect URI points.", sys.stdout)
    return DONE


def _ports_set(settings: Settings) -> tuple[int, ...]:
    """Return every port that m3cred may listen on, as one page serves them all.

    Raises ``Problem`` if the ports in the settings cannot be read.
    """
    ports = list(CALLBACK_PORTS)
    for destination in DESTINATIONS:
        entry = settings.setup(destination)[PORTS]
        if entry.problem:
            raise entry.problem
        ports += entry.value or ()
    return tuple(dict.fromkeys(ports))
