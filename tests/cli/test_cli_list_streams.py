"""Standard streams that are closed, full, without a reader, or of few characters."""

import asyncio
import fcntl
import os
import re
import signal
import subprocess
import sys
import termios
from collections.abc import Callable
from io import BytesIO, TextIOWrapper
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.cli.output.streams import harmless
from m3cred_tui.model.text import is_visible
from tests.cli.conftest import Start
from tests.cli.kept import keep
from tests.e2e.terminal import SOON, rests
from tests.store.light_age import wrapped_lightly

Run = Callable[..., CompletedProcess[str]]
Shell = Callable[[str], "CompletedProcess[bytes]"]

CONTROLS = frozenset(bytes([byte]) for byte in range(0x80, 0xA0))
M3CRED = f"{sys.executable} -m m3cred_tui"


UNBUFFERED = pytest.param("1", id="unbuffered", marks=pytest.mark.long)


@pytest.fixture(params=[pytest.param("", id="buffered"), UNBUFFERED])
def shell(environment: dict[str, str], tmp_path: Path, request: pytest.FixtureRequest) -> Shell:
    """Run a line of bash, in which ``m3cred`` is a command."""
    keep(tmp_path, ["Zoë’s shop", "„Щит› ⌠日", *(f"Acme {number}" for number in range(50))])
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


@pytest.mark.long
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


@pytest.mark.parametrize(
    ("command", "status", "told"),
    [
        ("", 1, b"m3cred: the app needs a terminal; run it in one.\n"),
        (
            "config set stripe_test.secret_key",
            1,
            b"m3cred: The secret key cannot be read: standard input is closed.\n",
        ),
        ("--passphrase-fd 0 identity protect --new-passphrase-fd 0", 1, None),
        ("identity import -", 1, b"m3cred: standard input cannot be used: it is closed.\n"),
        ("completion bash --answer", 0, b""),
        ("completion zsh --answer", 0, b""),
        ("doctor --offline", 1, b""),
        ("list", 0, b""),
    ],
)
@pytest.mark.quick(2)
def test_closed_standard_input_is_said_where_it_is_needed_and_else_like_an_empty_one(
    shell: Shell, command: str, status: int, told: bytes | None
) -> None:
    ended = shell(f"m3cred {command} <&-")
    assert ended.returncode == status
    assert ended.stderr.count(b"\n") == 1 if told is None else ended.stderr == told


def test_standard_input_that_cannot_be_read_is_a_sentence(shell: Shell) -> None:
    ended = shell("m3cred completion bash --answer 0>/dev/null")
    assert ended.returncode == 1
    assert ended.stderr.startswith(b"m3cred: standard input cannot be used: ")


@pytest.mark.parametrize("closed", ["<&- >&- 2>&-", "<&-", ">&-", "2>&-"])
@pytest.mark.quick(1)
def test_no_file_takes_the_place_of_a_standard_stream_that_is_closed(
    environment: dict[str, str], tmp_path: Path, closed: str
) -> None:
    script = f"""
from m3cred_tui.cli.main import main
import os, sys
sys.argv = ["m3cred", "--version"]
main()
seen = os.open({str(tmp_path / "opened")!r}, os.O_CREAT | os.O_WRONLY)
print("to stderr", file=sys.stderr, flush=True)
print("to stdout", flush=True)
os.write(seen, f"{{seen > 2}} {{sys.stdin.read()!r}}".encode())
"""
    (tmp_path / "script").write_text(script)
    line = f"{sys.executable} {tmp_path / 'script'} {closed}"
    environ = environment | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run(
        ["/bin/sh", "-c", line], env=environ, stdin=subprocess.DEVNULL, timeout=30, check=True
    )
    assert (tmp_path / "opened").read_text() == "True ''"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_what_the_locale_does_not_have_is_a_question_mark(shell: Shell, encoding: str) -> None:
    ended = shell(f"PYTHONIOENCODING={encoding} m3cred list zoe")
    assert (ended.returncode, ended.stderr) == (0, b"")
    shop = "Zoë?s shop".encode(encoding, "replace")
    assert shop in ended.stdout


def test_a_command_that_is_run_has_all_standard_streams(shell: Shell) -> None:
    ended = shell("m3cred exec 'Acme 1' -- sh -c 'cat && echo told >&2 && echo ok' <&- 2>&-")
    assert (ended.returncode, ended.stdout) == (0, b"ok\n")


ENCODINGS = ["cp1252", "koi8-r", "cp437", "cp1251", "iso-8859-15", "iso2022_jp"]
HAVE_CONTROLS = re.compile(rb"[\x00-\x09\x0b-\x1f\x7f-\x9f]")


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.quick(2)
def test_nothing_becomes_a_control_byte_in_the_encoding_of_the_terminal(
    shell: Shell, encoding: str
) -> None:
    """The single quotation mark › is 0x9B in cp1252, which begins a sequence (ECMA-48, CSI)."""
    for line in "list щит", "show '›⌠日'", "show '„Щит› ⌠日'", "list --›":
        ended = shell(f"PYTHONIOENCODING={encoding} m3cred {line}")
        assert ended.stdout or ended.stderr
        for written in ended.stdout, ended.stderr:
            assert not HAVE_CONTROLS.search(written.replace(b"\x1b(B", b"")), (line, written)


@pytest.mark.parametrize("encoding", [*ENCODINGS, "utf-8", "shift_jis", "gb18030", "euc_kr"])
def test_of_each_encoding_only_the_characters_that_are_control_bytes_are_left_out(
    encoding: str,
) -> None:
    stream = TextIOWrapper(BytesIO(), encoding)
    signs = map(chr, range(0xA1, 0x3000)) if encoding != "utf-8" else ["›"]
    for one in filter(is_visible, [*signs, "日", "한"]):
        try:
            encoded = one.encode(encoding)
        except UnicodeEncodeError:
            assert harmless(one, stream).isascii()
            continue
        is_control = any(byte < 32 for byte in encoded) or encoded in CONTROLS
        assert harmless(one, stream).isascii() if is_control else harmless(one, stream) == one


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
        shown.signal(signal.SIGSTOP)  # it has written nothing yet
        shown.freeze()
        shown.signal(signal.SIGCONT)
        await asyncio.to_thread(rests, shown.pid)
        shown.signal(signal.SIGINT)
        assert await shown.ends_unread(SOON) == 130
