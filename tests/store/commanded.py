"""Another process that changes a store on command, and dies in the middle on command."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.model.problem import Problem
from tests.store.swept_operations import credential, store_in, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from m3cred_tui.store.port import CredentialStore

_PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
from tests.store.commanded import serve
serve()
"""
_STEPS = "mkdir", "open", "write", "fsync", "link", "replace", "unlink", "close"
DIED = "died"


class Command(NamedTuple):
    """A command for a store; with ``dies_at``, the process ends before that step."""

    do: str
    id: str = ""
    name: str = ""
    secret: str = ""
    dies_at: int = 0


class Other:
    """The parent's side of the pipe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._asks, self._answers = process.stdin, process.stdout

    def told(self, root: Path, command: Command) -> Any:
        self._asks.write(json.dumps([str(root), *command]) + "\n")
        self._asks.flush()
        return json.loads(self._answers.readline())


@contextmanager
def other_process() -> Iterator[Other]:
    root = str(Path(__file__).parents[2])
    program = [sys.executable, "-I", "-B", "-c", _PROGRAM, root]
    pipe = subprocess.PIPE
    with subprocess.Popen(program, stdin=pipe, stdout=pipe, text=True) as process:
        yield Other(process)


def perform(store: CredentialStore, command: Command) -> object:
    """Do it, and return the reply: ``done``, the problem's type, or the requested value."""
    try:
        return _DOES[command.do](store, command) or "done"
    except Problem as problem:
        return type(problem).__name__


def _create(store: CredentialStore, command: Command) -> None:
    store.create(credential(command.id, command.name), tokens(command.secret))


def _keep(store: CredentialStore, command: Command) -> None:
    pending = credential(command.id, command.name)._replace(status=Status.PENDING)
    store.keep_pending(pending, tokens(command.secret))


def _update(store: CredentialStore, command: Command) -> None:
    changed = credential(command.id, command.name), tokens(command.secret)
    store.update(command.id, lambda *_before: changed)


def seen(store: CredentialStore) -> list[list[str]]:
    """Return every row with its secret, in the list's order."""
    return [[one, *_row(store, one)] for one in store.ids()]


def _row(store: CredentialStore, credential_id: str) -> list[str]:
    row = store.verified(credential_id)
    if not isinstance(row, Credential):
        return ["damaged"]
    access_token = store.tokens(credential_id).access_token
    assert access_token is not None
    return [row.name, row.status.value, access_token.reveal()]


_DOES: Mapping[str, Callable[[CredentialStore, Command], object]] = {
    "create": _create,
    "keep": _keep,
    "update": _update,
    "delete": lambda store, command: store.delete(command.id),
    "prepare": lambda store, _command: store.prepare(),
    "list": lambda store, _command: seen(store),
}


def serve() -> None:
    """Execute the command in each line; one that dies has its own process."""
    import pyrage  # type: ignore[import-untyped]  # noqa: F401, PLC0415 - warm: no change

    while line := sys.stdin.readline():
        root, *fields = json.loads(line)
        command, store = Command(*fields), store_in(Path(root))
        told = _doomed(store, command) if command.dies_at else perform(store, command)
        sys.stdout.write(json.dumps(told) + "\n")
        sys.stdout.flush()


def _doomed(store: CredentialStore, command: Command) -> object:
    pid = os.fork()
    if pid == 0:
        _die_at(command.dies_at)
        ended = perform(store, command) == "done"
        os._exit(0 if ended else 2)
    _, status = os.waitpid(pid, 0)
    return {0: "done", 1: DIED}.get(os.waitstatus_to_exitcode(status), "failed")


def _die_at(step: int) -> None:
    steps = count(1)

    def dying(call: Callable[..., object]) -> Callable[..., object]:
        def counted(*given: object, **named: object) -> object:
            if next(steps) == step:
                os._exit(1)
            return call(*given, **named)

        return counted

    for name in _STEPS:
        setattr(os, name, dying(getattr(os, name)))
