import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.model.text import CUT, REPLACEMENT, clean, is_visible

ANY_TEXT = st.text(st.characters(codec=None))
PILES = st.text(
    st.sampled_from("a é\u0301\u0327\u0e47\u20dd\u1100\u1161\u09c7\u09be\x1b\u202e")
)
MOST = st.integers(1, 60)


@given(ANY_TEXT | PILES, MOST)
def test_whatever_comes_is_one_line_of_visible_characters_and_not_too_long(
    text: str, most: int
) -> None:
    line = clean(text, most=most)
    assert len(line) <= most
    assert all(is_visible(character) for character in line)
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert "  " not in line


@given(ANY_TEXT | PILES, MOST)
def test_text_that_is_cleaned_twice_does_not_change_again(text: str, most: int) -> None:
    once = clean(text, most=most)
    assert clean(once, most=most) == once


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=60))
def test_ordinary_text_comes_through_unchanged(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)
    assert clean(text, most=200) == composed


@given(ANY_TEXT)
def test_cleaned_text_can_be_written_to_any_file_or_terminal(text: str) -> None:
    clean(text).encode("utf-8")


@pytest.mark.parametrize(
    "escape",
    [
        "\x1b]0;title\x07",
        "\x1b]52;c;aGk=\x07",
        "\x1b[2J",
        "\x9b2J",
        "\x1bP...\x1b\\",
        "\u202etxet",
        "\r\x08",
    ],
)
def test_terminal_escapes_lose_what_makes_them_work(escape: str) -> None:
    line = clean(f"Acme{escape}Ltd")
    assert line.startswith("Acme")
    assert line.endswith("Ltd")
    assert not any(unicodedata.category(character).startswith("C") for character in line)


def test_what_was_taken_out_leaves_a_sign() -> None:
    assert clean("Ac\x1bme") == f"Ac{REPLACEMENT}me"


def test_what_was_cut_off_leaves_a_sign() -> None:
    assert clean("a" * 201) == "a" * 199 + CUT
    assert clean("a" + " " * 1_000 + "b", most=200) in {"a b", f"a{CUT}", f"a {CUT}"}


def test_text_behind_a_wall_of_space_is_not_taken_for_nothing() -> None:
    assert clean(" " * 10_000 + "Acme") != ""


def test_a_pile_of_accents_is_cut_down_to_what_stays_on_its_line() -> None:
    assert clean("a" + "\N{COMBINING GRAVE ACCENT BELOW}" * 50) == (
        "a" + "\N{COMBINING GRAVE ACCENT BELOW}" * 3
    )


@pytest.mark.parametrize(
    "mark", ["\N{THAI CHARACTER MAITAIKHU}", "\N{COMBINING ENCLOSING CIRCLE}"]
)
def test_a_pile_of_marks_without_a_combining_class_is_cut_down_too(mark: str) -> None:
    assert clean("a" + mark * 50) == "a" + mark * 3


@pytest.mark.parametrize("piece", ["a", "a\u0301", "\x1b", " ", "\ud800", "\U0001f600"])
def test_a_megabyte_of_text_costs_next_to_nothing(piece: str) -> None:
    text = piece * (1 << 20)
    before = time.process_time()
    clean(text)
    assert time.process_time() - before < 0.2
