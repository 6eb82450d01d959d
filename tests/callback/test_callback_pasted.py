import re
import time
from collections.abc import Callable
from html import escape
from urllib.parse import quote, urlencode

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from m3cred_tui.callback.pasted import (
    LONGEST_PASTE,
    PasteIncomplete,
    PasteNotUsed,
    pasted_redirect,
)
from m3cred_tui.callback.redirect import (
    AuthorizationCode,
    MalformedRedirect,
    MissingState,
    RedirectResult,
    Refusal,
    WrongState,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

STATE = "Zk3_vN8-qXw1TtY0aB5cD7eF9gH2iJ4kL6mN8oP-rS_"
OLDER = "OLDER_vN8-qXw1TtY0aB5cD7eF9gH2iJ4kL6mN8oP-r"
CODE = "ac_demo0123456789abcdef0123456789abcdef"
BASE = "http://127.0.0.1:27183/callback"
STRIPE = "https://connect.stripe.com"
DEMO = "http://127.0.0.1:27181"
QUERY = f"scope=read_write&code={CODE}&state={STATE}"
ADDRESS = f"{BASE}?{QUERY}"
CODE_LAST = f"{BASE}?state={STATE}&scope=read_write&code={CODE}"
REFUSED = (
    f"{BASE}?error=access_denied&error_description=The+user+denied+your+request&state={STATE}"
)
AUTHORIZE = "/oauth/authorize?" + urlencode(
    {
        "response_type": "code",
        "client_id": "ca_123",
        "scope": "read_write",
        "state": STATE,
        "redirect_uri": BASE,
    }
)


def paste(
    text: str, *, state: str = STATE, stripe: str = STRIPE, final: bool = True
) -> RedirectResult:
    return pasted_redirect(text, Secret(state), redirect_uri=BASE, stripe=stripe, final=final)


def type_in(text: str) -> RedirectResult:
    return paste(text, final=False)


def code_of(result: RedirectResult) -> str:
    assert isinstance(result, AuthorizationCode)
    return result.code.reveal()


def told(text: str, *, stripe: str = STRIPE, final: bool = True) -> str:
    """Return the message about a text that is rejected."""
    with pytest.raises(PasteNotUsed) as raised:
        paste(text, stripe=stripe, final=final)
    return str(raised.value)


def waits(text: str, *, final: bool = True) -> str:
    with pytest.raises(PasteIncomplete) as raised:
        paste(text, final=final)
    return str(raised.value)


def outcome(text: str, *, state: str, final: bool) -> tuple[str | None, str]:
    """Return the code, or the message that is shown instead."""
    try:
        return code_of(paste(text, state=state, final=final)), ""
    except Problem as problem:
        return None, str(problem)


def wrapped(text: str, column: int, between: str = "\n") -> str:
    return between.join(text[at : at + column] for at in range(0, len(text), column))


WAYS = {
    "the address": ADDRESS,
    "with a line break after it": f"{ADDRESS}\r\n",
    "wrapped at 80 columns": wrapped(ADDRESS, 80),
    "wrapped at 60 columns by Windows": wrapped(ADDRESS, 60, "\r\n"),
    "wrapped at 20 columns and indented": wrapped(ADDRESS, 20, "\n    "),
    "wrapped and padded by tmux": wrapped(ADDRESS, 40, "        \n"),
    "wrapped, with blanks for line breaks": wrapped(ADDRESS, 40, " "),
    "wrapped by a shell": wrapped(ADDRESS, 40, "\\\n"),
    "one character a line": "\n".join(ADDRESS),
    "in double quotes": f'"{ADDRESS}"',
    "in single quotes": f"'{ADDRESS}'",
    "in backquotes": f"`{ADDRESS}`",
    "in curly quotes": f"“{ADDRESS}”",
    "in guillemets": f"«{ADDRESS}»",
    "in angle brackets": f"<{ADDRESS}>",
    "in parentheses": f"({ADDRESS})",
    "as a Markdown link": f"[the page]({ADDRESS})",
    "as a Markdown link to itself": f"[{ADDRESS}]({ADDRESS})",
    "in Markdown emphasis": f"_{ADDRESS}_",
    "as an HTML link": f'<a href="{escape(ADDRESS)}">{escape(ADDRESS)}</a>',
    "as escaped HTML": escape(f'<a href="{ADDRESS}">here</a>'),
    "before a full stop": f"{ADDRESS}.",
    "before a comma": f"{ADDRESS}, thanks",
    "the query": QUERY,
    "the query with its question mark": f"?{QUERY}",
    "without the scheme": ADDRESS.removeprefix("http://"),
    "percent-encoded": quote(ADDRESS, safe=""),
    "percent-encoded twice": quote(quote(ADDRESS, safe=""), safe=""),
    "percent-encoded and wrapped": wrapped(quote(ADDRESS, safe=""), 13),
    "only the query, percent-encoded": quote(QUERY, safe=""),
    "HTML-escaped": escape(ADDRESS),
    "HTML-escaped twice": escape(escape(ADDRESS)),
    "HTML-escaped and wrapped": wrapped(escape(ADDRESS), 9),
    "JSON-escaped": ADDRESS.replace("/", "\\/").replace("&", "\\u0026"),
    "shell-escaped": re.sub(r"([?&=])", r"\\\1", ADDRESS),
    "with a fragment": f"{ADDRESS}#_=_",
    "with another parameter": f"{ADDRESS}&foo=bar",
    "with zero-width spaces": "\u200b".join(ADDRESS),
    "with a byte order mark": f"\ufeff{ADDRESS}",
    "between bidi marks": f"\u2066{ADDRESS}\u2069",
    "with no-break spaces": wrapped(ADDRESS, 30, "\xa0"),
    "after a label": f"URL: {ADDRESS}",
    "after a question": f"Is it this? {ADDRESS}",
    "amid text": f"My browser says {ADDRESS} and nothing else & that is it?",
    "amid text, wrapped": wrapped(f"My browser says {ADDRESS} and nothing else", 30),
    "before text about parameters": f"{ADDRESS} was ?a=b&code=ac_1&state=x before",
    "after an error of something else": f"error=timeout at {ADDRESS}",
    "at localhost": ADDRESS.replace("127.0.0.1", "localhost"),
    "at ::1": ADDRESS.replace("127.0.0.1", "[::1]"),
    "at another callback port": ADDRESS.replace("27183", "27184"),
    "at the near end of a tunnel": ADDRESS.replace("27183", "9000"),
    "in capitals where they do not count": ADDRESS.replace("http", "HTTP"),
    "as the source view has it": f"view-source:{ADDRESS}",
    "as a curl command": f"curl '{ADDRESS}' -H 'Referer: https://connect.stripe.com/'",
    "twice": f"{ADDRESS}\n{ADDRESS}",
    "twice, once wrapped": f"{ADDRESS}\n{wrapped(ADDRESS, 50)}",
    "with Stripe's page before it": f"{STRIPE}{AUTHORIZE}\n{ADDRESS}",
    "behind a mail filter": "https://safe.example/?url=" + quote(ADDRESS, safe="") + "&d=1",
    "code before scope": f"{BASE}?code={CODE}&state={STATE}&scope=read_write",
    "state first, code last": CODE_LAST,
    "code last, in quotes": f'"{CODE_LAST}"',
    "code last, as a Markdown link": f"[here]({CODE_LAST})",
    "code last, before a full stop": f"It is {CODE_LAST}. Thanks",
    "code last, as an HTML link": f'<a href="{escape(CODE_LAST)}">here</a>',
    "code last, wrapped before it": CODE_LAST.replace("&code", "\n&code"),
    "code last, wrapped within a name": CODE_LAST.replace("code", "co\n  de"),
    "code last, with a fragment": f"{CODE_LAST}#_=_",
    "code last, percent-encoded": quote(CODE_LAST, safe=""),
    "code last, twice": f"{CODE_LAST}\n{CODE_LAST}\n",
}


@pytest.mark.parametrize("text", WAYS.values(), ids=WAYS.keys())
def test_it_is_found_however_it_was_copied(text: str) -> None:
    result = paste(text)
    assert code_of(result) == CODE
    assert isinstance(result, AuthorizationCode)
    assert result.scope == "read_write"


def test_a_pasted_refusal_is_recognised() -> None:
    refusal = Refusal("access_denied", "The user denied your request")
    assert paste(REFUSED) == paste(wrapped(REFUSED, 40)) == type_in(REFUSED) == refusal


UNCLEAR = {
    "broken within the code": wrapped(CODE_LAST, len(CODE_LAST) - 5),
    "with text after it": f"{CODE_LAST} thanks",
    "with text and an ampersand after it": f"{CODE_LAST} thanks & bye",
    "with text and a number sign after it": f"{CODE_LAST} thanks #1",
    "quoted line by line in a mail": wrapped(CODE_LAST, len(CODE_LAST) - 5, "\n> "),
    "in Markdown emphasis": f"_{CODE_LAST}_",
    "cut at a border of tmux": wrapped(CODE_LAST, len(CODE_LAST) - 5, "│\n│"),
    "in a comment of several lines": wrapped(CODE_LAST, len(CODE_LAST) - 5, "\n# "),
    "cut short by an ellipsis": f"{CODE_LAST[:-5]}…",
    "cut short by dots": f"{CODE_LAST[:-5]}...",
    "cut short by asterisks": f"{CODE_LAST[:-5]}*****",
}


@pytest.mark.parametrize("text", UNCLEAR.values(), ids=UNCLEAR.keys())
def test_a_code_whose_end_is_unclear_is_not_used(text: str) -> None:
    assert "is unclear" in told(text)


DAMAGED = {
    "an ellipsis": f"{CODE[:9]}…",
    "three dots": f"{CODE[:9]}...",
    "a border of tmux": f"{CODE[:9]}│ls -l\n{CODE[9:]}",
    "a colour": f"{CODE[:9]}\x1b[1m{CODE[9:]}",
    "an escape": f"{CODE[:9]}\x1bM{CODE[9:]}",
    "a backspace": f"{CODE[:9]}x\b{CODE[9:]}",
    "a hyphen where the line broke": f"{CODE[:9]}-\n{CODE[9:]}",
    "a minus before the second line": f"{CODE[:9]}\n-{CODE[9:]}",
    "a line break written out": f"{CODE[:9]}\\n{CODE[9:]}",
    "a letter that only looks right": CODE.replace("a", "\N{CYRILLIC SMALL LETTER A}"),
    "a hyphen at its end": f"{CODE[:-1]}-",
    "a hyphen at its end, where the line broke": f"{CODE}-\n",
    "its rest left out": CODE[:4],
    "half of it left out": CODE[:20],
    "a letter in its place": "a",
    "its prefix left out": CODE.removeprefix("ac_"),
    "nothing": "",
}


@pytest.mark.parametrize("code", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_code_is_not_used(code: str) -> None:
    with pytest.raises(MalformedRedirect, match="a code that is empty, too long or damaged"):
        paste(ADDRESS.replace(CODE, code))
    with pytest.raises(Problem):
        paste(CODE_LAST.replace(CODE, code))
    with pytest.raises(Problem):
        type_in(ADDRESS.replace(CODE, code))


@pytest.mark.parametrize("code", [CODE[:4], CODE[:20], f"{CODE}-", "a"])
def test_a_damaged_code_at_the_end_of_typed_text_waits_for_the_rest(code: str) -> None:
    waits(CODE_LAST.replace(CODE, code), final=False)
    with pytest.raises(MalformedRedirect):
        type_in(f"{CODE_LAST.replace(CODE, code)}#")


@pytest.mark.parametrize(
    "code", [CODE, "ac_DW9PDT7JFl68eSv2yKHUMcMGyOmaKK1z", f"ac_{'9' * 24}", f"ac_{'z' * 200}"]
)
def test_stripes_codes_and_longer_and_shorter_ones_like_them_are_accepted(code: str) -> None:
    for address in (ADDRESS, CODE_LAST):
        assert code_of(paste(address.replace(CODE, code))) == code


def test_a_typed_address_is_accepted_at_its_last_character() -> None:
    waits(ADDRESS[:-1], final=False)
    assert code_of(type_in(ADDRESS)) == CODE


def test_a_code_at_the_end_of_typed_text_may_be_incomplete() -> None:
    assert "type # after it" in waits(CODE_LAST, final=False)
    assert code_of(type_in(f"{CODE_LAST}#")) == CODE
    of_an_app = CODE_LAST.replace("&scope=read_write", "")
    assert "type # after it" in waits(of_an_app, final=False)
    assert code_of(type_in(f"{of_an_app}#")) == CODE


def test_a_truncated_code_is_not_taken_for_the_end_of_another_parameter() -> None:
    waits(f"{BASE}?scope=read_only&state={STATE}&code=y", final=False)


def test_a_line_break_within_a_typed_code_is_not_its_end() -> None:
    lines = wrapped(CODE_LAST, len(CODE_LAST) - 5)
    waits(lines, final=False)
    waits(f"{lines}#", final=False)


def test_a_truncated_state_waits_for_the_rest() -> None:
    assert "cut off" in waits(ADDRESS[:-1])
    assert "cut off" in waits(ADDRESS[: -len(STATE)])


def test_the_first_line_waits_for_the_second() -> None:
    lines = wrapped(ADDRESS, 80).split("\n")
    waits(lines[0])
    assert code_of(paste(lines[0] + lines[1])) == CODE


def test_an_empty_paste_waits_for_more() -> None:
    assert waits(" \n", final=False).startswith("Nothing is pasted yet.")


STRIPES_PAGES = {
    "the one to approve on": STRIPE + AUTHORIZE,
    "wrapped": wrapped(STRIPE + AUTHORIZE, 20),
    "percent-encoded": quote(STRIPE + AUTHORIZE, safe=""),
    "without the scheme": "connect.stripe.com" + AUTHORIZE,
    "its query": AUTHORIZE.partition("?")[2],
    "the log-in": "https://connect.stripe.com/login?redirect=%2Foauth",
    "the dashboard": "https://dashboard.stripe.com/test/settings",
    "the marketplace": "https://marketplace.stripe.com/oauth/v2/authorize?client_id=ca_1",
    "Stripe's home": "https://stripe.com",
    "amid text": "It shows https://connect.stripe.com and that is it",
    "one that was returned to for another": f"{STRIPE}/x?code=ac_1&state={OLDER}",
}


@pytest.mark.parametrize("text", STRIPES_PAGES.values(), ids=STRIPES_PAGES.keys())
def test_stripes_own_page_is_distinguished_from_the_one_after_it(text: str) -> None:
    assert "Stripe's own page" in told(text)


@pytest.mark.parametrize("base", [DEMO, DEMO.replace("127.0.0.1", "localhost")])
@pytest.mark.parametrize("path", [AUTHORIZE, "/oauth/authorize/log-in"])
def test_the_demo_stripes_page_is_distinguished_from_the_one_after_it(
    base: str, path: str
) -> None:
    assert "Stripe's own page" in told(base + path, stripe=DEMO)
    assert "Stripe's own page" in told(f"{base}/x?code=ac_1&state={OLDER}", stripe=DEMO)


def test_stripes_page_behind_a_tunnel_is_distinguished_from_the_one_after_it() -> None:
    assert "Stripe's own page" in told("http://localhost:9000" + AUTHORIZE, stripe=DEMO)


@pytest.mark.parametrize("final", [True, False])
@pytest.mark.parametrize("address", [ADDRESS, REFUSED, f"{CODE_LAST}#"])
def test_the_state_of_an_older_request_is_wrong(address: str, final: bool) -> None:
    with pytest.raises(WrongState):
        paste(address.replace(STATE, OLDER), final=final)


@pytest.mark.parametrize(
    "state", [f"{STATE}x", STATE[:-1] + "&x=1", f"x{STATE}", STATE.lower()]
)
def test_an_almost_correct_state_is_wrong(state: str) -> None:
    with pytest.raises(WrongState):
        paste(ADDRESS.replace(STATE, state))


@pytest.mark.parametrize("address", [ADDRESS, REFUSED])
def test_an_address_without_state_is_not_used(address: str) -> None:
    assert "no state" in waits(address.replace(f"&state={STATE}", ""))
    with pytest.raises(MissingState):
        paste(address.replace(f"&state={STATE}", "#"))
    with pytest.raises(MissingState):
        paste(address.replace(STATE, "&x=1"))


@pytest.mark.parametrize("text", [CODE, f" '{CODE}' ", f"Authorization code: {CODE}"])
def test_a_code_alone_is_refused_with_the_reason(text: str) -> None:
    assert "only a code" in told(text)
    assert "only a code" in told(text, final=False)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://example.com/", "example.com"),
        ("https://example.com is what I see", "example.com"),
        ("https://example.com/cb?code=abc&state=xyz", "example.com"),
        ("https://example.com/cb?code=abc", "example.com"),
        ("example.com/cb?x=1", "example.com"),
        ("http://localhost:8000/?code=abc&state=xyz", "localhost:8000"),
        ("http://localhost:8000/auth", "localhost:8000"),
        (f"http://127.0.0.1:27183@evil.example/callback?code=a&state={OLDER}", "evil.example"),
        (
            "https://stripe.com.evil.example/oauth/authorize?client_id=x",
            "stripe.com.evil.example",
        ),
        ("https://notstripe.com/", "notstripe.com"),
        (
            "https://accounts.google.com/o/oauth2/v2/auth?client_id=1&response_type=code"
            "&redirect_uri=http%3A%2F%2Flocalhost%3A8000%2F",
            "accounts.google.com",
        ),
    ],
)
def test_another_products_address_is_named(text: str, host: str) -> None:
    assert f"an address of {host}, not" in told(text)


