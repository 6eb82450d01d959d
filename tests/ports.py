"""Ports for the servers of a test, which nobody else takes before they are listened on."""

import os
import random
import socket
from collections.abc import Iterator
from itertools import cycle, islice

# Below the ports that systems choose themselves, as for the connections of other tests, and
# below m3cred's own. Each process that runs tests goes through its part of them.
_FIRST, _EACH, _PARTS = 10_000, 1_000, 16
_part = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _PARTS
_begin = _FIRST + _part * _EACH
_turn = random.randrange(_EACH)
_ports: Iterator[int] = cycle(
    [*range(_begin + _turn, _begin + _EACH), *range(_begin, _begin + _turn)]
)


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens; each call returns another."""
    for port in islice(_ports, _EACH):
        if _is_free(port):
            return port
    raise AssertionError(f"none of {_EACH} ports is free")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
