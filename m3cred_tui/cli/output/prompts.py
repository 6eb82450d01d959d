"""Questions on the terminal, passphrases above all, and how far something is."""

from __future__ import annotations

import errno
import os
import select
import signal
import sys
import termios
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn, TypeVar

from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.problems import WrongPassphrase, plain_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from m3cred_tui.store.identity import IdentityFile

    Handler = Callable[[int, FrameType | None], object] | signal.Handlers | int | None


def is_in_foreground(terminal: int) -> bool:
    """Tell whether this job may read the terminal and change its modes."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:  # it is not the controlling terminal: nobody is stopped
        return True


T = TypeVar("T")

LONGEST_PASSPHRASE = 1024
"""Bytes of UTF-8."""

_TRIES = 3
_NOTICE_SECONDS = 0.5
_FLAGS_LOCAL = 3  # of what tcgetattr returns


class NoTerminal(Problem, code="NoTerminal"):
    """There is no terminal to ask for a passphrase on."""

    text = """There is no terminal to ask for a passphrase on; m3cred --help says how to give it
        from a file descriptor."""


class PassphraseUnusable(Problem, code="PassphraseUnusable"):
    """The passphrase that was given cannot be used."""

    text = "The passphrase from {source} cannot be used: {reason}."
    source: str
    reason: str


class PassphraseEmpty(PassphraseUnusable, code="PassphraseEmpty"):
    """The passphrase that was given is empty."""

    reason: str = "it is empty"


class PassphrasesDiffer(Problem, code="PassphrasesDiffer"):
    """A new passphrase was not typed the same way twice."""

    text = "The two passphrases are not the same; nothing was changed."


def asked(prompt: str) -> Secret:
    """Ask on the controlling terminal, without showing what is typed; may be empty.

    The terminal is as before when this returns, and also when Ctrl+C or a signal ends it.
    Raises :class:`NoTerminal` and :class:`PassphraseUnusable`.
    """
    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
    except OSError:
        raise NoTerminal from None
    try:
        with _hidden(terminal, prompt):
            try:
                _wait_for_line(terminal)
                return _secret(_line(terminal), "the terminal")
            finally:
                os.write(terminal, b"\n")
    except (OSError, termios.error) as error:
        reason = plain_reason(OSError(*error.args))
        raise PassphraseUnusable("the terminal", reason) from None
    finally:
        os.close(terminal)


def from_descriptor(number: int) -> Secret:
    """Return the next line of an open descriptor; what follows it stays unread.

    Raises :class:`PassphraseUnusable`.
    """
    source = f"descriptor {number}"
    try:
        if os.isatty(number):
            raise PassphraseUnusable(source, "a terminal would show it")
        os.set_inheritable(number, False)  # noqa: FBT003 - it takes no name
        passphrase = _secret(_line(number), source)
    except OSError as error:
        closed = error.errno == errno.EBADF
        reason = "it is not open for reading" if closed else plain_reason(error)
        raise PassphraseUnusable(source, reason) from None
    if not passphrase:
        raise PassphraseEmpty(source)
    return passphrase


def new_passphrase(descriptor: int | None, prompt: str) -> Secret:
    """Return a new passphrase: from the descriptor, or asked for twice.

    Raises what :func:`asked` and :func:`from_descriptor` do, and :class:`PassphrasesDiffer`.
    """
    if descriptor is not None:
        return from_descriptor(descriptor)
    passphrase = asked(prompt)
    if not passphrase:
        raise PassphraseEmpty("the terminal")
    if asked("The same again: ").reveal() != passphrase.reveal():
        raise PassphrasesDiffer
    return passphrase


def opened_with(descriptor: int | None, prompt: str, to_open: Callable[[Secret], T]) -> T:
    """Return what ``to_open`` makes of a passphrase; who is asked for it has three tries.

    Raises what :func:`asked` and :func:`from_descriptor` do, and what ``to_open`` does.
    """
    for tries_left in reversed(range(_TRIES)):
        given = from_descriptor(descriptor) if descriptor is not None else asked(prompt)
        if not given:
            raise PassphraseEmpty("the terminal")
        try:
            with working("Opening the identity …"):
                return to_open(given)
        except WrongPassphrase as wrong:
            if descriptor is not None or not tries_left:
                raise
            sys.stderr.write(f"m3cred: {wrong}\n")
    raise AssertionError


def unlocked_for_start(identity: IdentityFile, descriptor: int | None) -> None:
    """Unlock the identity if need be; on the terminal, an empty answer leaves it locked.

    Raises what :func:`opened_with` does.
    """
    if not identity.is_locked():
        return
    prompt = "Passphrase of the identity (Enter alone: only look at the list): "
    try:
        opened_with(descriptor, prompt, identity.unlock)
    except PassphraseEmpty:
        if descriptor is not None:
            raise


@contextmanager
def working(sentence: str) -> Iterator[None]:
    """Say on a terminal what takes seconds in this block, and let Ctrl+C end it at once.

    Python would notice it only when scrypt is done.
    """
    with _handled({signal.SIGINT: signal.SIG_DFL}):
        if sys.stderr.isatty():
            sys.stderr.write(f"{sentence}\n")
            sys.stderr.flush()
        yield


def _wait_for_line(terminal: int) -> None:
    """Wait for an answer, and notice a signal that came just before the wait, too.

    Python runs no handler while it reads, and nobody may ever answer. In the background it does
    not wait: who reads there is stopped, as the shell says, and goes on in the foreground.
    """
    while is_in_foreground(terminal):
        if select.select([terminal], [], [], _NOTICE_SECONDS)[0]:
            break


def _line(file: int) -> bytes:
    """Read a line byte by byte, as the next one may be for somebody else."""
    line = b""
    while len(line) <= LONGEST_PASSPHRASE and (byte := os.read(file, 1)) not in {b"", b"\n"}:
        line += byte
    return line


def _secret(line: bytes, source: str) -> Secret:
    if len(line) > LONGEST_PASSPHRASE:
        reason = f"it has more than {LONGEST_PASSPHRASE:,} bytes"
        raise PassphraseUnusable(source, reason)
    try:
        return Secret(line.removesuffix(b"\r").decode())
    except UnicodeDecodeError:
        # Without its cause, which holds the line.
        raise PassphraseUnusable(source, "it is not UTF-8") from None


@contextmanager
def _hidden(terminal: int, prompt: str) -> Iterator[None]:
    """Ask, and show nothing of what is typed during a block."""
    before = termios.tcgetattr(terminal)
    hidden = [*before]
    hidden[_FLAGS_LOCAL] = before[_FLAGS_LOCAL] & ~termios.ECHO

    def ask(*_: object) -> None:
        # Who is stopped for that in the background does not get over it: an interrupted read is
        # taken up again, an interrupted tcsetattr is an error.
        if is_in_foreground(terminal):
            termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
            os.write(terminal, prompt.encode())

    # After Ctrl+Z, the shell may have the terminal show what is typed.
    handlers: dict[int, Handler] = {signal.SIGCONT: ask}
    with _handled(handlers | dict.fromkeys((signal.SIGTERM, signal.SIGHUP), _end)):
        try:
            ask()
            yield
        finally:
            if is_in_foreground(terminal):
                with suppress(termios.error):  # it may be gone
                    termios.tcsetattr(terminal, termios.TCSAFLUSH, before)


def _end(number: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + number)  # what a shell says of who dies by it


@contextmanager
def _handled(handlers: dict[int, Handler]) -> Iterator[None]:
    """Handle these signals so during a block, but those that are ignored."""
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_PAUSE = 0.1  # seconds; a slow line is not to wait for this
_TO_START_AND_CLEAR = "\r\x1b[K"


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Give what shows a line in the place of the one before; the last is cleared at the end.

    Where standard error is no terminal, nothing is written.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM", "") in {"", "dumb"}:
        yield lambda _line: None
        return
    due = 0.0

    def show(line: str) -> None:
        nonlocal due
        if time.monotonic() >= due:
            _write(_TO_START_AND_CLEAR + line)
            due = time.monotonic() + _PAUSE

    try:
        yield show
    finally:
        _write(_TO_START_AND_CLEAR)


def _write(text: str) -> None:
    with suppress(OSError):  # the terminal may have gone
        sys.stderr.write(text)
        sys.stderr.flush()
