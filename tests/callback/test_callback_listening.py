"""Which ports the server listens on, and when it frees them."""

import errno
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from m3cred_tui.callback import server as server_module
from m3cred_tui.callback.connections import Connections, Request
from m3cred_tui.callback.listeners import Listener, listeners
from m3cred_tui.callback.pages import Response, plain
from m3cred_tui.callback.reception import Phase, parse_status
from m3cred_tui.callback.server import (
    CallbackServer,
    CannotListen,
    NoFreePort,
    PortsOfAnotherUser,
    listen_on_loopback,
    redirect_port,
)
from m3cred_tui.model.authorization import CALLBACK_PORTS
from m3cred_tui.model.secret import Secret
from tests.callback.conftest import EndPage, Get, Poll
from tests.e2e.conftest import program
from tests.other_user import as_root, held_by_another_user, held_silently
from tests.visitors import visitor

HOLD = """
import socket, sys
address, family = sys.argv[1], int(sys.argv[2])
held = socket.create_server((address, 0), family=family, dualstack_ipv6=":" in address)
print(held.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_another_program(address: str, family: socket.AddressFamily) -> Iterator[int]:
    command = [sys.executable, "-I", "-c", HOLD, address, str(int(family))]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdout is not None
        yield int(program.stdout.readline())
        program.communicate("")


def has_ipv6_loopback() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


ipv6 = pytest.mark.skipif(not has_ipv6_loopback(), reason="this machine has no ::1")

HELD = [
    pytest.param("127.0.0.1", socket.AF_INET, id="v4"),
    pytest.param("0.0.0.0", socket.AF_INET, id="every v4"),
    pytest.param("::1", socket.AF_INET6, id="v6", marks=ipv6),
    pytest.param("::", socket.AF_INET6, id="every v6", marks=ipv6),
    pytest.param("::ffff:127.0.0.1", socket.AF_INET6, id="v4 as v6", marks=ipv6),
]


@pytest.mark.parametrize(("address", "family"), HELD)
def test_a_port_that_another_program_holds_is_skipped(
    address: str, family: socket.AddressFamily, state: str
) -> None:
    with (
        held_by_another_program(address, family) as taken,
        CallbackServer(Secret(state), ports=(taken, 0)) as server,
    ):
        assert server.port != taken
        assert str(taken) not in server.redirect_uri


@pytest.mark.parametrize(("address", "family"), HELD)
def test_when_every_port_is_taken_the_user_is_told_which(
    address: str, family: socket.AddressFamily, state: str
) -> None:
    with held_by_another_program(address, family) as taken:
        server = CallbackServer(Secret(state), ports=(taken, taken))
        with pytest.raises(NoFreePort, match=f"holds port {taken}.* Close any tunnel to it"):
            listen_on_loopback([taken])
        with pytest.raises(NoFreePort, match=f"{taken} and {taken}") as raised:
            server.start()
        assert raised.value.ports == (taken, taken)
        server.close()


def test_a_machine_without_ipv6_listens_on_ipv4_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    create_server = socket.create_server

    def of_ipv4(address: tuple[str, int], **options: Any) -> socket.socket:
        if options["family"] is socket.AF_INET6:
            raise OSError(errno.EADDRNOTAVAIL, "no such address")
        return create_server(address, **options)

    monkeypatch.setattr(socket, "create_server", of_ipv4)
    port, [listener] = listen_on_loopback([0])
    with listener:
        assert listener.getsockname() == ("127.0.0.1", port)


async def test_a_listener_that_was_closed_in_a_pause_is_left_alone() -> None:
    async def respond(_request: Request) -> Response:
        raise AssertionError

    connections = Connections(respond, plain, 1.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        pass
    connections.accept_from(listener)
    await connections.finish([], within=0)


@as_root
def test_a_paste_is_never_awaited_on_a_port_of_another_user() -> None:
    with held_by_another_user(0, 0) as theirs:
        with pytest.raises(PortsOfAnotherUser, match=f"{theirs[0]} and {theirs[1]}") as raised:
            redirect_port(theirs)
        assert raised.value.users == listeners(theirs[0])[0].user
        assert f"Port {theirs[0]}, to which" in str(PortsOfAnotherUser(theirs[:1], "nobody"))


@as_root
@pytest.mark.parametrize(("address", "family"), HELD)
def test_a_port_of_this_user_is_preferred_to_that_of_another(
    address: str, family: socket.AddressFamily
) -> None:
    with (
        held_by_another_user(0) as theirs,
        held_silently() as unknown,
        held_by_another_program(address, family) as ours,
    ):
        assert redirect_port([*theirs, unknown, ours]) == (ours, True)
        assert redirect_port([*theirs, unknown]) == (unknown, False)


@as_root
@ipv6
def test_a_port_shared_with_another_user_is_theirs() -> None:
    with (
        held_by_another_user(0) as theirs,
        socket.create_server(("::1", theirs[0]), family=socket.AF_INET6),
        pytest.raises(PortsOfAnotherUser),
    ):
        redirect_port(theirs)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127/8")
def test_a_listener_out_of_reach_of_the_redirect_does_not_count(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.2", 0)) as elsewhere:
        port = elsewhere.getsockname()[1]
        assert listeners(port) == listeners(port, proc=tmp_path) == []


def test_a_connection_that_outlives_its_listener_is_none() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listener.accept()
            listener.close()
            with accepted:
                assert listeners(port) == []


def test_a_port_that_nobody_is_seen_to_listen_on_may_be_anyones() -> None:
    with held_silently() as unknown:
        assert redirect_port([unknown]) == (unknown, False)


@as_root
def test_a_user_whose_uid_a_container_gives_to_strangers_knows_no_listener() -> None:
    # In a process of its own, as one whose uid has changed is closed to its own user for good.
    ask = (
        "import os, sys; sys.path.insert(0, sys.argv[1])\n"
        "from m3cred_tui.callback.server import redirect_port\n"
        "os.seteuid(65_534); print(redirect_port([int(sys.argv[2])]))"
    )
    with held_by_another_user(0) as [port]:
        command = [sys.executable, "-c", ask, str(Path(__file__).parents[2]), str(port)]
        assert subprocess.check_output(command, text=True) == f"({port}, False)\n"


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the kernel has no such table")
def test_a_listener_is_named_by_its_program_where_this_user_may_see_it(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        [ours] = listeners(port)
        assert ours.program.endswith(f" (process {os.getpid()})")
        (tmp_path / "net").mkdir()
        (tmp_path / "net" / "tcp").write_bytes(Path("/proc/net/tcp").read_bytes())
        assert listeners(port, proc=tmp_path) == [Listener(os.getuid(), "")]


def test_all_users_who_hold_the_ports_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "listeners", lambda port: [Listener(port, "")])
    with pytest.raises(PortsOfAnotherUser, match=r"\(uid 4000001, uid 4000002\)"):
        redirect_port([4000002, 4000001])


def test_where_the_kernel_has_no_table_lsof_shows_this_users_programs(tmp_path: Path) -> None:
    program("lsof")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        [ours] = listeners(port, proc=tmp_path)
        assert ours.is_ours
        assert ours.program.endswith(f"(process {os.getpid()})")
    assert listeners(port, proc=tmp_path) == []


def test_a_user_without_a_name_is_shown_by_the_uid() -> None:
    assert Listener(4_000_000, "").user == "uid 4000000"


def test_a_system_that_does_not_allow_listening_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The one thing that is not available here for real: a sandbox without sockets.
    def forbidden(*_: object) -> None:
        raise PermissionError(1, "no")

    monkeypatch.setattr(socket.socket, "bind", forbidden)
    with pytest.raises(CannotListen, match="Operation not permitted"):
        listen_on_loopback(CALLBACK_PORTS)


def test_two_servers_at_the_same_time_use_different_ports(
    server: CallbackServer, state: str
) -> None:
    with CallbackServer(Secret(state), ports=(server.port, 0)) as second:
        assert second.port != server.port


@ipv6
def test_the_redirect_is_taken_on_both_loopback_addresses(server: CallbackServer) -> None:
    with visitor() as client:
        assert client.get(server.status_url.replace("127.0.0.1", "[::1]")).status_code == 200


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux answers on all of 127/8")
def test_nothing_but_loopback_is_listened_on(server: CallbackServer) -> None:
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.2", server.port), timeout=10)


def test_a_closed_server_frees_its_port_immediately(
    server: CallbackServer, get: Get, approval: str, state: str
) -> None:
    get(approval)
    server.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", server.port), timeout=10)
    with CallbackServer(Secret(state), ports=(server.port,)) as second:
        assert second.port == server.port


def test_the_result_outlives_the_server(
    server: CallbackServer, get: Get, approval: str
) -> None:
    get(approval)
    result = server.result()
    server.close()
    server.close()
    assert server.result() is result is not None


def test_closing_a_server_that_never_started_is_allowed(state: str) -> None:
    server = CallbackServer(Secret(state), ports=(0,))
    server.close()
    assert server.result() is None


def test_a_held_poll_is_answered_when_the_server_closes(
    server: CallbackServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "_FAREWELL_SECONDS", 300)  # must not be needed
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as poll:
        host = f"Host: 127.0.0.1:{server.port}\r\n\r\n".encode()
        # An answered poll on another connection shows that this one has been read.
        poll.sendall(f"GET {server._paths.status}?after=1&wait=25 HTTP/1.1\r\n".encode() + host)
        with visitor() as client:
            client.get(server.status_url)
        server.close()
        assert server._thread is not None
        assert not server._thread.is_alive()
        assert poll.recv(12) == b"HTTP/1.1 200"


def test_the_browser_still_gets_its_end_page_after_success(
    server: CallbackServer, get: Get, end_page: EndPage, approval: str
) -> None:
    get(approval)
    server.close_after_end_page()
    assert "Create Credential" in end_page().text
    assert server._thread is not None
    server._thread.join(5)
    with pytest.raises(ConnectionRefusedError):
        end_page()


def test_a_browser_that_never_asks_for_its_end_page_does_not_keep_the_port(
    server: CallbackServer, get: Get, approval: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "END_PAGE_SECONDS", 0.01)
    get(approval)
    server.close_after_end_page()
    assert server._thread is not None
    server._thread.join(5)
    assert not server._thread.is_alive()


def test_a_cancelled_wait_ends_immediately(server: CallbackServer, poll: Poll) -> None:
    server.close_after_end_page()
    assert server._thread is not None
    server._thread.join(5)
    with pytest.raises(ConnectionRefusedError):
        poll()


def test_a_program_that_forgets_to_close_still_exits(state: str) -> None:
    program = (
        "from m3cred_tui.callback.server import CallbackServer\n"
        "from m3cred_tui.model.secret import Secret\n"
        "CallbackServer(Secret('s'), ports=(0,)).start()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=20, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_poll_in_another_thread_follows_the_whole_wait(
    server: CallbackServer, get: Get, approval: str
) -> None:
    def follow() -> list[tuple[Phase, int]]:
        seen: list[tuple[Phase, int]] = []
        version = 0
        with visitor() as client:
            while not seen or seen[-1][0] is Phase.WAITING:
                response = client.get(f"{server.status_url}?after={version}&wait=25")
                status = parse_status(response.content)
                version = status.version
                seen.append((status.phase, status.mismatches))
        return seen

    with ThreadPoolExecutor() as pool:
        following = pool.submit(follow)
        get("/callback?code=ac_1&state=forged")
        get(approval)
        assert following.result(timeout=10)[-1] == (Phase.RECEIVED, 1)
