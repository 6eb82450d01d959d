"""A command that prints the secret key, run for good: what it gets, and how it can fail."""

import os
import select
import shlex
import signal
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from m3cred_tui.config.key_source import (
    CommandFailed,
    CommandHangs,
    CommandNotFound,
    CommandTooLoud,
    end_running,
    output_of,
)
from m3cred_tui.model.problem import Problem

ENVIRON = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}


def sentence(command: str, kind: type[Problem], seconds: float = 10.0) -> str:
    with pytest.raises(kind) as told:
        output_of(command, ENVIRON, seconds)
    return str(told.value)


def test_a_command_line_is_what_a_shell_takes() -> None:
    printed = output_of("printf 'sk_test_a\\nlogin: ann\\n' | head -1", ENVIRON)
    assert printed == b"sk_test_a\n"


def test_it_gets_no_key_of_ours_no_input_and_no_terminal() -> None:
    environ = {**ENVIRON, "KEPT": "yes", "M3CRED_STRIPE_SECRET_KEY": "sk_live_canary"}
    probe = "import os, sys; print(repr(sys.stdin.read()), os.getsid(0))"
    python = f"{shlex.quote(sys.executable)} -c {shlex.quote(probe)}"
    printed = output_of(f"{python}; env; true </dev/tty || echo no terminal", environ).decode()
    read, session = printed.splitlines()[0].split()
    assert read == "''"
    assert int(session) != os.getsid(0)
    assert "no terminal" in printed
    assert "KEPT=yes" in printed
    assert "canary" not in printed


def test_a_command_that_hangs_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    command = f"sleep 600 & echo $! >{pids}; echo $$ >>{pids}; cat /dev/zero | wc -c; wait"
    told = sentence(command, CommandHangs, seconds=0.5)
    assert told == (
        "The command did not end within 0.5 seconds and was stopped. It cannot ask for "
        "anything, so unlock what it needs first."
    )
    for pid in map(int, pids.read_text().split()):
        with suppress(ProcessLookupError):  # it is gone already
            process = os.pidfd_open(pid)
            assert select.select([process], [], [], 10)[0], f"{pid} lives on"
            os.close(process)


def test_a_command_that_closed_its_output_and_hangs_is_killed() -> None:
    sentence("exec >&- 2>&-; sleep 600", CommandHangs, seconds=0.3)


def test_a_daemon_that_keeps_the_output_open_holds_nobody_up(tmp_path: Path) -> None:
    started = time.monotonic()
    printed = output_of(f"sleep 30 & echo $! >{tmp_path}/pid; echo sk_test_a", ENVIRON)
    assert printed == b"sk_test_a\n"
    assert time.monotonic() - started < 10
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)


def test_a_command_that_never_stops_printing_is_stopped() -> None:
    assert sentence("yes", CommandTooLoud) == (
        "The command printed more than 4,096 bytes and was stopped; it must print only the key."
    )


def test_endless_error_output_fills_neither_memory_nor_pipe() -> None:
    printed = output_of("head -c 3000000 /dev/zero >&2; echo sk_test_a", ENVIRON)
    assert printed == b"sk_test_a\n"


def test_a_command_that_is_missing_is_reported() -> None:
    told = sentence("no-such-program show stripe", CommandNotFound)
    assert told.startswith("The command was not found: ")
    assert "no-such-program" in told


def test_a_missing_command_in_a_pipe_is_reported_too() -> None:
    told = sentence("no-such-program | head -1", CommandFailed)
    assert told.startswith("The command printed nothing: ")
    assert "no-such-program" in told


def test_why_a_command_failed_is_reported_by_its_first_line_without_a_key() -> None:
    told = sentence(
        "printf '\\033[31mno sk_test_canary here\\nmore\\n' >&2; echo sk_test_b; exit 3",
        CommandFailed,
    )
    assert told == "The command failed with status 3: \ufffd[31mno sk_*** here"


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("exit 4", "The command failed with status 4."),
        ("true", "The command printed nothing."),
        ("echo; echo ' '", "The command printed nothing."),
        ("kill -9 $$", "The command was ended by signal 9."),
    ],
)
def test_a_command_without_a_key_is_reported(command: str, told: str) -> None:
    assert sentence(command, CommandFailed) == told


def test_the_end_of_m3cred_ends_a_command_that_still_runs(tmp_path: Path) -> None:
    ended: list[Problem] = []
    has_spoken = tmp_path / "has-spoken"
    os.mkfifo(has_spoken)

    def ask() -> None:
        try:
            command = f"echo here >&2; echo > '{has_spoken}'; exec sleep 1000"
            output_of(command, dict(os.environ))
        except Problem as problem:
            ended.append(problem)

    asking = threading.Thread(target=ask)
    asking.start()
    has_spoken.read_text()
    while asking.is_alive():  # its thread may not have noted it yet
        end_running()
        asking.join(0.05)
    assert str(ended[0]) == "The command was ended by signal 9: here"
