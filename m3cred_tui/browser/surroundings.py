"""Where m3cred runs, and so where its user's browser probably is and how it reaches us.

It only decides which way to a browser comes first; the others follow.
"""

import asyncio
import os
import pwd
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple

from m3cred_tui.browser.opening import DISPLAY, REMOTE, BrowserDidNotOpen, browser_commands
from m3cred_tui.system.process import without_ours

_SOON = 1.0


async def ask_tmux(
    environ: Mapping[str, str], *command: str, given: bytes = b"", soon: float = _SOON
) -> str | None:
    """Return tmux's answer, or ``None`` where it fails, is missing or takes too long.

    ``TMUX`` may be left over from a tmux that has ended, or name one that hangs.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            "tmux",
            *command,
            env=without_ours(environ),  # tmux's server keeps what a client hands it
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return None
    try:
        async with asyncio.timeout(soon):
            answer, _ = await process.communicate(given)
    except TimeoutError:
        return None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return None if process.returncode else answer.decode(errors="replace")


Address = IPv4Address | IPv6Address

_CONTAINER_FILES = (".dockerenv", "run/.containerenv")
_CONTAINER_VARIABLES = ("container", "KUBERNETES_SERVICE_HOST")
_MOST_PORT = 65_535
_ATTACHED = frozenset({*REMOTE, *DISPLAY})


class SshConnection(NamedTuple):
    """The two ends of the connection, as the server saw them (sshd's ``SSH_CONNECTION``)."""

    client: Address
    client_port: int
    server: Address
    server_port: int


class Surroundings(NamedTuple):
    """What is around the terminal that m3cred is on."""

    ssh: bool
    connection: SshConnection | None
    """``None`` also over SSH, where sshd did not say."""
    tmux: bool
    screen: bool
    container: bool
    wsl: bool
    display: bool
    """A graphical one that a browser opened here would be seen on."""
    browser_variable: bool
    """``$BROWSER`` names a program that can be started, and not a text browser only."""
    browser_mistake: str = ""
    """What is wrong with ``$BROWSER``, or nothing."""

    @property
    def browser_is_elsewhere(self) -> bool:
        """Whether to begin with the ways for a browser on another computer.

        With ``$BROWSER`` set over SSH, a browser is shown here (X11) or a program that
        brings the URL and the port to the right place (VS Code).
        """
        return (self.ssh or not self.display) and not self.browser_variable

    @property
    def reasons(self) -> tuple[str, ...]:
        """What was noticed, the most telling first, each in a few words."""
        noticed = {
            self.browser_mistake: bool(self.browser_mistake),
            "this is an SSH session": self.ssh,
            "no display here": not self.display and not self.ssh,
            "in a container": self.container,
            "in WSL": self.wsl,
            "in tmux": self.tmux,
            "in screen": self.screen,
            "$BROWSER is set": self.browser_variable,
        }
        return tuple(words for words, is_so in noticed.items() if is_so)


def surroundings(
    environ: Mapping[str, str], *, platform: str = sys.platform, root: Path = Path("/")
) -> Surroundings:
    """Look at variables and three files, none of them slow.

    In tmux, pass what :func:`attached_environ` returns.
    """
    container = any(environ.get(name) for name in _CONTAINER_VARIABLES) or any(
        (root / name).exists() for name in _CONTAINER_FILES
    )
    browser_variable, browser_mistake = _wish(environ, platform)
    wsl = bool(environ.get("WSL_DISTRO_NAME")) or (
        not container and "microsoft" in _first_line(root / "proc/version").lower()
    )
    return Surroundings(
        ssh=any(environ.get(name) for name in REMOTE),
        connection=ssh_connection(environ.get("SSH_CONNECTION", "")),
        tmux=bool(environ.get("TMUX")),
        screen=bool(environ.get("STY")),
        container=container,
        wsl=wsl,
        # Windows' browser reaches the 127.0.0.1 of WSL.
        display=platform == "darwin" or wsl or any(environ.get(name) for name in DISPLAY),
        browser_variable=browser_variable,
        browser_mistake=browser_mistake,
    )


async def attached_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of tmux's latest client, as far as it matters here.

    A pane keeps the environment it started with: it may have started on the computer itself
    and be attached over SSH now, from another address, or the other way round. Outside tmux,
    or where tmux does not answer soon, return the same environment.
    """
    kept = dict(environ)
    if not environ.get("TMUX"):
        return kept
    answer = await ask_tmux(environ, "show-environment") or ""
    for line in answer.splitlines():
        name, is_set, value = line.partition("=")
        if is_set and name in _ATTACHED:
            kept[name] = value
        elif name.removeprefix("-") in _ATTACHED:
            kept.pop(name.removeprefix("-"), None)
        if name.removeprefix("-") == "SSH_CONNECTION":  # the two that tmux does not update
            for stale in ("SSH_CLIENT", "SSH_TTY"):
                kept.pop(stale, None)
    return kept


def ssh_connection(value: str) -> SshConnection | None:
    """Read ``SSH_CONNECTION`` (ssh(1), ENVIRONMENT); sshd may write UNKNOWN into it."""
    try:
        client, client_port, server, server_port = value.split(" ")
        ends = ip_address(client), _port(client_port), ip_address(server), _port(server_port)
    except ValueError:
        return None
    return SshConnection(*ends)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text) <= _MOST_PORT):
        raise ValueError(text)
    return int(text)


def _wish(environ: Mapping[str, str], platform: str) -> tuple[bool, str]:
    """Return whether ``$BROWSER`` can be started, and what is wrong with it otherwise."""
    if not environ.get("BROWSER", "").strip():
        return False, ""
    try:
        browser_commands("", environ, platform)
    except BrowserDidNotOpen as problem:
        # A text browser is no mistake: on many a server it is the usual setting.
        return False, problem.reason if problem.reason.startswith("$BROWSER") else ""
    return True, ""


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline(1000)
    except OSError:
        return ""


_SSH_PORT = 22
# For a command that is pasted elsewhere: no option, no second word.
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?").fullmatch
# A directory service has DOMAIN\user and user@domain; a machine's account ends in $.
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.@\\-]{0,63}\$?").fullmatch
_ANY_HOST, _ANY_USER = "SERVER", "USER"


def tunnel(ports: Sequence[int], here: Surroundings, *, user: str, host_name: str) -> str:
    """Return the command that forwards ``ports``, each to the same port of this machine.

    It is for a shell on the computer with the browser. The address that the SSH connection came
    to takes precedence over the machine's own name, which may mean nothing elsewhere. Capitals
    stand for what could be no user or host.
    """
    host, port = _server(here.connection), _SSH_PORT
    if here.connection:
        port = here.connection.server_port
    elif here.container and not here.ssh:
        host = _ANY_HOST  # nobody knows a container by its name
    else:
        host = ""
    host = host or (host_name if _HOST(host_name) else _ANY_HOST)
    user = user if _USER(user) else _ANY_USER
    forwards = [word for one in ports for word in ("-L", f"{one}:127.0.0.1:{one}")]
    other_port = [] if port == _SSH_PORT else ["-p", str(port)]
    # A user's name may have an @: ssh takes the last one as the separator.
    return shlex.join(["ssh", "-N", *forwards, *other_port, f"{user}@{host}"])


def login_name(environ: Mapping[str, str]) -> str:
    """Return the user who probably logged in: this one, or the one behind sudo."""
    me = os.getuid()
    if me == 0 and (before := environ.get("SUDO_USER")):
        return before
    try:
        return pwd.getpwuid(me).pw_name
    except KeyError:  # as in a container that is run for any uid
        return ""


def _server(connection: SshConnection | None) -> str:
    """Return the address that the client connected to, or nothing if others cannot use it."""
    if connection is None:
        return ""
    ends = connection.client, connection.server
    client, server = (getattr(one, "ipv4_mapped", None) or one for one in ends)
    is_translated = client.is_global and not server.is_global
    # fe80::1%eth0: eth0 is this machine's name for its side.
    is_usable = not (is_translated or server.is_link_local or server.is_unspecified)
    return str(server) if is_usable else ""
