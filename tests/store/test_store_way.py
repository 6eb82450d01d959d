"""No other user can replace the data directory."""

import errno
import grp
import os
import pwd
import subprocess
from pathlib import Path

import pytest

from m3cred_tui.store import files
from m3cred_tui.store.directory.store import DirectoryStore
from m3cred_tui.store.files import check_way, private_folder
from m3cred_tui.store.identity import IdentityFile
from m3cred_tui.store.problems import StoreUnusable

NOBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")


@pytest.fixture
def above(tmp_path: Path) -> Path:
    above = tmp_path / "above it"
    above.mkdir(mode=0o700)
    return above


def refused(path: Path) -> StoreUnusable:
    with pytest.raises(StoreUnusable) as told:
        check_way(path)
    assert told.value.path == path
    return told.value


@pytest.mark.parametrize("deeper", ["", "deeper/still"])
def test_a_parent_that_others_can_write_to_is_refused_with_a_command(
    deeper: str, above: Path, identity: Path
) -> None:
    below = above / deeper
    below.mkdir(parents=True, exist_ok=True)
    above.chmod(0o757)
    store = DirectoryStore(below / "data", IdentityFile(identity, below / "data"))
    with pytest.raises(StoreUnusable) as told:
        store.prepare()
    assert f"other users can write to the directory {above} above it" in str(told.value)
    assert told.value.fix == f"chmod o-w '{above}'"
    assert list((below / "data").iterdir()) == []
    subprocess.run(["sh", "-c", told.value.fix], check=True)
    store.prepare()


def test_a_parent_with_a_sticky_bit_like_tmp_is_accepted(above: Path) -> None:
    above.chmod(0o707)
    assert refused(above / "data").fix == f"chmod o-w '{above}'"
    above.chmod(0o1777)
    check_way(above / "data")


@as_root
def test_a_parent_of_another_user_is_refused(above: Path) -> None:
    os.chown(above, NOBODY, NOBODY)
    told = refused(above / "data")
    assert told.reason.startswith(f"the directory {above} above it belongs to another user;")
    with pytest.raises(StoreUnusable) as unmade:
        files.make_folder(above / "data")
    assert (unmade.value.path, unmade.value.reason) == (above / "data", told.reason)


@as_root
def test_a_group_that_is_this_users_alone_may_write(above: Path) -> None:
    above.chmod(0o770)
    check_way(above / "data")
    os.chown(above, 0, NOBODY)
    assert refused(above / "data").fix == f"chmod g-w '{above}'"


def test_a_group_that_others_have_as_their_own_may_not_write(
    above: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on systems where everybody's primary group is ``users``, which lists no member."""
    above.chmod(0o775)
    me, group = pwd.getpwuid(os.geteuid()), above.stat().st_gid

    def entry(name: str, uid: int) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", uid, group, "", "/", "/bin/sh"))

    def own(*members: str, name: str = me.pw_name) -> grp.struct_group:
        return grp.struct_group((name, "x", group, list(members)))

    ours = [entry(me.pw_name, me.pw_uid)]
    theirs = [*ours, entry("bob", me.pw_uid + 1)]
    monkeypatch.setattr(pwd, "getpwuid", lambda _uid: ours[0])
    for users, entry_of_group, is_refused in (
        (ours, own(), False),
        (ours, own(me.pw_name), False),
        (theirs, own(), True),
        (ours, own("bob"), True),
        (ours, own(name="users"), True),
    ):
        monkeypatch.setattr(pwd, "getpwall", lambda users=users: users)
        monkeypatch.setattr(grp, "getgrgid", lambda _gid, found=entry_of_group: found)
        if is_refused:
            assert refused(above / "data").fix == f"chmod g-w '{above}'"
        else:
            check_way(above / "data")


@as_root
def test_a_group_of_others_may_not_write(above: Path) -> None:
    os.chown(above, 0, NOBODY)
    above.chmod(0o777)
    assert refused(above / "data").fix == f"chmod go-w '{above}'"


def test_a_link_above_is_followed_and_its_target_is_checked(
    above: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    for target in (above, Path("above it"), Path("..") / tmp_path.name / "above it"):
        link.symlink_to(target)
        above.chmod(0o700)
        check_way(link / "data")
        above.chmod(0o707)
        assert refused(link / "data").fix == f"chmod o-w '{above}'"
        link.unlink()


def test_a_link_that_others_can_replace_is_refused(above: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "link").symlink_to(above)
    check_way(shared / "link" / "data")
    shared.chmod(0o707)
    assert refused(shared / "link" / "data").fix == f"chmod o-w {shared}"


def test_a_link_behind_a_link_that_others_can_replace_is_refused(
    above: Path, tmp_path: Path
) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    (shared / "second").symlink_to(above)
    (tmp_path / "first").symlink_to(shared / "second")
    check_way(tmp_path / "first" / "data")
    shared.chmod(0o707)
    assert refused(tmp_path / "first" / "data").fix == f"chmod o-w {shared}"


@as_root
def test_a_link_of_another_user_is_refused(above: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o1777)
    link = shared / "link"
    link.symlink_to(above)
    os.chown(link, NOBODY, NOBODY, follow_symlinks=False)
    told = refused(link / "data")
    assert told.reason.startswith(f"the symbolic link {link} above it belongs to another user;")


@pytest.mark.parametrize("link", ["data", "."])
def test_a_link_to_nothing_is_no_empty_store(above: Path, tmp_path: Path, link: str) -> None:
    """As where it leads to a disk that is not mounted."""
    data = above / "share" / "data"
    absent = above / "share" / link
    absent.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    absent.symlink_to(tmp_path / "not mounted")
    store = DirectoryStore(data, IdentityFile(tmp_path / "identity.txt", data))
    with pytest.raises(StoreUnusable, match="it is a link to nothing") as told:
        store.newest(10)
    assert told.value.path == absent
    with pytest.raises(StoreUnusable, match="it is a link to nothing"), private_folder(data):
        pass


def test_circular_links_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links") as caught:
        check_way(tmp_path / "a" / "data")
    assert caught.value.errno == errno.ELOOP
    below = tmp_path / "a" / "x"
    with (
        pytest.raises(StoreUnusable, match="it links to itself"),
        files.private_folder(below, make=True),
    ):
        pass