def test_a_host_name_cannot_send_escapes_to_the_terminal() -> None:
    assert told(f"https://a\x1b]52;c;eA==\x07\u202eb{'c' * 99}/").isprintable()
    assert len(told(f"https://{'c' * 9999}/")) < 200


@pytest.mark.parametrize("path", ["/go/abcdefgh", "/done", "/status?after=1"])
def test_the_short_address_is_distinguished_from_the_one_to_copy(path: str) -> None:
    assert "address of m3cred itself" in told(BASE.replace("/callback", path))


def test_nothing_is_chosen_from_two_different_addresses() -> None:
    assert "two different" in told(f"{ADDRESS}\n{ADDRESS.replace(CODE, 'ac_other')}")
    assert "two different" in told(f"{ADDRESS}\n{ADDRESS.replace(STATE, OLDER)}")
    assert "two different" in told(f"{ADDRESS}\n{ADDRESS[:-3]}")


def test_nothing_is_chosen_from_a_log_full_of_addresses() -> None:
    log = "\n".join(f"http://host{number}/" for number in range(100))
    assert "too many addresses" in told(f"{log}\n{ADDRESS}")


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS.replace("?", f"?code={CODE}&"),
        ADDRESS.replace("?", "?error=access_denied&"),
        ADDRESS.replace("?", f"?scope={'x' * 4096}&"),
    ],
)
def test_a_malformed_redirect_is_not_used(address: str) -> None:
    with pytest.raises(MalformedRedirect):
        paste(address)


