"""The ssh tunnel by which a browser elsewhere reaches us."""

import os
import pwd
import re
import shlex
import socket
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from m3cred_tui.browser.surroundings import Address, SshConnection, Surroundings

_SSH_PORT = 22
# As they are written into a command that is pasted elsewhere: no option, no second word.
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?").fullmatch
# With a directory service: DOMAIN\user, user@domain; a machine's account ends in a dollar.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?").fullmatch
_ANY_HOST, _ANY_USER = "SERVER", "USER"


class Tunnel(NamedTuple):
    """``command`` is for a shell on the computer with the browser; ``note`` one sentence."""

    command: str
    note: str


def tunnel(ports: Sequence[int], here: Surroundings, *, user: str, host_name: str) -> Tunnel:
    """Return the command that forwards ``ports``, each to the same port of this machine.

    The address that the SSH connection came to is taken before the machine's own name, which
    may mean nothing elsewhere. What could be no user or host is asked for in capitals.
    """
    host, port = _server(here.connection), _SSH_PORT
    if here.connection:
        port = here.connection.server_port
    elif here.container and not here.ssh:
        host = _ANY_HOST  # a container's name is known to nobody
    else:
        host = ""
    host = host or (host_name if _HOST(host_name) else _ANY_HOST)
    user = user if _USER(user) else _ANY_USER
    forwards = [word for one in ports for word in ("-L", f"{one}:127.0.0.1:{one}")]
    other_port = [] if port == _SSH_PORT else ["-p", str(port)]
    # A user may have an @ of its own: ssh takes the last one for the separator.
    command = shlex.join(["ssh", "-N", *forwards, *other_port, f"{user}@{host}"])
    return Tunnel(command, _note(here, user, host))


def login_name(environ: Mapping[str, str]) -> str:
    """Return who probably logged in: this user, or who became root by sudo."""
    me = os.getuid()
    if me == 0 and (before := environ.get("SUDO_USER")):
        return before
    try:
        return pwd.getpwuid(me).pw_name
    except KeyError:  # as in a container that is run for any uid
        return ""


def host_name() -> str:
    """Return this machine's name without asking the network, which may take long."""
    return socket.gethostname()


def _server(connection: SshConnection | None) -> str:
    """Return the address that the client came to, or nothing if another could not use it."""
    if connection is None:
        return ""
    client, server = _plain(connection.client), _plain(connection.server)
    is_translated = client.is_global and not server.is_global
    # fe80::1%eth0: eth0 is what this machine calls its side.
    is_usable = not (is_translated or server.is_link_local or server.is_unspecified)
    return str(server) if is_usable else ""


def _plain(address: Address) -> Address:
    return getattr(address, "ipv4_mapped", None) or address


def _note(here: Surroundings, user: str, host: str) -> str:
    asked = [word for word in (user, host) if word in (_ANY_USER, _ANY_HOST)]
    if here.container and not here.ssh:
        return (
            f"Put the container's host in the place of {_ANY_HOST}; the tunnel reaches m3cred "
            "only where the container shares its host's network."
        )
    if asked:
        return f"Put what you give to ssh in the place of {' and '.join(asked)}."
    return (
        f"If you connect by another name than {host} or through a bastion, use what you gave "
        "to ssh."
    )
