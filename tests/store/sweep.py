"""One run of an operation for each of its system calls, with a fault there."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from stat import S_ISREG
from typing import TYPE_CHECKING, NamedTuple

from m3cred_tui.model.credential import Credential, Status
from m3cred_tui.store.problems import NotThere
from tests.store.swept_operations import ID, OPERATIONS, credential, store_in, tokens
from tests.store.swept_process import BEGINS, ENDS, Limits

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from m3cred_tui.store.directory.store import DirectoryStore
    from m3cred_tui.store.port import Damaged
    from tests.store.swept_process import Forks, Told
    from tests.store.swept_table import Outcome

ERRORS = "ENOSPC", "EIO", "EROFS", "EACCES"
# How often more memory is needed depends on what age puts into a record at random.
_MEMORY_CALLS = {"brk", "mmap", "munmap", "mremap", "madvise"}
# These do not use a file system.
_NO_FILE_CALLS = {"getrandom", "geteuid"}
# These leave every file as it is, as does opening one that there is.
_READING_CALLS = _NO_FILE_CALLS | {
    "access",
    "close",
    "fcntl",
    "flock",
    "fstat",
    "fsync",
    "getdents64",
    "lseek",
    "newfstatat",
    "read",
    "statx",
}
# Which error it is makes no difference, and a kill leaves only what the calls before it have
# done, as a run of all shows: each call has one error in turn, and a kill comes after each that
# may have changed a file.
_ALL = os.environ.get("M3CRED_SWEEP") == "all"
_NEXT_ID = "0196d5c8-0000-7000-8000-00000000000f"
_call = re.compile(r"(\w+)\(").match


# A record has 1,400 to 1,700 bytes, as age puts something random in: two slices each time.
_NONE, _SLICED = Limits(), Limits(write=1000)
# The second write of a file that has reached its limit fails.
_SHORT = Limits(write=100), _SLICED, *(Limits(file=size) for size in (1, 150, 900))


class Point(NamedTuple):
    """A system call of an operation: the ``number``-th of its name."""

    call: str
    number: int
    is_change: bool
    """Whether it may change a file."""


class State(NamedTuple):
    """What a new process finds: each credential with its secret, and the bytes of others."""

    rows: dict[str, tuple[Credential | Damaged | None, str]]
    others: dict[str, bytes]


class Sweep:
    """Runs one operation again and again, each time in a copy of the same directories."""

    def __init__(self, forks: Forks, operation: str, place: Path) -> None:
        self._forks, self._operation, self._place = forks, operation, place
        self._log = place / "log"
        self._left: dict[frozenset[tuple[Path, int, bytes]], State] = {}
        self._before = place / "before"
        self._before.mkdir(mode=0o700)
        OPERATIONS[operation].before(self._before)
        self.old = state_of(self._before)
        with self._copy() as root:
            assert self._run(root) == ("done", ""), "without a fault"
            self.new = state_of(root)
        self.points = self.points_with(_NONE)
        assert self.points_with(_NONE) == self.points, "the same calls each time"

    def points_with(self, limits: Limits) -> list[Point]:
        """Return every system call of the operation."""
        with self._copy() as root:
            self._run(root, limits=limits)
        counts: Counter[str] = Counter()
        points = []
        for line in self._traced():
            [call] = _names([line])
            counts[call] += 1
            is_read = call in _READING_CALLS or (call == "openat" and "O_CREAT" not in line)
            points.append(Point(call, counts[call], not is_read))
        return points

    def traced(self) -> list[str]:
        """Return the lines of a run's trace, with the paths of its descriptors."""
        with self._copy() as root:
            self._run(root, options=["-y"])
            return self._log.read_text().replace(str(root), "").splitlines()

    def faulty(self, point: Point, fault: str, limits: Limits = _NONE) -> Outcome:
        """Run it with a fault (as strace has it) at one point, and check what is left."""
        inject = f"inject={point.call}:{fault}:when={point.number}"
        with self._copy() as root:
            told = self._run(root, options=["-e", inject], limits=limits)
            self._assert_hit(point, told)
            return self._checked(root, told)

    def limited(self, limits: Limits) -> Outcome:
        """Run it with writes that are really short, and check what is left."""
        with self._copy() as root:
            return self._checked(root, self._run(root, limits=limits))

    def _copy(self) -> _Copy:
        return _Copy(self._before, self._place / "root")

    def _run(self, root: Path, *, options: Sequence[str] = (), limits: Limits = _NONE) -> Told:
        run = self._forks.run
        return run(root, self._operation, log=self._log, options=options, limits=limits)

    def _traced(self) -> list[str]:
        lines = self._log.read_text().splitlines()
        begins, ends = (
            next(number for number, line in enumerate(lines) if mark in line)
            for mark in (BEGINS, ENDS)
        )
        part = [line for line in lines[begins + 1 : ends] if _names([line])]
        before = lines[: begins + 1]
        assert not {*_names(part)} & {*_names(before)}, "or strace would count both"
        return [line for line in part if _names([line])[0] not in _MEMORY_CALLS]

    def _assert_hit(self, point: Point, told: Told) -> None:
        lines = self._log.read_text().splitlines()
        if told.outcome == "killed":
            assert lines[-1] == "+++ killed by SIGKILL +++"
            hit = len(_names(lines))
        else:
            [hit] = [n for n, line in enumerate(lines, 1) if "(INJECTED)" in line]
        names = _names(lines[:hit])
        assert (names[-1], names.count(point.call)) == point[:2]

    def _checked(self, root: Path, told: Told) -> Outcome:
        assert told.outcome != "traceback", told.sentence
        assert told.outcome != "AnsweredElsewhere", "there is nobody else"
        found = self._found(root, told)
        match told.outcome:
            case "killed":
                return "old" if found == self.old else "new"
            case "OutcomeUnknown":
                return "unknown"
            case "done":
                assert found == self.new, "it was told to be done"
                return "new"
            case _:
                assert found == self.old, f"it was told to have failed: {told}"
                return "old"

    def _found(self, root: Path, told: Told) -> State:
        """Check what is left, once for the same files: which fault left them is no matter."""
        left = frozenset(map(_as_it_is, root.rglob("*")))
        if left not in self._left:
            found = state_of(root)
            assert found in (self.old, self.new), f"{told}: {found}"
            _assert_usable(root)
            self._left[left] = found
        return self._left[left]


