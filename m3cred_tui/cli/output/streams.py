"""Standard output and standard error, whatever they are connected to."""

import codecs
import errno
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from typing import TextIO

_FAILED = 1
_NOBODY_READS = 141
"""What a shell says of a program that SIGPIPE ended, as it ends ``ls | head -1``."""

_USUAL_WIDTH = 80
# Every other file's errors are Problems, so one of these comes from a standard stream.
_NOT_WRITTEN = {errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF}

_C0, _C1 = {*range(0x20), 0x7F}, range(0x80, 0xA0)
_SIGNS = {"“": '"', "”": '"', "’": "'", "…": "~"}


def prepare() -> None:
    """Make the standard streams usable, whatever they are; call it before a file is opened.

    One that is closed is connected to nothing: the next file would take its number, and what
    is written to the stream would go into that file. A character that the encoding does not
    have, or only as a control byte, is written as a question mark.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nothing = os.open(os.devnull, os.O_RDWR)  # has this number: the lower ones are open
            os.set_inheritable(nothing, True)  # noqa: FBT003 - it takes no keyword
        stream = getattr(sys, name)
        if stream is None:
            mode = "w" if number else "r"
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115 - until the end
        elif number and isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
            if not (isinstance(stream, _Checked) or is_utf8(stream)):
                setattr(sys, name, _Checked(stream))


def is_input_closed() -> bool:
    """Return whether standard input was closed before :func:`prepare` made it empty."""
    return sys.__stdin__ is None


def is_utf8(stream: TextIO) -> bool:
    """Return whether a stream takes every character."""
    return codecs.lookup(stream.encoding or "ascii").name == "utf-8"


def harmless(text: str, stream: TextIO) -> str:
    """Return a text without what the stream cannot take, or only as a control byte.

    The bytes from 0x80 to 0x9F are signs in encodings such as cp1252 and KOI8-R, and controls
    to many a terminal: 0x9B begins a sequence. ISO-2022-JP even writes escapes.
    """
    if text.isascii() or is_utf8(stream):
        return text
    return "".join(one if one.isascii() else _harmless(one, stream) for one in text)


def _harmless(one: str, stream: TextIO) -> str:
    encoded = one.encode(stream.encoding or "ascii", "replace")
    if _C0.intersection(encoded) or (len(encoded) == 1 and encoded[0] in _C1):
        return _SIGNS.get(one, "?")
    return "?" if encoded == b"?" else one


class _Checked(TextIOWrapper):
    """A standard stream that is not UTF-8."""

    def __init__(self, stream: TextIOWrapper) -> None:
        super().__init__(
            stream.buffer,
            stream.encoding,
            stream.errors,
            line_buffering=stream.line_buffering,
            write_through=stream.write_through,
        )

    def write(self, text: str) -> int:
        super().write(harmless(text, self))
        return len(text)


def guarded(do: Callable[[], int]) -> int:
    """Run a command; return its exit status once its output has been written.

    The reader may go away (``m3cred list | head -1``), and the disk behind standard output may
    be full.
    """
    if sys.__stdout__ is None:  # before anything is done whose result would be lost
        sys.stderr.write("m3cred: standard output is closed.\n")
        return _FAILED
    try:
        try:
            return do()
        finally:  # argparse leaves by SystemExit
            sys.stdout.flush()
    except KeyboardInterrupt:
        from m3cred_tui.system.terminal import leave_blocked_streams  # noqa: PLC0415 - seldom

        leave_blocked_streams()
        raise
    except OSError as error:
        if error.errno not in _NOT_WRITTEN:
            raise
        return _told(error)
    finally:
        for stream in (sys.stdout, sys.stderr):
            flush_or_discard(stream)


def width_of(stream: TextIO) -> int | None:
    """Return how many cells a line of the terminal has; ``None`` without a terminal."""
    if not stream.isatty():
        return None
    wish = os.environ.get("COLUMNS", "")
    if wish.isascii() and wish.isdigit() and 0 < len(wish) <= len("9999") and int(wish):
        return int(wish)
    with suppress(OSError):
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH
    return _USUAL_WIDTH


def laid(text: str, stream: TextIO, *, hanging: int = 0, taken: int = 0) -> str:
    """Return a text for a stream, wrapped between words if that is a terminal.

    ``hanging`` and ``taken`` are those of ``wrapped``.
    """
    if (width := width_of(stream)) is None:
        return text
    from m3cred_tui.cli.output.cells import wrapped  # noqa: PLC0415 - for a terminal only

    return "\n".join(wrapped(text, width, hanging=hanging, taken=taken))


def put(text: str, stream: TextIO, *, hanging: int = 0, taken: int = 0) -> None:
    """Write a line that :func:`laid` returns."""
    stream.write(f"{laid(text, stream, hanging=hanging, taken=taken)}\n")


def complain(sentence: str) -> None:
    """Report a problem on standard error."""
    put(f"m3cred: {sentence}", sys.stderr)


def is_dumb() -> bool:
    """Return whether the terminal can only write one line after the other."""
    return os.environ.get("TERM", "") in {"", "dumb"}


def coloured(text: str, colour: int | str, stream: TextIO) -> str:
    """Return the text in this colour if the stream takes colours (https://no-color.org)."""
    is_plain = os.environ.get("NO_COLOR") or is_dumb() or not stream.isatty()
    return text if is_plain else f"\x1b[{colour}m{text}\x1b[0m"


def flush_or_discard(stream: TextIO) -> None:
    """Discard output that cannot be written, as Python would complain about it at exit."""
    try:
        stream.flush()
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _told(error: OSError) -> int:
    """Report why standard output cannot be written, unless its reader has gone."""
    if isinstance(error, BrokenPipeError):
        return _NOBODY_READS
    from m3cred_tui.store.problems import plain_reason  # noqa: PLC0415 - seldom, and 10 ms

    with suppress(OSError):
        sys.stderr.write(f"m3cred: standard output takes no more: {plain_reason(error)}.\n")
    return _FAILED
