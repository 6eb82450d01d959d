"""On real files."""

import os
import stat
from pathlib import Path

import pytest

from m3cred_tui.browser.ways import UrlNotWritten, remove_url, write_url
from m3cred_tui.store.problems import StoreUnusable

URL = "https://connect.stripe.com/oauth/authorize?client_id=ca_1&state=" + "x" * 43


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tmp_path.chmod(0o700)
    return tmp_path / "state" / "m3cred" / "url.txt"


def bits(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def test_the_url_is_one_line_that_only_this_user_can_read(path: Path) -> None:
    before = os.umask(0)
    try:
        assert write_url(path, URL) == path
    finally:
        os.umask(before)
    assert path.read_text() == f"{URL}\n"
    assert (bits(path), bits(path.parent)) == (0o600, 0o700)


def test_a_newer_url_replaces_an_older_one(path: Path) -> None:
    write_url(path, f"{URL}-and-longer")
    with path.open() as older:
        write_url(path, URL)
        assert older.read() == f"{URL}-and-longer\n", "who reads it reads the old one whole"
    assert path.read_text() == f"{URL}\n"
    assert names(path.parent) == [path.name]


@pytest.mark.parametrize(
    "content", ["", "notes of mine\n", f"{URL}\nand notes\n", URL, "x" * 10_000]
)
def test_somebody_elses_text_is_left_as_it_is(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, mode=0o700)
    path.parent.chmod(0o700)
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(UrlNotWritten) as caught:
        write_url(path, URL)
    assert str(caught.value).startswith(f"The URL was not written to {path}: ")
    remove_url(path)
    assert path.read_text() == content


def test_a_link_a_pipe_and_a_directory_are_left_as_they_are(path: Path) -> None:
    write_url(path, URL)
    target = path.with_name("precious")
    path.rename(target)
    for kind in ("link", "dangling link", "pipe", "directory"):
        match kind:
            case "link":
                path.symlink_to(target)
            case "dangling link":
                path.symlink_to(path.with_name("not-there"))
            case "pipe":
                os.mkfifo(path, 0o600)
            case "directory":
                path.mkdir(0o700)
        with pytest.raises(UrlNotWritten):
            write_url(path, f"{URL}2")
        remove_url(path)
        assert target.read_text() == f"{URL}\n"
        assert os.path.lexists(path)
        path.rmdir() if path.is_dir() else path.unlink()
    assert names(path.parent) == [target.name]


def test_a_file_that_others_can_read_is_not_trusted(path: Path) -> None:
    write_url(path, URL)
    path.chmod(0o644)
    with pytest.raises(UrlNotWritten, match="chmod 600"):
        write_url(path, URL)


def test_a_directory_that_others_can_write_to_is_refused_with_what_fixes_it(path: Path) -> None:
    write_url(path, URL)
    path.parent.chmod(0o777)
    with pytest.raises(StoreUnusable, match="chmod 700"):
        write_url(path, URL)
    path.parent.chmod(0o700)
    path.parent.parent.chmod(0o777)
    with pytest.raises(StoreUnusable, match=r"chmod g?o-w"):
        write_url(path, URL)


def test_what_was_written_is_removed_and_nothing_is_said_if_it_has_gone(path: Path) -> None:
    remove_url(path)
    write_url(path, URL)
    remove_url(path)
    assert names(path.parent) == []
    remove_url(path)