@pytest.mark.parametrize(
    "text", ["hello", "It does not work", '{"error": "invalid_scope"}', "?"]
)
def test_text_without_an_address_is_reported(text: str) -> None:
    assert told(text).startswith("There is no address in it.")
    waits(text, final=False)


def test_a_novel_is_too_long() -> None:
    assert "too long" in told(ADDRESS + " " * LONGEST_PASTE)


# --- Every way of mangling an address


TOKEN = st.characters(codec="ascii", categories=["Lu", "Ll", "Nd"], include_characters="-_")
STATES = st.text(TOKEN, min_size=43, max_size=43)
CODES = st.text(TOKEN, min_size=1, max_size=60).map("ac_".__add__)
STRIPES_CODES = st.from_regex(r"ac_[A-Za-z0-9_]{24,60}", fullmatch=True)
SCOPES = st.sampled_from(["read_write", "read_only"])
BASES = st.sampled_from(
    [
        f"{BASE}?",
        "http://127.0.0.1:27182/callback?",
        "http://localhost:27183/callback?",
        "127.0.0.1:27183/callback?",
        "?",
        "",
    ]
)
Mangling = Callable[[st.DrawFn, str], str]


def _cut(draw: st.DrawFn, text: str, between: st.SearchStrategy[str]) -> str:
    places = draw(st.lists(st.integers(1, max(1, len(text) - 1)), max_size=4, unique=True))
    for place in sorted(places, reverse=True):
        text = text[:place] + draw(between) + text[place:]
    return text


