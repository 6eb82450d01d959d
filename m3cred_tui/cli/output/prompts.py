"""Questions on the terminal: passphrases, yes or no; and progress."""

import errno
import os
import select
import signal
import sys
import termios
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn, TypeVar

from m3cred_tui.cli.output.streams import complain, harmless, is_dumb, is_input_closed, laid
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.problems import WrongPassphrase, plain_reason
from m3cred_tui.system.terminal import Echo, is_in_foreground, takes_output

Handler = Callable[[int, FrameType | None], object] | signal.Handlers | int | None
T = TypeVar("T")

LONGEST_PASSPHRASE = 1024
"""Bytes of UTF-8."""
SHORTEST_PASSPHRASE = 8
"""Characters of a new one; NIST SP 800-63B-4, section 3.1.1.2, allows no shorter password, not
even next to something that one has, such as the file."""

_INPUT, _ERRORS = 0, 2
_TRIES = 3
_NOTICE_SECONDS = 0.5
_ENDING = (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM)


class NoTerminal(Problem, code="NoTerminal"):
    """There is no terminal to ask for a passphrase on."""

    text = """There is no terminal to ask for a passphrase on; m3cred --help explains how to
        pass it by a file descriptor."""


class PassphraseUnusable(Problem, code="PassphraseUnusable"):
    """The passphrase that was given cannot be used."""

    text = "The passphrase from {source} cannot be used: {reason}."
    source: str
    reason: str


class PassphraseEmpty(PassphraseUnusable, code="PassphraseEmpty"):
    """The passphrase that was given is empty."""

    reason: str = "it is empty"


class PassphraseTooShort(PassphraseUnusable, code="PassphraseTooShort"):
    """The new passphrase has fewer than 8 characters."""

    reason: str = f"it has fewer than {SHORTEST_PASSPHRASE} characters; take a few words"


class PassphrasesDiffer(Problem, code="PassphrasesDiffer"):
    """A new passphrase was not typed the same way twice."""

    text = "The two passphrases are not the same; nothing was changed."


def asked(prompt: str) -> Secret:
    """Ask on the controlling terminal, without echo; the answer may be empty.

    The terminal's modes are restored, also when Ctrl+C or a signal ends this.
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
                if takes_output(terminal):
                    os.write(terminal, b"\n")
    except (OSError, termios.error) as error:
        reason = plain_reason(OSError(*error.args))
        raise PassphraseUnusable("the terminal", reason) from None
    finally:
        os.close(terminal)


def from_descriptor(number: int, *, is_last: bool = False) -> Secret:
    """Return the next line of an open descriptor; the rest stays unread.

    If it ``is_last``, another line is a mistake: this one may be meant for something else.
    Raises :class:`PassphraseUnusable`.
    """
    source = f"descriptor {number}"
    try:
        if number == _INPUT and is_input_closed():
            raise PassphraseUnusable(source, "standard input is closed")
        if os.isatty(number):
            raise PassphraseUnusable(source, "a terminal would show it")
        os.set_inheritable(number, False)  # noqa: FBT003 - it takes no keyword
        passphrase = _secret(_line(number), source)
        if is_last and _holds_more(number):
            raise PassphraseUnusable(source, "another line follows it")
    except OSError as error:
        closed = error.errno == errno.EBADF
        reason = "it is not open for reading" if closed else plain_reason(error)
        raise PassphraseUnusable(source, reason) from None
    if not passphrase:
        raise PassphraseEmpty(source)
    return passphrase


def new_passphrase(descriptor: int | None, prompt: str) -> Secret:
    """Return a new passphrase: the last line of the descriptor, or asked for twice.

    At the terminal there are three tries, and Enter alone ends them. Raises what :func:`asked`
    and :func:`from_descriptor` do, :class:`PassphraseTooShort` and :class:`PassphrasesDiffer`.
    """
    if descriptor is not None:
        given = from_descriptor(descriptor, is_last=True)
        return _long_enough(given, f"descriptor {descriptor}")
    for tries_left in reversed(range(_TRIES)):
        try:
            return _typed_twice(prompt)
        except (PassphraseTooShort, PassphrasesDiffer) as problem:
            if not tries_left:
                raise
            complain(str(problem))
    raise AssertionError


def _typed_twice(prompt: str) -> Secret:
    passphrase = asked(prompt)
    if not passphrase:
        raise PassphraseEmpty("the terminal")
    _long_enough(passphrase, "the terminal")
    if asked("The same again: ").reveal() != passphrase.reveal():
        raise PassphrasesDiffer
    return passphrase


def _long_enough(passphrase: Secret, source: str) -> Secret:
    if len(passphrase.reveal()) < SHORTEST_PASSPHRASE:
        raise PassphraseTooShort(source)
    return passphrase


def opened_with(descriptor: int | None, prompt: str, to_open: Callable[[Secret], T]) -> T:
    """Return what ``to_open`` returns for a passphrase; at the terminal there are three tries.

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
            complain(str(wrong))
    raise AssertionError


