from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.cli.parser import parser
from m3cred_tui.model.text import is_visible

Run = Callable[..., CompletedProcess[str]]


def test_version_is_that_of_the_installed_package(m3cred: Run) -> None:
    ended = m3cred("--version")
    assert (ended.returncode, ended.stdout) == (0, f"m3cred {version('m3cred')}\n")
    assert ended.stderr == ""


@pytest.mark.parametrize("command", [(), ("demo-stripe",)])
def test_help_explains_everything(m3cred: Run, command: tuple[str, ...]) -> None:
    ended = m3cred(*command, "--help")
    assert ended.returncode == 0
    assert ended.stderr == ""
    assert ended.stdout.startswith(" ".join(("usage: m3cred", *command)))
    told = (
        ("--help", "--port N") if command else ("--help", "--version", "--demo", "demo-stripe")
    )
    assert [option for option in told if option not in ended.stdout] == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("--wrong",),
        ("wrong",),
        ("--demo=yes",),
        ("--dem",),
        ("demo-stripe", "more"),
        ("demo-stripe", "--port"),
        ("demo-stripe", "--demo"),
    ],
    ids=" ".join,
)
def test_wrong_usage_is_reported_on_stderr_and_is_status_2(
    m3cred: Run, arguments: tuple[str, ...]
) -> None:
    ended = m3cred(*arguments)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.startswith("usage: m3cred")
    assert "Traceback" not in ended.stderr


def usage_of(words: str, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Return the usage and the sentence with which these words are refused."""
    with pytest.raises(SystemExit) as left:
        parser().parse_args(words.split())
    assert left.value.code == 2
    usage, error, sentence = capsys.readouterr().err.partition("error: ")
    return f"{usage}{error}", sentence.strip()


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("lst", "there is no command “lst”; did you mean list?"),
        ("--demo Chekc --all", "there is no command “Chekc”; did you mean check?"),
        ("config ste x y", "there is no command “ste”; did you mean set?"),
        ("identity exprot -", "there is no command “exprot”; did you mean export?"),
        ("payments", "there is no command “payments”; see m3cred --help"),
        ("config xyz", "there is no command “xyz”; see m3cred config --help"),
        ("list --jsno", "unrecognized arguments: --jsno; did you mean --json?"),
        ("list --dem", "unrecognized arguments: --dem; did you mean --demo?"),
        ("show x --inegration=y", "--inegration=y; did you mean --integration?"),
        ("completion bsh", "'bsh' (choose from bash, zsh, fish); did you mean bash?"),
        ("list --zzz", "unrecognized arguments: --zzz"),
        ("--json list", "--json; it goes after the command: m3cred list --json"),
    ],
)
def test_what_was_misspelt_is_answered_with_what_may_be_meant(
    words: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert usage_of(words, capsys)[1].endswith(meant)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("list --zzz", "m3cred list"),
        ("check --al", "m3cred check"),
        ("config check --zzz", "m3cred config check"),
        ("create", "m3cred create"),
        ("--zzz list", "m3cred"),
    ],
)
def test_the_usage_that_is_shown_is_that_of_the_misused_command(
    words: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    usage, _ = usage_of(words, capsys)
    assert usage.startswith(f"usage: {command} [-h]")
    assert usage.endswith(f"{command}: error: ")


SHARING = [
    *("list", "show x", "create --name x", "resume", "check --all", "delete x", "doctor"),
    *("config", "config path", "config set x y", "config check", "identity", "identity show"),
]


@pytest.mark.parametrize("words", SHARING)
def test_what_commands_share_is_taken_before_and_after_them(words: str) -> None:
    command = words.split()
    before = parser().parse_args(["--demo", "--passphrase-fd", "3", *command])
    after = parser().parse_args([*command, "--demo", "--passphrase-fd", "3"])
    assert after == before
    assert (before.demo, before.passphrase_fd) == (True, 3)
    neither = parser().parse_args(command)
    assert (neither.demo, neither.passphrase_fd) == (False, None)
    between = parser().parse_args(["--demo", *command, "--passphrase-fd", "3"])
    assert between == before


def test_what_follows_the_command_of_exec_is_not_taken_from_it() -> None:
    chosen = parser().parse_args(["exec", "--passphrase-fd", "3", "x", "--", "y", "--demo"])
    assert (chosen.demo, chosen.passphrase_fd) == (False, 3)
    assert chosen.command_line[-2:] == ["y", "--demo"]


@pytest.mark.parametrize("word", ["--\x1b[2J", "--\x9b2J", "--\u202eevil", "--a\nm3cred:b"])
def test_what_was_typed_is_shown_harmlessly(m3cred: Run, word: str) -> None:
    ended = m3cred("list", word)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "unrecognized arguments: --" in ended.stderr
    *usage, error = ended.stderr.splitlines()
    assert error.startswith("m3cred list: error: ")
    assert not any(line.startswith("m3cred:") for line in usage)
    assert all(one == "\N{REPLACEMENT CHARACTER}" or is_visible(one) for one in error)


def test_demo_is_not_taken_for_what_the_demo_stripe_command_has(m3cred: Run) -> None:
    ended = m3cred("--demo", "demo-stripe", "--port", "x")
    assert ended.returncode == 2


@pytest.mark.parametrize(
    "port",
    ["", "x", "-1", "65536", "1.5", "0x50", " 80", "٣", "1" * 5_000, "\x1b[2J"],
    ids=lambda port: ascii(port[:9]),
)
def test_a_value_that_is_no_port_is_wrong_usage_and_shown_harmlessly(
    m3cred: Run, port: str
) -> None:
    ended = m3cred("demo-stripe", f"--port={port}")
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert "is not a port from 0 to 65535" in ended.stderr
    assert "\x1b" not in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("arguments", [(), ("--demo",)], ids=str)
def test_without_a_terminal_the_app_says_so_and_is_status_1(
    m3cred: Run, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    ended = m3cred(*arguments)
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr == "m3cred: the app needs a terminal; run it in one.\n"
    assert list(tmp_path.iterdir()) == []
