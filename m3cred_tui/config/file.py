"""Reading ``config.toml``: whose it is, whether it is TOML, and of the names that are known.

What a name's value may be is not looked at here, so that one wrong value stands in the way of
its own destination alone.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from pathlib import Path

from m3cred_tui.config.problems import UnknownName, WrongType, masked
from m3cred_tui.model.credential import DESTINATIONS, Destination
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store.files import check_way
from m3cred_tui.store.problems import StoreUnusable, plain_reason

VERSION = 1
"""Of the file's form."""

SEALED = "secret_key_sealed"
KEY_SOURCES = ("secret_key_command", "secret_key_file", SEALED)
NAMES = ("client_id", *KEY_SOURCES, "redirect_uri", "ports", "oauth", "channel")
"""What a destination's table can hold."""

IN_CLEAR = "secret_key"

Table = dict[str, object]

_LARGEST = 65_536
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_position = re.compile(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)


class NotToml(Problem, code="NotToml"):
    """The configuration file is not valid TOML."""

    text = "{path} is not TOML at line {line}, column {column}: {reason}."
    path: Path
    reason: str
    line: int
    column: int


class NewerVersion(Problem, code="NewerVersion"):
    """The configuration file was written by a newer m3cred."""

    text = f"""{{path}} is of version {{version}}, and this m3cred knows version {VERSION} only:
        use the newer m3cred that wrote it. Nothing was changed."""
    path: Path
    version: int


class KeyInFile(Problem, code="KeyInFile"):
    """The configuration file holds a secret key in clear."""

    text = """{path} holds a secret key in clear ({_name}), and m3cred takes none from there:
        run m3cred config set {_name}, which seals it and removes that line, or give a
        secret_key_command or secret_key_file instead."""
    path: Path
    destination: Destination

    @property
    def _name(self) -> str:
        return f"{table_of(self.destination)}.{IN_CLEAR}"


class FileProblem(Problem):
    """What is wrong at one place of the file."""

    text = "{path}, {place}: {problem}"
    path: Path
    place: str
    problem: Problem


def table_of(destination: Destination) -> str:
    """Return the name of a destination's table."""
    return destination.code.lower()


def read_file(path: Path) -> bytes:
    """Return the content of the file, or nothing where there is none.

    As it names commands to run, it is this user's (or root's), nobody else can write to it,
    and nobody else can put another in its place. It may be a link. Raises ``StoreUnusable``.
    """
    try:
        real = Path(os.path.realpath(path, strict=True))
        check_way(real)
        file = os.open(real, _FILE)
        try:
            _check(os.fstat(file), path)
            with open(file, "rb", closefd=False) as opened:
                content = opened.read(_LARGEST + 1)
        finally:
            os.close(file)
    except FileNotFoundError:
        if os.path.lexists(path):
            raise StoreUnusable(path, "it is a link to nothing") from None
        return b""
    except OSError as error:
        raise StoreUnusable(path, plain_reason(error)) from None
    if len(content) > _LARGEST:
        raise StoreUnusable(path, f"it has more than {_LARGEST:,} bytes")
    return content


def tables_in(content: bytes, path: Path) -> dict[Destination, Table]:
    """Return the table of each destination; ``path`` is for the messages.

    Raises :class:`NotToml`, :class:`NewerVersion`, :class:`KeyInFile`, :class:`FileProblem`.
    """
    known = {table_of(one): one for one in DESTINATIONS}
    tables = {}
    for name, table in document_in(content, path).items():
        if name == "version":
            continue
        if name not in known:
            unknown = UnknownName("table", name, [*known, "version"])
            raise FileProblem(path, f"[{masked(clean(name, most=60))}]", unknown)
        if not isinstance(table, dict):
            raise FileProblem(path, name, WrongType("a table"))
        _check_names(table, known[name], path)
        tables[known[name]] = table
    return tables


def document_in(content: bytes, path: Path) -> Table:
    """Return what the TOML says; raises what :func:`tables_in` does of the file as a whole."""
    if not content:
        return {}
    document = _parsed(content, path)
    version = document.get("version", VERSION)
    if type(version) is not int or version < 1:
        raise FileProblem(path, "version", WrongType(f"the number {VERSION}"))
    if version > VERSION:
        raise NewerVersion(path, version)
    return document


def _check(status: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise StoreUnusable(path, "it is not a regular file")
    if status.st_uid not in (0, os.geteuid()):
        raise StoreUnusable(path, f"it belongs to another user (uid {status.st_uid})")
    if status.st_mode & _OTHERS_WRITE:
        mend = f"chmod go-w {shlex.quote(str(path))}"
        raise StoreUnusable(path, "other users can write to it", mend)


def _parsed(content: bytes, path: Path) -> Table:
    import tomllib  # noqa: PLC0415 - takes 4 ms, and there may be no file

    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        raise NotToml(path, "it is not UTF-8", line, column) from None
    except tomllib.TOMLDecodeError as error:
        found = _position.fullmatch(str(error))
        reason = found[1] if found else str(error)
        end = content.count(b"\n") + 1, len(content) - content.rfind(b"\n")
        line, column = (int(found[2]), int(found[3])) if found and found[2] else end
        raise NotToml(path, clean(reason[:1].lower() + reason[1:]), line, column) from None
    except RecursionError:
        raise NotToml(path, "it is nested too deep", 1, 1) from None


def _check_names(table: Table, destination: Destination, path: Path) -> None:
    if IN_CLEAR in table:
        raise KeyInFile(path, destination)
    for name in table:
        if name not in NAMES:
            unknown = UnknownName("setting", name, NAMES)
            raise FileProblem(path, f"[{table_of(destination)}]", unknown)
