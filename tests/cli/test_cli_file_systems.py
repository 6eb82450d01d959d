"""File systems that can do less than the usual ones: FAT on a stick, a network's, FUSE."""

import stat
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.cli.kept import keep

Python = Callable[..., CompletedProcess[str]]
Run = Callable[..., CompletedProcess[str]]

# As there is no such file system to be mounted everywhere, the system's calls fail.
WITHOUT = """
import errno, fcntl, os, stat, sys
from m3cred_tui.cli.main import main
from m3cred_tui.store import files, sealing
from tests.store.light_age import wrapped_lightly

def fails(code):
    def call(*given, **named):
        raise OSError(code, os.strerror(code))
    return call

def sync(descriptor, before=files._sync):
    if stat.S_ISDIR(os.fstat(descriptor).st_mode):
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    before(descriptor)

lacking, *words = sys.argv[1:]
if "links" in lacking:
    os.link = fails(getattr(errno, lacking.partition("=")[2] or "EPERM"))
if "locks" in lacking:
    fcntl.flock = fails(errno.ENOLCK)
if "sync" in lacking:
    files._sync = sync
if "space" in lacking:
    files._fill = fails(errno.ENOSPC)
sealing.wrap = lambda plain, passphrase: wrapped_lightly(plain, passphrase.reveal())
sys.exit(main(words))
"""


@pytest.fixture
def without(python: Python, tmp_path: Path) -> Run:
    """Run ``m3cred`` where the file system lacks something."""
    keep(tmp_path, ["Acme"])
    new = tmp_path / "new"
    new.write_text("for the way\n")
    new.chmod(0o600)

    def run(lacking: str, *arguments: str) -> CompletedProcess[str]:
        script = f"import os; os.dup2(os.open({str(new)!r}, os.O_RDONLY), 0)\n{WITHOUT}"
        return python("-c", script, lacking, *arguments)

    return run


EXPORT = "identity", "export", "--new-passphrase-fd", "0"


@pytest.mark.parametrize("command", [EXPORT, ("relay-page",)], ids=["export", "relay-page"])
@pytest.mark.parametrize("lacking", ["links", "links=ENOTSUP", "links=ENOSYS", "links sync"])
@pytest.mark.quick(2)
def test_a_file_is_written_to_a_stick_without_hard_links_and_never_over_another(
    without: Run, tmp_path: Path, lacking: str, command: tuple[str, ...]
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    ended = without(lacking, *command, str(stick / "file"))
    assert (ended.returncode, ended.stderr) == (0, "")
    written = (stick / "file").read_bytes()
    assert written.startswith((b"-----BEGIN AGE", b"<!doctype html>"))
    mode = 0o600 if command == EXPORT else 0o644
    assert stat.S_IMODE((stick / "file").stat().st_mode) == mode
    ended = without(lacking, *command, str(stick / "file"))
    assert ended.returncode == 1
    assert "there already" in ended.stderr
    assert (stick / "file").read_bytes() == written
    assert [*stick.iterdir()] == [stick / "file"]


@pytest.mark.parametrize("command", [EXPORT, ("relay-page",)], ids=["export", "relay-page"])
def test_nothing_stays_of_a_file_that_a_full_stick_does_not_take(
    without: Run, tmp_path: Path, command: tuple[str, ...]
) -> None:
    stick = tmp_path / "stick"
    stick.mkdir()
    ended = without("links space", *command, str(stick / "file"))
    assert ended.returncode == 1
    assert ended.stderr.endswith(": the disk is full.\n")
    assert [*stick.iterdir()] == []


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        ("links", "hard links"),
        ("locks", "locks"),
        ("sync", "confirmed changes of directories"),
        ("links locks sync", "locks and hard links and confirmed changes of directories"),
    ],
)
@pytest.mark.quick(2)
def test_doctor_says_what_the_data_directory_will_refuse(
    without: Run, tmp_path: Path, lacking: str, told: str
) -> None:
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    ended = without(lacking, "doctor", "--offline")
    assert ended.returncode == 1
    data = tmp_path / "data" / "m3cred"
    assert f"fix   data directory           {data} is on a file system without {told}, so" in (
        ended.stdout
    )
    assert before == {path: path.is_file() and path.read_bytes() for path in before}
    assert {*tmp_path.rglob("*")} == {*before}


def test_what_the_store_refuses_there_is_said_in_its_words(without: Run) -> None:
    ended = without("links", "--demo", "identity", "protect", "--new-passphrase-fd", "0")
    assert ended.returncode == 1
    assert ended.stderr.endswith("cannot be used: this file system has no hard links.\n")
