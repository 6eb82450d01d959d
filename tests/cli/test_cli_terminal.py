import os
import pty
import subprocess
import sys
from contextlib import suppress

import pytest


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
    assert on_a_terminal(environment, *arguments) == (
        1,
        f"m3cred: TERM is {term or 'not set'}: this terminal cannot show a full-screen app; "
        "use the command line: m3cred create --help.\r\n",
    )


def test_an_empty_term_is_as_good_as_none(environment: dict[str, str]) -> None:
    environment["TERM"] = ""
    status, shown = on_a_terminal(environment)
    assert status == 1
    assert shown.startswith("m3cred: TERM is not set: ")
    assert "\x1b" not in shown
    assert shown.count("\n") == 1


def test_help_on_a_terminal_has_no_colours_to_go_wrong(environment: dict[str, str]) -> None:
    status, shown = on_a_terminal(environment, "--help")
    assert status == 0
    assert "demo-stripe" in shown
