"""Another user of this machine, whose program holds ports."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_HOLD = """
import os, socket, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
held = [socket.create_server(("127.0.0.1", int(port))) for port in sys.argv[1:]]
print(*(one.getsockname()[1] for one in held), flush=True)
sys.stdin.read()
"""

as_root = pytest.mark.skipif(
    os.geteuid() != 0 or sys.platform != "linux",
    reason="only root can become another user, and only Linux shows whose a listener is",
)


@contextmanager
def held_by_another_user(*ports: int) -> Iterator[list[int]]:
    """Have another user's program listen on these ports; 0 is any free one."""
    command = [sys.executable, "-I", "-c", _HOLD, *map(str, ports)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdout is not None
        yield [int(word) for word in program.stdout.readline().split()]
        program.communicate("")


@contextmanager
def held_silently() -> Iterator[int]:
    """Hold a port without listening on it, which the system shows nobody."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield int(bound.getsockname()[1])
