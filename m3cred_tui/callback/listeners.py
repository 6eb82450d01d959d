"""Whose program listens on a port of loopback, as far as the system shows."""

import os
import pwd
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from m3cred_tui.model.text import clean
from m3cred_tui.system.process import without_ours

_PROC = Path("/proc")
_LISTENS = "0A"  # of the kernel's table of sockets (proc(5))
_LSOF_SECONDS = 5.0

# What a connection to a port of 127.0.0.1 or ::1 can reach.
_V4 = {socket.inet_pton(socket.AF_INET, one) for one in ("127.0.0.1", "0.0.0.0")}  # noqa: S104 - compared
_V6 = {
    socket.inet_pton(socket.AF_INET6, one)
    for one in ("::1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0")
}
_LSOF_HOSTS = {"*", "127.0.0.1", "[::1]"}

_NOBODY = 65_534
"""The kernel shows users that a container does not know under this uid."""


class Listener(NamedTuple):
    """A program that a connection to a port of loopback reaches."""

    uid: int
    program: str
    """``name (process 12)``, or nothing where this user may not see it."""

    @property
    def user(self) -> str:
        """The name of its user."""
        try:
            return clean(pwd.getpwuid(self.uid).pw_name, most=40)
        except KeyError:
            return f"uid {self.uid}"

    @property
    def is_ours(self) -> bool:
        """Whether this user runs it."""
        return self.uid == os.geteuid()


def listeners(port: int, proc: Path = _PROC) -> list[Listener]:
    """Return who listens on a port of loopback; nobody, where the system does not show it."""
    if (proc / "net" / "tcp").exists():
        found = dict(_sockets(port, proc))
        programs = _programs(set(found), proc)
        known = [Listener(uid, programs.get(inode, "")) for inode, uid in found.items()]
    else:
        known = [*_by_lsof(port)]
    is_ambiguous = os.geteuid() == _NOBODY
    return [one for one in known if not (is_ambiguous and one.is_ours)]


def _sockets(port: int, proc: Path) -> Iterator[tuple[str, int]]:
    """Yield the inode and the uid of each socket that listens on the port."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (proc / "net" / table).read_text().splitlines()[1:]
        except OSError:  # no IPv6
            continue
        for line in lines:
            fields = line.split()
            address, _, number = fields[1].partition(":")
            if int(number, 16) == port and fields[3] == _LISTENS and _is_reached(address):
                yield fields[9], int(fields[7])


def _is_reached(address: str) -> bool:
    """Tell whether loopback reaches an address, written as words of the machine's order."""
    words = (int(address[at : at + 8], 16) for at in range(0, len(address), 8))
    return b"".join(word.to_bytes(4, sys.byteorder) for word in words) in _V4 | _V6


def _programs(inodes: set[str], proc: Path) -> dict[str, str]:
    """Return the program of each socket that this user may see."""
    names = {f"socket:[{inode}]": inode for inode in inodes}
    found: dict[str, str] = {}
    for process in proc.glob("[0-9]*") if names else ():
        try:
            for link in map(os.readlink, (process / "fd").iterdir()):
                if link in names:
                    name = clean((process / "comm").read_text(errors="replace"), most=40)
                    found[names[link]] = f"{name} (process {process.name})"
        except OSError:  # it has ended, or belongs to another user
            continue
    return found


def _by_lsof(port: int) -> Iterator[Listener]:
    """Yield what lsof shows (macOS), which for a user is their own programs."""
    try:
        shown = subprocess.run(  # noqa: S603 - no shell, and a number
            ["lsof", "-nPw", f"-iTCP:{port}", "-sTCP:LISTEN", "-Fpcun"],  # noqa: S607 - by PATH
            env=without_ours(os.environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LSOF_SECONDS,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return
    seen: dict[str, str] = {}
    for line in shown.decode(errors="replace").splitlines():
        seen[line[:1]] = line[1:]
        if line.startswith("n") and line[1:].rpartition(":")[0] in _LSOF_HOSTS:
            yield Listener(int(seen["u"]), f"{clean(seen['c'], most=40)} (process {seen['p']})")
