"""What a terminal sends around and within a paste."""

from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.ui.terminal.driver import BracketedPaste

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
