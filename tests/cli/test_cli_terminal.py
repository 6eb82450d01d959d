import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest

from m3cred_tui.cli.output.cells import wrapped
from tests.cli.conftest import Run


def on_a_terminal(environment: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run ``m3cred`` with a terminal as all it has; return its status and what is shown.

    What opens full screen does not end by itself: it is ended at the first escape sequence.
    """
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "m3cred_tui", *arguments],
        env=environment,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    ) as program:
        os.close(theirs)
        shown = b""
        try:
            with suppress(OSError):  # EIO is Linux's way of saying that all is read
                while (piece := os.read(ours, 4096)) and b"\x1b" not in shown:
                    shown += piece
            if b"\x1b" in shown:
                program.kill()
            status = program.wait(timeout=30)
        finally:
            program.kill()
            os.close(ours)
    return status, shown.decode()


@pytest.mark.parametrize("arguments", [(), ("--demo",)], ids=str)
@pytest.mark.parametrize("term", ["dumb", None])
@pytest.mark.quick(2)
def test_a_dumb_terminal_gets_one_sentence_and_status_1(
    environment: dict[str, str], term: str | None, arguments: tuple[str, ...]
) -> None:
    del environment["TERM"]
    if term is not None:
        environment["TERM"] = term
    status, shown = on_a_terminal(environment, *arguments)
    assert status == 1
    assert " ".join(shown.split()) == (
        f"m3cred: TERM is {term or 'not set'}: this terminal cannot show a full-screen app; "
        "use the command line: m3cred create --help."
    )


def test_an_empty_term_is_as_good_as_none(environment: dict[str, str]) -> None:
    environment["TERM"] = ""
    status, shown = on_a_terminal(environment)
    assert status == 1
    assert shown.startswith("m3cred: TERM is not set: ")
    assert "\x1b" not in shown
    assert shown.count(".") == 1


def test_a_line_is_wrapped_between_words_and_a_command_in_it_stays_whole() -> None:
    told = "“東京” expired, unused for a year. Run: m3cred reauthorize 0199-of-a-long-id"
    assert wrapped(told, 30, hanging=6, taken=10) == [
        "“東京” expired,",
        "      unused for a year. Run:",
        "        m3cred reauthorize 0199-of-a-long-id",
    ]
    assert wrapped(told, 100, hanging=6, taken=10) == [told]
    assert wrapped("/a/long/path is there.", 12, hanging=4, taken=8) == [
        "",
        "    /a/long/path",
        "    is",
        "    there.",
    ]


_LONG_WORD = 25


@pytest.mark.long
@pytest.mark.parametrize("columns", [80, 60])
@pytest.mark.parametrize(
    "arguments",
    [
        ("doctor", "--offline"),
        ("config",),
        ("config", "set", "store.address", "http://a.example"),
    ],
    ids=" ".join,
)
def test_no_word_is_broken_at_the_edge_of_the_terminal(
    environment: dict[str, str], m3cred: Run, arguments: tuple[str, ...], columns: int
) -> None:
    environ = {**environment, "NO_COLOR": "1", "COLUMNS": str(columns)}
    environ["M3CRED_STRIPE_CLIENT_ID"] = "wrong"
    _, shown = on_a_terminal(environ, *arguments)
    piped = m3cred(*arguments, M3CRED_STRIPE_CLIENT_ID="wrong")
    lines, whole = shown.splitlines(), (piped.stdout + piped.stderr).splitlines()
    assert len(lines) > len(whole)
    for line in lines:
        is_path = len(line.split()[-1]) > _LONG_WORD if line else False
        assert len(line) <= columns or is_path or line.strip().startswith("m3cred "), line


def test_help_on_a_terminal_has_no_colours_to_go_wrong(environment: dict[str, str]) -> None:
    status, shown = on_a_terminal(environment, "--help")
    assert status == 0
    assert "demo-stripe" in shown