def _break_lines(draw: st.DrawFn, text: str) -> str:
    breaks = [
        "\n",
        "\r\n",
        "\r",
        "\n    ",
        "      \n",
        "   \n\t",
        "\u2028",
        " ",
        "\xa0",
        "  \\\n",
    ]
    between = draw(st.sampled_from(breaks))
    if draw(st.booleans()):
        return _cut(draw, text, st.just(between))
    return wrapped(text, draw(st.integers(1, 140)), between)


def _hide(draw: st.DrawFn, text: str) -> str:
    hidden = ["\u200b", "\ufeff", "\u200e", "\u202d", "\u2060", "\u00ad", "\ufe0f", "\u2069"]
    return _cut(draw, text, st.sampled_from(hidden))


def _wrap_in(draw: st.DrawFn, text: str) -> str:
    pairs = [
        '""',
        "''",
        "``",
        "<>",
        "()",
        "[]",
        "{}",
        "“”",
        "\u2018’",
        "«»",
        "„“",
        "__",
        "**",
        "  ",
    ]
    pair = draw(st.sampled_from(pairs))
    return pair[0] + text + pair[1]


def _surround(draw: st.DrawFn, text: str) -> str:
    befores = ["URL: ", "Is it this? ", "view-source:", "curl '", "[here](", "$ open ", "1) "]
    afters = [".", ",", ";", " ", "\n", "' -H 'a: b'", ")", "#", "#top", " & so on", " thanks"]
    before = draw(st.sampled_from(["", *befores]))
    return before + text + draw(st.sampled_from(["", *afters]))


