"""The sources of a platform's secret key, each read when the key is needed."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.config.entered import secret_key, without_key
from m3cred_tui.config.problems import masked, prefix_of, shown
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.model.text import clean, clean_path
from m3cred_tui.system.process import without_ours

if TYPE_CHECKING:
    from collections.abc import Mapping

    from m3cred_tui.config.locations import Locations
    from m3cred_tui.model.credential import Destination
    from m3cred_tui.store.identity import IdentityFile


_MOST_BYTES = 4096  # of a key, and of what surrounds it

PATIENCE = 30.0
"""Seconds that a command may take."""

_LOOK = 0.05  # seconds between checks whether it has ended, while it prints nothing
_NOT_FOUND = 127  # sh's status for it

_running: set[subprocess.Popen[bytes]] = set()


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

    text = """The sealed secret key of {destination.label} is missing; seal it again with m3cred
        config set {_setting}."""


class NothingToOpenIt(_NotSealed, code="NothingToOpenIt"):
    """The identity that the secret key is sealed for is missing."""

    text = """The identity {path} that the secret key of {destination.label} is sealed for is
        missing; put it back, or seal the key again with m3cred config set {_setting}."""
    path: Path


class NotAKeyFile(Problem, code="NotAKeyFile"):
    """The path of a key file is not absolute."""

    text = "The path of a key file must begin with / or ~/, and this is {quoted}."
    quoted: str


class NotAlone(Problem, code="NotAlone"):
    """The command or the file for the secret key gives more than the key, or nothing."""

    text = "The {source} {verb} {what}; it must be only the key, on one line."
    source: str
    verb: str
    what: str


class CommandHangs(Problem, code="CommandHangs"):
    """The command for the secret key did not end in time, and was stopped."""

    text = """The command did not end within {seconds:g} seconds and was stopped. It cannot ask
        for anything, so unlock what it needs first."""
    seconds: float


class CommandTooLoud(Problem, code="CommandTooLoud"):
    """The command for the secret key printed more than a key."""

    text = f"""The command printed more than {_MOST_BYTES:,} bytes and was stopped; it must
        print only the key."""


class _NoKey(Problem):
    """A command gave no key; ``said`` is the first line of its standard error."""

    text = "The command {how}{_ending}"
    how: str
    said: str

    @property
    def _ending(self) -> str:
        return f": {self.said}" if self.said else "."


class CommandNotFound(_NoKey, code="CommandNotFound"):
    """The shell did not find the command for the secret key."""


class CommandFailed(_NoKey, code="CommandFailed"):
    """The command for the secret key could not be started, failed, or printed nothing."""


def given(text: str, destination: Destination) -> KeySource:
    """Return a key from the environment; raises what :func:`secret_key` does."""
    return Given(secret_key(text, destination))


def secret_id(text: str, _subject: object) -> KeySource:
    """Return a secret id from the environment, which has no form of its own."""
    return Given(Secret(text.strip()))


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
        raise NotAKeyFile(shown(entered))
    return FromFile(path)


def sealed(_text: str, _destination: Destination) -> KeySource:
    """Return the source that is a key which m3cred has sealed."""
    return Sealed()


def described(source: KeySource) -> tuple[str, str]:
    """Return what a source is called in JSON, and what may be seen of it."""
    match source:
        case Given(key):
            return "environment", prefix_of(key)
        case FromCommand(command):
            return "command", masked(clean(command))
        case FromFile(path):
            return "file", masked(clean_path(path))
        case Sealed():
            return "sealed", ""


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
            line = _only_line(output_of(command, environ), "command", "printed")
        case FromFile(path):
            line = _only_line(_content(path), "file", "holds")
        case Sealed():
            return _unsealed(places, destination, identity)
    return secret_key(line, destination)


def text_from(source: KeySource, environ: Mapping[str, str]) -> Secret:
    """Return the line that a source gives, whatever it is; raises ``Problem``."""
    match source:
        case Given(key):
            return key
        case FromCommand(command):
            return Secret(_only_line(output_of(command, environ), "command", "printed"))
        case FromFile(path):
            return Secret(_only_line(_content(path), "file", "holds"))
    raise AssertionError  # nothing else is sealed


def _unsealed(places: Locations, destination: Destination, identity: IdentityFile) -> Secret:
    from m3cred_tui.store.platform_keys import kept_key  # noqa: PLC0415 - seldom needed
    from m3cred_tui.store.problems import IdentityMissing  # noqa: PLC0415 - the same

    try:
        return kept_key(places.keys, destination, identity)
    except FileNotFoundError:
        raise NoSealedKey(destination) from None
    except IdentityMissing as missing:
        raise NothingToOpenIt(destination, missing.path) from None


def _content(path: Path) -> bytes:
    """Read a file as ssh reads its keys: private to this user, also behind a link."""
    from m3cred_tui.store.files import FlawError, read_private  # noqa: PLC0415 - seldom needed
    from m3cred_tui.store.problems import StoreUnusable, plain_reason  # noqa: PLC0415 - the same

    try:
        real = Path(os.path.realpath(path, strict=True))
        folder = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return read_private(folder, real.name, path, most=_MOST_BYTES)
        finally:
            os.close(folder)
    except FlawError as flaw:
        raise StoreUnusable(path, flaw.reason, flaw.fix) from None
    except OSError as error:
        raise StoreUnusable(path, plain_reason(error)) from None


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


def output_of(command: str, environ: Mapping[str, str], seconds: float = PATIENCE) -> bytes:
    """Return what a command line of ``/bin/sh`` prints.

    It gets nothing to read, a session of its own without a terminal, and none of m3cred's
    variables, some of which may be keys. Raises :class:`CommandHangs`,
    :class:`CommandTooLoud`, :class:`CommandNotFound` and :class:`CommandFailed`.
    """
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command line is wanted
            ["/bin/sh", "-c", command],
            env=without_ours(environ, has_token=True),  # it may be bao kv get
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except (OSError, ValueError) as error:  # ValueError: a null byte
        raise CommandFailed("could not be started", clean(str(error))) from None
    _running.add(process)
    with process:
        try:
            printed, said = _heard(process, time.monotonic() + seconds, seconds)
        finally:
            _end(process)
            _running.discard(process)
    return _judged(process.returncode, printed, said)


def end_running() -> None:
    """End the commands that still run, as m3cred ends and nobody needs their output."""
    for process in list(_running):
        _end(process)


def _heard(process: subprocess.Popen[bytes], deadline: float, seconds: float) -> list[bytes]:
    """Return what it has written to each of its outputs by its end."""
    printed, said = bytearray(), bytearray()
    with selectors.DefaultSelector() as open_pipes:
        for pipe, written in ((process.stdout, printed), (process.stderr, said)):
            if pipe:
                open_pipes.register(pipe, selectors.EVENT_READ, written)
        while open_pipes.get_map():
            left = deadline - time.monotonic()
            if left <= 0:
                raise CommandHangs(seconds)
            has_ended = process.poll() is not None
            ready = open_pipes.select(0 if has_ended else min(left, _LOOK))
            for key, _ in ready:
                if not _take(key.fd, key.data):
                    open_pipes.unregister(key.fileobj)
            if len(printed) > _MOST_BYTES:
                raise CommandTooLoud
            # A daemon that it has started may keep the pipes open forever.
            if has_ended and not ready:
                break
    try:
        process.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise CommandHangs(seconds) from None
    return [bytes(printed), bytes(said)]


def _take(descriptor: int, written: bytearray) -> bool:
    """Read more, keep what is useful, and return whether there may be more."""
    chunk = os.read(descriptor, _MOST_BYTES)
    if len(written) <= _MOST_BYTES:
        written += chunk
    return bool(chunk)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it and all that it has started, unless it has ended by itself."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)


def _judged(status: int, printed: bytes, said: bytes) -> bytes:
    words = said.decode("utf-8", "replace").strip().splitlines()
    first = masked(clean(words[0])) if words else ""
    if status == _NOT_FOUND:
        raise CommandNotFound("was not found", first)
    if status < 0:
        raise CommandFailed(f"was ended by signal {-status}", first)
    if status:
        raise CommandFailed(f"failed with status {status}", first)
    if not printed.strip():
        raise CommandFailed("printed nothing", first)
    return printed
