"""Three nodes of a real OpenBao on loopback, with TLS and raft, for a test to end."""

from __future__ import annotations

import json
import os
import signal
import ssl
import subprocess
import threading
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import httpx

from tests.e2e.conftest import program
from tests.ports import free_port
from tests.store.port import bao

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ACTIVE, STANDBY = 200, 429
"""What ``sys/health`` answers."""
_PATIENCE = 30.0  # seconds, in which a cluster finds a leader even on a busy machine
_LOOK_EVERY = 0.05  # seconds; nobody tells when a node becomes the leader

_CONFIGURATION = """
storage "raft" {{
  path = "{data}"
  node_id = "node{number}"
  performance_multiplier = 1
  autopilot_reconcile_interval = "200ms"
  autopilot_update_interval = "200ms"
{join}}}
seal "static" {{
  current_key_id = "test"
  current_key = "file://{seal_key}"
}}
listener "tcp" {{
  address = "127.0.0.1:{port}"
  cluster_address = "127.0.0.1:{cluster_port}"
  tls_cert_file = "{certificate}"
  tls_key_file = "{key}"
}}
audit "file" "all" {{
  options {{
    file_path = "{audit}"
  }}
}}
api_addr = "https://127.0.0.1:{port}"
cluster_addr = "https://127.0.0.1:{cluster_port}"
"""
_JOIN = """  retry_join {{
    leader_api_addr = "https://127.0.0.1:{port}"
    leader_ca_cert_file = "{certificate}"
  }}
"""


@dataclass
class Node:
    """One server of the cluster."""

    number: int
    place: Path
    client: httpx.Client
    port: int = field(default_factory=free_port)
    cluster_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def configure(self, others: list[Node]) -> None:
        """Write the node's configuration."""
        place, number = self.place, self.number
        data = place / f"data{number}"
        data.mkdir()
        certificate = place / "certificate.pem"
        join = "".join(_JOIN.format(port=one.port, certificate=certificate) for one in others)
        (place / f"node{number}.hcl").write_text(
            _CONFIGURATION.format(
                data=data,
                number=number,
                join=join,
                seal_key=place / "seal.key",
                port=self.port,
                cluster_port=self.cluster_port,
                certificate=certificate,
                key=place / "key.pem",
                audit=place / "audit.log",  # all nodes have to name the same
            )
        )

    def start(self) -> None:
        """Start the server; it is up when :meth:`health` says so."""
        configuration = self.place / f"node{self.number}.hcl"
        with (self.place / f"node{self.number}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [bao.program(), "server", f"-config={configuration}"],
                stdout=log,
                stderr=log,
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal to the server, which SIGKILL and SIGTERM end."""
        assert self.process is not None
        self.process.send_signal(number)
        if number in {signal.SIGKILL, signal.SIGTERM}:
            self.process.wait(_PATIENCE)
            self.process = None

    def hang(self) -> None:
        """Have it answer no more, with its connections open."""
        self.send(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let a server that hangs go on."""
        self.send(signal.SIGCONT)

    def health(self) -> int | None:
        """Return the status of ``sys/health``; ``None`` if it does not answer."""
        try:
            return self.client.get(f"{self.address}/v1/sys/health", timeout=1).status_code
        except httpx.HTTPError:
            return None


@dataclass
class Cluster:
    """Three nodes; ``token`` is the root token."""

    nodes: list[Node]
    certificate: Path
    audit_log: Path
    token: str
    client: httpx.Client

    @property
    def leader(self) -> Node:
        """The node that is active now; waits until there is one."""
        found: list[Node] = []

        def look() -> bool:
            found[:] = [node for node in self.nodes if node.health() == ACTIVE]
            return len(found) == 1

        wait_until(look, "a node is the leader")
        return found[0]

    @property
    def standbys(self) -> list[Node]:
        """The nodes that are not active."""
        return [node for node in self.nodes if node.health() == STANDBY]

    def step_down(self) -> None:
        """Have the leader give its place to another node."""
        self.request("PUT", "sys/step-down", node=self.leader)

    def whole(self) -> None:
        """Start what was ended, let go on what hangs, and wait until every node answers."""
        for node in self.nodes:
            node.start() if node.process is None else node.go_on()
        wait_until(
            lambda: sorted(str(node.health()) for node in self.nodes) == ["200", "429", "429"],
            "one node leads and two stand by",
        )
        wait_until(lambda: self._voters() == len(self.nodes), "each node may become the leader")

    def _voters(self) -> int:
        told = self.request("GET", "sys/storage/raft/configuration").json()
        return sum(server["voter"] for server in told["data"]["config"]["servers"])

    def request(
        self, method: str, path: str, body: object = None, *, node: Node | None = None
    ) -> httpx.Response:
        """Ask a node, by default the leader, as root."""
        reply = self.client.request(
            method,
            f"{(node or self.leader).address}/v1/{path}",
            json=body,
            headers={"X-Vault-Token": self.token},
        )
        reply.raise_for_status()
        return reply


def wait_until(holds: Callable[[], bool], what: str) -> None:
    """Wait until something outside this process holds, which tells nobody when it does."""
    for _ in range(int(_PATIENCE / _LOOK_EVERY)):
        if holds():
            return
        threading.Event().wait(_LOOK_EVERY)
    raise AssertionError(f"it never came that {what}")


@contextmanager
def bao_cluster(place: Path) -> Iterator[Cluster]:
    """Run three nodes below ``place``, with a KV version 2 mount at ``secret``."""
    (place / "seal.key").write_bytes(os.urandom(32))
    certify(place, "IP:127.0.0.1", "DNS:localhost")
    certificate = place / "certificate.pem"
    context = ssl.create_default_context(cafile=certificate)
    with ExitStack() as ends:
        client = ends.enter_context(httpx.Client(verify=context, trust_env=False))
        nodes = [Node(number, place, client) for number in range(3)]
        ends.callback(_end, nodes)
        for node in nodes:
            node.configure([one for one in nodes if one is not node])
        nodes[0].start()
        cluster = Cluster(
            nodes, certificate, place / "audit.log", _initialise(nodes[0]), client
        )
        # By default, only after ten seconds may a new node become the leader.
        quick = {"server_stabilization_time": "100ms"}
        cluster.request("POST", "sys/storage/raft/autopilot/configuration", quick)
        cluster.whole()
        cluster.request("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": 2}})
        yield cluster


def certify(place: Path, *names: str) -> None:
    """Make ``key.pem`` and ``certificate.pem``, self-signed, for a server with these names."""
    made = (program("openssl"), "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2")
    curve = ("-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=bao")
    named = ("-addext", f"subjectAltName={','.join(names)}")
    files = ("-keyout", place / "key.pem", "-out", place / "certificate.pem")
    subprocess.run([*made, *curve, *named, *files], check=True, capture_output=True)


def _initialise(node: Node) -> str:
    wait_until(lambda: node.health() == httpx.codes.NOT_IMPLEMENTED, "the first node is up")
    shares = {"recovery_shares": 1, "recovery_threshold": 1}
    reply = node.client.put(f"{node.address}/v1/sys/init", json=shares, timeout=_PATIENCE)
    reply.raise_for_status()
    return str(json.loads(reply.content)["root_token"])


def _end(nodes: list[Node]) -> None:
    for node in nodes:
        if node.process is not None:
            with suppress(ProcessLookupError):
                node.send(signal.SIGKILL)