MANGLINGS: list[Mangling] = [
    _break_lines,
    _hide,
    _wrap_in,
    _surround,
    lambda _draw, text: quote(text, safe=""),
    lambda _draw, text: escape(text),
    lambda _draw, text: re.sub(r"([?&='\" ])", r"\\\1", text),
    lambda _draw, text: f"{text}\n{text}",
]


@st.composite
def redirects(draw: st.DrawFn, codes: st.SearchStrategy[str]) -> tuple[str, str, str]:
    """Draw a state, a code, and the query of a redirect with both, in any order."""
    state, code = draw(STATES), draw(codes)
    parameters = [("state", state), ("code", code), ("scope", draw(SCOPES))]
    return state, code, urlencode(draw(st.permutations(parameters)))


@st.composite
def mangled(draw: st.DrawFn) -> tuple[str, str, str]:
    state, code, query = draw(redirects(CODES | STRIPES_CODES))
    text = draw(BASES) + query
    for mangle in draw(st.lists(st.sampled_from(MANGLINGS), max_size=5)):
        text = mangle(draw, text)
    return state, code, text[:LONGEST_PASTE]


@given(mangled(), st.booleans())
@pytest.mark.long
def test_a_mangled_address_gives_its_code_or_a_reason(
    case: tuple[str, str, str], final: bool
) -> None:
    state, code, text = case
    found, sentence = outcome(text, state=state, final=final)
    assert found in {code, None}
    assert code not in sentence
    assert state not in sentence
    assert sentence.isprintable()


