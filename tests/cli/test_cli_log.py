"""``m3cred log`` shows what happened, and follows it whatever becomes of the file."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from m3cred_tui.cli.log import logging_to
from m3cred_tui.config.log_reader import LogReader
from tests.cli.conftest import Start
from tests.cli.kept import keep
from tests.e2e.terminal import CTRL_C

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the log is, which is made private."""
    folder = tmp_path / "state" / "m3cred"
    folder.mkdir(mode=0o700, parents=True)
    return folder / "m3cred.log"


def write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    with path.open("a") as file:
        file.write(text)


def test_it_says_what_was_deleted_and_where_the_log_will_be_before_there_is_one(
    m3cred: Run, tmp_path: Path
) -> None:
    ended = m3cred("log")
    log = tmp_path / "state" / "m3cred" / "m3cred.log"
    assert (ended.returncode, ended.stdout) == (0, "")
    assert ended.stderr == f"There is no log yet; it will be {log}.\n"
    (one,) = keep(tmp_path, ["Acme"])
    assert m3cred("delete", "Acme", "--yes").returncode == 0
    ended = m3cred("log")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == log.read_text()
    assert f": deleted {one.id}\n" in ended.stdout


def test_what_was_rotated_comes_first_and_lines_are_safe_to_draw(
    m3cred: Run, path: Path
) -> None:
    write(path.with_name("m3cred.log.1"), "older\n")
    write(path, "newer\n    in \x1b]0;title\x07 a file\n")
    ended = m3cred("log")
    assert ended.stdout.startswith("older\nnewer\n    in ")
    assert "\x1b" not in ended.stdout
    assert "\x07" not in ended.stdout


def test_nothing_is_lost_or_repeated_when_the_log_is_rotated(path: Path) -> None:
    reader = LogReader(path)
    assert [*reader.lines()] == []
    write(path, "one\ntw")
    assert [*reader.lines()] == ["one"]
    write(path, "o\nthree\n")
    path.replace(path.with_name("m3cred.log.1"))
    write(path, "four\n")
    assert [*reader.lines()] == ["two", "three", "four"]
    assert [*reader.lines()] == []
    path.unlink()
    assert [*reader.lines()] == []
    write(path, "five\n")
    assert [*reader.lines()] == ["five"]
    reader.close()


async def test_it_follows_through_a_rotation_and_ctrl_c_ends_it(
    start: Start, path: Path
) -> None:
    write(path, "one\n")
    async with start("log", "--follow") as shown:
        await shown.shows("one")
        await asyncio.to_thread(path.replace, path.with_name("m3cred.log.1"))
        write(path, "two\n")
        await shown.shows("two")
        shown.press(CTRL_C)
        assert await shown.ends() == 130
        assert "Traceback" not in shown.text


def test_a_reader_that_has_enough_ends_it_quietly(
    environment: dict[str, str], path: Path
) -> None:
    write(path, "a line\n" * 20_000)
    command = f"{sys.executable} -m m3cred_tui log | head -1"
    ended = subprocess.run(
        ["/bin/sh", "-c", command], env=environment, capture_output=True, text=True, check=True
    )
    assert (ended.stdout, ended.stderr) == ("a line\n", "")


def test_a_log_that_others_can_read_or_that_is_a_link_is_refused(
    m3cred: Run, path: Path
) -> None:
    elsewhere = path.with_name("elsewhere")
    write(elsewhere, "not this\n")
    path.symlink_to(elsewhere)
    ended = m3cred("log")
    assert (ended.returncode, ended.stdout) == (1, "")
    assert len(ended.stderr.splitlines()) == 1


def test_what_is_logged_is_what_is_read(path: Path) -> None:
    with logging_to(path):
        logging.getLogger("m3cred_tui.test").info("code=%s", "ac_canary0123456789")
    (line,) = LogReader(path).lines()
    assert line.endswith("INFO test: code=***")
