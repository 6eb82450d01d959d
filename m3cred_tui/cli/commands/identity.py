"""``m3cred identity``: show it, put it under a passphrase, move it to another machine."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from m3cred_tui.cli.output.prompts import new_passphrase, opened_with, working
from m3cred_tui.cli.parser import descriptor
from m3cred_tui.config.locations import locations
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean
from m3cred_tui.store import files
from m3cred_tui.store.directory.record import Damaged
from m3cred_tui.store.directory.store import CredentialStore
from m3cred_tui.store.identity import (
    LARGEST_IDENTITY,
    IdentityFile,
    OpenedIdentity,
    is_wrapped,
    opened,
)
from m3cred_tui.store.lock import locked
from m3cred_tui.store.problems import (
    IdentityLocked,
    OutcomeUnknown,
    StoreUnusable,
    plain_reason,
)
from m3cred_tui.system.process import close_to_others

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterator


_DONE, _FAILED = 0, 1
_PROMPT = "Passphrase of the identity: "
_STANDARD = "-"
_VERBS = {
    "show": "show where it is, its public key, and whether it is under a passphrase",
    "protect": "put it under a passphrase, or under another one",
    "unprotect": "put it back in clear",
    "export": "write a copy for another machine, under a passphrase of its own",
    "import": "take the copy of another machine, under the passphrase that it has",
}
_FILES = {
    "export": "a new file for the copy; - is standard output",
    "import": "the copy; - is standard input",
}


class NoIdentityYet(Problem, code="NoIdentityYet"):
    """There is no identity yet, as nothing has been sealed."""

    text = """There is no identity yet: {path} is made with the first credential, or by m3cred
        identity protect."""
    path: Path


def add_arguments(parser: ArgumentParser) -> None:
    """Add what can be done with it."""
    parser.description = (
        "The identity opens the sealed parts of the credentials. Without a command, m3cred "
        "shows where it is, its public key, and whether it is under a passphrase."
    )
    verbs = parser.add_subparsers(dest="verb", title="commands", metavar="COMMAND")
    for verb, does in _VERBS.items():
        added = verbs.add_parser(verb, help=does, description=f"{does.capitalize()}.")
        if verb in _FILES:
            added.add_argument("file", metavar="FILE", help=_FILES[verb])
        if verb in {"protect", "export"}:
            added.add_argument(
                "--new-passphrase-fd",
                type=descriptor,
                metavar="N",
                help="read the new passphrase from file descriptor N, one line",
            )


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    close_to_others()
    try:
        _COMMANDS[chosen.verb or "show"](_Place(chosen))
    except Problem as problem:
        sys.stderr.write(f"m3cred: {problem}\n")
        return _FAILED
    return _DONE


class _Place:
    """The identity and the store that a command line means, and how it gives passphrases."""

    def __init__(self, chosen: Namespace) -> None:
        places = locations(demo=chosen.demo)
        self.data = places.data
        self.identity = IdentityFile(places.identity)
        self.store = CredentialStore(places.data, self.identity)
        self.file: str = getattr(chosen, "file", "")
        self.descriptor: int | None = chosen.passphrase_fd
        self.new_descriptor: int | None = getattr(chosen, "new_passphrase_fd", None)

    def is_unused(self) -> bool:
        """Tell whether nothing is sealed here."""
        return self.store.is_unused()

    def unlock(self) -> bool:
        """Have the identity open; tell whether it is under a passphrase.

        What else may be wrong with it is raised here, so that nobody is asked in vain.
        """
        if not os.path.lexists(self.identity.path) and self.is_unused():
            raise NoIdentityYet(self.identity.path)
        if not self.identity.is_locked():
            self.identity.to_open()
            return False
        opened_with(self.descriptor, _PROMPT, self.identity.unlock)
        return True


def _show(place: _Place) -> None:
    locked_up = place.identity.is_locked()
    if not locked_up or place.descriptor is not None:
        place.unlock()
    try:
        key = str(place.identity.to_open().to_public())
    except IdentityLocked:
        key = "told with the passphrase only: m3cred --passphrase-fd N identity"
    _say(f"Identity:    {_shown(place.identity.path)}")
    _say(f"Public key:  {key}")
    _say(f"Passphrase:  {'yes' if locked_up else 'none'}")


def _protect(place: _Place) -> None:
    with suppress(NoIdentityYet):  # it is then made under the passphrase
        place.unlock()
    new = new_passphrase(place.new_descriptor, "New passphrase: ")
    with working("Putting the identity under the passphrase …"):
        place.identity.protect(new, place.data, is_first_use=place.is_unused)
    _say(
        f"{_shown(place.identity.path)} is under the passphrase now. Without it, nobody can "
        "open what is sealed. Where m3cred is running, start it again."
    )


def _unprotect(place: _Place) -> None:
    path = _shown(place.identity.path)
    if not place.unlock():
        _say(f"{path} is not under a passphrase; nothing was changed.")
        return
    place.identity.unprotect(place.data)
    _say(f"{path} is in clear now: whoever can read it can open what is sealed.")


def _export(place: _Place) -> None:
    if place.file == _STANDARD:
        sys.stdout.write(_copy(place).decode("ascii"))
        sys.stdout.flush()
        return
    path = Path(place.file)
    with _told(path):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if os.path.lexists(path):  # said before anybody is asked for anything
                raise FileExistsError
            files.create(folder, path.name, _copy(place))
        finally:
            os.close(folder)
    _say(f"{_shown(path)} holds the identity, under the passphrase for the copy.")


def _copy(place: _Place) -> bytes:
    place.unlock()
    new = new_passphrase(place.new_descriptor, "Passphrase for the copy: ")
    with working("Putting the copy under the passphrase …"):
        return place.identity.exported(new)


def _import(place: _Place) -> None:
    other = _other_identity(place)
    with locked(place.data):  # so that nothing is sealed for the one that gives way
        place.identity.take(other, is_first_use=place.is_unused)
    _say(f"The identity is in place: {_shown(place.identity.path)}")
    for newest in place.store.newest(1).ids:
        row = place.store.verified(newest)
        if isinstance(row, Damaged):
            _say(f"The newest credential here does not open with it: {row.reason}.")


def _other_identity(place: _Place) -> OpenedIdentity:
    """Return the identity that is to be imported; where it lies is the user's affair."""
    standard = place.file == _STANDARD
    path = Path("/dev/stdin" if standard else place.file)
    with _told(path), open(0 if standard else path, "rb", closefd=not standard) as source:
        file = source.read(LARGEST_IDENTITY + 1)
    if len(file) > LARGEST_IDENTITY:
        raise StoreUnusable(path, f"it has more than {LARGEST_IDENTITY:,} bytes")
    if not is_wrapped(file):
        return opened(file, Secret(""), path)
    prompt = f"Passphrase of {_shown(path)}: "
    return opened_with(place.descriptor, prompt, lambda given: opened(file, given, path))


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Tell what goes wrong with a file that the user has named."""
    try:
        yield
    except files.UnconfirmedError as unconfirmed:
        found = "Look whether the file is there."
        raise OutcomeUnknown(path, plain_reason(unconfirmed.cause), found) from None
    except FileExistsError:
        raise StoreUnusable(path, "it is there already") from None
    except OSError as error:
        raise StoreUnusable(path, plain_reason(error)) from None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _shown(path: Path) -> str:
    return clean(str(path), most=4096)


_COMMANDS: dict[str, Callable[[_Place], None]] = {
    "show": _show,
    "protect": _protect,
    "unprotect": _unprotect,
    "export": _export,
    "import": _import,
}
