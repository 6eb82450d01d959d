"""Where a platform's secret key comes from, and getting it from there, when it is needed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.config.entered import secret_key, without_key
from m3cred_tui.config.problems import NotAKeyFile
from m3cred_tui.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.config.locations import Locations
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.model.secret import Secret
    from m3cred_tui.store.identity import IdentityFile


class Given(NamedTuple):
    """The environment holds it."""

    key: Secret


class FromCommand(NamedTuple):
    """A command line for ``/bin/sh`` prints it."""

    command: str


class FromFile(NamedTuple):
    """A file of this user alone holds it."""

    path: Path


class Sealed(NamedTuple):
    """m3cred has sealed it."""


KeySource = Given | FromCommand | FromFile | Sealed


class _NotSealed(Problem):
    """The key can be sealed again."""

    destination: Destination

    @property
    def _setting(self) -> str:
        return f"{self.destination.code.lower()}.secret_key"


class NoSealedKey(_NotSealed, code="NoSealedKey"):
    """The settings say that the key is sealed, and it is missing."""

    text = """The sealed secret key of {destination.label} is not there; seal it again with
        m3cred config set {_setting}."""


class NothingToOpenIt(_NotSealed, code="NothingToOpenIt"):
    """The identity that the secret key is sealed for is missing."""

    text = """The identity {path} that the secret key of {destination.label} is sealed for is
        missing; put it back, or seal the key again with m3cred config set {_setting}."""
    path: Path


class NotAlone(Problem, code="NotAlone"):
    """The command or the file for the secret key gives more than the key, or nothing."""

    text = "The {source} {verb} {what}; it is to be the key alone, on one line."
    source: str
    verb: str
    what: str


def given(text: str, destination: Destination) -> KeySource:
    """Return a key from the environment; raises what :func:`secret_key` does."""
    return Given(secret_key(text, destination))


def from_command(text: str, _destination: Destination) -> KeySource:
    """Return the source of a command line; raises ``NothingEntered`` and ``KeyInClear``."""
    return FromCommand(without_key(text, "command"))


def from_file(text: str, _destination: Destination) -> KeySource:
    """Return the source of a path, in which ``~/`` is this user's home.

    Raises ``NothingEntered``, ``KeyInClear`` and ``NotAKeyFile``.
    """
    entered = without_key(text, "path")
    path = Path(os.path.expanduser(entered))  # noqa: PTH111 - leaves an unknown ~user as it is
    if not path.is_absolute() or "\0" in entered:
        raise NotAKeyFile(entered)
    return FromFile(path)


def key_from(
    source: KeySource,
    destination: Destination,
    places: Locations,
    identity: IdentityFile,
    environ: Mapping[str, str],
) -> Secret:
    """Return the key that a source gives, checked; may block until a command ends.

    Raises ``Problem``: what :func:`secret_key` does, and what is wrong with the source.
    """
    match source:
        case Given(key):
            return key
        case FromCommand(command):
            from m3cred_tui.config.key_command import output_of  # noqa: PLC0415 - seldom needed

            line = _only_line(output_of(command, environ), "command", "printed")
        case FromFile(path):
            line = _only_line(_content(path), "file", "holds")
        case Sealed():
            return _unsealed(places, destination, identity)
    return secret_key(line, destination)


def _unsealed(places: Locations, destination: Destination, identity: IdentityFile) -> Secret:
    from m3cred_tui.store.platform_keys import kept_key  # noqa: PLC0415 - seldom needed
    from m3cred_tui.store.problems import IdentityMissing  # noqa: PLC0415 - likewise

    try:
        return kept_key(places.keys, destination, identity)
    except FileNotFoundError:
        raise NoSealedKey(destination) from None
    except IdentityMissing as missing:
        raise NothingToOpenIt(destination, missing.path) from None


def _content(path: Path) -> bytes:
    """Read a file as ssh reads its keys: of this user alone, where a link leads to, too."""
    from m3cred_tui.store.files import FlawError, read_private  # noqa: PLC0415 - seldom needed
    from m3cred_tui.store.problems import StoreUnusable, plain_reason  # noqa: PLC0415 - likewise

    try:
        real = Path(os.path.realpath(path, strict=True))
        folder = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return read_private(folder, real.name, path, most=_MOST_BYTES)
        finally:
            os.close(folder)
    except FlawError as flaw:
        raise StoreUnusable(path, flaw.reason, flaw.mend) from None
    except OSError as error:
        raise StoreUnusable(path, plain_reason(error)) from None


_MOST_BYTES = 4096


def _only_line(data: bytes, source: str, verb: str) -> str:
    try:
        lines = data.decode().strip().splitlines()
    except UnicodeDecodeError:
        raise NotAlone(source, verb, "what is not UTF-8") from None
    if not lines:
        raise NotAlone(source, verb, "nothing")
    if len(lines) > 1:
        raise NotAlone(source, verb, f"{len(lines)} lines")
    return lines[0]
