from urllib.parse import quote, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from m3cred_tui.callback.redirect import (
    AuthorizationCode,
    Malformation,
    MalformedRedirect,
    MissingState,
    Refusal,
    WrongState,
    validate_redirect,
)
from m3cred_tui.model.problem import Problem
from m3cred_tui.model.secret import Secret

STATE = "bGV0J3Mgbm90-guess_this"
FRAGMENTS = st.sampled_from(
    [
        "code",
        "error",
        "state",
        "scope",
        "=",
        "&",
        "%",
        "%00",
        "%ff",
        "+",
        ";",
        "?",
        STATE,
        "ac_1",
    ]
)
ANY_QUERY = st.text() | st.lists(FRAGMENTS | st.text(max_size=3)).map("".join)


def validate(query: str) -> AuthorizationCode | Refusal:
    return validate_redirect(query, Secret(STATE))


@given(ANY_QUERY)
@example("state=\ud800&code=x")
@example("&".join("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))
@pytest.mark.long
def test_whatever_is_pasted_gives_a_result_or_a_sentence(query: str) -> None:
    try:
        told = repr(validate(query))
    except Problem as problem:
        told = str(problem)
    assert told.isprintable()


PARAMETERS = {"code": "ac_Ab-9_~.", "state": STATE, "scope": "read_write", "foo[bar]": "x y"}


@given(st.permutations(list(PARAMETERS.items())))
def test_an_approval_is_found_whatever_the_order_of_its_parameters(
    parameters: list[tuple[str, str]],
) -> None:
    result = validate(urlencode(parameters))
    assert isinstance(result, AuthorizationCode)
    assert result.code.reveal() == "ac_Ab-9_~."
    assert result.scope == "read_write"


@given(st.text(), st.sampled_from(["code=ac_1", "error=access_denied"]))
@example(STATE[:-1], "code=ac_1")
@example(STATE + "\0", "code=ac_1")
@example(STATE.upper(), "error=access_denied")
def test_a_wrong_state_never_gives_a_result(state: str, rest: str) -> None:
    if state == STATE:
        return
    encoded = quote(state, safe="", errors="surrogatepass")
    with pytest.raises((WrongState, MissingState, MalformedRedirect)):
        validate(f"{rest}&state={encoded}")


def test_nothing_matches_an_empty_state() -> None:
    with pytest.raises(MissingState):
        validate_redirect("code=ac_1&state=", Secret(""))


@pytest.mark.parametrize("query", ["code=ac_1", "error=access_denied", "code=ac_1&state="])
def test_a_redirect_without_state_is_rejected(query: str) -> None:
    with pytest.raises(MissingState):
        validate(query)


def test_a_refusal_is_reported_with_its_description() -> None:
    query = f"error=access_denied&error_description=The+user+denied+your+request&state={STATE}"
    assert validate(query) == Refusal("access_denied", "The user denied your request")


def test_a_refusal_cannot_send_escapes_to_the_terminal() -> None:
    result = validate(f"error=a%1b[2J&error_description=b%0A%E2%80%AEc&state={STATE}")
    assert result == Refusal("a\ufffd[2J", "b \ufffdc")


def test_a_scope_cannot_send_escapes_to_the_terminal() -> None:
    result = validate(f"code=ac_1&scope=%1b]52;c;eA==%07&state={STATE}")
    assert isinstance(result, AuthorizationCode)
    assert result.scope.isprintable()


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("", Malformation.NO_ANSWER),
        (f"state={STATE}", Malformation.NO_ANSWER),
        (f"code=ac_1&error=x&state={STATE}", Malformation.TWO_ANSWERS),
        (f"code=&error=x&state={STATE}", Malformation.TWO_ANSWERS),
        (f"code=ac_1&code=ac_1&state={STATE}", Malformation.REPEATED_PARAMETER),
        (f"code=ac_1&state={STATE}&state=other", Malformation.REPEATED_PARAMETER),
        (f"code=ac_1&state=other&state={STATE}", Malformation.REPEATED_PARAMETER),
        (f"code=ac_1&st%61te=other&state={STATE}", Malformation.REPEATED_PARAMETER),
        (f"code=ac_1&state={STATE}&x=1&x=2", Malformation.REPEATED_PARAMETER),
        (f"code=&state={STATE}", Malformation.DAMAGED_CODE),
        (f"code=ac+1&state={STATE}", Malformation.DAMAGED_CODE),
        (f"code=ac_1%0a&state={STATE}", Malformation.DAMAGED_CODE),
        (f"code=ac_%C3%A9&state={STATE}", Malformation.DAMAGED_CODE),
        (f"code={'a' * 513}&state={STATE}", Malformation.DAMAGED_CODE),
        (f"error=&state={STATE}", Malformation.EMPTY_ERROR),
        (f"error=+%0a&state={STATE}", Malformation.EMPTY_ERROR),
        (f"code=ac_1&state={STATE}&x={'y' * 4096}", Malformation.TOO_LONG),
        (f"code=ac_1&state={STATE}{'&x' * 32}", Malformation.TOO_MANY_PARAMETERS),
        (f"code=ac_1&state={STATE}&x=%ff", Malformation.UNREADABLE),
    ],
)
def test_a_malformed_redirect_says_what_is_wrong_with_it(
    query: str, reason: Malformation
) -> None:
    with pytest.raises(MalformedRedirect) as raised:
        validate(query)
    assert raised.value.reason is reason
    assert reason in str(raised.value)


def test_a_stranger_does_not_learn_whether_the_rest_is_valid() -> None:
    with pytest.raises(WrongState):
        validate("code=damaged+code&state=guess")


@pytest.mark.parametrize("query", ["code=ac_SECRET&state=x", "code=ac_SECRET&x=%ff"])
def test_a_problem_quotes_nothing_from_the_redirect(query: str) -> None:
    with pytest.raises(Problem) as raised:
        validate(query)
    told = raised.value
    assert "SECRET" not in f"{told!r} {told.args} {vars(told)}"
    assert told.__suppress_context__ or told.__context__ is None


def test_a_code_is_not_printed() -> None:
    assert "ac_1" not in repr(validate(f"code=ac_1&state={STATE}"))
