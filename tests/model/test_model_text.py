import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.model.text import CUT, REPLACEMENT, clean, drawn, is_mark, is_steady, is_visible

ANY_TEXT = st.text(st.characters(codec=None))
PILES = st.text(
    st.sampled_from(
        "a é\u0301\u0327\u0344\u0e47\u20dd\u1100\u1161\u11a8\u09c7\u09be\u0903"
        "\x1b\u202e\U0001f3fd\U0001f1ec\U0001d15e"
    )
)
MOST = st.integers(1, 60)


def stands_alone(character: str) -> bool:
    """Return whether a character looks the same next to any other."""
    return is_steady(character) and not is_mark(character)


@given(ANY_TEXT | PILES, MOST)
def test_any_text_becomes_one_line_of_visible_characters_and_not_too_long(
    text: str, most: int
) -> None:
    line = clean(text, most=most)
    assert len(line) <= most
    assert all(is_visible(character) and is_steady(character) for character in line)
    assert not line or not is_mark(line[0])
    assert len(line.splitlines()) <= 1
    assert line == line.strip()
    assert "  " not in line


@given(ANY_TEXT | PILES, MOST)
def test_cleaning_a_second_time_changes_nothing(text: str, most: int) -> None:
    once = clean(text, most=most)
    assert clean(once, most=most) == once


@given(
    st.text(st.characters(categories=["L", "N", "P", "S"]).filter(stands_alone), max_size=60)
)
def test_ordinary_text_stays_unchanged(text: str) -> None:
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


def test_removed_text_leaves_a_sign() -> None:
    assert clean("Ac\x1bme") == f"Ac{REPLACEMENT}me"


def test_truncated_text_leaves_a_sign() -> None:
    assert clean("a" * 201) == "a" * 199 + CUT
    assert clean("a" + " " * 1_000 + "b", most=200) in {"a b", f"a{CUT}", f"a {CUT}"}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        # As long as it is shown, not as it is written.
        ("e\u0301" * 6, "\u00e9" * 6),
        ("e\u0301" * 7, "\u00e9" * 5 + CUT),
        ("\u0958" * 3, "\u0915\u093c" * 3),
        ("\u0958" * 4, "\u0915\u093c" * 2 + "\u0915" + CUT),
        # The text that follows so many marks is not examined.
        ("a" + "\u0316" * 24 + "b", "a" + "\u0316" * 3 + CUT),
    ],
)
def test_text_is_truncated_where_its_shown_part_is_too_long(text: str, line: str) -> None:
    assert clean(text, most=6) == line


def test_accents_that_are_one_character_with_their_letter_are_no_pile() -> None:
    letter = "\N{LATIN SMALL LETTER E WITH CIRCUMFLEX AND ACUTE}\u0316\u0317\u0318"
    assert clean(letter) == clean(unicodedata.normalize("NFD", letter)) == letter


def test_marks_that_compose_once_the_one_between_them_is_left_out_are_composed() -> None:
    kombuva, al_lakuna, diga_kombuva = "\u0dd9", "\u0dca", "\u0dda"
    visarga = "\u0903"  # one too many beside the letter
    text, line = f"x{kombuva * 3}{visarga}{al_lakuna}", f"x{kombuva * 2}{diga_kombuva}"
    assert clean(text) == line
    assert clean(f"{text}abc", most=6) == f"{line}a{CUT}"


def test_text_after_a_lot_of_space_is_not_lost() -> None:
    assert clean(" " * 10_000 + "Acme") != ""


def test_a_pile_of_accents_is_reduced_to_what_stays_on_its_line() -> None:
    assert clean("a" + "\N{COMBINING GRAVE ACCENT BELOW}" * 50) == (
        "a" + "\N{COMBINING GRAVE ACCENT BELOW}" * 3
    )


@pytest.mark.parametrize(
    "mark", ["\N{THAI CHARACTER MAITAIKHU}", "\N{COMBINING ENCLOSING CIRCLE}"]
)
def test_a_pile_of_marks_without_a_combining_class_is_reduced_too(mark: str) -> None:
    assert clean("a" + mark * 50) == "a" + mark * 3


@pytest.mark.parametrize(
    "mark",
    [
        "\N{DEVANAGARI VOWEL SIGN AA}",
        "\N{HANGUL JUNGSEONG A}",
        "\N{HANGUL JONGSEONG KIYEOK}",
        "\N{MUSICAL SYMBOL COMBINING STEM}",
    ],
)
def test_a_pile_next_to_a_letter_is_reduced_as_some_terminals_give_it_no_room(
    mark: str,
) -> None:
    assert clean("x" + mark * 50) == "x" + mark * 3


@pytest.mark.parametrize("mark", ["\u0301", "\u20e0", "\u0903", "\u1161", "\u3099"])
def test_a_mark_without_a_letter_does_not_change_what_precedes_the_text(mark: str) -> None:
    assert clean(f"{mark}Acme") == f"{REPLACEMENT}Acme"
    assert clean(f"  {mark}{mark}Acme") == f"{REPLACEMENT}{mark}Acme"


@pytest.mark.parametrize(
    "word",
    [
        "\u0928\u092e\u0938\u094d\u0924\u0947",  # Hindi
        "\u1000\u103c\u103d\u1031\u102c\u103a",  # Burmese, five marks on one letter
        "\u0e01\u0e33\u0e25\u0e31\u0e07",  # Thai
        "Vi\u1ec7t Nam",
        "\u1112\u119e\u11ab",  # Korean of the 15th century
        "\u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd",  # Hebrew with its vowels
    ],
)
def test_words_with_marks_stay_whole(word: str) -> None:
    for form in ("NFC", "NFD"):
        assert clean(unicodedata.normalize(form, word)) == unicodedata.normalize("NFC", word)


@pytest.mark.parametrize("character", "\U0001f3fb\U0001f3ff\U0001f1e6\U0001f1ff")
def test_a_character_whose_width_depends_on_its_neighbours_does_not_move_the_columns(
    character: str,
) -> None:
    assert clean(f"Acme {character}") == f"Acme {REPLACEMENT}"


@given(ANY_TEXT | PILES)
def test_each_character_of_a_field_is_drawn_as_at_most_one(text: str) -> None:
    pieces = list(drawn(text))
    assert len(pieces) == len(text)
    assert all(len(piece) <= 1 for piece in pieces)


@pytest.mark.parametrize(
    "piece",
    ["a", "a\u0301", "\x1b", " ", "\n", "\ud800", "\U0001f600", "\u0301", "\u0316\u0301"],
)
def test_a_megabyte_of_text_takes_almost_no_time(piece: str) -> None:
    text = "a" + piece * (1 << 20)
    before = time.process_time()
    clean(text)
    assert time.process_time() - before < 0.2
