"""A laptop and servers: network namespaces with a cable from the laptop to each server."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from tests.e2e.conftest import program
from tests.e2e.ssh import boot_server

ROOT = Path(__file__).parents[3]
ENVIRON = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color"}
_NETWORKS = "10.27.18", "10.27.19"
"""Of the cable to each server."""
SERVER_ADDRESS = f"{_NETWORKS[0]}.2"
LAPTOP_ADDRESSES = tuple(f"{network}.1" for network in _NETWORKS)
"""Where each server reaches the laptop."""
OPEN_PORT, BASTION_PORT, WATCHED_PORT = 2222, 2223, 2224
"""Where sshd listens; the second forwards nothing, the third hangs up on silence."""

_SSHD_CONFIG = """\
ListenAddress 0.0.0.0:{open_port}
ListenAddress 0.0.0.0:{bastion_port}
ListenAddress 0.0.0.0:{watched_port}
HostKey {place}/host_key
AuthorizedKeysFile {place}/key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
PidFile none
LogLevel VERBOSE
SetEnv LANG=C.UTF-8 PYTHONPATH={root}
AllowTcpForwarding yes
Match LocalPort {bastion_port}
    AllowTcpForwarding no
Match LocalPort {watched_port}
    ClientAliveInterval 1
    ClientAliveCountMax 1
"""
_SSH_CONFIG = """\
IdentityFile {place}/key
IdentitiesOnly yes
UserKnownHostsFile {place}/known_hosts
GlobalKnownHostsFile none
HostKeyAlias server
StrictHostKeyChecking yes
ExitOnForwardFailure yes
LogLevel ERROR
"""


class Keys(NamedTuple):
    """A directory with the keys and settings of both sides, readable to everybody."""

    place: Path

    @property
    def ssh_config(self) -> str:
        return str(self.place / "ssh_config")

    @property
    def sshd_config(self) -> str:
        return str(self.place / "sshd_config")

    @property
    def stripe(self) -> Path:
        """Where Stripe is, and what m3cred is there."""
        return self.place / "stripe.json"


class Machine(NamedTuple):
    """The namespaces of a process."""

    process: int

    def on(self, *command: str) -> list[str]:
        """Return the command that runs ``command`` in the machine's network."""
        return [program("nsenter"), "-t", str(self.process), "-n", *command]

    def run(self, *command: str) -> None:
        subprocess.run(self.on(*command), check=True)


class Server(NamedTuple):
    """A machine with an sshd and users of its own."""

    machine: Machine
    keys: Keys
    address: str = SERVER_ADDRESS

    def home(self, user: str) -> Path:
        return Path("/proc", str(self.machine.process), "root/home", user)

    def as_user(self, user: str, *command: str) -> list[str]:
        """Return the command that runs ``command`` as a user who has logged in before."""
        uid = str(boot_server.USERS[user])
        return [
            *(program("nsenter"), "-t", str(self.machine.process), "-n", "-m", "-p"),
            *("-S", uid, "-G", uid, *command),
        ]


def make_keys(place: Path) -> Keys:
    place.chmod(0o755)
    for name in ("key", "host_key"):
        ssh_keygen = [program("ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f"]
        subprocess.run([*ssh_keygen, str(place / name)], check=True)
    host_key = (place / "host_key.pub").read_text()
    (place / "known_hosts").write_text(f"server {host_key}")
    sshd_config = _SSHD_CONFIG.format(
        place=place,
        root=ROOT,
        open_port=OPEN_PORT,
        bastion_port=BASTION_PORT,
        watched_port=WATCHED_PORT,
    )
    (place / "sshd_config").write_text(sshd_config)
    (place / "ssh_config").write_text(_SSH_CONFIG.format(place=place))
    return Keys(place)


def forbidden() -> str | None:
    """Return why no machine can be made here: not root, or root of a container without rights.

    A user namespace instead would not do, as it has no other users to log in as.
    """
    # All that machines are made of, and what fails late and oddly otherwise: a real mount.
    script = "ip link add cable type veth && mount -t tmpfs none /run"
    command = [program("unshare"), "-n", "-m", "-p", "--fork", "sh", "-c", script]
    tried = subprocess.run(command, check=False, capture_output=True, text=True)
    if tried.returncode == 0:
        return None
    return f"no network namespaces, users and sshd can be made here: {tried.stderr.strip()}"


@asynccontextmanager
async def laptop() -> AsyncIterator[Machine]:
    """Run a machine that has no way out, and nothing but its own loopback."""
    script = "ip link set lo up && echo up && exec cat"  # which ends with us
    command = [program("unshare"), "-n", "sh", "-c", script]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"up\n"
        yield Machine(process.pid)
    finally:
        await _end(process)


@asynccontextmanager
async def server(keys: Keys, laptop: Machine, number: int = 0) -> AsyncIterator[Server]:
    """Run a machine whose sshd the laptop reaches; with it ends whatever runs on it.

    Servers at the same time have other numbers.
    """
    needed = dict.fromkeys(map(str, (ROOT, sys.prefix, sys.base_prefix)))
    with tempfile.TemporaryDirectory(prefix="server-") as place:
        unshare = ("-n", "-m", "-p", "--fork", "--kill-child", "--mount-proc")
        process = await asyncio.create_subprocess_exec(
            *(program("setpriv"), "--pdeathsig", "KILL", program("unshare"), *unshare),
            *(sys.executable, boot_server.__file__, place, keys.sshd_config, *needed),
            env=ENVIRON,
            stderr=PIPE,
        )
        try:
            for _port in (OPEN_PORT, BASTION_PORT, WATCHED_PORT):
                await says(process, "Server listening on")
            machine = Machine(_child_of(process.pid))
            yield Server(machine, keys, _connect(laptop, machine, number))
        finally:
            await _end(process)


@asynccontextmanager
async def stripe(keys: Keys, *reaching: Machine) -> AsyncIterator[None]:
    """Run a Stripe that these machines reach, whatever happens to m3cred."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.e2e.ssh.stripe_on_the_internet"),
        *(str(keys.stripe), *(str(machine.process) for machine in reaching)),
        cwd=ROOT,
        stdout=PIPE,
    )
    assert process.stdout is not None
    try:
        assert await process.stdout.readline() == b"up\n"
        yield
    finally:
        await _end(process)


def _child_of(process: int) -> int:
    (child,) = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return int(child)


async def says(process: Process, wanted: str) -> None:
    """Wait until a program has said ``wanted`` on its standard error."""
    assert process.stderr is not None
    said = ""
    while wanted not in said:
        line = await process.stderr.readline()
        assert line, said
        said += line.decode()


def _connect(laptop: Machine, server: Machine, number: int) -> str:
    """Return the server's address."""
    name, address = f"cable{number or ''}", f"{_NETWORKS[number]}.2"
    cable = ("ip", "link", "add", name, "type", "veth", "peer", "name", name, "netns")
    laptop.run(*cable, str(server.process))
    for machine, own in ((laptop, LAPTOP_ADDRESSES[number]), (server, address)):
        machine.run("ip", "address", "add", f"{own}/24", "dev", name)
        machine.run("ip", "link", "set", name, "up")
    return address


@contextmanager
def unplugged(laptop: Machine) -> Iterator[None]:
    """Take the cable out of the laptop: no side is told anything."""
    laptop.run("ip", "link", "set", "cable", "down")
    try:
        yield
    finally:
        laptop.run("ip", "link", "set", "cable", "up")


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGKILL)
    await process.communicate()
