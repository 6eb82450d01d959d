"""What is sent to a terminal that shows less than others."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual._border import BORDER_CHARS
from textual.scrollbar import ScrollBarRender

from m3cred_tui.listing.columns import Level
from m3cred_tui.model.text import clean
from m3cred_tui.ui.screens.create import COMPLETED, CURRENT, PENDING
from m3cred_tui.ui.terminal.abilities import abilities, shown

UTF_8 = {"LANG": "en_GB.UTF-8"}
UNASKED = {**UTF_8, "NO_COLOR": "1"}
"""terminfo is not asked: a process asks it about one terminal."""
BOXES = {char for rows in BORDER_CHARS.values() for row in rows for char in row}
SCROLLBARS = {*ScrollBarRender.VERTICAL_BARS, *ScrollBarRender.HORIZONTAL_BARS}


@given(st.text())
def test_a_terminal_without_utf_8_is_sent_nothing_but_ascii(text: str) -> None:
    assert all(one <= "\x7f" for one in shown(text, "ascii"))


@given(st.text().map(clean))
def test_text_after_a_foreign_word_stays_in_its_column(text: str) -> None:
    for characters in ("ascii", "console", "all"):
        assert cell_len(shown(text, characters)) == cell_len(text)


@given(st.text(st.characters(max_codepoint=0x7F)))
def test_sequences_and_ascii_text_are_sent_as_they_are(text: str) -> None:
    assert shown(text, "ascii") == shown(text, "console") == text


def test_every_box_and_sign_of_the_app_has_an_ascii_sign_other_than_a_question_mark() -> None:
    signs = {*BOXES, *SCROLLBARS, *Level, COMPLETED, CURRENT, PENDING}
    for sign in signs | set("▌▾▼▲…›“”⏎•✓"):
        assert shown(sign, "ascii") != "?", sign
        assert len(shown(sign, "ascii")) == 1


def test_the_stages_of_the_stepper_differ_in_ascii() -> None:
    assert len({shown(sign, "ascii") for sign in (COMPLETED, CURRENT, PENDING)}) == 3


def test_a_console_keeps_letters_and_the_lines_of_its_font_and_no_other_sign() -> None:
    assert shown("Köln 東京 ┌─┐║═█▄▀", "console") == "Köln 東京 ┌─┐║═█▄▀"
    assert shown("✓ ● ○ … › ╭▊▔", "console") == "+ > - ~ > +|-"


@pytest.mark.parametrize(
    ("environ", "characters"),
    [
        (UTF_8, "all"),
        ({"LANG": "C"}, "ascii"),
        ({}, "ascii"),
        ({"LANG": "de_DE.ISO-8859-1"}, "ascii"),
        ({"LC_ALL": "C", **UTF_8}, "ascii"),
        ({"LC_CTYPE": "C.UTF-8", "LANG": "C"}, "ascii"),  # Python's own doing (PEP 538)
        ({"LC_CTYPE": "UTF-8"}, "all"),  # macOS's
        ({"LC_CTYPE": "en_US.utf8", "LANG": "C"}, "all"),
    ],
    ids=str,
)
def test_the_locale_decides_whether_signs_are_sent(
    environ: Mapping[str, str], characters: str
) -> None:
    assert abilities({"TERM": "xterm", **environ}).characters == characters


def test_nor_are_they_sent_in_another_encoding_than_the_locale_says() -> None:
    assert abilities(UTF_8 | {"TERM": "xterm"}, is_utf8=False).characters == "ascii"


@pytest.mark.parametrize(
    ("environ", "colours"),
    [
        ({"TERM": "xterm-256color"}, "256"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor"}, "truecolor"),
        ({"TERM": "xterm-256color", "COLORTERM": "truecolor", "NO_COLOR": "1"}, "none"),
        ({"TERM": "linux", "COLORTERM": "truecolor"}, "standard"),
        ({"TERM": "screen", "COLORTERM": "truecolor"}, "standard"),
        ({"TERM": "screen-256color", "COLORTERM": "truecolor", "STY": "1.a"}, "256"),
        ({"TERM": "screen-256color", "COLORTERM": "24bit", "TMUX": "/tmp/x,1,0"}, "truecolor"),
    ],
    ids=str,
)
def test_no_more_colours_are_sent_than_the_terminal_has(
    environ: Mapping[str, str], colours: str
) -> None:
    assert abilities({**UTF_8, **environ}).colours == colours


@pytest.mark.parametrize("term", ["linux", "vt100", "vt220", "ansi", "eterm-color"])
def test_an_old_terminal_is_recognized_by_its_name(term: str) -> None:
    assert abilities({**UNASKED, "TERM": term}).is_old


@pytest.mark.parametrize("term", ["xterm", "vte-256color", "screen", "tmux-256color", "foot"])
def test_no_other_terminal_is_taken_for_an_old_one(term: str) -> None:
    assert not abilities({**UNASKED, "TERM": term}).is_old
