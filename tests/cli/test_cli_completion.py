"""Completion without a shell; test_cli_completion_shells.py runs real ones."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from pkgutil import iter_modules
from subprocess import CompletedProcess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.cli import commands, usage
from m3cred_tui.cli.commands.completion import (
    Answer,
    Kind,
    answer,
    insertions,
    quoted,
    taken_apart,
)
from m3cred_tui.cli.output.tables import BY_NAME
from m3cred_tui.cli.parser import parser
from m3cred_tui.listing.columns import STATUSES
from m3cred_tui.model.text import clean
from tests.cli.kept import CANARY, keep
from tests.cli.parsers import parsers
from tests.e2e.conftest import program

Run = Callable[..., CompletedProcess[str]]

NAMES = st.text(min_size=1, max_size=20).map(clean).filter(bool)
QUOTES = st.sampled_from(["", "'", '"'])
HARD = ["a b", "'", '"', "\\", "$HOME", "`id`", "!x", "a:b=c", "~", "#", "*", "a\\'\"b", "é 日"]
HARD += ["{a,b}", "(x)", "a;b", "a&b|c", "<x>", "-x", "[a-z]", "%1", "^a", "a\\"]


@given(name=NAMES, quote=QUOTES, cut=st.integers(0, 20))
def test_the_inserted_text_makes_the_intended_word(name: str, quote: str, cut: int) -> None:
    typed = quote + quoted(name[:cut], quote)
    line = taken_apart(f"m3cred show {typed}")
    assert line.words == ["m3cred", "show", name[:cut]]
    replaced = typed[len(quote) :]  # what readline takes for the word
    (inserted,) = insertions([name], line, replaced)
    inserted = inserted.removeprefix(quote)  # readline takes it for the one that is open
    whole = typed.removesuffix(replaced) + inserted + quote
    assert taken_apart(f"m3cred show {whole}").words == ["m3cred", "show", name]


@pytest.mark.parametrize("quote", ["", "'", '"'], ids=["plain", "single", "double"])
def test_bash_reads_a_quoted_name_as_intended(quote: str) -> None:
    words = " ".join(f"{quote}{quoted(name, quote)}{quote}" for name in HARD)
    ended = subprocess.run(
        [program("bash"), "-c", f"printf '%s\\n' {words}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.splitlines() == HARD


def test_nothing_is_offered_where_bash_would_expand_what_stays_of_the_word() -> None:
    for typed in ("$HOME:a", "`id`=a", '"$HOME":a', "a!b:a", "{a:a", "$'a", '$"a', "~:a"):
        line = taken_apart(f"m3cred show {typed}")
        assert [*insertions([f"{line.words[-1]}bc"], line, "a")] == [], typed
    line = taken_apart('m3cred show "a"\\!"a')
    assert [*insertions(["a!abc"], line, "a")] == ["abc"]


def test_the_history_of_bash_is_left_alone_within_double_quotes() -> None:
    line = taken_apart('m3cred show "a')
    assert [*insertions(["a!b"], line, "a")] == ['a"\\!"b']
    line = taken_apart('m3cred show "')
    assert [*insertions(["!b"], line, "")] == ['""\\!"b']  # the first is for readline
    line = taken_apart("m3cred show '")
    assert [*insertions(["'b"], line, "")] == ["''\\''b"]
    assert [*insertions(['"b'], line, "")] == ['"b']


def test_a_name_that_begins_with_a_dash_is_no_option(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    (one,) = keep(tmp_path, ["--yes"])
    assert answer(["delete", ""]).candidates == [(one.id, "--yes")]
    assert values(answer(["delete", "--", "--y"])) == ["--yes"]


def test_only_the_end_of_a_word_that_bash_splits_is_replaced() -> None:
    line = taken_apart("m3cred show a:b=")
    assert [*insertions(["a:b=c d"], line, "")] == [r"c\ d"]
    line = taken_apart("m3cred show a:b")
    assert [*insertions(["a:bc", "x:bc"], line, "b")] == ["bc"]


def test_names_with_another_beginning_are_left_out() -> None:
    line = taken_apart("m3cred show Ac")
    assert [*insertions(["Acme", "acme", "Beta"], line, "Ac")] == ["Acme"]


def values(found: Answer) -> list[str]:
    return [one.value for one in found.candidates]


def test_every_command_is_offered_with_its_help() -> None:
    offered = dict(answer([""]).candidates)
    assert all(offered.values())
    modules = {one.name for one in iter_modules(commands.__path__)} - {"app"}
    assert {name.replace("-", "_") for name in offered} == modules


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["--demo", "--"], ["--help", "--version", "--demo", "--passphrase-fd", "--no-mouse"]),
        (
            ["--passphrase-fd", "3", "identity", ""],
            ["show", "protect", "unprotect", "export", "import"],
        ),
        (["completion", "--"], ["--help"]),  # and not what is for the scripts
        (["completion", ""], ["bash", "zsh", "fish"]),
        (["create", "--destination", ""], ["stripe", "stripe_test"]),
        (["list", "--destination", ""], ["stripe", "stripe_test"]),
        (["list", "--status", ""], [*STATUSES]),
        (["list", "--columns", "na"], [*BY_NAME]),
        (
            ["list", "--columns", "name,id,"],
            [f"name,id,{one}" for one in BY_NAME if one not in {"name", "id"}],
        ),
        (["--passphrase-fd", ""], []),
        (["no-such-command", ""], []),
        (["show", "a", ""], []),
        (["config", "set", "stripe.ports", ""], []),
    ],
    ids=str,
)
def test_completions_depend_on_the_words_before(words: list[str], offered: list[str]) -> None:
    assert values(answer(words)) == offered


def test_every_word_that_names_something_says_what() -> None:
    named = [
        (path, action.type)
        for path, one in parsers(parser())
        for action in one._actions
        if action.metavar == "NAME" and not action.option_strings
    ]
    assert len(named) > 5
    kinds = (usage.credential, usage.pending, usage.setting)
    assert [path for path, kind in named if kind not in kinds] == []


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["relay-page", ""], Kind.FILES),
        (["identity", "export", ""], Kind.FILES),
        (["exec", "Acme", ""], Kind.COMMANDS),
        (["exec", "Acme", "--", ""], Kind.COMMANDS),
        (["exec", "Acme", "--", "cat", ""], Kind.FILES),
        (["exec", "Acme", "--", "cat", "-"], Kind.FILES),
    ],
    ids=str,
)
def test_the_shell_completes_files_and_commands(words: list[str], kind: Kind) -> None:
    assert answer(words) == Answer(kind)


def test_credentials_are_offered_by_name_and_by_id_once_an_id_is_typed(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    one, twin, other = keep(tmp_path, ["Acme", "Twin", "Twin"])
    for command in ("show", "check", "delete", "exec"):
        assert values(answer([command, ""])) == [other.id, twin.id, "Acme"]
    assert one.id in values(answer(["show", one.id[:6]]))
    assert values(answer(["check", "Acme", ""])) != []
    assert values(answer(["list", ""])) == []
    keep(tmp_path, ["Rehearsal"], demo=True)
    assert values(answer(["--demo", "show", ""])) == ["Rehearsal"]
    assert CANARY not in str(answer(["show", ""]))


def test_a_store_that_cannot_be_read_completes_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    keep(tmp_path, ["Acme"])
    (tmp_path / "data" / "m3cred" / "credentials").chmod(0o755)
    ended = subprocess.run(
        [sys.executable, "-m", "m3cred_tui", "completion", "zsh", "--answer"],
        env=environment,
        input=b"show\0\0",
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"Traceback" not in ended.stderr


def test_a_name_that_the_locale_cannot_write_is_completed_by_its_id(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The question mark in its place would be a pattern for the shell."""
    shop, russian = keep(tmp_path, ["Zoë", "Щит"])
    ended = subprocess.run(
        [sys.executable, "-m", "m3cred_tui", "completion", "bash", "--answer"],
        env=environment | {"PYTHONIOENCODING": "koi8-r"},
        input="m3cred show \0\0".encode("koi8-r"),
        capture_output=True,
        check=False,
    )
    assert {*ended.stdout.decode("koi8-r").split()} == {"words", shop.id, russian.name}


def test_another_shell_is_wrong_usage(m3cred: Run) -> None:
    ended = m3cred("completion", "tcsh")
    assert (ended.returncode, ended.stdout) == (2, "")
