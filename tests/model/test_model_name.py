import time
import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from m3cred_tui.model.name import LONGEST_NAME, name_key, name_problem, tidy_name
from m3cred_tui.model.text import clean, is_steady, is_visible

ANY_TEXT = st.text(st.characters(codec=None), max_size=80)
# Most random text is refused; this is accepted often.
LETTERS = st.text(
    st.characters(categories=["L", "M", "N", "P", "S", "Zs"]), min_size=1, max_size=40
)
# A letter has up to three as its capital. That of a dotless i is another letter's.
CASED = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u0131"),
    min_size=1,
    max_size=6,
)


@given(ANY_TEXT | LETTERS)
def test_an_accepted_name_is_shown_and_kept_exactly_as_it_was_accepted(text: str) -> None:
    if name_problem(text) is None:
        name = tidy_name(text)
        assert clean(name) == name
        assert tidy_name(name) == name
        assert name_problem(name) is None
        assert 0 < len(name) <= LONGEST_NAME
        assert all(is_visible(character) and is_steady(character) for character in name)


@given(ANY_TEXT)
def test_any_text_is_checked_and_a_reason_is_one_sentence(text: str) -> None:
    problem = name_problem(text)
    assert problem is None or (problem.endswith(".") and clean(problem) == problem)


@given(LETTERS)
def test_composed_and_decomposed_accents_are_kept_as_the_same_name(text: str) -> None:
    composed, decomposed = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    assert tidy_name(composed) == tidy_name(decomposed)
    assert name_key(composed) == name_key(decomposed)
    assert name_problem(composed) == name_problem(decomposed)


@given(st.lists(CASED, min_size=2, max_size=3))
def test_a_name_is_refused_as_taken_by_itself_in_any_spacing_and_case(words: list[str]) -> None:
    text = " ".join(words)
    assume(name_problem(text) is None)
    spaced = f"  {text.replace(' ', 3 * ' ')} ", text.replace(" ", "\N{EM SPACE}")
    for twin in (*spaced, text.upper(), text.lower(), text.casefold()):
        assert name_key(twin) == name_key(text)
        assert name_problem(twin, {name_key(text)}.__contains__) == (
            "Another credential already has this name."
        )


@given(ANY_TEXT)
def test_the_key_of_a_key_is_that_key(text: str) -> None:
    assert name_key(name_key(text)) == name_key(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Acme Live", "acme live"),
        ("Acme Live", "  Acme   Live "),
        ("Acme Live", "Acme\N{NO-BREAK SPACE}Live"),
        ("Stra\N{LATIN SMALL LETTER SHARP S}e", "STRASSE"),
        ("Caf\N{LATIN SMALL LETTER E WITH ACUTE}", "cafe\N{COMBINING ACUTE ACCENT}"),
        ("O\N{LATIN SMALL LIGATURE FFI}ce", "office"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER A}cme", "acme"),
        ("\N{KELVIN SIGN}elvin", "kelvin"),
        # Only their compatibility form has a case.
        ("\N{BLACK-LETTER CAPITAL H}all", "hall"),
        ("Acme\N{TRADE MARK SIGN}", "acmetm"),
        ("\N{CIRCLED LATIN CAPITAL LETTER A}cme", "acme"),
        (
            "\N{GREEK SMALL LETTER ALPHA WITH TONOS}\N{GREEK SMALL LETTER FINAL SIGMA}",
            "\N{GREEK CAPITAL LETTER ALPHA WITH TONOS}\N{GREEK CAPITAL LETTER SIGMA}",
        ),
    ],
)
def test_names_that_a_person_would_call_the_same_are_the_same(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
    assert (
        name_problem(other, {name_key(one)}.__contains__)
        == "Another credential already has this name."
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [("Acme Live", "Acme Test"), ("Acme 1", "Acme 2"), ("AcmeLive", "Acme Live"), ("a", "á")],
)
def test_names_that_a_person_would_distinguish_are_different(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)
    assert name_problem(other, {name_key(one)}.__contains__) is None


@pytest.mark.parametrize("text", ["", " ", "\N{NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}"])
def test_a_name_of_only_spaces_is_asked_for_again(text: str) -> None:
    assert name_problem(text) == "Enter a name for the credential."


def test_the_longest_name_is_accepted_and_one_more_character_is_refused() -> None:
    assert name_problem("é" * 64) is None
    # 65 letters, whichever way their accents are written
    for form in ("NFC", "NFD"):
        text = unicodedata.normalize(form, "é" * 65)
        assert name_problem(text) == "The name is 65 characters long; 64 is the most."


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0)])
def test_every_control_character_is_refused_and_named(code: int) -> None:
    problem = name_problem(f"a{chr(code)}b")
    assert problem == f"The name has a control character (U+{code:04X})."


