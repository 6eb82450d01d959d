"""Standard output that is closed, full, without a reader, or of few characters."""

import asyncio
import fcntl
import os
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.conftest import Start
from tests.cli.kept import keep
from tests.e2e.terminal import SOON, rests
from tests.store.light_age import wrapped_lightly

Run = Callable[..., CompletedProcess[str]]
Shell = Callable[[str], "CompletedProcess[bytes]"]

M3CRED = f"{sys.executable} -m m3cred_tui"


UNBUFFERED = pytest.param("1", id="unbuffered", marks=pytest.mark.long)


@pytest.fixture(params=[pytest.param("", id="buffered"), UNBUFFERED])
def shell(environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Shell:
    """Run a line of bash, in which ``m3cred`` is a command."""
    keep(tmp_path, ["Zoë’s shop", *(f"Acme {number}" for number in range(50))])
    environ = {**environment, "PYTHONUNBUFFERED": request.param}

    def run(line: str) -> CompletedProcess[bytes]:
        script = f'm3cred() {{ {M3CRED} "$@"; }}; {line}'
        return subprocess.run(
            ["/bin/bash", "-c", script],
            env=environ,
            capture_output=True,
            timeout=50,
            check=False,
        )

    return run


@pytest.mark.parametrize("command", ["list", "list --json", "show 'Acme 1'"])
def test_a_pipe_that_is_closed_early_is_not_an_error(shell: Shell, command: str) -> None:
    # The reader is gone long before a line is written.
    ended = shell(f"{{ m3cred {command}; echo $? >&2; }} | true")
    assert ended.stderr == b"141\n"


def test_nor_is_it_for_help(shell: Shell) -> None:
    # argparse itself may take no notice.
    ended = shell("{ m3cred --help; echo $? >&2; } | true")
    assert ended.stderr in {b"0\n", b"141\n"}


def test_a_pipe_that_is_full_and_then_closed_ends_it(shell: Shell) -> None:
    ended = shell("for i in 1 2 3 4 5; do m3cred list --json; done | head -c 10; echo")
    assert ended.stderr == b""
    assert len(ended.stdout) == 11


def test_a_full_disk_is_a_sentence_and_status_1(shell: Shell) -> None:
    ended = shell("m3cred list > /dev/full")
    assert ended.returncode == 1
    assert ended.stderr == b"m3cred: standard output takes no more: the disk is full.\n"


def test_closed_standard_output_is_reported_before_anything_is_done(
    shell: Shell, tmp_path: Path
) -> None:
    ended = shell("m3cred delete 'Acme 1' --yes >&-")
    assert (ended.returncode, ended.stderr) == (1, b"m3cred: standard output is closed.\n")
    assert b"Acme 1 " in shell("m3cred list").stdout


def test_closed_standard_error_is_not_an_error(shell: Shell) -> None:
    assert shell("m3cred list 2>&-").stdout.startswith(b"NAME")
    assert shell("m3cred show nobody 2>&-").returncode == 1
    assert shell("m3cred show nobody 2>/dev/full").returncode == 1


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_the_locale_does_not_have_is_a_question_mark(shell: Shell, encoding: str) -> None:
    ended = shell(f"PYTHONIOENCODING={encoding} m3cred list zoe")
    assert (ended.returncode, ended.stderr) == (0, b"")
    shop = "Zoë?s shop".encode(encoding, "replace")
    assert shop in ended.stdout


def test_and_an_escape_in_json(shell: Shell) -> None:
    ended = shell("PYTHONIOENCODING=ascii m3cred list zoe --json")
    assert rb"Zo\u00eb\u2019s shop" in ended.stdout


def test_the_settings_are_escaped_in_json_too_where_the_locale_has_few_characters(
    shell: Shell,
) -> None:
    ended = shell("XDG_CONFIG_HOME=/zoë PYTHONIOENCODING=ascii m3cred config --json")
    assert rb"zo\u00eb" in ended.stdout
    ended = shell("XDG_CONFIG_HOME=/zoë PYTHONIOENCODING=utf-8 m3cred config --json")
    assert "zoë".encode() in ended.stdout


@pytest.mark.parametrize("locale", ["C", "POSIX", "nowhere"])
def test_any_locale_will_do(shell: Shell, locale: str) -> None:
    ended = shell(f"LC_ALL={locale} PYTHONCOERCECLOCALE=0 PYTHONUTF8=0 m3cred list")
    assert ended.returncode == 0
    assert b"Traceback" not in ended.stderr


def test_ctrl_c_ends_it_with_130_and_nothing_more(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Blocked on a FIFO that nobody writes to, as a passphrase's may be."""
    keep(tmp_path, ["Acme"])
    read, write = os.pipe()
    identity = tmp_path / "config" / "m3cred" / "identity.txt"
    identity.write_bytes(wrapped_lightly(identity.read_bytes(), "horse"))
    command = [sys.executable, "-m", "m3cred_tui", f"--passphrase-fd={read}", "show", "Acme"]
    with subprocess.Popen(
        command,
        env=environment,
        pass_fds=[read],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            os.write(write, b"h")
            wait_until_it_reads_on(process, read)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
            os.close(read)
            os.close(write)
    assert (process.returncode, out, err) == (130, b"", b"")


def wait_until_it_reads_on(process: "subprocess.Popen[bytes]", pipe: int) -> None:
    """Wait until the process has taken what was written, and sleeps until there is more.

    proc(5) shows its system call to a tracer only, but its state to everybody.
    """
    while fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4) != b"\0" * 4 or not sleeps(process):
        assert process.poll() is None, "it ended without reading a whole line"
        os.sched_yield()


def sleeps(process: "subprocess.Popen[bytes]") -> bool:
    return ") S " in Path(f"/proc/{process.pid}/stat").read_text("ascii")


@pytest.mark.parametrize("command", [("list",), ("check", "--all"), ("--help",)], ids=str)
@pytest.mark.quick(1)
async def test_ctrl_c_ends_it_on_a_terminal_that_nobody_reads(
    start: Start, command: tuple[str, ...]
) -> None:
    async with start(*command) as shown:
        shown.freeze()
        await asyncio.to_thread(rests, shown.pid)
        shown.signal(signal.SIGINT)
        assert await shown.ends_unread(SOON) == 130
