"""A warm, single-threaded process that forks one for each operation traced by strace."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import traceback
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from resource import RLIMIT_FSIZE, setrlimit
from signal import SIG_BLOCK, SIGUSR1, pthread_sigmask, sigwait
from typing import TYPE_CHECKING, Any, NamedTuple

from m3cred_tui.model.problem import Problem
from m3cred_tui.store import directory
from tests.store.swept_operations import OPERATIONS, store_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

BEGINS, ENDS = "/the-operation-begins", "/the-operation-ends"
"""Tested before and after the operation, so that a trace of system calls shows both."""

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.store.swept_process import serve
serve()
"""
_ROOT = Path(__file__).parents[2]
_PR_SET_PTRACER = 0x59616D61
_GO = SIGUSR1  # no operation waits for a signal, so none of its calls is counted before


class Limits(NamedTuple):
    """The most bytes that a write takes, and that a file may have; 0 for no limit."""

    write: int = 0
    file: int = 0


class Told(NamedTuple):
    """What a process reported before it ended: nothing, if it was killed."""

    outcome: str
    sentence: str


class Forks:
    """The parent's side of the pipe."""

    def __init__(self, server: subprocess.Popen[bytes]) -> None:
        assert server.stdin is not None
        assert server.stdout is not None
        self._asks, self._answers = server.stdin, server.stdout

    def run(
        self, root: Path, operation: str, *, log: Path, options: Sequence[str], limits: Limits
    ) -> Told:
        """Run an operation in its own process, and have strace trace it into ``log``."""
        ask = {"root": str(root), "operation": operation, **limits._asdict()}
        self._asks.write(json.dumps(ask).encode() + b"\n")
        self._asks.flush()
        pid = self._answer()["pid"]
        command = ["strace", "-p", str(pid), "-s", "0", "-o", str(log), *options]
        with subprocess.Popen(command, stderr=subprocess.PIPE) as strace:
            assert strace.stderr is not None
            attached = strace.stderr.readline()
            assert b"attached" in attached, attached
            os.kill(pid, _GO)
            answer = self._answer()
            if "status" not in answer:
                self._answer()
        return Told(answer.get("outcome", "killed"), answer.get("sentence", ""))

    def _answer(self) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(self._answers.readline())
        return answer


@contextmanager
def forks() -> Iterator[Forks]:
    """Start the process that forks, for a block."""
    command = [sys.executable, "-I", "-B", "-c", _PROGRAM, str(_ROOT)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe) as server:
        yield Forks(server)


def serve() -> None:
    """Fork for each line of the standard input, until it ends."""
    # Warm, so that no fault hits an import.
    for module in walk_packages(directory.__path__, f"{directory.__name__}."):
        import_module(module.name)
    import_module("pyrage")
    pthread_sigmask(SIG_BLOCK, [_GO])
    while ask := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            _permit_tracing()
            _say({"pid": os.getpid()})
            sigwait([_GO])
            _say(_run(json.loads(ask)))
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        _say({"status": status})


def _run(ask: Mapping[str, Any]) -> dict[str, str]:
    store, run = store_in(Path(ask["root"])), OPERATIONS[ask["operation"]].run
    if most := ask["file"]:
        setrlimit(RLIMIT_FSIZE, (most, most))
    with _writes_of(ask["write"]):
        os.access(BEGINS, os.F_OK)
        try:
            run(store)
        except Problem as problem:
            told = {"outcome": type(problem).__name__, "sentence": str(problem)}
        except BaseException:
            told = {"outcome": "traceback", "sentence": traceback.format_exc()}
        else:
            told = {"outcome": "done"}
        os.access(ENDS, os.F_OK)
    return told


@contextmanager
def _writes_of(most: int) -> Iterator[None]:
    """Write so few bytes each time: an injected short write would write nothing."""
    write = os.write
    if most:
        os.write = lambda file, data: write(file, memoryview(data)[:most])
    yield
    os.write = write


def _say(answer: Mapping[str, object]) -> None:
    data = json.dumps(answer).encode() + b"\n"
    while data:
        data = data[os.write(1, data) :]


def _permit_tracing() -> None:
    """Allow tracing where only parents may trace (Yama), as strace is not the parent."""
    ctypes.CDLL(None).prctl(_PR_SET_PTRACER, ctypes.c_ulong(-1), 0, 0, 0)
