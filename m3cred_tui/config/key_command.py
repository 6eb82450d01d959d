"""Running the command that prints a secret key."""

from __future__ import annotations

import os
import selectors
import signal
import subprocess
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from m3cred_tui.config.problems import masked
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 30.0
"""Seconds that a command may take."""

_MOST_BYTES = 4096
_LOOK = 0.05  # seconds between two looks whether it has ended, while it prints nothing
_NOT_FOUND = 127  # as sh says it

_running: set[subprocess.Popen[bytes]] = set()


class CommandHangs(Problem, code="CommandHangs"):
    """The command for the secret key did not end in time, and was stopped."""

    text = """The command did not end within {seconds:g} seconds and was stopped; it cannot ask
        for anything, so unlock before what it needs."""
    seconds: float


class CommandTooLoud(Problem, code="CommandTooLoud"):
    """The command for the secret key printed more than a key."""

    text = f"""The command printed more than {_MOST_BYTES:,} bytes and was stopped; it is to
        print the key alone."""


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


def output_of(command: str, environ: Mapping[str, str], seconds: float = PATIENCE) -> bytes:
    """Return what a command line of ``/bin/sh`` prints.

    It gets nothing to read, a session of its own without a terminal, and none of m3cred's
    variables, some of which may be keys. Raises :class:`CommandHangs`,
    :class:`CommandTooLoud`, :class:`CommandNotFound` and :class:`CommandFailed`.
    """
    theirs = {name: value for name, value in environ.items() if not name.startswith("M3CRED_")}
    try:
        process = subprocess.Popen(  # noqa: S603 - the user's own command line is wanted
            ["/bin/sh", "-c", command],
            env=theirs,
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
    """End the commands that still run, as m3cred ends: nobody waits for what they print."""
    for process in list(_running):
        _end(process)


def _heard(process: subprocess.Popen[bytes], deadline: float, seconds: float) -> list[bytes]:
    """Return what it has written to each of its outputs, when it has ended."""
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
            # A daemon that it has started may keep the pipes open for ever.
            if has_ended and not ready:
                break
    try:
        process.wait(max(0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise CommandHangs(seconds) from None
    return [bytes(printed), bytes(said)]


def _take(descriptor: int, written: bytearray) -> bool:
    """Read on, keep as much as is of use, and tell whether there may be more."""
    chunk = os.read(descriptor, _MOST_BYTES)
    if len(written) <= _MOST_BYTES:
        written += chunk
    return bool(chunk)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill it with all that it has started, unless it has ended by itself."""
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