@st.composite
def as_people_copy_it(draw: st.DrawFn) -> tuple[str, str, str]:
    """Draw unambiguous manglings, in the order in which they happen."""
    state, code = draw(STATES), draw(STRIPES_CODES)
    query = f"scope={draw(SCOPES)}&code={code}&state={state}"
    text = draw(BASES) + query + draw(st.sampled_from(["", "#", "#_=_"]))
    for encode in draw(st.sampled_from([[], [4], [4, 4], [5], [5, 5], [6], [5, 4]])):
        text = MANGLINGS[encode](draw, text)
    text = _wrap_in(draw, text)
    if draw(st.booleans()):
        text = _hide(draw, text)
    if draw(st.booleans()):
        text = _break_lines(draw, text)
    return state, code, text


@given(as_people_copy_it())
def test_an_address_as_people_copy_it_is_always_found(case: tuple[str, str, str]) -> None:
    state, code, text = case
    assert code_of(paste(text, state=state)) == code


@given(redirects(STRIPES_CODES), BASES, st.integers(min_value=0), st.integers(0, 2))
@pytest.mark.long
def test_the_beginning_of_a_typed_address_is_never_accepted(
    redirect: tuple[str, str, str], base: str, cut: int, encodings: int
) -> None:
    state, code, query = redirect
    text = base + query
    for _ in range(encodings):
        text = quote(text, safe="")
    with pytest.raises(PasteIncomplete):
        paste(text[: cut % len(text)], state=state, final=False)
    assume(encodings == 0)
    assert code_of(paste(f"{text}#", state=state, final=False)) == code


@pytest.mark.parametrize("address", [ADDRESS, CODE_LAST, REFUSED, quote(ADDRESS, safe="")])
def test_no_beginning_of_a_typed_address_is_accepted(address: str) -> None:
    for end in range(len(address)):
        waits(address[:end], final=False)


@given(STATES, CODES, st.integers(min_value=0))
def test_the_beginning_of_a_pasted_address_is_not_accepted_if_the_state_is_last(
    state: str, code: str, cut: int
) -> None:
    address = f"{BASE}?scope=read_write&code={code}&state={state}"
    with pytest.raises(PasteIncomplete):
        paste(address[len("http://") : cut % len(address)], state=state)


