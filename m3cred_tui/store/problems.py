"""What can go wrong with the store."""

import errno
import os
from pathlib import Path

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean

_LONGEST_PATH = 4096

_WORDS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
    errno.EPERM: "the operation is not permitted",
    errno.EIO: "the disk reports an error",
    errno.ENOENT: "it is not there",
    errno.ENOTDIR: "a part of its path is not a directory",
    errno.EISDIR: "it is a directory",
    errno.ELOOP: "it links to itself",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.ESTALE: "the file server has lost it",
    errno.EMLINK: "this file system takes no more links to a file",
}


def plain_reason(error: OSError) -> str:
    """Return what the system's error means, in words that fit after a colon."""
    code = error.errno or 0
    return _WORDS.get(code) or f"the system says “{os.strerror(code)}”"


def reason_unfollowed(error: OSError) -> str:
    """As :func:`plain_reason`, of a name that was opened with ``O_NOFOLLOW``."""
    return "it is a symbolic link" if error.errno == errno.ELOOP else plain_reason(error)


def _shown(path: Path) -> str:
    return clean(str(path), most=_LONGEST_PATH)


class StoreUnusable(Problem):
    """A directory or file of the store cannot be used; ``mend``, if any, is the command."""

    def __init__(self, path: Path, reason: str, mend: str = "") -> None:
        run = f" Run: {clean(mend, most=_LONGEST_PATH)}" if mend else ""
        super().__init__(f"{_shown(path)} cannot be used: {reason}.{run}")
        self.path = path
        self.reason = reason
        self.mend = mend


class StoreBusy(Problem):
    """Another process keeps the store's lock; nothing was changed."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"Another m3cred is changing the credentials and does not finish (it holds the "
            f"lock {_shown(path)}). Nothing was changed; try again when it has ended."
        )
        self.path = path


class OutcomeUnknown(Problem):
    """The change is in place, but the disk did not confirm that it would survive a crash.

    ``found`` says what was there when it was read again, as a sentence.
    """

    def __init__(self, path: Path, reason: str, found: str = "") -> None:
        read = found or "Look at the list of credentials for what is there."
        super().__init__(
            f"Whether {_shown(path)} keeps the last change is not known: {reason}. {read}"
        )
        self.path = path
        self.reason = reason


class IdentityMissing(Problem):
    """There are credentials, but not the identity that they are sealed for."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The identity {_shown(path)} that the credentials are sealed for is missing. "
            "Put it back, or move the credentials away to begin anew."
        )
        self.path = path


class IdentityLocked(Problem):
    """The identity is under a passphrase that this process was not given."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The identity {_shown(path)} is under a passphrase that was not entered. Start "
            "m3cred again and enter it; or, so as not to lose what is on the screen, run "
            "m3cred identity unprotect in another terminal."
        )
        self.path = path


class WrongPassphrase(Problem):
    """An identity does not open with this passphrase."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{_shown(path)} does not open: the passphrase is wrong, or the file is damaged."
        )
        self.path = path


class IdentityInPlace(Problem):
    """Credentials are sealed for the identity that is there; it was left as it is."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"There is another identity, {_shown(path)}, and there are credentials. Nothing "
            "was changed; if they are not sealed for it, move it away first."
        )
        self.path = path


class CannotBeKept(Problem):
    """A record of this credential could not be read again, so it was not written."""

    def __init__(self, credential_id: str, reason: str) -> None:
        super().__init__(f"The credential {clean(credential_id)} cannot be saved: {reason}.")
        self.id = credential_id
        self.reason = reason


class AlreadyThere(Problem):
    """A credential with this ID exists; it was left as it is."""

    def __init__(self, credential_id: str) -> None:
        super().__init__(
            f"The credential {clean(credential_id)} is already there; nothing was changed."
        )
        self.id = credential_id


class AnsweredElsewhere(Problem):
    """Another process has sent the code of this authorization, or its request was deleted."""

    def __init__(self, credential_id: str) -> None:
        super().__init__(
            "This authorization was answered or deleted in another m3cred, so nothing was sent "
            "from here. See the list of credentials."
        )
        self.id = credential_id


class NotThere(Problem):
    """There is no credential with this ID, or no longer."""

    def __init__(self, credential_id: str) -> None:
        super().__init__(f"The credential {clean(credential_id)} is not there any more.")
        self.id = credential_id


class CredentialDamaged(Problem):
    """The record of this credential cannot be used; it was left as it is."""

    def __init__(self, credential_id: str, reason: str) -> None:
        super().__init__(f"The credential {clean(credential_id)} is damaged: {reason}.")
        self.id = credential_id
        self.reason = reason
