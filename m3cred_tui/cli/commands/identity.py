"""``m3cred identity``: show it, protect it by a passphrase, move it to another machine."""

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from m3cred_tui.cli.ending import DONE
from m3cred_tui.cli.output.prompts import (
    PassphraseUnusable,
    new_passphrase,
    opened_with,
    working,
)
from m3cred_tui.cli.output.streams import is_input_closed, put
from m3cred_tui.cli.selecting import Opened, opened
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean_path
from m3cred_tui.store import files
from m3cred_tui.store.identity import LARGEST_IDENTITY, OpenedIdentity, is_wrapped
from m3cred_tui.store.identity import opened as open_identity
from m3cred_tui.store.port import Damaged
from m3cred_tui.store.problems import (
    IdentityLocked,
    OutcomeUnknown,
    StoreUnusable,
    plain_reason,
)

_STANDARD, _INPUT = "-", "standard input"


class NoIdentityYet(Problem, code="NoIdentityYet"):
    """There is no identity yet, as nothing has been sealed."""

    text = """There is no identity yet: {path} is created with the first credential, or by
        m3cred identity protect."""
    path: Path


def run(chosen: Namespace) -> int:
    """Run the command; return its exit status."""
    _VERBS[chosen.verb or "show"](opened(demo=chosen.demo), chosen)
    return DONE


def _unlock(here: Opened, chosen: Namespace) -> bool:
    """Open the identity; return whether it is under a passphrase.

    Any problem with it is raised before the user is asked for the passphrase.
    """
    if not os.path.lexists(here.identity.path) and here.identity.is_unused():
        raise NoIdentityYet(here.identity.path)
    if not here.identity.is_locked():
        here.identity.to_open()
        return False
    here.unlock(chosen.passphrase_fd)
    return True


def _show(here: Opened, chosen: Namespace) -> None:
    locked_up = here.identity.is_locked()
    if not locked_up or chosen.passphrase_fd is not None:
        _unlock(here, chosen)
    try:
        key = str(here.identity.to_open().to_public())
    except IdentityLocked:
        key = "needs the passphrase: m3cred --passphrase-fd N identity"
    _say(f"Identity:    {clean_path(here.identity.path)}")
    _say(f"Public key:  {key}")
    _say(f"Passphrase:  {'yes' if locked_up else 'none'}")


def _protect(here: Opened, chosen: Namespace) -> None:
    new = _new_passphrase(here, chosen, "New passphrase: ", may_be_created=True)
    with working("Putting the identity under the passphrase …"):
        here.identity.protect(new)
    _say(
        f"{clean_path(here.identity.path)} is under the passphrase now. Without it, nobody can "
        "open what is sealed. Where m3cred is running, start it again."
    )


def _unprotect(here: Opened, chosen: Namespace) -> None:
    path = clean_path(here.identity.path)
    if not _unlock(here, chosen):
        _say(f"{path} is not under a passphrase; nothing was changed.")
        return
    here.identity.unprotect()
    _say(f"{path} is in clear now: whoever can read it can open what is sealed.")


def _export(here: Opened, chosen: Namespace) -> None:
    if chosen.file == _STANDARD:
        sys.stdout.write(_copy(here, chosen).decode("ascii"))
        sys.stdout.flush()
        return
    path = Path(chosen.file)
    with _told(path):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            if os.path.lexists(path):  # before the user is asked for anything
                raise FileExistsError
            files.create_anywhere(folder, path.name, _copy(here, chosen))
        finally:
            os.close(folder)
    _say(f"{clean_path(path)} holds the identity, under the passphrase for the copy.")


def _copy(here: Opened, chosen: Namespace) -> bytes:
    new = _new_passphrase(here, chosen, "Passphrase for the copy: ")
    with working("Putting the copy under the passphrase …"):
        return here.identity.exported(new)


def _new_passphrase(
    here: Opened, chosen: Namespace, prompt: str, *, may_be_created: bool = False
) -> Secret:
    """Open the identity, and return the passphrase that it or a copy is put under."""
    is_locked = False
    with suppress(NoIdentityYet) if may_be_created else nullcontext():
        is_locked = _unlock(here, chosen)
    old, new = chosen.passphrase_fd, chosen.new_passphrase_fd
    if not is_locked and old is not None and new is not None and _is_same(old, new):
        reason = "its first line opens an identity under a passphrase, and this one is in clear"
        raise PassphraseUnusable(f"descriptor {new}", reason)
    return new_passphrase(new, prompt)


def _is_same(one: int, other: int) -> bool:
    try:
        return one == other or os.path.sameopenfile(one, other)
    except OSError:  # one is closed, which is said when it is read
        return False


def _import(here: Opened, chosen: Namespace) -> None:
    other = _other_identity(chosen)
    here.identity.take(other)
    _say(f"The identity is in place: {clean_path(here.identity.path)}")
    for newest in here.store.newest(1).ids:
        row = here.store.verified(newest)
        if isinstance(row, Damaged):
            _say(f"The newest credential here does not open with it: {row.reason}.")


def _other_identity(chosen: Namespace) -> OpenedIdentity:
    """Return the identity to be imported, from wherever the user stores it."""
    standard = chosen.file == _STANDARD
    path = _INPUT if standard else Path(chosen.file)
    if standard and is_input_closed():
        raise StoreUnusable(path, "it is closed")
    with _told(path), open(0 if standard else path, "rb", closefd=not standard) as source:
        file = source.read(LARGEST_IDENTITY + 1)
    if len(file) > LARGEST_IDENTITY:
        raise StoreUnusable(path, f"it has more than {LARGEST_IDENTITY:,} bytes")
    if not is_wrapped(file):
        return open_identity(file, Secret(""), path)
    prompt = f"Passphrase of {clean_path(path)}: "
    return opened_with(
        chosen.passphrase_fd, prompt, lambda given: open_identity(file, given, path)
    )


@contextmanager
def _told(path: Path | str) -> Iterator[None]:
    """Turn errors of a file that the user has named into a ``Problem``."""
    try:
        yield
    except files.UnconfirmedError as unconfirmed:
        found = "Check whether the file exists."
        raise OutcomeUnknown(path, plain_reason(unconfirmed.cause), found) from None
    except FileExistsError:
        raise StoreUnusable(path, "it is there already") from None
    except OSError as error:
        raise StoreUnusable(path, plain_reason(error)) from None


def _say(line: str) -> None:
    put(line, sys.stdout)


_VERBS: dict[str, Callable[[Opened, Namespace], None]] = {
    "show": _show,
    "protect": _protect,
    "unprotect": _unprotect,
    "export": _export,
    "import": _import,
}