def unlock(
    identity: IdentityFile, descriptor: int | None, *, is_optional: bool = False
) -> None:
    """Unlock the identity if it is under a passphrase.

    If that is optional, Enter alone on the terminal leaves it locked. Raises what
    :func:`opened_with` does.
    """
    if not identity.is_locked():
        return
    otherwise = " (Enter alone: only look at the list)" if is_optional else ""
    try:
        opened_with(descriptor, f"Passphrase of the identity{otherwise}: ", identity.unlock)
    except PassphraseEmpty:
        if descriptor is not None or not is_optional:
            raise


def is_typed() -> bool:
    """Return whether standard input is a terminal, with this job in its foreground."""
    return sys.stdin.isatty() and is_in_foreground(_INPUT)


def can_ask() -> bool:
    """Return whether the user can see a question, and answer it."""
    return is_typed() and sys.stderr.isatty()


async def says_yes(question: str) -> bool:
    """Ask a yes-or-no question on the terminal; anything but y or yes means no.

    Call it only if :func:`can_ask`. A job that is sent to the background waits until it is back
    in the foreground, as reading the terminal would stop it.
    """
    import asyncio  # noqa: PLC0415 - takes 40 ms, and most commands ask nothing

    loop = asyncio.get_running_loop()
    _write(f"{laid(f'{question} [y/N]', sys.stderr)} ")
    try:
        while True:
            typed = asyncio.Event()
            loop.add_reader(_INPUT, typed.set)
            try:
                await typed.wait()
            finally:
                loop.remove_reader(_INPUT)
            if is_in_foreground(_INPUT):
                break
            await asyncio.sleep(_NOTICE_SECONDS)  # the line was typed for the shell
    except asyncio.CancelledError:
        _write("\n")  # what is said next begins a line
        raise
    try:
        answer = os.read(_INPUT, LONGEST_PASSPHRASE)
    except OSError:  # EIO: the terminal has gone
        return False
    return answer.strip().lower() in {b"y", b"yes"}


@contextmanager
def working(sentence: str) -> Iterator[None]:
    """Announce on a terminal what takes seconds in this block, and let Ctrl+C end it.

    Python's own handler would run only when scrypt is done.
    """
    with handled({signal.SIGINT: signal.SIG_DFL}):
        if sys.stderr.isatty():
            sys.stderr.write(f"{sentence}\n")
            sys.stderr.flush()
        yield


def _wait_for_line(terminal: int) -> None:
    """Wait for an answer, and notice even a signal that came just before the wait.

    Python runs no handler while it reads, and there may never be an answer. In the background
    this does not wait: reading stops the job, which continues in the foreground.
    """
    while is_in_foreground(terminal):
        if select.select([terminal], [], [], _NOTICE_SECONDS)[0]:
            break


def _line(file: int) -> bytes:
    """Read a line byte by byte, as the next one may be for another reader."""
    line = b""
    while len(line) <= LONGEST_PASSPHRASE and (byte := os.read(file, 1)) not in {b"", b"\n"}:
        line += byte
    return line


def _holds_more(file: int) -> bool:
    """Tell whether more can be read now; the end of a pipe is not waited for."""
    poll = select.poll()
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0)) and os.read(file, 1) != b""


def _secret(line: bytes, source: str) -> Secret:
    if len(line) > LONGEST_PASSPHRASE:
        reason = f"it has more than {LONGEST_PASSPHRASE:,} bytes"
        raise PassphraseUnusable(source, reason)
    try:
        return Secret(line.removesuffix(b"\r").decode())
    except UnicodeDecodeError:
        # Without its cause, which contains the line.
        raise PassphraseUnusable(source, "it is not UTF-8") from None


@contextmanager
def _hidden(terminal: int, prompt: str) -> Iterator[None]:
    """Ask, and turn echo off during the block."""
    shown = harmless(prompt, sys.stderr).encode(sys.stderr.encoding, "replace")
    echo = Echo(terminal)

    def ask(*_: object) -> None:
        # In the background this would stop the job for good: an interrupted read is
        # resumed, an interrupted tcsetattr is an error.
        if is_in_foreground(terminal):
            echo.turn_off()
            os.write(terminal, shown)

    def end(number: int, _frame: object) -> NoReturn:
        echo.restore()
        if number == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + number)  # the status that a shell gives for a signal

    with handled({**dict.fromkeys(_ENDING, end), signal.SIGCONT: ask}), echo:
        ask()
        yield


@contextmanager
def handled(handlers: Mapping[int, Handler]) -> Iterator[None]:
    """Handle these signals in this way during a block, except those that are ignored."""
    before = {number: signal.getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


_PAUSE = 0.1  # seconds; a slow connection must not have to wait for this
_TO_START_AND_CLEAR = "\r\x1b[K"


@contextmanager
def progress() -> Iterator[Callable[[str], None]]:
    """Yield a function that shows a line in place of the previous one, cleared at the end.

    If standard error is not a terminal, nothing is written.
    """
    if not sys.stderr.isatty() or is_dumb():
        yield lambda _line: None
        return
    due = 0.0

    def show(line: str) -> None:
        nonlocal due
        if time.monotonic() >= due and takes_output(_ERRORS):
            _write(_TO_START_AND_CLEAR + line)
            due = time.monotonic() + _PAUSE

    try:
        yield show
    finally:
        if takes_output(_ERRORS):
            _write(_TO_START_AND_CLEAR)


def _write(text: str) -> None:
    with suppress(OSError):  # the terminal may have gone
        sys.stderr.write(text)
        sys.stderr.flush()