@pytest.mark.parametrize("character", "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e")
def test_every_bidirectional_mark_and_embedding_is_refused(character: str) -> None:
    expected = "The name has a character that changes the direction of text"
    assert name_problem(f"a{character}b") == f"{expected} (U+{ord(character):04X})."


@pytest.mark.parametrize("character", "\u2066\u2067\u2068\u2069")
def test_every_bidirectional_isolate_is_refused(character: str) -> None:
    expected = "The name has a character that changes the direction of text"
    assert name_problem(f"a{character}b") == f"{expected} (U+{ord(character):04X})."


@pytest.mark.parametrize(
    "character", "\u200b\u200d\ufeff\u00ad\u2060\u2028\u2029\ud800\ue000\uffff\U000e0041"
)
def test_characters_that_cannot_be_seen_are_refused_and_named(character: str) -> None:
    expected = f"The name has a character that cannot be seen (U+{ord(character):04X})."
    assert name_problem(f"a{character}b") == expected


@pytest.mark.parametrize(
    "character",
    [
        "\N{HANGUL FILLER}",
        "\N{HALFWIDTH HANGUL FILLER}",
        "\N{HANGUL CHOSEONG FILLER}",
        "\N{COMBINING GRAPHEME JOINER}",
        "\N{VARIATION SELECTOR-16}",
        "\N{BRAILLE PATTERN BLANK}",
    ],
)
def test_letters_and_signs_that_show_nothing_do_not_make_a_name(character: str) -> None:
    # Unicode calls them letters, marks or symbols, but they show as a blank or not at all.
    assert name_problem(f"Acme{character}") is not None


@pytest.mark.parametrize(
    "mark",
    [
        "\N{COMBINING ACUTE ACCENT}",
        "\N{THAI CHARACTER MAITAIKHU}",
        "\N{COMBINING ENCLOSING CIRCLE}",
    ],
)
def test_a_pile_of_marks_on_one_letter_is_refused(mark: str) -> None:
    problem = name_problem("a" + mark * 10)
    assert problem == "The name has more accents on one letter than can be shown."


@pytest.mark.parametrize(
    "mark",
    ["\N{DEVANAGARI VOWEL SIGN AA}", "\N{HANGUL JUNGSEONG A}", "\N{HANGUL JONGSEONG RIEUL}"],
)
def test_a_pile_of_marks_next_to_a_letter_is_refused(mark: str) -> None:
    problem = name_problem("x" + mark * 10)
    assert problem == "The name has more accents on one letter than can be shown."


@pytest.mark.parametrize("mark", ["\u0301", "\u0e47", "\u20e0", "\u0903", "\u1161", "\u3099"])
def test_a_name_does_not_begin_with_a_mark_for_the_frame_around_it(mark: str) -> None:
    problem = name_problem(f"{mark}Acme")
    assert problem == "The name begins with an accent that has no letter."


@pytest.mark.parametrize("character", "\U0001f3fb\U0001f3ff\U0001f1e6\U0001f1ff")
def test_a_character_that_moves_the_columns_of_some_terminals_is_refused_and_named(
    character: str,
) -> None:
    expected = "The name has a character that is not drawn alike everywhere"
    assert name_problem(f"Acme {character}") == f"{expected} (U+{ord(character):X})."


@pytest.mark.parametrize("piece", ["a", " ", "\u0301\u0316", "\x1b", "\U0001f600"])
def test_a_megabyte_is_refused_immediately(piece: str) -> None:
    before = time.process_time()
    problem = name_problem("a" + piece * (1 << 20))
    assert problem == "The name has more than 1,024 characters; 64 is the most."
    assert time.process_time() - before < 0.1


def test_a_flaw_is_reported_before_a_name_that_is_taken() -> None:
    assert name_problem("a\x1bb", {name_key("a\x1bb")}.__contains__) == (
        "The name has a control character (U+001B)."
    )


@pytest.mark.parametrize("text", ["[/]", "[red]x", "[@click=app.quit()]x", "$HOME", "../etc"])
def test_harmless_plain_text_is_a_name(text: str) -> None:
    assert name_problem(text) is None
