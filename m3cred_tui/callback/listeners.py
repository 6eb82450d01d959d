"""Taking a port on loopback, and on nothing else."""

import errno
import os
import socket
from collections.abc import Sequence

from m3cred_tui.model.problem import Problem

_QUEUE = 1024
"""Longer than any crowd, as a browser that finds it full tries again only after a second."""
_HELD = {errno.EADDRINUSE, errno.EACCES}


class NoFreePort(Problem):
    """Every port that Stripe may redirect to is held by another program."""

    def __init__(self, ports: Sequence[int]) -> None:
        super().__init__(_one_held(*ports) if len(ports) == 1 else _all_held(ports))
        self.ports = tuple(ports)


def _all_held(ports: Sequence[int]) -> str:
    *others, last = map(str, ports)
    return (
        f"Other programs on this computer hold the ports that Stripe can redirect to "
        f"({', '.join(others)} and {last}), so a browser cannot come back by itself. Paste the "
        "address that it ends on."
    )


def _one_held(port: int) -> str:
    # A tunnel from before would bring the browser to whoever has it now.
    return (
        f"Another program holds port {port}, to which Stripe redirects. Close any tunnel to "
        "it, and paste the address that your browser ends on."
    )


class CannotListen(Problem):
    """The system does not let us listen on loopback at all."""

    def __init__(self, number: int | None) -> None:
        reason = os.strerror(number) if number is not None else "unknown error"
        super().__init__(
            f"This computer does not let m3cred listen for Stripe ({reason}), so a browser "
            "cannot come back by itself. Paste the address that it ends on."
        )
        self.errno = number


def listen_on_loopback(ports: Sequence[int]) -> tuple[int, list[socket.socket]]:
    """Listen on the first port that is free on 127.0.0.1 and, where there is one, on ::1.

    Raises :class:`NoFreePort` and :class:`CannotListen`. A port of which somebody else holds
    one half is passed over: a browser might reach them with our redirect.
    """
    for port in ports:
        if listeners := _listen_on(port):
            return listeners[0].getsockname()[1], listeners
    raise NoFreePort(ports)


def _listen_on(port: int) -> list[socket.socket]:
    """Return the listeners on this port, none where it is held."""
    try:
        first = _listener(socket.AF_INET, "127.0.0.1", port)
    except OSError as error:
        if error.errno in _HELD:
            return []
        raise CannotListen(error.errno) from error
    try:
        second = _listener(socket.AF_INET6, "::1", first.getsockname()[1])
    except OSError as error:
        if error.errno not in _HELD:  # this machine has no ::1
            return [first]
        first.close()
        return []
    return [first, second]


def _listener(family: socket.AddressFamily, address: str, port: int) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # Only lets us take a port whose last connections are still fading (TIME_WAIT).
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        listener.bind((address, port))
        listener.listen(_QUEUE)
        listener.setblocking(False)  # noqa: FBT003  the standard library has it so
    except OSError:
        listener.close()
        raise
    return listener