class _Copy:
    """Yield a directory in its original state, for a block."""

    def __init__(self, before: Path, root: Path) -> None:
        self._before, self._root = before, root

    def __enter__(self) -> Path:
        shutil.copytree(self._before, self._root)
        return self._root

    def __exit__(self, *_exception: object) -> None:
        shutil.rmtree(self._root)


def state_of(root: Path) -> State:
    """Return what a reader finds without knowing what happened."""
    store = store_in(root)
    rows = {one: (store.verified(one), _secret(store, one)) for one in store.ids()}
    records = (root / "data").glob("*/*.json")
    others = {
        str(one.relative_to(root)): one.read_bytes()
        for one in records
        if one.stem != ID and one.stem in rows  # a leftover that nobody sees is none
    }
    return State(rows, others)


def _secret(store: DirectoryStore, credential_id: str) -> str:
    if not isinstance(found := store.read(credential_id), Credential):
        return "damaged"
    try:
        access_token = store.tokens(credential_id).access_token
    except NotThere:
        if found.status is Status.UNKNOWN:
            return "sent"
        return store.requests.read(credential_id).state.reveal()
    assert access_token is not None
    return access_token.reveal()


def _as_it_is(path: Path) -> tuple[Path, int, bytes]:
    mode = path.lstat().st_mode
    return path, mode, path.read_bytes() if S_ISREG(mode) else b""


def _assert_usable(root: Path) -> None:
    """Check that the next start sweeps the leftovers, and the next change succeeds."""
    store = store_in(root)
    store.prepare()
    assert [one.name for one in (root / "data").rglob("*.tmp")] == []
    store.create(credential(_NEXT_ID), tokens("sk_next"))
    assert store.tokens(_NEXT_ID).scope == "read_write"


def _names(lines: list[str]) -> list[str]:
    return [found[1] for found in map(_call, lines) if found]


def outcomes(sweep: Sweep) -> Iterator[tuple[str, Outcome]]:
    """Yield each fault at each point of an operation by its name, with its outcome."""
    for number, point in enumerate(sweep.points):
        if _ALL or number == 0 or sweep.points[number - 1].is_change:
            yield "SIGKILL", sweep.faulty(point, "signal=SIGKILL")
    failing = [point for point in sweep.points if point.call not in _NO_FILE_CALLS]
    for number, point in enumerate(failing):
        for error in ERRORS if _ALL else [ERRORS[number % len(ERRORS)]]:
            yield error, sweep.faulty(point, f"error={error}")
    if any(point.call == "write" for point in sweep.points):
        for outcome in _short_writes(sweep):
            yield "short write", outcome


def _short_writes(sweep: Sweep) -> Iterator[Outcome]:
    for limits in _SHORT:
        yield sweep.limited(limits)
    points = sweep.points_with(_SLICED)
    for before, point, after in zip(points, points[1:], points[2:], strict=False):
        # Of many slices of a file, the first and the last.
        if point.call == "write" and (_ALL or not before.call == after.call == "write"):
            yield sweep.faulty(point, "signal=SIGKILL", _SLICED)
            yield sweep.faulty(point, "error=ENOSPC", _SLICED)
