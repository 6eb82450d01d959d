"""The log as a file: whose it is, how large it gets, and what never reaches it."""

import asyncio
import gc
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from m3cred_tui.cli.log import LARGEST_LOG, logging_to

log = logging.getLogger("m3cred_tui.test")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "m3cred" / "m3cred.log"


@pytest.fixture
def logging_there(path: Path) -> Iterator[None]:
    with logging_to(path):
        yield


pytestmark = pytest.mark.usefixtures("logging_there")


def test_nothing_is_made_before_there_is_something_to_say(path: Path) -> None:
    assert not path.parent.exists()


def test_only_the_user_can_read_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        log.info("here")
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.long
def test_it_never_grows_beyond_its_size_and_keeps_what_came_before(path: Path) -> None:
    for number in range(3 * LARGEST_LOG // 500):
        log.info("%d %s", number, "x" * 500)
    older = path.with_name("m3cred.log.1")
    assert {file.name for file in path.parent.iterdir()} == {path.name, older.name}
    assert LARGEST_LOG * 0.9 < older.stat().st_size <= LARGEST_LOG
    assert path.stat().st_size <= LARGEST_LOG
    assert f" {number} " in path.read_text()


def test_many_processes_write_whole_lines(path: Path) -> None:
    program = (
        "import logging, sys; from pathlib import Path\n"
        "from m3cred_tui.cli.log import logging_to\n"
        "with logging_to(Path(sys.argv[1])):\n"
        "    for n in range(200): logging.getLogger('m3cred_tui').info('%d %s', n, 'x' * 99)\n"
    )
    running = [subprocess.Popen([sys.executable, "-c", program, path]) for _ in range(4)]
    assert [one.wait(30) for one in running] == [0] * 4
    lines = path.read_text().splitlines()
    assert len(lines) == 800
    assert all(line.endswith("x" * 99) for line in lines)


@pytest.mark.parametrize(
    "what", ["link", "dangling link", "directory", "fifo", "open to others"]
)
def test_what_is_not_a_file_of_ours_is_left_alone_and_the_app_continues(
    path: Path, tmp_path: Path, what: str
) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    victim = tmp_path / "victim"
    if what == "link":
        victim.write_text("kept")
    match what:
        case "link" | "dangling link":
            path.symlink_to(victim)
        case "directory":
            path.mkdir()
        case "fifo":
            os.mkfifo(path, 0o600)
        case _:
            path.touch(0o644)
    log.info("here")
    assert not victim.exists() or victim.read_text() == "kept"
    assert what != "open to others" or path.read_text() == ""


def test_a_directory_open_to_others_is_not_written_to(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.parent.chmod(0o755)
    log.info("here")
    assert list(path.parent.iterdir()) == []


def test_where_there_can_be_no_log_the_app_continues_without(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    in_the_way = path.parent.parent
    in_the_way.write_text("a file where the directory should be")
    log.error("here")
    assert in_the_way.read_text() == "a file where the directory should be"
    assert capfd.readouterr() == ("", "")
    in_the_way.unlink()
    log.error("there")
    assert path.read_text().endswith("there\n")


def test_a_log_that_is_moved_away_is_begun_again(path: Path) -> None:
    log.info("one")
    path.unlink()
    log.info("two")
    assert path.read_text().endswith("two\n")


def test_the_addresses_that_httpx_asks_for_are_logged_nowhere(
    path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "httpx")
    reply = httpx.MockTransport(lambda _request: httpx.Response(204))
    with httpx.Client(transport=reply) as client:
        client.get("http://127.0.0.1/?code=canary")
    logging.getLogger("uvicorn.error").error("canary")
    logging.getLogger().critical("canary")
    log.info("here")
    assert "canary" not in path.read_text()
    assert "canary" not in "".join(capfd.readouterr())


def fail() -> None:
    raise ValueError("https://host/?code=canary")


def test_what_fails_in_a_thread_is_logged_and_not_shown(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    thread = threading.Thread(target=fail, name="the visitor")
    thread.start()
    thread.join()
    assert "the thread the visitor has failed" in path.read_text()
    assert "in fail" in path.read_text()
    assert "canary" not in path.read_text()
    assert "".join(capfd.readouterr()) == ""


def test_a_failure_in_an_unawaited_task_is_logged_and_not_shown(
    path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail_later() -> None:
        fail()

    async def forget() -> None:
        await asyncio.wait([asyncio.create_task(fail_later())])

    asyncio.run(forget())
    gc.collect()
    assert "never retrieved" in path.read_text()
    assert "in fail" in path.read_text()
    assert "canary" not in path.read_text()
    assert "".join(capfd.readouterr()) == ""