PIECES = st.sampled_from(
    "http:// https:// 127.0.0.1 stripe.com [::1] : / ? & = # % code state error scope ac_1 "
    'code= state= error= %3D %26 %25 &amp; \\ @ \x1b[200~ \0 \ud800 ( ] " \n \u200b \xff '
    f"\t ?code=ac_1&state= {OLDER} {STATE[:-1]}".split(" ")
)
ANYTHING = (
    st.text(max_size=300)
    | st.binary(max_size=300).map(lambda some: some.decode("latin-1"))
    | st.binary(max_size=300).map(lambda some: some.decode("utf-8", "surrogateescape"))
    | st.lists(PIECES | st.text(max_size=2), max_size=40).map("".join)
)


@given(ANYTHING, st.booleans())
@example(f"code=ac_1&state={OLDER}", True)
@example("http://[::1/callback?code=ac_1", True)
def test_whatever_else_is_pasted_gives_a_reason(text: str, final: bool) -> None:
    with pytest.raises(Problem) as raised:
        paste(text, final=final)
    assert str(raised.value).isprintable()


@given(ANYTHING, ANYTHING)
def test_text_around_an_address_does_not_change_its_code(before: str, after: str) -> None:
    try:
        result = paste(f"{before} {ADDRESS}{after}")
    except Problem:
        return
    assert code_of(result) == CODE


@pytest.mark.parametrize("secret", [CODE, STATE, "ac_other"])
@pytest.mark.parametrize(
    "text",
    [
        CODE,
        ADDRESS.replace(STATE, OLDER),
        f"{ADDRESS} {ADDRESS.replace(CODE, 'ac_other')}",
        f"https://example.com/{CODE}?state={STATE}",
        f"https://example.com?code=ac_other&state={OLDER}",
        f"{CODE_LAST} thanks",
        BASE.replace("callback", f"go/{STATE}"),
    ],
)
def test_a_problem_quotes_nothing_from_the_code_or_the_state(text: str, secret: str) -> None:
    with pytest.raises(Problem) as raised:
        paste(text)
    told_of_it = raised.value
    assert told_of_it.__cause__ is None
    assert secret not in f"{told_of_it} {vars(told_of_it)}"


WORST = ["&lt;", "%25", "\\", "\\a", "\u200ba", "é", "_", "&", "%2526", "http://", "code=&"]
WORST += ["http://?code=", f"state={STATE}&", "c \n", f"{ADDRESS}\n", "code=a ", "a.", "\udc80"]


@pytest.mark.parametrize("tail", ["", f" code=a&state={STATE}"])
@pytest.mark.parametrize("piece", WORST)
def test_the_longest_paste_causes_no_noticeable_delay(piece: str, tail: str) -> None:
    text = (piece * LONGEST_PASTE)[: LONGEST_PASTE - len(tail)] + tail
    times = []
    for _ in range(7):  # the best of them, as the machine has other things to do
        begin = time.thread_time()
        outcome(text, state=STATE, final=False)
        times.append(time.thread_time() - begin)
    assert min(times) < 0.005


OWN = "https://login.example.com/m3cred/"


def own_paste(text: str) -> RedirectResult:
    return pasted_redirect(text, Secret(STATE), redirect_uri=OWN, stripe=STRIPE, final=True)


@pytest.mark.parametrize("page", [OWN, BASE])
def test_the_users_relay_page_and_the_address_it_links_to_are_both_accepted(page: str) -> None:
    assert code_of(own_paste(f"{page}?{QUERY}")) == CODE


def test_the_users_relay_page_without_an_answer_waits_for_the_rest() -> None:
    for beginning in ("https://login.example.com/m3cred/", "login.example.com/m3cred/?scope="):
        with pytest.raises(PasteIncomplete):
            own_paste(beginning)


@pytest.mark.parametrize("path", ["/", "/m3cred/old", "/m3cred"])
def test_another_page_of_the_users_server_is_not_ours_with_an_older_state(path: str) -> None:
    with pytest.raises(PasteNotUsed, match=r"an address of login\.example\.com"):
        own_paste(f"https://login.example.com{path}?code={CODE}&state={OLDER}")
    with pytest.raises(WrongState):
        own_paste(f"{OWN}?code={CODE}&state={OLDER}")
