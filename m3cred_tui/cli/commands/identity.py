"""``m3cred identity``: show it, put it under a passphrase, move it to another machine."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from m3cred_tui.cli.ending import DONE
from m3cred_tui.cli.output.prompts import new_passphrase, opened_with, unlock, working
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

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Iterator


_STANDARD = "-"


class NoIdentityYet(Problem):
    """Nothing has been sealed so far."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"There is no identity yet: {_shown(path)} is made with the first credential, or "
            "by m3cred identity protect."
        )
        self.path = path


def run(chosen: Namespace) -> int:
    """Do what was chosen on the command line; return the exit status."""
    _VERBS[chosen.verb or "show"](_Session(chosen))
    return DONE


class _Session:
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
        unlock(self.identity, self.descriptor)
        return True


def _show(session: _Session) -> None:
    locked_up = session.identity.is_locked()
    if not locked_up or session.descriptor is not None:
        session.unlock()
    try:
        key = str(session.identity.to_open().to_public())
    except IdentityLocked:
        key = "told with the passphrase only: m3cred --passphrase-fd N identity"
    _say(f"Identity:    {_shown(session.identity.path)}")
    _say(f"Public key:  {key}")
    _say(f"Passphrase:  {'yes' if locked_up else 'none'}")


def _protect(session: _Session) -> None:
    with suppress(NoIdentityYet):  # it is then made under the passphrase
        session.unlock()
    new = new_passphrase(session.new_descriptor, "New passphrase: ")
    with working("Putting the identity under the passphrase …"):
        session.identity.protect(new, session.data, is_first_use=session.is_unused)
    _say(
        f"{_shown(session.identity.path)} is under the passphrase now. Without it, nobody can "
        "open what is sealed. Where m3cred is running, start it again."
    )


def _unprotect(session: _Session) -> None:
    path = _shown(session.identity.path)
    if not session.unlock():
        _say(f"{path} is not under a passphrase; nothing was changed.")
        return
    session.identity.unprotect(session.data)
    _say(f"{path} is in clear now: whoever can read it can open what is sealed.")


def _export(session: _Session) -> None:
    if session.file == _STANDARD:
        sys.stdout.write(_copy(session).decode("ascii"))
        sys.stdout.flush()
        return
    path = Path(session.file)
    with _told(path):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if os.path.lexists(path):  # said before anybody is asked for anything
                raise FileExistsError
            files.create(folder, path.name, _copy(session))
        finally:
            os.close(folder)
    _say(f"{_shown(path)} holds the identity, under the passphrase for the copy.")


def _copy(session: _Session) -> bytes:
    session.unlock()
    new = new_passphrase(session.new_descriptor, "Passphrase for the copy: ")
    with working("Putting the copy under the passphrase …"):
        return session.identity.exported(new)


def _import(session: _Session) -> None:
    other = _other_identity(session)
    with locked(session.data):  # so that nothing is sealed for the one that gives way
        session.identity.take(other, is_first_use=session.is_unused)
    _say(f"The identity is in place: {_shown(session.identity.path)}")
    for newest in session.store.newest(1).ids:
        row = session.store.verified(newest)
        if isinstance(row, Damaged):
            _say(f"The newest credential here does not open with it: {row.reason}.")


def _other_identity(session: _Session) -> OpenedIdentity:
    """Return the identity that is to be imported; where it lies is the user's affair."""
    standard = session.file == _STANDARD
    path = Path("/dev/stdin" if standard else session.file)
    with _told(path), open(0 if standard else path, "rb", closefd=not standard) as source:
        file = source.read(LARGEST_IDENTITY + 1)
    if len(file) > LARGEST_IDENTITY:
        raise StoreUnusable(path, f"it has more than {LARGEST_IDENTITY:,} bytes")
    if not is_wrapped(file):
        return opened(file, Secret(""), path)
    prompt = f"Passphrase of {_shown(path)}: "
    return opened_with(session.descriptor, prompt, lambda given: opened(file, given, path))


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


_VERBS: dict[str, Callable[[_Session], None]] = {
    "show": _show,
    "protect": _protect,
    "unprotect": _unprotect,
    "export": _export,
    "import": _import,
}
