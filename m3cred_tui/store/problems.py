"""What can go wrong with the store."""

import errno
import os
from pathlib import Path

from m3cred_tui.model.credential import Credential
from m3cred_tui.model.problem import Problem

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
    errno.EMLINK: "this file system has no hard links",
}


def plain_reason(error: OSError) -> str:
    """Return what the system's error means, in words that fit after a colon."""
    code = error.errno or 0
    return _WORDS.get(code) or f"the system says “{os.strerror(code)}”"


def reason_unfollowed(error: OSError) -> str:
    """Return the same for a name that was opened with ``O_NOFOLLOW``."""
    return "it is a symbolic link" if error.errno == errno.ELOOP else plain_reason(error)


class StoreUnusable(Problem, code="StoreUnusable"):
    """A directory, a file or a team's store cannot be used.

    ``fix``, if any, is the command that fixes it.
    """

    text = "{path} cannot be used: {reason}.{_run}"
    path: Path | str
    reason: str
    fix: str = ""

    @property
    def _run(self) -> str:
        return f" Run: {self.fix}" if self.fix else ""


class StoreBusy(Problem, code="StoreBusy"):
    text = """Another m3cred is changing the credentials and has not finished (it holds the lock
        {path}). Nothing was changed; try again when it has ended."""
    path: Path | str


class OutcomeUnknown(Problem, code="OutcomeUnknown"):
    """The change is in place, but the disk did not confirm that it would survive a crash.

    ``found`` says what was there when it was read again, as a sentence.
    """

    text = "It is not known whether {path} kept the last change: {reason}. {found}"
    path: Path | str
    reason: str
    found: str = "Check the list of credentials."


class IdentityMissing(Problem, code="IdentityMissing"):
    text = """The identity {path} that the credentials are sealed for is missing. Put it back,
        or move the credentials away to start again."""
    path: Path


class IdentityLocked(Problem, code="IdentityLocked"):
    text = """The identity {path} is under a passphrase that was not entered. Start m3cred again
        and enter it; or, to keep what is on the screen, run m3cred identity unprotect in
        another terminal."""
    path: Path


class WrongPassphrase(Problem, code="WrongPassphrase"):
    text = "{path} does not open: the passphrase is wrong, or the file is damaged."
    path: Path | str


class IdentityInPlace(Problem, code="IdentityInPlace"):
    text = """There is another identity, {path}, and there are credentials. Nothing was changed;
        if they are not sealed for it, move it away first."""
    path: Path


class CannotBeKept(Problem, code="CannotBeKept"):
    """A record of this credential could not be read again, so it was not written."""

    text = "The credential {id} cannot be saved: {reason}."
    id: str
    reason: str


class NameTaken(Problem, code="NameTaken"):
    """Another credential has this name."""

    text = "Another credential already has the name “{name}”.{_instead}"
    name: str
    go_on: str = ""
    _instead = property(lambda self: self.go_on and f" To use another name: {self.go_on}")


class NamedLater(Problem, code="NamedLater"):
    """A pending credential is not renamed: its name is chosen when it is created."""

    text = """“{pending.name}” is pending: its name is chosen when it is created. Run: m3cred
        resume {pending.id} --name NEW-NAME"""
    pending: Credential


class NotSealed(Problem, code="NotSealed"):
    text = "This is not an approval that m3cred has sealed: {reason}."
    reason: str


class AlreadyThere(Problem, code="AlreadyThere"):
    text = "The credential {id} already exists; nothing was changed."
    id: str


class AnsweredElsewhere(Problem, code="AnsweredElsewhere"):
    text = """This authorization was answered or deleted in another m3cred, so nothing was sent
        from here. See the list of credentials."""
    id: str


class NotThere(Problem, code="NotThere"):
    text = "The credential {id} no longer exists."
    id: str


class CredentialDamaged(Problem, code="CredentialDamaged"):
    """The record of this credential cannot be used; it was left as it is."""

    text = "The credential {id} is damaged: {reason}."
    id: str
    reason: str
