"""What a terminal sends: keys, pastes, reports, and answers that nobody waits for."""

from collections.abc import Sequence
from importlib import import_module

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Event, Key, MouseMove
from textual.message import Message

from m3cred_tui.ui.terminal.incoming import BracketedPaste, Incoming

ANSI_SEQUENCES = import_module("textual._ansi_sequences").ANSI_SEQUENCES_KEYS
BEGIN, END = "\x1b[200~", "\x1b[201~"
pasted = st.text(alphabet="ab\x1b[201~;q", max_size=40).filter(lambda text: END not in text)
typed = st.lists(st.sampled_from(["a", "\x1b[A", "\x1b[24~", "\x1b", "é"]), max_size=4)


def passed_on(sent: str, cuts: list[int]) -> str:
    paste, got, begin = BracketedPaste(), "", 0
    for cut in [*sorted(cut % (len(sent) + 1) for cut in cuts), len(sent)]:
        got += paste.passed_on(sent[begin:cut])
        begin = cut
    return got


@given(before=typed, text=pasted, after=typed, cuts=st.lists(st.integers(0, 99), max_size=6))
def test_no_escape_in_a_paste_presses_a_key_however_it_arrives(
    before: list[str], text: str, after: list[str], cuts: list[int]
) -> None:
    keys, more_keys = "".join(before), "".join(after)
    sent = f"{keys}{BEGIN}{text}{END}{more_keys}"
    harmless = text.replace("\x1b", "\N{REPLACEMENT CHARACTER}")
    got = passed_on(sent, cuts)
    assert got == f"{keys}{BEGIN}{harmless}{END}{more_keys}"


@given(keys=typed, cuts=st.lists(st.integers(0, 99), max_size=6))
def test_keys_pass_as_they_come(keys: list[str], cuts: list[int]) -> None:
    assert passed_on("".join(keys), cuts) == "".join(keys)


def test_the_escape_key_does_not_wait_for_more() -> None:
    assert BracketedPaste().passed_on("\x1b") == "\x1b"


KEYS = ["a", "é", "\r", "\x1b[97;5u", "\x1b[1;5C", "\x1bf", "\x1b§"]
KEYS += [sequence for sequence in ANSI_SEQUENCES if sequence.startswith(("\x1b[", "\x1bO"))]
ANSWERS = [
    "\x1b[?6c",
    "\x1b[?64;1;2;6;9;15;16;17;18;21;22;28c",  # xterm's, longer than Textual reads
    f"\x1b[?{'1;' * 40}2c",
    "\x1b[>41;390;0c",
    "\x1b[?1u",
    "\x1b[?997;1n",
    "\x1b[8;24;80t",
    "\x1b[3;7x",
    "\x1b[99;1:1u",  # from a terminal that tells more than it was asked
    "\x1b[4;2$y",
    "\x1bO5z",
]
STRINGS = [
    "\x1b]11;rgb:1e1e/1e1e/2e2e\x07",
    "\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\",
    "\x1bP>|WezTerm 20240203\x1b\\",
    "\x1b_Gi=31;OK\x1b\\",
]


def read(sent: Sequence[str]) -> list[Message]:
    incoming = Incoming()
    return [message for part in sent for message in incoming.messages(part.encode())]


def keys(messages: Sequence[Message]) -> list[str]:
    return [message.key if isinstance(message, Key) else repr(message) for message in messages]


def as_textual_reads(text: str) -> list[str]:
    return keys(list(import_module("textual._xterm_parser").XTermParser().feed(text)))


def cut(text: str, cuts: Sequence[int]) -> list[str]:
    ends = sorted({at % (len(text) + 1) for at in cuts} | {len(text)})
    return [text[begin:end] for begin, end in zip([0, *ends], ends, strict=False)]


some_keys = st.lists(st.sampled_from(KEYS), max_size=3).map("".join)
some_cuts = st.lists(st.integers(0, 99), max_size=6)


@given(before=some_keys, answer=st.sampled_from(ANSWERS), after=some_keys, cuts=some_cuts)
def test_a_late_answer_of_the_terminal_presses_no_key_however_it_arrives(
    before: str, answer: str, after: str, cuts: list[int]
) -> None:
    got = keys(read(cut(before + answer + after, cuts)))
    assert got == as_textual_reads(before) + as_textual_reads(after)


@given(before=some_keys, answer=st.sampled_from(STRINGS), after=some_keys)
def test_nor_does_one_that_describes_colours_or_the_terminals_name(
    before: str, answer: str, after: str
) -> None:
    got = keys(read([before + answer + after]))
    assert got == as_textual_reads(before) + as_textual_reads(after)


@given(
    before=some_keys, answer=st.sampled_from(ANSWERS), after=some_keys, at=st.integers(2, 40)
)
def test_nor_does_one_that_is_cut_off_by_another(
    before: str, answer: str, after: str, at: int
) -> None:
    begun = answer[: min(at, len(answer) - 1)] if answer[1] == "[" else ""
    after = f"\x1b[B{after}"
    if begun != "\x1b[":  # that is Alt+[
        got = keys(read([before + begun + after]))
        assert got == as_textual_reads(before) + as_textual_reads(after)


@given(typed=some_keys, cuts=some_cuts)
def test_keys_are_read_as_textual_reads_them_however_they_arrive(
    typed: str, cuts: list[int]
) -> None:
    assert keys(read(cut(typed, cuts))) == as_textual_reads(typed)


@pytest.mark.parametrize(
    ("typed", "key"),
    [("\x1b", "escape"), ("\x1b[", "left_square_bracket"), ("\x1bO", "alt+shift+o")],
)
def test_what_could_begin_a_sequence_is_a_key_when_nothing_follows(
    typed: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    incoming = Incoming()
    assert list(incoming.messages(typed.encode())) == []
    clock = import_module("textual._parser")
    later = clock.get_time() + 1
    monkeypatch.setattr(clock, "get_time", lambda: later)
    assert keys(list(incoming.tick())) == [key]
    assert keys(list(incoming.messages(b"6"))) == ["6"]


@pytest.mark.parametrize("unknown", ["\x1b[?6c", "\x1b[9999999999~"])
def test_after_what_is_not_understood_the_mouse_points_where_it_did(unknown: str) -> None:
    size = "\x1b[48;24;80;480;800t"  # 20 pixels a line, 10 a column
    moves = read([f"{size}{unknown}\x1b[<35;101;41M"])
    (move,) = (message for message in moves if isinstance(message, MouseMove))
    assert (int(move.x), int(move.y)) == (10, 2)


def test_a_paste_is_read_after_an_answer_that_came_in_between() -> None:
    (paste,) = read(["\x1b[?6c\x1b[20", "0~Ac", "me\x1b[?6c\x1b[201~"])
    assert isinstance(paste, Event)
    assert getattr(paste, "text", "") == "Acme\N{REPLACEMENT CHARACTER}[?6c"
