"""The command is read by a real shell and by the real ssh."""

import os
import pwd
import subprocess

import pytest

from m3cred_tui.browser.surroundings import (
    Surroundings,
    login_name,
    ssh_connection,
    tunnel,
)
from tests.e2e.conftest import program

NOWHERE = Surroundings(
    ssh=False,
    connection=None,
    tmux=False,
    screen=False,
    container=False,
    wsl=False,
    display=False,
    browser_variable=False,
)


def over_ssh(connection: str) -> Surroundings:
    found = ssh_connection(connection)
    assert found
    return NOWHERE._replace(ssh=True, connection=found)


def made(
    here: Surroundings, *ports: int, user: str = "ada", host_name: str = "web1.example"
) -> str:
    return tunnel(ports or (27182,), here, user=user, host_name=host_name)


def test_the_command_names_what_the_laptop_connected_to() -> None:
    found = made(over_ssh("203.0.113.9 52000 198.51.100.7 22"))
    assert found == "ssh -N -L 27182:127.0.0.1:27182 ada@198.51.100.7"


def test_another_port_of_sshd_and_the_demos_port_are_in_it() -> None:
    found = made(over_ssh("10.0.0.9 52000 10.0.0.7 2222"), 27183, 27181)
    assert found == (
        "ssh -N -L 27183:127.0.0.1:27183 -L 27181:127.0.0.1:27181 -p 2222 ada@10.0.0.7"
    )


@pytest.mark.parametrize(
    ("connection", "host"),
    [
        ("2001:db8::9 1 2001:db8::7 22", "2001:db8::7"),
        ("::ffff:10.0.0.9 1 ::ffff:10.0.0.7 22", "10.0.0.7"),
        ("127.0.0.1 1 127.0.0.1 22", "127.0.0.1"),
        ("100.100.1.9 1 100.100.1.7 22", "100.100.1.7"),
        # The address was translated on the way: from outside it leads nowhere.
        ("8.8.8.8 1 10.0.0.7 22", "web1.example"),
        ("2606:4700::9 1 fd00::7 22", "web1.example"),
        # eth0 is this machine's word for it.
        ("fe80::9%eth0 1 fe80::7%eth0 22", "web1.example"),
        ("fe80::9 1 fe80::7%$(id) 22", "web1.example"),
    ],
)
def test_the_name_replaces_an_address_that_the_laptop_cannot_reach(
    connection: str, host: str
) -> None:
    assert made(over_ssh(connection)).endswith(f" ada@{host}")


def test_the_machines_own_name_is_used_where_sshd_did_not_say() -> None:
    found = made(NOWHERE._replace(ssh=True))
    assert found == "ssh -N -L 27182:127.0.0.1:27182 ada@web1.example"


def test_a_container_is_reached_by_the_name_of_its_host() -> None:
    found = made(NOWHERE._replace(container=True), host_name="3f2a9c")
    assert found.endswith(" ada@SERVER")
    with_sshd = over_ssh("10.0.0.9 1 172.17.0.2 22")._replace(container=True)
    assert made(with_sshd).endswith(" ada@172.17.0.2")


HOSTILE = [
    "",
    "-oProxyCommand=id",
    "a b",
    "a;id",
    "$(id)",
    "`id`",
    "a\nid",
    "a'b",
    "\x1b]0;owned\x07",
    "\u202etxt",
    "x" * 300,
    "..",
    "!!",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_is_replaced_by_capitals(text: str) -> None:
    found = made(NOWHERE, user=text, host_name=text)
    assert found == "ssh -N -L 27182:127.0.0.1:27182 USER@SERVER"


@pytest.mark.parametrize("user", ["ada", "ACME\\ada", "ada@acme.example", "web1$", "_www"])
def test_ssh_and_the_shell_read_the_command_as_intended(user: str) -> None:
    found = made(over_ssh("2001:db8::9 1 2001:db8::7 2222"), 27182, 27181, user=user)
    assert program("ssh")
    resolved = found.replace("ssh ", "ssh -F /dev/null -G ", 1)
    told = subprocess.check_output(["sh", "-c", resolved], text=True).lower().splitlines()
    assert {
        f"user {user.lower()}",
        "hostname 2001:db8::7",
        "port 2222",
        "localforward 27182 [127.0.0.1]:27182",
        "localforward 27181 [127.0.0.1]:27181",
    } <= set(told)


def test_after_sudo_the_user_who_logged_in_is_named() -> None:
    me = pwd.getpwuid(os.getuid()).pw_name
    assert login_name({}) == me
    assert login_name({"SUDO_USER": "ada"}) == ("ada" if os.getuid() == 0 else me)
