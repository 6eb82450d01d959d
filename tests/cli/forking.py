"""A warm, single-threaded process that forks one for each command of a test."""

from __future__ import annotations

import atexit
import errno
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from contextlib import contextmanager, suppress
from importlib import import_module
from itertools import count
from pathlib import Path
from pkgutil import walk_packages
from typing import IO, TYPE_CHECKING, Any, NamedTuple

from m3cred_tui.cli.main import main
from tests.store.bao_operations import impatient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.cli.forking import serve
serve(int(sys.argv[2]))
"""
_ROOT = Path(__file__).parents[2]
_MOST = 65_536
"""Bytes of a message."""


class Fault(NamedTuple):
    """What happens at one of the store's calls once a file exists, which counts them."""

    at: int
    name: str
    begun: str


class Forked:
    """A command under way: of ``subprocess.Popen``, what a sweep needs."""

    def __init__(self, pid: int, pipes: list[int], ended: Callable[[], int]) -> None:
        self.pid, self._ended = pid, ended
        self.stdin = os.fdopen(pipes[0], "w")
        self.stdout, self.stderr = map(os.fdopen, pipes[1:])

    def end(self) -> tuple[int, str, str]:
        """Wait until it has ended; return its status and what it has still written."""
        with self.stdin, self.stdout, self.stderr:
            self.stdin.close()
            out, errors = self.stdout.read(), self.stderr.read()
        return self._ended(), out, errors


class Forks:
    """The parent's side; one command at a time."""

    def __init__(self, channel: socket.socket, answers: IO[str]) -> None:
        self._channel, self._answers = channel, answers
        self._running: int | None = None

    def start(
        self,
        environment: Mapping[str, str],
        *words: str,
        fault: Fault | None = None,
        is_impatient: bool = False,
    ) -> Forked:
        """Run a command in a process of its own, which may give up a team's store soon."""
        pipes = [os.pipe() for _ in range(3)]
        (read, ours), *written = pipes
        theirs = [read, *(end for _, end in written)]
        ask = {"environment": environment, "words": words, "fault": fault}
        data = json.dumps({**ask, "is_impatient": is_impatient}).encode()
        socket.send_fds(self._channel, [data], theirs)
        for end in theirs:
            os.close(end)
        self._running = self._answer()
        return Forked(self._running, [ours, *(end for end, _ in written)], self._status)

    def kill(self) -> None:
        """Kill what a test that has failed has left."""
        if self._running is not None:
            with suppress(ProcessLookupError):  # it has ended, and only its status is not read
                os.kill(self._running, signal.SIGKILL)
            self._status()

    def _status(self) -> int:
        self._running = None
        return self._answer()

    def _answer(self) -> int:
        return int(self._answers.readline())


@contextmanager
def forks() -> Iterator[Forks]:
    """Start the process that forks, for a block."""
    ours, theirs = socket.socketpair()
    with ours, ours.makefile() as answers:
        number = theirs.fileno()
        command = [sys.executable, "-I", "-c", _PROGRAM, str(_ROOT), str(number)]
        environ = {"LANG": "C.UTF-8"}
        with subprocess.Popen(command, env=environ, pass_fds=[number]):
            theirs.close()
            made = Forks(ours, answers)
            try:
                yield made
            finally:
                made.kill()
                ours.shutdown(socket.SHUT_RDWR)


def serve(number: int) -> None:
    """Fork for each message, until the parent is gone."""
    for room in ("authorize", "browser", "callback", "cli", "config", "store", "stripe"):
        package = import_module(f"m3cred_tui.{room}")
        for module in walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith(".app"):
                import_module(module.name)
    for name in ("anyio._backends._asyncio", "certifi", "ctypes", "httpx", "pyrage"):
        import_module(name)
    with socket.socket(fileno=number) as channel:
        while True:
            told, files, *_ = socket.recv_fds(channel, _MOST, 3)
            if not told:
                return
            if (pid := os.fork()) == 0:
                channel.close()
                os._exit(_run(json.loads(told), files))
            for file in files:
                os.close(file)
            channel.send(b"%d\n" % pid)
            _, status = os.waitpid(pid, 0)
            channel.send(b"%d\n" % os.waitstatus_to_exitcode(status))


def _run(ask: Mapping[str, Any], files: list[int]) -> int:
    for number, file in enumerate(files):
        os.dup2(file, number)
        os.close(file)
    sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")  # as Python opens them at its start
    sys.stderr = os.fdopen(2, "w", buffering=1, errors="backslashreplace")
    os.environ.clear()
    os.environ.update(ask["environment"])
    time.tzset()
    try:
        if ask["fault"]:
            _break(Fault(*ask["fault"]))
        if ask["is_impatient"]:
            impatient()
        return main(ask["words"])
    except SystemExit as left:  # as argparse does
        return left.code if isinstance(left.code, int) else 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()


def _break(fault: Fault) -> None:
    """Have one of the store's calls fail from now on, or kill this process."""
    begun, numbers = Path(fault.begun), count(1)

    def faulty(call: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            if begun.exists():
                number = next(numbers)
                if number == fault.at and fault.name == "SIGKILL":
                    os.kill(os.getpid(), signal.SIGKILL)
                if number == fault.at:
                    code = getattr(errno, fault.name)
                    raise OSError(code, os.strerror(code))
                with begun.open("r+") as file:
                    file.write(str(number))
            return call(*arguments, **named)

        return called

    for name in ("open", "write", "fsync", "replace", "link", "unlink", "ftruncate", "listdir"):
        setattr(os, name, faulty(getattr(os, name)))
    fcntl.flock = faulty(fcntl.flock)
