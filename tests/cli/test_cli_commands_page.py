"""docs/commands.md is what the parser says."""

from docs.commands import PAGE, page
from m3cred_tui.cli.parser import COMMANDS


def test_the_page_is_that_of_todays_parser() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(), "run: python -m docs.commands"


def test_every_command_has_its_section() -> None:
    assert [name for name in COMMANDS if f"\n## m3cred {name}\n" not in page()] == []
