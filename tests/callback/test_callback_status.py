import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from m3cred_tui.callback import reception
from m3cred_tui.callback.reception import (
    REJECTION_SECONDS,
    Phase,
    ReceptionStatus,
    parse_status,
    status_query,
)
from m3cred_tui.callback.server import CallbackServer
from m3cred_tui.model.authorization import TurnedAway
from tests.callback.conftest import Get, Poll, path_of
from tests.visitors import visitor


def test_the_first_poll_is_answered_immediately(poll: Poll) -> None:
    response = poll("after=0&wait=25")
    assert parse_status(response.content) == ReceptionStatus(1, Phase.WAITING, 0)
    assert response.headers["Cache-Control"] == "no-store"


def test_a_poll_without_news_is_answered_after_its_wait(poll: Poll) -> None:
    began = time.monotonic()
    status = parse_status(poll("after=1&wait=0.05").content)
    assert time.monotonic() - began >= 0.05
    assert status == ReceptionStatus(1, Phase.WAITING, 0)


def test_nobody_is_held_longer_than_the_longest_wait(
    poll: Poll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception, "LONGEST_WAIT", 0.01)
    assert poll("after=1&wait=999999").status_code == 200


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("code=ac_123&state={state}", ReceptionStatus(2, Phase.RECEIVED, 0)),
        ("error=access_denied&state={state}", ReceptionStatus(2, Phase.REFUSED, 0)),
        ("code=ac_123&state=forged", ReceptionStatus(2, Phase.WAITING, 1)),
    ],
)
def test_a_held_poll_is_answered_when_a_redirect_comes(
    get: Get, poll: Poll, state: str, query: str, status: ReceptionStatus
) -> None:
    with ThreadPoolExecutor() as pool:
        held = pool.submit(poll, status_query(after=1, wait=25))
        get(f"/callback?{query.format(state=state)}")
        delivered = time.monotonic()
        assert parse_status(held.result(timeout=5).content) == status
        assert time.monotonic() - delivered < 1  # measured: about a millisecond


async def test_a_busy_app_does_not_hold_up_the_redirect(get: Get, approval: str) -> None:
    # Called without await: this event loop is blocked until the server has answered.
    assert get(approval).status_code == 303


def test_rejected_redirects_are_reported_once_a_second_and_the_rest_immediately(
    get: Get, poll: Poll, approval: str
) -> None:
    with ThreadPoolExecutor() as pool:
        get("/callback")
        assert parse_status(poll("after=1&wait=25").content).mismatches == 1
        began = time.monotonic()
        held = pool.submit(poll, "after=2&wait=25")
        get("/callback")
        get("/callback")
        assert parse_status(held.result(timeout=5).content).mismatches == 3
        assert time.monotonic() - began > REJECTION_SECONDS / 2
        get("/callback")
        began = time.monotonic()
        held = pool.submit(poll, "after=4&wait=25")
        get(approval)
        assert parse_status(held.result(timeout=5).content).phase is Phase.RECEIVED
        assert time.monotonic() - began < REJECTION_SECONDS / 2


def test_nobody_else_can_hold_a_poll(server: CallbackServer, get: Get) -> None:
    path = path_of(server.status_url)
    for guess in ("/status", "/status/", path[:-1], f"{path}x"):
        assert get(f"{guess}?after=1&wait=25").status_code == 404


def test_the_version_increases_with_each_change_and_only_then(
    get: Get, poll: Poll, approval: str
) -> None:
    targets = ["/favicon.ico", "/callback", "/done", "/callback?state=x", approval, approval]
    versions = []
    for target in targets:
        get(target)
        versions.append(parse_status(poll().content).version)
    assert versions == [1, 2, 2, 3, 4, 4]


def test_the_status_contains_no_secret(get: Get, poll: Poll, approval: str, state: str) -> None:
    get(approval)
    body = poll().text
    assert "ac_123" not in body
    assert state not in body


@pytest.mark.parametrize(
    "query", ["after=-1", "after=x", "wait=-1", "wait=nan", "wait=1e9", "after=1&wait=1&x=1"]
)
def test_an_invalid_poll_is_rejected(poll: Poll, query: str) -> None:
    assert poll(query).status_code == 400


@given(
    st.builds(
        ReceptionStatus,
        version=st.integers(1),
        phase=st.sampled_from(Phase),
        mismatches=st.integers(0),
        turned_away=st.lists(st.sampled_from(TurnedAway), unique=True).map(tuple),
    )
)
def test_a_status_reads_back_as_it_was_written(status: ReceptionStatus) -> None:
    assert parse_status(status.to_json()) == status


@given(st.binary() | st.text())
def test_the_reply_of_another_program_is_not_taken_for_a_status(body: str | bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  it has no other message to match
        parse_status(body)


@pytest.mark.parametrize(
    "changed",
    [
        {"version": "1"},
        {"phase": "done"},
        {"mismatches": None},
        {"visits": 0.5},
        {"turned_away": "not opened"},
        {"turned_away": ["odd"]},
        {"turned_away": [[]]},
    ],
)
def test_an_almost_valid_status_is_rejected(changed: dict[str, object]) -> None:
    valid = json.loads(ReceptionStatus().to_json())
    parse_status(json.dumps(valid))
    with pytest.raises(ValueError):  # noqa: PT011  it has no other message to match
        parse_status(json.dumps(valid | changed))


@pytest.mark.parametrize("body", ["[" * 100_000, "{}", "[]"])
def test_what_is_no_status_at_all_is_rejected(body: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  it has no other message to match
        parse_status(body)


def test_the_status_is_at_the_url_that_the_server_gives(server: CallbackServer) -> None:
    with visitor() as client:
        assert client.get(server.status_url).json()["phase"] == "waiting"
