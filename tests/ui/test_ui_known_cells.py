"""What reaches the terminal draws the same screen as what Textual wrote, in fewer bytes."""

import re

import pyte
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.ui.terminal.known_cells import KnownCells

COLUMNS, LINES = 12, 4
STYLES = ("", "1;38;5;253;48;5;233", "38;5;247;48;5;233", "7;31", "4;38;2;1;2;3", "48;5;23")
LINKS = ("", "https://example.com/a", "https://example.com/b")
_LINK = re.compile(r"\x1b\]8;[^;]*;([^\x1b]*)\x1b\\")


def written(line: int, column: int, text: str, style: str, link: str) -> str:
    """Return a segment as Textual writes it: nothing beyond the line, no half characters."""
    drawn = f"\x1b[{style}m{text}\x1b[0m" if style else text
    linked = f"\x1b]8;id=1;{link}\x1b\\{drawn}\x1b]8;;\x1b\\" if link else drawn
    return f"\x1b[{line + 1};{column + 1}H{linked}"


def segments(text: str, lines: int, *, width: int) -> st.SearchStrategy[str]:
    """Return segments of this text, each character of which takes ``width`` cells."""
    line = st.integers(lines, lines + 1)
    places = st.integers(0, COLUMNS // width - 1)

    def segment(place: int) -> st.SearchStrategy[str]:
        fitting = st.lists(
            st.sampled_from(text.split("|")), min_size=1, max_size=COLUMNS // width - place
        ).map("".join)
        return st.builds(
            written,
            line,
            st.just(place * width),
            fitting,
            st.sampled_from(STYLES),
            st.sampled_from(LINKS),
        )

    return places.flatmap(segment)


SEGMENTS = segments("a|b| |…|✓|e\u0301", 0, width=1) | segments("漢|字|a ", 2, width=2)


def look(screen: pyte.Screen) -> list[object]:
    """Return what is seen; a blank has no ink."""
    seen: list[object] = [(screen.cursor.y, screen.cursor.x)]
    for line in range(LINES):
        for column in range(COLUMNS):
            cell = screen.buffer[line][column]
            inked = cell.data.strip() or cell.reverse or cell.underscore
            seen.append(cell if inked else cell.bg)
    return seen


def drawn(parts: list[str]) -> pyte.Screen:
    screen = pyte.Screen(COLUMNS, LINES)
    pyte.Stream(screen).feed(_LINK.sub("", "".join(parts)))
    return screen


@given(
    st.lists(st.lists(SEGMENTS, min_size=1, max_size=5).map("".join), min_size=1, max_size=6)
)
def test_the_terminal_shows_what_textual_drew(updates: list[str]) -> None:
    known = KnownCells()
    updates = [f"{one}\x1b[2;3H" for one in updates]  # where Textual leaves the cursor
    assert look(drawn([known.changes(one) for one in updates])) == look(drawn(updates))


def test_what_is_shown_already_is_not_sent_again() -> None:
    known = KnownCells()
    page = "\x1b[1;1H\x1b[1mOpen\x1b[0m\n\x1b[2;1H\x1b[48;5;23m  URL  \x1b[0m\x1b[1;1H"
    assert "Open" in known.changes(page)
    assert known.changes(page) == ""


def test_only_the_changed_part_of_a_line_is_sent() -> None:
    known = KnownCells()
    known.changes("\x1b[7;68H\x1b[38;5;253m9:59 left\x1b[0m\x1b[1;1H")
    assert known.changes("\x1b[7;68H\x1b[38;5;253m9:58 left\x1b[0m\x1b[1;1H") == (
        "\x1b[7;71H8\x1b[1;1H"
    )


def test_a_link_over_several_lines_is_opened_once_and_closed() -> None:
    url = "https://example.com/" + 300 * "x"
    page = "".join(
        f"\x1b[{line};1H\x1b]8;id={line};{url}\x1b\\line {line}\x1b]8;;\x1b\\"
        for line in (1, 2, 3)
    )
    sent = KnownCells().changes(page)
    assert _LINK.findall(sent) == [url, ""]


def test_after_anything_unknown_everything_is_sent_again() -> None:
    page = "\x1b[1;1HOpen"
    for unknown in ("\x1b[?1049h", "\x1b[2J", "text out of place", "\x1b[?9"):
        known = KnownCells()
        known.changes(page)
        assert known.changes(unknown) == unknown
        assert known.changes(page) == f"\x1b[0m{page}"


def test_the_clipboard_changes_nothing_on_the_screen() -> None:
    known = KnownCells()
    known.changes("\x1b[1;1H\x1b[31mOpen\x1b[0m")
    clipboard = "\x1b]52;c;YQ==\x07"
    assert known.changes(clipboard) == f"\x1b[0m{clipboard}"
    assert known.changes("\x1b[1;1H\x1b[31mOpen\x1b[0m") == ""
