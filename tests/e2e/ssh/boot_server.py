"""Makes a server of the namespaces that it is started in, and becomes its sshd.

    python boot_server.py SCRATCH SSHD_CONFIG DIRECTORY...

All it mounts is gone with its mount namespace: users, homes and ``/run`` are the server's own,
and no file of the machine is touched. The directories named on the command line, which the
users' programs lie in, are shown to them even where they lie below a home of mode 0700.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

USERS = {"alice": 27101, "bob": 27102}
_SEARCHABLE = 0o001


def main(scratch: Path, sshd_config: str, needed: Iterable[Path]) -> None:
    _show(needed, scratch)
    _add_users(scratch)
    for place in ("/home", "/run"):
        _mount("-t", "tmpfs", "-o", "mode=755", "none", place)
    Path("/run/sshd").mkdir(mode=0o755)
    for name, uid in USERS.items():
        home = Path("/home", name)
        home.mkdir(mode=0o700)
        os.chown(home, uid, uid)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    sshd = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert sshd
    os.execv(sshd, [sshd, "-D", "-e", "-f", sshd_config])  # which asks for its full path


def _show(needed: Iterable[Path], scratch: Path) -> None:
    """Let others than root come to these directories, and to nothing that hides them."""
    hidden: dict[Path, list[Path]] = {}
    for path in needed:
        for parent in (*reversed(path.parents), path):
            if not parent.stat().st_mode & _SEARCHABLE:
                hidden.setdefault(parent, []).append(path)
                break
    for parent, paths in hidden.items():
        kept = {path: tempfile.mkdtemp(dir=scratch) for path in paths}
        for path, copy in kept.items():
            _mount("--bind", str(path), copy)
        _mount("-t", "tmpfs", "-o", "mode=755", "none", str(parent))
        for path, copy in kept.items():
            path.mkdir(parents=True, exist_ok=True)
            _mount("--bind", copy, str(path))


def _add_users(scratch: Path) -> None:
    lines = {
        "passwd": [
            f"{name}:x:{uid}:{uid}::/home/{name}:/bin/sh" for name, uid in USERS.items()
        ],
        "group": [f"{name}:x:{uid}:" for name, uid in USERS.items()],
        # A star is no password, but unlike an exclamation mark it locks nobody out.
        "shadow": [f"{name}:*:19000:0:99999:7:::" for name in USERS],
    }
    for name, added in lines.items():
        theirs, ours = Path("/etc", name), scratch / name
        shutil.copy(theirs, ours)
        with ours.open("a") as file:
            file.writelines(f"{line}\n" for line in added)
        _mount("--bind", str(ours), str(theirs))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], map(Path, sys.argv[3:]))
