"""``config.toml``: its owner, its TOML, the names in it, and edits.

Values are not checked here, so that a wrong one affects only its own destination.
"""

from __future__ import annotations

import os
import re
import shlex
import stat
from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING

from m3cred_tui.config.problems import UnknownName, WrongType, masked
from m3cred_tui.config.table import Group, groups
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.text import clean
from m3cred_tui.store import files
from m3cred_tui.store.files import check_way
from m3cred_tui.store.problems import OutcomeUnknown, StoreUnusable, plain_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from m3cred_tui.model.credential import Destination

VERSION = 1
"""Of the file's form."""

Table = dict[str, object]

_LARGEST = 65_536
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
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

    text = f"""{{path}} has version {{version}}, but this m3cred knows only version {VERSION}:
        use the newer m3cred that wrote it. Nothing was changed."""
    path: Path
    version: int


class KeyInFile(Problem, code="KeyInFile"):
    """The configuration file holds a secret key in clear."""

    text = """{path} holds a secret key in clear text ({_name}), which m3cred does not accept:
        run m3cred config set {_name}, which seals the key and removes that line, or set a
        secret_key_command or secret_key_file instead."""
    path: Path
    destination: Destination

    @property
    def _name(self) -> str:
        return f"{self.destination.code.lower()}.secret_key"


class FileProblem(Problem):
    """What is wrong at one place of the file."""

    text = "{path}, {place}: {problem}"
    path: Path
    place: str
    problem: Problem


def read_file(path: Path) -> bytes:
    """Return the content of the file, or nothing where there is none.

    As it names commands to run, it must belong to this user (or root), and nobody else may be
    able to write to it or replace it. It may be a link. Raises ``StoreUnusable``.
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
    return content.removeprefix(BOM_UTF8)  # which some editors write, and TOML does not know


def tables_in(content: bytes, path: Path) -> dict[str, Table]:
    """Return the tables by their names; ``path`` is for the messages.

    Raises :class:`NotToml`, :class:`NewerVersion`, :class:`KeyInFile`, :class:`FileProblem`.
    """
    known = {group.table: group for group in groups()}
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
        tables[name] = table
    return tables


def document_in(content: bytes, path: Path) -> Table:
    """Return the TOML's content; raises what :func:`tables_in` does for the file as a whole."""
    if not content:
        return {}
    document = _parsed(content, path)
    version = document.get("version", VERSION)
    if type(version) is not int or version < 1:
        raise FileProblem(path, "version", WrongType(f"the number {VERSION}"))
    if version > VERSION:
        raise NewerVersion(path, version)
    return document


def edited(
    before: bytes, path: Path, name: str, new: Mapping[str, object], gone: Iterable[str]
) -> tuple[bytes, tuple[str, ...]]:
    """Return the content with these values in a table, and without those names in it.

    Comments and order stay. Also returns the names that were removed. Raises what
    :func:`tables_in` does for a file that would be invalid afterwards.
    """
    import tomlkit  # noqa: PLC0415 - takes 50 ms, and is for writing only

    table = document_in(before, path).get(name, {})
    if not isinstance(table, dict):
        raise FileProblem(path, name, WrongType("a table"))
    removed = tuple(one for one in gone if one in table)
    if not removed and all(table.get(one) == value for one, value in new.items()):
        tables_in(before, path)
        return before, ()
    document = tomlkit.parse(before.decode())
    if not before:
        document["version"] = VERSION
    if name not in document:
        document[name] = tomlkit.table()
    edited_table = document[name]
    for one in removed:
        del edited_table[one]
    for one, value in new.items():
        edited_table[one] = value
    after = tomlkit.dumps(document).encode()
    tables_in(after, path)
    return after, removed


def write_file(path: Path, content: bytes) -> None:
    """Write the file, or what it links to; the caller holds the store's lock.

    Leaves either the old or the new file, complete. Raises ``StoreUnusable``, and
    ``OutcomeUnknown`` when the disk did not confirm the change.
    """
    if content == read_file(path):
        return
    try:
        real = path.resolve()
        files.make_folder(real.parent)
        check_way(real)
        folder = os.open(real.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            files.sweep(folder)
            files.replace(folder, real.name, content)
        finally:
            files.close_read(folder)
    except files.UnconfirmedError as unconfirmed:
        found = "Run m3cred config to see what is there."
        raise OutcomeUnknown(path, plain_reason(unconfirmed.cause), found) from unconfirmed
    except OSError as error:
        raise StoreUnusable(path, plain_reason(error)) from error


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
        raise NotToml(path, "it is nested too deeply", 1, 1) from None


def _check_names(table: Table, group: Group, path: Path) -> None:
    if any(one.is_secret and one.name in table for one in group.settings):
        raise KeyInFile(path, group.subject)
    known = [one.name for one in group.settings if one.in_file]
    for name in table:
        if name not in known:
            unknown = UnknownName("setting", name, known)
            raise FileProblem(path, f"[{group.table}]", unknown)
