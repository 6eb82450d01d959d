"""``m3cred relay-page``: write the page that leads Stripe's HTTPS redirect to the terminal."""

from __future__ import annotations

import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from m3cred_tui.model.problem import Problem
from m3cred_tui.store.files import temporary_name
from m3cred_tui.store.problems import plain_reason

if TYPE_CHECKING:
    import argparse

    from m3cred_tui.config.settings import Settings


_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READABLE = 0o644  # less what the umask takes


class FileNotWritten(Problem, code="FileNotWritten"):
    """A file could not be written; an existing one of that name was left unchanged."""

    text = "{path} was not written: {reason}."
    path: Path
    reason: str


def write_public(path: Path, data: bytes, *, replace: bool) -> None:
    """Write a file; ``replace`` one that is there. Raises :class:`FileNotWritten`."""
    # Beside it, as a rename stays within one file system.
    temporary = path.parent / temporary_name()
    try:
        if replace:
            _refuse_special(path)
        with os.fdopen(os.open(temporary, _NEW, _READABLE), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            temporary.replace(path)
        else:
            # A link, unlike a rename, refuses a name that is taken.
            os.link(temporary, path, follow_symlinks=False)
    except FileExistsError:
        reason = "something of that name is there already; --force replaces a file"
        raise FileNotWritten(path, reason) from None
    except OSError as error:
        raise FileNotWritten(path, plain_reason(error)) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def _refuse_special(path: Path) -> None:
    """Raise :class:`FileNotWritten` for what is no plain file, such as ``/dev/stdout``."""
    with suppress(FileNotFoundError):
        if not stat.S_ISREG(path.lstat().st_mode):
            raise FileNotWritten(
                path, "it is a directory, a link or a device, not a plain file"
            )


_DONE, _FAILED = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the file, and what may stand in its way."""
    parser.description = (
        "Write a static page to be put on a web server of yours, where the redirect URI points "
        "to: it shows the address to paste, and a link that leads on to this terminal. See "
        "docs/live-mode.md."
    )
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="write it here, readable for everybody; without FILE, to standard output",
    )
    parser.add_argument(
        "--ports",
        type=_ports,
        metavar="N,N",
        help="ports that it may lead on to; without it, the usual ones and all that are set",
    )
    parser.add_argument(
        "--force", action="store_true", help="replace FILE if it is there already"
    )


def run(chosen: argparse.Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    from m3cred_tui.callback.relay_page import relay_page
    from m3cred_tui.config.settings import settings_from
    from m3cred_tui.model.problem import Problem
    from m3cred_tui.model.text import clean

    try:
        ports = chosen.ports or _ports_set(settings_from(os.environ))
        page = relay_page(ports)
        if chosen.file is None:
            sys.stdout.write(page)
            return _DONE
        write_public(chosen.file, page.encode(), replace=chosen.force)
    except Problem as problem:
        sys.stderr.write(f"m3cred: {problem}\n")
        return _FAILED
    shown = clean(str(chosen.file), most=4096)
    named = ", ".join(map(str, ports))
    sys.stdout.write(
        f"{shown} leads on to port {named}. Put it where your redirect URI points to.\n"
    )
    return _DONE


def _ports_set(settings: Settings) -> tuple[int, ...]:
    """Return every port that m3cred may listen on, one page being enough for all of them.

    Raises ``Problem`` where the ports that are set cannot be known.
    """
    from m3cred_tui.model.authorization import CALLBACK_PORTS
    from m3cred_tui.model.credential import DESTINATIONS

    ports = list(CALLBACK_PORTS)
    for destination in DESTINATIONS:
        entry = settings.setup(destination).ports
        if entry.problem:
            raise entry.problem
        ports += entry.value or ()
    return tuple(dict.fromkeys(ports))


def _ports(text: str) -> tuple[int, ...]:
    import argparse

    from m3cred_tui.config.entered import ports
    from m3cred_tui.model.credential import STRIPE
    from m3cred_tui.model.problem import Problem

    try:
        return ports(text, STRIPE)  # they are the same for each destination
    except Problem as problem:
        raise argparse.ArgumentTypeError(str(problem)) from None
