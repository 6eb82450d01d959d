"""The man page, which comes with the package."""

import os
import re
import sys
from pathlib import Path

import pytest

from m3cred_tui.cli.commands.completion import answer
from m3cred_tui.cli.parser import parser

PAGE = Path(__file__).parents[2] / "docs/man/m3cred.1"

COMMANDS = [name for name, _ in answer([""]).candidates]


def plain() -> str:
    text = re.sub(r"^\.(?:[A-Z]+ ?)", "", PAGE.read_text(), flags=re.MULTILINE)
    return text.replace("\\-", "-").replace('"', "")


def test_every_command_and_option_is_in_it() -> None:
    text = plain()
    options = [one for action in parser()._actions for one in action.option_strings]
    words = (*COMMANDS, *options)
    missing = [word for word in words if not re.search(rf"{word}\b", text)]
    assert missing == []


def test_it_names_no_command_that_is_not_there() -> None:
    section = PAGE.read_text().partition(".SH COMMANDS")[2].partition(".SH ")[0]
    named = re.findall(r"(?m)^\.TP\n\.BI? (\S+)", section)
    assert [name.replace("\\-", "-") for name in named] == COMMANDS


def test_it_is_installed_where_man_looks() -> None:
    installed = Path(sys.prefix) / "share/man/man1/m3cred.1"
    if not installed.exists() and os.environ.get("CI") != "true":
        pytest.skip("m3cred is installed in a way that brings no data files")
    assert installed.read_text() == PAGE.read_text()
