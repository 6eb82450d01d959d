from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from subprocess import CompletedProcess

import pytest

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


@pytest.mark.parametrize("word", ["--\x1b[2J", "--\x9b2J", "--\u202eevil", "--a\nm3cred:b"])
def test_what_was_typed_is_shown_harmlessly(m3cred: Run, word: str) -> None:
    ended = m3cred("list", word)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "unrecognized arguments: --" in ended.stderr
    *usage, error = ended.stderr.splitlines()
    assert error.startswith("m3cred: error: ")
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
