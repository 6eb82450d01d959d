"""What ``m3cred config`` says of a change besides that it is made."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from m3cred_tui.config.settings import Settings
    from m3cred_tui.model.credential import Destination


def tell_replaced(names: Iterable[str], source: str) -> None:
    """Say which sources of the secret key are gone, now that it is from this one."""
    from m3cred_tui.config.file import SEALED

    for name in names:
        if name == SEALED:
            say("The secret key that m3cred had sealed is removed.")
        else:
            used = "the sealed key" if source == SEALED else source
            say(f"{name} is removed: {used} is used.")


def tell_what_goes_before(settings: Settings, destination: Destination, name: str) -> None:
    """Say that the environment has a value, too, if it has."""
    from m3cred_tui.config.setup import Origin

    found = dict(settings.setup(destination).entries())
    entry = found["secret_key" if "secret_key" in name else name]
    if entry.origin is Origin.ENVIRONMENT:
        say(f"{entry.place} is set in the environment, and counts before it.")


def warn_of_no_file(text: str, destination: Destination) -> None:
    """Warn where the key file that was entered is not there; it may come later."""
    from m3cred_tui.config.key_source import FromFile, from_file
    from m3cred_tui.model.text import clean

    source = from_file(text, destination)
    if not isinstance(source, FromFile):
        return
    try:
        source.path.stat()
    except FileNotFoundError:
        shown = clean(str(source.path), most=4096)
        sys.stderr.write(f"m3cred: {shown} is not there yet.\n")
    except OSError:
        pass  # m3cred config check says what it is


def say(line: str) -> None:
    """Write a line for whoever has run the command."""
    sys.stdout.write(f"{line}\n")
