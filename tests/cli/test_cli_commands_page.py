"""docs/commands.md is what the parser says."""

from docs.commands import PAGE, page
from m3cred_tui.cli.commands.completion import answer


def test_the_page_is_that_of_todays_parser() -> None:
    written = PAGE.read_text(encoding="utf-8")
    assert written == page(), "run: python -m docs.commands"


def test_every_command_has_its_section() -> None:
    names = [name for name, _ in answer([""]).candidates]
    assert [name for name in names if f"\n## m3cred {name}\n" not in page()] == []
